"""What must hold for every notebook before it is even executed (nbval executes them: see pyproject.toml)."""

import ast
from pathlib import Path

import nbformat
import pytest

from medtl_helpers.exercises import END, START, sync
from medtl_helpers.lessons import LESSONS

FOLDER = Path(__file__).parent.parent / "notebooks"
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
def test_every_check_rests_on_something_computed(path):
    checks = [call for cell in code_cells(path) for call in calls(cell.source, "mtl.check")]
    assert checks, "a lesson without a check"
    for call in checks:
        condition = call.args[1]
        names = [node for node in ast.walk(condition) if isinstance(node, ast.Name)]
        assert names, f"a literal condition: {ast.unparse(call)[:80]}"
        figures = {keyword.arg for keyword in call.keywords} - {"on", "data"}
        assert figures, f"no figure behind: {ast.unparse(call)[:80]}"


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


@pytest.mark.parametrize("path", SOLUTION_PATHS, ids=lambda p: p.stem)
def test_solutions_pass_their_strict_checks(path, monkeypatch, capsys):
    monkeypatch.setenv("MEDTL_STRICT", "1")
    namespace = {}
    for cell in code_cells(path):
        exec(cell.source, namespace)
    graded = sum(len(calls(cell.source, "mtl.grade")) for cell in code_cells(path))
    assert graded >= 2 and capsys.readouterr().out.count(": right.") == graded


@pytest.mark.parametrize("path", SOLUTION_PATHS, ids=lambda p: p.stem)
def test_unsolved_exercises_fail_their_strict_checks_and_only_print_otherwise(path, monkeypatch, capsys):
    namespace, tried = {}, 0
    exec(code_cells(path)[0].source, namespace)  # the imports
    for cell in code_cells(FOLDER / path.name):
        if "exercise" not in cell.metadata.get("tags", []):
            continue
        if calls(cell.source, "mtl.grade"):
            monkeypatch.setenv("MEDTL_STRICT", "1")
            with pytest.raises(AssertionError, match=r"not yet: replace the \.\.\."):
                exec(cell.source, namespace)
            monkeypatch.delenv("MEDTL_STRICT")
            tried += 1
        exec(cell.source, namespace)
    assert tried >= 2 and capsys.readouterr().out.count("not yet") == tried


def test_show_refuses_a_figure_without_alt_text_and_passes_the_text_on(monkeypatch):
    import IPython.display
    import matplotlib.pyplot as plt

    import medtl_helpers as mtl

    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda forms, **more: shown.append((forms, more)))
    figure = plt.figure()
    with pytest.raises(ValueError, match="alt text"):
        mtl.show(figure, " ")
    mtl.show(figure, 'A "white" page.')
    ((forms, more),) = shown
    assert more == {"metadata": {"image/png": {"alt": 'A "white" page.'}}, "raw": True}  # what the book reads
    assert forms["text/html"].startswith('<img alt="A &quot;white&quot; page." src="data:image/png;base64,iVBOR')
    assert forms["image/png"] in forms["text/html"] and forms["text/plain"] == 'A "white" page.'
    assert not plt.fignum_exists(figure.number)  # closed, so that it is not drawn twice
