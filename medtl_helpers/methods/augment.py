"""Augmentation: each image of a batch is moved, mirrored, turned or recoloured on its own."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ..parts import check_rate, check_whole, shown


def augment(x: torch.Tensor, generator: torch.Generator, *, shift: int = 2, flip: bool = True) -> torch.Tensor:
    """Move and mirror each image of a batch on its own; N×C×H×W of any dtype, the same comes back.

    Every image moves by up to ``shift`` pixels in both directions (border pixels are repeated) and, with ``flip``,
    is mirrored left-right with probability one half. One gather for the whole batch: no loop over images.
    Mirroring swaps left and right: leave it out where sides matter (the heart is on the left).
    """
    _check_images(x)
    check_whole(shift, "shift", least=0)
    n, _, height, width = x.shape
    dy, dx = torch.randint(-shift, shift + 1, (2, n, 1), generator=generator)
    mirrored = torch.rand(n, 1, generator=generator) < (0.5 if flip else 0.0)
    rows = (torch.arange(height) + dy).clamp_(0, height - 1)
    columns = torch.arange(width).expand(n, width)
    columns = (torch.where(mirrored, width - 1 - columns, columns) + dx).clamp_(0, width - 1)
    pixel = (rows[:, :, None] * width + columns[:, None, :]).view(n, 1, -1).to(x.device)
    return x.flatten(2).gather(2, pixel.expand(-1, x.shape[1], -1)).view_as(x)


def wide_augment(degrees: float = 15, flip: bool = True, zoom: float = 0.15, tone: float = 0.3):
    """``augment(x, generator)`` for ``fit``: each image flipped, turned, cropped, and its stain and tones jittered.

    Parameters
    ----------
    degrees: each image turns by up to so many. flip: mirror left and right, one time in two.
    zoom: crops of up to this share of the side are enlarged, at a random place.
    tone: standard deviation of the log of the tone curve's exponent and, thirded, of what mixes the channels.

    The images are uint8 N×C×H×W, and the same comes back; ValueError is raised for others.
    """
    for name, value in {"degrees": degrees, "zoom": zoom, "tone": tone}.items():
        check_rate(value, name)
    if zoom >= 1:
        raise ValueError(f"zoom is {zoom:g}, a share of the side: give less than 1.")

    def change(x: Tensor, generator: torch.Generator) -> Tensor:
        _check_images(x)
        if x.dtype != torch.uint8:
            raise ValueError(f"wide_augment got images of {x.dtype}: give them as uint8, 0 to 255.")
        n, channels = x.shape[:2]

        def uniform(*shape):
            return 2 * torch.rand(*shape, generator=generator) - 1

        angle, scale = uniform(n) * math.radians(degrees), 1 - zoom * torch.rand(n, generator=generator)
        mirror = torch.where(uniform(n) < 0, -1.0, 1.0) if flip else torch.ones(n)
        right, down = uniform(2, n) * (1 - scale)
        cos, sin = angle.cos() * scale, angle.sin() * scale
        rows = torch.stack([cos * mirror, -sin, right, sin * mirror, cos, down], 1)
        grid = F.affine_grid(rows.view(n, 2, 3).to(x.device), list(x.shape), align_corners=False)
        image = F.grid_sample(x.float() / 255, grid, padding_mode="border", align_corners=False)
        mix = torch.eye(channels) + tone / 3 * torch.randn(n, channels, channels, generator=generator)
        image = torch.einsum("ndc,nchw->ndhw", mix.to(x.device), image).clamp_(1e-3, 1)
        gamma = (tone * torch.randn(n, 1, 1, 1, generator=generator)).exp()
        image = image.pow(gamma.to(x.device))
        return (image * 255).round_().clamp_(0, 255).to(torch.uint8)

    return change


def _check_images(x) -> None:
    if not isinstance(x, Tensor) or x.ndim != 4:
        found = f"a tensor of shape {tuple(x.shape)}" if isinstance(x, Tensor) else shown(x)
        raise ValueError(f"The images to augment are {found}: give a tensor N×C×H×W, channels before height and width.")
