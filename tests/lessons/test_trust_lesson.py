"""The recorded benchmark of lesson 06: its protocol, one cell run again, and who may see labels of the second site."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.lessons.trust import experiment as trust
from medtl_helpers.methods.intervals import holm, t_test

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    """``benchmarks/trust.py`` as a module."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("trust_benchmark", BENCHMARKS / "trust.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop("record", None)


# --- the record ------------------------------------------------------------------------------------------------------


def test_settings_are_those_that_validation_patients_of_other_seeds_chose(benchmark):
    assert not set(benchmark.SEEDS["report"]) & set(benchmark.SEEDS["tuning"]) and len(benchmark.SEEDS["report"]) == 10
    record = mtl.Record("trust", stage="tuning")
    for way, how in trust.FEW.items():
        losses = {
            (rate, epochs): record.mean(way, rate=rate, epochs=epochs).value
            for rate, epochs in record.values("rate", "epochs", way=way)
        }
        assert len({rate for rate, _ in losses}) >= 3
        assert min(losses, key=losses.get) == (how["lr"], how["epochs"])
    losses = {lam: record.mean("slope and intercept", λ=lam).value for lam in benchmark.SHRINKAGES}
    assert min(losses, key=losses.get) == trust.SHRINKAGE


def test_the_record_has_all_seeds_of_every_row_and_its_primary_comparison(benchmark):
    record = mtl.Record("trust", stage="report")
    assert record.about["seeds"] == list(benchmark.SEEDS["report"])
    for row in record.about["rows"]:
        assert {len(values) for values in row["scores"].values()} == {len(row["seeds"])}
    assert set(record.values("kind")) == {*benchmark.KINDS, *benchmark.TABLES}
    where = {"kind": "sites", "site": "away"}
    ours = record.paired("slope and intercept", "untouched", "log loss", **where)
    assert record.about["primary"] == benchmark.PRIMARY_ABOUT and mtl.Record("trust").primary == ours and ours.n == 10


@pytest.mark.slow
def test_a_recorded_cell_comes_out_again(benchmark):
    """The split of one seed; another processor may round, and so train, a little otherwise."""
    record = mtl.Record("trust", stage="report", kind="split")
    for row in benchmark.compute("report", "split", 200):
        for score, value in row["scores"].items():
            assert value == pytest.approx(record.scores(row["way"], score)[0], abs=0.03), (row["way"], score)


def test_the_secondary_comparisons_are_those_of_the_docstring():
    found = trust.second_comparisons(mtl.Record("trust", stage="report"))
    assert len(found) == 7
    words = (BENCHMARKS / "trust.py").read_text("utf-8")
    for number in range(1, 8):
        assert f"\n{number}. " in words
    p = [one.p for name, one in found.items() if name != "auroc"]
    raw = [one.raw for name, one in found.items() if name != "auroc"]
    assert p == pytest.approx(holm(raw))
    one = found["prior alone"]
    record = mtl.Record("trust", stage="report", kind="sites", site="away")
    differences = record.scores("slope and intercept") - record.scores("prior alone")
    mean = differences.mean()
    assert one.interval.value == pytest.approx(mean)
    assert one.raw == pytest.approx(1.0 if abs(mean) <= 0.02 else t_test(differences, np.sign(mean) * 0.02))


# --- the measures ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small():
    """A cohort, one of the second site, and a network that was hardly trained."""
    home, away = mtl.draw_cohort(60, seed=1), mtl.draw_cohort(120, site="away", seed=1)
    return home, away, trust.trained(home, 1, epochs=1, lr=1e-3)


def test_a_patient_is_the_mean_of_the_logits_of_the_images(small):
    home, _, model = small
    found = trust.people(model, home)
    p = np.asarray(mtl.predict(model, home.test.x), float)
    by_hand = (np.log(p[:, 1]) - np.log(p[:, 0])).reshape(-1, 4).mean(1)
    order = np.argsort(home.patients["test"][::4])
    assert found.logit == pytest.approx(by_hand[order], abs=1e-4)
    assert found.y.tolist() == home.test.y[::4][order].tolist()
    assert found.group.tolist() == home.groups["test"][::4][order].tolist()


def test_some_patients_come_with_all_their_images_and_both_classes(small):
    few = trust.some_patients(small[1], 20, seed=3)
    assert len(few.train.y) == 80 and len(set(few.patients["train"])) == 20
    assert 8 <= int(few.train.y.sum()) <= 72 and torch.equal(few.test.x, small[1].test.x)
    assert set(few.patients["train"]) != set(trust.some_patients(small[1], 20, seed=4).patients["train"])


def test_only_the_row_that_says_so_looks_at_other_labels_of_the_second_site(small):
    _, away, model = small
    few = trust.some_patients(away, 20, seed=0)
    how = {way: one | {"epochs": 1} for way, one in trust.FEW.items()}
    other = replace(away, train=mtl.Split(away.train.x, 1 - away.train.y), test=mtl.Split(away.test.x, 1 - away.test.y))
    one, two = (trust.second_site(model, (0.0, 1.0), there, few, 0, how) for there in (away, other))
    changed = {way for way in one if not np.allclose(one[way], two[way])}
    assert changed == {"slope and intercept, all labels"} and len(one) == 11


def test_the_scores_of_the_prior_and_of_a_perfect_model():
    y = np.arange(200) % 2
    flat = trust.judged(np.zeros(200), y)
    assert flat["auroc"] == 0.5 and flat["log loss"] == pytest.approx(np.log(2)) and "slope" not in flat
    rng = np.random.default_rng(0)
    logit = rng.normal(0, 2, 20_000)
    found = trust.judged(logit, (rng.random(20_000) < 1 / (1 + np.exp(-logit))).astype(int))
    assert found["slope"] == pytest.approx(1, abs=0.05) and abs(found["in the large"]) < 0.05 and found["ece"] < 0.02
    assert min(found[f"gain at {t:g}"] for t in trust.THRESHOLDS) > 0
    far_off = trust.judged(logit, (rng.random(20_000) < 1 / (1 + np.exp(4 - logit))).astype(int))
    assert far_off["gain at 0.5"] < 0


def test_a_hidden_group_is_scored_by_itself():
    y, group = np.array([0, 1, 0, 1, 0, 1]), np.array(["fatty"] * 4 + ["dense"] * 2)
    found = trust.group_scores(trust.People(np.array([-1.0, 1, -2, 2, 1, -1]), y, group))
    assert found["auroc, fatty"] == 1 and found["auroc, dense"] == 0 and found["sensitivity"] == pytest.approx(2 / 3)
