"""Every notebook runs again in the same kernel: top to bottom once more, and with every cell twice in a row.

Three times the course, so it is part of make test-all alone.
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
FORGET = "from medtl_helpers.teaching import claims as _claims; _claims._records.clear()"

pytestmark = pytest.mark.slow


def claims(report: dict) -> dict[str, tuple]:
    """Claim -> whether it holds, and its figures without those of a clock."""
    return {
        check["claim"]: (
            check["passed"],
            {name: value for name, value in check["figures"].items() if not any(word in name for word in TIMED)},
        )
        for check in report["checks"]
    }


@pytest.mark.parametrize(
    "path",  # each in a group of its own, so that the workers share them
    [pytest.param(path, id=path.stem, marks=pytest.mark.xdist_group(path.stem)) for path in course.notebooks(FOLDER)],
)
def test_a_notebook_runs_again_in_the_same_kernel(path, monkeypatch):
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

    def top_to_bottom(times):
        """Execute each cell so many times in a row; returns the claims, which are those of the last time."""
        execute(FORGET)
        for cell in cells:
            for _ in range(times):
                execute(cell)
        return claims(json.loads(execute(course.REPORT).splitlines()[-1]))

    cells = [cell.source for cell in client.nb.cells if cell.cell_type == "code"]
    with client.setup_kernel():
        execute("import medtl_helpers")
        first, again = top_to_bottom(1), top_to_bottom(2)
    assert first and first.keys() == again.keys()
    assert {claim: (first[claim], again[claim]) for claim in first if first[claim] != again[claim]} == {}
