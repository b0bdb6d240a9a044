"""The benchmark of the automatic search: its protocol, its intervals, and that nobody told the search about test."""

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.methods import trials
from medtl_helpers.methods.two_level import two_level

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    """``benchmarks/auto_transfer.py`` as a module."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("search_benchmark", BENCHMARKS / "auto_transfer.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for name in ("record", "search_parts"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def about():
    return mtl.recorded("auto_transfer")


def test_what_is_reported_had_no_part_in_making_it_up(benchmark, about):
    assert not set(benchmark.SEEDS) & set(benchmark.GRID_SEEDS) and len(benchmark.SEEDS) == 10
    assert not set(benchmark.DEVELOPMENT) & set(benchmark.HELD_OUT) and len(benchmark.HELD_OUT) == 3
    assert about["primary"] == benchmark.PRIMARY and about["seeds"] == list(benchmark.SEEDS)


def test_the_fixed_way_is_the_best_on_the_other_tasks(benchmark, about):
    grid = about["grid"]
    assert set(grid) == {*benchmark.DEVELOPMENT, *benchmark.HELD_OUT}
    for left_out, chosen in benchmark.FIXED_WAYS.items():
        others = [task for task in grid if task != left_out]
        mean = {way: np.mean([grid[task][way] for task in others]) for way in grid[left_out]}
        assert max(mean, key=mean.get) == str(chosen) == about["fixed ways"][left_out]


def test_means_over_tasks_are_those_of_the_rows_and_no_choice_beats_the_oracle(benchmark, about):
    record = mtl.Record("auto_transfer")
    for way in (benchmark.AUTO, benchmark.FIXED, benchmark.PROBE, benchmark.SMALL):
        parts = [record.scores(way, task=task, val=benchmark.N) for task in benchmark.HELD_OUT]
        np.testing.assert_allclose(
            record.scores(way, task=benchmark.ALL, val=benchmark.N), np.mean(parts, 0), atol=1e-4
        )
    for task in benchmark.HELD_OUT:
        chosen = record.scores(benchmark.AUTO, task=task, val=benchmark.N)
        oracle = record.scores(benchmark.ORACLE, task=task, val=benchmark.N)
        regret = record.scores(benchmark.ORACLE, "regret", task=task, val=benchmark.N)
        np.testing.assert_allclose(oracle - chosen[: len(oracle)], regret, atol=2e-4)
        assert (regret >= -1e-3).all()  # a network of the first rung may be chosen, which the oracle passes over
    value = np.mean([row["value"] for row in about["two_level"] if row["task"] in benchmark.HELD_OUT
                     and (row["ours"], row["theirs"]) == (benchmark.AUTO, benchmark.FIXED)])  # fmt: skip
    assert record.primary.value == pytest.approx(value, abs=2e-4)


def pairs_in_order(y, probability) -> float:
    """AUROC of two classes: the share of pairs in which the second class has the higher probability of it."""
    return float((probability[y == 1, 1][:, None] > probability[y == 0, 1]).mean())


def test_the_interval_of_one_task_is_that_of_two_level_and_of_more_tasks_narrower(benchmark, monkeypatch):
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    known = {}
    for task in "ab":
        for way, signal in (("ours", 1.0), ("theirs", 0.4)):
            for seed in benchmark.SEEDS:
                p = 1 / (1 + np.exp(-signal * (2 * y - 1) - rng.standard_normal(60)))
                both = np.stack([1 - p, p], 1)
                auroc = benchmark.search_parts.auroc(y, both)
                known[task, benchmark.N, seed, way] = {"probability": both.tolist(), "auroc": auroc}
    monkeypatch.setattr(benchmark, "answered", lambda: known)
    test = SimpleNamespace(test=SimpleNamespace(y=torch.tensor(y)))
    monkeypatch.setattr(benchmark, "task_of", lambda *_: test)
    one = benchmark.over_tasks("ours", "theirs", ["a"])
    answers = [np.array([known["a", benchmark.N, seed, way]["probability"] for seed in benchmark.SEEDS])
               for way in ("ours", "theirs")]  # fmt: skip
    expected = two_level(y, *answers, score=pairs_in_order, resamples=400)
    assert one["value"] == pytest.approx(expected.value, abs=1e-4)
    np.testing.assert_allclose([one["low"], one["high"]], [expected.low, expected.high], atol=0.02)
    both = benchmark.over_tasks("ours", "theirs", ["a", "b"])
    assert both["high"] - both["low"] < one["high"] - one["low"]


def test_the_search_is_the_same_whether_it_is_watched_or_not(benchmark, monkeypatch):
    def tiny(seed):
        x = torch.randint(0, 256, (12, 3, 12, 12), generator=torch.Generator().manual_seed(seed)).byte()
        return mtl.Split(x, torch.arange(12) % 2)

    task = mtl.ImageTask("tiny", tiny(0), tiny(1), tiny(2), ("a", "b"))
    monkeypatch.setattr(trials, "clock", lambda: 0.0)
    torch.manual_seed(0)
    how = {"sources": {"mine": mtl.CourseCNN(3, 2, width=8)}, "progress": False}
    alone = mtl.auto_transfer(task, 0.02, **how)
    monkeypatch.setattr(benchmark.search, "Trials", benchmark.Watched)
    monkeypatch.setattr(benchmark.Watched, "test", task.test)
    watched = mtl.auto_transfer(task, 0.02, **how)
    assert len(benchmark.Watched.seen) > 3
    assert json.dumps(watched.record()) == json.dumps(alone.record())


@pytest.mark.slow
def test_a_recorded_probe_comes_out_again(benchmark):
    task = benchmark.task_of("PneumoniaMNIST", 200)
    if task.provenance != "real":
        pytest.skip("The record is of the real data.")
    _, plan, runs, _ = benchmark.setting(task, 200)
    model, _ = runs.run(benchmark.Way(benchmark.SOURCES[0], "probe", "head", 1e-2), plan.rungs[-1])
    found = benchmark.search_parts.auroc(task.test.y.numpy(), mtl.predict(model, task.test.x).numpy())
    recorded = mtl.Record("auto_transfer").scores(benchmark.PROBE, task="PneumoniaMNIST", val=benchmark.N)[0]
    assert found == pytest.approx(recorded, abs=0.02)
