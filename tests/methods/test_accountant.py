"""The accountant against Opacus, Mironov's sums for whole orders, and closed forms."""

import math

import numpy as np
import pytest
from scipy.special import gammaln, logsumexp
from scipy.stats import norm

from medtl_helpers.methods import accountant
from medtl_helpers.methods.accountant import epsilon, noise_for

SETTINGS = [(0.01, 1000), (0.25, 100), (1.0, 30)]
DELTA = 1 / 20_000


@pytest.mark.parametrize("rate, steps", SETTINGS)
@pytest.mark.parametrize("budget", [0.5, 1, 3, 8])
def test_noise_and_budget_agree_with_opacus(budget, rate, steps):
    opacus = pytest.importorskip("opacus.accountants")
    noise = noise_for(budget, rate, steps, DELTA)
    theirs = opacus.RDPAccountant()
    theirs.history = [(noise, rate, steps)]
    told = theirs.get_epsilon(DELTA)
    assert told == pytest.approx(budget, rel=0.002)  # a fifth of a percent, where two percent were asked for
    assert epsilon(noise, rate, steps, DELTA) == pytest.approx(told, rel=1e-6)


@pytest.mark.parametrize("budget", [0.5, 1, 3, 8])
def test_noise_agrees_with_the_search_of_opacus(budget):
    utils = pytest.importorskip("opacus.accountants.utils")
    asked = {"target_epsilon": budget, "target_delta": DELTA, "sample_rate": 0.1, "steps": 200}
    theirs = utils.get_noise_multiplier(**asked, epsilon_tolerance=1e-3)
    assert noise_for(budget, 0.1, 200, DELTA) == pytest.approx(theirs, rel=0.02)


@pytest.mark.parametrize("sigma", [0.1, 0.5, 1.0, 5.0, 50.0])
@pytest.mark.parametrize("q", [0.001, 0.2, 0.9])
def test_the_integral_is_the_sum_of_whole_orders(sigma, q):
    """Mironov et al. 2019, section 3.3, equation for integer α: a binomial sum."""
    found = dict(zip(accountant.ORDERS.tolist(), accountant._renyi(sigma, q), strict=True))
    for order in (2, 3, 5, 20, 60):
        k = np.arange(order + 1)
        choose = gammaln(order + 1) - gammaln(k + 1) - gammaln(order - k + 1)
        terms = choose + (order - k) * math.log1p(-q) + k * math.log(q) + k * (k - 1) / (2 * sigma**2)
        assert found[order] == pytest.approx(logsumexp(terms) / (order - 1), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("sigma", [1.0, 3.0, 10.0])
def test_the_budget_is_no_promise_that_the_exact_one_breaks(sigma):
    """One step on everybody is one Gaussian, whose δ is known exactly (Balle, Wang 2018, theorem 8)."""
    told = epsilon(sigma, 1, 1, DELTA)
    exact = norm.cdf(0.5 / sigma - told * sigma) - math.exp(told) * norm.cdf(-0.5 / sigma - told * sigma)
    assert exact <= DELTA


def test_more_noise_fewer_steps_and_fewer_patients_a_step_cost_less():
    base = epsilon(1.0, 0.1, 100, DELTA)
    assert epsilon(2.0, 0.1, 100, DELTA) < base
    assert epsilon(1.0, 0.05, 100, DELTA) < base < epsilon(1.0, 0.1, 200, DELTA)
    assert epsilon(1.0, 0.1, 100, 1e-8) > base
    assert epsilon(0.0, 0.1, 100, DELTA) == math.inf == epsilon(0.09, 0.1, 100, DELTA)


def test_the_noise_is_the_least_that_keeps_the_budget():
    noise = noise_for(1.0, 0.2, 50, DELTA)
    assert epsilon(noise, 0.2, 50, DELTA) <= 1 < epsilon(noise * 0.999, 0.2, 50, DELTA)
    assert noise_for(600.0, 0.2, 50, DELTA) >= accountant.LEAST


def test_a_budget_that_no_noise_keeps_is_refused():
    with pytest.raises(ValueError, match="No noise is enough"):
        noise_for(1e-9, 1.0, 10**6, 1e-12)
