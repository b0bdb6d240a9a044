"""The benchmark of the command's search on folders: its protocol and record, and what it remembers changes nothing."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.methods import trials
from medtl_helpers.methods.all_stages import all_stages_regression
from medtl_helpers.methods.features import prefix_features, stage_features
from medtl_helpers.methods.freezing import freeze

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    """``benchmarks/folder_search.py`` as a module."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("folder_benchmark", BENCHMARKS / "folder_search.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for name in ("record", "search_parts"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def about():
    return mtl.recorded("folder_search")


def test_what_is_reported_had_no_part_in_making_it_up(benchmark, about):
    assert benchmark.GRID_SEED not in benchmark.SEEDS and about["tasks"] == list(benchmark.TASKS)
    assert about["seeds"] == list(benchmark.SEEDS) and about["margin"] == benchmark.MARGIN
    assert about["nominal minutes"] == benchmark.MINUTES


def test_the_comparison_was_written_down_before_the_record_was_made(about):
    def git(*asked):
        return subprocess.run(["git", *asked], capture_output=True, text=True, cwd=BENCHMARKS)

    if git("cat-file", "-e", about["written"]).returncode:
        pytest.skip("This is no checkout, or a shallow one.")
    assert "Written down before" in git("show", f"{about['written']}:benchmarks/folder_search.py").stdout
    assert git("merge-base", "--is-ancestor", about["written"], about["commit"]).returncode == 0
    assert git("cat-file", "-e", f"{about['written']}:benchmarks/results/folder_search.json").returncode


def test_the_fixed_way_is_the_best_on_the_other_tasks(benchmark, about):
    grid = about["grid"]
    chosen = {task: str(way) for task, way in benchmark.chosen(grid).items()}
    assert set(grid) == set(benchmark.TASKS) and chosen == about["fixed ways"]
    for left_out in benchmark.TASKS:
        mean = {way: np.mean([grid[task][way] for task in grid if task != left_out]) for way in grid[left_out]}
        assert max(mean, key=mean.get) == about["fixed ways"][left_out]


def test_the_differences_are_those_of_the_rows_and_their_verdicts_follow_from_the_margin(benchmark, about):
    record = mtl.Record("folder_search")
    found = [one for one in about["compared"] if one["task"] in benchmark.TASKS]
    assert len(found) == 3 * len(benchmark.TASKS)
    for one in found:
        ours, theirs = (record.scores(one[who], "auroc", task=one["task"]) for who in ("ours", "theirs"))
        assert one["value"] == pytest.approx((ours - theirs).mean(), abs=2e-4)
        assert one["level"] == pytest.approx(1 - 0.05 / len(benchmark.TASKS))
        assert one["verdict"] == sys.modules["search_parts"].verdict(one["low"], one["high"], about["margin"])
    level = [one for one in found if one["theirs"] == benchmark.FIXED and one["low"] > -about["margin"]]
    assert about["level or better on"] == len(level)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.021, 0.05, "better"),
        (-0.019, 0.05, "level or better"),
        (-0.021, 0.05, "undecided"),
        (-0.05, -0.019, "undecided"),
        (-0.05, -0.021, "worse"),
    ],
)
def test_a_verdict_is_the_margin_s(benchmark, low, high, said):
    assert sys.modules["search_parts"].verdict(low, high, benchmark.MARGIN) == said


@pytest.mark.parametrize("upto", [None, "stage2", "stage3", "all stages"])
def test_what_is_remembered_answers_as_the_network_does(benchmark, monkeypatch, upto):
    calls = []

    def counted(compute):
        return lambda model, x, **how: (calls.append(len(x)), compute(model, x, **how))[1]

    known = {}
    for compute, stages in ((stage_features, benchmark.all_stages), (prefix_features, benchmark.frozen_prefix)):
        monkeypatch.setattr(trials, compute.__name__, benchmark.remembering(counted(compute), known, stages))
    torch.manual_seed(0)
    x = torch.randint(0, 256, (9, 1, 16, 16)).byte()
    model = mtl.CourseCNN(1, 2, width=8)
    if upto == "all stages":
        model = all_stages_regression(model, stage_features(model, x), torch.arange(9) % 2, 2, 0.1)
    elif upto:
        freeze(model, upto=upto)
    torch.testing.assert_close(benchmark.answer(model, x), mtl.predict(model, x))
    torch.testing.assert_close(benchmark.answer(model, x.flip(0)), mtl.predict(model, x.flip(0)))
    assert sum(calls) == (0 if upto is None else 9)
    with torch.no_grad():
        next(model.stages.parameters()).add_(0.1)
    torch.testing.assert_close(benchmark.answer(model, x), mtl.predict(model, x))


def test_a_way_is_trained_to_the_last_rung_only_once(benchmark, monkeypatch):
    monkeypatch.setattr(benchmark.Remembered, "last", 2)
    monkeypatch.setattr(benchmark.Remembered, "kept", {})
    x = torch.randint(0, 256, (12, 1, 16, 16), generator=torch.Generator().manual_seed(0)).byte()
    task = mtl.ImageTask("tiny", *(mtl.Split(x, torch.arange(12) % 2) for _ in range(3)), ("a", "b"))
    _, _, plain, _ = benchmark.setting(task, 0, sources={"mine": mtl.CourseCNN(1, 2, width=8)}, minutes=0.02)
    runs = benchmark.Remembered(plain.train, plain.val, 2, plain.sources, plain.costs, seed=0, brake=plain.brake)
    way = benchmark.Way("mine", "probe", "head", 0.01)
    first = runs.run(way, 2)
    assert runs.run(way, 2) is first and runs.run(way, 1) is not runs.run(way, 1)
    assert torch.equal(first[1], plain.run(way, 2)[1])


@pytest.mark.slow
def test_a_task_is_split_as_the_command_splits_a_folder(benchmark):
    one, two = (benchmark.task_of("drawn patients", seed) for seed in (0, 1))
    assert torch.equal(one.test.x, two.test.x) and not torch.equal(one.val.x, two.val.x)
    assert len(one.train.y) + len(one.val.y) == benchmark.LABELLED and len(one.val.y) == pytest.approx(87, abs=3)
    assert one.train.x.shape[1:] == (1, 64, 64)
