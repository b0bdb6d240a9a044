"""Hospitals and attacks of lesson 14: what is shared, who is left out, and that the record says what the code does."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.data.tasks import Split, Task
from medtl_helpers.lessons.private import experiment as private
from medtl_helpers.teaching.records import Record

ROOT = Path(__file__).parents[2]


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")
    return private.wards(0)


def test_wards_hold_each_patient_once_and_pooled_ones_all(here):
    counts = {site: sum(len(y) for _, y in ward) for site, ward in here.items()}
    assert counts == {"cleveland": 303, "hungary": 294, "switzerland": 123, "va": 200}
    everybody = private.pooled(here)["all"]
    assert sum(len(y) for _, y in everybody) == 920
    scale = private.federation(here, lr=0.1, rounds=1).scale
    np.testing.assert_allclose(scale.mean, private.federation(private.pooled(here), lr=0.1, rounds=1).scale.mean)
    np.testing.assert_allclose(scale.mean, np.nanmean(everybody.train[0], 0))


def test_a_hospital_that_is_left_out_changes_nothing(here):
    short = {private.FEDAVG: {"lr": 0.1, "rounds": 1}, private.POOLED: {"lr": 0.1, "rounds": 1}}
    other = here | {"va": private.Ward((-here["va"].train[0], 1 - here["va"].train[1]), *here["va"][1:])}
    for way in (private.LEFT_OUT, private.POOLED_LEFT_OUT):
        same, changed = (private.models_of(way, wards, 0, short) for wards in (here, other))
        x = here["va"].test[0]
        np.testing.assert_array_equal(same["va"].logit(x), changed["va"].logit(x))
        assert not np.allclose(same["hungary"].logit(x), changed["hungary"].logit(x))


def test_an_own_intercept_says_how_common_the_disease_is(here):
    nothing = private.models_of(private.PRIOR_ANSWER, here, 0)
    for site, ward in here.items():
        p = 1 / (1 + np.exp(-nothing[site].logit(ward.test[0])))
        np.testing.assert_allclose(p, float(ward.train[1].double().mean()), atol=1e-4)


def test_the_threshold_is_the_best_of_the_validation_patients():
    logit, y = np.array([-2.0, -1.0, 0.5, 1.0, 3.0]), np.array([0, 0, 0, 1, 1])
    assert private.own_threshold(logit, y) == 0.75  # between the highest healthy and the lowest sick
    assert private.hospital_scores(logit, y, 0.75)["balanced accuracy at own threshold"] == 1
    assert private.own_threshold(-logit, y) <= 2  # a ranking that is upside down has a threshold, too


def test_sequences_are_dealt_to_one_side_only():
    x = torch.arange(3000.0)[:, None, None].expand(-1, 4, 60)
    y = torch.arange(3000) % 3
    thirds = [Split(x[k::3], y[k::3].roll(k)) for k in range(3)]
    labels = {float(a[0, 0]): int(b) for split in thirds for a, b in zip(*split, strict=True)}
    task = Task("numbers", *thirds, ("a", "b", "c"), None, "twin", "none")
    deal = private.deal_sequences(task, 5, 1)
    sides = [set(x[:, 0, 0].tolist()) for x, _ in deal]
    assert [len(side) for side in sides] == [15, 501, 2484] and not sides[0] & sides[1] and not sides[0] & sides[2]
    assert not sides[1] & sides[2]
    for inputs, found in deal:
        assert [labels[v] for v in inputs[:, 0, 0].tolist()] == found.tolist()
    assert torch.bincount(deal.members[1]).tolist() == [5, 5, 5]
    assert torch.bincount(deal.others[1]).tolist() == [167, 167, 167]


@pytest.mark.slow
def test_the_untouched_network_gives_nothing_away_and_a_fine_tuned_one_does(monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")
    deal = private.deal_sequences(mtl.load("splice", quiet=True), 5, 0)
    before = private.attacked(private.BEFORE, deal, 5, 0)["loss"]
    after = private.attacked(private.FROM_SCRATCH, deal, 5, 0)
    assert before["tpr at 0.01"] < 0.2 < 0.5 < after["loss"]["tpr at 0.01"] and after["LiRA"]["auc"] > 0.9
    assert before["accuracy"] > after["loss"]["accuracy"]


def test_the_record_reads_as_it_is_compared():
    record = Record("federated", stage="report", data="real")
    hospitals, attacks = private.between_hospitals(record), private.between_attacks(record)
    assert len(hospitals) == 9 and len(attacks) == 5
    nobody = private.members_found(record, private.NOISED, "LiRA", 5)
    assert nobody.n == 75 and nobody.value == 0 < nobody.high < 0.06  # 0 of 75
    assert all(
        one.p <= 1 and one.difference.low <= one.difference.high for one in [*hospitals.values(), *attacks.values()]
    )


@pytest.mark.slow
def test_a_recorded_split_of_the_hospitals_comes_out_again(real_file):
    real_file("heart_disease/processed.va.data")
    sys.path.insert(0, str(ROOT / "benchmarks"))
    record = Record("federated", stage="report", kind="hospitals", data="real")
    for row in importlib.import_module("federated").compute("report", "hospitals", "real", 200):
        for name, value in row["scores"].items():
            recorded = record.scores(row["way"], name, site=row["site"])[record.seeds.index(200)]
            assert value == pytest.approx(recorded, abs=2e-3), (row["way"], row["site"], name)
