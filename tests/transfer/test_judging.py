"""What is chosen comes from validation, and what is judged equals other computations of the same."""

import numpy as np
import pytest
from sklearn import metrics as sk

from medtl_helpers.methods.patient_units import patient_metrics
from medtl_helpers.methods.temperature import find_temperature, tempered
from medtl_helpers.transfer.judging import FEWEST, SPREAD, Recipe, best_threshold, judge, make_recipe, operating_points


def cases(n=300, classes=2, seed=0, sure=2.0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    logits = np.eye(classes)[y] * 1.2 + rng.normal(0, 1, (n, classes))
    p = np.exp(sure * logits)
    return y, p / p.sum(1, keepdims=True)


def test_the_threshold_has_the_highest_mean_of_sensitivity_and_specificity():
    y, p = cases()
    low, high, _ = sk.roc_curve(y == 1, p[:, 1], drop_intermediate=False)
    found = best_threshold(y == 1, p[:, 1])
    alarm = p[:, 1] >= found
    assert alarm[y == 1].mean() - alarm[y == 0].mean() == pytest.approx((high - low).max())
    assert not np.isin(found, p[:, 1])  # between two answers, so that rounding decides nothing
    assert best_threshold(np.array([True, False]), np.array([0.3, 0.3])) == 0.5


def test_the_recipe_is_made_from_validation_alone():
    y, p = cases()
    recipe = make_recipe(("a", "b"), 1, y, p)
    assert recipe.temperature == find_temperature(p, y, spread=SPREAD)
    assert recipe.threshold == best_threshold(y == 1, tempered(p, recipe.temperature)[:, 1])
    assert make_recipe(("a", "b", "c"), None, *cases(classes=3)).threshold is None


def test_the_answer_is_the_positive_class_from_the_threshold_on():
    p = np.array([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.3, 0.25, 0.45]])
    assert Recipe(("a", "b", "c"), 1, 1.0, 0.25).answers(p).tolist() == [1, 2, 1]
    assert Recipe(("a", "b", "c"), None, 1.0, None).answers(p).tolist() == [0, 2, 2]
    assert Recipe(("a", "b"), 0, 1.0, 0.9).answers(np.array([[0.8, 0.2], [0.95, 0.05]])).tolist() == [1, 0]


def test_two_classes_are_judged_as_elsewhere_in_the_course():
    (y, p), (y_val, p_val) = cases(seed=1), cases(seed=2)
    who = np.array([f"P{k // 3}" for k in range(len(y))])
    recipe = make_recipe(("well", "sick"), 1, y_val, p_val)
    judged = judge(recipe, y, p, who, seed=3)
    calm = tempered(p, recipe.temperature)
    elsewhere = patient_metrics(y, calm, who, positive=1, seed=3)
    assert {name: judged.metrics[name] for name in ("AUROC", "log loss")} == {
        name: elsewhere[name] for name in ("AUROC", "log loss")
    }
    assert judged.metrics["AUROC"].n == 100 and judged.metrics["AUROC"].kind == "bootstrap over patients"
    np.testing.assert_array_equal(judged.confusion, sk.confusion_matrix(y, judged.answers))
    slope = judged.line["slope"].value
    assert slope == pytest.approx(judged.line_before["slope"].value * recipe.temperature, rel=1e-3)
    assert abs(slope - 1) < abs(judged.line_before["slope"].value - 1)
    assert set(judged.curve) == {"model", "treat all", "gain"} and judged.table["cases"].sum() == 300
    here = next(iter(judged.operating))
    assert here == pytest.approx((y == 1).mean())
    assert judged.operating[here]["sensitivity"].value == (judged.answers == 1)[y == 1].mean()


def test_the_worst_cases_are_wrong_and_the_surest_of_them_come_first():
    y, p = cases()
    judged = judge(Recipe(("a", "b"), 1, 1.0, 0.5), y, p)
    assert (judged.answers[judged.worst] != y[judged.worst]).all()
    true = p[judged.worst, y[judged.worst]]
    assert (np.diff(true) >= 0).all() and true[0] == p[np.arange(300), y][judged.answers != y].min()


def test_without_a_positive_class_the_event_is_a_right_answer():
    y, p = cases(classes=3)
    judged = judge(make_recipe("abc", None, *cases(classes=3, seed=5)), y, p)
    assert not judged.operating and not judged.curve and judged.confusion.shape == (3, 3)
    event, of_event = Recipe(("a", "b", "c"), None, 1.0, None).event(y, p)
    np.testing.assert_array_equal(event, p.argmax(1) == y)
    np.testing.assert_array_equal(of_event, p.max(1))


def test_a_line_of_few_cases_is_not_drawn():
    y = np.r_[np.zeros(60, int), np.ones(FEWEST - 1, int)]
    p = np.random.default_rng(0).uniform(0.2, 0.8, len(y))
    assert judge(Recipe(("a", "b"), 1, 1.0, 0.5), y, np.c_[1 - p, p]).line == {}


def test_ppv_follows_the_prevalence_by_bayes():
    y, p = cases()
    found = operating_points(y == 1, p[:, 1], 0.5)
    sens, spec = (found[0.1][name].value for name in ("sensitivity", "specificity"))
    assert found[0.1]["PPV"].value == pytest.approx(0.1 * sens / (0.1 * sens + 0.9 * (1 - spec)))


def test_sensitivity_has_limits_over_patients_where_they_are_known():
    y, who = np.repeat(np.arange(40) % 2, 6), np.repeat(np.arange(40), 6)
    own = np.repeat(np.random.default_rng(0).normal(0, 1, 40), 6)
    p = 1 / (1 + np.exp(-(2 * y - 1 + 2 * own)))
    images, patients = (operating_points(y == 1, p, 0.5, groups)[0.1]["sensitivity"] for groups in (None, who))
    assert images.value == patients.value and patients.n == 20
    assert patients.high - patients.low > 1.8 * (images.high - images.low)
    sure = operating_points(y == 1, y.astype(float), 0.5, who)[0.1]["sensitivity"]
    assert sure.value == sure.high == 1 and 0.8 < sure.low < 0.9  # Wilson's of 20 of 20 patients
