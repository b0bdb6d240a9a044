"""Images with masks for a training, looked at once; and what is done to both at once: crops, turns and mirrors."""

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from .. import guards
from ..parts import shown
from .augment import __name__ as augment_module

Pair = tuple[Tensor, Tensor]


def as_masks(masks, name: str = "given") -> Tensor:
    """``masks`` as uint8 N×H×W. Raises ValueError unless they are whole numbers of 0 to 255, or true and false."""
    masks = torch.as_tensor(masks) if isinstance(masks, np.ndarray | Tensor) else masks
    if not isinstance(masks, Tensor) or masks.ndim != 3 or masks.is_floating_point() or masks.is_complex():
        found = shown(masks)
        if isinstance(masks, Tensor):
            found = f"{str(masks.dtype).removeprefix('torch.')} of shape {tuple(masks.shape)}"
        raise ValueError(f"The {name} masks are {found}: give the class number of each pixel, uint8 N×H×W.")
    if not masks.numel():
        raise ValueError(f"There are no {name} masks: give at least one.")
    if int(masks.min()) < 0 or int(masks.max()) > 255:
        raise ValueError(
            f"The {name} masks run from {int(masks.min())} to {int(masks.max())}: number the classes from 0, the "
            "background, to 255 at most."
        )
    return masks.to(torch.uint8)


def as_mask_pair(pair, name: str) -> Pair:
    """Images (uint8 or float N×C×H×W) and masks (uint8 N×H×W). Raises ValueError where they do not fit together."""
    pair = pair.tensors if isinstance(pair, TensorDataset) else pair
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        found = f"{shown(pair)}{', a whole task, of which task.train is a pair' if hasattr(pair, 'train') else ''}"
        raise ValueError(f"The {name} set is {found}: give a pair (x, y) of images and masks.")
    x, y = guards.as_inputs(pair[0], name), as_masks(pair[1], name)
    if x.ndim != 4 or (len(x), *x.shape[2:]) != y.shape:
        raise ValueError(
            f"The {name} images have shape {tuple(x.shape)} and the masks {tuple(y.shape)}: give N×C×H×W and N×H×W, "
            "one mask of the same size for each image."
        )
    return x, y


def as_mask_sets(model, train, val) -> tuple[Tensor, Tensor, Pair | None]:
    """Images, masks and ``val`` for training ``model``. Raises ValueError where they cannot teach anything."""
    x, y = as_mask_pair(train, "training")
    guards.tell_of_range(model, x, "training")
    seen = y.unique().tolist()
    if seen == [0]:
        raise ValueError("All training masks are empty, so there is nothing to outline: give some with an object.")
    if val is None:
        return x, y, None
    val_x, val_y = as_mask_pair(val, "validation")
    if unseen := sorted(set(val_y.unique().tolist()) - set(seen)):
        raise ValueError(
            f"Class {', '.join(map(str, unseen))} is in the validation masks and not in the training masks, so it "
            "cannot be learnt: add images with it, or leave it out."
        )
    if x.shape[1] != val_x.shape[1]:
        raise ValueError(
            f"Training images have {x.shape[1]} channels, validation images {val_x.shape[1]}: both need the same."
        )
    return x, y, (val_x, val_y)


def check_stays(augment, turn) -> None:
    """Raises ValueError for ``augment`` and ``wide_augment``, which move images, and for a ``turn`` that is no bool."""
    if getattr(augment, "__module__", None) == augment_module:
        raise ValueError(
            "augment moves the images, and their masks would stay where they were: give turn=True and crop=…, which "
            "move both, and for augment what changes tones alone, like random_contrast."
        )
    if not isinstance(turn, bool):
        raise ValueError(f"turn is {shown(turn)}: give True or False.")


def cropped_together(x: Tensor, y: Tensor, size: int, generator: torch.Generator) -> Pair:
    """A square of ``size`` pixels at a random place of each image, and the same of its mask."""
    n, height, width = y.shape
    top = torch.randint(height - size + 1, (n, 1, 1), generator=generator).to(y.device)
    left = torch.randint(width - size + 1, (n, 1, 1), generator=generator).to(y.device)
    side = torch.arange(size, device=y.device)
    place = torch.arange(n, device=y.device)[:, None, None], top + side[:, None], left + side
    return x.movedim(1, -1)[place].movedim(-1, 1), y[place]


def turned_together(x: Tensor, y: Tensor, generator: torch.Generator) -> Pair:
    """Each image with its mask in one of the eight symmetries of a square; of other shapes, in one of four."""
    x, y, ways = x.clone(), y.clone(), 8 if y.shape[1] == y.shape[2] else 4
    which = torch.randint(ways, (len(y),), generator=generator)
    for k in range(1, ways):
        rows = torch.nonzero(which == k).flatten().to(y.device)
        x[rows], y[rows] = symmetry(x[rows], k), symmetry(y[rows], k)
    return x, y


def symmetry(maps: Tensor, k: int) -> Tensor:
    """``maps`` …×H×W mirrored left and right, upside down, and at the diagonal, as the three bits of ``k`` say."""
    for bit, axis in ((1, -1), (2, -2)):
        maps = maps.flip(axis) if k & bit else maps
    return maps.transpose(-1, -2) if k & 4 else maps
