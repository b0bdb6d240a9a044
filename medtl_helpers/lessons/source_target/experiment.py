"""The experiment of notebook 04: a source with many labels, a target with few, and each way to use the two.

Five subjects stand one below the other: the network of the tutorials as found, the two pairs of domains, the seven
ways, the strength of the shift, and the choice of a source. What each way may see of the target:

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
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ...data.domains import chest_domains, smear_domains
from ...data.phantoms import draw
from ...data.tasks import Split, Task, few_shot
from ...devices import device, seed_everything
from ...methods.adabn import adapt_batch_norm
from ...methods.augment import wide_augment
from ...methods.nets import CourseCNN
from ...methods.predict import predict, to_float
from ...methods.scores import balanced_accuracy
from ...methods.train import fit
from ...methods.transferability import log_me, proxy_a_distance

# --- the network of the tutorials, as found ---------------------------------------------------------------------------


class TwoConvCNN(nn.Module):
    """The two-convolution network of many tutorials, for images of ``size`` pixels a side.

    ``softmax`` is the mistake that it is found with: its outputs are then probabilities, and a cross-entropy that
    expects logits applies the softmax a second time.
    """

    def __init__(self, channels: int, classes: int, size: int = 28, *, softmax: bool = False):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(32 * (size // 4) ** 2, 64),
            nn.ReLU(),
            nn.Linear(64, classes),
        )
        self.softmax = softmax

    def logits(self, x: Tensor) -> Tensor:
        return self.layers(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.logits(x).softmax(1) if self.softmax else self.logits(x)


def loss_floor(classes: int) -> float:
    """ln(1 + (K − 1)/e): the lowest cross-entropy that K probabilities, taken for logits, can reach (nats)."""
    return math.log(1 + (classes - 1) / math.e)


@torch.inference_mode()
def probabilities(model: nn.Module, x) -> Tensor:
    """N×K, with one softmax, whether or not ``TwoConvCNN`` has one of its own."""
    if getattr(model, "softmax", False):
        model.to(device()).eval()
        return torch.cat([model(to_float(part.to(device()))).cpu() for part in x.split(256)])
    return predict(model, x)


# --- the two pairs of domains -----------------------------------------------------------------------------------------

CELLS, CHESTS = "blood cells", "X-rays"
SHIFT = "scanner D"  # of the laboratory that the cells of the target come from
OF_PAIR = {  # what ``all_ways`` needs to know: labels per class, and the augmentation
    CELLS: {"labels": 3, "augment": wide_augment(degrees=180)},
    CHESTS: {"labels": 10, "augment": wide_augment(degrees=10, flip=False)},  # the heart stays on its side
}


def two_domains(pair: str, seed: int, *, strength: float = 1.0) -> tuple[Task, Task]:
    """The source and the target of ``CELLS`` or ``CHESTS``, with 400 training images each."""
    if pair == CELLS:
        return smear_domains(SHIFT, seed, strength=strength, n=400)
    return chest_domains(seed, scanner="B", strength=strength)


# --- the seven ways ---------------------------------------------------------------------------------------------------

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
FEW_STEPS, FEW_BATCH, LOW_RATE = 100, 16, 1e-3  # of those that see few labels alone; the low rate is for fine-tuning


def all_ways(source: Task, target: Task, seed: int, *, labels: int, augment: Callable) -> dict[str, CourseCNN]:
    """A network for each of ``WAYS``.

    Parameters
    ----------
    labels: of the target, per class, for the ways that see some; as many more choose their epoch.
    augment: what changes the source's images in ``AUGMENTED`` and ``BOTH``.
    """
    few = few_shot(target, labels, seed=seed, val=labels)
    plain, wide = trained_on_source(source, seed), trained_on_source(source, seed, augment)
    return {
        SOURCE_ONLY: plain,
        AUGMENTED: wide,
        ADABN: with_statistics_of(target.train.x, plain),
        BOTH: with_statistics_of(target.train.x, wide),
        TARGET_ONLY: trained_on_few(few, seed),
        FINE_TUNED: go_on_from(plain, few, seed),
        JOINT: trained_on_both(source, few, seed),
    }


def trained_on_source(source: Task, seed: int, augment: Callable | None = None) -> CourseCNN:
    """A network trained on the source's labels; its validation images choose the epoch."""
    model = new_network(source, seed)
    _fit_long(model, source.train, source.val, seed, augment)
    return model


def with_statistics_of(images: Tensor, model: CourseCNN) -> CourseCNN:
    """A copy of ``model`` with the batch-norm statistics of ``images``: AdaBN."""
    return adapt_batch_norm(copy.deepcopy(model), images)


def trained_on_few(few: Task, seed: int) -> CourseCNN:
    """A network trained from scratch on the few target labels; ``few.val`` chooses the epoch."""
    model = new_network(few, seed)
    _fit_short(model, few, seed, RATE)
    return model


def go_on_from(model: CourseCNN, few: Task, seed: int) -> CourseCNN:
    """A copy of the source's ``model``, trained on with the few target labels, at a lower rate.

    Another number of classes in ``few`` gives the copy a new head.
    """
    model = copy.deepcopy(model)
    if model.head.out_features != len(few.classes):
        seed_everything(seed)
        model.head = nn.Linear(model.width, len(few.classes))
    _fit_short(model, few, seed, LOW_RATE)
    return model


def trained_on_both(source: Task, few: Task, seed: int) -> CourseCNN:
    """From scratch on both domains: the few target images are repeated until they are a third of an epoch."""
    model = new_network(source, seed)
    times = max(1, round(len(source.train.y) / 2 / len(few.train.y)))
    both = Split(
        torch.cat([source.train.x, few.train.x.repeat(times, 1, 1, 1)]),
        torch.cat([source.train.y, few.train.y.repeat(times)]),
    )
    _fit_long(model, both, few.val, seed)
    return model


def new_network(domain: Task, seed: int) -> CourseCNN:
    """An untrained network with batch norm for the images and classes of ``domain``."""
    seed_everything(seed)
    return CourseCNN(domain.train.x.shape[1], len(domain.classes), width=8, norm="batch")


def _fit_long(model: CourseCNN, train: Split, val: Split, seed: int, augment: Callable | None = None) -> None:
    """Train on many images, with a learning rate that falls in a straight line to 0."""
    options = {"epochs": EPOCHS, "batch_size": BATCH, "lr": RATE, "schedule": lambda progress: 1 - progress}
    fit(model, train, val, augment=augment, seed=seed, progress=False, **options)


def _fit_short(model: CourseCNN, few: Task, seed: int, rate: float) -> None:
    """Train on few images, in as many epochs as come nearest to ``FEW_STEPS`` steps."""
    epochs = max(1, round(FEW_STEPS / -(-len(few.train.y) // FEW_BATCH)))
    fit(model, few.train, few.val, epochs=epochs, batch_size=FEW_BATCH, lr=rate, seed=seed, progress=False)


# --- how far the target is --------------------------------------------------------------------------------------------

STRENGTHS = (0.0, 0.3, 0.6, 1.0)
SHIFT_WAYS = (SOURCE_ONLY, ADABN, TARGET_ONLY, FINE_TUNED)


def scores_by_strength(model: CourseCNN, seed: int, *, labels: int) -> dict[str, list[float]]:
    """Balanced test accuracy on cells at each of ``STRENGTHS``, by way; ``model`` was trained on their source."""
    scores = {way: [] for way in SHIFT_WAYS}
    for strength in STRENGTHS:
        _, target = two_domains(CELLS, seed, strength=strength)
        few = few_shot(target, labels, seed=seed, val=labels)
        models = {
            SOURCE_ONLY: model,
            ADABN: with_statistics_of(target.train.x, model),
            TARGET_ONLY: trained_on_few(few, seed),
            FINE_TUNED: go_on_from(model, few, seed),
        }
        for way, trained in models.items():
            scores[way].append(balanced_accuracy(trained, target.test))
    return scores


# --- which source to take ---------------------------------------------------------------------------------------------

KIN = "cells, own stain"  # the candidate of the target's kind
OTHERS = ("chest", "texture")  # the candidates that are of other kinds


def drawn_source(kind: str, seed: int, *, n: int = 400) -> Task:
    """A source of another kind, RGB: ``"chest"`` (2 classes) or ``"texture"`` (8 classes), drawn by code."""
    classes = {"chest": 2, "texture": 8}[kind]
    parts = []
    for stream, count in enumerate((n, 200, 200)):
        y = torch.randint(classes, (count,), generator=torch.Generator().manual_seed(70_000 + 10 * seed + stream))
        parts.append(Split(draw(kind, y, 28, channels=3, seed=70_000 + 10 * seed + stream), y))
    return Task(kind, *parts, tuple(f"{kind} {k}" for k in range(classes)), provenance="twin")


def scores_beforehand(model: CourseCNN, source: Task, target: Task, few: Task) -> dict[str, float]:
    """Two scores of a ``source`` and the ``model`` trained on it, before any training on the target.

    ``LogME`` reads the labelled images of ``few``, ``proxy A-distance`` 200 unlabelled images of the ``target`` and as
    many of the source, both in the features of ``model``.
    """
    here, there = features_of(model, source.train.x[:200]), features_of(model, target.train.x[:200])
    return {
        "LogME": log_me(features_of(model, few.train.x), few.train.y),
        "proxy A-distance": proxy_a_distance(here, there),
    }


def features_of(model: CourseCNN, x: Tensor) -> Tensor:
    """N×D features of ``model`` in eval mode, on the CPU."""
    model.to(device()).eval()
    with torch.inference_mode():
        return torch.cat([model.features(to_float(part.to(device()))).cpu() for part in x.split(256)])
