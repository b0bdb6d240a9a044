"""What the embedded weights were pre-trained on, and what was kept from them, in one place.

Reading out a class that the source knew is not transfer to a new task. So three cell types, pneumonia, every breast
ultrasound and two scanners never enter pre-training: ``HELD_OUT_CELLS``, ``HELD_OUT_SCANNERS`` and what ``FAMILIES``
leaves out. Lessons and cards measure transfer on those (``held_out_task``), and a test looks that none slipped in.

The source is richer than blood smears, since features of smears alone proved worse than random ones on real chest
X-rays: chest findings other than pneumonia, waves, fractals (iterated function systems, as in Kataoka et al., ACCV
2020, arXiv 2101.08515), contours (as in Kataoka et al., CVPR 2022, arXiv 2206.09132) and invented cells join them,
and the contrast, brightness and polarity of the images vary at random.
"""

from collections.abc import Callable

import torch

from ..labels import as_labels
from ..parts import check_choice, check_whole
from ..provenance import note_source
from .image_tasks import ImageTask
from .painting import CHUNK, to_bytes
from .patterns import N_FRACTALS, paint_contour, paint_fractal
from .phantoms import draw
from .scans import CHEST_FINDINGS, paint_findings
from .shifts import SCANNERS
from .smears import HELD_OUT_CELLS, SMEAR, paint_invented
from .tasks import Split

SEEN_CELLS = tuple(cell for cell in SMEAR if cell not in HELD_OUT_CELLS)
SEEN_SCANNERS = ("A", "C")
HELD_OUT_SCANNERS = ("B", "D")  # the two that mix colours, blur and shade strongly
# family of images -> (classes, share of the images); together one classification task. The small network, cheaper to
# train, also saw cell types that no atlas knows.
FAMILIES = {
    "vgg16": {"smear": (len(SEEN_CELLS), 0.25), "chest": (len(CHEST_FINDINGS), 0.20), "waves": (24, 0.12),
              "fractal": (N_FRACTALS, 0.23), "contour": (32, 0.20)},
    "resnet": {"smear": (len(SEEN_CELLS), 0.20), "chest": (len(CHEST_FINDINGS), 0.12), "waves": (24, 0.06),
               "fractal": (N_FRACTALS, 0.12), "contour": (32, 0.10), "invented cells": (32, 0.40)},
}  # fmt: skip


def n_classes(network: str) -> int:
    """How many classes the pre-training of ``network`` has."""
    check_choice(network, "The network", FAMILIES)
    return sum(classes for classes, _ in FAMILIES[network].values())


def class_names(network: str) -> tuple[str, ...]:
    """The names of the classes in the pre-training of ``network``, in the order of their numbers."""
    check_choice(network, "The network", FAMILIES)
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
    check_choice(network, "The network", FAMILIES)
    for what, value in {"n": n, "size": size, "seed": seed}.items():
        check_whole(value, what, least=0)
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
    check_choice(family, "The family", dict.fromkeys(name for families in FAMILIES.values() for name in families))
    labels = torch.from_numpy(as_labels(labels, None))
    if family == "smear":
        cells = torch.tensor([list(SMEAR).index(cell) for cell in SEEN_CELLS])
        return draw("smear", cells[labels], size, channels=3, seed=seed)
    if family == "waves":
        return draw("texture", labels, size, channels=3, seed=seed)
    painters: dict[str, Callable] = {
        "invented cells": paint_invented,
        "chest": paint_findings,
        "fractal": paint_fractal,
        "contour": paint_contour,
    }
    paint = painters[family]
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
    """Like ``held_out_task``, for any cell types (numbers in the order of ``smears.SMEAR``)."""
    cells = torch.from_numpy(as_labels(cells, None, len(SMEAR), "cell types", each=False))
    check_choice(scanner, "The scanner", SCANNERS)
    for name, value in {"n": n, "val": val, "test": test, "seed": seed}.items():
        check_whole(value, name, least=0)
    note_source("smear", "twin")

    def split(per_class: int, seed: int) -> Split:
        y = torch.arange(len(cells)).repeat(per_class)
        return Split(SCANNERS[scanner](draw("smear", cells[y], size, seed=seed), seed=seed), y)

    names = tuple(list(SMEAR)[cell] for cell in cells)
    return ImageTask(
        f"cells, scanner {scanner}",
        split(n, 3 * seed + 10_000),
        split(val, 3 * seed + 10_001),
        split(test, 9_999),
        names,
        None,
        "twin",
        "drawn by code",
        "phantoms",
    )


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
