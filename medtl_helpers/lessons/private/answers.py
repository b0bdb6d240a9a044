"""The answers to the exercises of notebook 14."""

import numpy as np

from ...teaching.exercises import Exercise, bugs


def _three_bugs_in_a_private_loop() -> Exercise:
    return bugs(
        {2, 4, 8},
        lines=8,
        mistakes={
            "does the accountant of line 8 know the batches of line 2? It counts on chance": {4, 8},
            "how long may the gradient of one patient be, after line 4?": {2, 8},
            "to what does δ have to be compared, in line 8?": {2, 4},
            "line 6 is right: the expected number is known without looking, the drawn one tells of the data": {
                2,
                4,
                6,
                8,
            },
            "line 5 is right: the deviation of the noise is the noise multiplier times the clip": {2, 4, 5, 8},
        },
    )


def _clipping() -> Exercise:
    gradients = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0], [-6.0, 8.0]])

    def norms(g):
        return np.linalg.norm(g, axis=1, keepdims=True)

    return Exercise(
        right=lambda g, c: g / np.maximum(1, norms(g) / c),
        mistakes={
            "a gradient that is shorter than the clip stays as it is": lambda g, c: c * g / np.maximum(norms(g), 1e-12),
            "clip the length of each row, not each of its numbers": lambda g, c: np.clip(g, -c, c),
            "each row has a length of its own: give norm an axis": lambda g, c: g / max(1, np.linalg.norm(g) / c),
            "the factor is upside down: long rows have to become shorter": lambda g, c: g * np.maximum(1, norms(g) / c),
        },
        probe=lambda f: [f(gradients.copy(), clip) for clip in (1.0, 2.5, 100.0)],
    )


def _what_is_claimed_too_much() -> Exercise:
    return bugs(
        {2, 3, 4, 6},
        lines=6,
        mistakes={
            "what the trunk was trained on got no noise: look at line 2": {3, 4, 6},
            "each of the five trainings of line 3 has looked at the rows": {2, 4, 6},
            "the unit is a row: what is known of four rows together, in line 4?": {2, 3, 6},
            "two trainings on the same rows add up, in line 6": {2, 3, 4},
            "line 5 is right: what is computed from a noised answer is as noised": {2, 3, 4, 5, 6},
            "line 1 is right: it names the unit, ε and δ": {1, 2, 3, 4, 6},
        },
    )


EXERCISES = {"14.1": _what_is_claimed_too_much, "14.2": _three_bugs_in_a_private_loop, "14.3": _clipping}
