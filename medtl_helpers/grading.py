"""Exercises that answer back: right, not yet, and what a typical wrong answer did wrong.

Each exercise is a function, below or in ``answers_04`` and ``answers_05``, that returns the right answer and the
typical wrong ones, as answers, so that the tests can give every one of them and see that it gets its own hint.
"""

import os

import numpy as np

from . import answers_00, answers_01, answers_02, answers_03, answers_04, answers_05
from .answers import Exercise


def grade(number: str, answer) -> None:
    """Say whether the ``answer`` to exercise ``number``, e.g. ``"00.1"``, is right, and if not, what went wrong.

    Prints, and raises AssertionError only under ``MEDTL_STRICT=1``. The answer ``...`` means "nothing written yet".
    """
    exercise = EXERCISES[number]()
    if answer is ...:
        problem = "replace the ... above with your code, then run both cells again"
    elif _agrees(exercise, answer, exercise.right):
        print(f"✓ Exercise {number}: right.")
        return
    else:
        hits = (hint for hint, wrong in exercise.mistakes.items() if _agrees(exercise, answer, wrong))
        problem = next(hits, f"{str(answer)[:60]} is not it; read the text above once more")
    told = f"Exercise {number}: not yet: {problem}{'' if problem.endswith('?') else '.'}"
    if os.environ.get("MEDTL_STRICT") == "1":
        raise AssertionError(told)
    print(f"○ {told}")


def _agrees(exercise: Exercise, answer, known) -> bool:
    """Whether two answers come to the same. One of another kind, on which the probe itself stumbles, does not."""
    try:
        ours, theirs = (np.asarray(exercise.probe(a), float) for a in (answer, known))
    except Exception:  # the reader's own function may raise anything
        return False
    return ours.shape == theirs.shape and bool(np.allclose(ours, theirs, rtol=0, atol=exercise.tolerance))


EXERCISES = {
    **answers_00.EXERCISES,
    **answers_01.EXERCISES,
    **answers_02.EXERCISES,
    **answers_03.EXERCISES,
    **answers_04.EXERCISES,
    **answers_05.EXERCISES,
}
