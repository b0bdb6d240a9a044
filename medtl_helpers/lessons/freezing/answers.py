"""The answers to the exercises of notebook 02."""

import numpy as np

from ...teaching.exercises import Exercise, bugs


def _weights_of_a_head() -> Exercise:
    return Exercise(
        right=256 * 5 + 5,
        mistakes={
            "the five biases train, too": 256 * 5,
            "256 inputs and 5 outputs: multiply, do not add": 256 + 5,
            "one bias per output, not per input": 256 * 5 + 256,
        },
    )


def _three_bugs_in_freezing() -> Exercise:
    return bugs(
        {3, 5, 7},
        lines=9,
        mistakes={
            "line 4 is right: only the head is meant to train": {3, 4, 5},
            "look at the loss once more: cross_entropy wants logits": {3, 5},
            "what does train mode do to the statistics of batch norm in a frozen body?": {3, 7},
            "the loop of line 3 also reaches the head that line 2 made": {5, 7},
            "line 6 is right; look at what line 7 does with the logits": {3, 5, 6},
            "line 2 is right, but look at its order with line 3": {2, 5, 7},
        },
    )


def _rate_of_the_stem() -> Exercise:
    return Exercise(
        right=1e-3 / 2.6**5,
        mistakes={
            "the head is at 1e-3, layer4 already one step below it: five steps to the stem": 1e-3 / 2.6**4,
            "the first stages should move least: divide": 1e-3 * 2.6**5,
            "each stage divides the rate of the one above it: a power, not a product": 1e-3 / (2.6 * 5),
        },
        probe=np.log10,
    )


EXERCISES = {
    "02.1": _weights_of_a_head,
    "02.2": _three_bugs_in_freezing,
    "02.3": _rate_of_the_stem,
}
