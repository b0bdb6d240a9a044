"""The interval of a claim about a method whose test cases are given once: seeds and cases are both drawn anew.

[1] Davison, Hinkley, Bootstrap methods and their application, Cambridge University Press 1997, section 3.8
"""

from collections.abc import Callable

import numpy as np

from .intervals import Interval


def two_level(
    y, ours, theirs=None, *, score: Callable, groups=None, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> Interval:
    """The mean over seeds of the ``score`` of one way, or the paired difference of two, over seeds and test cases.

    Parameters
    ----------
    y: int array N, the classes of the test cases, which are the same for all seeds.
    ours, theirs: float S×N or S×N×K, what the S networks of one way, and of another, answer to these cases. Seed s of
        one is compared with seed s of the other.
    score: ``score(y, answers of one network)`` gives a number.
    groups: array N, for example the patients: whole groups are drawn. None: cases are drawn within each class.
    level, resamples, seed: of the percentile interval.

    S drawn seeds vary by the factor √((S−1)/S) too little [1], so their part is stretched by its inverse. Raises
    ValueError for shapes that do not match and for fewer than 2 seeds.
    """
    y, both = np.asarray(y), [np.asarray(way, float) for way in (ours, theirs) if way is not None]
    shape = both[0].shape
    if len(shape) not in (2, 3) or shape[1:2] != y.shape or shape[0] < 2 or any(way.shape != shape for way in both):
        shapes = " and ".join(str(way.shape) for way in both)
        raise ValueError(f"Expected S×N or S×N×K answers of at least 2 seeds to N = {y.size} cases, got {shapes}.")
    rng, n_seeds = np.random.default_rng(seed), shape[0]
    stretch = np.sqrt(n_seeds / (n_seeds - 1))

    def of_each_seed(cases):
        signs = (1, -1)[: len(both)]
        return sum(
            sign * np.array([score(y[cases], one[cases]) for one in way]) for sign, way in zip(signs, both, strict=True)
        )

    drawn = []
    for _ in range(resamples):
        values = of_each_seed(_draw(y, groups, rng))
        drawn.append(values.mean() + stretch * (rng.choice(values, n_seeds).mean() - values.mean()))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    kind = f"bootstrap over {n_seeds} seeds and the test cases"
    return Interval(float(of_each_seed(np.arange(len(y))).mean()), float(low), float(high), kind, len(y), level)


def _draw(y, groups, rng) -> np.ndarray:
    """Rows of cases, drawn with replacement: within each class, or by whole groups until every class is there."""
    if groups is None:
        return np.concatenate([rng.choice(rows, len(rows)) for rows in (np.flatnonzero(y == k) for k in np.unique(y))])
    members = [np.flatnonzero(np.asarray(groups) == group) for group in np.unique(groups)]
    while True:
        cases = np.concatenate([members[at] for at in rng.integers(len(members), size=len(members))])
        if len(np.unique(y[cases])) == len(np.unique(y)):
            return cases
