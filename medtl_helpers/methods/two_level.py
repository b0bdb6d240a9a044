"""The interval of a claim about a method whose test cases are given once: seeds and cases are both drawn anew.

[1] Davison, Hinkley, Bootstrap methods and their application, Cambridge University Press 1997, section 3.8
"""

from collections.abc import Callable
from numbers import Real

import numpy as np

from ..labels import as_array, as_groups, as_labels, as_numbers, as_share
from ..parts import check_whole, shown
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
    ValueError for shapes that do not match, for fewer than 2 seeds, and for what is no answer, label or number.
    """
    dims = 3 if as_array(ours, "answers").ndim == 3 else 2
    both = [as_numbers(way, "answers", ndim=dims) for way in (ours, theirs) if way is not None]
    shape, level = both[0].shape, as_share(level, "level")
    if shape[0] < 2 or both[-1].shape != shape:
        shapes = " and ".join(str(way.shape) for way in both)
        raise ValueError(f"The answers have shapes {shapes}: give S×N or S×N×K, of the same S seeds, at least 2.")
    y = as_labels(y, shape[1])
    check_whole(resamples, "resamples", least=1)
    check_whole(seed, "seed", least=0)
    members = None if groups is None else _members(as_groups(groups, len(y)))
    if not callable(score) or not isinstance(score(y, both[0][0]), Real):
        raise ValueError(f"score is {shown(score)}: give a function of labels and answers that returns one number.")
    rng, n_seeds = np.random.default_rng(seed), shape[0]
    stretch = np.sqrt(n_seeds / (n_seeds - 1))

    def of_each_seed(cases):
        signs = (1, -1)[: len(both)]
        return sum(
            sign * np.array([score(y[cases], one[cases]) for one in way]) for sign, way in zip(signs, both, strict=True)
        )

    drawn = []
    for _ in range(resamples):
        values = of_each_seed(_draw(y, members, rng))
        drawn.append(values.mean() + stretch * (rng.choice(values, n_seeds).mean() - values.mean()))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    kind = f"bootstrap over {n_seeds} seeds and the test cases"
    return Interval(float(of_each_seed(np.arange(len(y))).mean()), float(low), float(high), kind, len(y), level)


def _members(groups) -> list[np.ndarray]:
    """The rows of each group, in the order of the groups' numbers."""
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.unique(groups[order], return_index=True)[1][1:])


def _draw(y, members, rng) -> np.ndarray:
    """Rows of cases, drawn with replacement: within each class, or by whole groups until every class is there."""
    if members is None:
        return np.concatenate([rng.choice(rows, len(rows)) for rows in (np.flatnonzero(y == k) for k in np.unique(y))])
    while True:
        cases = np.concatenate([members[at] for at in rng.integers(len(members), size=len(members))])
        if len(np.unique(y[cases])) == len(np.unique(y)):
            return cases
