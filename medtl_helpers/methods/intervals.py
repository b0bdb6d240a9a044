"""Results with intervals, and the intervals always named.

Two questions have two intervals. *Would another test set of this hospital say the same?* — a stratified bootstrap
over test cases (``metrics.bootstrap_metrics``). *Would the same method, run again, say the same?* — Student's t over
seeds, on the paired differences (``paired_difference``). Neither answers the other's question.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Interval:
    """A value with its interval; ``kind`` names what varies, ``n`` how many cases or seeds were seen."""

    value: float
    low: float
    high: float
    kind: str
    n: int
    level: float = 0.95

    def __str__(self):
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] ({self.level:.0%} {self.kind}, n = {self.n})"


def t_interval(values, level: float = 0.95, kind: str = "t over seeds") -> Interval:
    """Mean and Student-t interval of ``values`` (one per seed, at least 2).

    The runs share one data set, so with few rows the seeds are not independent and the interval is somewhat narrow.
    """
    from scipy import stats

    values = np.asarray(values, float)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise ValueError(f"An interval over seeds needs at least 2 finite numbers in a row, got {values!r}.")
    half = stats.t.ppf((1 + level) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return Interval(
        float(values.mean()), float(values.mean() - half), float(values.mean() + half), kind, len(values), level
    )


def paired_difference(ours, theirs, level: float = 0.95, kind: str = "t over seeds, paired") -> Interval:
    """Interval of the mean of ``ours - theirs``, seed by seed: seed s of one is compared with seed s of the other."""
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    if ours.shape != theirs.shape:
        raise ValueError(f"Paired differences need the same seeds on both sides, got {ours.shape} and {theirs.shape}.")
    return t_interval(ours - theirs, level, kind)
