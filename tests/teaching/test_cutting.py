"""Blanks are cut from their solutions, and lessons cannot drift from them."""

import shutil
from pathlib import Path

import nbformat
import pytest

from medtl_helpers.teaching import cutting

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"

CELL = """import numpy as np
# BEGIN SOLUTION
half = 0.5
answer = half / 2
# END SOLUTION
mtl.grade("01.3", answer)"""


def test_a_solution_becomes_a_blank_for_the_last_name_it_sets():
    wanted = 'import numpy as np\n# your code here\nanswer = ...\nmtl.grade("01.3", answer)'
    assert cutting.blank(CELL) == wanted


def test_two_solutions_in_a_cell_become_two_blanks():
    blanked = cutting.blank(CELL + "\n" + CELL.replace("answer", "other"))
    assert blanked.count("...") == 2 and "other = ..." in blanked and "0.5" not in blanked


def test_a_cell_without_a_solution_stays_as_it_is():
    assert cutting.blank("x = 1\nprint(x)") == "x = 1\nprint(x)"


def test_a_solution_that_sets_no_name_is_refused():
    with pytest.raises(ValueError, match="must set a name at the left margin"):
        cutting.blank("# BEGIN SOLUTION\nprint(1)\n# END SOLUTION")


@pytest.mark.parametrize(
    "cell",
    [
        CELL.replace("# END SOLUTION\n", ""),
        CELL.replace("# BEGIN", "  # BEGIN"),
        CELL.replace("# END SOLUTION", "# end solution"),
    ],
    ids=["no end", "indented", "misspelt"],
)
def test_a_misplaced_mark_is_refused_rather_than_giving_the_solution_away(cell):
    with pytest.raises(ValueError, match="SOLUTION"):
        cutting.blank(cell)


def notebooks(folder):
    """A lesson and its solutions in ``folder``; the lesson has not been synchronised yet."""
    new = nbformat.v4
    lesson = new.new_notebook(
        cells=[
            new.new_markdown_cell("# Title"),
            new.new_markdown_cell("## Exercises"),
            new.new_code_cell("old = 1"),
            new.new_markdown_cell("## Key points"),
        ]
    )
    tag = {"tags": ["exercise"]}
    solved = new.new_code_cell(CELL, metadata=tag, execution_count=4, outputs=[new.new_output("stream", text="✓")])
    solutions = new.new_notebook(
        cells=[
            new.new_code_cell("set_up = 1"),
            new.new_markdown_cell("### Exercise 1", metadata=tag),
            solved,
        ]
    )
    (folder / "solutions").mkdir()
    nbformat.write(lesson, folder / "00_lesson.ipynb")
    nbformat.write(solutions, folder / "solutions" / "00_lesson.ipynb")
    return folder / "00_lesson.ipynb"


def test_sync_writes_the_blanks_between_exercises_and_key_points(tmp_path, capsys):
    path = notebooks(tmp_path)
    assert cutting.sync(tmp_path, check=True) == 1
    assert "00_lesson.ipynb: differ from their solutions" in capsys.readouterr().out
    assert cutting.sync(tmp_path) == 0 and cutting.sync(tmp_path, check=True) == 0
    cells = nbformat.read(path, as_version=4).cells
    assert [c.source.split("\n")[0] for c in cells] == [
        "# Title",
        "## Exercises",
        "### Exercise 1",
        "import numpy as np",
        "## Key points",
    ]
    assert "0.5" not in path.read_text("utf-8") and cells[3].outputs == [] and cells[3].execution_count is None
    solutions = nbformat.read(tmp_path / "solutions" / "00_lesson.ipynb", as_version=4)
    assert solutions.cells[2].source == CELL and solutions.cells[2].outputs  # left as it was


def test_a_check_writes_nothing(tmp_path):
    path = notebooks(tmp_path)
    before = path.read_bytes()
    cutting.sync(tmp_path, check=True)
    assert path.read_bytes() == before


def test_the_courses_own_lessons_agree_with_their_solutions_and_a_drift_is_seen(tmp_path, capsys):
    shutil.copytree(NOTEBOOKS, tmp_path / "notebooks")
    assert cutting.sync(tmp_path / "notebooks", check=True) == 0
    path = tmp_path / "notebooks" / "solutions" / "01_loss_formulation.ipynb"
    solutions = nbformat.read(path, as_version=4)
    cell = next(c for c in solutions.cells if "exercise" in c.metadata.get("tags", []))
    cell.source += "\nOne more sentence."
    nbformat.write(solutions, path)
    assert cutting.sync(tmp_path / "notebooks", check=True) == 1
    assert "01_loss_formulation.ipynb: differ" in capsys.readouterr().out


@pytest.mark.parametrize("headings", [["## Key points", "## Exercises"], ["## Exercises"], ["## Key points"]])
def test_a_lesson_without_the_two_headings_in_order_is_refused(headings):
    lesson = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(h) for h in headings])
    with pytest.raises(ValueError, match="begins with '## Exercises' and, after it, one with '## Key points'"):
        cutting.with_exercises(lesson, nbformat.v4.new_notebook())
