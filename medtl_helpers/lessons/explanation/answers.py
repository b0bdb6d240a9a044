"""The answers to the exercises of notebook 13."""

import torch

from ...teaching.exercises import Exercise, bugs


def _share_of_a_random_map() -> Exercise:
    right = 90 / 32**2
    return Exercise(
        right=right,
        mistakes={
            "that is a number of pixels: divide it by all of them": 90.0,
            "the image has 32 × 32 pixels": 90 / 32,
            "a map that knows nothing has no reason to be half in the lesion: how large is the lesion?": 0.5,
            "that is the share outside the lesion": 1 - right,
            "that is the chance of one single pixel": 1 / 32**2,
        },
        tolerance=1e-4,
    )


def _three_bugs_in_an_explanation() -> Exercise:
    return bugs(
        {4, 7, 9},
        lines=10,
        mistakes={
            "what does line 4 choose the layer by, and on which images?": {7, 9},
            "in line 7 nearly all that was learned is still there: which weights should be random?": {4, 9},
            "who chose the images of line 9?": {4, 7},
            "line 3 is right: the class that the network names is explained": {3, 4, 7, 9},
            "line 6 is right: opponents that have not seen the network": {4, 6, 7, 9},
            "line 10 is right: the mean over all images, beside its opponents": {4, 7, 9, 10},
        },
    )


def _integrated_gradients() -> Exercise:
    generator = torch.Generator().manual_seed(0)
    x, empty = (torch.randn(7, generator=generator) for _ in range(2))

    def gradient(at):  # of the sum of at³ and of the products of neighbours
        return 3 * at**2 + at.roll(1) + at.roll(-1)

    def between(share, x, empty):
        return empty + share * (x - empty)

    def right(gradient, x, empty, steps):
        return (x - empty) * sum(gradient(between((k + 0.5) / steps, x, empty)) for k in range(steps)) / steps

    return Exercise(
        right=right,
        mistakes={
            "that is the gradient at the image alone: walk from the empty picture to it": lambda g, x, e, n: (
                (x - e) * g(x)
            ),
            "take the mean of the gradients: divide their sum by the steps": lambda g, x, e, n: n * right(g, x, e, n),
            "the gradients are taken times the way, x − empty": lambda g, x, e, n: right(g, x, e, n) / (x - e),
            "times x − empty, not times x": lambda g, x, e, n: right(g, x, e, n) / (x - e) * x,
            "take the middle of each step, not its beginning": lambda g, x, e, n: (
                (x - e) * sum(g(between(k / n, x, e)) for k in range(n)) / n
            ),
            "take the middle of each step, not its end": lambda g, x, e, n: (
                (x - e) * sum(g(between((k + 1) / n, x, e)) for k in range(n)) / n
            ),
            "the way begins at the empty picture, and this one begins at zero": lambda g, x, e, n: (
                (x - e) * sum(g((k + 0.5) / n * x) for k in range(n)) / n
            ),
            "keep the numbers below zero: without them they do not add up": lambda g, x, e, n: right(g, x, e, n).relu(),
        },
        probe=lambda f: f(gradient, x.clone(), empty.clone(), 4),
    )


EXERCISES = {
    "13.1": _share_of_a_random_map,
    "13.2": _three_bugs_in_an_explanation,
    "13.3": _integrated_gradients,
}
