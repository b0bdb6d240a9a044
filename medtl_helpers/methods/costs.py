"""What a way to train costs, counted and not measured, so that a plan is the same on every machine.

Multiply-adds are counted by torch on its meta device, where nothing is computed; a nominal machine does ``SPEED`` of
them in a second, about one core of a laptop, and needs ``STEP`` seconds more for each step of an optimiser.
"""

import copy
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode

from .nets import StagedNet
from .ways import Source, Way

SPEED, STEP = 2.5e10, 0.005
BYTES = 6e8  # that a batch in training may fill with activations and their gradients
CACHE = 1e8  # bytes of features that are kept for one source and depth, of which there are about eight
BATCHES, FEW = (16, 32), 500  # images of a training step, with fewer training images than this and with more


class Cost(NamedTuple):
    """Of one network and one image: multiply-adds by stage, numbers after each stage, and in all layers together."""

    multiply_adds: dict[str, float]
    after: dict[str, int]
    numbers: int
    channels: int  # of all stages together

    def batch(self, n: int) -> int:
        """Images of a training step with ``n`` for training; fewer where their activations would fill the memory."""
        return int(max(1, min(BATCHES[n >= FEW], BYTES // (8 * self.numbers))))

    def inference_batch(self) -> int:
        """Images that are computed at once without gradients."""
        return int(max(1, min(128, BYTES // (4 * self.numbers))))


@torch.no_grad()
def count_cost(model: StagedNet, shape) -> Cost:
    """The cost of ``model`` for an image of ``shape`` C×H×W. Raises RuntimeError where that is too small for it."""
    model = copy.deepcopy(model).to("meta").eval()
    numbers, work, after, channels = 0, {}, {}, 0

    def add(module, inputs, output):
        nonlocal numbers
        numbers += output.numel()

    for module in model.modules():
        if not list(module.children()):
            module.register_forward_hook(add)
    x = model.input(torch.zeros(1, *shape, device="meta"))
    for name, stage in model.stages.items():
        with FlopCounterMode(display=False) as counter:
            x = stage(x)
        work[name], after[name] = counter.get_total_flops() / 2, x.numel()
        channels += x.shape[1]
    return Cost(work, after, numbers, channels)


def count_costs(networks: Mapping[str, Source], shape, classes: int) -> tuple[dict[str, Cost], list[str]]:
    """The cost of one image by source; a source for whose stages the images are too small is left out and told."""
    costs, notes = {}, []
    for name, make in networks.items():
        with torch.random.fork_rng(devices=[]):
            model = make(classes)
        try:
            costs[name] = count_cost(model, shape)
        except RuntimeError:
            notes.append(f"The source {name} was left out: images of {shape[1]} × {shape[2]} px are too small for it.")
    return costs, notes


def frozen_stages(way: Way, cost: Cost) -> list[str]:
    """The stages that the way leaves as they are."""
    names = list(cost.multiply_adds)
    if way.depth == "head":
        return names
    return names[: names.index(way.frozen_upto) + 1] if way.frozen_upto else []


def is_cached(way: Way, cost: Cost, n: int) -> bool:
    """Whether the features of the frozen stages of ``n`` images are computed once and kept."""
    frozen = frozen_stages(way, cost)
    return bool(frozen) and (way.depth == "head" or 4 * n * cost.after[frozen[-1]] <= CACHE)


def feature_seconds(way: Way, cost: Cost, n: int) -> float:
    """Nominal seconds for the features of the frozen stages of ``n`` images, where they are kept."""
    frozen = frozen_stages(way, cost) if is_cached(way, cost, n) else []
    return n * sum(cost.multiply_adds[name] for name in frozen) / SPEED


def training_seconds(way: Way, cost: Cost, n: int, n_val: int, epochs: int, classes: int) -> float:
    """Nominal seconds of one training of ``epochs`` epochs, besides the features that are kept.

    A step forwards and backwards through a layer costs three times the way forwards.
    """
    if way.way == "all stages":
        return 0.1 + 2 * cost.channels * classes * n * 500 / SPEED
    epochs *= way.longer
    whole = sum(cost.multiply_adds.values())
    below = sum(cost.multiply_adds[name] for name in frozen_stages(way, cost))
    again = 0.0 if is_cached(way, cost, n + n_val) else below  # frozen, but too large to keep
    work = epochs * (n * (3 * (whole - below) + again) + n_val * (whole - below + again))
    steps = epochs * -(-n // cost.batch(n))
    if way.way == "lp_ft":
        work, steps = work + (n + n_val) * whole, 2 * steps
    return work / SPEED + steps * STEP
