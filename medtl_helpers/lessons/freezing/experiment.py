"""The experiment of notebook 02: one pre-trained network, a few labels, nine ways to train, two test scanners.

The task is ``held_out_task``: cell types and a scanner that pre-training never saw. All ways take about the same number
of optimiser steps for the same n: ``STEPS`` with 10 and 100 labels per class. With 500 these would be a single epoch,
and gradual unfreezing has six phases: all ways then take six epochs, which are more steps.
"""

import torch

from ...data.pretraining import held_out_task
from ...data.tasks import Split, Task
from ...devices import seed_everything
from ...methods import finetune
from ...methods.augment import augment
from ...methods.losses import L2SP, snapshot
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
METHODS = (SCRATCH, PROBE, "frozen to layer3", "frozen to layer2", "frozen to layer1", FULL, GRADUAL, LP_FT, L2_SP)
# Learning rates (of the head, where they differ by stage) and L2-SP's λ: usual values, set before the grid was run and
# not tuned for any way; another rate can change the order.
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
    """A network trained on ``task`` in one of ``METHODS``, in ``STEPS`` steps; the epoch is chosen on validation.

    ``settings`` replace those of ``SETTINGS``. Raises ValueError for another method.
    """
    if method not in METHODS:
        raise ValueError(f"There is no way to train called {method!r}: choose one of {', '.join(METHODS)}.")
    seed_everything(seed)
    model = load_backbone("resnet", len(task.classes), weights="random" if method == SCRATCH else weights, quiet=True)
    settings = SETTINGS[method] | settings
    epochs = epochs_for(len(task.train.y))
    options = {"batch_size": BATCH, "seed": seed, "augment": augment, "progress": False}
    if method == GRADUAL:  # six phases
        phase = max(1, round(epochs / 6))
        finetune.gradual_unfreeze(model, task.train, task.val, epochs=phase, decay=1 / 2.6, **settings, **options)
    elif method == LP_FT:
        half = max(1, epochs // 2)
        finetune.lp_ft(model, task.train, task.val, probe_epochs=half, epochs=half, **settings, **options)
    elif method == L2_SP:
        penalty, lam, lr = L2SP(snapshot(model), head=("head",)), settings["lam"], settings["lr"]
        fit(model, task.train, task.val, epochs=epochs, lr=lr, penalty=lambda m: lam * penalty(m), **options)
    elif method == PROBE:
        finetune.probe(model, task.train, task.val, epochs=epochs, **settings, **options)
    else:
        depth = {name: depth for depth, name in DEPTHS.items()}.get(method)
        finetune.fine_tune(model, task.train, task.val, frozen_upto=depth, epochs=epochs, **settings, **options)
    return model


def epochs_for(n: int) -> int:
    """The number of epochs that comes nearest to ``STEPS`` steps for ``n`` images, and not below six.

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
    """How far batch norm's running means have moved from ``reference`` (a copy of the state dict), relative to it."""
    moved = [(name, value) for name, value in model.state_dict().items() if name.endswith("running_mean")]
    change = sum((value.cpu() - reference[name].cpu()).square().sum() for name, value in moved)
    return float((change / sum(reference[name].cpu().square().sum() for name, _ in moved)).sqrt())
