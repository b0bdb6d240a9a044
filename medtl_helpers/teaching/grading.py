"""Exercises that answer back: right, not yet, and what a typical wrong answer did wrong.

Each exercise is a function, in the ``answers`` module of its lesson, that returns the right answer and the typical
wrong ones, as answers, so that the tests can give every one of them and see that it gets its own hint.
"""

import importlib
import os
import sys
from collections.abc import Callable

import numpy as np

from ..console import say
from ..parts import check_choice
from .course_map import LESSONS, number_of
from .exercises import Exercise


def grade(number: str, answer) -> None:
    """Say whether the ``answer`` to exercise ``number``, e.g. ``"00.1"``, is right, and if not, what went wrong.

    Prints, and raises AssertionError only under ``MEDTL_STRICT=1``. The answer ``...`` means "nothing written yet".
    Raises ValueError for a number that no exercise has.
    """
    known = exercises(str(number).partition(".")[0])
    check_choice(number, "The exercise", known)
    exercise = known[number]()
    if answer is ...:
        problem = "replace the ... above with your code, then run both cells again"
    elif isinstance(answer, str):
        problem = f"write the {_kind(exercise)} itself, without quotes"
    elif _agrees(exercise, answer, exercise.right):
        say(f"✓ Exercise {number}: right.")
        return
    else:
        hits = (hint for hint, wrong in exercise.mistakes.items() if _agrees(exercise, answer, wrong))
        problem = next(hits, None) or _what_it_is(exercise, answer)
    told = f"Exercise {number}: not yet: {problem}{'' if problem.endswith('?') else '.'}"
    if _last_cell_failed():
        told += " (The cell that ran before stopped with an error, so this is about an older answer.)"
    if os.environ.get("MEDTL_STRICT") == "1":
        raise AssertionError(told)
    say(f"○ {told}")


def exercises(lesson: str) -> dict[str, Callable[[], Exercise]]:
    """The exercises of a ``lesson``, e.g. ``"01"``, by number: ``EXERCISES`` of the ``answers`` module of its topic."""
    topics = {number_of(name): about.topic for name, about in LESSONS.items()}
    check_choice(lesson, "The lesson", topics)
    topic = topics[lesson]
    return importlib.import_module(f"medtl_helpers.lessons.{topic}.answers").EXERCISES


def _agrees(exercise: Exercise, answer, known) -> bool:
    """Whether two answers come to the same. One of another kind, on which the probe itself stumbles, does not."""
    try:
        ours, theirs = (_probed(exercise, a) for a in (answer, known))
    except Exception:  # the reader's own function may raise anything
        return False
    return ours.shape == theirs.shape and bool(np.allclose(ours, theirs, rtol=0, atol=exercise.tolerance))


def _probed(exercise: Exercise, answer) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray(exercise.probe(answer), float)


def _kind(exercise: Exercise) -> str:
    if callable(exercise.right):
        return "function"
    return "set of line numbers" if isinstance(exercise.right, set) else "number"


def _what_it_is(exercise: Exercise, answer) -> str:
    """A sentence on an answer that is none of the typical ones."""
    kind = _kind(exercise)
    if kind == "function":
        return _what_it_does(exercise, answer) if callable(answer) else "the answer is a function: def …, with a return"
    if kind == "set of line numbers":
        return _which_lines(exercise.right, answer)
    try:
        value, right = (float(np.asarray(a).item()) for a in (answer, exercise.right))
    except (TypeError, ValueError, RuntimeError):
        return f"the answer is one number, and this is {_named(answer)}"
    if not np.isfinite(value):
        return f"the answer is a finite number, and this is {value}"
    if _agrees(exercise, value / 100, exercise.right):
        return "right as a percentage; write it as a share between 0 and 1"
    return f"{value:.6g} is too {'small' if value < right else 'large'}; read the text above once more"


def _what_it_does(exercise: Exercise, function) -> str:
    try:
        output = exercise.probe(function)
    except Exception as error:  # the reader's own function may raise anything
        return f"your function stopped with {type(error).__name__}: {error}"
    if output is None:
        return "your function returns None: is a 'return' missing?"
    right = _probed(exercise, exercise.right)
    try:
        ours = np.asarray(output, float)
    except (TypeError, ValueError, RuntimeError):
        return f"your function returns {_named(output)}, not {_numbers(right)}"
    if ours.shape != right.shape:
        return f"your function returns {_numbers(ours)}, not {_numbers(right)}"
    there = np.unravel_index(np.nanargmax(np.abs(ours - right)) if np.isfinite(ours).any() else 0, right.shape)
    return f"where it should return {right[there]:.4g}, your function returns {ours[there]:.4g}"


def _which_lines(right: set[int], answer) -> str:
    try:
        named = {int(line) for line in answer}
    except (TypeError, ValueError):
        return f"the answer is a set of line numbers, like {{1, 2, 3}}, and this is {_named(answer)}"
    if len(named) != len(right):
        return f"there are {len(right)} bugs, and you named {len(named)}"
    return f"{len(named & right)} of your {len(right)} lines are right"


def _named(thing) -> str:
    return "None" if thing is None else f"of the type {type(thing).__name__}"


def _numbers(array: np.ndarray) -> str:
    return "one number" if array.ndim == 0 else f"{' × '.join(map(str, array.shape))} numbers"


def _last_cell_failed() -> bool:
    """Whether the notebook's last cell stopped: then the name that is graded still holds what an earlier run left."""
    if "IPython" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return shell is not None and not shell.last_execution_succeeded
