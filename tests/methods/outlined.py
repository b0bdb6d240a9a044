"""Small pictures with masks that can be learnt in seconds: bright discs on dark."""

import torch


def discs(n: int, size: int = 32, channels: int = 1, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """uint8 N×C×S×S and uint8 N×S×S: up to three discs each, of value 200 on 50, with noise."""
    random = torch.Generator().manual_seed(seed)
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    y = torch.zeros(n, size, size, dtype=torch.uint8)
    for mask in y:
        for _ in range(3):
            row, column, radius = torch.rand(3, generator=random) * torch.tensor([size, size, size / 5]) + 2
            mask[(rows - row) ** 2 + (columns - column) ** 2 < radius**2] = 1
    noise = torch.randint(-30, 31, (n, channels, size, size), generator=random)
    return (50 + 150 * y[:, None].long() + noise).to(torch.uint8), y
