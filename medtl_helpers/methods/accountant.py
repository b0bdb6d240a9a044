"""The privacy budget (ε, δ) of many steps, each of which adds Gaussian noise to a random part of the patients.

A training is (ε, δ)-differentially private when one patient more or less in the training data changes the probability
of whatever it may give out by a factor of at most exp(ε), except with probability δ. One step takes each patient with
probability q ("Poisson sampling") and adds noise of σ × the most that one patient can change. Its Rényi divergence is

    D_α = log E_z [ (1 − q + q · exp((2z − 1) / 2σ²))^α ] / (α − 1),   z normal with deviation σ

(Mironov, Talwar, Zhang 2019, arXiv 1908.10530, section 3.3; the expectation is an integral over one number and is
computed as one). T steps add up to T · D_α, and each order α > 1 gives a bound on ε (Balle et al. 2020, arXiv
1905.09982, theorem 21), the least of which holds:

    ε = T · D_α + log((α − 1) / α) − (log δ + log α) / (α − 1)

**It counts Poisson sampling alone.** Batches that are dealt from one shuffled pass are another mechanism, whose ε can
be much larger at the same noise (Chua et al. 2024, arXiv 2403.17673). Whatever else is chosen on the private data
(learning rates, the number of steps, the best of many seeds) spends budget, too, and is not counted here.
"""

import math

import numpy as np

from ..labels import as_share
from ..parts import check_rate, check_whole, shown

ORDERS = np.concatenate([np.arange(11, 110) / 10, np.arange(11, 64), np.geomspace(64, 256, 9)])
LEAST, MOST = 0.1, 1e6  # noise: below it ε is in the hundreds, and above it nothing is left to learn


def epsilon(noise_multiplier: float, sampling_rate: float, steps: int, delta: float) -> float:
    """The ε of ``steps`` steps of DP-SGD at this ``delta``, for one patient added or left out.

    Parameters
    ----------
    noise_multiplier: σ, the deviation of the noise over the clipping norm. Below 0.1 the answer is infinity.
    sampling_rate: q, the probability of each patient to be in a batch: the expected batch size over the patients.
    steps: how many batches are drawn. delta: δ, which belongs well below 1/n for n patients.

    Raises ValueError for a noise below 0, a rate of 0 or below or above 1, no steps, and a δ outside of (0, 1).
    """
    check_rate(noise_multiplier, "noise_multiplier")
    steps, delta = check_whole(steps, "steps", least=1), as_share(delta, "delta")
    rate = _as_rate(sampling_rate)
    if noise_multiplier < LEAST:
        return math.inf
    rdp = steps * _renyi(float(noise_multiplier), rate)
    bounds = rdp + np.log1p(-1 / ORDERS) - (math.log(delta) + np.log(ORDERS)) / (ORDERS - 1)
    return max(0.0, float(bounds.min()))


def noise_for(epsilon: float, sampling_rate: float, steps: int, delta: float) -> float:
    """The least noise multiplier, to four digits, whose budget after ``steps`` steps is at most ``epsilon``.

    Raises ValueError as the function ``epsilon`` does, and for a budget that is not above 0 or so small that no noise
    below one million is enough.
    """
    check_rate(epsilon, "epsilon", above=True)
    least = most = 1.0
    while _spent(most, sampling_rate, steps, delta) > epsilon:
        least, most = most, 2 * most
        if most > MOST:
            raise ValueError(
                f"No noise is enough for epsilon {epsilon:g}: take fewer steps, or a larger epsilon or delta."
            )
    while least >= LEAST and _spent(least, sampling_rate, steps, delta) <= epsilon:
        least, most = least / 2, least
    while most / least > 1 + 1e-4:
        middle = math.sqrt(least * most)
        least, most = (least, middle) if _spent(middle, sampling_rate, steps, delta) <= epsilon else (middle, most)
    return most


_spent = epsilon  # ``noise_for`` has an argument of that name


def _as_rate(value) -> float:
    rate = as_share(value, "sampling_rate", ends=True)
    if rate == 0:
        raise ValueError(f"sampling_rate is {shown(value)}: give batch_size / n, above 0 and at most 1.")
    return rate


def _renyi(sigma: float, q: float) -> np.ndarray:
    """D_α of one step, for all ``ORDERS``."""
    if q == 1:
        return ORDERS / (2 * sigma**2)
    step = min(1, sigma) / 2  # in units of σ; sums over a whole line converge faster than any power of it
    z = np.arange(-10, ORDERS[-1] / sigma + 10, step)
    ratio = np.logaddexp(math.log1p(-q), math.log(q) + z / sigma - 1 / (2 * sigma**2))
    density = -(z**2) / 2 + math.log(step / math.sqrt(2 * math.pi))
    return np.array([_log_sum(density + order * ratio) for order in ORDERS]) / (ORDERS - 1)


def _log_sum(terms: np.ndarray) -> float:
    """log Σ exp(terms); SciPy's does the same and takes ten times as long on so few."""
    top = terms.max()
    return float(top + math.log(np.exp(terms - top).sum()))
