"""Claims that hold or raise where they should, exercises that answer back, and blanks that cannot drift."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

from medtl_helpers import checks, exercises, grading
from medtl_helpers.answers_00 import careless_answers
from medtl_helpers.checks import check, note_source, note_weights, provenance_of, session_report
from medtl_helpers.grading import EXERCISES, grade
from medtl_helpers.metrics import t_interval

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
INTERVAL = t_interval([0.1, 0.2, 0.4])


@pytest.fixture(autouse=True)
def a_new_process(monkeypatch):
    """No record yet, twins, and exercises that print."""
    monkeypatch.setattr(checks, "_records", [])
    monkeypatch.setattr(checks, "_sources", {})
    monkeypatch.setattr(checks, "_weights", {})
    monkeypatch.setenv("MEDTL_DATA", "twin")
    monkeypatch.delenv("MEDTL_STRICT", raising=False)


@dataclass
class Data:
    provenance: str


# --- check -----------------------------------------------------------------------------------------------------------


def test_a_claim_that_holds_is_printed_with_its_figures(capsys):
    check("Transfer helps", True, gain=0.12345, seeds=3, ci=INTERVAL)
    assert capsys.readouterr().out == f"✓ Transfer helps\n    gain: 0.123\n    seeds: 3\n    ci: {INTERVAL}\n"


@pytest.mark.parametrize("where", ["real", "twin", "own"])
def test_an_invariant_that_fails_raises_on_all_data(where):
    with pytest.raises(AssertionError, match=rf"✗ Nothing moved: moved: 0\.5 \(data: {where}\)"):
        check("Nothing moved", False, moved=0.5, data=Data(where))


def test_a_claim_about_a_record_says_so_and_not_what_else_was_loaded():
    checks.note_source("breast", "twin")
    check("Transfer helped", True, data="recorded, real", gain=0.1)
    assert checks._records[-1]["data"] == "recorded, real"


@pytest.mark.parametrize("on", ["twin", "real", ("twin", "real")])
@pytest.mark.parametrize("where", ["twin", "real", "own", "mixed", "none"])
def test_an_effect_that_fails_raises_only_on_the_data_it_is_claimed_for(on, where, capsys):
    if where in on or where == on:
        with pytest.raises(AssertionError, match="✗ DANN helps"):
            check("DANN helps", False, on=on, data=Data(where), gain=-0.1)
    else:
        check("DANN helps", False, on=on, data=Data(where), gain=-0.1)
        out = capsys.readouterr().out
        assert out.startswith(f"○ measured here, on {where} data, this does not hold: DANN helps") and "-0.1" in out
    record = checks._records[-1]
    assert (record["passed"], record["binding"], record["data"]) == (False, where in on or where == on, where)


def test_on_names_whole_provenances_and_not_parts_of_words(capsys):
    check("An effect", False, on="twins", data=Data("twin"), gain=0)
    assert "does not hold" in capsys.readouterr().out


def test_a_check_without_a_figure_is_refused():
    with pytest.raises(ValueError, match="'Trust me' shows no figure"):
        check("Trust me", True)
    assert checks._records == []


@pytest.mark.parametrize(
    "condition, passed", [(np.bool_(True), True), (torch.tensor(False), False), (np.float64(0), False)]
)
def test_any_condition_with_a_truth_value_will_do(condition, passed):
    check("A claim", condition, on="real", data=Data("twin"), n=1)
    assert checks._records[0]["passed"] is passed


FIGURES = {
    "whole": 3, "numpy_whole": np.int64(3), "number": 0.5, "numpy_number": np.float32(0.5), "yes": True, "word": "A",
    "interval": INTERVAL, "intervals": [INTERVAL, INTERVAL], "numbers": (0.25, 1.0), "array": np.array([[1.0, 2.0]]),
    "tensor": torch.tensor([1.0, 2.0]),
}  # fmt: skip


def test_the_report_is_json_and_holds_what_was_checked_on_what():
    note_source("breast", "twin")
    check("Everything can be shown", True, on="twin", **FIGURES)
    report = json.loads(json.dumps(session_report(), allow_nan=False))
    assert report["sources"] == {"breast": "twin"} and report["data"] == "twin" and report["peak_mb"] > 50
    record = report["checks"][0]
    assert record["claim"] == "Everything can be shown" and record["passed"] is record["binding"] is True
    figures = record["figures"]
    assert figures["whole"] == figures["numpy_whole"] == 3 and figures["number"] == figures["numpy_number"] == 0.5
    assert figures["yes"] is True and figures["word"] == "A" and figures["numbers"] == [0.25, 1.0]
    assert figures["array"] == [[1.0, 2.0]] and figures["tensor"] == [1.0, 2.0]
    assert figures["interval"]["low"] == INTERVAL.low and figures["interval"]["kind"] == "t over seeds"


@pytest.mark.parametrize("figure, wanted", [(np.bool_(True), True), (torch.tensor(0.5), 0.5), (np.array(2), 2)])
def test_a_single_number_of_numpy_or_torch_is_a_figure_like_any_other(figure, wanted):
    check("A claim", True, figure=figure)
    assert json.loads(json.dumps(session_report()))["checks"][0]["figures"]["figure"] == wanted


def test_provenance_is_that_of_the_data_or_of_everything_loaded_so_far():
    assert provenance_of() == "none"
    note_source("breast", "twin")
    assert provenance_of() == "twin"
    note_source("wisconsin", "real")
    assert provenance_of() == "mixed"
    assert provenance_of(Data("twin")) == "twin"
    assert provenance_of([Data("real"), Data("real")]) == "real"
    assert provenance_of((Data("real"), Data("own"))) == "mixed"


def test_loading_a_name_again_replaces_where_it_came_from():
    note_source("breast", "twin")
    note_source("breast", "real")
    assert provenance_of() == "real"


# --- weights ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "on", ["twin/phantoms", "real/ImageNet", ("real/ImageNet", "twin/phantoms"), "twin", "phantoms"]
)
@pytest.mark.parametrize("data, weights", [("twin", "phantoms"), ("real", "phantoms"), ("real", "ImageNet"),
                                           ("twin", "random"), ("own", "stand-in")])  # fmt: skip
def test_a_claim_that_rests_on_weights_binds_only_for_its_data_with_its_weights(on, data, weights, capsys):
    where = f"{data}/{weights}"
    claim = lambda: check("It helps", False, on=on, data=Data(data), weights=Data(weights), gain=-0.1)  # noqa: E731
    binding = where in ([on] if isinstance(on, str) else on)
    if binding:
        with pytest.raises(AssertionError, match=rf"✗ It helps: gain: -0\.1 \(data: {where}\)"):
            claim()
    else:
        claim()
        assert capsys.readouterr().out.startswith(f"○ measured here, on {where} data, this does not hold: It helps")
    record = checks._records[-1]
    assert (record["passed"], record["binding"], record["data"]) == (False, binding, where)
    assert "weights" not in record["figures"]


def test_an_invariant_of_weights_raises_whatever_they_are():
    with pytest.raises(AssertionError, match=r"data: none/random"):
        check("Nothing moved", False, weights=Data("random"), moved=1)


def test_the_report_names_the_weights_apart_from_the_data():
    """Weights from phantoms do not make real data "mixed"; a network loaded again replaces where it came from."""
    note_source("breast", "real")
    note_weights("vgg16", "random")
    note_weights("vgg16", "phantoms")
    note_weights("resnet", "ImageNet")
    report = session_report()
    assert report["weights"] == {"vgg16": "phantoms", "resnet": "ImageNet"}
    assert report["sources"] == {"breast": "real"} and report["data"] == "real"


# --- grade -----------------------------------------------------------------------------------------------------------


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
        patch.setattr(checks, "_sources", {})
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


NONSENSE = [None, "a word", "0.5 ", [], [1, "a"], {}, {"a": 1}, float("nan"), float("inf"), np.zeros((2, 3)), len,
            object(), torch.zeros(3), torch.ones(2, requires_grad=True), lambda *_: None, lambda *_: "text", int,
            wants_one_argument, misspelt, divides]  # fmt: skip


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
    ("00.1", 100 / 3, "33.3333 is too large"), ("00.3", 600, "600 is too small"), ("00.3", 0.05, "0.05 is too small"),
    ("01.3", 25, "right as a percentage; write it as a share between 0 and 1"),
    ("01.3", "1/4", "write the number itself, without quotes"), ("01.3", "0.25", "without quotes"),
    ("01.3", [1, 2], "the answer is one number, and this is of the type list"),
    ("01.3", float("nan"), "the answer is a finite number, and this is nan"),
    ("02.3", -1, "-1 is too small"),
    ("00.4", "2,4,6", "write the set of line numbers itself, without quotes"),
    ("00.4", {2, 3, 5}, "1 of your 3 lines are right"), ("00.4", {4}, "there are 3 bugs, and you named 1"),
    ("01.1", misspelt, "your function stopped with NameError: name 'misspelled' is not defined"),
    ("01.1", returns_none, "your function returns None: is a 'return' missing?"),
    ("01.1", lambda z, y: "text", "your function returns of the type str, not 5 numbers"),
    ("01.1", lambda z, y: (z - y).mean(), "your function returns one number, not 5 numbers"),
    ("01.1", lambda z, y: 3 * (1 / (1 + np.exp(-z)) - y), "where it should return 0.982, your function returns 2.946"),
    ("01.1", 0.5, "the answer is a function"),
    ("01.2", lambda b, s, h: (b - s) ** 2, "returns 3 numbers, not one number"),
]  # fmt: skip


@pytest.mark.parametrize("number, answer, told", TOLD)
@pytest.mark.filterwarnings("error")
def test_an_answer_that_nobody_foresaw_is_told_what_it_is(number, answer, told, capsys):
    grade(number, answer)
    assert told in capsys.readouterr().out


def test_after_a_cell_that_failed_the_grade_says_that_it_is_about_an_older_answer(capsys):
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    try:
        shell.run_cell("import medtl_helpers as mtl; answer = 4\nmtl.grade('01.3', answer)")
        assert "older answer" not in capsys.readouterr().out
        shell.run_cell("answer = 1 / 0")
        shell.run_cell("mtl.grade('01.3', answer)")
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
        grade("01.3", answer)
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
    n = grading.EXERCISES["00.3"]().right
    assert 1.96 * (0.85 * 0.15 / n) ** 0.5 <= 0.02 < 1.96 * (0.85 * 0.15 / (n - 1)) ** 0.5


# --- blanks ----------------------------------------------------------------------------------------------------------

CELL = """import numpy as np
# BEGIN SOLUTION
half = 0.5
answer = half / 2
# END SOLUTION
mtl.grade("01.3", answer)"""


def test_a_solution_becomes_a_blank_for_the_last_name_it_sets():
    wanted = 'import numpy as np\n# your code here\nanswer = ...\nmtl.grade("01.3", answer)'
    assert exercises.blank(CELL) == wanted


def test_two_solutions_in_a_cell_become_two_blanks():
    blanked = exercises.blank(CELL + "\n" + CELL.replace("answer", "other"))
    assert blanked.count("...") == 2 and "other = ..." in blanked and "0.5" not in blanked


def test_a_cell_without_a_solution_stays_as_it_is():
    assert exercises.blank("x = 1\nprint(x)") == "x = 1\nprint(x)"


def test_a_solution_that_sets_no_name_is_refused():
    with pytest.raises(ValueError, match="must set a name at the left margin"):
        exercises.blank("# BEGIN SOLUTION\nprint(1)\n# END SOLUTION")


@pytest.mark.parametrize("cell", [CELL.replace("# END SOLUTION\n", ""), CELL.replace("# BEGIN", "  # BEGIN"),
                                  CELL.replace("# END SOLUTION", "# end solution")],
                         ids=["no end", "indented", "misspelt"])  # fmt: skip
def test_a_misplaced_mark_is_refused_rather_than_giving_the_solution_away(cell):
    with pytest.raises(ValueError, match="SOLUTION"):
        exercises.blank(cell)


def notebooks(folder):
    """A lesson and its solutions in ``folder``; the lesson has not been synchronised yet."""
    new = nbformat.v4
    lesson = new.new_notebook(cells=[
        new.new_markdown_cell("# Title"), new.new_markdown_cell("## Exercises"), new.new_code_cell("old = 1"),
        new.new_markdown_cell("## Key points"),
    ])  # fmt: skip
    tag = {"tags": ["exercise"]}
    solved = new.new_code_cell(CELL, metadata=tag, execution_count=4, outputs=[new.new_output("stream", text="✓")])
    solutions = new.new_notebook(cells=[
        new.new_code_cell("set_up = 1"), new.new_markdown_cell("### Exercise 1", metadata=tag), solved,
    ])  # fmt: skip
    (folder / "solutions").mkdir()
    nbformat.write(lesson, folder / "00_lesson.ipynb")
    nbformat.write(solutions, folder / "solutions" / "00_lesson.ipynb")
    return folder / "00_lesson.ipynb"


def test_sync_writes_the_blanks_between_exercises_and_key_points(tmp_path, capsys):
    path = notebooks(tmp_path)
    assert exercises.sync(tmp_path, check=True) == 1
    assert "00_lesson.ipynb: differ from their solutions" in capsys.readouterr().out
    assert exercises.sync(tmp_path) == 0 and exercises.sync(tmp_path, check=True) == 0
    cells = nbformat.read(path, as_version=4).cells
    assert [c.source.split("\n")[0] for c in cells] == [
        "# Title", "## Exercises", "### Exercise 1", "import numpy as np", "## Key points"
    ]  # fmt: skip
    assert "0.5" not in path.read_text("utf-8") and cells[3].outputs == [] and cells[3].execution_count is None
    solutions = nbformat.read(tmp_path / "solutions" / "00_lesson.ipynb", as_version=4)
    assert solutions.cells[2].source == CELL and solutions.cells[2].outputs  # left as it was


def test_a_check_writes_nothing(tmp_path):
    path = notebooks(tmp_path)
    before = path.read_bytes()
    exercises.sync(tmp_path, check=True)
    assert path.read_bytes() == before


def test_the_courses_own_lessons_agree_with_their_solutions_and_a_drift_is_seen(tmp_path, capsys):
    shutil.copytree(NOTEBOOKS, tmp_path / "notebooks")
    assert exercises.sync(tmp_path / "notebooks", check=True) == 0
    path = tmp_path / "notebooks" / "solutions" / "01_loss_formulation.ipynb"
    solutions = nbformat.read(path, as_version=4)
    cell = next(c for c in solutions.cells if "exercise" in c.metadata.get("tags", []))
    cell.source += "\nOne more sentence."
    nbformat.write(solutions, path)
    assert exercises.sync(tmp_path / "notebooks", check=True) == 1
    assert "01_loss_formulation.ipynb: differ" in capsys.readouterr().out


@pytest.mark.parametrize("headings", [["## Key points", "## Exercises"], ["## Exercises"], ["## Key points"]])
def test_a_lesson_without_the_two_headings_in_order_is_refused(headings):
    lesson = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(h) for h in headings])
    with pytest.raises(ValueError, match="begins with '## Exercises' and, after it, one with '## Key points'"):
        exercises.with_exercises(lesson, nbformat.v4.new_notebook())
