"""The answers to the exercises of notebook 06."""

import numpy as np

from ...teaching.exercises import Exercise, bugs


def _ppv_in_screening() -> Exercise:
    found, frightened = 0.02 * 0.9, 0.98 * 0.05
    return Exercise(
        right=found / (found + frightened),
        mistakes={
            "that is the sensitivity, which does not know how rare the disease is": 0.9,
            "that is the PPV where every second patient is sick": 0.5 * 0.9 / (0.5 * 0.9 + 0.5 * 0.05),
            "that is the NPV: you followed the patients without an alarm": 0.98 * 0.95 / (0.98 * 0.95 + 0.02 * 0.1),
            "that is the share of false alarms among all alarms": frightened / (found + frightened),
            "that is the share of all people who get an alarm": found + frightened,
        },
    )


def _three_bugs_in_an_evaluation() -> Exercise:
    return bugs(
        {1, 6, 7},
        lines=8,
        mistakes={
            "what is divided at random in line 1, images or patients?": {6, 7},
            "from which cases does the threshold of line 6 come?": {1, 7},
            "the score of line 7 is the best of many, and it chose the setting": {1, 6},
            "line 3 is right: its folds keep the images of a patient together": {1, 3, 6, 7},
            "line 2 is right: the mean and the deviation come from the training cases alone": {1, 2, 6, 7},
        },
    )


def _net_benefit() -> Exercise:
    sick = np.array([True, True, True, False, False, False, False, False])
    act = np.array([True, True, False, True, False, False, False, True])
    return Exercise(
        right=lambda s, a, t: (a & s).mean() - (a & ~s).mean() * t / (1 - t),
        mistakes={
            "a false alarm counts t / (1 − t), not t": lambda s, a, t: (a & s).mean() - (a & ~s).mean() * t,
            "the exchange rate is upside down: t / (1 − t)": lambda s, a, t: (
                (a & s).mean() - (a & ~s).mean() * (1 - t) / t
            ),
            "take shares of all patients, not of the sick and of the healthy": lambda s, a, t: (
                a[s].mean() - a[~s].mean() * t / (1 - t)
            ),
            "false alarms are taken off the found cases": lambda s, a, t: (
                (a & s).mean() + (a & ~s).mean() * t / (1 - t)
            ),
        },
        probe=lambda f: [f(sick.copy(), act.copy(), t) for t in (0.1, 0.3)],
    )


EXERCISES = {"06.1": _ppv_in_screening, "06.2": _three_bugs_in_an_evaluation, "06.3": _net_benefit}
