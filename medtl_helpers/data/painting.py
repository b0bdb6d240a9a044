"""Brushes: what all phantoms are painted with. Each takes and returns tensors; random numbers come from one generator.

Coordinates run from -1 to 1 in both directions, whatever the size in pixels. A shape is a soft mask in 0..1.
"""

import torch
import torch.nn.functional as F

CHUNK = 128  # images drawn at a time: small enough for a processor's cache


def to_bytes(image, channels: int | None = None):
    """Float N×C×H×W in 0..1 to uint8, with ``channels`` channels."""
    if channels == 3 and image.shape[1] == 1:
        image = image.expand(-1, 3, -1, -1)
    if channels == 1 and image.shape[1] == 3:
        image = image.mean(1, keepdim=True)
    return (image * 255).round_().clamp_(0, 255).to(torch.uint8)


def pixel_grid(size: int):
    """Pixel centres as (y, x), shapes 1×S×1 and 1×1×S."""
    axis = (torch.arange(size) + 0.5) / size * 2 - 1
    return axis[None, :, None], axis[None, None, :]


def uniform(n: int, low: float, high: float, generator):
    """n random numbers in low..high, as N×1×1."""
    return (low + (high - low) * torch.rand(n, generator=generator))[:, None, None]


def disc(y, x, cy, cx, radius, aspect=1.0, angle=None):
    """Soft mask N×S×S of an ellipse: half-axes radius·aspect (along ``angle``) and radius, edge about one pixel."""
    dy, dx = y - cy, x - cx
    if angle is not None:
        dy, dx = dy * angle.cos() - dx * angle.sin(), dy * angle.sin() + dx * angle.cos()
    distance = ((dx / aspect).square() + dy.square()).sqrt_()
    edge = 2.5 / x.shape[-1]
    return ((radius - distance) / edge).sigmoid_()


def noise(n: int, size: int, cells: int, generator):
    """Smooth noise N×S×S with about ``cells`` bumps per side, mean 0, standard deviation about 0.5."""
    coarse = torch.randn(n, 1, cells, cells, generator=generator)
    return F.interpolate(coarse, size=(size, size), mode="bilinear", align_corners=False)[:, 0]


def over(image, colour, mask):
    """Paint ``colour`` (N×C) over ``image`` (N×C×S×S) where ``mask`` (N×S×S) is 1; in place."""
    return image.lerp_(colour[:, :, None, None].expand_as(image), mask[:, None].expand_as(image))


def class_numbers(k: int, shape) -> torch.Tensor:
    """Random numbers in −1..1 that belong to class ``k`` for ever."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(7_000 + k)) * 2 - 1
