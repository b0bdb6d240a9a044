"""Every notebook runs with every cell twice in a row, and each claim says the same the second time.

Twice the course, so it is part of make test-all alone.
"""

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from medtl_helpers.teaching import run as course

FOLDER = Path(__file__).parents[1] / "notebooks"
# figures that a clock has a part in; and a file's size: Keras counts its layers' names on in a kernel
TIMED = ("second", "ratio", "times", "minute", "break even", "megabytes")

pytestmark = pytest.mark.slow


def claims(report: dict) -> dict[str, list]:
    """Claim -> each time that it was made: whether it held, and its figures without those of a clock."""
    found: dict[str, list] = {}
    for check in report["checks"]:
        figures = {name: value for name, value in check["figures"].items() if not any(word in name for word in TIMED)}
        found.setdefault(check["claim"], []).append((check["passed"], figures))
    return found


@pytest.mark.parametrize("path", course.notebooks(FOLDER), ids=lambda path: path.stem)
def test_each_cell_of_a_notebook_runs_again(path, monkeypatch):
    monkeypatch.setenv("MEDTL_HEADLESS", "1")
    client = NotebookClient(
        nbformat.read(path, as_version=4),
        timeout=1800,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )

    def execute(source):
        cell = nbformat.v4.new_code_cell(source)
        client.nb.cells.append(cell)
        client.execute_cell(cell, len(client.nb.cells) - 1)
        return "".join(output.text for output in cell.outputs if output.output_type == "stream")

    cells = [cell.source for cell in client.nb.cells if cell.cell_type == "code"]
    with client.setup_kernel():
        execute("import medtl_helpers")
        for cell in cells:
            execute(cell)
            execute(cell)
        made = claims(json.loads(execute(course.REPORT).splitlines()[-1]))
    assert made and {claim: len(times) for claim, times in made.items() if len(times) != 2} == {}
    assert {claim: times for claim, times in made.items() if times[0] != times[1]} == {}
