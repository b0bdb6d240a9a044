"""The experiment of notebook 02: one pre-trained network, a few labels, nine ways to train, two test scanners.

The task is ``held_out_task``: cell types and a scanner that pre-training never saw. For the same n, all ways take about
the same number of optimiser steps: ``STEPS`` with 10 and with 100 labels per class. With 500 labels per class these
would be a single epoch, and gradual unfreezing has six phases. All ways then take six epochs, which are more steps.
"""

from functools import partial

import torch
import torch.nn.functional as F

from ...data.pretraining import held_out_task
from ...data.tasks import Split, Task
from ...devices import device, seed_everything
from ...methods import finetune
from ...methods.augment import augment
from ...methods.losses import L2SP, snapshot
from ...methods.predict import to_float
from ...methods.scores import accuracy
from ...methods.train import fit
from ...methods.weights import load_backbone

SIZE, BATCH, STEPS = 28, 16, 120
SHIFTED = "B"  # the scanner of the shifted test set; labels come from scanner D
SCRATCH, PROBE, FULL, GRADUAL, LP_FT, L2_SP = (
    "from scratch",
    "linear probe",
    "full fine-tuning",
    "gradual unfreezing",
    "LP-FT",
    "L2-SP",
)
DEPTHS = {
    None: FULL,
    "layer1": "frozen to layer1",
    "layer2": "frozen to layer2",
    "layer3": "frozen to layer3",
    "layer4": PROBE,
}


def _fine_tune(model, task, settings, options, frozen_upto=None):
    finetune.fine_tune(model, task.train, task.val, frozen_upto=frozen_upto, **settings, **options)


def _probe(model, task, settings, options):
    finetune.probe(model, task.train, task.val, **settings, **options)


def _gradual(model, task, settings, options):
    """Six phases share the epochs."""
    options = options | {"epochs": max(1, round(options["epochs"] / 6))}
    finetune.gradual_unfreeze(model, task.train, task.val, decay=1 / 2.6, **settings, **options)


def _lp_ft(model, task, settings, options):
    """The probe takes the first half of the epochs."""
    half = max(1, options["epochs"] // 2)
    options = options | {"epochs": half}
    finetune.lp_ft(model, task.train, task.val, probe_epochs=half, **settings, **options)


def _l2_sp(model, task, settings, options):
    penalty, lam = L2SP(snapshot(model), head=["head"]), settings["lam"]
    fit(model, task.train, task.val, lr=settings["lr"], penalty=lambda m: lam * penalty(m), **options)


WAYS = {  # each trains the model with one public method, in the call that the notebook shows
    SCRATCH: _fine_tune,
    PROBE: _probe,
    "frozen to layer3": partial(_fine_tune, frozen_upto="layer3"),
    "frozen to layer2": partial(_fine_tune, frozen_upto="layer2"),
    "frozen to layer1": partial(_fine_tune, frozen_upto="layer1"),
    FULL: _fine_tune,
    GRADUAL: _gradual,
    LP_FT: _lp_ft,
    L2_SP: _l2_sp,
}
METHODS = tuple(WAYS)
# Learning rates (of the head, where they differ by stage) and L2-SP's λ are usual values. They were set before the grid
# was run and were not tuned for any way. Another rate can change the order.
SETTINGS = {
    SCRATCH: {"lr": 1e-3},
    PROBE: {"lr": 1e-2},
    "frozen to layer3": {"lr": 1e-3},
    "frozen to layer2": {"lr": 1e-3},
    "frozen to layer1": {"lr": 1e-3},
    FULL: {"lr": 1e-3},
    GRADUAL: {"lr": 1e-3},
    LP_FT: {"lr": 3e-4},
    L2_SP: {"lr": 1e-3, "lam": 0.1},
}


def train_one(method: str, task: Task, seed: int, *, weights: str = "embedded", **settings):
    """A network that was trained on ``task`` in one of ``METHODS``; validation images choose the epoch.

    ``settings`` replace those of ``SETTINGS``. Raises ValueError for another method.
    """
    if method not in WAYS:
        raise ValueError(f"There is no way to train called {method!r}: choose one of {', '.join(METHODS)}.")
    seed_everything(seed)
    model = load_backbone("resnet", len(task.classes), weights="random" if method == SCRATCH else weights, quiet=True)
    options = {"epochs": epochs_for(len(task.train.y)), "batch_size": BATCH, "seed": seed}
    WAYS[method](model, task, SETTINGS[method] | settings, options | {"augment": augment, "progress": False})
    return model


def epochs_for(n: int) -> int:
    """The number of epochs that comes nearest to ``STEPS`` steps for ``n`` images; it is never below six.

    Gradual unfreezing has six phases: with fewer epochs it would take more steps than the other ways.
    """
    return max(6, round(STEPS / -(-n // BATCH)))


def tasks(n: int, seed: int) -> tuple[Task, Split]:
    """The task with ``n`` labels per class on scanner D, and a test set of the same cells on scanner ``SHIFTED``."""
    return held_out_task(n, seed, size=SIZE), held_out_task(1, seed, size=SIZE, scanner=SHIFTED, val=1).test


def cell(method: str, n: int, seed: int) -> dict[str, float]:
    """One cell of the grid: test accuracy on the scanner of the labels, and on the other one."""
    task, shifted = tasks(n, seed)
    model = train_one(method, task, seed)
    return {"accuracy": accuracy(model, task.test), "shifted accuracy": accuracy(model, shifted)}


def statistics_drift(model, reference: dict[str, torch.Tensor]) -> float:
    """How far batch norm's running means have moved from ``reference``, a copy of the state dict, relative to it."""
    moved = [(name, value) for name, value in model.state_dict().items() if name.endswith("running_mean")]
    change = sum((value.cpu() - reference[name].cpu()).square().sum() for name, value in moved)
    return float((change / sum(reference[name].cpu().square().sum() for name, _ in moved)).sqrt())


def change(before, after, images: torch.Tensor) -> dict[str, float]:
    """How far training has changed the stages' weights and statistics, and the features of ``images``, by name.

    Both networks are left on the CPU and in eval mode.
    """
    before, after, x = before.cpu().eval(), after.cpu().eval(), to_float(images)
    old, new = before.stages.state_dict(), after.stages.state_dict()
    moved = {name: (new[name] - old[name]).abs().max().item() for name in old if "num_batches" not in name}
    with torch.inference_mode():
        features, features_before = after.features(x), before.features(x)
    return {
        "largest change of one weight": max(v for name, v in moved.items() if "running" not in name),
        "largest change of one statistic": max(v for name, v in moved.items() if "running" in name),
        "change of all features relative to their length": (
            (features - features_before).norm() / features_before.norm()
        ).item(),
    }


def moved_features(model, task: Task, *, lr: float = 1e-3, steps: int = 10) -> list[float]:
    """Relative change of the features of 100 test images after each of the first ``steps`` of full fine-tuning.

    The network is in eval mode, so that only its weights move. ``model`` is trained in place.
    """
    x = to_float(task.test.x[:100]).to(device())
    model.to(device()).eval()
    start, moved = model.features(x).detach(), [0.0]
    optimizer = torch.optim.Adam(model.parameters(), lr)
    for step in range(steps):
        batch = torch.arange(step * BATCH, (step + 1) * BATCH) % len(task.train.y)
        inputs, y = (part[batch].to(device()) for part in task.train)
        loss = F.cross_entropy(model(to_float(inputs)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        moved.append(((model.features(x).detach() - start).norm() / start.norm()).item())
    return moved
