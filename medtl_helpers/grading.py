"""Exercises that answer back: right, not yet, and what a typical wrong answer did wrong.

Each exercise is a function below that returns the right answer and the typical wrong ones, as answers, so that the
tests can give every one of them and see that it gets its own hint.
"""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .tasks import load


@dataclass(frozen=True)
class Exercise:
    """The right answer, a typical wrong answer for each hint, and how an answer becomes a number to compare.

    ``probe`` returns a number or an array: for a function as answer, what it computes on some inputs.
    """

    right: Any
    mistakes: dict[str, Any]
    probe: Callable[[Any], Any] = np.asarray
    tolerance: float = 1e-3


def grade(number: str, answer) -> None:
    """Say whether the ``answer`` to exercise ``number``, e.g. ``"00.1"``, is right, and if not, what went wrong.

    Prints, and raises AssertionError only under ``MEDTL_STRICT=1``. The answer ``...`` means "nothing written yet".
    """
    exercise = EXERCISES[number]()
    if answer is ...:
        problem = "replace the ... above with your code, then run both cells again"
    elif _agrees(exercise, answer, exercise.right):
        print(f"✓ Exercise {number}: right.")
        return
    else:
        hits = (hint for hint, wrong in exercise.mistakes.items() if _agrees(exercise, answer, wrong))
        problem = next(hits, f"{str(answer)[:60]} is not it; read the text above once more")
    if os.environ.get("MEDTL_STRICT") == "1":
        raise AssertionError(f"Exercise {number}: not yet: {problem}.")
    print(f"○ Exercise {number}: not yet: {problem}.")


def _agrees(exercise: Exercise, answer, known) -> bool:
    """Whether two answers come to the same. One of another kind, on which the probe itself stumbles, does not."""
    try:
        ours, theirs = (np.asarray(exercise.probe(a), float) for a in (answer, known))
    except Exception:  # the reader's own function may raise anything
        return False
    return ours.shape == theirs.shape and bool(np.allclose(ours, theirs, rtol=0, atol=exercise.tolerance))


# --- notebook 00 -----------------------------------------------------------------------------------------------------


def _always_normal() -> Exercise:
    y = load("pneumonia", quiet=True).test.y.numpy()
    return Exercise(
        right=(y == 0).mean(),
        mistakes={
            "that is the accuracy of always saying 'pneumonia'": (y == 1).mean(),
            "that is the balanced accuracy": 0.5,
            "that is a number of images: divide by how many there are": (y == 0).sum(),
        },
    )


def careless_answers(truth: np.ndarray) -> np.ndarray:
    """The answers of a careless program to cases whose ``truth`` is 0 or 1: it misses 2 of 5 zeros, 1 of 7 ones."""
    nth = np.where(truth == 0, np.cumsum(truth == 0), np.cumsum(truth == 1))
    wrong = np.where(truth == 0, nth % 5 < 2, nth % 7 == 0)
    return np.where(wrong, 1 - truth, truth)


def _recall_of_the_disease() -> Exercise:
    truth = load("breast", quiet=True).test.y.numpy()
    answers = careless_answers(truth)
    hits = ((truth == 0) & (answers == 0)).sum()
    return Exercise(
        right=hits / (truth == 0).sum(),
        mistakes={
            "that is the recall of label 1, the healthy; here the disease is label 0": (
                answers[truth == 1] == 1
            ).mean(),
            "that is the precision: of the alarms, the share that was right": hits / (answers == 0).sum(),
            "that is the accuracy": (truth == answers).mean(),
        },
    )


def _cases_for_two_points() -> Exercise:
    def n(half_width, z=1.96):
        return math.ceil(z**2 * 0.85 * 0.15 / half_width**2)

    return Exercise(
        right=n(0.02),
        mistakes={
            "± 2 points is the half-width; you planned for a whole width of 2 points": n(0.01),
            "without the factor 1.96 the interval covers about 68 %, not 95 %": n(0.02, z=1),
            "two points are 0.02, not 2": n(2),
        },
        tolerance=20,
    )


# --- notebook 01 -----------------------------------------------------------------------------------------------------


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


def _gradient_of_log_loss() -> Exercise:
    z, y = np.array([-3.0, -0.5, 0.0, 1.0, 4.0]), np.array([1.0, 0.0, 1.0, 1.0, 0.0])
    return Exercise(
        right=lambda z, y: _sigmoid(z) - y,
        mistakes={
            "the sign is wrong: descending along it would climb": lambda z, y: y - _sigmoid(z),
            "that is the gradient of ½(p − y)², which vanishes where the model is surely wrong": lambda z, y: (
                (_sigmoid(z) - y) * _sigmoid(z) * (1 - _sigmoid(z))
            ),
            "that is the loss, not its derivative": lambda z, y: (
                -y * np.log(_sigmoid(z)) - (1 - y) * np.log(_sigmoid(-z))
            ),
            "the logit z is not the probability: apply the sigmoid first": lambda z, y: z - y,
        },
        probe=lambda f: f(z.copy(), y.copy()),
    )


def _l2_sp_of_two_layers() -> Exercise:
    body, source, head = np.array([1.0, -2.0, 0.5]), np.array([0.5, -1.0, 0.5]), np.array([2.0, 1.0])
    pull = (body - source) ** 2
    return Exercise(
        right=lambda b, s, h: 0.5 * ((b - s) ** 2).sum() + 0.5 * (h**2).sum(),
        mistakes={
            "the factor ½ is missing": lambda b, s, h: ((b - s) ** 2).sum() + (h**2).sum(),
            "that is plain L2: the body must be pulled to its source value, not to zero": lambda b, s, h: (
                0.5 * (b**2).sum() + 0.5 * (h**2).sum()
            ),
            "the new head is free: it needs plain L2": lambda b, s, h: 0.5 * ((b - s) ** 2).sum(),
            "a distance, not its square": lambda b, s, h: 0.5 * np.sqrt(pull.sum()) + 0.5 * np.sqrt((h**2).sum()),
        },
        probe=lambda f: f(body.copy(), source.copy(), head.copy()),
    )


def _lambda_at_four_times_n() -> Exercise:
    return Exercise(
        right=0.25,
        mistakes={
            "the other way round: more target data need less of the source": 4.0,
            "that would be right if L were the sum over the patients; here it is the mean": 1.0,
            "not the square root: the log-likelihood grows like n itself": 0.5,
        },
    )


EXERCISES = {
    "00.1": _always_normal,
    "00.2": _recall_of_the_disease,
    "00.3": _cases_for_two_points,
    "01.1": _gradient_of_log_loss,
    "01.2": _l2_sp_of_two_layers,
    "01.3": _lambda_at_four_times_n,
}
