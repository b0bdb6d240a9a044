"""What lesson 12 and its benchmark share: every way to carry outlines from one modality to another.

A *training* is how a network learns at home, a *way* is a training and what is done for the other modality without one
of its labels: another form of its images, or its own statistics in batch norm (AdaBN).
"""

import copy
from collections.abc import Callable
from math import inf

import numpy as np
import torch
from torch import Tensor

from ...data.abdomen import draw_abdomen
from ...data.abdomen_anatomy import ABDOMEN_CLASSES
from ...data.tasks import Split
from ...devices import seed_everything
from ...methods.adabn import adapt_batch_norm
from ...methods.augment import wide_augment
from ...methods.freezing import freeze
from ...methods.intervals import Interval, holm
from ...methods.margins import BesideMargin, p_beyond
from ...methods.mask_scores import dice
from ...methods.mask_training import fit_masks, predict_masks
from ...methods.mask_weights import load_nuclei_unet
from ...methods.otsu import grey_values, otsu_masks
from ...methods.random_contrast import random_contrast
from ...methods.unet import UNet
from ...teaching.records import Record

MASKS = (3, 10, 40)  # of histology
WIDTH, CROP, BATCH, STEPS = 8, 64, 8, 300

# --- images that look alike, without a label -------------------------------------------------------------------------


def as_they_are(x: Tensor) -> Tensor:
    return x


def made_alike(x: Tensor) -> Tensor:
    """Grey, the smaller side of Otsu's threshold bright, and stretched to all tones; uint8 N×C×H×W to the same."""
    grey, smaller = grey_values(x), otsu_masks(x)
    inside = (grey.float() * smaller).sum((1, 2)) / smaller.sum((1, 2)).clamp_min(1)
    dark = inside < grey.float().mean((1, 2))
    return _stretched(torch.where(dark[:, None, None], 255 - grey, grey), x)


def stain_made_alike(x: Tensor) -> Tensor:
    """The same of colour images, by how much haematoxylin they have: nuclei are bright then."""
    return _stretched(grey_values(x, "haematoxylin"), x)


def _stretched(grey: Tensor, x: Tensor) -> Tensor:
    """All tones between the first and the last hundredth of the pixels, in each channel of ``x``."""
    low, high = (grey.flatten(1).float().quantile(q, 1)[:, None, None] for q in (0.01, 0.99))
    tone = ((grey - low) / (high - low).clamp_min(1) * 255).round().clamp(0, 255).to(torch.uint8)
    return tone[:, None].expand_as(x).contiguous()


# --- trainings and ways ----------------------------------------------------------------------------------------------

_tones = wide_augment(degrees=0, flip=False, zoom=0, tone=0.5)


def colour_jitter(x: Tensor, generator: torch.Generator) -> Tensor:
    """Other tones and mixed channels, as is usual for stained images; nothing moves."""
    return _tones(x, generator)


def jitter_and_negatives(x: Tensor, generator: torch.Generator) -> Tensor:
    """Jittered colours, and one image in two as its negative: all that random contrast has, but for its curves."""
    negative = torch.rand(len(x), 1, 1, 1, generator=generator) < 0.5
    x = colour_jitter(x, generator)
    return torch.where(negative, 255 - x, x)


def contrast_of_half(x: Tensor, generator: torch.Generator) -> Tensor:
    """Random contrast for one image in two: with the images as they are among them, few steps are enough."""
    some = torch.rand(len(x), 1, 1, 1, generator=generator) < 0.5
    return torch.where(some, random_contrast(x, generator), x)


TRAININGS: dict[str, tuple[Callable, Callable | None]] = {  # what the network sees, and the augmentation
    "plain": (as_they_are, None),
    "colour jitter": (as_they_are, colour_jitter),
    "jitter and negatives": (as_they_are, jitter_and_negatives),
    "made alike": (made_alike, None),
    "random contrast": (as_they_are, contrast_of_half),
}
ABROAD: dict[str, dict[str, tuple[Callable, bool]]] = {  # training -> way -> what it sees abroad, and whether AdaBN
    **{
        training: {training: (as_they_are, False), f"{training}, AdaBN": (as_they_are, True)}
        for training in ("plain", "colour jitter", "jitter and negatives")
    },
    "random contrast": {
        "random contrast": (as_they_are, False),
        "random contrast, AdaBN": (as_they_are, True),
        "random contrast, images made alike": (made_alike, False),
    },
    "made alike": {
        "made alike": (made_alike, False),
        "made alike, AdaBN": (made_alike, True),
        "stain made alike": (stain_made_alike, False),
        "stain made alike, AdaBN": (stain_made_alike, True),
    },
}
OTSU = {"Otsu": "grey", "Otsu, haematoxylin": "haematoxylin"}
RATES = {  # chosen on validation images of the source, on a seed that is not reported
    "plain": 0.01,
    "colour jitter": 0.003,
    "jitter and negatives": 0.003,
    "made alike": 0.003,
    "random contrast": 0.003,
}


def falling(progress: float) -> float:
    """Half a cosine, from 1 to 0."""
    return (1 + np.cos(np.pi * progress)) / 2


def train_outlines(
    training: str,
    train: Split,
    seed: int,
    *,
    lr: float | None = None,
    steps: int = STEPS,
    classes: int = 2,
    augment: Callable | None = None,
) -> UNet:
    """A new U-Net after ``steps`` steps on ``train``, as ``training`` says; the rate falls to 0 with the last one.

    ``augment`` takes the place of the training's own augmentation.
    """
    seen, changed = TRAININGS[training]
    seed_everything(seed)
    model = UNet(train.x.shape[1], classes, WIDTH)
    train, lr = Split(seen(train.x), train.y), RATES[training] if lr is None else lr
    _fit(model, train, seed, lr, steps, augment or changed)
    return model


def _fit(
    model: UNet, train: Split, seed: int, lr: float, steps: int, changed: Callable | None, crop: int = CROP
) -> None:
    batch = min(BATCH, len(train.y))
    epochs = -(-steps // -(-len(train.y) // batch))
    crop = min(crop, *train.y.shape[1:])
    fit_masks(model, train, epochs=epochs, batch_size=batch, lr=lr, schedule=falling, augment=changed, turn=True,
              crop=crop, seed=seed, progress=False)  # fmt: skip


def outlines_abroad(training: str, model: UNet, x: Tensor, unlabelled: Tensor) -> dict[str, Tensor]:
    """The masks uint8 N×H×W of every way of a training; AdaBN takes its statistics from ``unlabelled`` images there."""
    found = {}
    for way, (seen, adapted) in ABROAD[training].items():
        network = adapt_batch_norm(copy.deepcopy(model), seen(unlabelled)) if adapted else model
        found[way] = predict_masks(network, seen(x))
    return found


def outlines_at_home(training: str, model: UNet, x: Tensor) -> Tensor:
    """Masks uint8 N×H×W of images like those that it learnt from."""
    return predict_masks(model, TRAININGS[training][0](x))


# --- with few masks of the other modality ----------------------------------------------------------------------------

FEW = {  # way -> where the weights come from, and whether the way down is frozen
    "from scratch": ("random", False),
    "small, from scratch": ("small", False),
    "random, frozen": ("random", True),
    "drawn, frozen": ("drawn", True),
    "drawn, fine-tuned": ("drawn", False),
    "fluorescence, frozen": ("fluorescence", True),
    "fluorescence, fine-tuned": ("fluorescence", False),
}
FEW_STEPS = {"random": 240, "small": 240, "drawn": 120, "fluorescence": 120}
FEW_RATES = {  # chosen with ten masks on validation images of histology, on a seed that is not reported
    "from scratch": 0.003,
    "small, from scratch": 0.01,
    "random, frozen": 0.001,
    "drawn, frozen": 0.01,
    "drawn, fine-tuned": 0.003,
    "fluorescence, frozen": 0.01,
    "fluorescence, fine-tuned": 0.003,
}


def few_outlines(
    way: str,
    train: Split,
    seed: int,
    known: Callable[[str], UNet],
    *,
    lr: float | None = None,
    steps: int | None = None,
    augment: Callable = colour_jitter,
) -> UNet:
    """A network of ``way`` after it learnt few masks; ``known`` has those that were pre-trained, by name."""
    start, frozen = FEW[way]
    seed_everything(seed)
    if start in ("random", "small"):
        model = UNet(train.x.shape[1], 2, WIDTH // 2 if start == "small" else WIDTH)
    else:
        model = copy.deepcopy(known(start))
    if frozen:
        freeze(model, upto="middle")
    lr = FEW_RATES[way] if lr is None else lr
    _fit(model, train, seed, lr, FEW_STEPS[start] if steps is None else steps, augment)
    return model


def drawn_unet() -> UNet:
    """The embedded network, which has seen drawn nuclei alone."""
    return load_nuclei_unet(quiet=True)


# --- drawn slices: CT, and the same organs by MRI --------------------------------------------------------------------

ORGANS = ("liver", "spleen", "kidneys")
SLICES, SLICES_CROP, SLICES_STEPS = 120, 48, 600  # so many to learn from, each of another patient


def ranked_tones(x: Tensor) -> Tensor:
    """Each tone of an image becomes its rank, so that no rising curve of tones matters any more; uint8 N×1×H×W."""
    share = torch.stack([one.flatten().bincount(minlength=256).cumsum(0) for one in x]) / x[0].numel()
    return (share.gather(1, x.flatten(1).long()) * 255).round().to(torch.uint8).view_as(x)


SLICE_TRAININGS: dict[str, tuple[tuple[str, ...], Callable, Callable | None]] = {  # looks, what is seen, augmentation
    "plain": (("ct",), as_they_are, None),
    "evened": (("ct",), ranked_tones, None),
    "random contrast": (("ct",), as_they_are, contrast_of_half),
    "T2 itself": (("t2",), as_they_are, None),
    "joint": (("ct", "t2"), as_they_are, None),
}
SLICE_RATES = {  # chosen on drawn validation slices, on a seed that is not reported
    "plain": 0.003,
    "evened": 0.01,
    "random contrast": 0.01,
    "T2 itself": 0.003,
    "joint": 0.01,
}


def slices(look: str, n: int, seed: int, **how) -> Split:
    """Drawn slices and the organ at each of their pixels."""
    return Split(*draw_abdomen(n, look=look, seed=seed, **how))


def train_on_slices(
    training: str, seed: int, *, lr: float | None = None, steps: int = SLICES_STEPS, n: int = SLICES, **how
) -> UNet:
    """A new U-Net for all organs, after ``steps`` steps on ``n`` drawn slices of each look of its training."""
    looks, seen, changed = SLICE_TRAININGS[training]
    parts = [slices(look, n, seed, **how) for look in looks]
    train = Split(seen(torch.cat([part.x for part in parts])), torch.cat([part.y for part in parts]))
    return train_on(train, seed, lr=SLICE_RATES[training] if lr is None else lr, steps=steps, augment=changed)


def train_on(train: Split, seed: int, *, lr: float, steps: int = SLICES_STEPS, augment: Callable | None = None) -> UNet:
    """A new U-Net for all organs after so many steps on these slices."""
    seed_everything(seed)
    model = UNet(1, len(ABDOMEN_CLASSES), WIDTH)
    _fit(model, train, seed, lr, steps, augment, SLICES_CROP)
    return model


def organ_scores(predicted: Tensor, labels: Tensor, names: tuple[str, ...] = ORGANS) -> float:
    """The mean Dice over the organs; of each over the slices that it, or an answer, is in."""
    return float(
        np.mean([np.nanmean(dice(predicted, labels, of=ABDOMEN_CLASSES.index(name), empty="nan")) for name in names])
    )


# --- scores and the record -------------------------------------------------------------------------------------------


def outline_scores(predicted: Tensor, masks: Tensor) -> np.ndarray:
    """Dice of the nuclei in each image, float64 N; 1 where both masks are empty."""
    return dice(predicted, masks)


SECONDARY: dict[str, tuple[str, str, dict, float]] = {  # ours, theirs, where, margin
    "plain": ("random contrast", "plain", {"kind": "modality"}, 0.05),
    "at home": ("random contrast", "plain", {"kind": "modality", "score": "Dice at home"}, 0.06),
    "Otsu": ("random contrast", "Otsu", {"kind": "modality"}, 0.05),
    "made alike − Otsu": ("stain made alike", "Otsu", {"kind": "modality"}, 0.05),
    "drawn − Otsu": ("drawn", "Otsu", {"kind": "modality"}, 0.05),
    "drawn − random contrast": ("drawn", "random contrast", {"kind": "modality"}, 0.05),
    **{f"scratch, {n}": ("drawn, fine-tuned", "small, from scratch", {"kind": "few", "masks": n}, 0.05) for n in MASKS},
    **{f"frozen, {n}": ("drawn, fine-tuned", "drawn, frozen", {"kind": "few", "masks": n}, 0.02) for n in MASKS},
    "Otsu, 10": ("drawn, fine-tuned", "Otsu", {"kind": "few", "masks": 10}, 0.05),
    **{
        f"{name}, 4 × as long": ("random contrast, 4 × as long", f"{name}, 4 × as long", {"kind": "modality"}, 0.05)
        for name in ("plain", "stain made alike")
    },
}


def outline_comparisons(record: Record) -> dict[str, BesideMargin]:
    """The secondary comparisons of ``benchmarks/outlines.py``, from ``Record("outlines", stage="report")``."""
    found: dict[str, tuple[Interval, float, float]] = {}
    for name, (ours, theirs, where, margin) in SECONDARY.items():
        found[name] = record.over_cases(ours, theirs, data="real", **where), inf, margin
    return _corrected(found)


LONGER: dict[str, tuple[str, str, str, float]] = {  # ours, theirs, score, margin
    "plain": ("random contrast", "plain", "Dice", 0.05),
    "stain made alike": ("random contrast", "stain made alike", "Dice", 0.05),
    "Otsu": ("random contrast", "Otsu", "Dice", 0.05),
    "at home": ("random contrast", "plain", "Dice at home", 0.06),
}


def longer_comparisons(record: Record) -> dict[str, BesideMargin]:
    """The comparisons of ``benchmarks/outlines_longer.py`` that were run, from its ``Record(…, stage="report")``."""
    run = [(row["ours"], row["theirs"], row["score"]) for row in record.about["two_level"]]
    found = {}
    for name, (ours, theirs, score, margin) in LONGER.items():
        if (ours, theirs, score) not in run:
            continue
        found[name] = record.over_cases(ours, theirs, score), inf, margin
    return _corrected(found)


def _corrected(found: dict[str, tuple[Interval, float, float]]) -> dict[str, BesideMargin]:
    """Of intervals with their degrees of freedom and margins; the p-values are corrected together by Holm's steps."""
    raw = [p_beyond(interval, margin, df) for interval, df, margin in found.values()]
    return {
        name: BesideMargin(interval, margin, p, before)
        for (name, (interval, _, margin)), p, before in zip(found.items(), holm(raw), raw, strict=True)
    }
