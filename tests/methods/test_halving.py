"""Successive halving: the schedule of the paper by hand, who survives, and what is asked of the losses."""

import math

import pytest

from medtl_helpers.methods.halving import Rung, halving_schedule, successive_halving


@pytest.mark.parametrize(
    ("n", "budget", "eta", "by_hand"),
    [
        # r_k = ⌊B / (|S_k| ⌈log2 n⌉)⌋: 24 / (8 · 3), 24 / (4 · 3), 24 / (2 · 3)
        (8, 24, 2, [Rung(8, 1, 1), Rung(4, 2, 3), Rung(2, 4, 7)]),
        # 5 candidates: ⌈log2 5⌉ = 3 rungs of 5, 2 and 1 candidates; ⌊100/15⌋, ⌊100/6⌋, ⌊100/3⌋
        (5, 100, 2, [Rung(5, 6, 6), Rung(2, 16, 22), Rung(1, 33, 55)]),
        # Hyperband's η = 3: ⌈log3 27⌉ = 3 rungs of 27, 9 and 3; 81 / (27 · 3), 81 / (9 · 3), 81 / (3 · 3)
        (27, 81, 3, [Rung(27, 1, 1), Rung(9, 3, 4), Rung(3, 9, 13)]),
        (1, 7, 2, [Rung(1, 7, 7)]),
    ],
)
def test_the_schedule_is_that_of_the_paper(n, budget, eta, by_hand):
    found = halving_schedule(n, budget, eta)
    assert found == by_hand
    assert sum(rung.candidates * rung.more for rung in found) <= budget


def test_the_better_half_goes_on_and_gets_more():
    final = {"a": 4.0, "b": 1.0, "c": 3.0, "d": 2.0}
    asked = []

    def loss(candidate, epochs):
        asked.append((candidate, epochs))
        return final[candidate] + 10 / epochs

    rungs = list(successive_halving("abcd", loss, [1, 2, 4]))
    assert asked == [("a", 1), ("b", 1), ("c", 1), ("d", 1), ("b", 2), ("d", 2), ("b", 4)]
    assert [(rung, name) for rung, name, _ in rungs] == [(0, "a"), (0, "b"), (0, "c"), (0, "d"), (1, "b"), (1, "d"),
                                                         (2, "b")]  # fmt: skip
    assert rungs[-1][2] == 1 + 10 / 4


def test_a_third_survives_where_eta_is_3_and_of_equal_losses_the_earlier_one():
    tried = [(rung, name) for rung, name, _ in successive_halving(range(9), lambda one, _: 0.0, [1, 3, 9], eta=3)]
    assert tried == [(0, k) for k in range(9)] + [(1, 0), (1, 1), (1, 2), (2, 0)]


def test_an_infinite_loss_never_survives_a_finite_one_and_nothing_is_computed_ahead():
    losses = {0: math.inf, 1: 5.0, 2: math.inf, 3: 7.0}
    asked = []
    search = successive_halving(range(4), lambda one, _: asked.append(one) or losses[one], [1, 2])
    next(search)
    assert asked == [0]  # a search that is stopped has not paid for the next one
    assert [name for rung, name, _ in search if rung == 1] == [1, 3]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: halving_schedule(8, 23), "8 candidates on 3 rungs need 24"),
        (lambda: halving_schedule(8, 24, 1), "eta is 1"),
        (lambda: list(successive_halving([], lambda *_: 0, [1])), "0 candidates"),
        (lambda: list(successive_halving("ab", lambda *_: 0, [])), r"resources \[\]"),
        (lambda: list(successive_halving("ab", lambda *_: 0, [2, 2])), "resources that grow"),
        (lambda: list(successive_halving("ab", lambda *_: math.nan, [1])), "loss of a is NaN"),
    ],
)
def test_what_is_no_search_is_told(call, said):
    with pytest.raises(ValueError, match=said):
        call()
