"""The test result of one network, judged once: every number with its interval, patients as units where they are known.

What was chosen for it, a temperature and a threshold, comes from validation alone. The *event* is what a probability
is about: the positive class, or, where there is none, that the answer given is right.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..methods.calibration_line import calibration_metrics, log_odds
from ..methods.decision import decision_curve
from ..methods.intervals import Interval, proportion
from ..methods.operating_point import operating_point, predictive_values
from ..methods.patient_units import drawn_weights, patient_metrics
from ..methods.reliability import ece_by_chance, expected_calibration_error, reliability
from ..methods.temperature import find_temperature, tempered

PREVALENCES = (0.01, 0.05, 0.1, 0.3)  # at which predictive values are stated, besides that of the test cases
THRESHOLDS = np.round(np.arange(0.05, 0.96, 0.05), 2)  # of the decision curve
WORST = 12
FEWEST = 10  # cases of each outcome, or a calibration line is not drawn
RESAMPLES = 500  # of the calibration, each a fit of its own
SPREAD = 0.5  # of log T, so that few validation cases hardly move the temperature
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
    """The temperature of the lowest log loss on validation, shrunk to 1, and the threshold of the highest mean of
    sensitivity and specificity there (of equally good ones the middle)."""
    temperature = find_temperature(raw_val, y_val, spread=SPREAD)
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
    line: dict[str, Interval]  # calibration, see ``calibration_metrics``
    line_before: dict[str, Interval]  # the same before tempering
    error: float  # expected calibration error
    error_by_chance: Interval  # of a perfectly calibrated network on as many cases
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
    wrong, bins = np.flatnonzero(answers != y), int(np.clip(len(y) // 20, 2, 10))
    return Judged(
        y,
        probability,
        answers,
        patients,
        scores_of_answers(recipe, y, probability, patients, seed=seed),
        line_of(event, of_event, patients, seed=seed),
        line_of(*recipe.event(y, np.asarray(raw, float)), patients, seed=seed),
        expected_calibration_error(event, of_event, bins),
        ece_by_chance(of_event, bins, seed=seed),
        reliability(event, of_event, bins),
        operating_points(event, of_event, recipe.threshold, patients, seed=seed)
        if recipe.threshold is not None
        else {},
        decision_curve(event, of_event, THRESHOLDS, groups=patients, seed=seed) if recipe.positive is not None else {},
        np.bincount(y * k + answers, minlength=k * k).reshape(k, k),
        wrong[np.argsort(-loss[wrong], kind="stable")][:WORST],
    )


def scores_of_answers(
    recipe: Recipe, y, probability: np.ndarray, patients=None, *, seed: int = 0
) -> dict[str, Interval]:
    """``patient_metrics``, with the accuracy and the balanced accuracy of the answers that ``recipe`` gives."""
    answered = np.eye(len(recipe.classes))[recipe.answers(probability)]
    found, of_answers = (
        patient_metrics(y, p, patients, positive=recipe.positive, seed=seed) for p in (probability, answered)
    )
    return found | {name: of_answers[name] for name in ("accuracy", "balanced accuracy")}


def line_of(event: np.ndarray, probability: np.ndarray, patients=None, *, seed: int = 0) -> dict[str, Interval]:
    """The calibration of a probability (``calibration_metrics``); empty for fewer than ``FEWEST`` cases of an outcome,
    and where a line cannot be drawn or not with limits."""
    if min(event.sum(), (~event).sum()) < FEWEST:
        return {}
    try:
        return calibration_metrics(log_odds(probability), event, patients, resamples=RESAMPLES, seed=seed)
    except ValueError:  # all probabilities alike, no error at all, or an outcome of very few patients
        return {}


def operating_points(
    sick: np.ndarray, probability: np.ndarray, threshold: float, patients=None, *, seed: int = 0
) -> dict[float, dict[str, Interval]]:
    """Sensitivity, specificity, PPV and NPV at the threshold, by prevalence, that of these cases first.

    The limits of the first two are Wilson's, or over ``patients`` where these are known.
    """
    here = operating_point(sick, probability, threshold=threshold)
    alarm = probability >= threshold
    if patients is not None:
        here["sensitivity"] = share_of_patients(alarm[sick], patients[sick], seed=seed)
        here["specificity"] = share_of_patients(~alarm[~sick], patients[~sick], seed=seed)
    found: dict[float, dict[str, Interval]] = {}
    for prevalence in (float(sick.mean()), *PREVALENCES):
        ppv, npv = predictive_values(here["sensitivity"], here["specificity"], prevalence)
        found.setdefault(prevalence, {**here, "PPV": ppv, "NPV": npv})
    return found


def share_of_patients(hit: np.ndarray, patients: np.ndarray, *, seed: int = 0) -> Interval:
    """The share of images that are hits, with limits over patients; Wilson's of as many patients where all
    images are hits or none is."""
    n, value = len(np.unique(patients)), float(hit.mean())
    weights = drawn_weights(np.zeros(len(hit), int), patients, seed=seed)
    low, high = np.quantile(weights @ hit / weights.sum(1), [0.025, 0.975])
    if hit.all() or not hit.any():
        edge = proportion(n if hit.all() else 0, n)
        low, high = edge.low, edge.high
    return Interval(value, float(low), float(high), "bootstrap over patients", n)
