"""Train one way for some epochs: features of what is frozen are computed once and kept, and the clock can stop it."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F

from .all_stages import AllStages, all_stages_regression
from .cache import after_prefix
from .costs import SPEED, Cost, count_cost, frozen_stages, is_cached
from .distributed import agree
from .features import prefix_features, stage_features
from .finetune import fine_tune, lp_ft, probe
from .freezing import freeze, unfreeze
from .nets import StagedNet
from .predict import predict
from .train import fit
from .ways import SCRATCH, Source, Way, as_sources, small_network

clock: Callable[[], float] = time.monotonic
PATIENCE = 5  # nominal seconds of features between two looks at the clock


class OutOfTime(Exception):
    """The time is over, in the middle of a training."""


class Brake:
    """Called with the progress of a training at each of its steps: the factor of its rate, a half cosine [1].

    Raises OutOfTime once ``clock`` has passed ``deadline``, from the moment on at which it was ``armed``.
    [1] Loshchilov, Hutter, SGDR, ICLR 2017, arXiv 1608.03983, equation 5, without restarts
    """

    def __init__(self, seconds: float):
        self.deadline, self.armed = clock() + seconds, False

    def check(self) -> None:
        if self.armed and agree(clock() > self.deadline):
            raise OutOfTime

    def __call__(self, progress: float) -> float:
        self.check()
        return (1 + math.cos(math.pi * progress)) / 2


class Trials:
    """Networks of one task by way and epochs. Each begins anew from the seed: the same call gives the same network.

    A way that goes on to the next rung does not continue where it was: it begins again with the longer schedule. With
    a third surviving this costs half as much again, at most. In return each training ends at a rate of zero, as
    a schedule wants, nothing of an optimiser has to be kept, and a search that was interrupted is repeated exactly
    from its log, which holds numbers alone.
    """

    def __init__(self, train, val, classes: int, sources: Mapping[str, Source], costs: Mapping[str, Cost], *,
                 seed: int, brake: Brake):  # fmt: skip
        self.train, self.val, self.classes = train, val, classes
        self.sources, self.costs, self.seed, self.brake = sources, costs, seed, brake
        self._kept: dict[tuple, tuple] = {}

    def run(self, way: Way, epochs: int) -> tuple[StagedNet, torch.Tensor]:
        """The network that ``way`` trains in ``epochs`` epochs, and its probabilities N×K of the validation images.

        Raises OutOfTime and KeyboardInterrupt in the middle of it. The global generator is left as it was.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return self._run(way, epochs)

    def _run(self, way: Way, epochs: int) -> tuple[StagedNet, torch.Tensor]:
        model, cost = self.sources[way.source](self.classes), self.costs[way.source]
        n, train, val = len(self.train[1]), self.train, self.val
        if way.at_once:
            features = self._features(way.source, model, "all stages")
            model = all_stages_regression(model, features[0], self.train[1], self.classes, way.rate)
            return model, model.head(features[1]).softmax(1).detach()
        frozen, inner = frozen_stages(way, cost), model
        cached = is_cached(way, cost, n + len(self.val[1]))
        if cached:
            freeze(unfreeze(model), upto=frozen[-1])
            kept = self._features(way.source, model, frozen[-1] if way.depth != "head" else "head")
            inner = after_prefix(model)
            train, val = (kept[0], train[1]), (kept[1], val[1])
        how: dict[str, Any] = {"epochs": epochs * way.longer, "batch_size": cost.batch(n), "lr": way.rate}
        how |= {"seed": self.seed, "schedule": self.brake, "progress": False}
        if way.way == "probe":
            history = probe(inner, train, val, **how)
        elif way.way == "fine_tune":
            history = fine_tune(inner, train, val, frozen_upto=None if cached else way.frozen_upto, cache=False, **how)
        elif way.way == "lp_ft":
            history = lp_ft(inner, train, val, probe_epochs=how["epochs"], **how)
        else:
            history = fit(inner, train, val, **how)
        if history.stopped.startswith("interrupted"):
            raise KeyboardInterrupt
        return model, predict(inner, val[0], batch_size=cost.inference_batch())

    def _features(self, source: str, model: StagedNet, what: str) -> tuple:
        """The features of the frozen stages of both sets; the last ones of each source and depth are kept."""
        if what == "head" and _is_averaged(model):  # what the pool gives is among the features of all stages
            width = model.width
            return tuple(x[:, -2 * width : -width] for x in self._features(source, model, "all stages"))
        if (source, what) not in self._kept:
            cost = self.costs[source]
            compute = stage_features if what == "all stages" else prefix_features
            size = max(1, min(256, int(PATIENCE * SPEED / sum(cost.multiply_adds.values()))))
            self._kept[source, what] = tuple(
                self._in_parts(lambda x: compute(model, x, batch_size=cost.inference_batch()), x, size)
                for x, _ in (self.train, self.val)
            )
        return self._kept[source, what]

    def _in_parts(self, compute: Callable, x, size: int) -> torch.Tensor:
        parts = []
        for rows in torch.arange(len(x)).split(size):
            self.brake.check()
            parts.append(compute(x[rows]))
        return torch.cat(parts)


def _is_averaged(model: StagedNet) -> bool:
    """Whether the network pools by the mean over all pixels, as those of the course do."""
    pool = next(iter(model.pool.children()), None)
    return isinstance(pool, torch.nn.AdaptiveAvgPool2d) and pool.output_size == 1


def network_of(way: Way, classes: int, channels: int, sources=None) -> StagedNet:
    """A network of the shape of the one that ``way`` trained, for images of so many channels: it takes its weights
    (``load_state_dict``). ``sources`` are those that were given to ``auto_transfer``.
    """
    model = small_network(channels)(classes) if way.source == SCRATCH else as_sources(sources)[way.source](classes)
    if way.at_once:
        model = AllStages(model, 2 * count_cost(model, (channels, 64, 64)).channels, classes)
    return model.eval()


def case_losses(probability: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Minus the logarithm of the probability of each true class, float64 N (probabilities below 1e-7 count as that)."""
    return F.nll_loss(probability.double().clamp_min(1e-7).log(), y, reduction="none")
