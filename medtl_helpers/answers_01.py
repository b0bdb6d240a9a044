"""The answers to the exercises of notebook 01."""

import numpy as np

from .answers import Exercise, bugs


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


def _gradient_of_log_loss() -> Exercise:
    z, y = np.array([-3.0, -0.5, 0.0, 1.0, 4.0]), np.array([1.0, 0.0, 1.0, 1.0, 0.0])
    return Exercise(
        right=lambda z, y: _sigmoid(z) - y,
        mistakes={
            "the sign is wrong: descending along it would climb": lambda z, y: y - _sigmoid(z),
            "that is the first row of the table, the squared error; the log loss is the second": lambda z, y: (
                2 * (_sigmoid(z) - y) * _sigmoid(z) * (1 - _sigmoid(z))
            ),
            "one derivative for each patient: do not divide by their number": lambda z, y: (_sigmoid(z) - y) / len(z),
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


def _three_bugs_between_hospitals() -> Exercise:
    return bugs(
        {3, 5, 7},
        lines=8,
        mistakes={
            "line 3 makes copies: where can the copies of one patient fall in line 4?": {5, 7},
            "L2-SP pulls the weights to the source's. To what does line 5 pull them?": {3, 7},
            "which patients choose λ in line 7?": {3, 5},
            "line 4 is right; what it gets from line 3 is not": {4, 5, 7},
            "line 6 is right: the minimum does not depend on where one starts. What does line 5 pull to?": {
                3,
                6,
                7,
            },
            "line 8 is right: the test patients are for the report. Where else are they used?": {3, 5, 8},
            "line 1 is right: nothing is fitted on the target's test patients": {1, 5, 7},
            "line 2 is right: the source model may use all of Cleveland": {2, 5, 7},
        },
    )


EXERCISES = {
    "01.1": _gradient_of_log_loss,
    "01.2": _l2_sp_of_two_layers,
    "01.3": _lambda_at_four_times_n,
    "01.4": _three_bugs_between_hospitals,
}
