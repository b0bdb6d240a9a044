"""Comparisons beside a margin that was named beforehand: beyond it, within it, or undecided.

A difference is *settled* when its interval and its p-value, after Holm's steps for all comparisons of a family, lie
beyond the margin. It is *within* when the interval lies inside of it on both sides (equivalence, by two one-sided
tests: Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15 (1987), doi 10.1007/BF01068419).
"""

from dataclasses import dataclass

from ..parts import check_whole
from .intervals import Interval


@dataclass(frozen=True)
class BesideMargin:
    """A secondary comparison: its interval, its margin, its p-value after Holm, and that before (``raw``)."""

    interval: Interval
    margin: float
    p: float
    raw: float = float("nan")

    @property
    def settled(self) -> int:
        """1 or −1: the difference lies beyond the margin, above or below; 0: undecided, or within it."""
        beyond = int(self.interval.low > self.margin) - int(self.interval.high < -self.margin)
        return beyond if self.p < 0.05 else 0

    @property
    def within(self) -> bool:
        """Whether the whole interval lies within the margins."""
        return self.within_as_one_of(1)

    def within_as_one_of(self, n: int) -> bool:
        """``within``, as one of ``n`` such comparisons: the interval is widened from 95 % to 1 − 0.05/n (Bonferroni).

        Each side is stretched as that of a normal distribution would be.
        """
        from scipy.stats import norm

        check_whole(n, "n", least=1)
        stretch = norm.isf(0.025 / n) / norm.isf(0.025)
        value, ends = self.interval.value, (self.interval.low, self.interval.high)
        low, high = (value + stretch * (end - value) for end in ends)
        return bool(-self.margin < low and high < self.margin)


def p_beyond(interval: Interval, margin: float, df: float = float("inf")) -> float:
    """p-value of "the difference lies at the margin", from its 95 % interval; 1 within the margin.

    ``df`` are the degrees of freedom of the t distribution that the interval was made with; infinite: the normal one.
    """
    from scipy.stats import t

    if abs(interval.value) <= margin:
        return 1.0
    error = (interval.high - interval.low) / 2 / t.ppf(0.975, df)
    return float(2 * t.sf((abs(interval.value) - margin) / error, df))
