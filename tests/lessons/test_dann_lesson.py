"""The recorded benchmark of DANN: its protocol, one row run again, and who may look at a target label."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.data import domains, shifts
from medtl_helpers.lessons.dann import experiment

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    """``benchmarks/dann.py`` as a module."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("dann_benchmark", BENCHMARKS / "dann.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop("record", None)


def test_settings_were_chosen_on_other_seeds_and_shifts_than_are_reported(benchmark):
    seeds = benchmark.SEEDS
    assert not set(seeds["report"]) & (set(seeds["tuning"]) | set(seeds["rates"])) and len(seeds["report"]) == 10
    used = {shift for (stage, _), shifts in benchmark.SHIFTS.items() if stage != "report" for shift in shifts}
    assert not set(benchmark.PRIMARY) & used and benchmark.PRIMARY == [("scanner B", 0.5), ("scanner C", 0.5)]


def test_each_rate_is_the_one_that_the_source_s_validation_chose(benchmark):
    record = mtl.Record("dann", stage="rates")
    for kind in record.values("kind"):
        for way, rate in benchmark.RATE[kind].items():
            pairs = record.values("source", "target", kind=kind) or [()]
            keys = [dict(zip(("source", "target"), pair, strict=False)) for pair in pairs]
            loss = {
                tried: np.mean(
                    [record.scores(way, "log loss on source validation", kind=kind, rate=tried, **key) for key in keys]
                )
                for tried in benchmark.RATES
            }
            assert min(loss, key=loss.get) == rate, (kind, way, loss)


def test_the_record_has_all_seeds_of_every_row_and_its_primary_comparison(benchmark):
    about = mtl.recorded("dann")
    assert about["seeds"] == list(benchmark.SEEDS["report"])
    for row in about["rows"]:
        assert {len(values) for values in row["scores"].values()} == {len(row["seeds"])}
        assert row["stage"] != "report" or set(row["seeds"]) <= set(about["seeds"])
    primary = mtl.Record("dann").about["primary"]
    assert primary["margin"] == experiment.MARGIN
    one, two = (
        mtl.Record("dann", stage="report").paired("AdaBN", "DANN", shift=f"scanner {name}", strength=0.5)
        for name in "BC"
    )
    assert mtl.Record("dann").primary.value == pytest.approx((one.value + two.value) / 2, abs=1e-4)
    assert mtl.Record("dann").primary.n == 10


@pytest.mark.slow
def test_a_recorded_row_comes_out_again(benchmark):
    """AdaBN on one seed; another processor may round, and so train, a little otherwise."""
    source, target = benchmark.pair("smear", ("scanner B", 0.5), 200)
    model = benchmark.adapted(benchmark.smear_alone(source, 200), target)
    recorded = mtl.Record("dann", stage="report").scores("AdaBN", shift="scanner B", strength=0.5)[0]
    assert benchmark.accuracy(model, target.test) == pytest.approx(recorded, abs=0.02)


@pytest.mark.slow
def test_no_row_but_those_that_say_so_looks_at_a_target_label(benchmark, monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")
    monkeypatch.setattr(benchmark, "STEPS", 20)
    monkeypatch.setitem(benchmark.EPOCHS, "smear", 3)
    for kind, shift, allowed in (
        ("hospitals", ("cleveland", "va"), {"logistic regression, target labels"}),
        ("smear", ("scanner B", 0.5), {"DANN, oracle epoch"}),
    ):
        benchmark.ALONE.clear()
        source, target = (
            domains.hospital_domains(*shift, seed=0)
            if kind == "hospitals"
            else domains.smear_domains("scanner B", 0, strength=0.5, n=300)
        )
        most = len(source.classes) - 1
        wrong = {name: mtl.Split(getattr(target, name).x, most - getattr(target, name).y) for name in ("train", "val")}
        rows = []
        for domain in (target, replace(target, **wrong)):
            monkeypatch.setattr(benchmark, "pair", lambda *_, domain=domain, source=source: (source, domain))
            rows.append({row["way"]: row["scores"] for row in benchmark.report(kind, shift, 0)})
        changed = {name for name in rows[0] if rows[0][name] != rows[1][name]}
        assert changed <= allowed and {"DANN", "source only"} <= set(rows[0])
        assert changed or kind == "smear"  # the oracle may choose the same epoch


def test_under_label_shift_each_seed_has_two_frequent_types_of_its_own(benchmark):
    found = {tuple(sorted(benchmark.frequent_types(seed))) for seed in benchmark.SEEDS["report"]}
    assert len(found) >= 8 and all(a != b for a, b in found)


# --- the measures and the comparisons --------------------------------------------------------------------------------


def test_the_gap_of_a_domain_that_was_only_moved():
    y = torch.tensor([0, 0, 1, 1])
    f = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 4.0], [2.0, 4.0]])  # the centres of the classes are 4 apart
    assert experiment.class_gap(f, f + torch.tensor([3.0, 0.0]), y, y) == pytest.approx(3 / 4)
    assert experiment.class_gap(f, f[[2, 3, 0, 1]], y, y.flip(0)) == 0


def test_mmd_is_the_sum_over_all_pairs():
    torch.manual_seed(0)
    a, b = torch.randn(6, 3), torch.randn(5, 3) + 1
    both = torch.cat([a, b]).double()
    squares = torch.tensor([[float((x - y).square().sum()) for y in both] for x in both])
    width = squares[squares > 0].median()

    def kernel(x, y):
        return float((-(x - y).square().sum() / width).exp())

    within = [
        np.mean([kernel(x, y) for i, x in enumerate(part) for j, y in enumerate(part) if i != j]) for part in (a, b)
    ]
    across = np.mean([kernel(x, y) for x in a for y in b])
    assert experiment.mmd(a, b) == pytest.approx(sum(within) - 2 * across, abs=1e-5)
    assert abs(experiment.mmd(torch.randn(400, 3), torch.randn(400, 3))) < 0.01


def test_a_comparison_is_settled_by_its_interval_and_by_holm():
    interval = mtl.paired_difference([0.05, 0.06, 0.07], [0.0, 0.0, 0.0])
    assert experiment.Comparison(interval, 0.01).settled == 1
    assert experiment.Comparison(interval, 0.20).settled == 0
    assert experiment.Comparison(replace(interval, low=-0.07, high=-0.05), 0.01).settled == -1
    assert experiment.Comparison(replace(interval, low=-0.01), 0.01).settled == 0


def test_a_mean_within_the_margin_is_never_beyond_it():
    assert experiment._beyond_margin(np.array([0.019, 0.0191, 0.0189]), 0.0) == 1
    assert experiment._beyond_margin(np.array([0.05, 0.051, 0.049]), 0.0) < 0.01
    assert experiment._beyond_margin(np.array([-0.05, -0.051, -0.049]), 0.0) < 0.01


# --- the pairs of domains --------------------------------------------------------------------------------------------


def test_at_strength_0_both_domains_are_alike_and_share_no_image():
    source, target = domains.smear_domains("texture", 0, strength=0.0, n=200)
    assert mtl.proxy_a_distance(source.train.x.float(), target.train.x.float()) == pytest.approx(0, abs=0.5)
    assert not (source.train.x[:50, None] == target.train.x[None, :50]).flatten(2).all(2).any()
    assert (len(source.train.y), len(target.val.y), len(target.test.y)) == (200, 200, 800)


def test_the_source_does_not_depend_on_the_shift_and_the_target_does():
    pairs = [domains.smear_domains(shift, 3, n=50) for shift in ("texture", "scanner B")]
    assert torch.equal(pairs[0][0].train.x, pairs[1][0].train.x)
    assert torch.equal(pairs[0][1].train.y, pairs[1][1].train.y)
    assert not torch.equal(pairs[0][1].train.x, pairs[1][1].train.x)


def test_waves_cover_the_background_and_leave_the_cell():
    images = mtl.draw("smear", torch.full((20,), 5), 28, seed=0)
    covered = shifts.textured(images, 1.0, seed=0)
    change = (covered.int() - images.int()).abs().float().mean((0, 1))
    assert change[12:16, 12:16].mean() < 0.1 * change[:3, :3].mean()  # the middle of the cell, a corner
    assert torch.equal(shifts.textured(images, 0.0), images)


def test_the_target_balance_is_what_was_asked_for():
    _, target = domains.smear_domains("texture", 0, n=2000, target_balance=[0.4, 0.4, *[0.2 / 6] * 6])
    share = target.train.y.bincount(minlength=8) / 2000
    assert share[:2].sum() == pytest.approx(0.8, abs=0.04)


def test_an_unknown_shift_is_named():
    with pytest.raises(ValueError, match="The shift is 'fog': choose one of"):
        domains.smear_domains("fog", 0)


def test_digits_of_the_two_domains_are_other_digits_in_other_clothes():
    source, target = domains.digit_domains(0)
    assert source.train.x.shape == (600, 3, 16, 16) and source.train.x.dtype == torch.uint8
    assert mtl.proxy_a_distance(source.train.x.float(), target.train.x.float()) > 1.5
    assert len({len(split.y) for split in (source.train, target.train)}) == 1
    assert not torch.equal(source.train.y, target.train.y)


def test_hospital_tables_are_scaled_by_the_source_and_have_no_gaps(monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")
    source, target = domains.hospital_domains("cleveland", "hungary", 0)
    torch.testing.assert_close(source.train.x.mean(0), torch.zeros(10), atol=1e-5, rtol=0)
    assert target.train.x.mean(0).abs().max() > 0.1
    assert not any(split.x.isnan().any() for d in (source, target) for split in (d.train, d.val, d.test))
