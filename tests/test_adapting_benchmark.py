"""The benchmark of lesson 08: the ways, the streams, who may choose, and recorded cells computed again."""

import copy
import inspect
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

import medtl_helpers as mtl
from medtl_helpers.data import domains
from medtl_helpers.data.tasks import Split, Task
from medtl_helpers.lessons.adapting import experiment as e
from medtl_helpers.methods.label_shift import label_shift_weights

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import adapting as benchmark


@pytest.fixture
def tables() -> tuple[Task, Task]:
    """Two hospitals of random rows, the second measured with other gains and offsets."""
    g = torch.Generator().manual_seed(0)

    def hospital(gain, offset):
        parts = []
        for n in (120, 40, 60):
            x = torch.randn(n, 10, generator=g)
            y = (x[:, 0] + 0.3 * torch.randn(n, generator=g) > 0).long()
            parts.append(Split(x * gain + offset, y))
        return Task("hospital", *parts, ("well", "sick"), provenance="twin")

    return hospital(1.0, 0.0), hospital(2.0, 1.5)


@pytest.fixture
def model(tables):
    return e.source_network("hospitals", tables[0], 0, rate=3e-3)


# --- the ways --------------------------------------------------------------------------------------------------------


def test_a_way_never_sees_target_labels_and_leaves_the_source_network_as_it_was(tables, model):
    source, target = tables
    assert {"target_y", "target"}.isdisjoint(inspect.signature(e.adapted).parameters)
    before = copy.deepcopy(model.state_dict())
    for way in e.CANDIDATES:
        if way != "TENT" and way not in e.FINISHED:
            net = e.adapted(way, "hospitals", model, source, target.train.x, 0)
            assert mtl.predict(net, target.test.x).shape == (60, 2), way
    e.in_stream(model, target.test.x, e.random_order(60, 0), batch_size=20)
    e.target_ceiling("hospitals", model, target, 0)
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())


def test_columns_as_in_the_source_have_its_mean_and_deviation(tables):
    source, target = tables
    x = e.as_in_source("hospitals", source.train.x, target.train.x)(target.train.x)
    torch.testing.assert_close(x.mean(0), source.train.x.mean(0), atol=1e-5, rtol=0)
    torch.testing.assert_close(x.std(0), source.train.x.std(0), atol=1e-5, rtol=0)


def test_one_map_is_a_logistic_regression_on_recoloured_features(tables, model):
    source, target = tables
    net = e.one_map(model, source.train, target.train.x)
    with torch.no_grad():
        here, there, asked = (model[0].eval()(x) for x in (source.train.x, target.train.x, target.test.x))
    scale = here.std(0).clamp_min(1e-6)
    head = LogisticRegression(max_iter=300).fit(mtl.coral(here / scale, there / scale).numpy(), source.train.y.numpy())
    wanted = head.predict_proba((asked / scale).numpy())
    np.testing.assert_allclose(mtl.predict(net, target.test.x).numpy(), wanted, atol=1e-5)


def test_features_are_what_goes_into_the_head_also_behind_a_normalised_input(tables, model):
    source, target = tables
    layer = e.as_in_source("hospitals", source.train.x, target.train.x)
    with torch.no_grad():
        wanted = model[0].eval()(layer(target.test.x))
    torch.testing.assert_close(e.features_in(nn.Sequential(layer, model), target.test.x), wanted)
    dann = e.adapted("DANN", "hospitals", model, source, target.train.x, 0)
    assert e.features_in(dann, target.test.x).shape == (60, e.WIDTH)


def test_lambda_0_trains_without_any_loss_between_the_domains(tables, model):
    """Two different losses that count nothing leave the same network."""
    source, target = tables
    nets = [
        e.adapted(way, "hospitals", model, source, target.train.x, 0, rate=1e-3, weight=0.0) for way in ("λ = 0", "MCC")
    ]
    assert all(torch.equal(a, b) for a, b in zip(*(net.state_dict().values() for net in nets), strict=True))


# --- streams ---------------------------------------------------------------------------------------------------------


def test_answers_of_a_stream_come_back_in_the_rows_own_order(tables, model):
    x = tables[1].test.x
    order = e.random_order(60, 3)
    _, said = e.in_stream(model, x, order, batch_size=20, lr=1e-3)
    other = copy.deepcopy(model)
    np.testing.assert_array_equal(said[order.numpy()], mtl.tent(other, x[order], batch_size=20, lr=1e-3).numpy())


def test_a_sorted_stream_has_one_class_after_the_other_in_an_order_of_its_seed():
    y = torch.arange(8).repeat(5)[torch.randperm(40, generator=torch.Generator().manual_seed(1))]
    runs = [torch.unique_consecutive(y[e.sorted_order(y, seed)]).tolist() for seed in (0, 1)]
    assert all(sorted(run) == list(range(8)) for run in runs) and runs[0] != runs[1]
    assert sorted(e.sorted_order(y, 0).tolist()) == list(range(40))


def test_in_another_mix_two_classes_are_four_fifths():
    y = torch.arange(8).repeat(100)
    rows = e.another_mix(y, 3, classes=8)
    counts = torch.bincount(y[rows], minlength=8).sort().values
    assert counts[-2:].tolist() == [100, 100] and counts[:-2].sum() == 50 and len(set(rows.tolist())) == len(rows)


def test_a_drifting_device_begins_as_the_source_and_ends_as_the_device():
    x = mtl.draw("smear", torch.arange(8).repeat(5), 16, seed=0)
    seen = e.drifting(x, "C", 3, to=0.5, parts=10)
    assert torch.equal(seen[:4], x[:4]) and seen.shape == x.shape and seen.dtype == torch.uint8
    far = (seen.float() - x.float()).abs().flatten(1).mean(1)
    assert far[-4:].mean() > 1.5 * far[12:16].mean() > 0


def test_images_seen_by_a_device_are_those_of_smear_domains(monkeypatch):
    def noise(kind, y, size, seed):
        return torch.randint(256, (len(y), 3, 8, 8), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)

    monkeypatch.setattr(domains, "draw", noise)
    _, plain = domains.smear_domains("scanner B", 7, strength=0.0, n=20)
    for shift, strength in (("scanner C", 0.5), ("scanner B", 1.0)):
        _, wanted = domains.smear_domains(shift, 7, strength=strength, n=20)
        found = benchmark.seen_by(plain, shift, strength, 7)
        for name in ("train", "val", "test"):
            assert torch.equal(getattr(found, name).x, getattr(wanted, name).x), (shift, name)
            assert torch.equal(getattr(found, name).y, getattr(wanted, name).y)


def test_a_class_that_is_corrected_is_the_class_that_is_frequent(tables, model):
    """Bayes by hand, from the weights of BBSE."""
    source = tables[0]
    said = mtl.predict(model, source.test.x).numpy()
    weights = label_shift_weights(mtl.predict(model, source.val.x), source.val.y, said)
    wanted = said * weights / (said * weights).sum(1, keepdims=True)
    np.testing.assert_allclose(e.corrected_by_bbse(model, source.val, said), wanted, atol=1e-6)


# --- who may choose --------------------------------------------------------------------------------------------------


def test_unlabelled_scores_by_hand(tables, model):
    source, target = tables
    found = e.unlabelled_scores(model, source, target.train.x)
    val, there = (mtl.predict(model, x).double().numpy() for x in (source.val.x, target.train.x))
    losses = -np.log(val[np.arange(40), source.val.y])
    entropy = -(there * np.log(there)).sum(1).mean()
    mean = there.mean(0)
    assert found["source validation"] == pytest.approx(losses.mean(), abs=1e-4)
    assert found["target entropy"] == pytest.approx(entropy, abs=1e-4)
    assert found["entropy and balance"] == pytest.approx(entropy + (mean * np.log(mean)).sum(), abs=1e-4)
    here, other, at = (e.features_in(model, x).numpy() for x in (source.train.x, target.train.x, source.val.x))
    weights = mtl.importance_weights(here, other, at)
    assert found["weighted validation"] == pytest.approx((weights * losses).mean(), rel=1e-3)
    assert set(found) == set(e.RULES)


def test_a_rule_takes_the_lowest_and_hindsight_is_judged_on_other_cases():
    main = "balanced accuracy"
    rows = [
        {"kind": "toy", "way": way, "scores": {main: [a], f"{main}, even cases": [b], f"{main}, odd cases": [c],
         **{rule: [r] for rule in e.RULES}}, "seeds": [0]}
        for way, a, b, c, r in (("one", 0.5, 0.9, 0.1, 0.3), ("two", 0.6, 0.5, 0.7, 0.2))
    ]  # fmt: skip
    found = {row["way"]: row for row in e.with_choices(rows)}
    chosen = found["chosen by DEV"]
    assert chosen["scores"] == {main: [0.6], "regret": [0.0]} and chosen["chosen"] == ["two"]
    best = found["best on target labels"]
    assert best["scores"] == {main: [0.1], "score that it was chosen by": [0.9], "best of all": [0.6]}
    assert best["chosen"] == ["one"]


# --- the record ------------------------------------------------------------------------------------------------------

REPORT = mtl.Record("adapting", stage="report")
ROWS = REPORT.about["rows"]


@pytest.mark.parametrize("kind", ["smear", "hospitals"])
def test_the_settings_are_those_that_the_tuning_chose_without_target_labels(kind):
    rows = [row for row in ROWS if row["stage"] == "tuning"]
    wanted = benchmark.chosen_settings(rows, kind)
    found = {way: list(setting) if isinstance(setting, tuple) else setting for way, setting in e.SETTINGS[kind].items()}
    assert found == wanted


def test_the_rule_is_the_one_with_the_smallest_regret_on_the_tuning_seeds():
    """Of equal ones the first of two that a collapsed network cannot deceive; from the rows alone."""
    regret = {rule: [] for rule in e.RULES}
    for seed in range(3):
        rows = [
            {score: values[row["seeds"].index(seed)] for score, values in row["scores"].items()}
            for row in ROWS
            if row["stage"] == "tuning" and row["kind"] == "smear" and seed in row["seeds"]
            and row["finish"] == ("AdaBN" if row["way"] in e.ALIGNED else "as trained")
        ]  # fmt: skip
        best = max(row["balanced accuracy"] for row in rows)
        for rule in e.RULES:
            regret[rule].append(best - min(rows, key=lambda row: row[rule])["balanced accuracy"])
    means = {rule: round(float(np.mean(values)), 4) for rule, values in regret.items()}
    assert means["entropy and balance"] == min(means.values()), means


def test_choices_in_the_record_follow_from_its_rows():
    rows = [row for row in ROWS if row["stage"] == "report" and row.get("shift") != "scanners B and C"]  # no means
    groups = benchmark.settings_with_candidates(rows)
    assert groups
    for group in groups:
        for row in e.with_choices(group):
            keys = {key: row[key] for key in ("kind", "shift", "strength", "source", "target", "data") if key in row}
            assert REPORT.row(row["way"], **keys)["scores"] == row["scores"], keys


def test_the_primary_comparison_has_ten_seeds_and_new_images_for_each():
    about = REPORT.about["primary"]
    assert (about["ours"], about["theirs"], about["margin"], about["over"]) == ("TENT", "AdaBN", 0.02, "seeds")
    assert REPORT.row("TENT", "balanced accuracy", **about["where"])["seeds"] == list(range(200, 210))
    assert REPORT.primary.n == 10


def test_digits_of_the_record_computed_again():
    """One cell: the ways that train nothing, after a source network that is trained anew."""
    rows = benchmark.report("digits", "cheap", 200)
    for row in rows:
        wanted = REPORT.scores(row["way"], kind="digits")[0]
        assert row["scores"]["balanced accuracy"] == pytest.approx(wanted, abs=0.04), row["way"]


@pytest.mark.slow
def test_a_device_of_the_record_computed_again(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark.LOG, "path", tmp_path / "_run" / "adapting.jsonl")
    for row in benchmark.report("smear", "cheap", 200, shift="scanner B", strength=0.5):
        wanted = REPORT.scores(row["way"], kind="smear", shift="scanner B", strength=0.5)[0]
        assert row["scores"]["balanced accuracy"] == pytest.approx(wanted, abs=0.03), row["way"]
