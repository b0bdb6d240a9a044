"""Two classes in a cloud of points that can be moved as a whole: the smallest domains."""

import torch


def cloud(n, centre=0.0, seed=0, width=6):
    """Two classes in N×width, shifted as a whole along the last axis."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 2
    x = torch.randn(n, width, generator=generator)
    x[:, 0] += 3 * y
    x[:, -1] += centre
    return x, y
