"""The experiment of notebook 04: what each part does, and that no way sees more than it says."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

import medtl_helpers as mtl
from medtl_helpers import domains, two_conv
from medtl_helpers import source_target as st


@pytest.fixture(autouse=True)
def twins(monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(st, "EPOCHS", 1)
    monkeypatch.setattr(st, "FEW_STEPS", 4)


def same(a, b):
    return all(
        torch.equal(x.cpu(), y.cpu()) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


@pytest.mark.parametrize("classes", [2, 8])
def test_the_floor_is_what_a_perfect_answer_costs(classes):
    assert F.cross_entropy(torch.eye(classes), torch.arange(classes)).item() == pytest.approx(
        two_conv.loss_floor(classes)
    )


def test_the_two_networks_answer_with_the_same_probabilities():
    x = torch.randint(256, (5, 3, 28, 28), dtype=torch.uint8)
    mtl.seed_everything(0)
    twice = two_conv.TwoConvCNN(3, 8, softmax=True)
    mtl.seed_everything(0)
    once = two_conv.TwoConvCNN(3, 8)
    assert torch.allclose(two_conv.probabilities(twice, x), two_conv.probabilities(once, x), atol=1e-6)
    assert torch.allclose(twice.cpu()(mtl.to_float(x)).sum(1), torch.ones(5))


def test_calibration_error_by_hand():
    probability = torch.tensor([[0.95, 0.05], [0.95, 0.05], [0.45, 0.55], [0.65, 0.35]])
    y = torch.tensor([0, 1, 1, 0])  # bins: 0.9-1 has confidence 0.95 and half right; the others are right
    assert two_conv.calibration_error(probability, y) == pytest.approx((2 * 0.45 + 0.45 + 0.35) / 4, abs=1e-6)
    assert two_conv.calibration_error(torch.eye(4), torch.arange(4)) == 0


def test_chest_domains_share_test_images_and_no_others():
    source, target = st.chest_domains(3, scanner="B", strength=0)
    assert torch.equal(source.test.x, target.test.x) and torch.equal(source.test.y, target.test.y)
    for split, count in (("train", 400), ("val", 100)):
        ours, theirs = getattr(source, split), getattr(target, split)
        assert ours.y.sum() == theirs.y.sum() == count // 2
        images = {x.numpy().tobytes() for x in ours.x}
        assert not images & {x.numpy().tobytes() for x in theirs.x}


@pytest.mark.parametrize("channels", [1, 3])
def test_augmentation_keeps_type_and_shape_and_comes_back_with_its_seed(channels):
    x = mtl.draw("smear", torch.arange(8), channels=channels)
    change = st.AUGMENT[channels]
    once, again = (change(x, torch.Generator().manual_seed(3)) for _ in range(2))
    assert once.shape == x.shape and once.dtype == torch.uint8
    assert torch.equal(once, again) and not torch.equal(once, x)


def test_augmentation_of_nothing_changes_nothing_and_a_flip_is_a_mirror():
    x = mtl.draw("smear", torch.arange(8))
    still = st.wide_augment(0, False, 0, 0)(x, torch.Generator().manual_seed(0))
    assert (still.int() - x.int()).abs().max() <= 1
    flipped = st.wide_augment(0, True, 0, 0)(x, torch.Generator().manual_seed(0))
    distances = [
        [(f.int() - i.int()).abs().max() <= 1 for i in (a, a.flip(-1))] for f, a in zip(flipped, x, strict=True)
    ]
    assert all(any(pair) for pair in distances) and {pair.index(True) for pair in distances} == {0, 1}


def test_each_way_sees_only_what_it_says(quick):
    """Labels of the target's training images change the rows with few labels alone; test data change none."""
    source, target = domains.smear_domains("scanner D", 0, n=80)
    models = st.all_ways(source, target, 0, n=2)
    assert list(models) == list(st.WAYS)
    other = replace(target, train=mtl.Split(target.train.x, target.train.y.roll(1)), val=source.val,
                    test=mtl.Split(target.test.x * 0, target.test.y * 0))  # fmt: skip
    again = st.all_ways(source, other, 0, n=2)
    for way, sees in st.WAYS.items():
        assert same(models[way], again[way]) == (sees != "few labels"), way
    darker = replace(target, train=mtl.Split(target.train.x // 2, target.train.y))
    again = st.all_ways(source, darker, 0, n=2)
    for way, sees in st.WAYS.items():
        assert same(models[way], again[way]) == (sees == "nothing"), way


def test_fine_tuning_leaves_the_source_network_and_gives_other_classes_a_head(quick):
    data = st.candidate("chest", 0, n=40)
    model = st.train_source(data, 0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    _, target = domains.smear_domains("scanner D", 0, n=80)
    tuned = st.fine_tune(model, mtl.few_shot(target, 2, seed=0, val=2), 0)
    assert tuned.head.out_features == 8 and model.head.out_features == 2
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_the_sweep_and_the_ranking_have_a_row_for_each(quick, monkeypatch):
    monkeypatch.setattr(st, "STRENGTHS", (0.0, 1.0))
    source, target = domains.smear_domains("scanner D", 0, n=80)
    model = st.train_source(source, 0)
    sweep = st.sweep_shift(model, "scanner D", 0, n=2)
    assert list(sweep) == list(st.SHIFT_WAYS) and all(len(values) == 2 for values in sweep.values())
    (row,) = st.rank_sources({"cells": (source, model)}, target, 0, n=2)
    assert row["source"] == "cells" and all(math.isfinite(row[k]) for k in ("LogME", "proxy A-distance", "gain"))


# --- the record ------------------------------------------------------------------------------------------------------


def test_the_record_has_ten_seeds_that_the_notebook_does_not_use():
    about = mtl.recorded("source_target")
    assert len(about["seeds"]) >= 10 and not set(about["seeds"]) & {0, 1, 2}
    assert {(row["part"], row["pair"], row["data"]) for row in about["rows"]} == {
        ("ways", "blood cells", "twin"), ("ways", "X-rays", "twin"), ("ways", "X-rays", "real"),
        ("shift", "blood cells", "twin"), ("sources", "blood cells", "twin"),
    }  # fmt: skip
    for row in about["rows"]:
        assert {len(values) for values in row["scores"].values()} == {len(about["seeds"])}


def test_a_recorded_network_comes_out_again():
    """Another processor may round, and so train, a little otherwise."""
    record = mtl.Record("source_target", "part", "pair", data="twin")
    make, _ = st.PAIRS["blood cells"]
    source, target = make(record.seeds[0])
    again = st.balanced_accuracy(st.adapted(st.train_source(source, record.seeds[0]), target.train.x), target.test)
    assert again == pytest.approx(record.scores("ways", "blood cells", st.ADABN)[0], abs=0.06)
