"""The test result of one network, judged once: every number with its interval, patients as units where they are known.

What was chosen for it, a temperature and a threshold, comes from validation alone. The *event* is what a probability
is about: the positive class, or, where there is none, that the answer given is right.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..methods.calibration import calibration_error, calibration_line
from ..methods.decision import decision_curve
from ..methods.intervals import Interval
from ..methods.operating_point import operating_point, predictive_values
from ..methods.patient_units import drawn_weights, patient_metrics
from ..methods.reliability import reliability
from ..methods.temperature import find_temperature, tempered

PREVALENCES = (0.01, 0.05, 0.1, 0.3)  # at which predictive values are stated, besides that of the test cases
THRESHOLDS = np.round(np.arange(0.05, 0.96, 0.05), 2)  # of the decision curve
WORST = 12
FEWEST = 10  # cases of each outcome, or a calibration line is not drawn
RESAMPLES = 200  # of the calibration line, each a fit of its own
TINY = 1e-7


@dataclass(frozen=True)
class Recipe:
    """What turns a network's probabilities into answers: chosen on validation, saved with the network."""

    classes: tuple[str, ...]
    positive: int | None
    temperature: float
    threshold: float | None  # of the positive class; None: the most probable class is the answer

    def probabilities(self, raw) -> np.ndarray:
        """float64 N×K, tempered."""
        return tempered(raw, self.temperature)

    def answers(self, probability: np.ndarray) -> np.ndarray:
        """int N: the positive class from the threshold on, else the most probable one of the others."""
        if self.threshold is None or self.positive is None:
            return probability.argmax(1)
        others = probability.copy()
        others[:, self.positive] = -1
        return np.where(probability[:, self.positive] >= self.threshold, self.positive, others.argmax(1))

    def event(self, y, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(bool N, float N): whether the event is so, and its probability."""
        if self.positive is not None:
            return np.asarray(y) == self.positive, probability[:, self.positive]
        return probability.argmax(1) == np.asarray(y), probability.max(1)


def make_recipe(classes, positive: int | None, y_val, raw_val) -> Recipe:
    """The temperature of the lowest log loss on validation, and the threshold of the highest mean of sensitivity and
    specificity there (of equally good ones the middle)."""
    temperature = find_temperature(raw_val, y_val)
    threshold = None
    if positive is not None:
        threshold = best_threshold(np.asarray(y_val) == positive, tempered(raw_val, temperature)[:, positive])
    return Recipe(tuple(classes), positive, temperature, threshold)


def best_threshold(sick: np.ndarray, probability: np.ndarray) -> float:
    """Half-way between the two probabilities between which sensitivity + specificity is highest (Youden's index)."""
    levels = np.unique(probability)
    if len(levels) < 2:
        return 0.5
    between = (levels[1:] + levels[:-1]) / 2
    alarm = probability[:, None] >= between
    index = alarm[sick].mean(0) - alarm[~sick].mean(0)
    best = between[np.isclose(index, index.max())]
    return float(best[len(best) // 2])


@dataclass(frozen=True)
class Judged:
    """What the test cases say of a network and its recipe; ``operating`` and ``curve`` are empty without a positive
    class, and ``patients`` None where they are unknown."""

    y: np.ndarray
    probability: np.ndarray
    answers: np.ndarray
    patients: np.ndarray | None
    metrics: dict[str, Interval]
    line: dict[str, Interval]  # intercept and slope of the calibration line, and the same before tempering
    error: dict[str, float]  # expected calibration error, before and after tempering
    table: Any  # reliability by bins
    operating: dict[float, dict[str, Interval]]  # by prevalence; the first is that of the test cases
    curve: dict[str, list[Interval]]
    confusion: np.ndarray  # true class × answer
    worst: np.ndarray  # rows, the worst first


def judge(recipe: Recipe, y, raw, patients=None, *, seed: int = 0) -> Judged:
    """Judge probabilities ``raw`` N×K of test cases. Raises ValueError for a class without a test case."""
    y, probability = np.asarray(y), recipe.probabilities(raw)
    answers, k = recipe.answers(probability), len(recipe.classes)
    event, of_event = recipe.event(y, probability)
    loss = -np.log(probability[np.arange(len(y)), y].clip(TINY))
    wrong = np.flatnonzero(answers != y)
    return Judged(
        y,
        probability,
        answers,
        patients,
        patient_metrics(y, probability, patients, positive=recipe.positive, seed=seed),
        {
            **line_intervals(event, of_event, patients, seed=seed),
            **{
                f"{name} before tempering": one
                for name, one in line_intervals(*recipe.event(y, np.asarray(raw, float)), patients, seed=seed).items()
            },
        },
        {"before tempering": calibration_error(raw, y), "after tempering": calibration_error(probability, y)},
        reliability(event, of_event, bins=int(np.clip(len(y) // 20, 2, 10))),
        operating_points(event, of_event, recipe.threshold) if recipe.threshold is not None else {},
        decision_curve(event, of_event, THRESHOLDS, groups=patients, seed=seed) if recipe.positive is not None else {},
        np.bincount(y * k + answers, minlength=k * k).reshape(k, k),
        wrong[np.argsort(-loss[wrong], kind="stable")][:WORST],
    )


def line_intervals(event: np.ndarray, probability: np.ndarray, patients=None, *, seed: int = 0) -> dict[str, Interval]:
    """Intercept and slope of the logistic calibration line, with bootstrap limits; none for fewer than ``FEWEST`` cases
    of an outcome."""
    if min(event.sum(), (~event).sum()) < FEWEST:
        return {}
    p = probability.clip(TINY, 1 - TINY)
    logit, units = np.log(p / (1 - p)), np.arange(len(p)) if patients is None else patients
    values = calibration_line(logit, event)
    try:
        weights = drawn_weights(event.astype(int), units, resamples=RESAMPLES, seed=seed)
    except ValueError:  # the rarer outcome is of so few patients that most draws miss it
        return {}
    drawn = [calibration_line(logit[rows], event[rows]) for rows in map(_rows, weights)]
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    kind = f"bootstrap over {'test cases' if patients is None else 'patients'}"
    n = len(np.unique(units))
    return {
        name: Interval(float(values[i]), float(low[i]), float(high[i]), kind, n)
        for i, name in enumerate(("intercept", "slope"))
    }


def _rows(weights: np.ndarray) -> np.ndarray:
    return np.repeat(np.arange(len(weights)), weights.astype(int))


def operating_points(sick: np.ndarray, probability: np.ndarray, threshold: float) -> dict[float, dict[str, Interval]]:
    """Sensitivity, specificity, PPV and NPV at the threshold, by prevalence, that of these cases first."""
    here = operating_point(sick, probability, threshold=threshold)
    found = {float(sick.mean()): here}
    for prevalence in PREVALENCES:
        ppv, npv = predictive_values(here["sensitivity"], here["specificity"], prevalence)
        found.setdefault(prevalence, {**here, "PPV": ppv, "NPV": npv})
    return found
