"""Intervals over seeds against SciPy."""

import numpy as np
import pytest
from scipy import stats

from medtl_helpers.methods.intervals import corrected_t, holm, paired_difference, proportion, t_interval, t_test


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


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0.5], "an interval needs 2 or more"),
        ([], "There are no values"),
        ([0.5, np.nan], "1 values are not finite"),
        ([[0.5, 0.6]], r"have shape \(1, 2\): give one number"),
    ],
    ids=["one", "none", "NaN", "2-D"],
)
def test_an_interval_over_seeds_needs_two_finite_numbers(values, words):
    with pytest.raises(ValueError, match=words):
        t_interval(values)


def test_a_pair_needs_the_same_seeds_on_both_sides():
    with pytest.raises(ValueError, match="3 values of ours and 2 of theirs: give both of the same seeds"):
        paired_difference([0.5, 0.6, 0.7], [0.5, 0.6])


def test_overlapping_splits_are_corrected_as_nadeau_and_bengio_say():
    differences = np.random.default_rng(3).normal(0.02, 0.05, 30)
    found, share = corrected_t(differences, test_share=2 / 3), 2 / 3
    error = np.sqrt((1 / 30 + share) * differences.var(ddof=1))
    wanted = stats.t.interval(0.95, 29, differences.mean(), error)
    assert (found.low, found.high) == pytest.approx(wanted)
    assert found.kind == "corrected t over splits"
    plain = t_interval(differences)
    assert (found.high - found.low) / (plain.high - plain.low) == pytest.approx(np.sqrt(1 + 30 * share))
    with pytest.raises(ValueError, match="above 0"):
        corrected_t(differences, 0.0)


def test_a_corrected_interval_covers_what_a_plain_one_misses():
    """Splits of one small table say the same again and again, so that many of them make a plain interval too narrow."""
    rng, rows, splits, covered = np.random.default_rng(4), 60, 40, {"plain": 0, "corrected": 0}
    for _ in range(300):
        table = rng.normal(0, 1, rows)  # of each patient, what the better way gains; the truth is 0
        means = [table[rng.permutation(rows)[:20]].mean() for _ in range(splits)]  # 20 for test, 40 for training
        for name, interval in (("plain", t_interval(means)), ("corrected", corrected_t(means, 0.5))):
            covered[name] += interval.low <= 0 <= interval.high
    assert covered["plain"] < 0.6 * 300 and covered["corrected"] > 0.9 * 300


@pytest.mark.parametrize(("hits", "n"), [(20, 20), (0, 20), (7, 9), (130, 156)])
def test_the_interval_of_a_share_is_that_of_its_formula_and_never_without_width(hits, n):
    wilson, exact = proportion(hits, n), proportion(hits, n, method="clopper-pearson")
    z, p = stats.norm.ppf(0.975), hits / n
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert (wilson.low, wilson.high) == pytest.approx(
        ((middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n))
    )
    low = 0.0 if hits == 0 else stats.beta.ppf(0.025, hits, n - hits + 1)
    high = 1.0 if hits == n else stats.beta.ppf(0.975, hits + 1, n - hits)
    assert (exact.low, exact.high) == pytest.approx((low, high))
    assert wilson.high - wilson.low > 0.05 and exact.low <= p <= exact.high
    assert (wilson.kind, exact.kind, wilson.n) == ("Wilson interval", "Clopper-Pearson interval", n)


def test_a_share_needs_counts_that_fit_together():
    with pytest.raises(ValueError, match="no share"):
        proportion(21, 20)
    with pytest.raises(ValueError, match="choose 'wilson'"):
        proportion(2, 20, method="wald")


def test_the_p_value_is_scipys_and_agrees_with_the_interval():
    differences = np.random.default_rng(5).normal(0.03, 0.04, 10)
    assert t_test(differences) == pytest.approx(stats.ttest_1samp(differences, 0).pvalue)
    edge = t_interval(differences).low
    assert t_test(differences, edge) == pytest.approx(0.05)
    assert t_test(differences, corrected_t(differences, 0.5).low, test_share=0.5) == pytest.approx(0.05)


def test_holms_steps_on_the_example_done_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.5]) == [1.0, 1.0] and holm([0.2]) == [0.2]


def test_holm_is_rarely_wrong_even_once():
    p = np.random.default_rng(6).uniform(size=(2000, 8))  # nothing is true in any of them
    assert 0.03 < np.mean([min(holm(row)) < 0.05 for row in p]) < 0.07
    assert np.mean(p.min(1) < 0.05) > 0.3  # without it, one of eight is often wrong
