"""The interval of a claim about a method whose seeds each split one table anew, by whole groups.

With one fixed test split, its few groups stand for all. Here each seed has a test split of its own, and these overlap,
so their scores are not independent. Both that vary are drawn anew: the seeds, and the groups (the scaffolds of
molecules, or patients) of the whole table. A group that is drawn twice counts twice in each test split that holds it;
one that is not drawn counts in none. This is the crossed bootstrap of [1] (random effects of rows and columns) with
the stretch of ``two_level.py`` for the seeds, which are few.

[1] Owen, The pigeonhole bootstrap, Annals of Applied Statistics 1 (2007), 386, doi 10.1214/07-AOAS122
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..parts import check_whole
from .intervals import Interval


class OneSplit(NamedTuple):
    """What one seed tested: ``y`` N, ``answers`` N or N×K of its network, and ``groups`` int N of the whole table."""

    y: np.ndarray
    answers: np.ndarray
    groups: np.ndarray


def over_new_splits(
    ours: Sequence[OneSplit],
    theirs: Sequence[OneSplit] | None = None,
    *,
    score: Callable,
    weighted: bool = False,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """The mean over seeds of the ``score`` of one way, or of the paired difference of two, over seeds and groups.

    Parameters
    ----------
    ours, theirs: one ``OneSplit`` for each seed. Seed s of one is compared with seed s of the other; the two may have
        other test splits of the same table, as a random split beside a split by group has.
    score: ``score(y, answers)`` gives a number, or NaN where it has none, as AUROC of one class: such draws of groups
        are drawn again.
    weighted: ``score(y, answers, weights)`` gives R numbers for weights R×N, how often each case was drawn: the same
        intervals, many times faster.
    level, resamples, seed: of the percentile interval.

    Raises ValueError for fewer than 2 seeds, or for another number of seeds of ``theirs``.
    """
    sides = [ours] if theirs is None else [ours, theirs]
    n_seeds, lengths = len(ours), {len(side) for side in sides}
    if n_seeds < 2 or len(lengths) > 1:
        raise ValueError(f"There are test splits of {sorted(lengths)} seeds: give those of the same seeds, at least 2.")
    check_whole(resamples, "resamples", least=1)
    check_whole(seed, "seed", least=0)
    names = np.unique(np.concatenate([one.groups for side in sides for one in side]))
    rng, stretch = np.random.default_rng(seed), np.sqrt(n_seeds / (n_seeds - 1))

    def of_each_seed(times) -> np.ndarray:
        """float R×S, of how often each group was drawn, R×G."""
        values = np.zeros((len(times), n_seeds))
        for sign, side in zip((1, -1), sides, strict=False):
            for s, one in enumerate(side):
                weights = times[:, np.searchsorted(names, one.groups)]
                values[:, s] += sign * _scored(score, weighted, one, weights)
        return values

    kept = np.zeros((0, n_seeds))
    while len(kept) < resamples:
        drawn = rng.integers(len(names), size=(resamples, len(names)))
        values = of_each_seed(np.stack([np.bincount(row, minlength=len(names)) for row in drawn]))
        kept = np.concatenate([kept, values[np.isfinite(values).all(1)]])[:resamples]
    means = kept.mean(1)
    again = np.take_along_axis(kept, rng.integers(n_seeds, size=kept.shape), 1).mean(1)
    low, high = np.quantile(means + stretch * (again - means), [(1 - level) / 2, (1 + level) / 2])
    value = float(of_each_seed(np.ones((1, len(names)), int)).mean())
    kind = f"bootstrap over {n_seeds} seeds, each with a split of its own, and {len(names)} groups"
    return Interval(value, float(low), float(high), kind, len(names), level)


def _scored(score: Callable, weighted: bool, one: OneSplit, weights) -> np.ndarray:
    """The score of each draw; NaN where it has none."""
    if weighted:
        with np.errstate(divide="ignore", invalid="ignore"):
            return score(one.y, one.answers, weights)
    rows = [np.repeat(np.arange(len(one.y)), each) for each in weights]
    return np.array([score(one.y[at], one.answers[at]) if len(at) else np.nan for at in rows])
