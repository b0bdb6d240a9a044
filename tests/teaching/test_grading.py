"""Exercises that answer back: the right answer, each typical mistake, and nonsense of any kind."""

import numpy as np
import pytest
import torch

from medtl_helpers import provenance
from medtl_helpers.lessons.start.answers import careless_answers
from medtl_helpers.teaching.course_map import LESSONS, number_of
from medtl_helpers.teaching.grading import exercises, grade

EXERCISES = {number: make for name in LESSONS for number, make in exercises(number_of(name)).items()}


@pytest.mark.parametrize("number", EXERCISES)
@pytest.mark.parametrize("strict", ["0", "1"])
def test_the_right_answer_is_accepted(number, strict, monkeypatch, capsys):
    monkeypatch.setenv("MEDTL_STRICT", strict)
    grade(number, EXERCISES[number]().right)
    assert capsys.readouterr().out == f"✓ Exercise {number}: right.\n"


def mistakes():
    """Number and hint of every typical wrong answer; the answers themselves are made inside the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDTL_DATA", "twin")
        patch.setattr(provenance, "_sources", {})
        return [(number, hint) for number, make in EXERCISES.items() for hint in make().mistakes]


@pytest.mark.parametrize("number, hint", mistakes())
def test_each_typical_mistake_gets_its_own_hint_and_raises_only_when_strict(number, hint, monkeypatch, capsys):
    wrong = EXERCISES[number]().mistakes[hint]
    grade(number, wrong)
    assert capsys.readouterr().out == f"○ Exercise {number}: not yet: {hint}{'' if hint.endswith('?') else '.'}\n"
    monkeypatch.setenv("MEDTL_STRICT", "1")
    with pytest.raises(AssertionError) as caught:
        grade(number, wrong)
    assert str(caught.value) == f"Exercise {number}: not yet: {hint}{'' if hint.endswith('?') else '.'}"


def misspelt(*_):
    return misspelled  # noqa: F821


def divides(*_):
    return 1 / 0


def wants_one_argument(_):
    return 1.0


NONSENSE = [
    None,
    "a word",
    "0.5 ",
    [],
    [1, "a"],
    {},
    {"a": 1},
    float("nan"),
    float("inf"),
    np.zeros((2, 3)),
    len,
    object(),
    torch.zeros(3),
    torch.ones(2, requires_grad=True),
    lambda *_: None,
    lambda *_: "text",
    int,
    wants_one_argument,
    misspelt,
    divides,
]


@pytest.mark.parametrize("number", EXERCISES)
def test_nonsense_of_any_kind_is_answered_and_never_raises(number, capsys, monkeypatch):
    for answer in NONSENSE:
        grade(number, answer)
        assert capsys.readouterr().out.startswith(f"○ Exercise {number}: not yet: "), answer
    monkeypatch.setenv("MEDTL_STRICT", "1")
    with pytest.raises(AssertionError, match=r"the answer is (one number|a function|a set of line numbers)"):
        grade(number, None)


def returns_none(z, y):
    z - y


TOLD = [  # exercise, answer, what it is told
    ("00.1", 100 / 3, "33.3333 is too large"),
    ("00.3", 600, "600 is too small"),
    ("00.3", 0.05, "0.05 is too small"),
    ("01b.2", 25, "right as a percentage; write it as a share between 0 and 1"),
    ("01b.2", "1/4", "write the number itself, without quotes"),
    ("01b.2", "0.25", "without quotes"),
    ("01b.2", [1, 2], "the answer is one number, and this is of the type list"),
    ("01b.2", float("nan"), "the answer is a finite number, and this is nan"),
    ("02.3", -1, "-1 is too small"),
    ("00.4", "2,4,6", "write the set of line numbers itself, without quotes"),
    ("00.4", {2, 3, 5}, "1 of your 3 lines are right"),
    ("00.4", {4}, "there are 3 bugs, and you named 1"),
    ("01.1", misspelt, "your function stopped with NameError: name 'misspelled' is not defined"),
    ("01.1", returns_none, "your function returns None: is a 'return' missing?"),
    ("01.1", lambda z, y: "text", "your function returns of the type str, not 5 numbers"),
    ("01.1", lambda z, y: (z - y).mean(), "your function returns one number, not 5 numbers"),
    ("01.1", lambda z, y: 3 * (1 / (1 + np.exp(-z)) - y), "where it should return 0.982, your function returns 2.946"),
    ("01.1", 0.5, "the answer is a function"),
    ("01.2", lambda b, s, h: (b - s) ** 2, "returns 3 numbers, not one number"),
]


@pytest.mark.parametrize("number, answer, told", TOLD)
@pytest.mark.filterwarnings("error")
def test_an_answer_that_nobody_foresaw_is_told_what_it_is(number, answer, told, capsys):
    grade(number, answer)
    assert told in capsys.readouterr().out


def test_after_a_cell_that_failed_the_grade_says_that_it_is_about_an_older_answer(capsys):
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    try:
        shell.run_cell("import medtl_helpers as mtl; answer = 4\nmtl.grade('01b.2', answer)")
        assert "older answer" not in capsys.readouterr().out
        shell.run_cell("answer = 1 / 0")
        shell.run_cell("mtl.grade('01b.2', answer)")
        assert "stopped with an error, so this is about an older answer" in capsys.readouterr().out
    finally:
        InteractiveShell.clear_instance()


@pytest.mark.parametrize("number", EXERCISES)
def test_an_untouched_blank_is_recognised(number, capsys):
    grade(number, ...)
    assert "not yet: replace the ... above with your code" in capsys.readouterr().out


def test_a_right_function_that_changes_its_inputs_is_still_right(capsys):
    def in_place(z, y):
        np.negative(z, out=z)
        z[:] = 1 / (1 + np.exp(z)) - y
        return z

    grade("01.1", in_place)
    assert capsys.readouterr().out == "✓ Exercise 01.1: right.\n"


def test_a_number_may_come_as_a_tensor_an_array_or_a_text_free_scalar(capsys):
    for answer in (torch.tensor(0.25), np.float32(0.25), 1 / 4):
        grade("01b.2", answer)
    assert capsys.readouterr().out.count("right.") == 3


def test_the_gradient_of_exercise_01_1_is_autograds():
    z = torch.tensor([-3.0, -0.5, 0.0, 1.0, 4.0], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([1.0, 0.0, 1.0, 1.0, 0.0], dtype=torch.float64)
    (wanted,) = torch.autograd.grad(torch.nn.functional.binary_cross_entropy_with_logits(z, y, reduction="sum"), z)
    ours = EXERCISES["01.1"]().right(z.detach().numpy(), y.numpy())
    np.testing.assert_allclose(ours, wanted, rtol=1e-12)


def test_the_careless_program_misses_2_of_5_zeros_and_1_of_7_ones():
    truth = np.array([0, 1] * 35)
    answers = careless_answers(truth)
    assert (answers[truth == 0] == 1).sum() == 35 * 2 // 5 and (answers[truth == 1] == 0).sum() == 35 // 7


def test_the_cases_for_two_points_give_an_interval_of_two_points():
    n = EXERCISES["00.3"]().right
    assert 1.96 * (0.85 * 0.15 / n) ** 0.5 <= 0.02 < 1.96 * (0.85 * 0.15 / (n - 1)) ** 0.5
