"""Nuclei under the microscope with their outlines: the pictures of a competition where they are on this disk, else
drawn ones.

The 664 pictures of the first stage of the Data Science Bowl 2018 come from many laboratories: nuclei that shine in the
dark (``fluorescence``), purple ones in stained tissue (``histology``) and grey ones on bright ground (``bright``). They
were published as pictures of their own, but most were cut from larger ones: ``crops.picture_groups`` finds 30
of them behind the 107 pictures of tissue. The pieces of one picture stand in one split.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..assets import find
from ..parts import check_choice
from .archives import read_npz
from .crops import picture_groups
from .masks import BACKGROUND, MaskTask
from .tasks import SPLITS, Split
from .text_tasks import parted

SIDE = 128  # pixels
KINDS = ("fluorescence", "histology", "bright")  # in the order of their numbers in the file


def load_nuclei(about: dict, kind: str) -> MaskTask:
    """The pictures and outlines of one kind, 128 px, split once and for all; the twin's where the file is not there.

    Raises ValueError for an unknown kind, and for a file that does not hold what the card says.
    """
    check_choice(kind, "kind", KINDS)
    found = find(about, "dsb2018")
    if found.path is None:
        x, y = _twin(kind, about["kinds"][kind]["twin"])
        groups, provenance = np.arange(len(x)), "twin"
        note = f"for real data: make data ONLY=nuclei ({found.why_not})"
    else:
        x, y, groups = _real(found.path, KINDS.index(kind))
        provenance, pictures = "real", len(set(groups.tolist()))
        note = f"cut from {pictures} larger pictures or so, none of which is in two splits"
    shares = about["kinds"][kind]
    parts = parted(groups, torch.zeros(len(x), dtype=torch.long), test=shares["test"], val=shares["val"], seed=0)
    train, val, test = (Split(x[part], y[part]) for part in parts)
    return MaskTask(
        f"nuclei:{kind}",
        train,
        val,
        test,
        classes=(BACKGROUND, "nucleus"),
        provenance=provenance,
        licence=about["licence"],
        note=note,
        groups={split: groups[part.numpy()] for split, part in zip(SPLITS, parts, strict=True)},
    )


@lru_cache(maxsize=3)
def _real(path: Path, number: int) -> tuple[Tensor, Tensor, np.ndarray]:
    """The pictures uint8 N×3×128×128, masks uint8 N×128×128 and groups int64 N of one kind."""
    arrays = read_npz(path, ["x", "m", "k"])
    at = arrays["k"] == number
    x = torch.from_numpy(arrays["x"][at]).permute(0, 3, 1, 2).contiguous()
    return x, torch.from_numpy(arrays["m"][at].astype(np.uint8)), picture_groups(x)


@lru_cache(maxsize=3)
def _twin(kind: str, n: int) -> tuple[Tensor, Tensor]:
    from .drawn_nuclei import draw_nuclei

    return draw_nuclei(n, kind=kind, size=SIDE, seed=700 + KINDS.index(kind))
