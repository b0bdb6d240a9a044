"""Phantoms: images drawn by a few dozen lines of tensor code, for learning the method and never for medicine.

``draw("smear", labels, size)`` draws blood cells, ``"chest"`` X-rays, ``"ultrasound"`` breast lesions and
``"texture"`` abstract patterns, one per label. ``shifts.py`` moves finished images to another hospital's device.
Everything is drawn from one seed: the same seed gives the same bytes on every CPU run.
"""

from collections.abc import Callable

import torch

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
    if kind not in PAINTERS:
        raise ValueError(f"There is no phantom called {kind!r}: choose one of {', '.join(PAINTERS)}.")
    paint, n_classes = PAINTERS[kind]
    labels = torch.as_tensor(labels).long()
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < n_classes:
        raise ValueError(f"{kind} phantoms have labels 0 to {n_classes - 1}, not {labels.min()} to {labels.max()}.")
    generator = torch.Generator().manual_seed(seed)
    parts = [to_bytes(paint(part, size, generator), channels) for part in labels.split(CHUNK)]
    return torch.cat(parts) if parts else torch.empty(0, channels or 1, size, size, dtype=torch.uint8)


def draw_ultrasound(labels, size: int = 28, *, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """The images of ``draw("ultrasound", …)`` and where their lesions are: uint8 N×1×S×S and bool N×S×S."""
    generator = torch.Generator().manual_seed(seed)
    parts = [ultrasound_and_lesion(part, size, generator) for part in torch.as_tensor(labels).long().split(CHUNK)]
    return torch.cat([to_bytes(image) for image, _ in parts]), torch.cat([lesion > 0.5 for _, lesion in parts])
