"""Scores of outlines, one for each image: Dice, intersection over union, and how many lesions were found.

[1] Maier-Hein et al., Metrics reloaded, Nature Methods 21 (2024), doi 10.1038/s41592-023-02151-z

Scores of images vary from patient to patient: give the patients as ``groups`` of ``two_level`` for an interval. The
share of pixels that are right is no score here: where the object is small, an empty mask has most of them right.
"""

from typing import NamedTuple

import numpy as np

from ..labels import as_share
from ..parts import check_choice, check_whole
from .mask_inputs import as_masks


def dice(predicted, masks, *, of: int = 1, empty: str = "one") -> np.ndarray:
    """``2·|A ∩ B| / (|A| + |B|)`` of each image, for the pixels A and B of class ``of``: float64 N.

    Parameters
    ----------
    predicted, masks: class numbers, N×H×W.
    empty: what an image gets where neither has the class: ``"one"``, since nothing was there and nothing was found, or
        ``"nan"``, to leave it out by ``np.nanmean``. Where only one has it, the score is 0.

    Raises ValueError for masks that do not fit together.
    """
    both, a, b = _overlap(predicted, masks, of)
    return _share(2 * both, a + b, empty)


def iou(predicted, masks, *, of: int = 1, empty: str = "one") -> np.ndarray:
    """``|A ∩ B| / |A ∪ B|`` of each image (Jaccard), as ``dice``, D, in all else; it is D / (2 − D): float64 N."""
    both, a, b = _overlap(predicted, masks, of)
    return _share(both, a + b - both, empty)


class LesionCounts(NamedTuple):
    """Of each image, int64 N: lesions ``found``, ``lesions`` in all, and predicted ones that are ``false``."""

    found: np.ndarray
    lesions: np.ndarray
    false: np.ndarray


def lesion_counts(predicted, masks, *, of: int = 1, share: float = 0.5) -> LesionCounts:
    """Count the lesions of class ``of`` in each image, and those that were found; a lesion is a connected component.

    Pixels are connected over edges and corners. A lesion is found when at least ``share`` of its pixels are predicted.
    A predicted one is false when it shares no pixel with a lesion. Raises ValueError for masks that do not fit.
    """
    from scipy.ndimage import label

    share = as_share(share, "share", ends=True)
    ours, theirs = _of_class(predicted, masks, of)
    rows = []
    for a, b in zip(ours, theirs, strict=True):
        (parts, n), (guesses, m) = (label(mask, np.ones((3, 3))) for mask in (b, a))
        size, hit = (np.bincount(parts[where], minlength=n + 1)[1:] for where in (b, a & b))
        found = (hit >= max(share, 1e-9) * size).sum()
        rows.append((found, n, m - len(np.unique(guesses[a & b]))))
    return LesionCounts(*np.array(rows, np.int64).T)


def lesion_sensitivity(predicted, masks, *, of: int = 1, share: float = 0.5) -> float:
    """The share of all lesions that were found (``lesion_counts``), NaN where there is none.

    A mask that is full everywhere finds them all: read it beside the number of false ones, or Dice.
    """
    counts = lesion_counts(predicted, masks, of=of, share=share)
    return float(counts.found.sum() / counts.lesions.sum()) if counts.lesions.sum() else float("nan")


def _overlap(predicted, masks, of: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels of each image in both, in the prediction, and in the mask."""
    ours, theirs = _of_class(predicted, masks, of)
    return tuple(part.sum((1, 2), dtype=np.int64) for part in (ours & theirs, ours, theirs))


def _of_class(predicted, masks, of: int) -> tuple[np.ndarray, np.ndarray]:
    ours, theirs = as_masks(predicted, "predicted"), as_masks(masks, "true")
    if ours.shape != theirs.shape:
        raise ValueError(
            f"The predicted masks have shape {tuple(ours.shape)} and the true ones {tuple(theirs.shape)}: give one "
            "prediction of the same size for each mask."
        )
    check_whole(of, "of", least=0)
    for name, given in {"predicted": ours, "true": theirs}.items():
        if of == 1 and int(given.max()) == 255 and set(given.unique().tolist()) <= {0, 255}:
            raise ValueError(
                f"The {name} masks hold 0 and 255, and class 1 is asked for: divide them by 255, or give of=255."
            )
    return (ours == of).cpu().numpy(), (theirs == of).cpu().numpy()


def _share(above: np.ndarray, below: np.ndarray, empty: str) -> np.ndarray:
    check_choice(empty, "empty", ("one", "nan"))
    return np.where(below > 0, above / np.maximum(below, 1), 1.0 if empty == "one" else np.nan)
