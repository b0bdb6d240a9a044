"""Phantoms: images drawn by a few dozen lines of tensor code, for learning the method and never for medicine.

``draw("smear", labels, size)`` draws blood cells, ``"chest"`` X-rays, ``"ultrasound"`` breast lesions and
``"texture"`` abstract patterns, one per label. ``scanners.py`` moves finished images to another hospital's device.
Everything is drawn from one seed: the same seed gives the same bytes on every CPU run.

Coordinates run from -1 to 1 in both directions, whatever the size in pixels. A shape is a soft mask in 0..1.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F

CHUNK = 128  # images drawn at a time: small enough for a processor's cache


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
    if kind not in _PAINTERS:
        raise ValueError(f"There is no phantom called {kind!r}: choose one of {', '.join(_PAINTERS)}.")
    paint, n_classes = _PAINTERS[kind]
    labels = torch.as_tensor(labels).long()
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < n_classes:
        raise ValueError(f"{kind} phantoms have labels 0 to {n_classes - 1}, not {labels.min()} to {labels.max()}.")
    generator = torch.Generator().manual_seed(seed)
    parts = [to_bytes(paint(part, size, generator), channels) for part in labels.split(CHUNK)]
    return torch.cat(parts) if parts else torch.empty(0, channels or 1, size, size, dtype=torch.uint8)


def to_bytes(image, channels: int | None = None):
    """Float N×C×H×W in 0..1 to uint8, with ``channels`` channels."""
    if channels == 3 and image.shape[1] == 1:
        image = image.expand(-1, 3, -1, -1)
    if channels == 1 and image.shape[1] == 3:
        image = image.mean(1, keepdim=True)
    return (image * 255).round_().clamp_(0, 255).to(torch.uint8)


# --- drawing tools -----------------------------------------------------------------------------------------------


def pixel_grid(size: int):
    """Pixel centres as (y, x), shapes 1×S×1 and 1×1×S."""
    axis = (torch.arange(size) + 0.5) / size * 2 - 1
    return axis[None, :, None], axis[None, None, :]


def _uniform(n: int, low: float, high: float, generator):
    """n random numbers in low..high, as N×1×1."""
    return (low + (high - low) * torch.rand(n, generator=generator))[:, None, None]


def _disc(y, x, cy, cx, radius, aspect=1.0, angle=None):
    """Soft mask N×S×S of an ellipse: half-axes radius·aspect (along ``angle``) and radius, edge about one pixel."""
    dy, dx = y - cy, x - cx
    if angle is not None:
        dy, dx = dy * angle.cos() - dx * angle.sin(), dy * angle.sin() + dx * angle.cos()
    distance = ((dx / aspect).square() + dy.square()).sqrt_()
    edge = 2.5 / x.shape[-1]
    return ((radius - distance) / edge).sigmoid_()


def _noise(n: int, size: int, cells: int, generator):
    """Smooth noise N×S×S with about ``cells`` bumps per side, mean 0, standard deviation about 0.5."""
    coarse = torch.randn(n, 1, cells, cells, generator=generator)
    return F.interpolate(coarse, size=(size, size), mode="bilinear", align_corners=False)[:, 0]


def _over(image, colour, mask):
    """Paint ``colour`` (N×C) over ``image`` (N×C×S×S) where ``mask`` (N×S×S) is 1; in place."""
    return image.lerp_(colour[:, :, None, None].expand_as(image), mask[:, None].expand_as(image))


# --- blood smear ---------------------------------------------------------------------------------------------------

# One row per cell type: cell radius; number of nuclear lobes and their radius; distance of lobes from the centre;
# granules (share of the cytoplasm covered); colours of cytoplasm, nucleus and granules in RGB.
SMEAR = {
    "basophil": (0.50, 2, 0.25, 0.18, 0.55, (0.78, 0.70, 0.84), (0.46, 0.27, 0.60), (0.30, 0.16, 0.50)),
    "eosinophil": (0.54, 2, 0.24, 0.26, 0.65, (0.90, 0.72, 0.70), (0.45, 0.26, 0.60), (0.88, 0.44, 0.36)),
    "erythroblast": (0.38, 1, 0.24, 0.04, 0.05, (0.74, 0.66, 0.78), (0.30, 0.16, 0.44), (0.60, 0.50, 0.70)),
    "immature granulocyte": (0.64, 1, 0.42, 0.12, 0.35, (0.76, 0.70, 0.88), (0.54, 0.34, 0.68), (0.60, 0.38, 0.66)),
    "lymphocyte": (0.42, 1, 0.34, 0.05, 0.05, (0.66, 0.74, 0.92), (0.42, 0.24, 0.58), (0.60, 0.60, 0.80)),
    "monocyte": (0.64, 1, 0.42, 0.10, 0.15, (0.70, 0.72, 0.84), (0.52, 0.36, 0.68), (0.66, 0.60, 0.78)),
    "neutrophil": (0.54, 4, 0.17, 0.27, 0.30, (0.90, 0.80, 0.84), (0.44, 0.25, 0.60), (0.82, 0.66, 0.76)),
    "platelet": (0.17, 0, 0.00, 0.00, 0.50, (0.72, 0.60, 0.80), (0.50, 0.32, 0.64), (0.46, 0.28, 0.62)),
}


class CellTypes(NamedTuple):
    """Cell types to draw: the columns of ``SMEAR`` as tensors, one entry per type, and two peculiarities."""

    radius: torch.Tensor
    lobes: torch.Tensor
    lobe_radius: torch.Tensor
    spread: torch.Tensor
    granules: torch.Tensor
    cytoplasm: torch.Tensor
    nucleus: torch.Tensor
    granule: torch.Tensor
    kidney: torch.Tensor  # bool: the nucleus has a bite taken out
    hidden: torch.Tensor  # bool: the granules hide the nucleus


def cell_types(rows, kidney, hidden) -> CellTypes:
    """``CellTypes`` of rows like those of ``SMEAR``; ``kidney`` and ``hidden`` have one truth value per row."""
    columns = [torch.tensor(column) for column in zip(*rows, strict=True)]
    return CellTypes(*columns, torch.tensor(kidney), torch.tensor(hidden))


_CELLS = cell_types(SMEAR.values(), [c == "monocyte" for c in SMEAR], [c == "basophil" for c in SMEAR])
RED_CELLS = 5  # behind each white cell, some of them out of view


def _paint_smear(labels, size: int, generator, cells: CellTypes = _CELLS):
    n = len(labels)
    y, x = pixel_grid(size)

    def random(low, high):
        return _uniform(n, low, high, generator)

    def tint(colour, spread=0.03):
        return (colour[labels] + spread * torch.randn(n, 3, generator=generator)).clamp_(0, 1)

    plasma = torch.tensor([0.96, 0.90, 0.86]) + 0.02 * torch.randn(n, 3, generator=generator)
    image = plasma[:, :, None, None].expand(n, 3, size, size).clone()
    red = torch.tensor([0.88, 0.68, 0.64]) + 0.03 * torch.randn(n, 3, generator=generator)
    for _ in range(RED_CELLS):
        cy, cx, radius = random(-1.1, 1.1), random(-1.1, 1.1), random(0.30, 0.38)
        ring = _disc(y, x, cy, cx, radius, 1.1) - 0.45 * _disc(y, x, cy, cx, radius * 0.45, 1.1)  # paler in the middle
        _over(image, red, ring.mul_(0.85))

    cy, cx, turn = random(-0.15, 0.15), random(-0.15, 0.15), random(0, 2 * torch.pi)
    grow = random(0.86, 1.14)
    radius = cells.radius[labels][:, None, None] * grow
    wobble = 1 + 0.10 * _noise(n, size, 4, generator)
    cell = _disc(y, x, cy, cx, radius * wobble, random(0.9, 1.15), turn)
    _over(image, tint(cells.cytoplasm), cell)

    grains = (torch.randn(n, 1, size, size, generator=generator) if size < 48
              else _noise(n, size, 32, generator)[:, None] * 2)[:, 0]  # fmt: skip
    threshold = torch.special.ndtri(1 - cells.granules[labels] * 0.75)[:, None, None]
    granules = ((grains - threshold) * 3).sigmoid_() * cell
    _over(image, tint(cells.granule), granules * 0.8)

    nucleus = torch.zeros(n, size, size)
    for lobe in range(int(cells.lobes.max())):
        present = (cells.lobes[labels] > lobe).float()[:, None, None]
        at = turn + lobe * (2 * torch.pi / cells.lobes[labels].clamp(min=1).float()[:, None, None]) * random(0.8, 1.1)
        away = cells.spread[labels][:, None, None] * grow * random(0.8, 1.2)
        lobe_radius = cells.lobe_radius[labels][:, None, None] * grow * random(0.85, 1.15)
        mask = _disc(y, x, cy + away * at.sin(), cx + away * at.cos(), lobe_radius, random(0.95, 1.2), at)
        nucleus = torch.maximum(nucleus, mask * present)
    bite = _disc(y, x, cy + 0.36 * turn.cos(), cx + 0.36 * turn.sin(), random(0.20, 0.30))
    nucleus = nucleus * (1 - bite * cells.kidney[labels][:, None, None])
    chromatin = 1 - 0.12 * _noise(n, size, max(4, size // 4), generator).abs_()
    shade = 1 - nucleus * (1 - chromatin)
    covered = 1 - 0.45 * granules * cells.hidden[labels][:, None, None]
    _over(image, tint(cells.nucleus), nucleus * covered * 0.95)
    return image.mul_(shade[:, None]).add_(0.012 * torch.randn(n, 3, size, size, generator=generator))


# --- chest X-ray ----------------------------------------------------------------------------------------------------


def _paint_chest(labels, size: int, generator):
    n = len(labels)
    y, x = pixel_grid(size)

    def random(low, high):
        return _uniform(n, low, high, generator)

    cx, cy, tilt = random(-0.08, 0.08), random(-0.06, 0.06), random(-0.08, 0.08)
    scale = random(0.88, 1.08)
    body = _disc(y, x, cy + 0.35, cx, 1.35 * scale, random(0.75, 0.9))
    image = 0.08 + 0.66 * body
    depth = random(0.36, 0.52)
    lungs = torch.zeros(n, size, size)
    for side in (-1, 1):
        height, width = 0.72 * scale * random(0.92, 1.06), random(0.40, 0.48)
        lung = _disc(y, x, cy + 0.05, cx + side * 0.45 * scale, height, width, tilt + 0.12 * side)
        lungs = torch.maximum(lungs, lung)
    image = image - depth * lungs
    ribs = (((y - cy) * random(15, 19) + 3.2 * (x - cx).square() + random(0, 6)).sin() > 0.35).float()
    image = image + 0.055 * ribs * body
    spine = (-((x - cx) / 0.10).square()).exp()
    heart = _disc(y, x, cy + 0.38, cx + 0.14, 0.32 * scale * random(0.9, 1.15), random(0.95, 1.25))
    image = image + 0.10 * spine * body + 0.34 * heart * lungs
    vessels = _noise(n, size, max(6, size // 3), generator).abs_() * 0.06 * lungs
    image = image + vessels

    # Opacities: patches of consolidation with a ragged edge. Normal children have faint haze at times, so that the
    # two classes overlap as they do in a clinic.
    sick = (labels == 1).float()[:, None, None]
    strength = sick * random(0.18, 0.48) + (1 - sick) * random(0.0, 0.08)
    opacity = torch.zeros(n, size, size)
    for side in (-1, 1):
        present = (_uniform(n, 0, 1, generator) < 0.75).float()
        at_y, at_x = cy + random(-0.25, 0.50), cx + side * 0.45 + random(-0.12, 0.12)
        blob = _disc(y, x, at_y, at_x, random(0.15, 0.40), random(0.7, 1.2))
        opacity = torch.maximum(opacity, blob * present)
    ragged = (0.75 + 0.5 * _noise(n, size, 7, generator)).clamp_(0, 1.3)
    blurred = F.avg_pool2d(opacity[:, None], 3, 1, 1, count_include_pad=False)[:, 0]
    image = image + strength * blurred * ragged * lungs
    image = (image - 0.5) * random(0.8, 1.2) + 0.5 + random(-0.06, 0.06)  # exposure
    return (image + 0.02 * torch.randn(n, size, size, generator=generator))[:, None]


# --- breast ultrasound ----------------------------------------------------------------------------------------------


def _paint_ultrasound(labels, size: int, generator):
    n = len(labels)
    y, x = pixel_grid(size)

    def random(low, high):
        return _uniform(n, low, high, generator)

    malignant = (labels == 0).float()[:, None, None]
    layers = 0.42 + 0.16 * (random(5, 8) * y + 1.5 * _noise(n, size, 3, generator)).sin()
    image = layers + 0.10 * _noise(n, size, 6, generator)
    cy, cx, radius = random(-0.25, 0.2), random(-0.25, 0.25), random(0.24, 0.42)
    theta = torch.atan2(y - cy, x - cx)
    rough = malignant * random(0.08, 0.26) + (1 - malignant) * random(0.0, 0.09)
    coarse = (random(3, 5).round() * theta + random(0, 6)).sin()
    fine = (random(6, 9).round() * theta + random(0, 6)).sin()
    border = 1 + rough * (coarse + 0.7 * fine)
    aspect = malignant * random(0.75, 1.15) + (1 - malignant) * random(1.05, 1.6)  # malignant: taller than wide
    lesion = _disc(y, x, cy, cx, radius * border, aspect)
    image = image.lerp(random(0.10, 0.24).expand_as(image), lesion)
    column = (-((x - cx) / (radius * aspect)).square() * 1.5).exp()
    below = ((y - cy - 0.5 * radius) * 6).sigmoid() * column * (1 - lesion)
    echo = malignant * random(-0.26, 0.04) + (1 - malignant) * random(-0.06, 0.22)  # shadow, or enhancement
    image = image + echo * below
    speckle = torch.rand(n, size, size, generator=generator).clamp_(min=1e-6).log_().neg_().sqrt_()  # Rayleigh
    grain = 0.5 * min(1.0, size / 96)  # small pixels show single speckles, large ones average over several
    depth = 1.15 - 0.30 * (y + 1) * random(0.5, 1.2)  # echoes fade with depth
    return (image.clamp_(min=0.02) * depth * (1 + grain * (speckle - 0.886)) * random(0.8, 1.2))[:, None]


# --- abstract textures ------------------------------------------------------------------------------------------------


def _paint_texture(labels, size: int, generator):
    """Waves whose direction and frequency depend on the class, over smooth noise: a stand-in for any other data set."""
    n = len(labels)
    y, x = pixel_grid(size)
    k = labels.float()[:, None, None]
    angle = k * 0.9 + _uniform(n, -0.25, 0.25, generator)
    frequency = 6 + 3 * (k % 3) + _uniform(n, -0.8, 0.8, generator)
    wave = (frequency * (x * angle.cos() + y * angle.sin()) + _uniform(n, 0, 6.3, generator)).sin()
    image = 0.5 + _uniform(n, 0.08, 0.25, generator) * wave + 0.15 * _noise(n, size, 5, generator)
    return (image + 0.04 * torch.randn(n, size, size, generator=generator))[:, None]


_PAINTERS = {
    "smear": (_paint_smear, 8),
    "chest": (_paint_chest, 2),
    "ultrasound": (_paint_ultrasound, 2),
    "texture": (_paint_texture, 64),
}
