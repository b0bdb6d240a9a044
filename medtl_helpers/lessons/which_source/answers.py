"""The answers to the exercises of notebook 07."""

import math

import numpy as np

from ...teaching.exercises import Exercise, bugs


def _epochs_of_a_halving() -> Exercise:
    return Exercise(
        right=81,
        mistakes={
            "243 epochs train all 27 ways to the end; after each rung only a third goes on": 243,
            "each rung begins anew here, so nothing is saved, and three ways reach the last one": 27 * 1
            + 9 * 2
            + 3 * 6,
            "after the first rung a third of 27 is left, and after the second a third of these": 27 + 9 + 9,
        },
    )


def _three_bugs_in_a_search() -> Exercise:
    return bugs(
        {1, 5, 8},
        lines=8,
        mistakes={
            "whose images may take part in preparing the data, in line 1?": {5, 8},
            "line 4 is a loss: is a higher one better, in line 5?": {1, 8},
            "how often may the test set be asked? Look at line 8": {1, 5},
            "line 4 is right: validation images are there to choose": {1, 4, 5, 8},
            "line 7 is right: it is the one look at the test set": {1, 5, 7, 8},
        },
    )


def _regret() -> Exercise:
    rng = np.random.default_rng(0)
    cases = [(rng.uniform(0.5, 1, 6), rng.normal(size=6)) for _ in range(4)]
    return Exercise(
        right=lambda auroc, score: auroc.max() - auroc[score.argmax()],
        mistakes={
            "that is the AUROC of the source that is taken; subtract it from the best one": lambda auroc, score: auroc[
                score.argmax()
            ],
            "the sign is turned: a regret is never negative": lambda auroc, score: auroc[score.argmax()] - auroc.max(),
            "take the source of the highest score, not of the lowest": lambda auroc, score: (
                auroc.max() - auroc[score.argmin()]
            ),
            "scores and AUROCs have different units: use the score only to choose": lambda auroc, score: (
                auroc.max() - score.max()
            ),
        },
        probe=lambda f: [f(auroc.copy(), score.copy()) for auroc, score in cases],
    )


def _leep_of_a_source_that_knows_nothing() -> Exercise:
    return Exercise(
        right=-math.log(3),
        mistakes={
            "LEEP is a mean log-likelihood: it is at most 0": math.log(3),
            "0 would be a source that gives every true label the probability 1": 0.0,
            "take the logarithm of the probability 1/3": 1 / 3,
            "take the logarithm to base e, not to base 10": -math.log10(3),
        },
        tolerance=5e-4,
    )


EXERCISES = {
    "07.1": _epochs_of_a_halving,
    "07.2": _three_bugs_in_a_search,
    "07.3": _regret,
    "07.4": _leep_of_a_source_that_knows_nothing,
}
