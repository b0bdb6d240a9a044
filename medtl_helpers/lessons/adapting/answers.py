"""The answers to the exercises of notebook 08."""

import numpy as np

from ...teaching.exercises import Exercise, bugs


def _share_of_the_gain() -> Exercise:
    untouched, ada_bn, tent = 0.62, 0.81, 0.83
    whole = tent - untouched
    return Exercise(
        right=(tent - ada_bn) / whole,
        mistakes={
            "that is AdaBN's share: what is left for the gradient?": (ada_bn - untouched) / whole,
            "these are points: divide them by the whole gain": tent - ada_bn,
            "that is the whole gain: how much of it is there without any gradient?": whole,
            "divide by the gain, not by the accuracy": (tent - ada_bn) / tent,
            "AdaBN reaches most of it without learning anything": 1.0,
        },
        tolerance=2e-3,
    )


def _three_bugs_in_an_adaptation() -> Exercise:
    return bugs(
        {6, 7, 10},
        lines=11,
        mistakes={
            "what does line 6 choose the rate by, and may it see that?": {7, 10},
            "in which order do the images of line 7 arrive?": {6, 10},
            "line 10 credits TENT with something that needs no gradient: which row is missing?": {6, 7},
            "line 5 is right: each rate gets a copy of its own": {5, 6, 7, 10},
            "line 8 is right: TENT's answers are those given on the way": {6, 7, 8, 10},
            "line 11 is right: what varies are the patients": {6, 7, 10, 11},
        },
    )


def _information() -> Exercise:
    rng = np.random.default_rng(0)
    probability = rng.dirichlet(np.full(4, 0.5), size=9)

    def of(p):
        return -(p * np.log(p)).sum(-1)

    def right(p):
        return of(p.mean(0)) - of(p).mean()

    return Exercise(
        right=right,
        mistakes={
            "that is the mean entropy alone: it is 0 when everybody gets the same sure answer": lambda p: of(p).mean(),
            "that is the entropy of the mix alone: it is large for answers that say nothing": lambda p: of(p.mean(0)),
            "the other way round: the entropy of the mix comes first": lambda p: -right(p),
            "take the mean of the answers' entropies, not their sum": lambda p: of(p.mean(0)) - of(p).sum(),
            "the mix is the mean of the answers over the images, not over the classes": lambda p: (
                of(p.mean(1)) - of(p).mean()
            ),
            "in nats: the natural logarithm": lambda p: right(p) / np.log(2),
        },
        probe=lambda f: f(probability.copy()),
    )


EXERCISES = {
    "08.1": _share_of_the_gain,
    "08.2": _three_bugs_in_an_adaptation,
    "08.3": _information,
}
