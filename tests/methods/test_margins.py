"""Comparisons beside a margin: settled, within, undecided, and the p-value of an interval against the margin."""

import numpy as np
import pytest
from scipy import stats

from medtl_helpers.methods.intervals import Interval, t_interval, t_test
from medtl_helpers.methods.margins import BesideMargin, p_beyond


def beside(low, high, p=0.01, margin=0.02):
    return BesideMargin(Interval((low + high) / 2, low, high, "of a test", 10), margin, p)


@pytest.mark.parametrize(
    ("low", "high", "p", "settled", "within"),
    [
        (0.03, 0.05, 0.01, 1, False),
        (-0.05, -0.03, 0.01, -1, False),
        (0.03, 0.05, 0.06, 0, False),  # beyond, but not after Holm
        (0.01, 0.05, 0.01, 0, False),
        (-0.01, 0.015, 1.0, 0, True),
        (-0.025, 0.015, 1.0, 0, False),
    ],
)
def test_a_difference_is_beyond_its_margin_or_within_it_or_undecided(low, high, p, settled, within):
    found = beside(low, high, p)
    assert found.settled == settled and found.within is within


def test_one_of_several_comparisons_is_within_where_its_interval_at_the_corrected_level_is():
    mean, error, n = 0.002, 0.008, 6
    ends = stats.norm.interval(0.95, mean, error), stats.norm.interval(1 - 0.05 / n, mean, error)
    for margin in np.linspace(0.01, 0.03, 41):
        found = beside(*ends[0], margin=margin)
        assert found.within == (max(map(abs, ends[0])) < margin)
        assert found.within_as_one_of(n) == (max(map(abs, ends[1])) < margin)
    with pytest.raises(ValueError, match="n is 0"):
        found.within_as_one_of(0)


def test_the_p_value_of_a_t_interval_is_that_of_the_t_test_against_the_margin():
    differences = np.array([0.03, 0.05, 0.04, 0.06, 0.02])
    for sign in (1, -1):
        p = p_beyond(t_interval(sign * differences), 0.02, df=4)
        assert p == pytest.approx(t_test(sign * differences, sign * 0.02))
    assert p_beyond(t_interval(differences), 0.05, df=4) == 1.0
    wide = Interval(0.05, 0.05 - 1.96 * 0.01, 0.05 + 1.96 * 0.01, "of a test", 10)
    assert p_beyond(wide, 0.02) == pytest.approx(2 * stats.norm.sf(3), rel=1e-3)
