"""What an exercise is: its right answer, and the typical wrong ones with their hints."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Exercise:
    """The right answer, a typical wrong answer for each hint, and how an answer becomes a number to compare.

    ``probe`` returns a number or an array: for a function as answer, what it computes on some inputs.
    """

    right: Any
    mistakes: dict[str, Any]
    probe: Callable[[Any], Any] = field(default_factory=lambda: np.asarray)
    tolerance: float = 1e-3


def bugs(right: set[int], mistakes: dict[str, set[int]], lines: int) -> Exercise:
    """ "In which of the ``lines`` of this recipe are the bugs?": answers are sets of line numbers from 1."""
    return Exercise(right, mistakes, probe=lambda answer: [n in answer for n in range(1, lines + 1)] + [len(answer)])
