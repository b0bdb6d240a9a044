"""What ``auto_transfer`` asks of a task before it begins, so that no search ends in an error that was there before."""

import torch

from .. import guards
from ..parts import shown

SETS = (("train", "training"), ("val", "validation"))


def checked_task(task) -> tuple[tuple, tuple, int]:
    """Training and validation data, and the number of classes. Of test nothing but its types and shapes is looked at.

    Raises ValueError for what is no task of images, for images that are not uint8 N×C×H×W of one shape C×H×W in all
    splits, and for labels that are not those of its classes.
    """
    if not all(hasattr(task, name) for name in ("train", "val", "test", "classes")) or getattr(task, "is_table", False):
        raise ValueError(
            f"The task is {shown(task)}: give a task of images, as load_folder and load make it, with train, val, test "
            "and classes."
        )
    train, val = (guards.as_examples(getattr(task, split), what, streamed=True) for split, what in SETS)
    for (x, _), (_, what) in zip((train, val), SETS, strict=True):
        if x.dtype != torch.uint8 or len(x.shape) != 4 or x.shape[1] not in (1, 3):
            raise ValueError(
                f"The {what} images are {x.dtype} of shape {tuple(x.shape)}: give uint8 images N×C×H×W, grey or RGB."
            )
    x, y = task.test
    kinds = [(str(getattr(x, "dtype", None)), tuple(getattr(x, "shape", ()))) for x in (train[0], val[0], x)]
    if len({(dtype, shape[1:]) for dtype, shape in kinds}) > 1 or not 0 < kinds[2][1][0] == len(y):
        told = "; ".join(f"{dtype} {shape}" for dtype, shape in kinds)
        raise ValueError(
            f"The images for training, validation and test are {told}, with {len(y)} test labels: give uint8 images of "
            "one size and one number of channels, and a label for each."
        )
    guards.check_classes(train[1], val[1])
    found, names = sorted(set(train[1].tolist())), list(task.classes)
    if found != list(range(len(names))):
        raise ValueError(
            f"The training labels are {', '.join(map(str, found))}, and the classes are 0 to {len(names) - 1}: give at "
            "least one training image of each class."
        )
    return train, val, len(names)
