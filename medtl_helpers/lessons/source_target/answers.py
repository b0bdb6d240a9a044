"""The answers to the exercises of notebook 04."""

import math

import numpy as np

from ...teaching.exercises import Exercise, bugs


def _floor_of_two_classes() -> Exercise:
    return Exercise(
        right=math.log(1 + 1 / math.e),
        mistakes={
            "that is the loss of guessing; the probabilities (1, 0) do a little better": math.log(2),
            "that would be right if the loss got logits": 0.0,
            "that is the answer for K = 8, but the X-rays have two classes here": math.log(1 + 7 / math.e),
            "take (K − 1)/e with K = 2": math.log(1 + 2 / math.e),
            "take the logarithm to base e, not to base 10": math.log10(1 + 1 / math.e),
        },
    )


def _three_bugs_in_source_to_target() -> Exercise:
    return bugs(
        {1, 4, 7},
        lines=7,
        mistakes={
            "cross_entropy of line 2 wants logits: what does line 1 end with?": {4, 7},
            "line 2 is right: the bug is in what it is given": {2, 4, 7},
            "which images may give AdaBN its statistics, in line 4?": {1, 7},
            "line 6 is right: validation images choose the epoch": {1, 6, 7},
            "on which images does line 7 report, and who trained on them?": {1, 4},
            "line 3 is right: the source's own labels train the source": {1, 3, 4, 7},
        },
    )


def _ada_bn_of_one_layer() -> Exercise:
    rng = np.random.default_rng(0)
    x = rng.normal(3.0, 2.0, (50, 4))
    weight, bias = np.array([1.0, 0.5, 2.0, -1.0]), np.array([0.0, 1.0, -1.0, 0.5])
    return Exercise(
        right=lambda x, w, b: w * (x - x.mean(0)) / x.std(0) + b,
        mistakes={
            "γ and β stay: they are weights that the source learned": lambda x, w, b: (x - x.mean(0)) / x.std(0),
            "divide by the standard deviation, not by the variance": lambda x, w, b: w * (x - x.mean(0)) / x.var(0) + b,
            "take one mean and one deviation for each channel, not one for all channels": lambda x, w, b: (
                w * (x - x.mean()) / x.std() + b
            ),
            "take the mean and the deviation over the images (axis 0), not over the channels": lambda x, w, b: (
                w * (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True) + b
            ),
            "that shifts by the mean, but does not scale": lambda x, w, b: w * (x - x.mean(0)) + b,
        },
        probe=lambda f: f(x.copy(), weight.copy(), bias.copy()),
    )


EXERCISES = {
    "04.1": _floor_of_two_classes,
    "04.2": _three_bugs_in_source_to_target,
    "04.3": _ada_bn_of_one_layer,
}
