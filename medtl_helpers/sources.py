"""What the embedded weights were pre-trained on, and what was kept from them, in one place.

Reading out a class that the source knew is not transfer to a new task. So three cell types, pneumonia, every breast
ultrasound and two scanners never enter pre-training: ``HELD_OUT_CELLS``, ``HELD_OUT_SCANNERS`` and what ``FAMILIES``
leaves out. Lessons and cards measure transfer on those (``held_out_task``), and a test looks that none slipped in.

The source is richer than blood smears, since features of smears alone proved worse than random ones on real chest
X-rays: chest findings other than pneumonia, waves, fractals (iterated function systems, as in Kataoka et al., ACCV
2020, arXiv 2101.08515), contours (as in Kataoka et al., CVPR 2022, arXiv 2206.09132) and invented cells join them,
and the contrast, brightness and polarity of the images vary at random.
"""

import torch
import torch.nn.functional as F

from . import phantoms
from .checks import note_source
from .phantoms import CHUNK, SMEAR, draw, to_bytes
from .scanners import SCANNERS
from .tasks import ImageTask, Split

HELD_OUT_CELLS = ("basophil", "immature granulocyte", "monocyte")
SEEN_CELLS = tuple(cell for cell in SMEAR if cell not in HELD_OUT_CELLS)
SEEN_SCANNERS = ("A", "C")
HELD_OUT_SCANNERS = ("B", "D")  # the two that mix colours, blur and shade strongly
CHEST_FINDINGS = ("normal", "effusion", "large heart", "nodules", "pneumothorax")  # pneumonia is held out

# family of images -> (classes, share of the images); together one classification task. The small network, cheaper to
# train, also saw cell types that no atlas knows.
FAMILIES = {
    "vgg16": {"smear": (len(SEEN_CELLS), 0.25), "chest": (len(CHEST_FINDINGS), 0.20), "waves": (24, 0.12),
              "fractal": (64, 0.23), "contour": (32, 0.20)},
    "resnet": {"smear": (len(SEEN_CELLS), 0.20), "chest": (len(CHEST_FINDINGS), 0.12), "waves": (24, 0.06),
               "fractal": (64, 0.12), "contour": (32, 0.10), "invented cells": (32, 0.40)},
}  # fmt: skip


def n_classes(network: str) -> int:
    """How many classes the pre-training of ``network`` has."""
    return sum(classes for classes, _ in FAMILIES[network].values())


def class_names(network: str) -> tuple[str, ...]:
    """The names of the classes in the pre-training of ``network``, in the order of their numbers."""
    named = {"smear": SEEN_CELLS, "chest": CHEST_FINDINGS}
    return tuple(
        f"{family}: {name}"
        for family, (classes, _) in FAMILIES[network].items()
        for name in named.get(family, range(classes))
    )


def batch(network: str, n: int, size: int, seed: int, *, jitter: bool = True) -> Split:
    """``n`` images of pre-training, uint8 N×3×size×size, and their classes, int64 N in 0..``n_classes(network)`` − 1.

    The same seed gives the same images. With ``jitter`` half of the cells and chests come from scanner C, and
    contrast, brightness, colour balance and polarity vary; without it all come from scanner A, as they are.
    """
    generator = torch.Generator().manual_seed(seed)
    shares = torch.tensor([share for _, share in FAMILIES[network].values()])
    family = torch.multinomial(shares, n, replacement=True, generator=generator)
    x, y = torch.empty(n, 3, size, size, dtype=torch.uint8), torch.empty(n, dtype=torch.long)
    first = 0
    for k, (name, (classes, _)) in enumerate(FAMILIES[network].items()):
        at = (family == k).nonzero().flatten()
        labels = torch.randint(classes, (len(at),), generator=generator)
        drawn = images(name, labels, size, seed=_seed(generator))
        if jitter and name in ("smear", "chest", "invented cells"):
            there = torch.rand(len(at), generator=generator) < 0.5
            drawn[there] = SCANNERS["C"](drawn[there], seed=_seed(generator))
        x[at], y[at] = drawn, first + labels
        first += classes
    return Split(_jitter(x, generator) if jitter else x, y)


def images(family: str, labels, size: int, *, seed: int) -> torch.Tensor:
    """uint8 N×3×size×size of one family, for its labels 0 .. (number of its classes − 1)."""
    if family == "smear":
        cells = torch.tensor([list(SMEAR).index(cell) for cell in SEEN_CELLS])
        return draw("smear", cells[labels], size, channels=3, seed=seed)
    if family == "waves":
        return draw("texture", labels, size, channels=3, seed=seed)
    paint = {
        "invented cells": _paint_invented,
        "chest": _paint_findings,
        "fractal": _paint_fractal,
        "contour": _paint_contour,
    }[family]
    generator = torch.Generator().manual_seed(seed)
    parts = [to_bytes(paint(part, size, generator), 3) for part in labels.split(CHUNK)]
    return torch.cat(parts) if parts else torch.empty(0, 3, size, size, dtype=torch.uint8)


def held_out_task(
    n: int, seed: int, *, size: int = 64, scanner: str = "D", val: int = 10, test: int = 100
) -> ImageTask:
    """Blood cells of types that pre-training never saw, taken with a scanner that it never saw: transfer to a new task.

    ``n``, ``val`` and ``test`` count images per class. Training and validation images vary with the ``seed``, test
    images do not. A phantom task: uint8 N×3×size×size.
    """
    cells = [list(SMEAR).index(cell) for cell in HELD_OUT_CELLS]
    return cell_task(cells, n, seed, size=size, scanner=scanner, val=val, test=test)


def cell_task(cells, n: int, seed: int, *, size: int = 64, scanner: str = "D", val: int = 10, test: int = 100):
    """Like ``held_out_task``, for any cell types (numbers in the order of ``phantoms.SMEAR``)."""
    cells = torch.as_tensor(cells)
    note_source("smear", "twin")

    def split(per_class: int, seed: int) -> Split:
        y = torch.arange(len(cells)).repeat(per_class)
        return Split(SCANNERS[scanner](draw("smear", cells[y], size, seed=seed), seed=seed), y)

    names = tuple(list(SMEAR)[cell] for cell in cells)
    return ImageTask(f"cells, scanner {scanner}", split(n, 3 * seed + 10_000), split(val, 3 * seed + 10_001),
                     split(test, 9_999), names, None, "twin", "drawn by code", "phantoms")  # fmt: skip


def _seed(generator) -> int:
    return int(torch.randint(2**31, (1,), generator=generator))


def _jitter(x, generator):
    """Contrast, brightness, colour balance, polarity and a little noise, each image on its own; uint8 to uint8."""
    n = len(x)

    def random(low, high, shape=(n, 1, 1, 1)):
        return low + (high - low) * torch.rand(shape, generator=generator)

    image = x.float() / 255
    negative = torch.rand(n, 1, 1, 1, generator=generator) < 0.25
    image = torch.where(negative, 1 - image, image)
    image = (image - 0.5) * random(0.5, 1.4) * random(0.85, 1.15, (n, 3, 1, 1)) + 0.5 + random(-0.15, 0.15)
    return to_bytes(image + random(0, 0.04) * torch.randn(image.shape, generator=generator))


def _paint_findings(labels, size: int, generator):
    """Normal chest phantoms with one finding of ``CHEST_FINDINGS`` painted over; N×1×S×S."""
    n = len(labels)
    y, x = phantoms.pixel_grid(size)

    def random(low, high):
        return phantoms._uniform(n, low, high, generator)

    image = phantoms._paint_chest(torch.zeros_like(labels), size, generator)[:, 0]
    side = (torch.rand(n, generator=generator) < 0.5).float()[:, None, None] * 2 - 1

    def present(finding):
        return (labels == CHEST_FINDINGS.index(finding)).float()[:, None, None]

    level = random(0.25, 0.5) + 0.15 * (x - side * 0.5).square() * 4
    fluid = ((y - level) * 14).sigmoid() * phantoms._disc(y, x, 0.1, side * 0.45, 0.75, 0.6)
    image = image + present("effusion") * fluid * random(0.25, 0.45)
    heart = phantoms._disc(y, x, 0.36, 0.12, random(0.42, 0.55), random(1.1, 1.5))
    image = image + present("large heart") * heart * random(0.2, 0.35)
    for _ in range(3):
        spot = phantoms._disc(y, x, random(-0.4, 0.4), side * random(0.3, 0.6), random(0.06, 0.13))
        image = image + present("nodules") * spot * random(0.2, 0.4)
        side = -side
    dark = phantoms._disc(y, x, random(-0.35, -0.1), side * random(0.5, 0.65), random(0.25, 0.4), 0.6)
    image = image - present("pneumothorax") * dark * random(0.15, 0.3)
    return image[:, None]


def invented_cells(n: int = 32) -> phantoms.CellTypes:
    """Cell types with random radius, nucleus, granules and colours, none of them near one that is held out.

    Near means: as many lobes, the radius within 0.05 and the share of granules within 0.08.
    """
    held_out = [SMEAR[cell] for cell in HELD_OUT_CELLS]
    rows, kidney, hidden, k = [], [], [], 0
    while len(rows) < n:
        u = ((_class_numbers(10_000 + k, 16) + 1) / 2).tolist()
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
    return phantoms.cell_types(rows, kidney, hidden)


def _paint_invented(labels, size: int, generator):
    return phantoms._paint_smear(labels, size, generator, invented_cells())


def _class_numbers(k: int, shape) -> torch.Tensor:
    """Random numbers in −1..1 that belong to class ``k`` for ever."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(7_000 + k)) * 2 - 1


def _fractal_maps() -> torch.Tensor:
    """Classes×3×2×3: three contracting affine maps of the plane for each class."""
    maps = []
    for k in range(FAMILIES["vgg16"]["fractal"][0]):
        numbers = _class_numbers(k, (3, 4))
        angle, shrink = numbers[:, 0] * torch.pi, 0.55 + 0.2 * numbers[:, 1]
        turn = torch.stack(
            [torch.stack([angle.cos(), -angle.sin()], -1), torch.stack([angle.sin(), angle.cos()], -1)], 1
        )
        maps.append(torch.cat([turn * shrink[:, None, None], numbers[:, 2:, None] * 0.8], 2))
    return torch.stack(maps)


def _paint_fractal(labels, size: int, generator, points: int = 256, steps: int = 24):
    """The attractor of each class's iterated function system, turned, coloured, on a smooth background; N×3×S×S."""
    n = len(labels)
    maps = _fractal_maps()[labels]
    maps = maps + 0.04 * torch.randn(maps.shape, generator=generator)
    at = torch.zeros(n, points, 2)
    count = torch.zeros(n, size * size)
    angle = torch.rand(n, generator=generator) * 2 * torch.pi
    turn = torch.stack([torch.stack([angle.cos(), -angle.sin()], -1), torch.stack([angle.sin(), angle.cos()], -1)], 1)
    zoom = 0.30 + 0.20 * torch.rand(n, 1, 1, generator=generator)
    for step in range(steps):
        which = torch.randint(3, (n, points), generator=generator)
        chosen = maps[torch.arange(n)[:, None], which]  # N×P×2×3
        at = (chosen[..., :2] @ at[..., None])[..., 0] + chosen[..., 2]
        if step >= 6:  # near the attractor by now
            pixel = (((at @ turn.mT) * zoom + 0.5) * size).long()
            inside = ((pixel >= 0) & (pixel < size)).all(-1).float()
            index = (pixel[..., 1] * size + pixel[..., 0]).clamp(0, size * size - 1)
            count.scatter_add_(1, index, inside)
    shape = F.avg_pool2d(count.view(n, 1, size, size), 3, 1, 1)
    shape = 1 - (-shape * (size / 32) ** 2).exp()
    return _coloured(shape, n, size, generator)


def _paint_contour(labels, size: int, generator):
    """Closed contours: 2 to 9 lobes, smooth or rough, filled or a ring, each class one combination; N×3×S×S."""
    n = len(labels)
    y, x = phantoms.pixel_grid(size)

    def random(low, high):
        return phantoms._uniform(n, low, high, generator)

    lobes, rough, ring = (part.float()[:, None, None] for part in (labels % 8 + 2, labels // 8 % 2, labels // 16 % 2))
    cy, cx, radius = random(-0.25, 0.25), random(-0.25, 0.25), random(0.35, 0.65)
    theta = torch.atan2(y - cy, x - cx) + random(0, 6.3)
    wave = random(0.12, 0.25) * (lobes * theta).sin()
    fine = rough * random(0.08, 0.16) * ((4 * lobes + 5) * theta + random(0, 6.3)).sin()
    border = radius * (1 + wave + fine)
    mask = phantoms._disc(y, x, cy, cx, border, random(0.8, 1.3))
    inner = phantoms._disc(y, x, cy, cx, border * 0.6, 1.0)
    return _coloured((mask - ring * inner * mask)[:, None], n, size, generator)


def _coloured(mask, n: int, size: int, generator):
    """A shape N×1×S×S (0..1) in one colour and grain over a background of another; a third of them grey; N×3×S×S."""
    inside, outside = (torch.rand(n, 3, 1, 1, generator=generator) for _ in range(2))
    grey = torch.rand(n, 1, 1, 1, generator=generator) < 0.33
    inside, outside = (torch.where(grey, c.mean(1, keepdim=True), c) for c in (inside, outside))
    close = (inside - outside).abs().mean((1, 2, 3), keepdim=True) < 0.15  # a shape that nobody could see
    inside = torch.where(close, (inside + 0.4) % 1, inside)
    grain = [phantoms._noise(n, size, cells, generator)[:, None] * 0.12 for cells in (5, max(4, size // 3))]
    return (outside + grain[0]).lerp(inside + grain[1], mask.expand(-1, 3, -1, -1)).clamp(0, 1)
