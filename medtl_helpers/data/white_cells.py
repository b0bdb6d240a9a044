"""White blood cells of two laboratories: the published files where they are on this disk, else phantoms of both.

The two differ in stain, microscope and camera. The first laboratory (``jiangxi``) took cells of 88 to 120 pixels, whose
nuclei are about 45 pixels wide; the second (``cellavision``) 300 pixels, whose nuclei are about 93 wide. So the middle
120 pixels of the first and the middle 250 of the second show cells at one scale; a smaller image is enlarged to 120 by
repeating its border. Basophils (1 and 3 images) are left out, and so is each image that shows the same cell as an
earlier one.
"""

import csv
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from ..assets import find_all
from .image_tasks import ImageTask
from .images import read_image
from .phantoms import draw
from .pixels import resized
from .shifts import Scanner
from .smears import SMEAR
from .tasks import Split

SAME_CELL = 0.979  # correlation of two images, at 28 px: by eye, the five pairs above it show one cell, those below two
SMALLEST, LARGEST = 8, 250  # pixels per side that can be asked for
MAGNIFIED = 1.2  # phantoms of whole smears are drawn so much larger, and their border is cut off
# What the two laboratories do to a phantom: the first has a yellow background and is blurred, the second is nearly as
# the phantoms are drawn.
CAMERAS = {
    "jiangxi": Scanner("Jiangxi", ((1.05, 0.0, 0.0), (0.0, 1.08, 0.0), (-0.15, 0.05, 0.85)), 1.25, 2.0, 0.05, 0.02),
    "cellavision": Scanner("CellaVision", ((1.0, 0.0, 0.0), (0.0, 0.95, 0.0), (0.0, 0.0, 0.95)), 1.1, 0.0, 0.05, 0.01),
}


def all_cells(about: dict, site: str, size: int) -> tuple[Split, str, str]:
    """All cells of one laboratory, uint8 N×3×size×size and int64 N; their provenance; and a note for the reader.

    Raises ValueError for a laboratory that the card does not have, and for a size outside 8 to 250 pixels.
    """
    if site not in about["sites"]:
        raise ValueError(f"white_cells has no site {site!r}: choose one of {', '.join(about['sites'])}.")
    if not (isinstance(size, int) and SMALLEST <= size <= LARGEST):
        raise ValueError(f"white_cells has no size {size!r}: choose {SMALLEST} to {LARGEST} pixels.")
    found = find_all(about)
    if found.path is None:
        cells = _draw(about["sites"][site]["class_counts"], site, size)
        return cells, "twin", f"for real data: make data ONLY=white_cells ({found.why_not})"
    place = about["sites"][site]
    images, y, left_out = _read(found.path, place["number"], place["images"], place["side"])
    note = f"{left_out['basophils']} basophil(s) and {left_out['copies']} second image(s) of the same cell left out"
    return Split(resized(images, size), y), "real", note


def load_white_cells(about: dict, site: str, size: int, *, seed: int = 0, fold: int | None = None) -> ImageTask:
    """The cells of one laboratory as a task, split by ``seed`` within each class; all three splits are disjoint.

    Without ``fold`` 60 % are for training, 20 % for validation and 20 % for the test. With ``fold`` 0, 1 or 2 half of
    the cells are for training, a sixth for validation, and a third for the test: the three folds of one seed test each
    cell once.
    """
    cells, provenance, note = all_cells(about, site, size)
    parts = split_by_class(cells.y, seed, fold)
    train, val, test = (Split(cells.x[at], cells.y[at]) for at in parts)
    classes, licence = tuple(about["classes"]), about["licence"]
    return ImageTask(f"white_cells:{site}", train, val, test, classes, None, provenance, licence, note)


def split_by_class(y: torch.Tensor, seed: int, fold: int | None) -> list[torch.Tensor]:
    """The rows of training, validation and test: disjoint, together all, and each class shared out alike."""
    if fold not in (None, 0, 1, 2):
        raise ValueError(f"fold is {fold!r}: give 0, 1 or 2, or None for the split without folds.")
    parts: list[list[torch.Tensor]] = [[], [], []]
    generator = torch.Generator().manual_seed(seed)
    for k in y.unique():
        rows = (y == k).nonzero().flatten()
        rows, n = rows[torch.randperm(len(rows), generator=generator)], len(rows)
        if fold is None:
            edges = (round(0.6 * n), round(0.8 * n))
        else:  # the fold's third goes to the end
            rows, edges = rows.roll(-(n * (fold + 1) // 3)), (0, 0)
            tests = n * (fold + 1) // 3 - n * fold // 3
            edges = ((n - tests) - max(1, round(n / 6)), n - tests)
        for part, at in zip(parts, rows.tensor_split(edges), strict=True):
            part.append(at)
    return [torch.cat(part) for part in parts]


@lru_cache(maxsize=2)
def _read(folder: Path, number: int, images: int, side: int) -> tuple[torch.Tensor, torch.Tensor, dict[str, int]]:
    """The middle squares of a laboratory's images, uint8 N×3×side×side, their classes from 0, and what was left out."""
    with open(folder / f"Class Labels of Dataset {number}.csv", encoding="utf-8") as file:
        labels = [int(row[1]) for row in list(csv.reader(file))[1:]]
    x = torch.stack([_middle(read_image(folder / f"Dataset {number}/{k + 1:03d}.bmp"), side) for k in range(images)])
    y = torch.tensor(labels) - 1
    kept = y < 4
    copies = same_cell(x) & kept
    return x[kept & ~copies], y[kept & ~copies], {"basophils": int((~kept).sum()), "copies": int(copies.sum())}


def _middle(image: np.ndarray, side: int) -> torch.Tensor:
    """uint8 H×W×3 to 3×side×side: a larger image is cut, a smaller one grows by repeating its border."""
    x = torch.from_numpy(image).permute(2, 0, 1)
    missing = [side - length for length in (x.shape[2], x.shape[1])]
    pads = [part for gap in missing for part in (gap // 2, gap - gap // 2)]
    grown = F.pad(x[None].float(), [max(0, pad) for pad in pads], mode="replicate")[0].to(torch.uint8)
    top, left = (max(0, (length - side) // 2) for length in grown.shape[1:])
    return grown[:, top : top + side, left : left + side]


def same_cell(x: torch.Tensor) -> torch.Tensor:
    """bool N: which images correlate with an earlier one above ``SAME_CELL``, seen at 28 px."""
    flat = resized(x, 28).flatten(1).float()
    flat = flat - flat.mean(1, keepdim=True)
    flat = flat / flat.norm(dim=1, keepdim=True).clamp_min(1e-6)
    return ((flat @ flat.T).tril(-1) > SAME_CELL).any(1)


def _draw(counts: list[int], site: str, size: int) -> Split:
    """Smear phantoms of the four classes, as many of each as the laboratory has, through its camera."""
    names = ("neutrophil", "lymphocyte", "monocyte", "eosinophil")
    y = torch.arange(len(names)).repeat_interleave(torch.tensor(counts))
    painted = torch.tensor([list(SMEAR).index(name) for name in names])[y]
    seed = 500 + list(CAMERAS).index(site)
    large = draw("smear", painted, round(MAGNIFIED * size), seed=seed)
    cut = (large.shape[-1] - size) // 2
    return Split(CAMERAS[site](large[:, :, cut : cut + size, cut : cut + size].contiguous(), seed=seed), y)
