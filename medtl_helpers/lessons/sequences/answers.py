"""The answers to the exercises of notebook 09."""

import math

import torch

from ...teaching.exercises import Exercise, bugs


def _bits_of_a_position() -> Exercise:
    entropy = 0.5 * 1 + 2 * 0.25 * 2
    return Exercise(
        right=2 - entropy,
        mistakes={
            "that is the entropy, which says how undecided the position is; take it from the 2 bits": entropy,
            "that is the height of the letter A alone, which takes half of the stack": 0.5 * (2 - entropy),
            "that is in nats: use the logarithm to base 2": (2 - entropy) * math.log(2),
            "four bases are possible, also where one of them never came: the most is 2 bits, not log2 3": math.log2(3)
            - entropy,
        },
        tolerance=5e-4,
    )


def _three_bugs_in_a_sequence_recipe() -> Exercise:
    return bugs(
        {2, 5, 7},
        lines=8,
        mistakes={
            "where do the copies of line 1 end up in line 2?": {5, 7},
            "read a donor backwards and exchange the bases, as in line 5: is it still a donor?": {2, 7},
            "on which sequences is k chosen in line 7?": {2, 5},
            "line 4 is right: it counts training sequences alone": {2, 4, 5, 7},
            "line 8 is right as far as it goes: a test set is there to be asked in the end": {2, 5, 7, 8},
        },
    )


def _drawn_bases(seed: int, n: int = 5, length: int = 6) -> torch.Tensor:
    """float32 N×4×L: one-hot bases, drawn at random."""
    bases = torch.randint(4, (n, length), generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.one_hot(bases, 4).float().mT


def _log_odds() -> Exercise:
    x = _drawn_bases(1)
    f = torch.rand(4, x.shape[2], generator=torch.Generator().manual_seed(2)) + 0.1
    f = f / f.sum(0)

    def right(x, f):
        return (x * torch.log2(f / 0.25)).sum((1, 2))

    return Exercise(
        right=right,
        mistakes={
            "that is in nats: use the logarithm to base 2": lambda x, f: (x * torch.log(f / 0.25)).sum((1, 2)),
            "that is the log-likelihood: compare it with 1/4 for each base": lambda x, f: (x * torch.log2(f)).sum(
                (1, 2)
            ),
            "the probabilities of the positions are multiplied, so add their logarithms": lambda x, f: (
                x * f / 0.25
            ).sum((1, 2)),
            "the sign is turned: a likely sequence has a high score": lambda x, f: -right(x, f),
            "add over the positions: one number for each sequence": lambda x, f: (x * torch.log2(f / 0.25)).sum(1),
        },
        probe=lambda g: g(x.clone(), f.clone()),
    )


EXERCISES = {
    "09.1": _bits_of_a_position,
    "09.2": _three_bugs_in_a_sequence_recipe,
    "09.3": _log_odds,
}
