"""Choosing without target labels: a ratio of densities and an expectation that are known, and cases by hand."""

import numpy as np
import pytest
import scipy.stats
from sklearn.linear_model import LogisticRegression

from medtl_helpers.methods.choosing import effective_cases, importance_weights, mean_entropy, weighted_validation


def test_the_mean_entropy_is_scipys_and_takes_zeros():
    p = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.2, 0.3, 0.5]])
    assert mean_entropy(p) == pytest.approx(scipy.stats.entropy(p, axis=1).mean(), rel=1e-12)
    assert mean_entropy(np.eye(3)) == 0


# --- weights ---------------------------------------------------------------------------------------------------------


def test_the_weights_are_the_ratio_of_two_known_densities():
    """Normal with means 0 and 1, of other sizes: the ratio is exp(x − ½)."""
    rng = np.random.default_rng(0)
    source, target = rng.normal(0, 1, (20000, 1)), rng.normal(1, 1, (7000, 1))
    at = np.linspace(-1.5, 2.5, 9)[:, None]
    np.testing.assert_allclose(importance_weights(source, target, at), np.exp(at[:, 0] - 0.5), rtol=0.12)


def test_they_are_p_over_1_minus_p_of_a_logistic_regression_times_the_ratio_of_sizes():
    """With the classes as they are, and the prior odds divided out: the same but for the penalty."""
    rng = np.random.default_rng(1)
    source, target, at = rng.normal(size=(900, 3)), rng.normal(0.4, 1, (300, 3)), rng.normal(size=(20, 3))
    mean, deviation = (getattr(np.concatenate([source, target]), f)(0) for f in ("mean", "std"))
    scaled = [(x - mean) / deviation for x in (source, target, at)]
    plain = LogisticRegression(C=1e6, max_iter=5000).fit(np.concatenate(scaled[:2]), np.repeat([0, 1], [900, 300]))
    p = plain.predict_proba(scaled[2])[:, 1]
    found = importance_weights(source, target, at, strength=1e-6)
    np.testing.assert_allclose(found, 900 / 300 * p / (1 - p), rtol=0.08)


def test_alike_domains_weigh_all_cases_about_1():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(4000, 3))
    np.testing.assert_allclose(importance_weights(x[:2000], x[2000:], x[:50]), 1, atol=0.15)


# --- weighted validation ---------------------------------------------------------------------------------------------


def test_by_hand():
    losses, weights = [0.0, 1.0, 1.0, 0.0], [0.5, 0.5, 2.0, 2.0]
    assert weighted_validation(losses, weights) == pytest.approx(2.5 / 4)
    products = np.array([0, 0.5, 2, 0])
    eta = -np.cov(products, weights, ddof=0)[0, 1] / np.var(weights)
    wanted = products.mean() + eta * np.mean(weights) - eta
    assert weighted_validation(losses, weights, dev=True) == pytest.approx(wanted)


def test_equal_weights_of_1_are_plain_validation():
    losses = np.random.default_rng(0).random(30)
    for dev in (False, True):
        assert weighted_validation(losses, np.ones(30), dev=dev) == pytest.approx(losses.mean())


@pytest.mark.parametrize("dev", [False, True])
def test_the_estimate_is_the_loss_in_the_target_under_covariate_shift(dev):
    """x is normal around 0 here and around 1 there, and an error happens where x is above 1: 0.5 there, 0.16 here."""
    rng = np.random.default_rng(3)
    estimates, plain = [], []
    for _ in range(300):
        x = rng.normal(0, 1, 400)
        losses = (x > 1).astype(float)
        estimates.append(weighted_validation(losses, np.exp(x - 0.5), dev=dev))
        plain.append(losses.mean())
    assert np.mean(estimates) == pytest.approx(0.5, abs=0.02)
    assert np.mean(plain) == pytest.approx(1 - scipy.stats.norm.cdf(1), abs=0.01)


def test_dev_varies_less_where_the_loss_is_about_constant():
    rng = np.random.default_rng(4)
    spread = {}
    for dev in (False, True):
        rng = np.random.default_rng(4)
        values = []
        for _ in range(200):
            x = rng.normal(0, 1, 200)
            losses = (rng.random(200) < 0.8).astype(float)
            values.append(weighted_validation(losses, np.exp(x - 0.5), dev=dev))
        spread[dev] = np.std(values)
    assert spread[True] < 0.7 * spread[False]


def test_effective_cases():
    assert effective_cases(np.ones(7)) == pytest.approx(7)
    assert effective_cases([1e-9, 1e-9, 5.0]) == pytest.approx(1)
    assert effective_cases([1, 2, 3]) == pytest.approx(36 / 14)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: weighted_validation([0.1, 0.2], [1.0]), "2 losses and 1 weights"),
        (lambda: weighted_validation([0.1], [-1.0]), "Of 1 weights 1 are below 0"),
        (lambda: effective_cases([0.0, 0.0]), "not all of them 0"),
        (lambda: importance_weights(np.zeros((3, 2)), np.ones((3, 2)), np.ones((3, 1))), "the cases to weigh 1"),
        (lambda: mean_entropy([[2.0, 3.0]]), "give numbers from 0 to 1"),
    ],
)
def test_what_cannot_be_weighed_is_told(call, words):
    with pytest.raises(ValueError, match=words):
        call()
