"""Subgroups: each score is that of the group alone; the worst one is told with what picking it does."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medtl_helpers.methods.patient_units import patient_metrics
from medtl_helpers.methods.subgroups import by_group, worst_group


def cohort(seed=0, n=120, images=2, bad=0.0, groups=3):
    """Patients of equal groups with some images each; the ranking of group 0 is worse by ``bad``."""
    rng = np.random.default_rng(seed)
    sick, group = rng.random(n) < 0.4, np.arange(n) % groups
    own = rng.normal(0, 1, n) + np.where(group == 0, 1.5 - bad, 1.5) * sick
    patients = np.repeat(np.arange(n), images)
    p = 1 / (1 + np.exp(-(own - 0.7)[patients] - rng.normal(0, 0.2, n * images)))
    return sick[patients].astype(int), np.stack([1 - p, p], 1), np.array(list("abc"))[group[patients]], patients


def test_each_group_is_judged_alone():
    y, p, groups, patients = cohort()
    found = by_group(y, p, groups, patients, resamples=50)
    assert list(found) == ["a", "b", "c"]
    for name in found:
        here = groups == name
        assert found[name] == patient_metrics(y[here], p[here], patients[here], positive=1, resamples=50)
        assert found[name]["AUROC"].value == pytest.approx(roc_auc_score(y[here], p[here, 1]))
        assert found[name]["AUROC"].n == 40


@pytest.mark.parametrize("score", ["AUROC", "accuracy", "balanced accuracy", "log loss"])
def test_the_worst_group_is_the_one_with_the_worst_score(score):
    y, p, groups, patients = cohort(bad=1.5)
    values = {name: found[score].value for name, found in by_group(y, p, groups, patients, resamples=20).items()}
    worst = worst_group(y, p, groups, patients, score=score, resamples=50)
    assert worst.name == (max if score == "log loss" else min)(values, key=values.get)
    assert worst.interval.value == pytest.approx(values[worst.name]) and worst.interval.low < worst.interval.high
    assert worst.interval.level == pytest.approx(1 - 0.05 / 3)


def test_the_worst_of_equal_groups_is_bad_by_chance_and_a_bad_group_is_found():
    p_values, gaps = [], []
    for seed in range(100, 160):
        y, p, groups, patients = cohort(seed)
        worst = worst_group(y, p, groups, patients, resamples=99)
        p_values.append(worst.p)
        gaps.append(worst.interval.value - worst.by_chance)
        assert worst.by_chance < roc_auc_score(y, p[:, 1])
    assert np.mean(np.array(p_values) <= 0.1) < 0.25 and abs(np.mean(gaps)) < 0.02
    bad = worst_group(*cohort(bad=1.5, n=300), resamples=199)
    assert bad.name == "a" and bad.p == 1 / 200 and bad.interval.high < bad.by_chance


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda y, p, g, w: (y, p[:, :1], g, w), "one column"),
        (lambda y, p, g, w: (y, np.c_[p, 0 * y], g, w), "There are 3 classes: give the probabilities of two"),
        (lambda y, p, g, w: (y, p, g[:5], w), "give one for each case"),
        (lambda y, p, g, w: (y, p, np.where(y == 1, "sick", g), w), "The group 'a' lacks a class"),
        (lambda y, p, g, w: (y, p, np.full(len(y), "a"), w), "There are 1 groups: give two or more"),
        (lambda y, p, g, w: (y, p, g, np.zeros(len(y), int)), "every patient with all images in one"),
    ],
)
def test_what_makes_no_sense_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        worst_group(*change(*cohort()))
    with pytest.raises(ValueError, match="choose one of AUROC"):
        worst_group(*cohort(), score="F1")
