"""The experiment of notebook 04: what each part does, and that no way sees more than it says."""

import math
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pytest
import sklearn.metrics as sk
import torch
import torch.nn.functional as F
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

import medtl_helpers as mtl
from medtl_helpers.data import domains
from medtl_helpers.lessons.source_target import experiment
from medtl_helpers.methods import scores
from medtl_helpers.methods.intervals import Interval, corrected_t, holm, t_test

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "04_cnn_source_to_target.ipynb"
CELLS = experiment.OF_PAIR[experiment.CELLS]
REPAIRS = {  # way -> its name in the notebook
    experiment.PIXELS: "pixels",
    experiment.COVARIANCE: "colours",
    experiment.ADABN: "ada_bn",
    experiment.BOTH: "augmented_ada_bn",
}


@pytest.fixture(autouse=True)
def twins(monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(experiment, "STEPS", 3)
    monkeypatch.setattr(experiment, "FEW_STEPS", 4)


def same(a, b):
    return all(
        torch.equal(x.cpu(), y.cpu()) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


@pytest.mark.parametrize("classes", [2, 8])
def test_the_floor_is_what_a_perfect_answer_costs(classes):
    charged = F.cross_entropy(torch.eye(classes), torch.arange(classes)).item()
    assert charged == pytest.approx(experiment.loss_floor(classes))


def test_the_two_networks_answer_with_the_same_probabilities():
    x = torch.randint(256, (5, 3, 28, 28), dtype=torch.uint8)
    mtl.seed_everything(0)
    twice = experiment.TwoConvCNN(3, 8, softmax=True)
    mtl.seed_everything(0)
    once = experiment.TwoConvCNN(3, 8)
    assert torch.allclose(experiment.probabilities(twice, x), experiment.probabilities(once, x), atol=1e-6)
    outputs, y = twice.cpu()(mtl.to_float(x)), torch.arange(5)
    right = experiment.probabilities(once, x)
    assert torch.allclose(F.cross_entropy(outputs, y), F.cross_entropy(right, y))  # the softmax is applied twice


@pytest.mark.parametrize(("pair", "channels"), [(experiment.CELLS, 3), (experiment.CHESTS, 1)])
def test_augmentation_keeps_type_and_shape_and_comes_back_with_its_seed(pair, channels):
    x = mtl.draw("smear", torch.arange(8), channels=channels)
    change = experiment.OF_PAIR[pair]["augment"]
    once, again = (change(x, torch.Generator().manual_seed(3)) for _ in range(2))
    assert once.shape == x.shape and once.dtype == torch.uint8
    assert torch.equal(once, again) and not torch.equal(once, x)


def test_the_augmentation_of_xrays_never_mirrors():
    """An image that is dark on the left and bright on the right stays so, as often as it is changed."""
    x = torch.full((200, 1, 28, 28), 30, dtype=torch.uint8)
    x[..., 14:] = 220
    changed = experiment.OF_PAIR[experiment.CHESTS]["augment"](x, torch.Generator().manual_seed(0)).float()
    assert (changed[..., :9].mean((1, 2, 3)) < changed[..., -9:].mean((1, 2, 3))).all()
    mirrored = CELLS["augment"](x, torch.Generator().manual_seed(0)).float()
    assert not (mirrored[..., :9].mean((1, 2, 3)) < mirrored[..., -9:].mean((1, 2, 3))).all()


@pytest.mark.parametrize("pair", list(experiment.OF_PAIR))
def test_each_way_sees_only_what_it_says(pair, quick):
    """Labels of the target's training images change the rows with few labels alone; test data change none."""
    source, target = experiment.two_domains(pair, 0)
    about = experiment.OF_PAIR[pair] | {"labels": 2}
    models = experiment.all_ways(source, target, 0, **about)
    wanted = set(experiment.WAYS) - {experiment.COVARIANCE if pair == experiment.CHESTS else experiment.THRESHOLD}
    assert set(models) == wanted
    other = replace(
        target,
        train=mtl.Split(target.train.x, target.train.y.roll(len(target.train.y) // 2)),
        val=source.val,
        test=mtl.Split(target.test.x * 0, target.test.y * 0),
    )
    again = experiment.all_ways(source, other, 0, **about)
    for way in models:
        assert same(models[way], again[way]) == (experiment.WAYS[way] != "few labels"), way
    darker = replace(target, train=mtl.Split(target.train.x // 2, target.train.y))
    again = experiment.all_ways(source, darker, 0, **about)
    for way in models:
        assert same(models[way], again[way]) == (experiment.WAYS[way] == "nothing"), way


def test_the_repairs_of_pixels_leave_the_network_and_are_its_answers_to_other_pixels(quick):
    source, target = domains.smear_domains("scanner D", 0, n=80)
    models = experiment.all_ways(source, target, 0, **CELLS | {"labels": 2})
    plain = models[experiment.SOURCE_ONLY]
    for way in (experiment.PIXELS, experiment.COVARIANCE):
        match, network = models[way]
        with torch.no_grad():
            answered = mtl.predict(plain, match.cpu()(mtl.to_float(target.test.x)))
        assert network is plain and torch.allclose(mtl.predict(models[way], target.test.x), answered, atol=1e-4)


def test_the_majority_answer_is_the_frequency_of_the_classes():
    answers = mtl.predict(experiment.SameAnswer(torch.tensor([0, 0, 2, 0]), 3), torch.zeros(5, 3, 8, 8))
    assert torch.allclose(answers, torch.tensor([0.75, 0.0, 0.25]).expand(5, 3))


def test_evened_classes_are_equally_frequent_and_no_image_is_lost():
    x = torch.arange(9).view(-1, 1, 1, 1).expand(-1, 3, 2, 2)
    even = experiment.evened(mtl.Split(x, torch.tensor([0, 0, 0, 0, 0, 1, 1, 2, 2])))
    assert even.y.bincount().tolist() == [5, 5, 5]
    assert even.x[:, 0, 0, 0].unique().tolist() == list(range(9))
    assert all(even.y[k] == [0, 0, 0, 0, 0, 1, 1, 2, 2][int(even.x[k, 0, 0, 0])] for k in range(15))


def test_the_scores_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 4, 97), rng.dirichlet([1, 1, 2, 3], 97).round(1) + 0.01
    p /= p.sum(1, keepdims=True)
    theirs = {
        "balanced accuracy": sk.balanced_accuracy_score(y, p.argmax(1)),
        "AUROC": sk.roc_auc_score(y, p, multi_class="ovr"),
        "log loss": sk.log_loss(y, p),
    }
    assert experiment.scores_of(y, p) == pytest.approx(theirs)


def test_the_p_value_of_an_interval_is_that_of_the_t_test():
    differences = np.random.default_rng(1).normal(0.3, 1, 10)
    ours = experiment.p_value(mtl.paired_difference(differences, np.zeros(10)))
    assert ours == pytest.approx(stats.ttest_1samp(differences, 0).pvalue)
    shared = corrected_t(differences, 0.25)
    assert shared.low < 0 and experiment.p_value(shared) == pytest.approx(t_test(differences, test_share=0.25))
    drawn = Interval(0.2, 0.2 - 1.96 * 0.1, 0.2 + 1.96 * 0.1, "bootstrap over 10 seeds and the test cases", 97)
    assert experiment.p_value(drawn) == pytest.approx(2 * stats.norm.sf(2), rel=1e-3)


def test_the_folds_of_white_cells_share_their_source():
    first, second = (experiment.two_domains(experiment.WHITE, 3, fold=fold) for fold in (0, 1))
    assert torch.equal(first[0].train.x, second[0].train.x) and first[0].train.y.bincount().unique().numel() == 1
    assert not torch.equal(first[1].test.x[:10], second[1].test.x[:10])


def test_the_notebook_shows_the_calls_that_the_record_was_made_with(monkeypatch):
    """The cells of "Twelve ways" train on the same images, in the same order, with the same settings as ``all_ways``.

    Nothing is trained here: a spy stands in the place of ``fit``, and notes what it is given.
    """
    noted = []

    def spy(model, data, val=None, **options):
        rates = [options["schedule"](done) for done in (0.0, 0.25, 1.0)] if options.get("schedule") else None
        change = options.get("augment")
        images = data.x[:8] if change is None else change(data.x[:8], torch.Generator().manual_seed(1))
        data = [images.double().mean().item(), data.x.double().mean().item(), data.y.tolist(), val.y.tolist()]
        numbers = [options["epochs"], options["batch_size"], options["lr"], options.get("seed", 0)]
        start = [parameter.sum().item() for parameter in model.parameters()]
        noted.append((rates, data, numbers, start))

    monkeypatch.setattr(mtl, "fit", spy)
    monkeypatch.setattr(experiment, "fit", spy)
    shown = [
        cell.source
        for cell in nbformat.read(NOTEBOOK, as_version=4).cells
        if cell.cell_type == "code" and "**long" in cell.source
    ]
    names = {}
    source, target = experiment.two_domains(experiment.CELLS, 0)
    exec("import copy\nimport torch\nimport medtl_helpers as mtl\nfrom torch import nn", names)
    exec("from medtl_helpers.methods.augment import wide_augment", names)
    exec("from medtl_helpers.methods.matching import match_pixels", names)
    names |= {"cells": source, "cells_there": target}
    for code in shown:
        exec(code.partition("mtl.show_images")[0], names)
    from_notebook, noted[:] = list(noted), []
    experiment.all_ways(source, target, 0, **CELLS)
    assert len(noted) == 6 and sorted(map(repr, from_notebook)) == sorted(map(repr, noted))
    shown_repairs = {way: names[name] for way, name in REPAIRS.items()}
    at_home = {experiment.SOURCE_ONLY: names["source_only"], experiment.AUGMENTED: names["augmented"]}
    about = {name: CELLS[name] for name in ("labels", "rates")}
    repaired = experiment.at_target(at_home, source, target, 0, **about)
    for way, network in shown_repairs.items():
        assert same(network, repaired[way]), way


def test_fine_tuning_leaves_the_source_network_and_gives_other_classes_a_head(quick):
    data = experiment.drawn_source("chest", 0, n=40)
    model = experiment.trained_on_source(data, 0, 3e-3)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    _, target = domains.smear_domains("scanner D", 0, n=80)
    tuned = experiment.go_on_from(model, mtl.few_shot(target, 2, seed=0, val=2), 0, 1e-3)
    assert tuned.head.out_features == 8 and model.head.out_features == 2
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_the_scores_beforehand_have_a_value_for_each(quick):
    source, target = domains.smear_domains("scanner D", 0, n=80)
    model = experiment.trained_on_source(source, 0, 3e-3)
    found = experiment.scores_beforehand(model, source, target, mtl.few_shot(target, 2, seed=0, val=2))
    assert list(found) == ["LogME", "proxy A-distance"] and all(math.isfinite(value) for value in found.values())


def test_the_head_on_frozen_features_is_a_logistic_regression_that_the_validation_chose(quick):
    """Against scikit-learn's pipeline with each of the four penalties."""
    source, _ = domains.smear_domains("scanner D", 0, n=200)
    few = mtl.few_shot(source, 4, seed=0, val=3)
    mtl.seed_everything(0)
    network = mtl.CourseCNN(3, 8, norm="batch")
    network.head = experiment.read_out(network, few)
    ours = mtl.predict(network, source.test.x[:50]).numpy()
    train, val, test = (
        experiment.features_of(network, x).numpy() for x in (few.train.x, few.val.x, source.test.x[:50])
    )
    scaled = StandardScaler().fit(train)
    spread = np.sqrt(len(train) / (len(train) - 1))  # torch's deviation divides by n - 1
    losses, answered = [], []
    for c in (1e-3, 1e-2, 0.1, 1):
        theirs = LogisticRegression(C=c, max_iter=2000).fit(scaled.transform(train) / spread, few.train.y)
        losses.append(sk.log_loss(few.val.y, theirs.predict_proba(scaled.transform(val) / spread)))
        answered.append(theirs.predict_proba(scaled.transform(test) / spread))
    np.testing.assert_allclose(ours, answered[int(np.argmin(losses))], atol=2e-3)


def test_what_is_trained_there_begins_where_it_says_and_takes_the_steps_that_it_says(monkeypatch):
    """Nothing is trained: a spy stands in the place of ``fit``. Both starts of the residual network get the same."""
    noted = {}
    monkeypatch.setattr(experiment, "fit", lambda model, *data, **options: noted.update({"model": model} | options))
    few = experiment.few_white_cells(0)
    assert few.train.y.bincount().tolist() == [10] * 4 and few.val.y.bincount().tolist() == [3] * 4
    epochs, seen = {}, []
    for way, start in experiment.RATES_THERE:
        model = experiment.trained_there(way, start, few, 5, 7e-4)
        assert noted["model"] is model and noted["lr"] == 7e-4 and noted["seed"] == 5
        assert all(parameter.requires_grad for parameter in model.parameters())
        wanted = experiment.resnet(start, 4, 5) if way == experiment.FINE_TUNED else experiment.new_network(few, 5)
        assert same(model, wanted) and not any(same(model, other) for other in seen if type(other) is type(model))
        epochs[way, start] = noted["epochs"]
        seen += [model] if way == experiment.FINE_TUNED else []
    tuned = {epochs[experiment.FINE_TUNED, start] for start in (experiment.PRETRAINED, experiment.RANDOM)}
    assert tuned == {experiment.RESNET_STEPS // 3}
    short, long = (epochs[way, experiment.SCRATCH] for way in (experiment.SMALL, experiment.SMALL_LONGER))
    assert short > max(tuned) and long / short == pytest.approx(4, rel=0.01)


def test_the_patient_opponent_has_four_times_the_steps(monkeypatch):
    noted = []
    monkeypatch.setattr(experiment, "fit", lambda model, *data, **options: noted.append(options["epochs"]))
    few = mtl.few_shot(domains.smear_domains("scanner D", 0, n=80)[0], 3, seed=0, val=3)
    for times in (1, experiment.TIMES):
        experiment.trained_on_few(few, 0, 1e-3, times=times)
    assert noted == [100, 400]


def test_the_comparisons_of_the_phantoms_are_corrected_together():
    record = mtl.Record("source_target")
    found = experiment.compared_there(record)
    assert set(found) == {*experiment.SECONDARY_THERE, experiment.AT_HOME}
    raw = {name: experiment.p_value(interval) for name, (interval, _) in found.items()}
    assert [p for _, p in found.values()] == pytest.approx(holm(list(raw.values())))
    rows = [
        record.row(experiment.FINE_TUNED, part="phantoms", start=start, repair="none")["scores"]
        for start in (experiment.PRETRAINED, experiment.RANDOM)
    ]
    ours, theirs = (np.array(row["balanced accuracy at home"]) for row in rows)
    interval = found[experiment.AT_HOME][0]
    assert interval.value == pytest.approx((ours - theirs).mean()) and interval.n == len(ours)
    assert interval.high - interval.low > 1.5 * np.ptp(
        stats.t.interval(0.95, len(ours) - 1, 0, stats.sem(ours - theirs))
    )


def test_no_name_of_the_experiment_is_a_public_name_for_something_else():
    for name in set(vars(experiment)) & set(mtl.__all__):
        assert getattr(experiment, name) is getattr(mtl, name), name


def test_the_record_has_seeds_that_chose_nothing():
    about = mtl.recorded("source_target")
    assert about["seeds"] == list(range(200, 210)) and about["primary"]["written"]
    chosen_on = {row["seed"] for row in about["rates tried"]}
    assert chosen_on and not chosen_on & set(about["seeds"])
    assert {(row["part"], row["pair"], row["data"]) for row in about["rows"]} == {
        ("ways", "blood cells", "twin"),
        ("ways", "X-rays", "twin"),
        ("ways", "X-rays", "real"),
        ("ways", "white cells", "real"),
        ("sources", "blood cells", "twin"),
        ("phantoms", "white cells", "real"),
    }
    for row in about["rows"]:
        assert {len(values) for values in row["scores"].values()} == {len(row["seeds"])}


def test_the_rates_are_those_with_the_lowest_loss_on_validation():
    about = mtl.recorded("source_target")
    there = {f"{way}, {start}": rate for (way, start), rate in experiment.RATES_THERE.items()}
    for pair, of_pair in (experiment.OF_PAIR | {"phantoms": {"rates": there}}).items():
        for way, rate in of_pair["rates"].items():
            losses: dict[float, list] = {}
            for row in about["rates tried"]:
                if (row["pair"], row["way"]) == (pair, way):
                    losses.setdefault(row["rate"], []).append(row["log loss"])
            assert len(losses) == 3 and rate == min(losses, key=lambda tried: sum(losses[tried])), (pair, way)


def test_a_recorded_network_comes_out_again():
    """Another processor may round, and so train, a little otherwise."""
    record = mtl.Record("source_target", "ways", pair=experiment.CELLS)
    seed = record.seeds[0]
    source, target = experiment.two_domains(experiment.CELLS, seed)
    network = experiment.trained_on_source(source, seed, CELLS["rates"][experiment.SOURCE_ONLY])
    model = experiment.with_statistics_of(target.train.x, network)
    again = scores.balanced_accuracy(model, target.test)
    assert again == pytest.approx(record.scores(experiment.ADABN)[0], abs=0.06)
