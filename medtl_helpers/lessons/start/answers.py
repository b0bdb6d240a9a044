"""The answers to the exercises of notebook 00."""

import math

import numpy as np

from ...data.catalogue import load
from ...teaching.exercises import Exercise, bugs


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
            "you divided by all cases: divide by the number of those with the disease": hits / len(truth),
            "that is the share of the diseased that was missed": 1 - hits / (truth == 0).sum(),
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
        probe=np.log,
        tolerance=0.016,  # 20 cases more or less
    )


def _three_bugs_in_an_evaluation() -> Exercise:
    return bugs(
        {2, 4, 6},
        lines=7,
        mistakes={
            "there are several images of each patient: where can they fall in line 2?": {4, 6},
            "which images choose the network in line 4?": {2, 6},
            "whose recall is line 6, when label 1 counts as the disease?": {2, 4},
            "line 3 is right: several seeds are good practice. Which images choose among them?": {2, 3, 6},
            "line 7 is right: balanced accuracy treats both labels alike. Which score does not?": {2, 4, 7},
            "line 5 is right: a network may be asked about test images once it is chosen": {2, 5, 6},
            "line 1 is right: it loads the patients' names, and line 2 does not use them": {1, 4, 6},
            "three of these are right; line 7 needs no repair of its own": {2, 4, 6, 7},
        },
    )


EXERCISES = {
    "00.1": _always_normal,
    "00.2": _recall_of_the_disease,
    "00.3": _cases_for_two_points,
    "00.4": _three_bugs_in_an_evaluation,
}
