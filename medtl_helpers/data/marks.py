"""A hospital's mark on its images: what a network may learn in the place of the disease.

X-rays carry a metal letter for the side, and ultrasound a burnt-in token of the device. Where one ward, with the sicker
patients, marks its images in its own way, a network can read the mark and leave the patient alone: Zech et al., PLOS
Medicine 15 (2018), doi 10.1371/journal.pmed.1002683, found that of real chest X-rays. Here the mark is planted, so that
it is known where it is, and so that the same image exists with it, without it, and with it at another place.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..labels import as_labels, as_share, as_yes_no
from ..parts import check_choice, check_whole, shown
from .phantoms import draw_ultrasound

LETTERS = {  # five rows of four dots
    "L": ("1000", "1000", "1000", "1000", "1111"),
    "R": ("1110", "1001", "1110", "1010", "1001"),
    "A": ("0110", "1001", "1111", "1001", "1001"),
}
CORNERS = {"upper left": (0, 0), "upper right": (0, 1), "lower left": (1, 0), "lower right": (1, 1)}
SEED_OF_MARKS = 5_000_000  # the marks have random numbers of their own: the images are the same with and without them


def draw_marked_ultrasound(
    labels,
    size: int = 48,
    *,
    share: dict[int, float] | None = None,
    at: str = "upper left",
    letter: str = "R",
    mark_size: int | None = None,
    strength: float = 1.0,
    seed: int = 0,
) -> tuple[Tensor, Tensor, Tensor]:
    """Ultrasound phantoms with a mark on a share of each class: the images, their lesions, and their marks.

    Parameters
    ----------
    labels: int N, 0 malignant, 1 benign. size: pixels a side, at least 16.
    share: which share of a class has the mark, by class; None: 0.9 of the malignant and 0.1 of the benign images.
    at, letter, mark_size, strength: of the mark, as ``plant_marks`` takes them.
    seed: the images are those of ``draw_ultrasound(labels, size, seed=seed)``, whatever the mark is. An image that has
        the mark at some share has it at every larger one, and with another ``at`` it is the same image, whose mark has
        moved.

    Returns uint8 N×1×S×S, bool N×S×S (the lesions) and bool N×S×S (the marks; nowhere true where there is none). Raises
    ValueError for other labels, and for a share that is not between 0 and 1.
    """
    check_whole(size, "size", least=16)
    x, lesions = draw_ultrasound(labels, size, seed=seed)
    share = {0: 0.9, 1: 0.1} if share is None else share
    if not isinstance(share, dict) or set(share) != {0, 1}:
        raise ValueError(
            f"share is {shown(share)}: give a dict with the share of both classes, like {{0: 0.9, 1: 0.1}}."
        )
    of_class = torch.tensor([as_share(share[k], f"share of class {k}", ends=True) for k in (0, 1)])
    drawn = torch.rand(len(x), generator=torch.Generator().manual_seed(SEED_OF_MARKS + seed))
    which = drawn < of_class[torch.from_numpy(as_labels(labels, len(x)))]
    images, marks = plant_marks(x, which, at=at, letter=letter, mark_size=mark_size, strength=strength, seed=seed)
    return images, lesions, marks


def plant_marks(
    images,
    which,
    *,
    at: str = "upper left",
    letter: str = "R",
    mark_size: int | None = None,
    strength: float = 1.0,
    seed: int = 0,
) -> tuple[Tensor, Tensor]:
    """The images with a white letter near a corner of some of them, and where it is: uint8 N×C×H×W and bool N×H×W.

    Parameters
    ----------
    images: uint8 N×C×H×W; they are not changed. which: bool N, the images that get the mark.
    at: one of ``CORNERS``. letter: one of ``LETTERS``. mark_size: its height in pixels; None: a sixth of the image's.
    strength: how white it is, from 0 (not there) to 1. seed: of its place, which varies by two pixels each way.

    The mask is the letter's box. Raises ValueError for what are no images, and for a mark that does not fit into them.
    """
    check_choice(at, "at", CORNERS)
    check_choice(letter, "letter", LETTERS)
    check_whole(seed, "seed", least=0)
    if not isinstance(images, Tensor) or images.dtype != torch.uint8 or images.ndim != 4 or not len(images):
        raise ValueError(f"The images are {shown(images)}: give a tensor of at least one, uint8 N×C×H×W.")
    n, _, height, width = images.shape
    which = as_yes_no(which, n, "images that get a mark", both=False)
    tall = check_whole(mark_size if mark_size is not None else max(5, min(height, width) // 6), "mark_size", least=5)
    wide = round(tall * 0.8)
    if max(tall, wide) + 4 > min(height, width):
        raise ValueError(f"A mark of {tall} px does not fit into images of {height} × {width} px: give a smaller one.")
    strength = as_share(strength, "strength", ends=True)
    dots = torch.tensor([[float(dot) for dot in row] for row in LETTERS[letter]])
    dots = strength * F.interpolate(dots[None, None], size=(tall, wide), mode="nearest")[0, 0]
    down, right = CORNERS[at]
    offset = torch.randint(0, 3, (n, 2), generator=torch.Generator().manual_seed(SEED_OF_MARKS + 1 + seed)).tolist()
    images, marks = images.clone(), torch.zeros(n, height, width, dtype=torch.bool)
    for k in which.nonzero()[0]:
        top, left = offset[k][0] + 1, offset[k][1] + 1
        top, left = height - tall - top if down else top, width - wide - left if right else left
        box = images[k, :, top : top + tall, left : left + wide]
        box.copy_(box.float().lerp(torch.tensor(255.0), dots.expand_as(box)).round_())
        marks[k, top : top + tall, left : left + wide] = True
    return images, marks
