"""Random texts as token numbers, padded at both sides, with the finding in the middle."""

import torch

FINDING = 4


def random_texts(n: int = 12, length: int = 16, vocabulary: int = 40, seed: int = 0) -> torch.Tensor:
    """int32 N×L: words from 5 on around the finding at L // 2, of different lengths; 0 is padding."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(5, vocabulary, (n, length), generator=generator, dtype=torch.int32)
    centre, place = length // 2, torch.arange(length)
    before, after = torch.randint(0, centre, (2, n, 1), generator=generator)
    x[:, centre] = FINDING
    return x * ((place >= centre - before) & (place <= centre + after))
