"""Sensitivity, specificity and predictive values against counts by hand, their limits against roots and draws."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, f1_score, precision_score, recall_score

from medtl_helpers.methods.intervals import proportion
from medtl_helpers.methods.operating_point import (
    operating_point,
    predictive_values,
    ratio_limits,
    shares_of,
    square_and_add,
)


def cases(found=18, sick=20, cleared=90, healthy=100):
    truth = np.r_[np.ones(sick, bool), np.zeros(healthy, bool)]
    said = np.r_[np.arange(sick) < found, np.arange(healthy) >= cleared]
    return truth, said.astype(float)


# --- the values ------------------------------------------------------------------------------------------------------


def test_the_four_are_scikit_learns_at_the_prevalence_of_the_cases():
    rng = np.random.default_rng(0)
    sick = rng.random(200) < 0.3
    probability = np.clip(0.35 * sick + rng.random(200) * 0.65, 0, 1)
    alarm = probability >= 0.4
    found = {name: interval.value for name, interval in operating_point(sick, probability, threshold=0.4).items()}
    assert found == pytest.approx(
        {
            "sensitivity": recall_score(sick, alarm),
            "specificity": recall_score(~sick, ~alarm),
            "PPV": precision_score(sick, alarm),
            "NPV": precision_score(~sick, ~alarm),
        }
    )


def test_predictive_values_by_hand_in_a_thousand_people():
    """One in a hundred is sick; 90 % are found and 90 % of the healthy cleared: 9 true alarms among 108."""
    found = operating_point(*cases(), prevalence=0.01)
    assert found["PPV"].value == pytest.approx(9 / 108)
    assert found["NPV"].value == pytest.approx(891 / 892)


def test_a_threshold_is_met_by_a_probability_that_equals_it():
    found = operating_point([True, False], [0.5, 0.4])
    assert found["sensitivity"].value == found["specificity"].value == 1


def test_sensitivity_and_specificity_have_wilsons_limits_and_do_not_move_with_prevalence():
    rare, common = (operating_point(*cases(), prevalence=p) for p in (0.01, 0.5))
    wilson = binomtest(18, 20).proportion_ci(0.95, "wilson")
    assert (rare["sensitivity"].low, rare["sensitivity"].high) == pytest.approx(tuple(wilson))
    assert rare["sensitivity"] == common["sensitivity"] and rare["specificity"] == common["specificity"]
    assert rare["PPV"].high < common["PPV"].low and common["NPV"].high < rare["NPV"].low


# --- the limits ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "a, b", [((18, 20), (10, 100)), ((5, 40), (30, 50)), ((12, 12), (3, 90)), ((60, 100), (55, 80))]
)
def test_the_limits_of_a_ratio_are_where_those_of_a_difference_reach_zero(a, b):
    """The definition of MOVER-R: the r for which the limits of a − r b, by square and add, are zero."""
    ours, theirs = proportion(*a), proportion(*b)

    def lower(r):
        down = np.hypot(ours.value - ours.low, r * (theirs.high - theirs.value))
        return ours.value - r * theirs.value - down

    def upper(r):
        return ours.value - r * theirs.value + np.hypot(ours.high - ours.value, r * (theirs.value - theirs.low))

    low, high = ratio_limits(ours, theirs)
    assert low == pytest.approx(brentq(lower, 0, ours.value / theirs.value), abs=1e-9)
    assert high == pytest.approx(brentq(upper, ours.value / theirs.value, 1e4), abs=1e-6)


@pytest.mark.parametrize("found, cleared", [(20, 100), (0, 100), (20, 0), (0, 0), (18, 100), (20, 90), (1, 99)])
@pytest.mark.parametrize("prevalence", [0.01, 0.5, 0.9])
def test_at_every_edge_the_limits_hold_the_value_and_have_a_width(found, cleared, prevalence):
    for name, interval in operating_point(*cases(found, cleared=cleared), prevalence=prevalence).items():
        assert 0 <= interval.low <= interval.value <= interval.high <= 1, name
        assert interval.high - interval.low > 1e-4, name


@pytest.mark.slow
def test_the_limits_of_the_ppv_cover_it_about_95_times_in_100():
    rng, prevalence = np.random.default_rng(1), 0.05
    truth = prevalence * 0.85 / (prevalence * 0.85 + (1 - prevalence) * 0.1)
    covered = 0
    for _ in range(1000):
        sensitivity, specificity = proportion(rng.binomial(40, 0.85), 40), proportion(rng.binomial(80, 0.9), 80)
        ppv, _ = predictive_values(sensitivity, specificity, prevalence)
        covered += ppv.low <= truth <= ppv.high
    assert 925 <= covered <= 985


def test_square_and_add_of_one_share_is_its_own_interval_and_of_many_is_narrower():
    one = proportion(9, 10)
    assert square_and_add([one], [1]) == pytest.approx((one.low, one.high))
    low, high = square_and_add([one] * 4, [0.25] * 4)
    assert (0.9 - low, high - 0.9) == pytest.approx(((0.9 - one.low) / 2, (one.high - 0.9) / 2))


def test_the_shares_of_a_confusion_matrix_hold_scikit_learns_scores():
    rng = np.random.default_rng(2)
    y = np.repeat([0, 1, 2], [40, 30, 50])
    said = np.where(rng.random(120) < 0.7, y, rng.integers(0, 3, 120))
    limits = shares_of(confusion_matrix(y, said), [0, 1, 2], 0.95)
    scores = {"recall": recall_score, "precision": precision_score, "F1": f1_score}
    for name, score in scores.items():
        low, high = limits[name]
        assert low < score(y, said, average="macro") < high and 0.1 < high - low < 0.3, name
    low, high = limits["accuracy"]
    assert low < (y == said).mean() < high
    wilson = binomtest(int((y == said).sum()), 120).proportion_ci(0.95, "wilson")  # not stratified, so a little wider
    assert high - low == pytest.approx(wilson.high - wilson.low, rel=0.1)


# --- what cannot be scored -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sick, probability, options, sentence",
    [
        ([True, False], [0.5], {}, r"sick cases have shape \(2,\), for 1 cases"),
        ([True, True], [0.5, 0.7], {}, "sick cases are of one class"),
        ([True, False], [0.5, 0.7], {"prevalence": 5}, "prevalence is 5: give a share between 0 and 1"),
        ([True, False], [0.5, 0.7], {"prevalence": 0}, "prevalence is 0"),
    ],
)
def test_what_cannot_be_scored_is_refused_in_a_sentence(sick, probability, options, sentence):
    with pytest.raises(ValueError, match=f"(?i){sentence}"):
        operating_point(sick, probability, **options)
