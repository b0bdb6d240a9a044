"""Intervals where each seed splits the table anew: against ``two_level``, known variances, and how often they hold."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medtl_helpers.methods.new_splits import OneSplit, over_new_splits
from medtl_helpers.methods.two_level import two_level


def mean_answer(y, answers):
    return answers.mean()


def test_with_one_fixed_split_it_is_two_level_over_groups():
    rng, groups = np.random.default_rng(0), np.repeat(np.arange(30), 3)
    answers = rng.normal(size=(5, 1)) * 0.5 + rng.normal(size=30)[groups] + rng.normal(size=(5, 90))
    theirs, y = rng.normal(size=(5, 90)), np.zeros(90, int)
    wanted = two_level(y, answers, theirs, score=mean_answer, groups=groups, resamples=4000)
    pairs = [[OneSplit(y, one, groups) for one in way] for way in (answers, theirs)]
    found = over_new_splits(*pairs, score=mean_answer, resamples=4000)
    assert found.value == pytest.approx(wanted.value)
    assert (found.high - found.low) == pytest.approx(wanted.high - wanted.low, rel=0.08)
    assert found == over_new_splits(*pairs, score=mean_answer, resamples=4000)


def test_sides_may_have_other_splits_and_the_value_is_the_mean_difference():
    rng = np.random.default_rng(1)
    ours, theirs = (
        [OneSplit(np.zeros(n), rng.normal(size=n), rng.integers(9, size=n)) for n in sizes]
        for sizes in ((8, 12, 9), (11, 7, 10))
    )
    found = over_new_splits(ours, theirs, score=mean_answer, resamples=50)
    wanted = np.mean([a.answers.mean() - b.answers.mean() for a, b in zip(ours, theirs, strict=True)])
    assert found.value == pytest.approx(wanted) and found.low < wanted < found.high
    assert "3 seeds" in found.kind and found.n <= 9


@pytest.mark.slow
def test_it_holds_the_truth_where_splits_overlap_and_the_t_interval_over_seeds_does_not():
    """Each of 10 seeds tests half of 40 groups. The groups' own part is the same in each split that holds them."""
    rng, held = np.random.default_rng(2), {"crossed": 0, "t": 0}
    from medtl_helpers.methods.intervals import t_interval

    for _ in range(200):
        of_group = rng.normal(size=40)
        splits = []
        for _ in range(10):
            groups = np.repeat(rng.permutation(40)[:20], 2)
            splits.append(OneSplit(np.zeros(40), of_group[groups] + rng.normal() * 0.2 + rng.normal(size=40), groups))
        found = over_new_splits(splits, score=mean_answer, resamples=200)
        alone = t_interval([one.answers.mean() for one in splits])
        held["crossed"] += found.low <= 0 <= found.high
        held["t"] += alone.low <= 0 <= alone.high
    assert held["crossed"] > 0.87 * 200 and held["t"] < 0.87 * 200, held


def test_weights_say_the_same_as_repeated_cases():
    from medtl_helpers.methods.metrics import weighted_auroc

    rng = np.random.default_rng(3)
    splits = [OneSplit(rng.integers(2, size=15), rng.random(15).round(1), rng.integers(9, size=15)) for _ in range(3)]

    def auroc(y, answers):
        return roc_auc_score(y, answers) if len(set(y.tolist())) == 2 else np.nan

    found = over_new_splits(splits, score=auroc, resamples=200)
    again = over_new_splits(splits, weighted=True, resamples=200, score=lambda y, p, w: weighted_auroc(y == 1, p, w))
    assert (again.value, again.low, again.high) == pytest.approx((found.value, found.low, found.high), abs=1e-12)


def test_draws_without_a_score_are_drawn_again_and_one_seed_is_refused():
    groups = np.arange(4)

    def both_classes(y, answers):
        return answers.mean() if len(set(y.tolist())) == 2 else np.nan

    one = OneSplit(np.array([0, 1, 1, 1]), np.array([1.0, 0, 0, 0]), groups)
    found = over_new_splits([one, one], score=both_classes, resamples=60)
    assert 0 < found.low < found.high < 1  # a draw of one class alone would give 0 or 1
    with pytest.raises(ValueError, match="at least 2"):
        over_new_splits([one], score=mean_answer)
    with pytest.raises(ValueError, match="same seeds"):
        over_new_splits([one] * 3, [one] * 2, score=mean_answer)
