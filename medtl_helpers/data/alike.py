"""Which of many pictures are alike: equal bytes, or pixels that correlate, without comparing each pair in full."""

import hashlib

import numpy as np
import torch

from .tasks import gathered

SIDE = 28  # pixels: larger images are averaged down to this side before they are compared
FEW = 48  # numbers that are compared first: what they rule out is not compared in full
MOST_PAIRS = 1_000_000


class TooAlike(ValueError):
    """More pairs of pictures are alike than anybody can look at."""


def digests_of(images: list) -> np.ndarray:
    """The digest of the bytes of each image, for some tensors uint8 N×C×H×W one behind the other."""
    return np.array([hashlib.sha256(image.numpy().tobytes()).hexdigest() for part in images for image in part])


def same_bytes(digests) -> list[tuple[int, int]]:
    """(later, earlier) for the pairs of equal digests."""
    seen: dict[str, list[int]] = {}
    pairs = []
    for at, digest in enumerate(digests):
        before = seen.setdefault(digest, [])
        pairs += [(at, other) for other in before]
        before.append(at)
        _limit(len(pairs))
    return pairs


def _standardised(x) -> torch.Tensor:
    """uint8 N×C×H×W to float32 N×D of length 1, each channel with mean 0; a picture without contrast becomes zero."""
    small = []
    for part in x.split(256):
        part = part.float()
        if max(part.shape[-2:]) > SIDE:
            part = torch.nn.functional.interpolate(part, [min(SIDE, side) for side in part.shape[-2:]], mode="area")
        part = (part - part.mean((2, 3), keepdim=True)).flatten(1)
        length = part.norm(dim=1, keepdim=True)
        small.append(torch.where(length > 1e-3, part / length.clamp_min(1e-3), 0.0))
    return torch.cat(small)


def alike(images: list, least: float, chunk: int) -> dict[tuple[int, int], float]:
    """(later, earlier) → correlation, for the pairs of images that correlate by more than ``least``.

    Two pictures of length 1 with the correlation c have the distance √(2 − 2c), and no projection makes it longer. So
    the pictures are projected on a few directions and sorted along one; only those that are near each other there
    are compared in full. No pair is missed by that.
    """
    n = sum(map(len, images))
    if n < 2:
        return {}
    some = _standardised(gathered(images, torch.linspace(0, n - 1, min(n, 512)).long()))
    directions = torch.linalg.svd(some, full_matrices=False).Vh[:FEW].T
    few = torch.cat([_standardised(part) @ directions for x in images if len(x) for part in x.split(chunk)])
    widest = few.var(0).argmax()
    order = few[:, widest].argsort()
    few = few[order]
    first, half, ones = few[:, widest].contiguous(), few.square().sum(1, keepdim=True) / 2, torch.ones(n, 1)
    left, right = torch.cat([few, -half, ones], 1), torch.cat([few, ones, -half], 1)  # product: −distance² / 2
    farthest = 1 - least + 1e-5  # half of the squared distance, and rounding
    pairs: dict[tuple[int, int], float] = {}
    for start in range(0, n, chunk):
        end = int(torch.searchsorted(first, first[min(start + chunk, n) - 1] + (2 * farthest) ** 0.5, right=True))
        for other in range(start, end, chunk):
            near = left[start : start + chunk] @ right[other : min(other + chunk, end)].T >= -farthest
            if start == other:
                near = near.triu(1)
            i, j = near.any(1).nonzero()[:, 0], near.any(0).nonzero()[:, 0]
            if not len(i):
                continue
            i, j = order[start + i], order[other + j]
            correlation = _standardised(gathered(images, i)) @ _standardised(gathered(images, j)).T
            for a, b in ((correlation > least) & (i[:, None] != j)).nonzero().tolist():
                one, two = int(i[a]), int(j[b])
                pairs[max(one, two), min(one, two)] = min(float(correlation[a, b]), 1.0)
            _limit(len(pairs))
    return pairs


def _limit(n: int) -> None:
    if n > MOST_PAIRS:
        raise TooAlike(f"More than {MOST_PAIRS:,} pairs of pictures are alike: look for empty ones and remove them.")
