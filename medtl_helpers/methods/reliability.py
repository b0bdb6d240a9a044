"""Reliability: of the patients to whom a model said 30 %, how many were sick? And why one number, the ECE, misleads.

The expected calibration error is the mean distance of this curve from the diagonal. It depends on how the bins are cut,
and it is never 0: a perfectly calibrated model is some way off in each bin by chance, the farther the fewer cases [1].
So it is told beside what a perfect model would get by chance, or without its bias [2].

[1] Bröcker, Smith, Increasing the reliability of reliability diagrams, Weather and Forecasting 22 (2007),
doi 10.1175/WAF993.1  [2] Kumar, Liang, Ma, Verified uncertainty calibration, NeurIPS 2019, arXiv 1909.10155, section 5
"""

import numpy as np

from ..labels import as_probabilities, as_share, as_yes_no
from ..parts import check_choice, check_whole
from .intervals import Interval, proportion

CUTS = ("count", "width")


def reliability(y, probability, bins: int = 10, *, cut: str = "count", level: float = 0.95):
    """A table with one row for each bin that has cases: ``cases``, mean ``predicted``, share ``observed``, its limits.

    Parameters
    ----------
    y: N, 1 (or true) for the sick. probability: float N, of the disease.
    bins: how many. cut: ``"count"``, into bins of as many cases each (ties stay together), or ``"width"``, at 0, 0.1 …
    level: of the Wilson limits ``low`` and ``high``. They take the cases as independent: of several images of a patient
        take their mean first.

    Returns a pandas DataFrame. Raises ValueError for other shapes, for what are no probabilities, and for other cuts.
    """
    import pandas as pd

    y, p = _checked(y, probability)
    level, which = as_share(level, "level"), _bins(p, bins, cut)
    rows = []
    for k in np.unique(which):
        inside = which == k
        share = proportion(int(y[inside].sum()), int(inside.sum()), level=level)
        rows.append((share.n, p[inside].mean(), share.value, share.low, share.high))
    return pd.DataFrame(rows, columns=["cases", "predicted", "observed", "low", "high"])


def expected_calibration_error(y, probability, bins: int = 10, *, cut: str = "count") -> float:
    """ECE: the mean over cases of ``|predicted − observed|`` of their bins, of the disease's probability.

    Arguments and errors as for ``reliability``. (``calibration_error`` is that of the most probable of K classes.)
    """
    y, p = _checked(y, probability)
    return float(_ece(y[None], p, _bins(p, bins, cut))[0])


def ece_by_chance(
    probability, bins: int = 10, *, cut: str = "count", level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> Interval:
    """The ECE that a *perfectly* calibrated model with these probabilities gets on so many cases: its mean and range.

    The labels are drawn from the probabilities themselves [1]. An ECE inside this range says nothing against a model.
    """
    p, level = as_probabilities(probability, ndim=1), as_share(level, "level")
    check_whole(resamples, "resamples", least=1)
    check_whole(seed, "seed", least=0)
    drawn = _ece(np.random.default_rng(seed).random((resamples, len(p))) < p, p, _bins(p, bins, cut))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(drawn.mean()), float(low), float(high), "range of perfect models", len(p), level)


def squared_calibration_error(y, probability, bins: int = 10, *, cut: str = "count") -> float:
    """The mean over cases of ``(predicted − observed)²`` of their bins, without the bias of few cases ([2], section 5).

    From each square the variance of the observed share, s (1 − s) / (n − 1), is taken. So it may be below 0, and is 0
    on average for a model whose bins are calibrated. Raises ValueError where a bin has one case alone.
    """
    y, p = _checked(y, probability)
    which = _bins(p, bins, cut)
    n, share, predicted = _by_bin(y[None], p, which)
    if n.min() < 2:
        raise ValueError(f"A bin of {bins} has one case alone, of {len(p)}: take fewer bins, or cut='count'.")
    return float(n @ ((predicted - share[0]) ** 2 - share[0] * (1 - share[0]) / (n - 1)) / n.sum())


def _ece(y, p, which) -> np.ndarray:
    """One number for each row of labels R×N."""
    n, share, predicted = _by_bin(y, p, which)
    return np.abs(predicted - share) @ n / n.sum()


def _by_bin(y, p, which):
    """Cases B, shares of the sick R×B for labels R×N, and mean predictions B of the bins that have cases."""
    member = which[:, None] == np.unique(which)
    n = member.sum(0)
    return n, y @ member.astype(float) / n, p @ member / n


def _bins(p, bins: int, cut: str) -> np.ndarray:
    """int N: the bin of each case."""
    check_whole(bins, "bins", least=1)
    check_choice(cut, "cut", CUTS)
    if cut == "width":
        return np.minimum((p * bins).astype(int), bins - 1)
    edges = np.quantile(p, np.arange(1, bins) / bins)
    return np.searchsorted(edges, p, side="right")


def _checked(y, probability) -> tuple[np.ndarray, np.ndarray]:
    p = as_probabilities(probability, ndim=1)
    return as_yes_no(y, len(p), "labels", both=False), p
