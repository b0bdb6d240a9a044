"""The answers to the exercises of notebook 11."""

import numpy as np

from ...teaching.exercises import Exercise, bugs


def _enrichment_of_a_screen() -> Exercise:
    return Exercise(
        right=(60 / 200) / (400 / 20_000),
        mistakes={
            "that is the share of hits among the first 200: divide it by the share of hits among all": 60 / 200,
            "that is the share of all hits that is found: divide it by the share of molecules that is tested": 60 / 400,
            "divide by the share of hits among all molecules, 400 of 20,000, not by the share that is tested": 30.0,
            "the other way round: the share of hits among the first 200 stands above the line": 0.02 / 0.3,
            "that is the most that any order could reach: all of the first 200 would be hits": 50.0,
        },
    )


def _three_bugs_in_a_screening_recipe() -> Exercise:
    return bugs(
        {3, 4, 8},
        lines=9,
        mistakes={
            "the molecules that will be asked about have new scaffolds: which split asks for that, in line 3?": {4, 8},
            "what has the network seen in line 4, where the same assay was done with the same molecules?": {
                3,
                8,
            },
            "which molecules choose the best of ten runs in line 8?": {3, 4},
            "line 2 is right: a salt and its acid are one molecule, and each molecule is there once": {2, 3, 4, 8},
            "line 5 is right: the rate is chosen on validation": {3, 4, 5, 8},
            "line 6 is right: a forest needs no choice to be a row": {3, 4, 6, 8},
            "line 7 is right: ten runs are needed for an interval, as long as all of them are told": {3, 4, 7, 8},
            "line 9 is right: with 4 hits in 100 molecules, chance has to be told beside each way": {3, 4, 8, 9},
        },
    )


def _average_precision() -> Exercise:
    rng = np.random.default_rng(0)
    lists = [rng.random(n) < share for n, share in ((30, 0.2), (50, 0.1), (12, 0.5))]
    lists = [np.append(y, True) for y in lists]  # at least one hit, in the last place

    def shares(y):
        return np.cumsum(y) / np.arange(1, len(y) + 1)

    return Exercise(
        right=lambda y: shares(y)[y].mean(),
        mistakes={
            "that is the mean over all places: take it over the places of the hits alone": lambda y: shares(y).mean(),
            "that is the share of hits among all molecules, which needs no order": lambda y: y.mean(),
            "the highest score comes first: you read the list from its end": lambda y: shares(y[::-1])[y[::-1]].mean(),
            "divide the sum over the hits by the number of hits, not by that of all molecules": lambda y: (
                shares(y)[y].sum() / len(y)
            ),
            "the first place has the number 1: the hit itself is one of the molecules down to it": lambda y: (
                np.cumsum(y) / np.maximum(np.arange(len(y)), 1)
            )[y].mean(),
            "that is the share of all hits that is found: divide by the place, not by all hits": lambda y: (
                np.cumsum(y) / y.sum()
            )[y].mean(),
        },
        probe=lambda f: [float(f(y)) for y in lists],
    )


EXERCISES = {
    "11.1": _enrichment_of_a_screen,
    "11.2": _three_bugs_in_a_screening_recipe,
    "11.3": _average_precision,
}
