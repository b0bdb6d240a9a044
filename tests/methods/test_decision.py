"""Net benefit against counting by hand and against the expected harm of a decision; the curve against both."""

from statistics import NormalDist

import numpy as np
import pytest

from medtl_helpers.methods.decision import decision_curve, net_benefit, threshold_of_harms

RNG = np.random.default_rng(0)
SICK = RNG.random(400) < 0.3
PROBABILITY = np.clip(0.3 + 0.25 * SICK + RNG.normal(0, 0.2, 400), 0.01, 0.99)
THRESHOLDS = (0.05, 0.2, 0.5, 0.8)


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_net_benefit_is_found_cases_less_false_alarms_by_hand(threshold):
    found = sum(p >= threshold and s for p, s in zip(PROBABILITY, SICK, strict=True))
    false = sum(p >= threshold and not s for p, s in zip(PROBABILITY, SICK, strict=True))
    by_hand = found / 400 - false / 400 * threshold / (1 - threshold)
    assert net_benefit(SICK, PROBABILITY >= threshold, threshold) == pytest.approx(by_hand)


@pytest.mark.parametrize(("false_alarm", "missed"), [(1, 9), (3, 3), (5, 1)])
def test_more_net_benefit_is_less_expected_harm(false_alarm, missed):
    """Of any two ways to act, the difference in net benefit is that in mean harm, in units of one missed case."""
    threshold = threshold_of_harms(false_alarm, missed)

    def harm(act):
        return (false_alarm * (act & ~SICK) + missed * (~act & SICK)).mean()

    one, other = PROBABILITY >= threshold, RNG.random(400) < 0.5
    gained = net_benefit(SICK, one, threshold) - net_benefit(SICK, other, threshold)
    assert gained == pytest.approx((harm(other) - harm(one)) / missed)


def test_a_known_probability_is_best_acted_on_from_the_threshold_of_its_harms():
    p = np.linspace(0.001, 0.999, 999)
    act_harm, wait_harm = 2 * (1 - p), 6 * p
    assert p[act_harm <= wait_harm].min() == pytest.approx(threshold_of_harms(2, 6), abs=1e-3)


def test_another_prevalence_weighs_the_sick_and_the_healthy_anew():
    rare = np.r_[np.flatnonzero(SICK), np.tile(np.flatnonzero(~SICK), 7)]
    act = PROBABILITY >= 0.4
    expected = net_benefit(SICK[rare], act[rare], 0.4)
    assert net_benefit(SICK, act, 0.4, prevalence=SICK[rare].mean()) == pytest.approx(expected)


def test_the_curve_holds_the_model_the_policies_and_the_gain():
    curve = decision_curve(SICK, PROBABILITY, THRESHOLDS, resamples=50)
    for k, threshold in enumerate(THRESHOLDS):
        model = net_benefit(SICK, PROBABILITY >= threshold, threshold)
        everybody = net_benefit(SICK, np.ones(400, bool), threshold)
        assert curve["model"][k].value == pytest.approx(model)
        assert curve["treat all"][k].value == pytest.approx(everybody)
        assert curve["gain"][k].value == pytest.approx(model - max(everybody, 0))
        assert all(part[k].low <= part[k].value <= part[k].high for part in curve.values())


def test_an_overconfident_model_falls_below_treating_all_though_its_ranking_is_perfect():
    sick = np.r_[np.ones(50, bool), np.zeros(50, bool)]
    too_low = np.r_[np.linspace(0.06, 0.09, 50), np.linspace(0.01, 0.05, 50)]
    gain = decision_curve(sick, too_low, [0.2], resamples=100)["gain"][0]
    assert gain.high < 0


@pytest.mark.slow
def test_intervals_cover_what_was_planted_and_are_wider_where_patients_have_many_images():
    def drawn(seed):
        rng = np.random.default_rng(seed)
        sick = np.repeat(rng.random(80) < 0.4, 5)
        own = np.repeat(rng.normal(0, 0.2, 80), 5)  # the images of one patient are alike
        return sick, np.clip(0.35 + 0.2 * sick + own, 0, 1), np.repeat(np.arange(80), 5)

    above = NormalDist()  # of the sick, the share with 0.55 + N(0, 0.2) above 0.4; of the healthy, with 0.35 + …
    truth = 0.4 * above.cdf((0.55 - 0.4) / 0.2) - 0.6 * above.cdf((0.35 - 0.4) / 0.2) * 0.4 / 0.6
    hits = {"patients": 0, "images": 0}
    for seed in range(100):
        sick, probability, patients = drawn(seed)
        for name, groups in (("patients", patients), ("images", None)):
            found = decision_curve(sick, probability, [0.4], groups=groups, resamples=200, seed=seed)["model"][0]
            hits[name] += found.low <= truth <= found.high
    assert hits["patients"] >= 88 and hits["images"] <= 75, hits


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: net_benefit(SICK, PROBABILITY > 0.5, 1), "threshold is 1: give a share"),
        (lambda: net_benefit(SICK, PROBABILITY > 0.5, 0.5, prevalence=20), "prevalence is 20"),
        (lambda: net_benefit(SICK, PROBABILITY[:9] > 0.5, 0.5), "400.*, for 9 cases"),
        (lambda: net_benefit(SICK | True, PROBABILITY > 0.5, 0.5), "of one class"),
        (lambda: decision_curve(SICK, 100 * PROBABILITY, [0.5]), "give numbers from 0 to 1"),
        (lambda: decision_curve(SICK, PROBABILITY, [0.5, 0.0]), "threshold is 0.0"),
        (lambda: decision_curve(SICK, PROBABILITY, [0.5], groups=[1, 2]), "groups are a list, for 400 cases"),
        (lambda: threshold_of_harms(0, 1), "above 0"),
    ],
)
def test_what_makes_no_sense_is_refused(call, words):
    with pytest.raises(ValueError, match=words) as error:
        call()
    assert str(error.value).endswith(".") and ": " in str(error.value)
