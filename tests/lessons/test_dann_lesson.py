"""The recorded benchmark of DANN: its protocol, one row run again, and who may look at a target label."""

import importlib.util
import inspect
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.data import domains, shifts
from medtl_helpers.methods import dann

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


def test_settings_were_tuned_on_other_seeds_and_shifts_than_are_reported(benchmark):
    assert not set(benchmark.TUNE_SEEDS) & set(benchmark.SEEDS) and len(benchmark.SEEDS) == 10
    tuned = {shift[0] for shift in benchmark.TUNING}
    assert {"scanner B", "scanner C"} <= {shift[0] for shift in benchmark.REPORT} - tuned
    default = inspect.signature(dann.DANN.fit).parameters["lam_max"].default
    assert ("batch", default) in benchmark.SETTINGS


def test_the_record_has_all_seeds_of_every_row(benchmark):
    about = mtl.recorded("dann")
    assert about["seeds"] == list(benchmark.SEEDS)
    for row in about["rows"]:
        seeds = benchmark.TUNE_SEEDS if row["stage"] == "tuning" else benchmark.SEEDS
        assert row["seeds"] == list(seeds)
        assert {len(values) for values in row["scores"].values()} == {len(seeds)}


def test_a_recorded_row_comes_out_again(benchmark):
    """The digits, whose images are on every disk; another processor may round, and so train, a little otherwise."""
    source, target = benchmark.pair("digits", None, 100)
    model, _ = benchmark.adversarial("digits", source, target, 100)
    recorded = mtl.Record("dann", stage="report").scores("DANN", kind="digits")[0]
    assert benchmark.accuracy(model, target.test) == pytest.approx(recorded, abs=0.06)


def test_no_row_but_the_ceiling_and_the_oracle_looks_at_a_target_label(benchmark, monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")
    monkeypatch.setitem(benchmark.EPOCHS, "hospitals", 8)
    shift = ["cleveland", "va"]
    source, target = domains.hospital_domains(*shift, seed=0)
    wrong = {name: mtl.Split(getattr(target, name).x, 1 - getattr(target, name).y) for name in ("train", "val")}
    rows = []
    for domain in (target, replace(target, **wrong)):
        monkeypatch.setattr(benchmark, "pair", lambda *_, domain=domain: (source, domain))
        rows.append({row["way"]: row["scores"] for row in benchmark.report("hospitals", shift, 0)})
    changed = {name.split(",")[0] for name in rows[0] if rows[0][name] != rows[1][name] and "oracle" not in name}
    assert changed == {"ceiling"}
    assert rows[0]["DANN"] == rows[1]["DANN"]


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
    with pytest.raises(ValueError, match="no shift 'fog'"):
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
