"""Packed graphs at random, which are no chemistry: for networks that need the form of molecules alone."""

import torch

SIZES = (14, 9, 6, 9, 2, 2)


def random_molecules(n: int, atoms: int = 12, seed: int = 0) -> torch.Tensor:
    """uint8 N×A×(6 + A): trees of 2 to A atoms with one more bond, every byte at random within its values."""
    random = torch.Generator().manual_seed(seed)

    def number(low, high):
        return int(torch.randint(low, high, (1,), generator=random))

    x = torch.zeros(n, atoms, 6 + atoms, dtype=torch.uint8)
    for molecule in x:
        count = number(2, atoms + 1)
        for column, size in enumerate(SIZES):
            molecule[:count, column] = torch.randint(1 - min(column, 1), size, (count,), generator=random).byte()
        for a, b in [(k, number(0, k)) for k in range(1, count)] + [(0, count - 1)]:
            molecule[a, 6 + b] = molecule[b, 6 + a] = number(1, 5)
    return x


def shuffled(molecule: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    """The same molecule with its rows, and so the columns of its bonds, in another order."""
    return torch.cat([molecule[order, :6], molecule[order][:, 6 + order]], 1)


def counts(x: torch.Tensor) -> torch.Tensor:
    """float32 N: something that can be learnt of a packed molecule: its double bonds less its atoms of oxygen."""
    double = (x[:, :, 6:] == 2).sum((1, 2)) / 2
    return double.float() - (x[:, :, 0] == 3).sum(1).float()
