"""Temperature scaling against a direct search for the minimum, and what it must leave alone."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from medtl_helpers.methods.temperature import LEAST, MOST, find_temperature, tempered


def softmax(z):
    z = np.exp(z - z.max(1, keepdims=True))
    return z / z.sum(1, keepdims=True)


def cases(sharper, classes=3, n=400):
    """Answers that are ``sharper`` times as sure as the labels that are drawn from them allow."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, (n, classes))
    y = np.array([rng.choice(classes, p=p) for p in softmax(logits)])
    return softmax(sharper * logits), y


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("sharper", [0.4, 3.0])
def test_it_is_the_minimum_of_the_log_loss_and_undoes_what_was_too_sure(sharper, classes):
    p, y = cases(sharper, classes)
    found = find_temperature(p, y)
    direct = minimize_scalar(
        lambda t: -np.log(softmax(np.log(p) / t)[np.arange(len(y)), y]).mean(), bounds=(0.1, 10), method="bounded"
    )
    assert found == pytest.approx(direct.x, rel=1e-3)
    assert found == pytest.approx(sharper, rel=0.25)


def test_tempered_is_a_softmax_at_a_temperature_and_keeps_the_order():
    p, _ = cases(3.0)
    q = tempered(p, 2.5)
    np.testing.assert_allclose(q, softmax(np.log(p) / 2.5), rtol=1e-9)
    np.testing.assert_array_equal(q.argmax(1), p.argmax(1))
    np.testing.assert_allclose(tempered(p, 1.0), p, rtol=1e-9)


@pytest.mark.parametrize(("right", "low", "high"), [(True, LEAST, 0.2), (False, 10, MOST)])
def test_without_an_error_or_without_a_hit_it_stays_finite(right, low, high):
    y = np.array([0, 1] * 10)
    p = np.where(np.eye(2)[y if right else 1 - y] > 0, 0.9, 0.1)
    assert low <= find_temperature(p, y) <= high
    assert np.isfinite(tempered(np.eye(2)[y], low)).all()


def test_a_prior_keeps_few_cases_from_certainty_and_yields_to_many():
    y = np.array([0, 1] * 8)
    few = find_temperature(np.where(np.eye(2)[y] > 0, 0.9, 0.1), y, spread=0.5)
    assert 0.6 < few < 1
    p, y = cases(3.0, 3, 2000)
    assert find_temperature(p, y, spread=0.5) == pytest.approx(find_temperature(p, y), rel=0.02)


def test_with_a_prior_it_is_the_most_probable_temperature():
    p, y = cases(3.0, n=40)

    def minus_log_posterior(log_t):
        return -np.log(softmax(np.log(p) / np.exp(log_t))[np.arange(40), y]).sum() + (log_t / 0.5) ** 2 / 2

    direct = minimize_scalar(minus_log_posterior, bounds=(-2, 2), method="bounded")
    assert np.log(find_temperature(p, y, spread=0.5)) == pytest.approx(direct.x, abs=1e-3)
