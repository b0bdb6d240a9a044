"""Outlines without a network: one threshold for each image, by Otsu's method.

[1] Otsu, A threshold selection method from gray-level histograms, IEEE Transactions on Systems, Man, and Cybernetics 9
(1979), doi 10.1109/TSMC.1979.4310076, equation 18
[2] Ruifrok, Johnston, Quantification of histochemical staining by color deconvolution, Analytical and Quantitative
Cytology and Histology 23 (2001)

Where contrast is all there is, nothing trained is better, and so it stands beside each network.
"""

import numpy as np
import torch
from torch import Tensor

from ..guards import as_inputs
from ..parts import check_choice, shown

STAINS = ((0.65, 0.70, 0.29), (0.07, 0.99, 0.11), (0.27, 0.57, 0.78))  # haematoxylin, eosin, DAB in R, G, B [2]


def otsu_masks(images, *, bright: bool | None = None, of: str = "grey") -> Tensor:
    """1 where a pixel is on the object's side of its image's threshold, else 0: uint8 N×H×W of uint8 N×C×H×W.

    The threshold makes the variance between both sides largest [1], and is one of the 255 between the grey values.

    Parameters
    ----------
    bright: whether the object is brighter than what surrounds it; None: whichever side has fewer pixels is the object,
        so that nothing needs to be known of the image.
    of: ``"grey"``, the mean of the channels; or ``"haematoxylin"``, how much of that stain a colour image has [2],
        stretched to 0 to 255: nuclei are then the bright side.

    An image of one grey value has no object. Raises ValueError for images of another type or shape.
    """
    check_choice(of, "of", ("grey", "haematoxylin"))
    if bright is not None and not isinstance(bright, bool):
        raise ValueError(f"bright is {shown(bright)}: give True, False, or None for the smaller side.")
    maps = grey_values(images, of)
    grey = maps.flatten(1)
    count = torch.zeros(len(grey), 256, dtype=torch.float64)
    count.scatter_add_(1, grey.long(), torch.ones_like(grey, dtype=torch.float64))
    share = count / grey.shape[1]
    below = share.cumsum(1)  # ω(k) of [1]
    mean = (share * torch.arange(256)).cumsum(1)  # μ(k)
    between = (mean[:, -1:] * below - mean) ** 2 / (below * (1 - below)).clamp_min(1e-12)
    above = grey > between.argmax(1, keepdim=True)
    larger = above.sum(1, keepdim=True) * 2 > grey.shape[1]
    other_side = larger if bright is None else torch.tensor(not bright)
    two_values = grey.amin(1, keepdim=True) < grey.amax(1, keepdim=True)
    return ((above ^ other_side) & two_values).view_as(maps).to(torch.uint8)


def grey_values(images, of: str = "grey") -> Tensor:
    """uint8 N×H×W, on the CPU: the mean of the channels, or the amount of haematoxylin in each image, stretched."""
    x = as_inputs(images, "given")
    if x.dtype != torch.uint8 or x.ndim != 4 or not x.numel():
        found = f"{str(x.dtype).removeprefix('torch.')} of shape {tuple(x.shape)}"
        raise ValueError(f"The images are {found}: give at least one, uint8 N×C×H×W, 0 to 255.")
    if of == "grey":
        return x.cpu().float().mean(1).round().to(torch.uint8)
    if x.shape[1] != 3:
        raise ValueError(f"The images have {x.shape[1]} channels, and stains need three: red, green and blue.")
    stains = np.array(STAINS) / np.linalg.norm(STAINS, axis=1, keepdims=True)
    density = -torch.log10(x.cpu().double().clamp_min(1) / 255)
    amount = torch.einsum("nchw,c->nhw", density, torch.from_numpy(np.linalg.inv(stains)[:, 0]))
    low, high = amount.amin((1, 2), keepdim=True), amount.amax((1, 2), keepdim=True)
    return ((amount - low) / (high - low).clamp_min(1e-12) * 255).round().to(torch.uint8)
