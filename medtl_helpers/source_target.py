"""The experiment of notebook 04: a source with many labels, a target with few, and each way to use the two.

What each way may see of the target:

===================  ==================================================
way                  of the target
===================  ==================================================
``SOURCE_ONLY``      nothing
``AUGMENTED``        nothing
``ADABN``, ``BOTH``  training images, no label
``TARGET_ONLY``      a few labelled images, and some to choose the epoch
``FINE_TUNED``       the same
``JOINT``            the same
===================  ==================================================

The target's test images choose nothing. Learning rates and epochs are usual values, and the same for every target.
"""

import copy
import math

import torch
import torch.nn.functional as F
from sklearn.metrics import balanced_accuracy_score
from torch import Tensor, nn

from .dann import adapt_batch_norm, proxy_a_distance
from .devices import device, seed_everything
from .domains import Domain, smear_domains
from .nets import CourseCNN
from .phantoms import draw, to_bytes
from .scanners import SCANNERS
from .tasks import Split, few_shot, load
from .train import fit, predict, to_float
from .transferability import log_me

SOURCE_ONLY, AUGMENTED, ADABN, BOTH = "source only", "augmented", "AdaBN", "augmented + AdaBN"
TARGET_ONLY, FINE_TUNED, JOINT = "target only", "fine-tuned", "joint"
WAYS = {  # way -> what it sees of the target
    SOURCE_ONLY: "nothing",
    AUGMENTED: "nothing",
    ADABN: "images",
    BOTH: "images",
    TARGET_ONLY: "few labels",
    FINE_TUNED: "few labels",
    JOINT: "few labels",
}
EPOCHS, BATCH, RATE = 9, 32, 3e-3  # of the ways that see the source
FEW_STEPS, FEW_BATCH, TUNE_RATE = 100, 16, 1e-3  # of those that see few labels alone


def balanced_accuracy(model: nn.Module, split: Split) -> float:
    """Mean over classes of the share of right answers."""
    return float(balanced_accuracy_score(split.y, predict(model, split.x).argmax(1)))


# --- the two pairs of domains (that of smears is in domains.py) ------------------------------------------------------


def chest_domains(seed: int, *, scanner: str = "B", strength: float = 1.0, n: int = 400) -> tuple[Domain, Domain]:
    """Chest X-rays of ``pneumonia`` at two hospitals: (source, target), uint8 N×1×28×28; the target's device simulated.

    Training and validation images of the two are different ones; the test shows the same images on both devices, so
    that nothing but the device differs. ``n`` training images and 100 for validation in each, as many sick as healthy.
    """
    task = load("pneumonia", quiet=True)
    device = SCANNERS[scanner]
    parts = {"source": [], "target": []}
    for stream, (split, count) in enumerate((("train", n), ("val", 100))):
        x, y = getattr(task, split)
        order = torch.randperm(len(y), generator=torch.Generator().manual_seed(10 * seed + stream))
        of_class = [order[y[order] == k] for k in (0, 1)]
        here, there = (
            torch.cat([rows[at] for rows in of_class]) for at in (slice(count // 2), slice(count // 2, count))
        )
        parts["source"].append(Split(x[here], y[here]))
        parts["target"].append(Split(device(x[there], strength, seed=10 * seed + stream), y[there]))
    parts["source"].append(task.test)
    parts["target"].append(Split(device(task.test.x, strength, seed=10 * seed + 5), task.test.y))
    names = {"source": "X-rays, source", "target": f"X-rays, scanner {scanner} {strength:g}"}
    return tuple(Domain(names[k], *parts[k], task.classes, task.provenance) for k in ("source", "target"))


PAIRS = {  # name -> the pair of domains for a seed, and the labels per class that the target gives
    "blood cells": (lambda seed: smear_domains("scanner D", seed, n=400), 3),
    "X-rays": (lambda seed: chest_domains(seed, scanner="B"), 10),
}


# --- augmentation ----------------------------------------------------------------------------------------------------


def wide_augment(degrees: float = 15, flip: bool = True, zoom: float = 0.15, tone: float = 0.3):
    """``augment(x, generator)`` for ``fit``: each image flipped, turned, cropped, and its stain and tones jittered.

    Parameters
    ----------
    degrees: each image turns by up to so many. flip: mirror left and right, one time in two.
    zoom: crops of up to this share of the side are enlarged, at a random place.
    tone: standard deviation of the log of the tone curve's exponent and, thirded, of what mixes the channels.
    """

    def change(x: Tensor, generator: torch.Generator) -> Tensor:
        n, channels = x.shape[:2]

        def uniform(*shape):
            return 2 * torch.rand(*shape, generator=generator) - 1

        angle, scale = uniform(n) * math.radians(degrees), 1 - zoom * torch.rand(n, generator=generator)
        mirror = torch.where(uniform(n) < 0, -1.0, 1.0) if flip else torch.ones(n)
        right, down = uniform(2, n) * (1 - scale)
        cos, sin = angle.cos() * scale, angle.sin() * scale
        rows = torch.stack([cos * mirror, -sin, right, sin * mirror, cos, down], 1)
        grid = F.affine_grid(rows.view(n, 2, 3).to(x.device), list(x.shape), align_corners=False)
        image = F.grid_sample(x.float() / 255, grid, padding_mode="border", align_corners=False)
        mix = torch.eye(channels) + tone / 3 * torch.randn(n, channels, channels, generator=generator)
        image = torch.einsum("ndc,nchw->ndhw", mix.to(x.device), image).clamp_(1e-3, 1)
        gamma = (tone * torch.randn(n, 1, 1, 1, generator=generator)).exp()
        return to_bytes(image.pow(gamma.to(x.device)))

    return change


AUGMENT = {1: wide_augment(degrees=10, flip=False), 3: wide_augment(degrees=180)}  # by channels: chests, cells


# --- the ways --------------------------------------------------------------------------------------------------------


def new_network(domain: Domain, seed: int) -> CourseCNN:
    seed_everything(seed)
    return CourseCNN(domain.train.x.shape[1], len(domain.classes), width=8, norm="batch")


def epochs_for(steps: int, n: int) -> int:
    """As many epochs over ``n`` images, in batches of ``FEW_BATCH``, as come nearest to ``steps``."""
    return max(1, round(steps / -(-n // FEW_BATCH)))


def falling(progress: float) -> float:
    """The factor of the learning rate where the source trains: from 1 straight to 0."""
    return 1 - progress


def train_source(source: Domain, seed: int, augment=None) -> CourseCNN:
    """On the source's labels; its validation images choose the epoch."""
    model = new_network(source, seed)
    fit(model, source.train, source.val, epochs=EPOCHS, batch_size=BATCH, lr=RATE, schedule=falling, augment=augment,
        seed=seed, progress=False)  # fmt: skip
    return model


def train_few(few: Domain, seed: int) -> CourseCNN:
    """From scratch on the few target labels; ``few.val`` chooses the epoch."""
    model = new_network(few, seed)
    fit(model, few.train, few.val, epochs=epochs_for(FEW_STEPS, len(few.train.y)), batch_size=FEW_BATCH, lr=RATE,
        seed=seed, progress=False)  # fmt: skip
    return model


def fine_tune(model: CourseCNN, few: Domain, seed: int) -> CourseCNN:
    """A copy of the source's ``model``, trained on with the few target labels, at a lower rate.

    Another number of classes in ``few`` gives the copy a new head.
    """
    model = copy.deepcopy(model)
    if model.head.out_features != len(few.classes):
        seed_everything(seed)
        model.head = nn.Linear(model.width, len(few.classes))
    fit(model, few.train, few.val, epochs=epochs_for(FEW_STEPS, len(few.train.y)), batch_size=FEW_BATCH, lr=TUNE_RATE,
        seed=seed, progress=False)  # fmt: skip
    return model


def train_joint(source: Domain, few: Domain, seed: int) -> CourseCNN:
    """From scratch on both: the few target images are repeated until they are a third of an epoch."""
    model = new_network(source, seed)
    times = max(1, round(len(source.train.y) / 2 / len(few.train.y)))
    both = Split(torch.cat([source.train.x, few.train.x.repeat(times, 1, 1, 1)]),
                 torch.cat([source.train.y, few.train.y.repeat(times)]))  # fmt: skip
    fit(model, both, few.val, epochs=EPOCHS, batch_size=BATCH, lr=RATE, schedule=falling, seed=seed,
        progress=False)  # fmt: skip
    return model


def adapted(model: CourseCNN, images: Tensor) -> CourseCNN:
    """A copy of ``model`` with the batch-norm statistics of ``images``: AdaBN."""
    return adapt_batch_norm(copy.deepcopy(model), images)


def all_ways(source: Domain, target: Domain, seed: int, *, n: int = 10) -> dict[str, CourseCNN]:
    """A network for each of ``WAYS``. Where it sees target labels: ``n`` per class, and as many for validation."""
    few = few_shot(target, n, seed=seed, val=n)
    plain, wide = train_source(source, seed), train_source(source, seed, AUGMENT[source.train.x.shape[1]])
    return {
        SOURCE_ONLY: plain,
        AUGMENTED: wide,
        ADABN: adapted(plain, target.train.x),
        BOTH: adapted(wide, target.train.x),
        TARGET_ONLY: train_few(few, seed),
        FINE_TUNED: fine_tune(plain, few, seed),
        JOINT: train_joint(source, few, seed),
    }


# --- how far the target is, and which source to take -----------------------------------------------------------------

STRENGTHS = (0.0, 0.3, 0.6, 1.0)
KIN = "cells, own stain"  # the candidate of the target's kind; the others are "chest" and "texture"
SHIFT_WAYS = (SOURCE_ONLY, ADABN, TARGET_ONLY, FINE_TUNED)


def sweep_shift(model: CourseCNN, shift: str, seed: int, *, n: int) -> dict[str, list[float]]:
    """Balanced test accuracy at each of ``STRENGTHS``, for each of ``SHIFT_WAYS``; ``model`` is the source's."""
    scores = {way: [] for way in SHIFT_WAYS}
    for strength in STRENGTHS:
        _, target = smear_domains(shift, seed, strength=strength, n=400)
        few = few_shot(target, n, seed=seed, val=n)
        models = (model, adapted(model, target.train.x), train_few(few, seed), fine_tune(model, few, seed))
        for way, trained in zip(SHIFT_WAYS, models, strict=True):
            scores[way].append(balanced_accuracy(trained, target.test))
    return scores


def candidate(kind: str, seed: int, *, n: int = 400) -> Domain:
    """A source of another kind, RGB: ``"chest"`` (2 classes) or ``"texture"`` (8 classes), drawn by code."""
    classes = {"chest": 2, "texture": 8}[kind]
    parts = []
    for stream, count in enumerate((n, 200, 200)):
        y = torch.randint(classes, (count,), generator=torch.Generator().manual_seed(70_000 + 10 * seed + stream))
        parts.append(Split(draw(kind, y, 28, channels=3, seed=70_000 + 10 * seed + stream), y))
    return Domain(kind, *parts, tuple(f"{kind} {k}" for k in range(classes)), "twin")


def features(model: CourseCNN, x: Tensor) -> Tensor:
    """N×D features of ``model`` in eval mode, on the CPU."""
    model.to(device()).eval()
    with torch.inference_mode():
        return torch.cat([model.features(to_float(part.to(device()))).cpu() for part in x.split(256)])


def rank_sources(candidates: dict[str, tuple[Domain, CourseCNN]], target: Domain, seed: int, *, n: int) -> list[dict]:
    """For each candidate (its data and its network): the scores before any training, and the gain really obtained.

    ``LogME`` reads the ``n`` labelled target images per class, ``proxy A-distance`` 200 unlabelled ones and as many of
    the source, both in the features of the candidate. ``gain`` is the balanced test accuracy of the fine-tuned
    network minus that of the same few labels from scratch.
    """
    few = few_shot(target, n, seed=seed, val=n)
    scratch = balanced_accuracy(train_few(few, seed), target.test)
    rows = []
    for name, (data, model) in candidates.items():
        ours, theirs = features(model, data.train.x[:200]), features(model, target.train.x[:200])
        rows.append({
            "source": name,
            "seed": seed,
            "LogME": log_me(features(model, few.train.x), few.train.y),
            "proxy A-distance": proxy_a_distance(ours, theirs),
            "gain": balanced_accuracy(fine_tune(model, few, seed), target.test) - scratch,
        })  # fmt: skip
    return rows
