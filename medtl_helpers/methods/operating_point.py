"""What a test says at one threshold, by its clinical names, and what its alarms are worth where the disease is rare.

Sensitivity and specificity belong to the test. What a doctor asks is the other way round: of the alarms, how many are
right? This *positive predictive value* (PPV) depends on how common the disease is, too, so it always names a
prevalence. A test set with as many sick as healthy says nothing about it by itself.

All intervals start from Wilson's, so that 20 of 20 is no proof. Sums of independent shares are joined by "square and
add" [1], and a ratio by MOVER-R [2], which needs no logarithm of zero.

[1] Newcombe, Interval estimation for the difference between independent proportions, Statistics in Medicine 17 (1998),
method 10  [2] Newcombe, MOVER-R confidence intervals for ratios and products of two independently estimated
quantities, Statistical Methods in Medical Research 25 (2016), doi 10.1177/0962280213502144
"""

import math
from collections.abc import Sequence

import numpy as np

from ..labels import as_probabilities, as_share, as_yes_no
from .intervals import Interval, proportion

KIND = "Wilson limits over test cases"


def operating_point(
    sick, probability, *, prevalence: float | None = None, threshold: float = 0.5, level: float = 0.95
) -> dict[str, Interval]:
    """Sensitivity, specificity, PPV and NPV of "disease" wherever ``probability`` is at least ``threshold``.

    Parameters
    ----------
    sick: bool N, who has the disease: for a task ``y == task.positive``.
    probability: float N, the predicted probability of the disease.
    prevalence: how common the disease is where the test will be used; None: as common as among these cases.
    threshold: from validation cases, never from these.

    Raises ValueError for shapes that differ, for what are no probabilities or shares, and where everybody is sick or
    healthy.
    """
    probability, level = as_probabilities(probability, ndim=1), as_share(level, "level")
    sick, threshold = as_yes_no(sick, len(probability), "sick cases"), as_share(threshold, "threshold", ends=True)
    prevalence = float(sick.mean()) if prevalence is None else prevalence
    alarm = probability >= threshold
    sensitivity = proportion((alarm & sick).sum(), sick.sum(), level=level)
    specificity = proportion((~alarm & ~sick).sum(), (~sick).sum(), level=level)
    ppv, npv = predictive_values(sensitivity, specificity, prevalence)
    return {"sensitivity": sensitivity, "specificity": specificity, "PPV": ppv, "NPV": npv}


def predictive_values(sensitivity: Interval, specificity: Interval, prevalence: float) -> tuple[Interval, Interval]:
    """PPV and NPV of a test where the share ``prevalence`` is sick (Bayes): the odds before it times a ratio.

    The odds of disease after an alarm are prevalence / (1 − prevalence) × sensitivity / (1 − specificity).
    """
    prevalence = as_share(prevalence, "prevalence")
    odds = prevalence / (1 - prevalence)
    return (
        _after(odds, sensitivity, _complement(specificity), f"{prevalence:.0%}"),
        _after(1 / odds, specificity, _complement(sensitivity), f"{prevalence:.0%}"),
    )


def _after(odds: float, right: Interval, wrong: Interval, prevalence: str) -> Interval:
    """The share of right answers, from the odds before the test and the rates of right and of wrong answers."""
    ratio = right.value / wrong.value if wrong.value else (math.inf if right.value else math.nan)
    low, high = ratio_limits(right, wrong)
    value, low, high = (1.0 if math.isinf(r) else odds * r / (1 + odds * r) for r in (ratio, low, high))
    value = 0.0 if math.isnan(value) else value  # no such answer was ever given
    return Interval(value, low, high, f"MOVER-R at prevalence {prevalence}", right.n + wrong.n, right.level)


def ratio_limits(a: Interval, b: Interval) -> tuple[float, float]:
    """The limits of a/b for independent shares ``a`` and ``b`` [2, MOVER-R]; above it can be infinite."""

    def limit(end_a: float, end_b: float, sign: int) -> float:
        product = a.value * b.value
        under = product**2 - end_a * end_b * (2 * a.value - end_a) * (2 * b.value - end_b)
        below = end_b * (2 * b.value - end_b)
        if abs(below) < 1e-12:  # the quadratic equation is a straight line
            return math.inf if sign > 0 else end_a * (2 * a.value - end_a) / max(2 * product, 1e-300)
        found = (product + sign * math.sqrt(max(under, 0.0))) / below
        return math.inf if sign > 0 and found < 0 else max(found, 0.0)

    return limit(a.low, b.high, -1), limit(a.high, b.low, 1)


def square_and_add(parts: Sequence[Interval], weights: Sequence[float]) -> tuple[float, float]:
    """The limits of Σ weight × share for independent shares [1]: the squares of their distances add up."""
    value = sum(w * p.value for w, p in zip(weights, parts, strict=True))
    down = math.hypot(*(w * (p.value - p.low) for w, p in zip(weights, parts, strict=True)))
    up = math.hypot(*(w * (p.high - p.value) for w, p in zip(weights, parts, strict=True)))
    return max(value - down, 0.0), min(value + up, 1.0)


def shares_of(confusion: np.ndarray, shown: Sequence[int], level: float) -> dict[str, tuple[float, float]]:
    """Limits of the threshold metrics of a confusion matrix K×K (rows: true class), means over the classes ``shown``.

    F1 is a function of the share of hits among all cases that are of the class or called so, hence its limits.
    """
    hits, true, called = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    recalls = [proportion(h, n, level=level) for h, n in zip(hits, true, strict=True)]
    precisions = [_of_none(level) if called[k] == 0 else proportion(hits[k], called[k], level=level) for k in shown]
    unions = [proportion(hits[k], true[k] + called[k] - hits[k], level=level) for k in shown]
    f1 = []
    for u in unions:
        value, low, high = (2 * j / (1 + j) for j in (u.value, u.low, u.high))
        f1.append(Interval(value, low, high, KIND, u.n, level))
    mean = [1 / len(shown)] * len(shown)
    return {
        "accuracy": square_and_add(recalls, true / true.sum()),
        "balanced accuracy": square_and_add(recalls, [1 / len(true)] * len(true)),
        "recall": square_and_add([recalls[k] for k in shown], mean),
        "precision": square_and_add(precisions, mean),
        "F1": square_and_add(f1, mean),
    }


def _complement(share: Interval) -> Interval:
    return Interval(1 - share.value, 1 - share.high, 1 - share.low, share.kind, share.n, share.level)


def _of_none(level: float) -> Interval:
    """A share of no cases: nothing is known, and scikit-learn's value is 0."""
    return Interval(0.0, 0.0, 1.0, KIND, 0, level)
