"""The record of ``benchmarks/folder_average.py``: written down before, and its verdicts follow from its rows."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import medtl_helpers as mtl

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def benchmark():
    known = set(sys.modules)
    sys.path.insert(0, str(BENCHMARKS))
    try:
        spec = importlib.util.spec_from_file_location("folder_average", BENCHMARKS / "folder_average.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(BENCHMARKS))
        for name in set(sys.modules) - known:
            if Path(getattr(sys.modules[name], "__file__", None) or "").parent == BENCHMARKS:
                del sys.modules[name]


@pytest.fixture(scope="module")
def about():
    return mtl.recorded("folder_average")


def test_the_comparison_was_written_down_before_the_record_was_made(about):
    def git(*asked):
        return subprocess.run(["git", *asked], capture_output=True, text=True, cwd=BENCHMARKS)

    if git("cat-file", "-e", about["written"]).returncode:
        pytest.skip("This is no checkout, or a shallow one.")
    assert "Written down before" in git("show", f"{about['written']}:benchmarks/folder_average.py").stdout
    assert git("merge-base", "--is-ancestor", about["written"], about["commit"]).returncode == 0
    assert git("cat-file", "-e", f"{about['written']}:benchmarks/results/folder_average.json").returncode


def test_the_record_is_of_these_tasks_and_seeds(benchmark, about):
    assert about["tasks"] == list(benchmark.TASKS) and about["seeds"] == list(benchmark.SEEDS)
    assert about["margin"] == benchmark.MARGIN and about["nominal minutes"] == benchmark.MINUTES
    assert about["fixed ways"] == {name: str(way) for name, way in benchmark.FIXED.items()}


def test_the_verdicts_follow_from_the_rows(benchmark, about):
    record = mtl.Record("folder_average")
    found = [one for one in about["compared"] if one["task"] in benchmark.TASKS]
    assert len(found) == len(benchmark.TASKS) * (len(benchmark.FIXED) + 1)
    for one in found:
        ours, theirs = (record.scores(one[who], "auroc", task=one["task"]) for who in ("ours", "theirs"))
        assert one["value"] == pytest.approx((ours - theirs).mean(), abs=2e-4)
        assert one["verdict"] == benchmark.verdict(one["low"], one["high"])
    assert about["level or better on"] == benchmark.level_on(about["compared"])


def test_a_task_counts_only_where_it_is_level_with_both_fixed_ways(benchmark):
    first, second = benchmark.FIXED

    def one(task, theirs, verdict):
        return {"task": task, "theirs": theirs, "verdict": verdict}

    compared = [
        one("drawn CT", first, "better"), one("drawn CT", second, "level or better"),
        one("drawn T2", first, "level or better"), one("drawn T2", second, "undecided"),
        one("drawn cells", first, "worse"), one("drawn cells", second, "better"),
    ]  # fmt: skip
    assert benchmark.level_on(compared) == ["drawn CT"]
