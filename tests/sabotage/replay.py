"""Execute a lesson with one line changed, and see whether the claim that should notice fails.

A row names the claim, what stands in the notebook, what breaks it, and the headings of the cells that are needed. All
runs are on twins, so that they are the same everywhere. There are two ways to run a row:

``replay``: the lesson runs, as it is, in a process of its own; just before a cell that some row changes, that process
forks, and the copy goes on with the changed cell up to the claim. So a prefix that a hundred rows share is computed
once. That process executes each cell twice in a row, as a reader may, and each claim must say the same both times.

``run_until``: for a claim that is read from a record: nothing is trained, and the few cells run here and now.
"""

import json
import os
import re
import subprocess
import sys
import traceback
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
SECONDS = 2400  # for one lesson with all its rows and each cell twice, on a busy machine
CAUGHT = "the claim failed"
AGAIN = "each cell, executed twice in a row"  # where the outcomes tell of that
# figures that a clock has a part in; and a file's size: Keras counts its layers' names on in a process
TIMED = ("second", "ratio", "times", "minute", "break even", "megabytes")


class Sabotage(NamedTuple):
    """One way to break a lesson: in the cells under ``sections``, ``old`` becomes ``new``, and ``claim`` must fail."""

    claim: str
    old: str
    new: str
    sections: tuple[str, ...]
    recorded: bool = False  # the claim is read from a record: no cell that trains is needed


def code_cells(notebook: str) -> list[tuple[str, str]]:
    """(heading, source) of the code cells; the cells before the first heading stand under ``"imports"``."""
    found, heading = [], "imports"
    for cell in nbformat.read(NOTEBOOKS / f"{notebook}.ipynb", as_version=4).cells:
        if cell.cell_type == "markdown":
            titles = re.findall(r"^#{2,3} (.*)$", cell.source, re.MULTILINE)
            heading = titles[-1] if titles else heading
        else:
            found.append((heading, cell.source))
    return found


def needed(row: Sabotage, cells: list[tuple[str, str]]) -> tuple[list[int], int]:
    """The numbers of the cells that ``row`` needs, up to that of its claim, and the first that it changes."""
    chosen = [k for k, (heading, _) in enumerate(cells) if heading == "imports" or heading.startswith(row.sections)]
    claims = [k for k in chosen if row.claim in cells[k][1]]
    if not claims:
        raise LookupError(f"no cell makes the claim {row.claim!r} under these headings: adapt the row to the notebook")
    chosen = [k for k in chosen if k <= claims[0]]
    changed = [k for k in chosen if row.old in cells[k][1]]
    if not changed:
        raise LookupError(f"{row.old!r} stands nowhere before {row.claim!r}: adapt the row to the notebook")
    return chosen, changed[0]


def run_cells(row: Sabotage, sources: list[str], namespace: dict) -> dict:
    """Execute ``sources`` in ``namespace``, each with ``old`` replaced by ``new``, and no figure shown."""
    from medtl_helpers.teaching.plots import not_shown

    for source in sources:
        with not_shown():
            exec(source.replace(row.old, row.new), namespace)
    return namespace


def run_until(notebook: str, row: Sabotage) -> dict:
    """Execute the cells that ``row`` needs, changed, in this process; returns the notebook's names at that point."""
    cells = code_cells(notebook)
    return run_cells(row, [cells[k][1] for k in needed(row, cells)[0]], {})


def replay(notebook: str, rows: list[Sabotage]) -> dict[str, str]:
    """For each row, by claim and new text: ``CAUGHT``, or what happened instead; ``AGAIN``: the claims that changed."""
    environment = os.environ | {
        "MEDTL_DATA": "twin",
        "MEDTL_HEADLESS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        "MPLBACKEND": "agg",
    }
    environment.pop("MEDTL_VGG16", None)
    command = [sys.executable, __file__, notebook]
    done = subprocess.run(
        command, input=json.dumps(rows), env=environment, capture_output=True, text=True, timeout=SECONDS, cwd=NOTEBOOKS
    )
    assert done.returncode == 0, f"{notebook} itself failed:\n{done.stderr[-3000:]}"
    return json.loads(done.stdout.splitlines()[-1])


def key(row: Sabotage) -> str:
    return f"{row.claim} | {row.new}"


def run_lesson(notebook: str, rows: list[Sabotage]) -> dict[str, str]:
    """What ``replay`` does, in the process that it started."""
    import medtl_helpers as mtl

    cells, results, namespace = code_cells(notebook), {}, {}
    plans = [(row, *needed(row, cells)) for row in rows]
    for k, (_, source) in enumerate(cells):
        for row, chosen, changed in plans:
            if changed == k:
                rest = [cells[at][1] for at in chosen if at >= k]
                results[key(row)] = in_a_copy(row, rest, namespace)
        run_cells(Sabotage("", "\0", "", ()), [source, source], namespace)
    return results | {AGAIN: changed_claims(mtl.session_report()["checks"])}


def changed_claims(checks: list[dict]) -> str:
    """The claims that did not say the same twice: whether they held, and their figures but for those of a clock."""
    made: dict[str, list] = {}
    for check in checks:
        figures = {name: value for name, value in check["figures"].items() if not any(word in name for word in TIMED)}
        made.setdefault(check["claim"], []).append((check["passed"], figures))
    assert made, "no claim was made"
    changed = {claim: times for claim, times in made.items() if len(times) != 2 or times[0] != times[1]}
    return json.dumps(changed, indent=1) if changed else ""


def in_a_copy(row: Sabotage, sources: list[str], namespace: dict) -> str:
    """Fork; the copy executes the changed cells and says what came of it."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        try:
            run_cells(row, sources, namespace)
            said = "the claim still held"
        except AssertionError as error:
            said = (
                CAUGHT
                if "✗" in str(error) and row.claim.partition("{")[0] in str(error)
                else f"AssertionError: {error}"
            )
        except BaseException:
            said = traceback.format_exc()[-1500:]
        os.write(writing, said.encode()[:60_000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    os.waitpid(process, 0)
    return said or "the copy died"


def broken(notebook: str, rows: list[Sabotage]):
    """A fixture and three tests of a lesson: its live claims, its recorded ones, and each cell twice in a row."""

    @pytest.fixture(scope="module")
    def outcomes():
        if not hasattr(os, "fork"):
            pytest.skip("this system cannot copy a process (fork)")
        return replay(notebook, [row for row in rows if not row.recorded])

    @pytest.mark.slow
    @pytest.mark.parametrize("row", [row for row in rows if not row.recorded], ids=lambda row: row.claim)
    def live(row, outcomes):
        assert outcomes[key(row)] == CAUGHT

    @pytest.mark.parametrize("row", [row for row in rows if row.recorded], ids=lambda row: row.claim)
    def on_records(row, monkeypatch):
        monkeypatch.setenv("MEDTL_DATA", "twin")
        monkeypatch.delenv("MEDTL_VGG16", raising=False)
        with pytest.raises(AssertionError, match="✗"):
            run_until(notebook, row)

    @pytest.mark.slow
    def again(outcomes):
        assert outcomes[AGAIN] == ""

    return outcomes, live, on_records, again


if __name__ == "__main__":
    asked = [
        Sabotage(claim, old, new, tuple(sections), recorded)
        for claim, old, new, sections, recorded in json.loads(sys.stdin.read())
    ]
    out, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps(run_lesson(sys.argv[1], asked)), file=out)
