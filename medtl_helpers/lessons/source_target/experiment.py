"""The experiment of notebook 04: a source with many labels, a target with few or none, and each way to use the two.

Six subjects stand one below the other: the network of the tutorials as found, the three pairs of domains, the ways,
what was compared, the choice of a source, and phantoms as a source for real cells. What each way may see of the target:

=============================================  ===================================================
way                                            of the target
=============================================  ===================================================
``MAJORITY``, ``SOURCE_ONLY``, ``AUGMENTED``   nothing
``THRESHOLD``, ``PIXELS``, ``COVARIANCE``,        training images, no label
``ADABN``, ``BOTH``
``TARGET_ONLY``, ``LONGER``, ``FINE_TUNED``,   a few labelled images, and some to choose the epoch
``JOINT``
=============================================  ===================================================

The target's test images choose nothing. Each trained way has as many steps as the others of its kind, but ``LONGER``
has four times as many. The rate of each, one of three, was chosen on validation images of seeds that are not reported
(``benchmarks/source_target.py``).
"""

import copy
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from scipy.stats import norm, t
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from ...data.domains import chest_domains, smear_domains, white_cell_domains
from ...data.phantoms import draw
from ...data.tasks import Split, Task, few_shot
from ...devices import device, seed_everything
from ...methods.adabn import adapt_batch_norm
from ...methods.augment import wide_augment
from ...methods.intervals import Interval, corrected_t, holm
from ...methods.matching import match_pixels
from ...methods.nets import CourseCNN, StagedNet
from ...methods.predict import predict, to_float
from ...methods.threshold import reset_threshold
from ...methods.train import fit
from ...methods.transferability import log_me, proxy_a_distance
from ...methods.weights import load_backbone
from ...teaching.records import Record

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


# --- the three pairs of domains ---------------------------------------------------------------------------------------

CELLS, CHESTS, WHITE = "blood cells", "X-rays", "white cells"
SHIFT = "scanner D"  # of the laboratory that the cells of the target come from
SOURCE_ONLY, AUGMENTED, ADABN, BOTH = "source only", "augmented", "AdaBN", "augmented + AdaBN"
THRESHOLD, PIXELS, COVARIANCE, MAJORITY = "threshold re-set", "pixel matching", "colour matching", "majority"
TARGET_ONLY, LONGER, FINE_TUNED, JOINT = "target only", "target only, 4 × as long", "fine-tuned", "joint"
OF_PAIR = {  # what ``all_ways`` needs to know: labels per class, the augmentation, and the learning rates
    CELLS: {
        "labels": 3,
        "augment": wide_augment(degrees=180),
        "rates": {SOURCE_ONLY: 1e-2, AUGMENTED: 1e-2, JOINT: 1e-2, TARGET_ONLY: 1e-2, LONGER: 1e-2, FINE_TUNED: 1e-3},
    },
    CHESTS: {
        "labels": 10,
        "augment": wide_augment(degrees=10, flip=False),  # the heart stays on its side
        "rates": {SOURCE_ONLY: 1e-2, AUGMENTED: 1e-2, JOINT: 1e-2, TARGET_ONLY: 1e-2, LONGER: 1e-2, FINE_TUNED: 3e-3},
    },
    WHITE: {
        "labels": 3,
        "augment": wide_augment(degrees=180),
        "rates": {SOURCE_ONLY: 3e-3, AUGMENTED: 1e-2, JOINT: 1e-2, TARGET_ONLY: 3e-3, LONGER: 3e-3, FINE_TUNED: 3e-3},
    },
}


def two_domains(pair: str, seed: int, *, strength: float = 1.0, fold: int = 0) -> tuple[Task, Task]:
    """The source and the target of ``CELLS`` or ``CHESTS`` (400 training images each), or of ``WHITE``.

    The source of ``WHITE`` shows its rarer classes more than once, so that all are equally frequent in training and in
    validation; its target is as the laboratory has it. ``fold`` says which third of that is tested.
    """
    if pair == CELLS:
        return smear_domains(SHIFT, seed, strength=strength, n=400)
    if pair == CHESTS:
        return chest_domains(seed, scanner="B", strength=strength)
    source, target = white_cell_domains(seed, fold=fold)
    return replace(source, train=evened(source.train), val=evened(source.val)), target


def evened(split: Split) -> Split:
    """The images of ``split``, those of rarer classes more than once: each class as often as the most frequent one."""
    counts = split.y.bincount()
    most = int(counts.max())
    rows = [(split.y == k).nonzero().flatten() for k in range(len(counts)) if counts[k]]
    at = torch.cat([of_class.repeat(-(-most // len(of_class)))[:most] for of_class in rows])
    return Split(split.x[at], split.y[at])


# --- the ways ---------------------------------------------------------------------------------------------------------

WAYS = {  # way -> what it sees of the target
    MAJORITY: "nothing",
    SOURCE_ONLY: "nothing",
    AUGMENTED: "nothing",
    THRESHOLD: "images",
    PIXELS: "images",
    COVARIANCE: "images",
    ADABN: "images",
    BOTH: "images",
    TARGET_ONLY: "few labels",
    LONGER: "few labels",
    FINE_TUNED: "few labels",
    JOINT: "few labels",
}
STEPS, BATCH = 400, 32  # of the ways that see the source
FEW_STEPS, FEW_BATCH = 200, 16  # of those that see few labels alone
TIMES = 4  # as many steps has ``LONGER``


class SameAnswer(nn.Module):
    """The answer that is best without looking at an image: the frequency of each class in ``y``."""

    shares: Tensor

    def __init__(self, y: Tensor, classes: int):
        super().__init__()
        self.register_buffer("shares", y.bincount(minlength=classes) / len(y))

    def forward(self, x: Tensor) -> Tensor:
        return self.shares.log().expand(len(x), -1)


def all_ways(
    source: Task, target: Task, seed: int, *, labels: int, augment: Callable, rates: dict
) -> dict[str, nn.Module]:
    """A network for each of ``WAYS`` that these domains allow.

    ``THRESHOLD`` needs two classes, and ``COVARIANCE`` needs colours.

    Parameters
    ----------
    labels: of the target, per class, for the ways that see some; as many more choose their epoch.
    augment: what changes the source's images in ``AUGMENTED`` and ``BOTH``.
    rates: the learning rate of each trained way.
    """
    at_home = from_source(source, seed, augment=augment, rates=rates)
    return at_home | at_target(at_home, source, target, seed, labels=labels, rates=rates)


def from_source(source: Task, seed: int, *, augment: Callable, rates: dict) -> dict[str, nn.Module]:
    """The ways that see nothing of the target."""
    return {
        MAJORITY: SameAnswer(source.train.y, len(source.classes)),
        SOURCE_ONLY: trained_on_source(source, seed, rates[SOURCE_ONLY]),
        AUGMENTED: trained_on_source(source, seed, rates[AUGMENTED], augment),
    }


def at_target(
    at_home: dict[str, nn.Module], source: Task, target: Task, seed: int, *, labels: int, rates: dict
) -> dict[str, nn.Module]:
    """The ways that see something of the target; those of ``from_source`` are ``at_home``, and stay as they are."""
    plain, images = at_home[SOURCE_ONLY], target.train.x
    ways: dict[str, nn.Module] = {}
    if len(source.classes) == 2:
        ways[THRESHOLD] = reset_threshold(plain, images, source.train.y.float().mean().item())
    ways[PIXELS] = nn.Sequential(match_pixels(source.train.x, images), plain)
    if images.shape[1] == 3:
        ways[COVARIANCE] = nn.Sequential(match_pixels(source.train.x, images, covariance=True), plain)
    few = few_shot(target, labels, seed=seed, val=labels)
    return ways | {
        ADABN: with_statistics_of(images, plain),
        BOTH: with_statistics_of(images, at_home[AUGMENTED]),
        TARGET_ONLY: trained_on_few(few, seed, rates[TARGET_ONLY]),
        LONGER: trained_on_few(few, seed, rates[LONGER], times=TIMES),
        FINE_TUNED: go_on_from(plain, few, seed, rates[FINE_TUNED]),
        JOINT: trained_on_both(source, few, seed, rates[JOINT]),
    }


def balanced_share(y, probability) -> float:
    """Balanced accuracy of N×K answers: the mean over the classes of the share that is answered rightly."""
    right = np.asarray(probability).argmax(1) == y
    counts = np.bincount(y)
    return float((np.bincount(y, right) / counts.clip(1)).sum() / (counts > 0).sum())


def mean_auroc(y, probability) -> float:
    """Mean over the K classes of the area under the ROC curve of one class against the others, from N×K answers."""
    found = []
    classes = probability.shape[1]
    for k in range(1 if classes == 2 else 0, classes):  # of two classes, both curves have one area
        ours, others = probability[y == k, k], np.sort(probability[y != k, k])
        below, or_equal = (np.searchsorted(others, ours, side=side).mean() for side in ("left", "right"))
        found.append((below + or_equal) / 2 / len(others))
    return sum(found) / len(found)


def mean_log_loss(y, probability) -> float:
    """Mean of −ln of the probability that N×K answers give to the true class (nats)."""
    return float(-np.log(np.asarray(probability)[np.arange(len(y)), y].clip(1e-7)).mean())


SCORES: dict[str, Callable] = {"balanced accuracy": balanced_share, "AUROC": mean_auroc, "log loss": mean_log_loss}


def scores_of(y, probability) -> dict[str, float]:
    """Each of ``SCORES`` for N×K answers."""
    y, probability = np.asarray(y), np.asarray(probability, float)
    return {name: score(y, probability) for name, score in SCORES.items()}


def trained_on_source(source: Task, seed: int, rate: float, augment: Callable | None = None) -> CourseCNN:
    """A network trained on the source's labels; its validation images choose the epoch."""
    model = new_network(source, seed)
    _fit_long(model, source.train, source.val, seed, rate, augment)
    return model


def with_statistics_of(images: Tensor, model: nn.Module) -> nn.Module:
    """A copy of ``model`` with the batch-norm statistics of ``images``: AdaBN."""
    return adapt_batch_norm(copy.deepcopy(model), images)


def trained_on_few(few: Task, seed: int, rate: float, *, times: int = 1) -> CourseCNN:
    """A network trained from scratch on the few target labels in ``times`` the steps; ``few.val`` chooses the epoch."""
    model = new_network(few, seed)
    _fit_short(model, few, seed, rate, times)
    return model


def go_on_from(model: CourseCNN, few: Task, seed: int, rate: float) -> CourseCNN:
    """A copy of the source's ``model``, trained on with the few target labels.

    Another number of classes in ``few`` gives the copy a new head.
    """
    model = copy.deepcopy(model)
    if model.head.out_features != len(few.classes):
        seed_everything(seed)
        model.head = nn.Linear(model.width, len(few.classes))
    _fit_short(model, few, seed, rate)
    return model


def trained_on_both(source: Task, few: Task, seed: int, rate: float) -> CourseCNN:
    """From scratch on both domains: the few target images are repeated until they are a third of an epoch."""
    model = new_network(source, seed)
    times = max(1, round(len(source.train.y) / 2 / len(few.train.y)))
    both = Split(
        torch.cat([source.train.x, few.train.x.repeat(times, 1, 1, 1)]),
        torch.cat([source.train.y, few.train.y.repeat(times)]),
    )
    _fit_long(model, both, few.val, seed, rate)
    return model


def new_network(domain: Task, seed: int) -> CourseCNN:
    """An untrained network with batch norm for the images and classes of ``domain``."""
    seed_everything(seed)
    return CourseCNN(domain.train.x.shape[1], len(domain.classes), width=8, norm="batch")


def _fit_long(model: CourseCNN, train: Split, val: Split, seed: int, rate: float, augment=None) -> None:
    """Train on many images in about ``STEPS`` steps, with a learning rate that falls in a straight line to 0."""
    options = {"epochs": _epochs(STEPS, train, BATCH), "batch_size": BATCH, "schedule": lambda done: 1 - done}
    fit(model, train, val, lr=rate, augment=augment, seed=seed, progress=False, **options)


def _fit_short(model: CourseCNN, few: Task, seed: int, rate: float, times: int = 1) -> None:
    """Train on few images in about ``times`` · ``FEW_STEPS`` steps."""
    epochs = _epochs(times * FEW_STEPS, few.train, FEW_BATCH)
    fit(model, few.train, few.val, epochs=epochs, batch_size=FEW_BATCH, lr=rate, seed=seed, progress=False)


def _epochs(steps: int, train: Split, batch: int) -> int:
    return max(1, round(steps / -(-len(train.y) // batch)))


# --- what was compared, and what is settled ---------------------------------------------------------------------------

SECONDARY = {  # named before the reported seeds ran: (ours, theirs, score, pair, data); corrected together
    "threshold re-set minus source only, X-rays": (THRESHOLD, SOURCE_ONLY, "balanced accuracy", CHESTS, "real"),
    "pixel matching minus source only, X-rays": (PIXELS, SOURCE_ONLY, "AUROC", CHESTS, "real"),
    "AdaBN minus pixel matching, X-rays": (ADABN, PIXELS, "AUROC", CHESTS, "real"),
    "augmented minus AdaBN, X-rays": (AUGMENTED, ADABN, "AUROC", CHESTS, "real"),
    "AdaBN minus target only, X-rays": (ADABN, TARGET_ONLY, "balanced accuracy", CHESTS, "real"),
    "fine-tuned minus target only, X-rays": (FINE_TUNED, TARGET_ONLY, "balanced accuracy", CHESTS, "real"),
    "augmented minus source only, white cells": (AUGMENTED, SOURCE_ONLY, "AUROC", WHITE, "real"),
    "AdaBN minus source only, white cells": (ADABN, SOURCE_ONLY, "AUROC", WHITE, "real"),
    "pixel matching minus source only, white cells": (PIXELS, SOURCE_ONLY, "AUROC", WHITE, "real"),
    "colour matching minus source only, white cells": (COVARIANCE, SOURCE_ONLY, "AUROC", WHITE, "real"),
    "augmented minus target only, white cells": (AUGMENTED, TARGET_ONLY, "balanced accuracy", WHITE, "real"),
    "AdaBN minus augmented, blood cells": (ADABN, AUGMENTED, "balanced accuracy", CELLS, "twin"),
    "AdaBN minus colour matching, blood cells": (ADABN, COVARIANCE, "balanced accuracy", CELLS, "twin"),
    "colour matching minus pixel matching, blood cells": (COVARIANCE, PIXELS, "balanced accuracy", CELLS, "twin"),
    "fine-tuned minus target only, blood cells": (FINE_TUNED, TARGET_ONLY, "balanced accuracy", CELLS, "twin"),
}


def difference(record: Record, ours: str, theirs: str, score: str, pair: str, data: str) -> Interval:
    """Ours minus theirs: over seeds with new blood cells each, or over seeds and the test cases that are given once."""
    of = record.paired if pair == CELLS else record.over_cases
    return of(ours, theirs, score, part="ways", pair=pair, data=data)


def level(record: Record, way: str, score: str, pair: str, data: str) -> Interval:
    """The score of one way, with its interval as in ``difference``."""
    where = {"part": "ways", "pair": pair, "data": data}
    return record.mean(way, score, **where) if pair == CELLS else record.over_cases(way, None, score, **where)


def compared(record: Record) -> dict[str, tuple[Interval, float]]:
    """Each of ``SECONDARY`` with its interval and its p-value, which is adjusted for all of them (Holm)."""
    return corrected({name: difference(record, *about) for name, about in SECONDARY.items()})


def corrected(intervals: dict[str, Interval]) -> dict[str, tuple[Interval, float]]:
    """Each interval with its p-value, which is adjusted for all of them (Holm)."""
    adjusted = holm([*map(p_value, intervals.values())])
    return {name: (interval, p) for (name, interval), p in zip(intervals.items(), adjusted, strict=True)}


def settled(found: dict[str, tuple[Interval, float]], *names: str) -> bool:
    """Whether each of the named comparisons is above 0, by its interval and after the correction for all of them."""
    return all(found[name][0].low > 0 and found[name][1] < 0.05 for name in names)


def with_limits(found: dict[str, tuple[Interval, float]], *names: str) -> dict[str, str]:
    """The named comparisons as figures of a check."""
    return {name: f"{found[name][0]}, p = {found[name][1]:.2g}" for name in names}


def levels(record: Record, pair: str, data: str, score: str, *ways: str) -> dict[str, Interval]:
    """The scores of some ways as figures of a check."""
    return {f"{score} of {way}": level(record, way, score, pair, data) for way in ways}


def p_value(interval: Interval) -> float:
    """Two-sided p-value of "the difference is 0", from an interval: Student's t over seeds, else the normal one."""
    of = t(interval.n - 1) if "t over" in interval.kind else norm()
    ratio = abs(interval.value) / ((interval.high - interval.low) / 2) * of.ppf((1 + interval.level) / 2)
    return float(2 * of.sf(ratio))


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


def features_of(model: StagedNet, x: Tensor) -> Tensor:
    """N×D features of ``model`` in eval mode, on the CPU."""
    model.to(device()).eval()
    with torch.inference_mode():
        return torch.cat([model.features(to_float(part.to(device()))).cpu() for part in x.split(256)])


# --- phantoms as a source for real cells ------------------------------------------------------------------------------

PRETRAINED, RANDOM, SCRATCH = "phantoms", "random", "from scratch"
FROZEN, SMALL, SMALL_LONGER = "frozen", "small network", "small network, 4 × as long"
LABELS_THERE, SIDE = 10, 64  # labels per class of the first laboratory; pixels
RESNET_STEPS = 120
RATES_THERE = {  # by way and by what it starts from
    (FINE_TUNED, PRETRAINED): 3e-4,
    (FINE_TUNED, RANDOM): 3e-4,
    (SMALL, SCRATCH): 3e-3,
    (SMALL_LONGER, SCRATCH): 1e-2,
}


def few_white_cells(seed: int) -> Task:
    """The first laboratory with ``LABELS_THERE`` labelled cells of each class, and three more to choose with."""
    source, _ = white_cell_domains(seed, size=SIDE)
    return few_shot(source, LABELS_THERE, seed=seed, val=3)


def resnet(start: str, classes: int, seed: int) -> StagedNet:
    """The small residual network with the embedded weights of phantoms, or with random ones."""
    seed_everything(seed)
    return load_backbone("resnet", classes, weights="embedded" if start == PRETRAINED else "random", quiet=True)


def read_out(network: StagedNet, few: Task) -> nn.Linear:
    """A linear head on the frozen features of ``network``; ``few.val`` chooses the penalty of the regression."""
    x, x_val = features_of(network, few.train.x), features_of(network, few.val.x)
    centre, scale = x.mean(0), x.std(0).clamp_min(1e-6)
    fits = [LogisticRegression(C=c, max_iter=2000).fit((x - centre) / scale, few.train.y) for c in (1e-3, 1e-2, 0.1, 1)]
    best = min(fits, key=lambda fit: mean_log_loss(few.val.y.numpy(), fit.predict_proba((x_val - centre) / scale)))
    head = nn.Linear(*best.coef_.shape[::-1])
    weight = torch.tensor(best.coef_, dtype=torch.float32) / scale
    with torch.no_grad():
        head.weight.copy_(weight)
        head.bias.copy_(torch.tensor(best.intercept_, dtype=torch.float32) - weight @ centre)
    return head


def frozen(start: str, few: Task, seed: int, *, adapt: Tensor | None = None) -> StagedNet:
    """Frozen features and a head that is trained on ``few``; with ``adapt`` batch norm has these images' statistics."""
    network = resnet(start, len(few.classes), seed)
    if adapt is not None:
        adapt_batch_norm(network, adapt)
    network.head = read_out(network, few)
    return network.to(device())


ROWS_THERE = (*((FROZEN, start) for start in (PRETRAINED, RANDOM)), *RATES_THERE)  # all rows without a repair
MARGIN_THERE = 0.05  # of WRITTEN_THERE, which was written down with it
WRITTEN_THERE = tuple(f"{FINE_TUNED}, {start}, none" for start in (PRETRAINED, RANDOM))
SECONDARY_THERE = {  # named before their seeds ran: (ours, theirs) in the second laboratory
    f"fine-tuned phantoms minus {theirs}": (WRITTEN_THERE[0], f"{theirs}, none")
    for theirs in (f"{SMALL}, {SCRATCH}", f"{SMALL_LONGER}, {SCRATCH}", f"{FROZEN}, {PRETRAINED}")
}
AT_HOME = "fine-tuned phantoms minus random, first laboratory"
SHARE_AT_HOME = 58 / 236  # n_test / n_train of ``corrected_t``; n_train: all cells that are not tested


def trained_there(way: str, start: str, few: Task, seed: int, rate: float) -> StagedNet:
    """The network of one of ``RATES_THERE``: all its weights are trained on ``few``, whose ``val`` chooses the epoch.

    The residual network has about ``RESNET_STEPS`` steps, the small one as many as in ``all_ways``.
    """
    if way != FINE_TUNED:
        return trained_on_few(few, seed, rate, times=TIMES if way == SMALL_LONGER else 1)
    network = resnet(start, len(few.classes), seed)
    options = {"epochs": _epochs(RESNET_STEPS, few.train, FEW_BATCH), "batch_size": FEW_BATCH, "lr": rate}
    fit(network, few.train, few.val, seed=seed, progress=False, **options)
    return network


def in_second(record: Record, way: str, start: str) -> Interval:
    """Balanced accuracy in the second laboratory, without a repair."""
    return record.over_cases(f"{way}, {start}, none", part="phantoms")


def in_first(record: Record, way: str, start: str) -> Interval:
    """Balanced accuracy in the first laboratory, whose test cells each seed draws."""
    return corrected_t(_at_home(record, way, start), SHARE_AT_HOME)


def compared_there(record: Record) -> dict[str, tuple[Interval, float]]:
    """``SECONDARY_THERE`` and ``AT_HOME`` with intervals and p-values, which are adjusted for all of them (Holm)."""
    of_home = [_at_home(record, FINE_TUNED, start) for start in (PRETRAINED, RANDOM)]
    found = {name: record.over_cases(*pair, part="phantoms") for name, pair in SECONDARY_THERE.items()}
    return corrected(found | {AT_HOME: corrected_t(of_home[0] - of_home[1], SHARE_AT_HOME)})


def _at_home(record: Record, way: str, start: str) -> np.ndarray:
    return record.scores(way, f"{record.score} at home", part="phantoms", start=start, repair="none")
