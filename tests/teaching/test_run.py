"""``make run`` on small notebooks: what it writes, what it prints, and how it fails."""

import json

import nbformat
import pytest

from medtl_helpers.teaching.run import headlines, run

GOOD = [
    "import medtl_helpers as mtl\ntask = mtl.load('heart', site='va')",
    "n = len(task.all_rows.y)\nmtl.check('The VA has patients', n > 0, patients=n)",
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")

    def write(**notebooks):
        for name, cells in notebooks.items():
            notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
            nbformat.write(notebook, tmp_path / f"{name.replace('nb', '')}.ipynb")
        return tmp_path

    return write


@pytest.mark.slow
def test_a_run_writes_summary_checks_and_executed_copies(folder, tmp_path, capsys):
    assert run(folder(nb07_good=GOOD), tmp_path / "out") == 0
    (row,) = json.loads((tmp_path / "out/summary.json").read_text())
    assert row["notebook"] == "07_good" and row["ok"] and row["seconds"] > 0 and row["peak_mb"] > 50
    assert row["data"] == "twin" and row["sources"] == {"heart:va": "twin"} and row["device"]
    (check,) = json.loads((tmp_path / "out/checks.json").read_text())
    assert check["notebook"] == "07_good" and check["claim"] == "The VA has patients" and check["passed"]
    assert check["figures"] == {"patients": 200}
    executed = nbformat.read(tmp_path / "out/notebooks/07_good.ipynb", as_version=4)
    assert len(executed.cells) == 2 and executed.cells[1].outputs
    printed = capsys.readouterr().out
    assert "The VA has patients" in printed and "Next: make lab" in printed


def test_a_notebook_is_told_by_the_check_that_says_so_and_else_by_its_last():
    checks = [{"notebook": "01", "claim": claim, "headline": claim == "main"} for claim in ("first", "main", "last")]
    checks.append({"notebook": "02", "claim": "only", "headline": False})
    assert [check["claim"] for check in headlines(checks)] == ["main", "only"]


@pytest.mark.slow
def test_a_failing_notebook_fails_the_run_but_not_the_others(folder, tmp_path, capsys):
    bad = [*GOOD, "mtl.check('Pigs fly', n < 0, n=n)", "print('never reached')"]
    assert run(folder(nb07_bad=bad, nb08_good=GOOD), tmp_path / "out") == 1
    rows = json.loads((tmp_path / "out/summary.json").read_text())
    assert [row["ok"] for row in rows] == [False, True]
    checks = json.loads((tmp_path / "out/checks.json").read_text())
    assert [check["passed"] for check in checks] == [True, False, True]
    assert "Pigs fly" in capsys.readouterr().out


@pytest.mark.slow
def test_a_warning_is_shown_and_fails_a_strict_run(folder, tmp_path, capsys):
    lessons = folder(nb07_good=[*GOOD, "import warnings\nwarnings.warn('old function')"])
    assert run(lessons, tmp_path / "out") == 0
    assert "07_good shows a warning" in capsys.readouterr().out
    assert run(lessons, tmp_path / "out", strict=True, reuse=True) == 1
    assert "UserWarning: old function" in capsys.readouterr().out


def test_a_kernel_that_dies_is_a_failure(folder, tmp_path):
    assert run(folder(nb07_dies=["import os\nos._exit(1)"]), tmp_path / "out") == 1
    (row,) = json.loads((tmp_path / "out/summary.json").read_text())
    assert not row["ok"] and "died" in row["error"].lower()


@pytest.mark.slow
def test_required_real_data_may_not_fall_back_to_the_twin(folder, tmp_path, capsys):
    assert run(folder(nb07_good=GOOD), tmp_path / "out", require_real=["heart"]) == 1
    assert "used the twin of heart:va, and the real one was required" in capsys.readouterr().out


@pytest.mark.slow
def test_an_executed_copy_is_reused_until_something_changes(folder, tmp_path, monkeypatch, capsys):
    out, copy = tmp_path / "out", tmp_path / "out/notebooks/07_good.ipynb"
    assert run(folder(nb07_good=GOOD), out) == 0
    first = copy.stat().st_mtime_ns
    assert run(tmp_path, out, reuse=True) == 0 and copy.stat().st_mtime_ns == first
    assert "1 of them earlier" in capsys.readouterr().out
    (check,) = json.loads((out / "checks.json").read_text())
    assert check["claim"] == "The VA has patients"
    monkeypatch.setenv("MEDTL_VGG16", "other weights")
    assert run(tmp_path, out, reuse=True) == 0 and copy.stat().st_mtime_ns > first
    second = copy.stat().st_mtime_ns
    assert run(folder(nb07_good=[*GOOD, "1 + 1"]), out, reuse=True) == 0 and copy.stat().st_mtime_ns > second


@pytest.mark.slow
def test_a_failed_copy_is_never_reused(folder, tmp_path):
    once = "from pathlib import Path\nseen = Path('seen')\nfirst = not seen.exists()\nseen.touch()\nassert not first"
    assert run(folder(nb07_once=[once]), tmp_path / "out", reuse=True) == 1
    assert run(tmp_path, tmp_path / "out", reuse=True) == 0


def test_without_notebooks_it_says_so(tmp_path, capsys):
    assert run(tmp_path, tmp_path / "out") == 1
    assert "No notebooks found" in capsys.readouterr().out


@pytest.mark.slow
def test_recorded_times_keep_other_entries(folder, tmp_path):
    record = tmp_path / "timings.json"
    earlier = {"cuda, twin": 1.0}
    record.write_text(json.dumps({"machine": {}, "seconds": {"07_good": earlier}, "peak MB": {"07_good": earlier}}))
    assert run(folder(nb07_good=GOOD), tmp_path / "out", record=record) == 0
    written = json.loads(record.read_text())
    for what in ("seconds", "peak MB"):
        assert set(written[what]["07_good"]) == {"cuda, twin", "cpu, twin"}
    assert 50 < written["peak MB"]["07_good"]["cpu, twin"] < 5000
