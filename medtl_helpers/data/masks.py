"""``MaskTask``: images and their masks, which know what belongs together; and how to draw a few masks of one.

A mask gives each pixel the number of its class, and 0 is always the background. Pictures that were cut from one slide,
or slices of one patient, are of one group: they are more alike than two pictures of two patients, so that they stand in
one split, and an interval draws groups and not pictures.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from ..parts import check_whole, shown
from .image_tasks import ImageTask
from .tasks import SPLITS, Split

BACKGROUND = "background"


@dataclass(frozen=True)
class MaskTask(ImageTask):
    """A task of outlines: of each split ``x`` is uint8 N×C×H×W and ``y`` uint8 N×H×W, the class number of each pixel.

    ``classes`` begins with ``"background"``, whose number is 0. ``groups`` is None where nobody knows what belongs
    together, or has for each split an int64 array with the number of each image's group (its patient, or the slide that
    it was cut from). The loaders see to it that no group stands in two splits. ``positive`` is not used.

    Raises ValueError where images and masks do not fit together, for masks of other numbers than those of the classes,
    and where there is not one group for each image.
    """

    groups: dict[str, Any] | None = None
    OF_IMAGES: ClassVar[tuple[str, ...]] = ("files", "patients", "groups")

    def __post_init__(self):
        if len(self.classes) < 2 or self.classes[0] != BACKGROUND:
            raise ValueError(
                f"The classes of {self.name} are {', '.join(self.classes) or 'none'}: give two or more, "
                f"{BACKGROUND!r} the first."
            )
        for split in SPLITS:
            check_pair(getattr(self, split), f"{split} split of {self.name}", len(self.classes))
        super().__post_init__()

    def where(self, split: str, row: int) -> str:
        """Where a picture is, for people: its file, or its split and row."""
        return self.files[split][row] if self.files is not None else f"{split} row {row}"


def check_pair(pair: Split, name: str, classes: int) -> None:
    """Raises ValueError unless images uint8 N×C×H×W and masks uint8 N×H×W of ``classes`` classes fit together."""
    x, y = pair
    for given, what, letters in ((x, "images", "N×C×H×W"), (y, "masks", "N×H×W")):
        dtype, shape = getattr(given, "dtype", None), tuple(getattr(given, "shape", ()))
        if dtype != torch.uint8 or len(shape) != len(letters.split("×")):
            found = shown(given) if dtype is None else f"{dtype} of shape {shape}"
            raise ValueError(f"The {what} of the {name} are {found}: give a uint8 tensor {letters}.")
    if (len(x), *x.shape[2:]) != tuple(y.shape):
        raise ValueError(
            f"The {name} has images of shape {tuple(x.shape)} and masks of shape {tuple(y.shape)}: give one mask of "
            "the same height and width for each image."
        )
    if len(y) and (highest := int(y.max())) >= classes:
        raise ValueError(
            f"The masks of the {name} hold the number {highest}, and there are {classes} classes: number the classes "
            f"from 0 to {classes - 1}, with 0 for the background."
        )


def few_masks(task: MaskTask, n: int, *, seed: int, val: int | None = None) -> MaskTask:
    """``n`` training images with their masks, drawn from training; the test split stays as it is.

    They are of different groups (patients, slides) where these are known, as far as there are enough: the second image
    of a group is taken when each group has given one. Of one seed, the 3 masks of ``n=3`` are among the 10 of ``n=10``.

    Parameters
    ----------
    task: images and masks; its classes are not looked at, so that a draw may lack a rare one.
    n: the number of training masks in all, 1 or more.
    seed: of the draw.
    val: the number of validation masks, drawn from validation in the same way, or 0 for none; with None validation
        stays whole. Real life with few masks has few for validation, too.

    Raises ValueError where there are fewer masks than that, and TypeError for what is no ``MaskTask``.
    """
    if not isinstance(task, MaskTask):
        raise TypeError(f"few_masks was given {shown(task)}: give a MaskTask, like mtl.load('nuclei').")
    check_whole(seed, "seed", least=0)
    wanted = {"train": check_whole(n, "n", least=1)} | (
        {} if val is None else {"val": check_whole(val, "val", least=0)}
    )
    rng, rows, start = np.random.default_rng(seed), {}, 0
    for split in SPLITS:
        there = len(getattr(task, split).y)
        order = rng.permutation(there)
        if (count := wanted.get(split, 0)) > there:
            raise ValueError(f"{task.name} has {there} masks for {split}, and {count} were asked for: take fewer.")
        if split in wanted:
            groups = np.arange(there) if task.groups is None else np.asarray(task.groups[split])
            rows[split] = start + order[np.argsort(_turns(groups[order]), kind="stable")][:count]
        start += there
    return task.with_rows(rows)


def _turns(groups: np.ndarray) -> np.ndarray:
    """int N: how many earlier entries are of the same group."""
    seen: dict[int, int] = {}
    turns = np.zeros(len(groups), int)
    for k, group in enumerate(groups.tolist()):
        turns[k] = seen.get(group, 0)
        seen[group] = turns[k] + 1
    return turns
