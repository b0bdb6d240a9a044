"""Abstract patterns: waves, fractals and contours, a stand-in for any data set that has nothing to do with medicine.

Fractals are attractors of iterated function systems (as in Kataoka et al., ACCV 2020, arXiv 2101.08515), contours are
radial (as in Kataoka et al., CVPR 2022, arXiv 2206.09132).
"""

import torch
import torch.nn.functional as F

from .painting import class_numbers, disc, noise, pixel_grid, uniform

N_FRACTALS = 64


def paint_texture(labels, size: int, generator):
    """Waves whose direction and frequency depend on the class, over smooth noise: a stand-in for any other data set."""
    n = len(labels)
    y, x = pixel_grid(size)
    k = labels.float()[:, None, None]
    angle = k * 0.9 + uniform(n, -0.25, 0.25, generator)
    frequency = 6 + 3 * (k % 3) + uniform(n, -0.8, 0.8, generator)
    wave = (frequency * (x * angle.cos() + y * angle.sin()) + uniform(n, 0, 6.3, generator)).sin()
    image = 0.5 + uniform(n, 0.08, 0.25, generator) * wave + 0.15 * noise(n, size, 5, generator)
    return (image + 0.04 * torch.randn(n, size, size, generator=generator))[:, None]


def _fractal_maps() -> torch.Tensor:
    """Classes×3×2×3: three contracting affine maps of the plane for each class."""
    maps = []
    for k in range(N_FRACTALS):
        numbers = class_numbers(k, (3, 4))
        angle, shrink = numbers[:, 0] * torch.pi, 0.55 + 0.2 * numbers[:, 1]
        turn = torch.stack(
            [torch.stack([angle.cos(), -angle.sin()], -1), torch.stack([angle.sin(), angle.cos()], -1)], 1
        )
        maps.append(torch.cat([turn * shrink[:, None, None], numbers[:, 2:, None] * 0.8], 2))
    return torch.stack(maps)


def paint_fractal(labels, size: int, generator, points: int = 256, steps: int = 24):
    """The attractor of each class's iterated function system, turned, coloured, on a smooth background; N×3×S×S."""
    n = len(labels)
    maps = _fractal_maps()[labels]
    maps = maps + 0.04 * torch.randn(maps.shape, generator=generator)
    at = torch.zeros(n, points, 2)
    count = torch.zeros(n, size * size)
    angle = torch.rand(n, generator=generator) * 2 * torch.pi
    turn = torch.stack([torch.stack([angle.cos(), -angle.sin()], -1), torch.stack([angle.sin(), angle.cos()], -1)], 1)
    zoom = 0.30 + 0.20 * torch.rand(n, 1, 1, generator=generator)
    for step in range(steps):
        which = torch.randint(3, (n, points), generator=generator)
        chosen = maps[torch.arange(n)[:, None], which]  # N×P×2×3
        at = (chosen[..., :2] @ at[..., None])[..., 0] + chosen[..., 2]
        if step >= 6:  # near the attractor by now
            pixel = (((at @ turn.mT) * zoom + 0.5) * size).long()
            inside = ((pixel >= 0) & (pixel < size)).all(-1).float()
            index = (pixel[..., 1] * size + pixel[..., 0]).clamp(0, size * size - 1)
            count.scatter_add_(1, index, inside)
    shape = F.avg_pool2d(count.view(n, 1, size, size), 3, 1, 1)
    shape = 1 - (-shape * (size / 32) ** 2).exp()
    return _coloured(shape, n, size, generator)


def paint_contour(labels, size: int, generator):
    """Closed contours: 2 to 9 lobes, smooth or rough, filled or a ring, each class one combination; N×3×S×S."""
    n = len(labels)
    y, x = pixel_grid(size)

    def random(low, high):
        return uniform(n, low, high, generator)

    lobes, rough, ring = (part.float()[:, None, None] for part in (labels % 8 + 2, labels // 8 % 2, labels // 16 % 2))
    cy, cx, radius = random(-0.25, 0.25), random(-0.25, 0.25), random(0.35, 0.65)
    theta = torch.atan2(y - cy, x - cx) + random(0, 6.3)
    wave = random(0.12, 0.25) * (lobes * theta).sin()
    fine = rough * random(0.08, 0.16) * ((4 * lobes + 5) * theta + random(0, 6.3)).sin()
    border = radius * (1 + wave + fine)
    mask = disc(y, x, cy, cx, border, random(0.8, 1.3))
    inner = disc(y, x, cy, cx, border * 0.6, 1.0)
    return _coloured((mask - ring * inner * mask)[:, None], n, size, generator)


def _coloured(mask, n: int, size: int, generator):
    """A shape N×1×S×S (0..1) in one colour and grain over a background of another; a third of them grey; N×3×S×S."""
    inside, outside = (torch.rand(n, 3, 1, 1, generator=generator) for _ in range(2))
    grey = torch.rand(n, 1, 1, 1, generator=generator) < 0.33
    inside, outside = (torch.where(grey, c.mean(1, keepdim=True), c) for c in (inside, outside))
    close = (inside - outside).abs().mean((1, 2, 3), keepdim=True) < 0.15  # a shape that nobody could see
    inside = torch.where(close, (inside + 0.4) % 1, inside)
    grain = [noise(n, size, cells, generator)[:, None] * 0.12 for cells in (5, max(4, size // 3))]
    return (outside + grain[0]).lerp(inside + grain[1], mask.expand(-1, 3, -1, -1)).clamp(0, 1)
