"""Phantoms: images drawn by a few dozen lines of tensor code, for learning the method and never for medicine.

``draw("smear", labels, size)`` draws blood cells, ``"chest"`` X-rays, ``"ultrasound"`` breast lesions and
``"texture"`` abstract patterns, one per label. ``shifts.py`` moves finished images to another hospital's device.
Everything is drawn from one seed: the same seed gives the same bytes on every CPU run.
"""

from collections.abc import Callable

import torch

from ..labels import as_labels
from ..parts import check_whole, shown
from .painting import CHUNK, to_bytes
from .patterns import paint_texture
from .scans import paint_chest, paint_ultrasound, ultrasound_and_lesion
from .smears import paint_smear

PAINTERS: dict[str, tuple[Callable, int]] = {
    "smear": (paint_smear, 8),
    "chest": (paint_chest, 2),
    "ultrasound": (paint_ultrasound, 2),
    "texture": (paint_texture, 64),
}


SMALLEST = 4  # pixels a side


def draw(kind: str, labels, size: int = 28, *, channels: int | None = None, seed: int = 0) -> torch.Tensor:
    """Draw one phantom per label.

    Parameters
    ----------
    kind: ``"smear"`` (8 cell types of BloodMNIST, RGB), ``"chest"`` (0 normal, 1 pneumonia, grey),
        ``"ultrasound"`` (0 malignant, 1 benign, grey) or ``"texture"`` (any number of classes, grey).
    labels: int64 tensor N.
    size: pixels per side.
    channels: 1 or 3; default what the kind is drawn in.
    seed: of everything random in the images.

    Returns a uint8 tensor N×channels×size×size. Raises ValueError for a kind or label that it cannot draw.
    """
    if not isinstance(kind, str) or kind not in PAINTERS:
        raise ValueError(f"There is no phantom called {shown(kind)}: choose one of {', '.join(PAINTERS)}.")
    if channels is not None and (not isinstance(channels, int) or channels not in (1, 3)):
        raise ValueError(f"channels is {shown(channels)}: give 1 for grey, 3 for colour, or leave it out.")
    check_whole(seed, "seed", least=0)
    check_whole(size, "size", least=SMALLEST)
    paint, n_classes = PAINTERS[kind]
    labels = _labels(labels)
    if len(labels) and int(labels.max()) >= n_classes:
        raise ValueError(
            f"{kind} phantoms have labels 0 to {n_classes - 1}, not {labels.min()} to {labels.max()}: give these alone."
        )
    generator = torch.Generator().manual_seed(seed)
    parts = [to_bytes(paint(part, size, generator), channels) for part in labels.split(CHUNK)]
    return torch.cat(parts) if parts else torch.empty(0, channels or 1, size, size, dtype=torch.uint8)


def draw_ultrasound(labels, size: int = 28, *, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """The images of ``draw("ultrasound", …)`` and where their lesions are: uint8 N×1×S×S and bool N×S×S."""
    check_whole(seed, "seed", least=0)
    check_whole(size, "size", least=SMALLEST)
    labels = _labels(labels)
    if not len(labels) or int(labels.max()) > 1:
        raise ValueError("There are no labels, or others than 0 and 1: give 0 (malignant) or 1 (benign), at least one.")
    generator = torch.Generator().manual_seed(seed)
    parts = [ultrasound_and_lesion(part, size, generator) for part in labels.split(CHUNK)]
    return torch.cat([to_bytes(image) for image, _ in parts]), torch.cat([lesion > 0.5 for _, lesion in parts])


def _labels(labels) -> torch.Tensor:
    """int64 N. Raises ValueError for what are no whole numbers from 0 on."""
    return torch.from_numpy(as_labels(labels, None))
