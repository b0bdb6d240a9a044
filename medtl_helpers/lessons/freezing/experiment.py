"""The experiment of notebook 02: one pre-trained network, a few labels, thirteen ways to train, two test scanners.

The task is ``held_out_task``: cell types and a scanner that pre-training never saw. Every seed draws its own training,
validation and test images, so that an interval over seeds is one over test cases, too. For the same n, all ways take
about the same number of optimiser steps, ``STEPS``; one opponent, ``SMALL_LONGER``, takes four times as many.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from torch import nn

from ...data.pretraining import held_out_task
from ...data.tasks import Split, Task
from ...devices import device, seed_everything
from ...methods import finetune
from ...methods.adapters import bitfit
from ...methods.augment import augment
from ...methods.intervals import paired_difference
from ...methods.lora import lora
from ...methods.losses import L2SP, snapshot
from ...methods.matching import match_pixels
from ...methods.nets import CourseCNN
from ...methods.predict import predict, to_float
from ...methods.train import fit
from ...methods.weights import load_backbone

SIZE, BATCH, STEPS = 28, 16, 120
LONGER = 4  # times as many epochs
HOME, SHIFTED, REPAIRED = "D", "B", "B, colours matched"  # labels come from scanner D
TESTS, FAR = 100, 1_000_000  # test images per class; their seeds are so far from those of the training images
SCRATCH, SMALL, SMALL_LONGER, PROBE, FULL, GRADUAL, LP_FT, L2_SP, LORA, NORMS, PRIOR = (
    "from scratch",
    "small network from scratch",
    "small network, 4 × as long",
    "linear probe",
    "full fine-tuning",
    "gradual unfreezing",
    "LP-FT",
    "L2-SP",
    "LoRA",
    "norms alone",
    "one answer to all",
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


def _small(model, task, settings, options, times=1):
    options = options | {"epochs": times * options["epochs"]}
    fit(model, task.train, task.val, **settings, **options)


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


def _lora(model, task, settings, options):
    """Changes of rank 4 to all convolutions, and the head."""
    fit(lora(model, where=None), task.train, task.val, **settings, **options)


def _norms(model, task, settings, options):
    """Scale and bias of each norm, and the head: the convolutions of this network have no bias of their own."""
    fit(bitfit(model, norms=True), task.train, task.val, **settings, **options)


WAYS = {  # each trains the model with one public method, in the call that the notebook shows
    SCRATCH: _fine_tune,
    SMALL: _small,
    SMALL_LONGER: partial(_small, times=LONGER),
    PROBE: _probe,
    "frozen to layer3": partial(_fine_tune, frozen_upto="layer3"),
    "frozen to layer2": partial(_fine_tune, frozen_upto="layer2"),
    "frozen to layer1": partial(_fine_tune, frozen_upto="layer1"),
    FULL: _fine_tune,
    GRADUAL: _gradual,
    LP_FT: _lp_ft,
    L2_SP: _l2_sp,
    LORA: _lora,
    NORMS: _norms,
}
METHODS = tuple(WAYS)
FROM_SCRATCH = (SCRATCH, SMALL, SMALL_LONGER)
# Of three learning rates (of the head, where they differ by stage) each way has the one with the lowest log loss on
# images of scanner D of the seeds 0 and 1, which are not reported (benchmarks/strategies.py, "tune").
RATES = {
    SCRATCH: 3e-4,
    SMALL: 1e-3,
    SMALL_LONGER: 3e-3,
    PROBE: 3e-3,
    "frozen to layer3": 3e-4,
    "frozen to layer2": 3e-4,
    "frozen to layer1": 3e-4,
    FULL: 1e-4,
    GRADUAL: 3e-4,
    LP_FT: 3e-4,
    L2_SP: 3e-4,
    LORA: 3e-3,
    NORMS: 1e-2,
}
# The two sides of the primary comparison have a second setting, one of three values for each n, chosen likewise.
SECOND = {
    SMALL: ("weight_decay", {10: 0.0, 100: 0.1}),
    SMALL_LONGER: ("weight_decay", {10: 1.0, 100: 0.1}),
    L2_SP: ("lam", {10: 0.1, 100: 0.01}),
}


def settings_for(method: str, n: int) -> dict[str, float]:
    """The chosen settings with ``n`` labels per class; a second one is that of the largest tuned n that is not larger.

    Raises ValueError for a method that is none of ``METHODS``.
    """
    if method not in WAYS:
        raise ValueError(f"There is no way to train called {method!r}: choose one of {', '.join(METHODS)}.")
    settings = {"lr": RATES[method]}
    if method in SECOND:
        name, chosen = SECOND[method]
        settings[name] = chosen[max((tuned for tuned in chosen if tuned <= n), default=min(chosen))]
    return settings


def train_one(method: str, task: Task, seed: int, *, weights="embedded", **settings):
    """A network that was trained on ``task`` in one of ``METHODS``; validation images choose the epoch.

    ``weights`` ("embedded", "random" or a file) are those of the pre-trained ways, and ``settings`` replace those of
    ``settings_for``, which raises ValueError for another method.
    """
    settings = settings_for(method, len(task.train.y) // len(task.classes)) | settings
    seed_everything(seed)
    if method in (SMALL, SMALL_LONGER):
        model = CourseCNN(3, len(task.classes))
    else:
        start = "random" if method == SCRATCH else weights
        model = load_backbone("resnet", len(task.classes), weights=start, quiet=True)
    options = {"epochs": epochs_for(len(task.train.y)), "batch_size": BATCH, "seed": seed}
    WAYS[method](model, task, settings, options | {"augment": augment, "progress": False})
    return model


def epochs_for(n: int) -> int:
    """The number of epochs that comes nearest to ``STEPS`` steps for ``n`` images; it is never below six.

    Gradual unfreezing has six phases: with fewer epochs it would take more steps than the other ways.
    """
    return max(6, round(STEPS / -(-n // BATCH)))


def tasks(n: int, seed: int) -> tuple[Task, Split]:
    """The task with ``n`` labels per class on scanner D, and a test set of the same cells on scanner ``SHIFTED``.

    All images vary with the seed, those of the two test sets, too.
    """
    own, shifted = (
        held_out_task(TESTS, FAR + seed, size=SIZE, scanner=scanner, val=1, test=1).train for scanner in (HOME, SHIFTED)
    )
    return replace(held_out_task(n, seed, size=SIZE, test=1), test=own), shifted


def three_scores(y, probability) -> dict[str, float]:
    """Accuracy (of classes that are equally frequent), log loss in nats, and macro AUROC, one against the rest."""
    probability = np.asarray(probability, float)
    probability = probability / probability.sum(1, keepdims=True)  # of float32 they add up to almost 1
    return {
        "accuracy": accuracy_score(y, probability.argmax(1)),
        "log loss": log_loss(y, probability, labels=range(probability.shape[1])),
        "AUROC": roc_auc_score(y, probability, multi_class="ovr", average="macro"),
    }


def cell(method: str, task: Task, shifted: Split, seed: int, **options) -> dict[str, dict[str, float]]:
    """One cell of the grid: the scores on scanner D, on scanner B, and on scanner B with its colours matched to D's.

    The last is the cheapest repair of a device shift. It needs images of the new scanner and no label.
    """
    tests = {HOME: task.test, SHIFTED: shifted, REPAIRED: shifted}
    if method == PRIOR:
        shares = torch.bincount(task.train.y) / len(task.train.y)
        return {scanner: three_scores(test.y, shares.repeat(len(test.y), 1)) for scanner, test in tests.items()}
    model = train_one(method, task, seed, **options)
    matched = nn.Sequential(match_pixels(task.train.x, shifted.x, covariance=True), model)
    models = {HOME: model, SHIFTED: model, REPAIRED: matched}
    return {scanner: three_scores(test.y, predict(models[scanner], test.x)) for scanner, test in tests.items()}


def written_down(record, ours: str, theirs: str, *, scanner: str = HOME, n: int = 10):
    """A secondary comparison of the ``record``: its ``Interval``, and its p-value against the margin, after Holm.

    Where one side has fewer seeds, which are then the first ones, the comparison has these.

    Raises KeyError for a comparison that was not written down before its seeds ran.
    """
    wanted = {"ours": ours, "theirs": theirs, "scanner": scanner, "n": n}
    rows = record.about["secondary"] + record.about.get("few weights", [])
    found = [row for row in rows if wanted.items() <= row.items()]
    if not found:
        raise KeyError(f"{ours} against {theirs} on scanner {scanner} with n = {n} was not written down beforehand.")
    pairs = zip(*(record.scores(way, scanner=scanner, n=n) for way in (ours, theirs)), strict=False)
    return paired_difference(*np.array(list(pairs)).T), found[0]["p"]


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
