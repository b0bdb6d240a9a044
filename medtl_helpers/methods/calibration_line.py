"""Calibration measured with two numbers: does the model say too much or too little, and is it too sure of itself?

A reliability curve needs many patients; the line that turns its logits into the best ones needs few. A model of a new
hospital is first asked for these two [1].

[1] Van Calster, Nieboer, Vergouwe, De Cock, Pencina, Steyerberg, A calibration hierarchy for risk models was defined:
from utopia to empirical data, Journal of Clinical Epidemiology 74 (2016), doi 10.1016/j.jclinepi.2015.12.005
"""

import numpy as np

from ..labels import as_numbers, as_probabilities, as_share, as_yes_no
from ..parts import check_whole
from .intervals import Interval
from .patient_units import drawn_weights


def log_odds(probability) -> np.ndarray:
    """log(p / (1 − p)), float64 N, of the predicted probability of the disease; 0 and 1 are moved inside by 10⁻⁷."""
    p = as_probabilities(probability, ndim=1).clip(1e-7, 1 - 1e-7)
    return np.log(p) - np.log1p(-p)


def calibration_line(logit, y) -> tuple[float, float]:
    """Intercept a and slope b with which σ(a + b · logit) fits these labels best [1]: 0 and 1 of a calibrated model.

    A slope below 1 says that the model is too sure both of the disease and of health, as an overfitted one is.
    *Calibration in the large* is another intercept, with b = 1 fixed: ``recalibrate_intercept`` finds it; above 0 the
    model says too little. Maximum likelihood; arguments and errors as for ``recalibrate_intercept``, and where the
    logits are all alike or separate the labels without an error: then no line fits best.
    """
    z, labels = _checked(logit, y)
    sick = labels > 0
    if z.min() == z.max() or z[sick].min() >= z[~sick].max() or z[sick].max() <= z[~sick].min():
        raise ValueError(
            "The logits are all alike or separate the labels without an error, so that no slope fits best: give more "
            "labelled cases, or recalibrate_slope a penalty."
        )
    intercept, slope = _newton(z, labels, np.ones((1, len(z))), [True, True])[0]
    return float(intercept), float(slope)


def calibration_metrics(
    logit, y, patients=None, *, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> dict[str, Interval]:
    """*Weak calibration* [1] with percentile intervals: "observed − expected", "in the large" and "slope".

    The first is the share of the sick less the mean probability; the others are ``recalibrate_intercept`` and the slope
    of ``calibration_line``. ``patients``: N names, of whom whole ones are drawn; None: each case is a patient.
    """
    calibration_line(logit, y)  # looks at both, and refuses what has no line
    z, labels = _checked(logit, y)
    level, units = as_share(level, "level"), np.arange(len(z)) if patients is None else patients
    check_whole(resamples, "resamples", least=1)
    check_whole(seed, "seed", least=0)
    drawn = drawn_weights(labels.astype(int), units, resamples=resamples, seed=seed)
    weights = np.concatenate([np.ones((1, len(z))), drawn])
    found = {
        "observed − expected": weights @ (labels - 1 / (1 + np.exp(-z))) / weights.sum(1),
        "in the large": _newton(z, labels, weights, [True, False])[:, 0],
        "slope": _newton(z, labels, weights, [True, True])[:, 1],
    }
    kind, n = f"bootstrap over {'test cases' if patients is None else 'patients'}", len(np.unique(units))
    limits = {name: np.quantile(v[1:], [(1 - level) / 2, (1 + level) / 2]) for name, v in found.items()}
    return {
        name: Interval(float(found[name][0]), float(low), float(high), kind, n, level)
        for name, (low, high) in limits.items()
    }


def _newton(z, y, weights, free) -> np.ndarray:
    """B×2: the line (a, b) of most likelihood for each row of ``weights`` B×N; what is not ``free`` stays at (0, 1).

    A step that would lower the likelihood is halved. Of a drawn sample that is separated the line ends steep.
    """

    def loss(line):
        return (weights * np.logaddexp(0, (1 - 2 * y) * (line[:, :1] + line[:, 1:] * z))).sum(1)

    line, columns = np.tile([0.0, 1.0], (len(weights), 1)), np.stack([np.ones_like(z), z])[free]
    for _ in range(30):
        p = 1 / (1 + np.exp(-np.clip(line[:, :1] + line[:, 1:] * z, -500, 500)))
        curvature = np.einsum("bn,in,jn->bij", weights * p * (1 - p), columns, columns, optimize=True)
        curvature += 1e-9 * weights.sum(1)[:, None, None] * np.eye(len(columns))
        step = np.zeros_like(line)
        step[:, free] = np.linalg.solve(curvature, ((weights * (y - p)) @ columns.T)[..., None])[..., 0]
        before = loss(line) * (1 + 1e-12)
        for _ in range(20):
            if not (worse := loss(line + step) > before).any():
                break
            step[worse] /= 2
        line += step
        if np.abs(step).max() < 1e-8 * (1 + np.abs(line).max()):
            break
    return line


def _checked(logit, y) -> tuple[np.ndarray, np.ndarray]:
    z = as_numbers(logit, "logits")
    return z, as_yes_no(y, len(z), "labels").astype(float)
