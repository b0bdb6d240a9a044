"""The answers to the exercises of notebooks 01 and 01b."""

import numpy as np

from ...teaching.exercises import Exercise, bugs


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


def _three_bugs_in_gradient_descent() -> Exercise:
    return bugs(
        {1, 4, 8},
        lines=8,
        mistakes={
            "line 1 gives θ⁰ a second name and makes no copy: which array does line 6 change?": {4, 8},
            "a sick patient whose p is too low should get a higher p. In which direction does line 4 push?": {1, 8},
            "the log loss is a mean over all test patients. Which of them does line 8 leave out?": {1, 4},
            "line 3 is right: it is the derivative of EWC's R": {3, 4, 8},
            "line 3 is right: what it reads was spoilt in line 1. Line 8 needs a second look": {1, 3, 4},
            "line 5 is right: it adds the gradient of L and λ times that of R. Line 4 needs a second look": {1, 5, 8},
            "line 6 is right: gradient descent subtracts. What it changes was named in line 1": {4, 6, 8},
            "line 2 is right: it is the sigmoid of the logits. Compare line 4 with the table of the losses": {1, 2, 8},
            "line 7 is right: the test needs the probabilities of the final weights. Line 8 needs a second look": {
                1,
                4,
                7,
            },
        },
    )


def _fill_with_the_sources_medians() -> Exercise:
    nan = np.nan
    source = np.array([[1.0, 10.0], [2.0, nan], [6.0, 40.0], [nan, 100.0], [4.0, 20.0]])
    target = np.array([[nan, 7.0], [3.0, nan], [9.0, 1.0], [nan, nan]])

    def with_marks(table):  # NaN equals nothing, not even itself
        return np.nan_to_num(table, nan=-1.0) if isinstance(table, np.ndarray) and table.dtype == float else table

    def filled(values):
        return lambda source, target: np.where(np.isnan(target), values(source, target), target)

    return Exercise(
        right=filled(lambda source, target: np.nanmedian(source, axis=0)),
        mistakes={
            "these are the target's own medians: take the source's, which are the same for every new patient": filled(
                lambda source, target: np.nanmedian(target, axis=0)
            ),
            "these are means: one extreme value moves a mean, and a median stays": filled(
                lambda source, target: np.nanmean(source, axis=0)
            ),
            "zero is a measurement like any other here: fill with the medians": filled(lambda source, target: 0.0),
            "each column has its own median: np.nanmedian takes it along axis=0": filled(
                lambda source, target: np.nanmedian(source)
            ),
            "values are still missing: np.median is NaN where one is missing, np.nanmedian passes it over": filled(
                lambda source, target: np.median(source, axis=0)
            ),
            "this fills the source's table, and the target's was asked for": lambda source, target: np.where(
                np.isnan(source), np.nanmedian(source, axis=0), source
            ),
            "only the missing values become the median, and the measured ones stay": lambda source, target: np.tile(
                np.nanmedian(source, axis=0), (len(target), 1)
            ),
        },
        probe=lambda f: with_marks(f(source.copy(), target.copy())),
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
    "01.3": _three_bugs_in_gradient_descent,
    "01b.1": _fill_with_the_sources_medians,
    "01b.2": _lambda_at_four_times_n,
    "01b.3": _three_bugs_between_hospitals,
}
