"""Scores whose intervals draw patients, not images: several images of a patient are no independent test cases.

Ten images of one patient tell less than ten patients with one image. A bootstrap over images counts them as ten, and
its interval is too narrow; drawing whole patients counts them as one [1, section 3.8].

[1] Davison, Hinkley, Bootstrap methods and their application, Cambridge University Press 1997
"""

from collections.abc import Callable

import numpy as np

from ..labels import as_groups, as_labels, as_probabilities, as_share
from ..parts import check_whole
from .intervals import Interval, proportion
from .metrics import weighted_auroc

TRIES = 20  # draws for each that is kept, before a class is called too rare among the patients


def drawn_weights(y, patients, *, resamples: int = 1000, seed: int = 0) -> np.ndarray:
    """float resamples×N: how often each case is drawn when whole patients are, N cases of every class in each row.

    Raises ValueError where a class is of so few patients that most draws miss it.
    """
    y, units, rng = np.asarray(y), as_groups(patients, len(y), "patients"), np.random.default_rng(seed)
    n, kept = units.max() + 1, []
    for _ in range(TRIES * resamples):
        weights = np.bincount(rng.integers(n, size=n), minlength=n)[units]
        if (np.bincount(y, weights, minlength=y.max() + 1) > 0).all():
            kept.append(weights)
        if len(kept) == resamples:
            return np.stack(kept).astype(float)
    raise ValueError(f"A class has so few of the {n} patients that most draws miss it: give more patients of it.")


def patient_metrics(
    y,
    probability,
    patients=None,
    *,
    positive: int | None = None,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Accuracy, balanced accuracy, AUROC and log loss, with percentile intervals over patients.

    Parameters
    ----------
    y: int N, the true classes. probability: float N×K; the highest is the answer.
    patients: N names or numbers, whose case it is; None: each case is a patient of its own.
    positive: the class that the AUROC is about; None: the mean over classes, one against the rest.
    level, resamples, seed: of the intervals.

    Where every draw gives the same value, as where all answers are right, the interval is Clopper and Pearson's for as
    many cases as there are patients. Raises ValueError as ``bootstrap_metrics`` does.
    """
    p, level = as_probabilities(probability), as_share(level, "level")
    y, classes = as_labels(y, *p.shape), p.shape[1]
    check_whole(resamples, "resamples", least=1)
    check_whole(seed, "seed", least=0)
    patients = np.arange(len(y)) if patients is None else patients
    shown = range(classes) if positive is None else [positive]
    right, losses = p.argmax(1) == y, -np.log(p[np.arange(len(y)), y].clip(1e-12))

    scores: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "accuracy": lambda w: w @ right / w.sum(1),
        "balanced accuracy": lambda w: np.mean(
            [w[:, y == k] @ right[y == k] / w[:, y == k].sum(1) for k in range(classes)], 0
        ),
        "AUROC": lambda w: np.mean([weighted_auroc(y == k, p[:, k], w) for k in shown], 0),
        "log loss": lambda w: w @ losses / w.sum(1),
    }
    weights, once = drawn_weights(y, patients, resamples=resamples, seed=seed), np.ones((1, len(y)))
    n = len(np.unique(as_groups(patients, len(y), "patients")))
    found = {}
    for name, score in scores.items():
        value, drawn = float(score(once)[0]), score(weights)
        low, high = (float(q) for q in np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]))
        kind = "bootstrap over patients" if n < len(y) else "bootstrap over test cases"
        if high - low < 1e-12 and 0 <= value <= 1:
            edge = proportion(round(value * n), n, method="clopper-pearson", level=level)
            low, high, kind = min(edge.low, value), max(edge.high, value), edge.kind
        found[name] = Interval(value, low, high, kind, n, level)
    return found
