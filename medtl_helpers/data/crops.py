"""Which pictures were cut from one larger picture: their borders fit together, as the pieces of a puzzle do.

Data sets of slides are often tiles of a few large pictures, in any order and with names that say nothing of it. Two
neighbours show no pixel twice, so that no search for copies finds them; but they share stain, light and tissue, and a
network that has seen one knows something of the other. So they belong into one split.
"""

import numpy as np
from torch import Tensor

LEAST = 0.9  # correlation of the last pixels of one picture and the first ones of the other
WORST = 0.6  # the difference of the two, as a share of the contrast along the border
CONTRAST = 3.0  # grey levels: the standard deviation along a border below which nothing fits, since all even ones do
COPY = 0.9  # correlation of two whole pictures, above which they are of one group, too


def fitting_pairs(x: Tensor) -> np.ndarray:
    """int M×2: the pairs of pictures uint8 N×C×H×W of which the second lies to the right of the first, or below it.

    The border between two neighbours lies half a pixel beyond the last pixels of each, so both are continued there in
    a straight line, and compared: they must correlate above ``LEAST`` and differ by less than ``WORST`` of their
    contrast, and of all pictures each must fit best to the other one. Pictures whose sides were shrunk still fit.
    Pictures that were turned or mirrored, and borders without anything on them, are not found.
    """
    pixels = x.numpy()
    pairs = [
        _fitting(pixels[..., -1], pixels[..., -2], pixels[..., 0], pixels[..., 1]),
        _fitting(pixels[..., -1, :], pixels[..., -2, :], pixels[..., 0, :], pixels[..., 1, :]),
    ]
    return np.concatenate(pairs)


def _fitting(last, before_last, first, second) -> np.ndarray:
    """int M×2: which picture's end, and which one's beginning, are of one border; all are N×C×L."""
    last, before_last, first, second = (line.astype(np.float32) for line in (last, before_last, first, second))
    ends, starts = 1.5 * last - 0.5 * before_last, 1.5 * first - 0.5 * second
    (one, contrast_one), (two, contrast_two) = _standardised_rows(ends), _standardised_rows(starts)
    fit = one @ two.T
    np.fill_diagonal(fit, -1)
    fit[contrast_one < CONTRAST] = -1
    fit[:, contrast_two < CONTRAST] = -1
    i = np.arange(len(fit))
    j = fit.argmax(1)
    mutual = (fit[i, j] > LEAST) & (fit.argmax(0)[j] == i)
    i, j = i[mutual], j[mutual]
    off = np.sqrt(((ends[i] - starts[j]) ** 2).mean((1, 2)))
    close = off < WORST * contrast_one[i]
    return np.stack([i[close], j[close]], 1)


def _standardised_rows(lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lines N×C×L, each channel with mean 0 and each line with length 1, N×D; and their standard deviations, N."""
    flat = (lines - lines.mean(2, keepdims=True)).reshape(len(lines), -1)
    length = np.linalg.norm(flat, axis=1)
    return flat / np.maximum(length, 1e-6)[:, None], length / np.sqrt(flat.shape[1])


def picture_groups(x: Tensor) -> np.ndarray:
    """int64 N: one number for all pictures uint8 N×C×H×W that were cut from one larger picture, or are near copies.

    Neighbours of neighbours are of one group. Two pieces that lie apart, without a piece between them, have two
    numbers, and so have two pictures of one patient: what is found is the least that belongs together.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    from .alike import alike

    copies = np.array(list(alike([x], COPY, 1024)), int).reshape(-1, 2)
    pairs = np.concatenate([fitting_pairs(x), copies])
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(x), len(x)))
    return connected_components(links, directed=False)[1].astype(np.int64)
