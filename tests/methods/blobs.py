"""Two classes of points, and a small network that can tell them apart."""

import torch
from torch import nn


def network(seed=0, inputs=4, classes=2):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(inputs, 16), nn.ReLU(), nn.Linear(16, classes))


def blobs(n=200, seed=0, noise=0.3, flipped=0.0):
    """Two classes around ±1 in four dimensions; a share of the labels ``flipped``."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 2
    x = (2 * y[:, None] - 1) + noise * torch.randn(n, 4, generator=generator)
    return x, torch.where(torch.rand(n, generator=generator) < flipped, 1 - y, y)
