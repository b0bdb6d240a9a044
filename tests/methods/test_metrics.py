"""Point values against scikit-learn, intervals against a naive bootstrap and the coverage they promise."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics as sk

from medtl_helpers.methods.intervals import Interval
from medtl_helpers.methods.metrics import bootstrap_metrics, weighted_auroc

METRICS = ("accuracy", "balanced accuracy", "recall", "precision", "F1", "auroc")


def cases(n_classes, n=90, seed=0, decimals=2):
    """True classes (unbalanced, each present) and probabilities that are somewhat right, with ties."""
    rng = np.random.default_rng(seed)
    share = np.arange(1, n_classes + 1) / sum(range(1, n_classes + 1))
    y = np.r_[np.arange(n_classes), rng.choice(n_classes, n - n_classes, p=share)]
    raw = np.exp(1.2 * np.eye(n_classes)[y] + rng.standard_normal((n, n_classes)))
    return y, (raw / raw.sum(1, keepdims=True)).round(decimals)


def by_scikit_learn(y, probability, positive):
    """The six metrics, one scikit-learn call each."""
    predicted = probability.argmax(1)
    if positive is None:
        how = {"average": "macro", "zero_division": 0, "labels": range(probability.shape[1])}
        auroc = np.mean([sk.roc_auc_score(y == k, probability[:, k]) for k in range(probability.shape[1])])
    else:
        how = {"pos_label": positive, "average": "binary", "zero_division": 0}
        auroc = sk.roc_auc_score(y == positive, probability[:, positive])
    return {
        "accuracy": sk.accuracy_score(y, predicted),
        "balanced accuracy": sk.balanced_accuracy_score(y, predicted),
        "recall": sk.recall_score(y, predicted, **how),
        "precision": sk.precision_score(y, predicted, **how),
        "F1": sk.f1_score(y, predicted, **how),
        "auroc": auroc,
    }


# --- point values ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_classes, positive", [(2, 0), (2, 1), (2, None), (5, None)])
def test_the_values_are_scikit_learns(n_classes, positive):
    y, probability = cases(n_classes)
    ours = bootstrap_metrics(y, probability, positive=positive, resamples=20)
    theirs = by_scikit_learn(y, probability, positive)
    assert {name: interval.value for name, interval in ours.items()} == pytest.approx(theirs, abs=1e-12)


def test_with_label_0_as_the_disease_recall_is_about_label_0():
    """BreastMNIST and Wisconsin call the malignant class 0."""
    y = np.array([0, 0, 0, 0, 1, 1])
    probability = np.eye(2)[[0, 1, 1, 1, 1, 1]]  # finds one of four malignant, all benign
    found = bootstrap_metrics(y, probability, positive=0, resamples=20)
    assert found["recall"].value == 0.25 and found["precision"].value == 1
    assert bootstrap_metrics(y, probability, positive=1, resamples=20)["recall"].value == 1


def test_of_a_class_that_is_never_predicted_the_precision_is_zero_and_nobody_knows_it():
    y, probability = np.array([0, 0, 1, 1]), np.tile([0.9, 0.1], (4, 1))
    precision = bootstrap_metrics(y, probability, positive=1, resamples=50)["precision"]
    assert (precision.value, precision.low, precision.high) == (0, 0, 1)


@pytest.mark.parametrize("decimals", [1, 2, 12])
def test_weighted_auroc_is_scikit_learns_with_sample_weights_and_ties(decimals):
    rng = np.random.default_rng(1)
    y, probability = cases(2, decimals=decimals)
    weights = rng.integers(0, 4, (25, len(y))).astype(float)
    ours = weighted_auroc(y == 1, probability[:, 1], weights)
    theirs = [sk.roc_auc_score(y == 1, probability[:, 1], sample_weight=w) for w in weights]
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


# --- the bootstrap ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("n_classes, positive", [(2, 0), (3, None)])
def test_the_bounds_are_those_of_a_naive_stratified_bootstrap(n_classes, positive):
    y, probability = cases(n_classes)
    rng = np.random.default_rng(7)
    rows = []
    for _ in range(400):
        drawn = np.concatenate([rng.choice(np.flatnonzero(y == k), (y == k).sum()) for k in range(n_classes)])
        rows.append(by_scikit_learn(y[drawn], probability[drawn], positive))
    ours = bootstrap_metrics(y, probability, positive=positive, level=0.8, resamples=4000)
    for name in METRICS:
        low, high = np.quantile([row[name] for row in rows], [0.1, 0.9])
        assert ours[name].low == pytest.approx(low, abs=0.02), name
        assert ours[name].high == pytest.approx(high, abs=0.02), name


def test_the_auroc_interval_is_as_wide_as_delongs_formula_says():
    """Its variance, from how each case of one class is placed among the other's (DeLong 1988, doi 10.2307/2531595)."""
    y, probability = cases(2, n=400)
    score = probability[:, 1]
    wins = np.sign(score[y == 1][:, None] - score[y == 0][None]) / 2 + 0.5  # positives × negatives
    variance = sum(wins.mean(axis).var() / wins.shape[1 - axis] for axis in (0, 1))
    found = bootstrap_metrics(y, probability, positive=1, resamples=4000)["auroc"]
    assert found.high - found.low == pytest.approx(2 * 1.96 * variance**0.5, rel=0.08)


def test_resampling_keeps_the_number_of_cases_of_each_class():
    """For each resample, accuracy is the mean of the two recalls by the shares of the classes, whatever is drawn."""
    y = np.r_[np.zeros(30, int), np.ones(70, int)]
    said = np.r_[np.arange(30) < 3, np.arange(70) > 3].astype(int)  # 27 and 66 are right
    drawn = bootstrap_metrics(y, np.eye(2)[said], positive=1)
    sick, healthy = (bootstrap_metrics(y, np.eye(2)[said], positive=k)["recall"] for k in (1, 0))
    assert drawn["accuracy"].low > 0.3 * healthy.low + 0.7 * sick.low
    assert drawn["accuracy"].high < 0.3 * healthy.high + 0.7 * sick.high


# --- at the edge -----------------------------------------------------------------------------------------------------


def all_right(*per_class):
    y = np.repeat(np.arange(len(per_class)), per_class)
    return bootstrap_metrics(y, np.eye(len(per_class))[y], positive=1 if len(per_class) == 2 else None)


def test_twenty_of_twenty_found_is_no_proof_in_any_score():
    found = all_right(20, 20)
    wilson = binomtest(20, 20).proportion_ci(0.95, "wilson").low
    for name, interval in found.items():
        assert interval.value == interval.high == 1 and 0.8 < interval.low < 0.95, name
    assert found["recall"].low == pytest.approx(wilson) and found["precision"].low == pytest.approx(wilson)
    assert found["auroc"].low == pytest.approx(0.025 ** (1 / 20))  # 20 pairs of one sick and one healthy patient
    assert {found["recall"].kind, found["auroc"].kind} == {"Wilson limits over test cases", "Clopper-Pearson interval"}


def test_always_the_same_answer_has_limits_on_one_side():
    y = np.r_[np.zeros(30, int), np.ones(70, int)]
    found = bootstrap_metrics(y, np.tile([0.2, 0.8], (100, 1)), positive=1)
    healthy, sick = binomtest(0, 30).proportion_ci(0.95, "wilson"), binomtest(70, 70).proportion_ci(0.95, "wilson")
    assert (found["recall"].low, found["recall"].high) == pytest.approx((sick.low, 1))
    assert (found["balanced accuracy"].low, found["balanced accuracy"].high) == pytest.approx(
        (0.5 - (1 - sick.low) / 2, 0.5 + healthy.high / 2)
    )
    assert (found["auroc"].low, found["auroc"].high) == pytest.approx((0.5, 0.5))  # ties, whoever is drawn


def test_more_cases_make_the_limit_at_the_edge_narrower_and_three_classes_have_one_too():
    for name in METRICS:
        assert all_right(20, 20)[name].low < all_right(200, 200)[name].low < 1, name
        assert all_right(20, 20, 20)[name].low < 0.97, name


@pytest.mark.slow
def test_a_recall_near_one_is_covered_where_the_bootstrap_alone_would_miss_it():
    """300 test sets of 30 sick and 30 healthy; the recalls are 0.97 and 0.9, so that many see 30 of 30."""
    rng, y = np.random.default_rng(4), np.arange(60) % 2
    covered, edge, truth = 0, 0, {"recall": 0.97, "balanced accuracy": 0.935}
    for repetition in range(300):
        right = rng.random(60) < np.where(y == 1, 0.97, 0.9)
        found = bootstrap_metrics(y, np.eye(2)[np.where(right, y, 1 - y)], positive=1, resamples=200, seed=repetition)
        covered += np.array([found[name].low <= value <= found[name].high for name, value in truth.items()])
        edge += found["recall"].value == 1
    assert edge > 80  # 0.97³⁰ = 0.40 of the test sets: without the limits at the edge at most 0.6 were covered
    assert (covered >= 0.9 * 300).all()


# --- the bootstrap, once more ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_95_percent_interval_covers_the_truth_about_95_times_in_100():
    """200 test sets of a classifier whose recalls are 0.9 and 0.7: its balanced accuracy is 0.8."""
    rng = np.random.default_rng(3)
    y = np.arange(120) % 2
    covered = 0
    for repetition in range(200):
        right = rng.random(len(y)) < np.where(y == 0, 0.9, 0.7)
        probability = np.eye(2)[np.where(right, y, 1 - y)]
        found = bootstrap_metrics(y, probability, resamples=300, seed=repetition)["balanced accuracy"]
        covered += found.low <= 0.8 <= found.high
    assert 178 <= covered <= 199  # 190 expected, standard deviation 3


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    y, probability = cases(2)
    first, again, other = (bootstrap_metrics(y, probability, positive=1, seed=s) for s in (0, 0, 1))
    assert first == again
    assert first["auroc"].value == other["auroc"].value and first["auroc"].low != other["auroc"].low


def test_the_interval_names_what_varies_and_how_many_cases_were_seen():
    y, probability = cases(2)
    interval = bootstrap_metrics(y, probability, positive=1, level=0.9)["recall"]
    assert (interval.kind, interval.n, interval.level) == ("stratified bootstrap over test cases", 90, 0.9)
    assert str(Interval(0.5, 0.25, 0.75, "t over seeds", 3)) == "0.500 [0.250, 0.750] (95% t over seeds, n = 3)"


GOOD = np.full((4, 2), 0.5)


@pytest.mark.parametrize(
    "y, probability, sentence",
    [
        ([0, 1, 0, 1], np.where(np.eye(4, 2) > 0, np.nan, 0.5), "2 predicted probabilities are not finite"),
        ([0, 0, 0, 0], GOOD, r"Of classes 0 to 1 there are \[4, 0\] labels"),
        ([0, 1, 2, 1], GOOD, r"there are \[1, 2\] labels, and 1 of other classes"),
        ([0, 1, 0], GOOD, r"The labels have shape \(3,\), for 4 cases"),
        ([0, 1, 0, 1], GOOD[:, 0], r"probabilities have shape \(4,\): give one row for each case"),
    ],
    ids=["NaN", "missing class", "unknown class", "lengths", "one column"],
)
def test_what_cannot_be_scored_is_refused_in_a_sentence(y, probability, sentence):
    with pytest.raises(ValueError, match=sentence):
        bootstrap_metrics(y, probability)
