"""The benchmark of lesson 12: what makes images alike, what its tuning chose, and recorded cells computed again."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.data.tasks import Split
from medtl_helpers.lessons.outlines import experiment as e

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import outlines as benchmark
import outlines_longer as longer

REPORT = mtl.Record("outlines", stage="report")
LONGER = mtl.Record("outlines_longer", stage="report")
TUNED = [row for row in REPORT.about["rows"] if row["stage"] == "tuning"]


@pytest.fixture
def pair() -> Split:
    return Split(*mtl.draw_nuclei(4, kind="fluorescence", size=64, seed=3))


# --- what makes images alike -----------------------------------------------------------------------------------------


def test_images_made_alike_are_the_same_as_their_negatives(pair):
    alike, negative = e.made_alike(pair.x), e.made_alike(255 - pair.x)
    assert alike.dtype == torch.uint8 and alike.shape == pair.x.shape
    assert (alike.int() - negative.int()).abs().max() <= 4  # a grey value is rounded before or after it is turned over
    inside = pair.y[:, None].expand_as(alike).bool()
    assert all(one[where].float().mean() > one[~where].float().mean() for one, where in zip(alike, inside, strict=True))


def test_images_made_alike_use_all_tones_and_have_no_colour():
    grey = torch.full((1, 3, 20, 20), 100, dtype=torch.uint8)
    grey[:, :, :5, :5] = 140
    alike = e.made_alike(grey)
    assert alike[0, :, 2, 2].tolist() == [255] * 3 and alike[0, :, 10, 10].tolist() == [0] * 3


def test_the_stain_is_bright_where_nuclei_are():
    x, masks = mtl.draw_nuclei(3, kind="histology", size=64, seed=1)
    stain = e.stain_made_alike(x)[:, 0].float()
    assert all(s[m > 0].mean() > s[m == 0].mean() + 40 for s, m in zip(stain, masks, strict=True))


def test_half_of_the_images_become_negatives():
    x = torch.full((400, 3, 4, 4), 230, dtype=torch.uint8)
    changed = e.jitter_and_negatives(x, torch.Generator().manual_seed(0))
    dark = (changed.float().mean((1, 2, 3)) < 128).float().mean().item()
    assert changed.dtype == torch.uint8 and 0.4 < dark < 0.6


def test_every_way_abroad_belongs_to_a_training_and_adabn_changes_statistics_alone(pair):
    assert e.ABROAD.keys() == e.TRAININGS.keys()
    model = mtl.load_nuclei_unet(weights="random", quiet=True)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = e.outlines_abroad("plain", model, pair.x, pair.x)
    assert {*found} == {"plain", "plain, AdaBN"} and all(masks.shape == pair.y.shape for masks in found.values())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())  # of the one given


# --- how the ways learn ----------------------------------------------------------------------------------------------


def test_what_is_frozen_stays_and_what_was_known_starts(pair):
    known = mtl.load_nuclei_unet(weights="random", quiet=True)
    before = {name: value.clone() for name, value in known.state_dict().items()}
    model = e.few_outlines("drawn, frozen", pair, 0, lambda start: known, lr=1e-2, steps=2)
    after = model.state_dict()
    moved = {name.split(".")[1] for name in after if not torch.equal(after[name], before[name])}
    assert moved == {"up1", "up2", "up3", "weight", "bias"}  # the way up and the head
    assert all(torch.equal(before[name], value) for name, value in known.state_dict().items())


def test_masks_with_other_numbers_than_classes_score_nothing(pair):
    y = pair.y
    assert benchmark.dice_by_sums((y == y * 255) & (y > 0), y > 0, y > 0) == 0
    assert benchmark.dice_by_sums(y.long() * y * 255, y, y.long() * 255) == pytest.approx(2 * 255 / 256)
    assert benchmark.dice_by_sums(y & y, y, y) == 1


# --- what was chosen -------------------------------------------------------------------------------------------------


def test_the_rates_are_those_that_did_best_on_validation_images():
    runs = _as_runs(TUNED)
    assert benchmark.best_rates(runs, "source") == e.RATES
    assert benchmark.best_rates(runs, "few") == e.FEW_RATES


def _as_runs(rows) -> list[dict]:
    """Rows of the record in the form of the log."""
    runs = []
    for row in rows:
        keys = {k: v for k, v in row.items() if k not in ("scores", "seeds")}
        for at, seed in enumerate(row["seeds"]):
            cell = {k: v for k, v in keys.items() if k != "way" or row["kind"] == "few"} | {"seed": seed}
            scores = {name: values[at] for name, values in row["scores"].items()}
            same = next((run for run in runs if cell.items() <= run.items()), None)
            if same is None:
                runs.append(same := cell | {"rows": [], "seconds": 0})
            same["rows"].append({"way": row["way"], "scores": scores})
    return runs


def test_the_opponent_is_the_strongest_on_the_tuning_seeds_at_its_best_rate():
    there = {}
    for row in TUNED:
        if row["kind"] == "source" and row["lr"] == e.RATES[row["training"]] and row["training"] != "random contrast":
            there[row["way"]] = np.mean(row["scores"]["Dice"])
    assert max(there, key=there.get) == benchmark.PRIMARY_ABOUT["theirs"]


def test_the_record_is_that_of_the_script_and_its_reported_seeds_chose_nothing():
    assert REPORT.about["primary"] == benchmark.PRIMARY_ABOUT
    assert not {*benchmark.SEEDS["tuning"]} & {*benchmark.SEEDS["report"]}
    found = mtl.Record("outlines").primary
    ours, theirs = (
        REPORT.scores(benchmark.PRIMARY_ABOUT[who], kind="modality", data="real").mean() for who in ("ours", "theirs")
    )
    assert found.value == pytest.approx(ours - theirs, abs=2e-4)
    asked = e.outline_comparisons(REPORT)
    assert {*e.SECONDARY} <= {*asked} and all(one.raw <= one.p for one in asked.values())


@pytest.mark.parametrize("training", ["no network", pytest.param("drawn", marks=pytest.mark.slow)])
def test_a_recorded_cell_is_what_it_is_again(monkeypatch, training):
    """On the twin, what needs no training."""
    monkeypatch.setenv("MEDTL_DATA", "twin")
    for kept in (benchmark.task, benchmark.abroad_unlabelled):
        kept.cache_clear()
    record = mtl.Record("outlines", stage="report", data="twin", kind="modality")
    for row in benchmark.modality(200, training):
        for score, value in row["scores"].items():
            assert np.isclose(value, record.scores(row["way"], score)[0], atol=2e-3), (row["way"], score)
    for kept in (benchmark.task, benchmark.abroad_unlabelled):
        kept.cache_clear()


# --- the longer trainings --------------------------------------------------------------------------------------------


def test_the_longer_trainings_have_the_settings_that_their_rules_choose():
    rows = [row for row in LONGER.about["rows"] if row["stage"] == "tuning"]
    plain = {row["lr"]: row["scores"]["Dice at home"][0] for row in rows if row["way"] == "plain"}
    assert plain.keys() == {*longer.TUNED["plain"][0]} and max(plain, key=plain.get) == longer.RATES["plain"]
    assert longer.RATES["made alike"] == e.RATES["made alike"]
    recoloured = {row["way"]: row["scores"]["Dice at home, recoloured"][0] for row in rows if row["way"] != "plain"}
    assert max(recoloured, key=recoloured.get) == longer.CONTRAST
    assert longer.RATES[longer.CONTRAST] == e.RATES["random contrast"] == longer.RATES["one in two recoloured"]


def test_the_longer_trainings_have_seeds_of_their_own_and_two_networks_for_each():
    seeds = LONGER.seeds
    assert seeds == [*longer.SEEDS["report"]][: len(seeds)] and len(seeds) >= 2
    assert not {*seeds} & ({*benchmark.SEEDS["report"]} | {*longer.SEEDS["tuning"]} | {*benchmark.SEEDS["tuning"]})
    found = e.longer_comparisons(LONGER)
    for name, one in found.items():
        ours, theirs, score, margin = e.LONGER[name]
        both = [LONGER.scores(way, score, stage="report")[: len(seeds)] for way in (ours, theirs)]
        assert one.margin == margin and one.interval.value == pytest.approx((both[0] - both[1]).mean(), abs=2e-4)


def test_a_seed_counts_when_both_of_its_networks_are_there():
    cells = [("plain", 210), (longer.CONTRAST, 210), ("plain", 211), ("made alike", 210), ("made alike", 211)]
    runs = [{"stage": "report", "training": training, "seed": seed, "rows": []} for training, seed in cells]
    assert longer.complete(runs) == {name: [210] for name in ("no network", "plain", longer.CONTRAST, "made alike")}


def test_all_recoloured_is_random_contrast_for_every_image(monkeypatch, pair):
    seen = []
    monkeypatch.setattr(longer, "task", lambda kind: type("", (), {"train": pair}))
    known = longer.TRAININGS["all recoloured"][1]
    spied = lambda x, generator: seen.append(len(x)) or known(x, generator)  # noqa: E731
    monkeypatch.setitem(longer.TRAININGS, "all recoloured", ("random contrast", spied))
    longer.train("all recoloured", 0, 1e-3, 1)
    assert seen == [len(pair.y)] and known is mtl.random_contrast
