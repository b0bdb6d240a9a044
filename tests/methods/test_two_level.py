"""Intervals over seeds and test cases: against what is known of the variance, and how often they hold the truth."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medtl_helpers.methods.two_level import two_level


def mean_answer(y, answers):
    return answers.mean()


def test_the_value_is_the_mean_over_seeds_of_the_paired_difference():
    rng = np.random.default_rng(0)
    y, ours, theirs = np.arange(30) % 2, rng.uniform(size=(3, 30)), rng.uniform(size=(3, 30))
    found = two_level(y, ours, theirs, score=roc_auc_score, resamples=50)
    wanted = np.mean([roc_auc_score(y, a) - roc_auc_score(y, b) for a, b in zip(ours, theirs, strict=True)])
    assert found.value == pytest.approx(wanted)
    assert (found.n, found.kind) == (30, "bootstrap over 3 seeds and the test cases")
    assert found == two_level(y, ours, theirs, score=roc_auc_score, resamples=50)  # the same seed, the same interval


def test_seeds_and_cases_both_widen_it():
    """Answers are the sum of a part of the seed and a part of the case: each part alone, then both."""
    rng, y = np.random.default_rng(1), np.zeros(40, int)
    of_seed, of_case = rng.normal(size=(6, 1)), rng.normal(size=(1, 40))
    width = {}
    for name, answers in {
        "seeds": of_seed + 0 * of_case,
        "cases": 0 * of_seed + of_case,
        "both": of_seed + of_case,
    }.items():
        found = two_level(y, answers, score=mean_answer, resamples=4000)
        width[name] = (found.high - found.low) / 2 / 1.96
    assert width["seeds"] == pytest.approx(of_seed.std(ddof=1) / np.sqrt(6), rel=0.08)
    assert width["cases"] == pytest.approx(of_case.std() / np.sqrt(40), rel=0.08)
    assert width["both"] == pytest.approx(np.hypot(width["seeds"], width["cases"]), rel=0.08)


@pytest.mark.slow
def test_it_holds_the_truth_about_as_often_as_it_says():
    rng, held = np.random.default_rng(2), {"both levels": 0, "cases alone": 0}
    for _ in range(200):
        answers = rng.normal(size=(8, 1)) * 0.3 + rng.normal(size=(1, 50)) + rng.normal(size=(8, 50)) * 0.2
        found = two_level(np.zeros(50, int), answers, score=mean_answer, resamples=200)
        held["both levels"] += found.low <= 0 <= found.high
        alone = answers[:1].repeat(2, 0)  # one network, twice: as if its seed were no accident
        found = two_level(np.zeros(50, int), alone, score=mean_answer, resamples=200)
        held["cases alone"] += found.low <= 0 <= found.high
    assert 0.87 * 200 < held["both levels"] < 0.99 * 200
    assert held["cases alone"] < 0.80 * 200


def test_cases_are_drawn_within_their_class_and_groups_as_a_whole():
    y = np.array([0] * 18 + [1] * 2)
    seen = []

    def note(labels, answers):
        seen.append((labels.sum(), tuple(answers)))
        return 0.0

    two_level(y, np.tile(np.arange(20.0), (2, 1)), score=note, resamples=20)
    assert {count for count, _ in seen} == {2}
    seen.clear()
    patients = np.repeat(np.arange(5), 4)
    two_level(np.tile([0, 1], 10), np.tile(patients.astype(float), (2, 1)), score=note, groups=patients, resamples=20)
    assert all(answers.count(patient) % 4 == 0 for _, answers in seen for patient in set(answers))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(np.zeros((1, 5)), None), (np.zeros((3, 4)), None), (np.zeros(5), None), (np.zeros((3, 5)), np.zeros((2, 5)))],
    ids=["one seed", "other cases", "no seeds", "not a pair"],
)
def test_shapes_that_do_not_fit_are_told(ours, theirs):
    with pytest.raises(ValueError, match=r"at least 2|for 4 cases|one row for each case"):
        two_level(np.arange(5) % 2, ours, theirs, score=mean_answer)
