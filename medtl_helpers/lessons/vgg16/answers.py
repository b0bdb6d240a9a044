"""The answers to the exercises of notebook 03."""

import numpy as np

from ...teaching.exercises import Exercise, bugs


def _weights_of_flatten_at_96() -> Exercise:
    def count(inputs, bias=1):
        return (inputs + bias) * 1024 + (1024 + bias) * 3

    return Exercise(
        right=count(3 * 3 * 512),
        mistakes={
            "the biases are missing: one for each of the 1024 + 3 units": count(3 * 3 * 512, bias=0),
            "that is the GAP head: it sees one number per feature map": count(512),
            "96 is halved five times: the maps have 3 × 3 places, not 6 × 6": count(6 * 6 * 512),
            "that is for 224 × 224 pixels": count(7 * 7 * 512),
            "the head sees VGG16's last feature maps, not the pixels": count(96 * 96 * 3),
        },
        tolerance=0.5,
    )


def _three_wrong_lines() -> Exercise:
    return bugs(
        {1, 9, 10},
        lines=11,
        mistakes={
            "preprocess_input wants 0 to 255: what does line 2 get from line 1?": {9, 10},
            "what must follow each change of `trainable`?": {1, 10},
            "which images decide when the second phase stops?": {1, 9},
            "line 2 is right, what it gets is not": {2, 9, 10},
            "line 6 is right: 1e-3 suits a new head on a frozen trunk": {1, 6, 10},
            "line 11 is right: the test split is for the report. Where else is it used?": {1, 9, 11},
            "line 8 is right: validation images decide when to stop": {1, 8, 9, 10},
        },
    )


def _grad_cam_from_the_paper() -> Exercise:
    rng = np.random.default_rng(0)
    a = rng.random((4, 5, 6))
    g = rng.normal(size=(4, 5, 6)) + np.array([1.0, -1.0, 0.6, -0.4, 0.8, -0.7])  # gradients of both signs
    return Exercise(
        right=lambda a, g: np.maximum((g.mean((0, 1)) * a).sum(-1), 0),
        mistakes={
            "the ReLU of equation 2 is missing": lambda a, g: (g.mean((0, 1)) * a).sum(-1),
            "the ReLU belongs around the sum, not inside it": lambda a, g: np.maximum(g.mean((0, 1)) * a, 0).sum(-1),
            "equation 1 is the mean over the places (1/Z), not the sum": lambda a, g: np.maximum(
                (g.sum((0, 1)) * a).sum(-1), 0
            ),
            "equation 2 adds the maps up, it does not average them": lambda a, g: np.maximum(
                (g.mean((0, 1)) * a).mean(-1), 0
            ),
            "first average the gradients over the places (equation 1), then weigh the maps": lambda a, g: np.maximum(
                (g * a).sum(-1), 0
            ),
            "weigh the activations by the averaged gradients, not the other way round": lambda a, g: np.maximum(
                (a.mean((0, 1)) * g).sum(-1), 0
            ),
        },
        probe=lambda f: f(a.copy(), g.copy()),
        tolerance=1e-9,
    )


EXERCISES = {
    "03.1": _weights_of_flatten_at_96,
    "03.2": _three_wrong_lines,
    "03.3": _grad_cam_from_the_paper,
}
