"""Maps that know no network: what a saliency map must be better than before it says anything.

A map in the middle finds most lesions, since images are taken of them. A map of the edges looks like an explanation,
and no network is needed for it: Adebayo et al., NeurIPS 2018, arXiv 1810.03292.
"""

import numpy as np
import torch
import torch.nn.functional as F

from ..guards import as_inputs
from ..parts import check_whole


def centre_map(n: int, size: int) -> np.ndarray:
    """float32 N×S×S in 0..1: a hill in the middle of each of ``n`` images, whose deviation is a quarter of a side."""
    axis = (torch.arange(_side(n, size)) + 0.5) / size - 0.5
    hill = (-(axis[:, None].square() + axis.square()) / (2 * 0.25**2)).exp()
    return hill.expand(n, size, size).numpy().copy()


def random_map(n: int, size: int, *, cells: int = 6, seed: int = 0) -> np.ndarray:
    """float32 N×S×S in 0..1: ``cells`` × ``cells`` random numbers for each of ``n`` images, enlarged as Grad-CAM is.

    It is as smooth as a map of Grad-CAM from a layer of that size, so that it differs from one by its place alone.
    """
    check_whole(cells, "cells", least=1)
    check_whole(seed, "seed", least=0)
    _side(n, size)
    coarse = torch.rand(n, 1, cells, cells, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(coarse, size=(size, size), mode="bilinear")[:, 0].numpy()


def edge_map(x) -> np.ndarray:
    """float32 N×H×W: how steep each image is at each place (Sobel), after a mean over 3 × 3 pixels; of the grey image.

    ``x`` are images N×C×H×W. Raises ValueError for what are none.
    """
    x = as_inputs(x, "given")
    if x.ndim != 4 or not len(x):
        raise ValueError(f"The images have shape {tuple(x.shape)}: give at least one, N×C×H×W.")
    grey = F.avg_pool2d(F.pad(x.float().mean(1, keepdim=True), (2, 2, 2, 2), mode="replicate"), 3, 1)
    sobel = torch.tensor([[1.0, 2, 1], [0, 0, 0], [-1, -2, -1]])
    slopes = F.conv2d(grey, torch.stack([sobel, sobel.T])[:, None])
    return slopes.square().sum(1).sqrt().numpy()


def _side(n: int, size: int) -> int:
    check_whole(n, "n", least=1)
    return check_whole(size, "size", least=1)
