"""Small drawn volumes of the abdomen, on which a network with three-dimensional filters is trained in seconds."""

import numpy as np
import torch

from ..parts import check_choice, check_whole
from .abdomen import rendered, seen
from .abdomen_anatomy import LESIONS, anatomy, labels_of, tissues
from .abdomen_looks import WINDOWS

VOLUME_LOOKS = ("ct", "t1", "t2")
SMALLEST_VOLUME = 8  # voxels a side
HALF = 0.8  # of the cube, in units of the anatomy


def draw_volumes(
    n: int, *, size: int = 24, look: str = "ct", lesion: str | None = None, window: str = "abdomen", seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw ``n`` cubes of the abdomen, each of another patient, and the organ at each voxel.

    ``look``, ``lesion``, ``window`` and ``seed`` are those of ``draw_abdomen``, but for X-rays, which have no depth.
    The axes are depth (from head to feet), height and width, of ``size`` voxels each.

    Returns uint8 n×1×size×size×size and uint8 n×size×size×size with numbers of ``ABDOMEN_CLASSES``. Raises ValueError
    for arguments that it cannot draw.
    """
    check_choice(look, "The look of a volume", VOLUME_LOOKS)
    check_choice(window, "The window", WINDOWS)
    if lesion is not None:
        check_choice(lesion, "The lesion", LESIONS)
    check_whole(n, "n", least=0)
    check_whole(size, "size", least=SMALLEST_VOLUME)
    check_whole(seed, "seed", least=0)
    x = torch.empty(n, 1, size, size, size, dtype=torch.uint8)
    labels = torch.empty(n, size, size, size, dtype=torch.uint8)
    axis = ((np.arange(size) + 0.5) / size * 2 - 1) * HALF
    for k in range(n):
        patient = anatomy(np.random.default_rng((seed, k)))
        here = tissues(patient, axis, axis, axis, seen(lesion))
        image = rendered(here, np.random.default_rng((seed, k, VOLUME_LOOKS.index(look))), look, window)
        x[k, 0] = torch.from_numpy((image * 255).round().astype(np.uint8))
        labels[k] = torch.from_numpy(labels_of(tissues(patient, axis, axis, axis, lesion)))
    return x, labels
