"""Intervals over seeds against SciPy."""

import numpy as np
import pytest
from scipy import stats

from medtl_helpers.methods.intervals import paired_difference, t_interval


@pytest.mark.parametrize("level", [0.95, 0.8])
def test_the_paired_interval_is_scipys(level):
    rng = np.random.default_rng(2)
    ours = rng.normal(0.8, 0.1, 9)
    theirs = ours - rng.normal(0.03, 0.02, 9)
    found = paired_difference(ours, theirs, level)
    wanted = stats.ttest_rel(ours, theirs).confidence_interval(level)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))
    assert found.value == pytest.approx((ours - theirs).mean())
    assert (found.kind, found.n, found.level) == ("t over seeds, paired", 9, level)


def test_pairing_removes_what_both_methods_share():
    easy = np.linspace(0.5, 0.9, 6)  # some draws are easier than others, for both
    noise = np.array([1, -1, 2, -2, 1, -1]) / 1000
    paired, apart = paired_difference(easy + 0.02 + noise, easy), t_interval(easy)
    assert paired.low > 0 and paired.high - paired.low < (apart.high - apart.low) / 10


@pytest.mark.parametrize("values", [[0.5], [], [0.5, np.nan], [[0.5, 0.6]]], ids=["one", "none", "NaN", "2-D"])
def test_an_interval_over_seeds_needs_two_finite_numbers(values):
    with pytest.raises(ValueError, match="at least 2 finite numbers"):
        t_interval(values)


def test_a_pair_needs_the_same_seeds_on_both_sides():
    with pytest.raises(ValueError, match="same seeds on both sides"):
        paired_difference([0.5, 0.6, 0.7], [0.5, 0.6])
