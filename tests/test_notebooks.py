"""What must hold for every notebook before it is even executed (nbval executes them: see pyproject.toml)."""

import ast
from pathlib import Path

import nbformat
import pytest

from medtl_helpers.teaching.course_map import LESSONS, number_of
from medtl_helpers.teaching.cutting import END, START, sync

FOLDER = Path(__file__).parent.parent / "notebooks"
MOST_CELLS = 60
# what a lesson trains with, by the numbers of the lessons that show it in a cell of at most 15 lines
SHOWN = {
    "mtl.L2SP": "01",
    "mtl.EWC": "01",
    "mtl.SourceReplay": "01",
    "mtl.FeatureDistillation": "01",
    "mtl.probe": "02",
    "mtl.fine_tune": "02",
    "mtl.lp_ft": "02",
    "mtl.gradual_unfreeze": "02",
    "mtl.lora": "02",
    "mtl.merge": "02",
    "mtl.bitfit": "02",
    "mtl.adapt_batch_norm": "04",
    "mtl.DANN": "05",
    "mtl.tent": "08",
    "mtl.fit_aligned": "08",
    "mtl.CollapseWatch": "08",
    "mtl.fit_masks": "12",
}
LESSON_PATHS = sorted(FOLDER.glob("*.ipynb"))
SOLUTION_PATHS = sorted((FOLDER / "solutions").glob("*.ipynb"))


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def calls(source, name):
    """All calls of ``name`` (like "mtl.check") in some code."""
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [call for call in found if ast.unparse(call.func) == name]


def test_lessons_and_files_are_the_same_list():
    assert [path.stem for path in LESSON_PATHS] == list(LESSONS)


@pytest.mark.parametrize("path", LESSON_PATHS + SOLUTION_PATHS, ids=lambda p: "/".join(p.parts[-2:]))
def test_notebook_is_stored_clean(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert "Not for diagnosis" in notebook.cells[0].source
    for cell in code_cells(path):
        assert cell.outputs == [] and cell.execution_count is None
        assert not {"raises-exception", "nbval-skip"} & set(cell.metadata.get("tags", []))
        assert "NBVAL" not in cell.source
        assert len(cell.source.splitlines()) <= 25, f"a cell to take apart: {cell.source[:60]}"


@pytest.mark.parametrize("path", LESSON_PATHS, ids=lambda p: p.stem)
def test_lesson_begins_and_ends_as_all_lessons_do(path):
    cells = nbformat.read(path, as_version=4).cells
    assert f'mtl.begin("{path.stem}")' in code_cells(path)[0].source
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    for heading in ("After", START, END, "## Pitfalls", "## References"):
        assert heading in text, f"{path.name} lacks {heading}"


@pytest.mark.parametrize("path", LESSON_PATHS, ids=lambda p: p.stem)
def test_a_lesson_is_short_enough_to_read_in_one_sitting(path):
    assert len(nbformat.read(path, as_version=4).cells) <= MOST_CELLS


@pytest.mark.parametrize("path", LESSON_PATHS, ids=lambda p: p.stem)
def test_every_check_rests_on_something_computed(path):
    checks = [call for cell in code_cells(path) for call in calls(cell.source, "mtl.check")]
    assert checks, "a lesson without a check"
    for call in checks:
        condition = call.args[1]
        names = [node for node in ast.walk(condition) if isinstance(node, ast.Name)]
        assert names, f"a literal condition: {ast.unparse(call)[:80]}"
        figures = {keyword.arg for keyword in call.keywords} - {"on", "data", "weights", "record", "headline"}
        assert figures or len(call.args) == 3, f"no figure behind: {ast.unparse(call)[:80]}"


@pytest.mark.parametrize("path", LESSON_PATHS, ids=lambda p: p.stem)
def test_the_code_of_checks_is_folded_and_nothing_else_is(path):
    """By the tag for the book, and by ``source_hidden`` for JupyterLab; a click opens both."""
    for cell in code_cells(path):
        is_check = bool(calls(cell.source, "mtl.check"))
        assert ("hide-input" in cell.metadata.get("tags", [])) == is_check, cell.source[:60]
        assert cell.metadata.get("jupyter", {}).get("source_hidden", False) == is_check, cell.source[:60]


@pytest.mark.parametrize("name", SHOWN)
def test_a_public_method_is_called_in_a_short_visible_cell(name):
    (path,) = [path for path in LESSON_PATHS if number_of(path.stem) == SHOWN[name]]
    shown = [
        cell
        for cell in code_cells(path)
        if calls(cell.source, name)
        and "hide-input" not in cell.metadata.get("tags", [])
        and len(cell.source.splitlines()) <= 15
    ]
    assert shown, f"{path.name} nowhere calls {name} in a visible cell of at most 15 lines"


@pytest.mark.parametrize("path", LESSON_PATHS, ids=lambda p: p.stem)
def test_every_figure_goes_through_show_and_so_has_an_alt_text(path):
    for cell in code_cells(path):
        drawn, shown = calls(cell.source, "plt.subplots"), calls(cell.source, "mtl.show")
        assert len(drawn) == len(shown) and not calls(cell.source, "plt.show"), cell.source[:60]


@pytest.mark.parametrize("path", LESSON_PATHS, ids=lambda p: p.stem)
def test_every_slider_has_its_static_twin_in_the_next_cell(path):
    cells = code_cells(path)
    for i, cell in enumerate(cells):
        if calls(cell.source, "mtl.slider"):
            assert "show" in cells[i + 1].source


def test_exercises_agree_with_their_solutions():
    assert sync(FOLDER, check=True) == 0
