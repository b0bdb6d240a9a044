"""Successive halving: try many candidates a little, the better part of them longer, and the best of these longest.

[1] Jamieson, Talwalkar, Non-stochastic best arm identification and hyperparameter optimization, AISTATS 2016,
arXiv 1502.07943, the algorithm "Successive Halving"
[2] Li et al., Hyperband, JMLR 18 (2018), arXiv 1603.06560, algorithm 1, lines 5 to 11, where 1/η of the candidates
survive in place of the half
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

from ..parts import check_whole

Candidate = TypeVar("Candidate")


class Rung(NamedTuple):
    """``candidates`` that still take part, what each gets ``more`` in this rung, and has got in ``total`` after it."""

    candidates: int
    more: int
    total: int


def halving_schedule(n: int, budget: int, eta: int = 2) -> list[Rung]:
    """The rungs of ``n`` candidates that share a ``budget`` (of epochs, say): ``⌊B / (|S| ⌈log_η n⌉)⌋`` more
    for each of the candidates S of a rung, after which ``⌊|S| / η⌋`` survive, at least one ([1]; there ``eta`` is 2).

    Raises ValueError where the budget gives a candidate nothing.
    """
    for name, value, least in (("n", n, 1), ("budget", budget, 1), ("eta", eta, 2)):
        check_whole(value, name, least=least)
    rungs = next(k for k in range(1, n + 1) if eta**k >= n)
    if budget < n * rungs:
        raise ValueError(f"budget is {budget}, and {n} candidates on {rungs} rungs need {n * rungs} or more: raise it.")
    found, total = [], 0
    for _ in range(rungs):
        more = budget // (n * rungs)
        total += more
        found.append(Rung(n, more, total))
        n = survivors(n, eta)
    return found


def successive_halving(
    candidates: Sequence[Candidate], loss: Callable[[Candidate, int], float], resources: Sequence[int], eta: int = 2
) -> Iterator[tuple[int, Candidate, float]]:
    """Yields (rung, candidate, loss) for each candidate that is tried, rung by rung.

    In rung k ``loss(candidate, resources[k])`` is asked of all that are left, in the order of ``candidates``; those of
    the ⌊n/η⌋ lowest losses, at least one, go on to the next rung. Of equal losses the earlier candidate's is lower.
    Whether ``loss`` goes on where the candidate was or begins anew with the larger resource is its own affair.
    Raises ValueError without candidates or resources, for resources that do not grow, and for a loss that is NaN.
    """
    check_whole(eta, "eta", least=2)
    left, resources = list(candidates), list(resources)
    if not left or not resources or any(b <= a for a, b in pairwise(resources)):
        raise ValueError(
            f"There are {len(left)} candidates and the resources {resources}: give some of both, and resources that "
            "grow from rung to rung."
        )
    for rung, resource in enumerate(resources):
        losses = []
        for candidate in left:
            losses.append(loss(candidate, resource))
            if losses[-1] != losses[-1]:
                raise ValueError(f"The loss of {candidate} is NaN: return a number, infinity for what failed.")
            yield rung, candidate, losses[-1]
        best = sorted(range(len(left)), key=losses.__getitem__)[: survivors(len(left), eta)]
        left = [left[at] for at in sorted(best)]


def survivors(n: int, eta: int) -> int:
    """How many of ``n`` candidates go on to the next rung: ⌊n/η⌋, and at least one."""
    return max(1, n // eta)
