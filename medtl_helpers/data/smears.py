"""Blood smears: eight cell types of the atlas, and invented ones that no atlas knows."""

from typing import NamedTuple

import torch

from .painting import class_numbers, disc, noise, over, pixel_grid, uniform

HELD_OUT_CELLS = ("basophil", "immature granulocyte", "monocyte")


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
    return CellTypes._make([*columns, torch.tensor(kidney), torch.tensor(hidden)])


_CELLS = cell_types(SMEAR.values(), [c == "monocyte" for c in SMEAR], [c == "basophil" for c in SMEAR])
RED_CELLS = 5  # behind each white cell, some of them out of view


def paint_smear(labels, size: int, generator, cells: CellTypes = _CELLS):
    n = len(labels)
    y, x = pixel_grid(size)

    def random(low, high):
        return uniform(n, low, high, generator)

    def tint(colour, spread=0.03):
        return (colour[labels] + spread * torch.randn(n, 3, generator=generator)).clamp_(0, 1)

    plasma = torch.tensor([0.96, 0.90, 0.86]) + 0.02 * torch.randn(n, 3, generator=generator)
    image = plasma[:, :, None, None].expand(n, 3, size, size).clone()
    red = torch.tensor([0.88, 0.68, 0.64]) + 0.03 * torch.randn(n, 3, generator=generator)
    for _ in range(RED_CELLS):
        cy, cx, radius = random(-1.1, 1.1), random(-1.1, 1.1), random(0.30, 0.38)
        ring = disc(y, x, cy, cx, radius, 1.1) - 0.45 * disc(y, x, cy, cx, radius * 0.45, 1.1)  # paler in the middle
        over(image, red, ring.mul_(0.85))

    cy, cx, turn = random(-0.15, 0.15), random(-0.15, 0.15), random(0, 2 * torch.pi)
    grow = random(0.86, 1.14)
    radius = cells.radius[labels][:, None, None] * grow
    wobble = 1 + 0.10 * noise(n, size, 4, generator)
    cell = disc(y, x, cy, cx, radius * wobble, random(0.9, 1.15), turn)
    over(image, tint(cells.cytoplasm), cell)

    grains = (
        torch.randn(n, 1, size, size, generator=generator) if size < 48 else noise(n, size, 32, generator)[:, None] * 2
    )[:, 0]
    threshold = torch.special.ndtri(1 - cells.granules[labels] * 0.75)[:, None, None]
    granules = ((grains - threshold) * 3).sigmoid_() * cell
    over(image, tint(cells.granule), granules * 0.8)

    nucleus = torch.zeros(n, size, size)
    for lobe in range(int(cells.lobes.max())):
        present = (cells.lobes[labels] > lobe).float()[:, None, None]
        at = turn + lobe * (2 * torch.pi / cells.lobes[labels].clamp(min=1).float()[:, None, None]) * random(0.8, 1.1)
        away = cells.spread[labels][:, None, None] * grow * random(0.8, 1.2)
        lobe_radius = cells.lobe_radius[labels][:, None, None] * grow * random(0.85, 1.15)
        mask = disc(y, x, cy + away * at.sin(), cx + away * at.cos(), lobe_radius, random(0.95, 1.2), at)
        nucleus = torch.maximum(nucleus, mask * present)
    bite = disc(y, x, cy + 0.36 * turn.cos(), cx + 0.36 * turn.sin(), random(0.20, 0.30))
    nucleus = nucleus * (1 - bite * cells.kidney[labels][:, None, None])
    chromatin = 1 - 0.12 * noise(n, size, max(4, size // 4), generator).abs_()
    shade = 1 - nucleus * (1 - chromatin)
    covered = 1 - 0.45 * granules * cells.hidden[labels][:, None, None]
    over(image, tint(cells.nucleus), nucleus * covered * 0.95)
    return image.mul_(shade[:, None]).add_(0.012 * torch.randn(n, 3, size, size, generator=generator))


def invented_cells(n: int = 32) -> CellTypes:
    """Cell types with random radius, nucleus, granules and colours, none of them near one that is held out.

    Near means: as many lobes, the radius within 0.05 and the share of granules within 0.08.
    """
    held_out = [SMEAR[cell] for cell in HELD_OUT_CELLS]
    rows: list[tuple] = []
    kidney, hidden, k = [], [], 0
    while len(rows) < n:
        u = ((class_numbers(10_000 + k, 16) + 1) / 2).tolist()
        k += 1
        lobes = int(u[0] * 5)
        radius, granules = 0.3 + 0.38 * u[1], 0.02 + 0.65 * u[2]
        if any(lobes == h[1] and abs(radius - h[0]) < 0.05 and abs(granules - h[4]) < 0.08 for h in held_out):
            continue
        lobe_radius = (0.0, 0.5, 0.45, 0.38, 0.33)[lobes] * radius * (0.9 + 0.6 * u[3])
        spread = (0.0, 0.2, 0.42, 0.48, 0.5)[lobes] * radius * (0.7 + 0.6 * u[4])
        pale, dark, grain = u[5:8], u[8:11], u[11:14]
        colours = ([0.62 + 0.3 * v for v in pale], [0.28 + 0.28 * v for v in dark], [0.3 + 0.6 * v for v in grain])
        rows.append((radius, lobes, lobe_radius, spread, granules, *colours))
        kidney.append(lobes == 1 and u[14] < 0.4)
        hidden.append(u[15] < 0.3)
    return cell_types(rows, kidney, hidden)


def paint_invented(labels, size: int, generator):
    return paint_smear(labels, size, generator, invented_cells())
