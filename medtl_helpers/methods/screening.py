"""How good a ranking of molecules is, where only the first few can be made and measured, and hits are rare.

Accuracy says nothing there: with 3 hits in 100 molecules, "none is a hit" is right 97 times. What is asked is how many
hits stand at the top. The *enrichment factor* is the share of hits among the first 1 % of the ranking, divided by the
share among all molecules [1]; the *average precision* is the mean, over all hits, of the share of hits down to there
[2]. Chance has an enrichment of 1 and an average precision near the share of hits, so that 0.2 may be a little or much:
each is told with what chance gives. Molecules with equal scores count as if they came in a random order.

[1] Truchon, Bayly, Evaluating virtual screening methods, J Chem Inf Model 47 (2007), 488, doi 10.1021/ci600426e
[2] Saito, Rehmsmeier, The precision-recall plot is more informative than the ROC plot when evaluating binary
classifiers on imbalanced datasets, PLoS ONE 10 (2015), e0118432, doi 10.1371/journal.pone.0118432
"""

import math

import numpy as np

from ..labels import as_groups, as_numbers, as_share, as_yes_no
from ..parts import check_whole
from .intervals import Interval


def enrichment(y, score, fraction: float = 0.01) -> float:
    """The share of hits in the first ``fraction`` of the ranking, divided by the share of hits among all [1].

    Parameters
    ----------
    y: N, which molecules are hits: true or false, or 1 or 0.
    score: float N; the molecule with the highest score comes first.
    fraction: above 0 and below 1; the first ⌈fraction · N⌉ molecules are looked at, at least one.

    Of molecules with the same score at the end of this list each has the same chance to be in it, so the value is the
    expected one. Chance gives 1, and no ranking more than N / (number of hits). Raises ValueError for shapes that do
    not match, for scores that are not finite, and where all or none are hits.
    """
    y, score = _checked(y, score)
    return _enrichment(y, score, as_share(fraction, "fraction"))


def average_precision(y, score) -> float:
    """The mean over the hits of the share of hits down to this one in the ranking [2], in 0..1.

    ``y`` and ``score``, and what is refused, as of ``enrichment``. Molecules with the same score come in a random
    order, and the value is the expected one over these orders. So ``average_precision(y, zeros)`` is what chance gives:
    a little more than the share of hits.
    """
    return _average_precision(*_checked(y, score))


def screening_metrics(
    y, score, groups=None, *, fraction: float = 0.01, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> dict[str, Interval]:
    """AUROC, average precision and enrichment of one ranking with their intervals, and what chance gives.

    Parameters
    ----------
    y, score, fraction: as of ``enrichment``.
    groups: N numbers or names, for example the scaffolds: whole groups are drawn anew, because molecules of one
        scaffold are near copies of each other. None: each molecule is drawn by itself.
    level, resamples, seed: of the percentile bootstrap.

    Returns a dict of ``Interval`` with the keys "AUROC", "average precision" and "enrichment", and "average precision
    by chance", which is that of equal scores. Draws without a hit, or with hits alone, are drawn again. Raises
    ValueError as ``enrichment`` does, and for groups that are not one for each molecule.
    """
    y, score = _checked(y, score)
    fraction, level = as_share(fraction, "fraction"), as_share(level, "level")
    check_whole(resamples, "resamples", least=1)
    check_whole(seed, "seed", least=0)
    which = np.arange(len(y)) if groups is None else as_groups(groups, len(y))
    n_groups, rng = int(which.max()) + 1, np.random.default_rng(seed)

    def all_of(y, score) -> list[float]:
        chance = _average_precision(y, np.zeros(len(y)))
        return [_auroc(y, score), _average_precision(y, score), chance, _enrichment(y, score, fraction)]

    drawn: list[list[float]] = []
    while len(drawn) < resamples:
        times = np.bincount(rng.integers(n_groups, size=n_groups), minlength=n_groups)
        rows = np.repeat(np.arange(len(y)), times[which])
        if 0 < y[rows].sum() < len(rows):
            drawn.append(all_of(y[rows], score[rows]))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    names = ("AUROC", "average precision", "average precision by chance", "enrichment")
    kind = "bootstrap over molecules" if groups is None else f"bootstrap over {n_groups} groups"
    return {
        name: Interval(float(value), float(below), float(above), kind, len(y), level)
        for name, value, below, above in zip(names, all_of(y, score), low, high, strict=True)
    }


def _checked(y, score) -> tuple[np.ndarray, np.ndarray]:
    score = as_numbers(score, "scores")
    return as_yes_no(y, len(score), "hits"), score


def _blocks(y, score) -> tuple[np.ndarray, np.ndarray]:
    """Molecules and hits with each distinct score, the highest score first: two int arrays."""
    block = np.unique(-score, return_inverse=True)[1]
    return np.bincount(block), np.bincount(block, weights=y)


def _enrichment(y, score, fraction: float) -> float:
    looked_at = math.ceil(fraction * len(y) - 1e-9)  # 0.07 · 100 is a little more than 7
    sizes, hits = _blocks(y, score)
    before = np.cumsum(sizes) - sizes
    share = ((looked_at - before) / sizes).clip(0, 1)  # of each block, so much is looked at
    return float(share @ hits / looked_at / y.mean())


def _average_precision(y, score) -> float:
    """In a block of m with h hits, after M molecules with H hits, place j holds a hit with chance h/m; before it, in
    the block, stand (j − 1)(h − 1)/(m − 1) hits then on average, and it is the one after these.
    """
    sizes, hits = _blocks(y, score)
    m, h = np.repeat(sizes, sizes), np.repeat(hits, sizes)
    j = np.arange(len(y)) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # from 0 in each block
    above = np.repeat(np.cumsum(hits) - hits, sizes) + j * (h - 1) / np.maximum(m - 1, 1)
    return float((h / m * (above + 1) / np.arange(1, len(y) + 1)).sum() / y.sum())


def _auroc(y, score) -> float:
    """Of the pairs of a hit and another molecule, the share in which the hit has the higher score; equal ones half."""
    sizes, hits = _blocks(y, score)
    misses = sizes - hits
    below = misses.sum() - np.cumsum(misses)
    return float(hits @ (below + misses / 2) / hits.sum() / misses.sum())
