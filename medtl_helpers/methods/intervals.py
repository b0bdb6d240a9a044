"""Results with intervals, and the intervals always named.

An interval holds what was drawn anew for it, and nothing else. *Would other test cases of this hospital say the same
of this one network?* A bootstrap over test cases answers (``metrics.bootstrap_metrics``), and ``proportion`` for a
share. *Would the same method, run again, say the same?* Student's t over seeds, on the paired differences
(``paired_difference``). A claim about a method needs both: new test cases for every seed, where they are free, and
``two_level.py`` where the test cases are given once. Random splits of one table overlap: ``corrected_t``.

[1] Nadeau, Bengio, Inference for the generalization error, Machine Learning 52 (2003), doi 10.1023/A:1024068626366
[2] Brown, Cai, DasGupta, Interval estimation for a binomial proportion, Statistical Science 16 (2001),
doi 10.1214/ss/1009213286
[3] Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6 (1979)
"""

from dataclasses import dataclass

import numpy as np

from ..labels import as_numbers, as_probabilities, as_share
from ..parts import check_rate, check_whole, shown


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

    Where the runs share their test cases, these do not vary: use ``two_level`` for a claim about other cases, too.
    """
    return _t(values, 0.0, level, kind)


def corrected_t(differences, test_share: float, level: float = 0.95) -> Interval:
    """Mean and t interval of ``differences`` over overlapping random splits of one data set ([1], equation 9).

    Parameters
    ----------
    differences: one value per split.
    test_share: n_test / n_train of one split. The patients of one table come back in split after split, so the
        variance of the mean is (1/J + n_test/n_train) s² over J splits, however many of these are drawn.

    Raises ValueError for fewer than 2 splits, and for a share that is not positive.
    """
    check_rate(test_share, "test_share", above=True)
    return _t(differences, test_share, level, "corrected t over splits")


def _t(values, overlap: float, level: float, kind: str) -> Interval:
    from scipy import stats

    level, (values, mean, error) = as_share(level, "level"), _mean_and_error(values, overlap)
    half = stats.t.ppf((1 + level) / 2, len(values) - 1) * error
    return Interval(float(mean), float(mean - half), float(mean + half), kind, len(values), level)


def _mean_and_error(values, overlap: float):
    values = as_numbers(values, "values")
    if len(values) < 2:
        raise ValueError(
            f"There is one value, {values[0]:g}, and an interval needs 2 or more: give those of more seeds."
        )
    return values, values.mean(), values.std(ddof=1) * np.sqrt(1 / len(values) + overlap)


def paired_difference(ours, theirs, level: float = 0.95, kind: str = "t over seeds, paired") -> Interval:
    """Interval of the mean of ``ours - theirs``, seed by seed: seed s of one is compared with seed s of the other."""
    ours, theirs = as_numbers(ours, "values of ours"), as_numbers(theirs, "values of theirs")
    if ours.shape != theirs.shape:
        raise ValueError(
            f"There are {len(ours)} values of ours and {len(theirs)} of theirs: give both of the same seeds."
        )
    return t_interval(ours - theirs, level, kind)


def proportion(hits: int, n: int, *, method: str = "wilson", level: float = 0.95) -> Interval:
    """The interval of a share, ``hits`` of ``n`` cases, which has a width even where all or none were found [2].

    ``method`` is ``"wilson"`` (about the level on average) or ``"clopper-pearson"`` (never below it, so wider).
    Raises ValueError for another method and for counts that do not fit together.
    """
    from scipy import stats

    if not isinstance(method, str) or method not in ("wilson", "clopper-pearson"):
        raise ValueError(f"There is no interval {shown(method)} here: choose 'wilson' or 'clopper-pearson'.")
    check_whole(hits, "hits", least=0)
    check_whole(n, "n", least=1)
    level = as_share(level, "level")
    if hits > n:
        raise ValueError(f"{hits} of {n} is no share: give hits from 0 to n, and at least one case.")
    found = stats.binomtest(int(hits), int(n)).proportion_ci(level, "exact" if method != "wilson" else "wilson")
    kind = "Wilson interval" if method == "wilson" else "Clopper-Pearson interval"
    return Interval(hits / n, float(found.low), float(found.high), kind, int(n), level)


def t_test(differences, margin: float = 0.0, *, test_share: float = 0.0) -> float:
    """Two-sided p-value of "the mean difference is ``margin``"; with ``test_share`` corrected as in ``corrected_t``."""
    from scipy import stats

    check_rate(test_share, "test_share")
    (margin,), (values, mean, error) = as_numbers([margin], "margins"), _mean_and_error(differences, test_share)
    if error == 0:  # all differences are the same
        return float(mean == margin)
    return float(2 * stats.t.sf(abs(mean - margin) / error, len(values) - 1))


def holm(p_values) -> list[float]:
    """The p-values of several comparisons, adjusted for their number by Holm's steps [3]; same order as given.

    Of those below 0.05 the chance that even one is false is at most 5 %.
    """
    p, highest = as_probabilities(p_values, "p-values", ndim=1), 0.0
    adjusted = np.empty(len(p))
    for rank, at in enumerate(np.argsort(p, kind="stable")):
        highest = max(highest, min(1.0, (len(p) - rank) * p[at]))
        adjusted[at] = highest
    return adjusted.tolist()
