"""The answers to the exercises of notebook 10."""

import torch

from ...teaching.exercises import Exercise, bugs


def _share_of_lora() -> Exercise:
    right = 8 * (768 + 768) / 768**2
    return Exercise(
        right=right,
        mistakes={
            "that counts one of the two thin matrices: B has as many weights as A": right / 2,
            "that is a number of weights: divide it by those of the whole matrix": 8.0 * (768 + 768),
            "that is rank by width: A is 8×768 and B is 768×8": 8 / 768**2,
            "the two matrices are multiplied with a vector one after the other: add their sizes": 8 * 768 * 8 / 768**2,
        },
        tolerance=1e-4,
    )


def _three_bugs_in_a_report_recipe() -> Exercise:
    return bugs(
        {2, 6, 8},
        lines=9,
        mistakes={
            "a sentence of line 1 stands there once for each of its findings: where do its rows go in line 2?": {6, 8},
            "on which sentences does line 6 put the adapter, or rather: on which network?": {2, 8},
            "which sentences choose the rank in line 8?": {2, 6},
            "line 3 is right: sentences without labels, and none of the test": {2, 3, 6, 8},
            "line 4 is right: the finding's own name should not answer": {2, 4, 6, 8},
            "line 9 is right as far as it goes: a test set is there to be asked in the end": {2, 6, 8, 9},
        },
    )


def _attention() -> Exercise:
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(6, 9, generator=generator) for _ in range(3))

    def right(q, k, v):
        return torch.softmax(q @ k.T / q.shape[1] ** 0.5, 1) @ v

    return Exercise(
        right=right,
        mistakes={
            "divide the scores by the root of the vectors' length before the softmax": lambda q, k, v: (
                torch.softmax(q @ k.T, 1) @ v
            ),
            "the root is missing: divide by √d, not by d": lambda q, k, v: torch.softmax(q @ k.T / q.shape[1], 1) @ v,
            "the shares that one token takes add up to 1: the softmax runs over the other tokens": lambda q, k, v: (
                torch.softmax(q @ k.T / q.shape[1] ** 0.5, 0) @ v
            ),
            "take the values, not the keys, with these shares": lambda q, k, v: (
                torch.softmax(q @ k.T / q.shape[1] ** 0.5, 1) @ k
            ),
            "these are the shares: take the values with them": lambda q, k, v: torch.softmax(
                q @ k.T / q.shape[1] ** 0.5, 1
            ),
            "query and key have changed places: token i asks with its query": lambda q, k, v: (
                torch.softmax(k @ q.T / q.shape[1] ** 0.5, 1) @ v
            ),
        },
        probe=lambda f: f(q.clone(), k.clone(), v.clone()),
    )


EXERCISES = {
    "10.1": _share_of_lora,
    "10.2": _three_bugs_in_a_report_recipe,
    "10.3": _attention,
}
