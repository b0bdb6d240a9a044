"""Exercises that answer back: right, not yet, and what a typical wrong answer did wrong.

Each exercise is a function, below or in ``answers_04`` and ``answers_05``, that returns the right answer and the
typical wrong ones, as answers, so that the tests can give every one of them and see that it gets its own hint.
"""

import math
import os

import numpy as np

from . import answers_04, answers_05
from .answers import Exercise
from .tasks import load


def grade(number: str, answer) -> None:
    """Say whether the ``answer`` to exercise ``number``, e.g. ``"00.1"``, is right, and if not, what went wrong.

    Prints, and raises AssertionError only under ``MEDTL_STRICT=1``. The answer ``...`` means "nothing written yet".
    """
    exercise = EXERCISES[number]()
    if answer is ...:
        problem = "replace the ... above with your code, then run both cells again"
    elif _agrees(exercise, answer, exercise.right):
        print(f"✓ Exercise {number}: right.")
        return
    else:
        hits = (hint for hint, wrong in exercise.mistakes.items() if _agrees(exercise, answer, wrong))
        problem = next(hits, f"{str(answer)[:60]} is not it; read the text above once more")
    if os.environ.get("MEDTL_STRICT") == "1":
        raise AssertionError(f"Exercise {number}: not yet: {problem}.")
    print(f"○ Exercise {number}: not yet: {problem}.")


def _agrees(exercise: Exercise, answer, known) -> bool:
    """Whether two answers come to the same. One of another kind, on which the probe itself stumbles, does not."""
    try:
        ours, theirs = (np.asarray(exercise.probe(a), float) for a in (answer, known))
    except Exception:  # the reader's own function may raise anything
        return False
    return ours.shape == theirs.shape and bool(np.allclose(ours, theirs, rtol=0, atol=exercise.tolerance))


# --- notebook 00 -----------------------------------------------------------------------------------------------------


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
        tolerance=20,
    )


# --- notebook 01 -----------------------------------------------------------------------------------------------------


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


def _gradient_of_log_loss() -> Exercise:
    z, y = np.array([-3.0, -0.5, 0.0, 1.0, 4.0]), np.array([1.0, 0.0, 1.0, 1.0, 0.0])
    return Exercise(
        right=lambda z, y: _sigmoid(z) - y,
        mistakes={
            "the sign is wrong: descending along it would climb": lambda z, y: y - _sigmoid(z),
            "that is the gradient of ½(p − y)², which vanishes where the model is surely wrong": lambda z, y: (
                (_sigmoid(z) - y) * _sigmoid(z) * (1 - _sigmoid(z))
            ),
            "that is the loss, not its derivative": lambda z, y: (
                -y * np.log(_sigmoid(z)) - (1 - y) * np.log(_sigmoid(-z))
            ),
            "the logit z is not the probability: apply the sigmoid first": lambda z, y: z - y,
        },
        probe=lambda f: f(z.copy(), y.copy()),
    )


def _l2_sp_of_two_layers() -> Exercise:
    body, source, head = np.array([1.0, -2.0, 0.5]), np.array([0.5, -1.0, 0.5]), np.array([2.0, 1.0])
    pull = (body - source) ** 2
    return Exercise(
        right=lambda b, s, h: 0.5 * ((b - s) ** 2).sum() + 0.5 * (h**2).sum(),
        mistakes={
            "the factor ½ is missing": lambda b, s, h: ((b - s) ** 2).sum() + (h**2).sum(),
            "that is plain L2: the body must be pulled to its source value, not to zero": lambda b, s, h: (
                0.5 * (b**2).sum() + 0.5 * (h**2).sum()
            ),
            "the new head is free: it needs plain L2": lambda b, s, h: 0.5 * ((b - s) ** 2).sum(),
            "a distance, not its square": lambda b, s, h: 0.5 * np.sqrt(pull.sum()) + 0.5 * np.sqrt((h**2).sum()),
        },
        probe=lambda f: f(body.copy(), source.copy(), head.copy()),
    )


def _lambda_at_four_times_n() -> Exercise:
    return Exercise(
        right=0.25,
        mistakes={
            "the other way round: more target data need less of the source": 4.0,
            "that would be right if L were the sum over the patients; here it is the mean": 1.0,
            "not the square root: the log-likelihood grows like n itself": 0.5,
        },
    )


# --- notebook 03 -----------------------------------------------------------------------------------------------------


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
    def lines(answer):
        return [line in answer for line in range(1, 12)] + [len(answer)]

    right = {1, 9, 10}
    return Exercise(
        right=right,
        mistakes={
            "preprocess_input wants 0 to 255: what does line 2 get from line 1?": {9, 10},
            "what must follow each change of `trainable`?": {1, 10},
            "which images decide when the second phase stops?": {1, 9},
            "line 2 is right, what it gets is not": {2, 9, 10},
            "line 6 is right: 1e-3 suits a new head on a frozen trunk": {1, 6, 10},
            "line 11 is right: the test split is for the report. Where else is it used?": {1, 9, 11},
            "line 8 is right: validation images decide when to stop": {1, 8, 9, 10},
        },
        probe=lines,
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


# --- notebook 02 -----------------------------------------------------------------------------------------------------


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
    return Exercise(
        right={3, 5, 7},
        mistakes={
            "line 4 is right: only the head is meant to train": {3, 4, 5},
            "look at the loss once more: cross_entropy wants logits": {3, 5},
            "what does train mode do to the statistics of batch norm in a frozen body?": {3, 7},
            "the loop of line 3 also reaches the head that line 2 made": {5, 7},
            "line 6 is right; the bug is in how its logits are used": {3, 5, 6},
        },
        probe=lambda lines: [line in lines for line in range(1, 10)],
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
    "00.1": _always_normal,
    "00.2": _recall_of_the_disease,
    "00.3": _cases_for_two_points,
    "01.1": _gradient_of_log_loss,
    "01.2": _l2_sp_of_two_layers,
    "01.3": _lambda_at_four_times_n,
    "02.1": _weights_of_a_head,
    "02.2": _three_bugs_in_freezing,
    "02.3": _rate_of_the_stem,
    "03.1": _weights_of_flatten_at_96,
    "03.2": _three_wrong_lines,
    "03.3": _grad_cam_from_the_paper,
    **answers_04.EXERCISES,
    **answers_05.EXERCISES,
}
