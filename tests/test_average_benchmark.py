"""The records of ``benchmarks/folder_average.py`` and ``folder_defaults.py``: each was written down before, and its
verdicts follow from its rows.
"""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

import medtl_helpers as mtl

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module", params=["folder_average", "folder_defaults"])
def name(request):
    return request.param


@pytest.fixture(scope="module")
def benchmark(name):
    known = set(sys.modules)
    sys.path.insert(0, str(BENCHMARKS))
    try:
        spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(BENCHMARKS))
        for one in set(sys.modules) - known:
            if Path(getattr(sys.modules[one], "__file__", None) or "").parent == BENCHMARKS:
                del sys.modules[one]


@pytest.fixture(scope="module")
def about(name):
    return mtl.recorded(name)


def test_the_comparison_was_written_down_before_the_record_was_made(name, about):
    def git(*asked):
        return subprocess.run(["git", *asked], capture_output=True, text=True, cwd=BENCHMARKS)

    if git("cat-file", "-e", about["written"]).returncode:
        pytest.skip("This is no checkout, or a shallow one.")
    assert "Written down before" in git("show", f"{about['written']}:benchmarks/{name}.py").stdout
    assert git("merge-base", "--is-ancestor", about["written"], about["commit"]).returncode == 0
    assert git("cat-file", "-e", f"{about['written']}:benchmarks/results/{name}.json").returncode
    if second := about.get("second try written"):  # with more tasks, of which the record of then knows nothing
        assert "A second try" in git("show", f"{second}:benchmarks/{name}.py").stdout
        before = json.loads(git("show", f"{second}:benchmarks/results/{name}.json").stdout)
        assert before["tasks"] == about["the first tasks"] and len(about["tasks"]) > len(before["tasks"])


def test_the_record_is_of_these_tasks_and_seeds(benchmark, about):
    assert about["tasks"] == list(benchmark.TASKS) and about["seeds"] == list(benchmark.SEEDS)
    assert about["margin"] == benchmark.MARGIN and about["nominal minutes"] == benchmark.MINUTES
    assert about["fixed ways"] == {name: str(way) for name, way in benchmark.FIXED.items()}


def test_the_verdicts_follow_from_the_rows(name, benchmark, about):
    record = mtl.Record(name)
    others = {one["theirs"] for one in about["compared"]}
    assert others > set(benchmark.FIXED)
    found = [one for one in about["compared"] if one["task"] in benchmark.TASKS]
    assert len(found) == len(benchmark.TASKS) * len(others)
    for one in found:
        ours, theirs = (record.scores(one[who], "auroc", task=one["task"]) for who in ("ours", "theirs"))
        assert one["value"] == pytest.approx((ours - theirs).mean(), abs=2e-4)
        assert one["verdict"] == sys.modules["search_parts"].verdict(one["low"], one["high"], about["margin"])
    assert about["level or better on"] == sys.modules["search_parts"].level_on(
        about["compared"], benchmark.TASKS, benchmark.FIXED
    )


def test_a_task_counts_only_where_it_is_level_with_both_fixed_ways(benchmark):
    (first, second), (a, b, c, *_) = benchmark.FIXED, benchmark.TASKS

    def one(task, theirs, verdict):
        return {"task": task, "theirs": theirs, "verdict": verdict}

    compared = [
        one(a, first, "better"), one(a, second, "level or better"),
        one(b, first, "level or better"), one(b, second, "undecided"),
        one(c, first, "worse"), one(c, second, "better"),
    ]  # fmt: skip
    assert sys.modules["search_parts"].level_on(compared, benchmark.TASKS, benchmark.FIXED) == [a]
