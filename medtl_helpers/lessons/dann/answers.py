"""The answers to the exercises of notebook 05."""

import math

from ...teaching.exercises import Exercise, bugs


def _progress_at_half_lambda() -> Exercise:
    p = math.log(3) / 10
    return Exercise(
        right=p,
        mistakes={
            "λ does not grow in a straight line: solve 2/(1 + exp(−10p)) − 1 = 1/2": 0.5,
            "exp(−10p) = 1/3, so the logarithm is still to be divided by 10": math.log(3),
            "that is the tangent at p = 0, and the curve bends below it": 0.1,
            "p is positive: exp(−10p) = 1/3": -p,
        },
        tolerance=5e-4,
    )


def _three_bugs_in_dann() -> Exercise:
    return bugs(
        {2, 3, 6},
        lines=7,
        mistakes={
            "the head of line 2 is trained with labels that nobody has": {3, 6},
            "what is the softmax of a single logit, in line 3?": {2, 6},
            "the reversal in line 3 is the minus sign; how many are there?": {2, 3},
            "line 4 is right: zero for the source, one for the target": {2, 3, 4},
            "line 1 is right: one joint batch": {1, 2, 3},
        },
    )


def _distance_at_15_percent() -> Exercise:
    return Exercise(
        right=1.4,
        mistakes={
            "the factor 2 in front is missing": 0.7,
            "2(1 − 2ε): the error counts twice inside the bracket": 1.7,
            "ε is 0.15, not 15": 2 * (1 - 2 * 15),
            "0.15 is the error, not the accuracy": 2 * (1 - 2 * 0.85),
        },
    )


EXERCISES = {"05.1": _progress_at_half_lambda, "05.2": _three_bugs_in_dann, "05.3": _distance_at_15_percent}
