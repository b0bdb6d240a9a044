"""The answers to the exercises of notebook 12."""

import numpy as np

from ...teaching.exercises import Exercise, bugs


def _dice_of_an_iou() -> Exercise:
    return Exercise(
        right=2 * 0.6 / 1.6,
        mistakes={
            "that is the IoU itself": 0.6,
            "that is the way back, from a Dice to an IoU": 0.6 / 1.4,
            "the overlap counts twice above the line, and below it, too: 2 · IoU / (1 + IoU)": 1.2,
        },
    )


def _three_bugs_in_an_outline_recipe() -> Exercise:
    return bugs(
        {3, 6, 8},
        lines=9,
        mistakes={
            "a patient of line 1 has ten slices: where do they go in line 3?": {6, 8},
            "line 6 turns the image: what does the mask do?": {3, 8},
            "what does batch norm do in line 9, after line 8?": {3, 6},
            "line 2 is right: 0 and 255 become no and yes": {2, 3, 6, 8},
            "line 7 is right: the two losses are often added": {3, 6, 7, 8},
            "line 9 is right, for a network in eval mode: one Dice for each image, and then their mean": {3, 6, 9},
        },
    )


def _dice() -> Exercise:
    rng = np.random.default_rng(0)
    one, other, none = rng.random((8, 8)) < 0.3, rng.random((8, 8)) < 0.4, np.zeros((8, 8), bool)

    def right(a, b):
        return 2 * (a & b).sum() / (a.sum() + b.sum()) if a.any() or b.any() else 1.0

    return Exercise(
        right=right,
        mistakes={
            "two empty masks agree, and their Dice is 1 here: you divide 0 by 0": lambda a, b: (
                np.float64(2 * (a & b).sum()) / np.float64(a.sum() + b.sum())
            ),
            "that is the IoU: the Dice has the overlap twice above the line, and both sizes below it": lambda a, b: (
                (a & b).sum() / (a | b).sum() if a.any() or b.any() else 1.0
            ),
            "two empty masks agree: their Dice is 1 here, not 0": lambda a, b: (
                2 * (a & b).sum() / max(a.sum() + b.sum(), 1)
            ),
            "that is the share of pixels that agree, and most of them are background": lambda a, b: (a == b).mean(),
            "the 2 above the line is missing": lambda a, b: (
                (a & b).sum() / (a.sum() + b.sum()) if a.any() or b.any() else 1.0
            ),
            "a term that is added above and below the line changes the Dice of small things": lambda a, b: (
                (2 * (a & b).sum() + 1) / (a.sum() + b.sum() + 1)
            ),
        },
        probe=lambda f: np.nan_to_num([f(one, other), f(other, one), f(one, one), f(one, none), f(none, none)], nan=-1),
    )


EXERCISES = {
    "12.1": _dice_of_an_iou,
    "12.2": _three_bugs_in_an_outline_recipe,
    "12.3": _dice,
}
