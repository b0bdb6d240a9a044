"""Reliability against scikit-learn; the traps of the calibration error: bins, few cases, and its bias taken off."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from medtl_helpers.methods.calibration import calibration_error
from medtl_helpers.methods.intervals import proportion
from medtl_helpers.methods.reliability import (
    ece_by_chance,
    expected_calibration_error,
    reliability,
    squared_calibration_error,
)


def cases(n=500, seed=0, power=1.0):
    """Labels and the probabilities that a model says of them, which are right where ``power`` is 1."""
    rng = np.random.default_rng(seed)
    truth = rng.beta(1.2, 2, n)
    return (rng.random(n) < truth).astype(int), truth**power


@pytest.mark.parametrize(("cut", "theirs"), [("count", "quantile"), ("width", "uniform")])
def test_the_curve_is_scikit_learns(cut, theirs):
    y, p = cases()
    table = reliability(y, p, 10, cut=cut)
    observed, predicted = calibration_curve(y, p, n_bins=10, strategy=theirs)
    assert table["observed"].to_numpy() == pytest.approx(observed)
    assert table["predicted"].to_numpy() == pytest.approx(predicted)
    assert table["cases"].sum() == 500 and (cut == "width" or set(table["cases"]) == {50})


def test_the_limits_of_a_bin_are_wilsons():
    y, p = cases()
    row = reliability(y, p, 4, level=0.9).iloc[1]
    limits = proportion(round(row["observed"] * row["cases"]), int(row["cases"]), level=0.9)
    assert (row["low"], row["high"]) == pytest.approx((limits.low, limits.high))


def test_ties_stay_together_and_an_empty_bin_has_no_row():
    assert len(reliability([0, 1, 0, 1], [0.3] * 4, 10)) == 1 == len(reliability([0, 1], [0.31, 0.32], cut="width"))


def test_the_error_is_the_mean_gap_by_hand_and_that_of_the_most_probable_class_for_sure_answers():
    assert expected_calibration_error([1, 0, 1, 1], [0.2, 0.4, 0.7, 0.9], 2) == pytest.approx((0.2 + 0.2) / 2)
    p = np.linspace(0.51, 0.99, 49)  # all above one half: both errors are about the same class
    y = np.arange(49) % 3 > 0
    ours = expected_calibration_error(y, p, 10, cut="width")
    assert ours == pytest.approx(calibration_error(np.stack([1 - p, p], 1), y.astype(int)), abs=1e-6)


def test_a_perfect_model_has_an_error_by_chance_that_falls_with_cases_and_depends_on_the_bins():
    few, many = (ece_by_chance(cases(n)[1], resamples=300) for n in (100, 10_000))
    assert few.value > 0.08 > 0.02 > many.value
    assert ece_by_chance(cases(100)[1], bins=30, resamples=300).value > 1.4 * few.value
    inside = [few.low <= expected_calibration_error(*cases(100, seed)) <= few.high for seed in range(40)]
    assert np.mean(inside) > 0.8  # each with other probabilities, so about 95 %
    wrong = expected_calibration_error(*cases(10_000, power=2.0))
    assert wrong > many.high


@pytest.mark.parametrize("cut", ["count", "width"])
def test_without_its_bias_the_squared_error_is_0_on_average_and_its_planted_value_otherwise(cut):
    perfect = [squared_calibration_error(*cases(300, seed), 3, cut=cut) for seed in range(300)]
    assert abs(np.mean(perfect)) < 2 * np.std(perfect) / np.sqrt(300) and np.min(perfect) < 0
    few = np.mean([squared_calibration_error(*cases(300, seed, 2.0), 3, cut=cut) for seed in range(300)])
    many = squared_calibration_error(*cases(300_000, 7, 2.0), 3, cut=cut)
    assert few == pytest.approx(many, rel=0.05)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda y, p: reliability(y, 3 * p), "give numbers from 0 to 1"),
        (lambda y, p: reliability(y, p, 0), "bins is 0"),
        (lambda y, p: reliability(y, p, cut="both"), "cut is 'both': choose one of count, width"),
        (lambda y, p: expected_calibration_error(y[:9], p), "labels have shape"),
        (lambda y, p: squared_calibration_error(y, p, 500), "has one case alone"),
        (lambda y, p: ece_by_chance(p, level=2), "level is 2"),
    ],
)
def test_what_makes_no_sense_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call(*cases())
