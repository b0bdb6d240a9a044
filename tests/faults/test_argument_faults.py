"""Arguments of every wrong kind: a table of what is said, and a sweep over all parameters of the public functions.

In the sweep each parameter in turn gets each of the ``WRONG`` values. The call may work (some of them are right for
some), but if it does not, then one sentence of ours says why.
"""

import inspect

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from rows import NOTHING_RIGHT, Row, of_ours, unclear
from torch import nn

from medtl_helpers import assets, parts, provenance
from medtl_helpers.data import catalogue, cohorts, domains, phantoms, pretraining, shifts, tables, transfer_tables
from medtl_helpers.methods import (
    adabn,
    attacks,
    calibration,
    calibration_line,
    decision,
    federated,
    gradient_reversal,
    h_score,
    intervals,
    label_shift,
    leep,
    matching,
    metrics,
    operating_point,
    oracle,
    reliability,
    scores,
    server_steps,
    shared_scale,
    subgroups,
    threshold,
    transferability,
    two_level,
)
from medtl_helpers.methods.dann import DANN
from medtl_helpers.methods.history import DANNHistory
from medtl_helpers.teaching import claims, course_map, grading, plots, records, widgets

GENERATOR = torch.Generator().manual_seed(0)
X, Y = torch.randn(24, 6, generator=GENERATOR), torch.arange(24) % 2
P = X[:, :2].softmax(1)
IMAGES = torch.randint(0, 256, (6, 3, 16, 16), generator=GENERATOR, dtype=torch.uint8)
FRAME = tables.heart_twin("cleveland", 30)
SHARE = intervals.Interval(0.8, 0.7, 0.9, "t over seeds", 10)


def network(outputs=2, *more):
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, outputs), *more)


def dann():
    return DANN(nn.Sequential(nn.Linear(6, 16), nn.ReLU()), 16, 2)


def linear():
    return nn.Linear(6, 2)


MEMBER = np.arange(400) < 200
PHI = np.random.default_rng(0).normal(size=400)


def remembered(model):
    return model, DANNHistory(states=[model.state_dict()])


def right(y, answers):
    return float((answers.argmax(1) == y).mean()) if answers.ndim == 2 else 0.5


# --- what is said ----------------------------------------------------------------------------------------------------

# fault, call, what is said
ARGUMENTS = [
    (
        "metrics: labels of a pandas column with a gap",
        lambda: metrics.bootstrap_metrics(pd.Series([1, None] * 12), P),
        "The labels are float64",
    ),
    ("metrics: a generator of labels", lambda: metrics.bootstrap_metrics((int(k) for k in Y), P), "The labels are"),
    (
        "calibration error of sigmoids that do not add up to 1",
        lambda: calibration.calibration_error(0.9 * torch.ones(24, 2), Y),
        "add up to 1.8, not to 1",
    ),
    (
        "metrics: no draws",
        lambda: metrics.bootstrap_metrics(Y, P, resamples=0),
        "resamples is 0: give a whole number of 1 or more",
    ),
    (
        "metrics: a seed below 0",
        lambda: metrics.bootstrap_metrics(Y, P, seed=-1),
        "seed is -1: give a whole number of 0",
    ),
    (
        "metrics: positive as True",
        lambda: metrics.bootstrap_metrics(Y, P, positive=True),
        "positive is True: give a whole number",
    ),
    (
        "calibration error of logits",
        lambda: calibration.calibration_error(4 * X[:, :2], Y),
        "give numbers from 0 to 1, the softmax",
    ),
    ("calibration error: labels from 1", lambda: calibration.calibration_error(P, Y + 1), "number the classes from 0"),
    (
        "calibration error: no bins",
        lambda: calibration.calibration_error(P, Y, 0),
        "bins is 0: give a whole number of 1",
    ),
    (
        "recalibration: NaN logits",
        lambda: calibration.recalibrate_intercept(X[:, 0] * torch.nan, Y),
        "24 logits are not finite numbers",
    ),
    (
        "recalibration: labels 1 and 2",
        lambda: calibration.recalibrate_intercept(X[:, 0], Y + 1),
        "are not all true or false, or 0 or 1",
    ),
    (
        "recalibration: a penalty below 0",
        lambda: calibration.recalibrate_slope(X[:, 0], Y, -1.0),
        "lam is -1.0: give a finite rate",
    ),
    (
        "operating point: sick as text",
        lambda: operating_point.operating_point(["no", "yes"] * 12, P[:, 1]),
        "The sick cases are a list of text",
    ),
    (
        "operating point: sick as classes",
        lambda: operating_point.operating_point(2 * Y, P[:, 1]),
        "compare them first, like y == positive",
    ),
    ("operating point: logits", lambda: operating_point.operating_point(Y, 5 * X[:, 0]), "give numbers from 0 to 1"),
    (
        "operating point: a threshold in per cent",
        lambda: operating_point.operating_point(Y, P[:, 1], threshold=50),
        "threshold is 50",
    ),
    (
        "predictive values: a prevalence in per cent",
        lambda: operating_point.predictive_values(SHARE, SHARE, 5),
        "prevalence is 5",
    ),
    (
        "net benefit: who is treated as text",
        lambda: decision.net_benefit(Y, ["no", "yes"] * 12, 0.1),
        "The acts are a list of text",
    ),
    (
        "label shift: counts instead of shares",
        lambda: label_shift.label_shift_weights(3 * P, Y, P),
        "give numbers from 0 to 1",
    ),
    (
        "label shift: answers of two networks",
        lambda: label_shift.label_shift_weights(P, Y, X[:, :3].softmax(1)),
        "what the same network answers",
    ),
    (
        "label shift: weights of other classes",
        lambda: label_shift.reweighted(P, [1, 2, 3]),
        "give 2 numbers of 0 or more",
    ),
    ("interval of one seed", lambda: intervals.t_interval([0.5]), "an interval needs 2 or more"),
    (
        "interval: a level in per cent",
        lambda: intervals.t_interval([0.5, 0.6], level=95),
        "level is 95: give a share between 0 and 1",
    ),
    ("proportion of half a case", lambda: intervals.proportion(1.5, 3), "hits is 1.5: give a whole number"),
    ("Holm of what is no p-value", lambda: intervals.holm([0.1, 1.5]), "The p-values run from 0.1 to 1.5"),
    ("two levels: one seed", lambda: two_level.two_level(Y, P[None], score=right), "of the same S seeds, at least 2"),
    (
        "two levels: a score of no number",
        lambda: two_level.two_level(Y, torch.stack([P, P]), score=lambda y, a: a),
        "returns one number",
    ),
    (
        "two levels: too few groups",
        lambda: two_level.two_level(Y, torch.stack([P, P]), score=right, groups=[1, 2]),
        "for 24 cases",
    ),
    (
        "LogME of labels as text",
        lambda: transferability.log_me(X, ["ill", "well"] * 12),
        "The labels are a list of text",
    ),
    ("LEEP of logits", lambda: leep.leep(4 * X, Y), "give numbers from 0 to 1, the softmax of logits"),
    ("LEEP of one class", lambda: leep.leep(P, 0 * Y), "All labels are of one class"),
    (
        "N-LEEP: more components than images",
        lambda: leep.n_leep(X, Y, components=25),
        "There are 24 images for 25 components",
    ),
    ("N-LEEP of a dead layer", lambda: leep.n_leep(0 * X, Y), "The features are the same for all images"),
    ("H-score of NaN", lambda: h_score.h_score(X * torch.nan, Y), "144 features are not finite numbers"),
    ("H-score of a dead layer", lambda: h_score.h_score(0 * X, Y), "look for a layer that has died"),
    (
        "linear probe: a class too rare for the folds",
        lambda: transferability.linear_probe_score(X, Y, folds=13),
        "The rarest class is in 12 examples, for 13 folds",
    ),
    (
        "linear probe: two patients",
        lambda: transferability.linear_probe_score(X, Y, groups=Y),
        "The rarest class is in 1 groups, for 5 folds",
    ),
    (
        "distance of other features",
        lambda: transferability.proxy_a_distance(X, X[:, :4]),
        "The source has 6 features, the target 4",
    ),
    ("distance of three examples", lambda: transferability.proxy_a_distance(X[:3], X), "of 5 examples or more"),
    (
        "threshold of one and the same answer",
        lambda: threshold.reset_threshold(network(), X[:1].repeat(9, 1), 0.3),
        "no threshold divides them",
    ),
    (
        "threshold of three classes",
        lambda: threshold.reset_threshold(network(3), X, 0.3),
        "has 3 classes, and a threshold is for two",
    ),
    (
        "matching on two scales",
        lambda: matching.match_pixels(IMAGES, IMAGES.float()),
        "are on two scales, one of them up to 255",
    ),
    (
        "matching of NaN",
        lambda: matching.match_pixels(IMAGES, IMAGES / 255 * torch.nan),
        "hold NaN, infinite numbers or one pixel",
    ),
    (
        "matching to a constant source",
        lambda: matching.match_pixels(IMAGES * 0, IMAGES),
        "The source's images are constant in a channel",
    ),
    ("AdaBN of NaN", lambda: adabn.adapt_batch_norm(network(), X * torch.nan), "look for NaN in the target inputs"),
    (
        "AdaBN: batch norm without statistics",
        lambda: adabn.adapt_batch_norm(nn.BatchNorm1d(6, track_running_stats=False), X),
        "track_running_stats=True",
    ),
    (
        "oracle of another network's history",
        lambda: oracle.oracle(dann(), remembered(network())[1], X, Y),
        "the weights of another network",
    ),
    ("accuracy: labels that are no class", lambda: scores.accuracy(network(), (X, Y + 1)), "number the classes from 0"),
    ("λ beyond the end", lambda: gradient_reversal.lambda_schedule(2.0), "progress is 2.0: give a share"),
    (
        "domain loss of no target",
        lambda: gradient_reversal.domain_loss(X[:, :1], X[:0, :1]),
        "The target logits are of shape (0, 1)",
    ),
    (
        "phantoms: labels between classes",
        lambda: phantoms.draw("smear", [0.5, 1.5]),
        "The labels are float64: give whole numbers",
    ),
    (
        "phantoms: two channels",
        lambda: phantoms.draw("smear", [0], channels=2),
        "channels is 2: give 1 for grey, 3 for colour",
    ),
    ("phantoms: no pixels", lambda: phantoms.draw("smear", [0], 0), "size is 0: give a whole number of 4 or more"),
    ("scanner: floats", lambda: shifts.SCANNERS["B"](IMAGES / 255), "give a tensor of uint8 images"),
    ("scanner: images that are not square", lambda: shifts.SCANNERS["B"](IMAGES[..., :8]), "give square ones"),
    ("scanner: strength below 0", lambda: shifts.SCANNERS["B"](IMAGES, -1), "strength is -1: give a finite rate"),
    (
        "assay shift of text",
        lambda: shifts.assay_shift(pd.DataFrame({"sex": ["F", "M"]}), 0.5),
        "give a pandas table of numbers",
    ),
    (
        "smears: frequencies of three classes",
        lambda: domains.smear_domains("texture", 0, target_balance=[1, 1, 1]),
        "give 8 frequencies of 0 or more",
    ),
    (
        "X-rays: no such scanner",
        lambda: domains.chest_domains(0, scanner="Z"),
        "The scanner is 'Z': choose one of A, B, C, D",
    ),
    (
        "heart twin: no such hospital",
        lambda: tables.heart_twin("zurich", 9),
        "The site is 'zurich': choose one of cleveland",
    ),
    (
        "transfer tables: of what they do not hold",
        lambda: transfer_tables.transfer_tables("dataset"),
        "of is 'dataset': choose one of source, architecture",
    ),
    (
        "load: published results",
        lambda: catalogue.load("transferability"),
        "transferability holds published results, and nothing to train on: use transfer_tables.",
    ),
    (
        "transfer tables that are not on this disk",
        transfer_tables.transfer_tables,
        "(MEDTL_DATA=twin): fetch them with make data ONLY=transferability.",
    ),
    (
        "a table with a column twice",
        lambda: tables.columns(pd.concat([FRAME, FRAME[["age"]]], axis=1)),
        "has age twice",
    ),
    ("held-out task: a negative number", lambda: pretraining.held_out_task(-1, 0), "n is -1: give a whole number of 0"),
    ("pre-training of no such network", lambda: pretraining.n_classes("alexnet"), "choose one of vgg16, resnet"),
    (
        "check: a function as condition",
        lambda: claims.check("It holds", lambda: True, n=1),
        "is <lambda>: give one truth value",
    ),
    ("check: text as condition", lambda: claims.check("It holds", "False", n=1), "is 'False': give one truth value"),
    ("federation: no hospital", lambda: federated.federated_average(linear, {}, 1), "hospitals is a dict: give a dict"),
    (
        "federation: a hospital of one label too few",
        lambda: federated.federated_average(linear, {"va": (X, Y[:9])}, 1),
        "The va set has 24 inputs and 9 labels",
    ),
    (
        "federation: a network in place of what makes it",
        lambda: federated.federated_average(linear(), {"va": (X, Y)}, 1),
        "give a function that makes it",
    ),
    (
        "federation: batch norm",
        lambda: federated.federated_average(network, {"va": (X, Y)}, 1),
        "a mean of the hospitals' variances is not the variance of all: use group norm",
    ),
    (
        "federation: labels that the network has no output for",
        lambda: federated.federated_average(linear, {"va": (X, Y), "basel": (X, Y + 1)}, 1),
        "Labels run from 1 to 2, but the model's outputs are 0 to 1",
    ),
    (
        "federation: a rate that is too high",
        lambda: federated.federated_average(linear, {"va": (1e20 * X, Y)}, 9, lr=1e30),
        "no longer finite numbers after a round: try a rate ten times lower",
    ),
    (
        "federation: a server that returns nothing",
        lambda: federated.federated_average(linear, {"va": (X, Y)}, 1, server=lambda weights, change: None),
        "made None: give a function of weights and their mean change",
    ),
    ("FedAdam: a beta of 1", lambda: server_steps.FedAdam(betas=(0.9, 1.0)), "The second beta is 1.0: give a share"),
    (
        "shared scale: other columns in one hospital",
        lambda: shared_scale.shared_scale([shared_scale.column_sums(X), shared_scale.column_sums(X[:, :2])]),
        "The hospitals' sums are of [2, 6] columns",
    ),
    (
        "shared scale: an infinite value",
        lambda: shared_scale.column_sums(X / 0),
        "N×D finite numbers, and NaN where a value is missing",
    ),
    (
        "attack: fewer others than 1 % can be taken of",
        lambda: attacks.tpr_at(PHI[:60], MEMBER[170:230]),
        "There are 30 cases that are no members, and 0.01 of them is not one case: give at least 100",
    ),
    ("attack: all are members", lambda: attacks.tpr_at(PHI, PHI > -99), "The members are of one class"),
    (
        "LiRA: one shadow network",
        lambda: attacks.lira(PHI, PHI[None]),
        "for each of at least 2 shadow networks",
    ),
    (
        "LiRA: a case that no shadow network was trained on",
        lambda: attacks.lira(PHI[:2], np.zeros((3, 2)), [[1, 0], [0, 0], [1, 0]]),
        "1 cases were in the training of all shadow networks, or of none",
    ),
    ("check: NaN as condition", lambda: claims.check("It holds", float("nan"), n=1), "is nan: give one truth value"),
    ("check: several truth values", lambda: claims.check("It holds", X[0] > 0, n=1), "like (values > 0).all()"),
    ("check: None as figure", lambda: claims.check("It holds", True, n=None), "A figure is None: give numbers"),
    (
        "check: no such part of a record",
        lambda: claims.check("It holds", True, n=1, record="embedded_scores/x"),
        "choose one of",
    ),
    (
        "begin: no such lesson",
        lambda: course_map.begin("99_moon"),
        "The lesson is '99_moon': choose one of 00_start_here",
    ),
    ("grade: no such exercise", lambda: grading.grade("00.99", 1), "The exercise is '00.99': choose one of 00.1"),
    ("grade: the number as a number", lambda: grading.grade(0.1, 1), "The lesson is '0': choose one of 00"),
    ("show: no figure", lambda: plots.show("picture.png", "A cell."), "give a figure of matplotlib"),
    ("show: no alt text", lambda: plots.show(plt.figure(), None), "Every figure needs an alt text"),
    ("images with too few titles", lambda: plots.show_images(IMAGES, ["one"], "Cells."), "6 images and 1 titles"),
    ("slider over nothing", lambda: widgets.slider(print, label="λ", values=[]), "over 0 values"),
    (
        "slider that starts elsewhere",
        lambda: widgets.slider(print, label="λ", values=[1, 2], start=3),
        "is none of its values",
    ),
    ("record without rows", lambda: records.Record("timings"), "has no rows: read it with mtl.recorded('timings')"),
    ("provenance of no task", lambda: provenance.provenance_of(5), "data is a int, without a provenance: give a task"),
]


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")
    monkeypatch.setattr(claims, "_records", [])
    monkeypatch.setattr(provenance, "_sources", {})
    yield
    plt.close("all")


@pytest.mark.parametrize("call, said", [row[1:] for row in ARGUMENTS], ids=[row[0] for row in ARGUMENTS])
def test_an_argument_that_is_wrong(call, said):
    with pytest.raises((ValueError, TypeError, KeyError, FileNotFoundError, FloatingPointError)) as info:
        call()
    assert said in of_ours(info.value)


# --- the sweep -------------------------------------------------------------------------------------------------------

WRONG = NOTHING_RIGHT | {
    "a function": lambda: lambda *anything, **more: None,
    "a tensor of another shape": lambda: torch.zeros(2, 3, 4),
}
FEW = {"resamples": 20}
AXIS = {"axis": None}  # stands for a new one
# what is called -> good arguments; each is replaced in turn
CALLS = {
    metrics.bootstrap_metrics: {"y": Y, "probability": P, "positive": 1, "level": 0.9, "seed": 0, **FEW},
    calibration.calibration_error: {"probability": P, "y": Y, "bins": 5},
    calibration.recalibrate_intercept: {"logit": X[:, 0], "y": Y},
    calibration.recalibrate_slope: {"logit": X[:, 0], "y": Y, "lam": 0.1},
    calibration_line.log_odds: {"probability": P[:, 1]},
    calibration_line.calibration_line: {"logit": X[:, 0], "y": Y},
    calibration_line.calibration_metrics: {
        "logit": X[:, 0], "y": Y, "patients": np.arange(24), "level": 0.9, "seed": 0, **FEW},
    reliability.reliability: {"y": Y, "probability": P[:, 1], "bins": 4, "cut": "count", "level": 0.9},
    reliability.expected_calibration_error: {"y": Y, "probability": P[:, 1], "bins": 4, "cut": "count"},
    reliability.ece_by_chance: {
        "probability": P[:, 1], "bins": 4, "cut": "count", "level": 0.9, "seed": 0, **FEW},
    reliability.squared_calibration_error: {"y": Y, "probability": P[:, 1], "bins": 4, "cut": "count"},
    subgroups.by_group: {
        "y": Y, "probability": P, "groups": np.arange(24) // 12, "patients": np.arange(24), "level": 0.9, "seed": 0,
        **FEW},
    subgroups.worst_group: {
        "y": Y, "probability": P, "groups": np.arange(24) // 12, "patients": np.arange(24), "score": "AUROC",
        "level": 0.9, "seed": 0, **FEW},
    operating_point.operating_point: {
        "sick": Y, "probability": P[:, 1], "prevalence": 0.2, "threshold": 0.5, "level": 0.9},
    decision.net_benefit: {"sick": Y, "act": Y, "threshold": 0.2, "prevalence": 0.1},
    decision.decision_curve: {
        "sick": Y, "probability": P[:, 1], "thresholds": [0.1, 0.2], "prevalence": 0.1, "groups": Y, "level": 0.9,
        "seed": 0, **FEW},
    decision.threshold_of_harms: {"false_alarm": 1.0, "missed": 9.0},
    label_shift.label_shift_weights: {"probability": P, "y": P.argmax(1), "target_probability": P},
    label_shift.reweighted: {"probability": P, "weights": [1.0, 2.0]},
    intervals.t_interval: {"values": [0.1, 0.2, 0.4], "level": 0.9},
    intervals.corrected_t: {"differences": [0.1, 0.2, 0.4], "test_share": 0.5, "level": 0.9},
    intervals.paired_difference: {"ours": [0.1, 0.3], "theirs": [0.1, 0.2], "level": 0.9},
    intervals.proportion: {"hits": 3, "n": 9, "method": "wilson", "level": 0.9},
    intervals.t_test: {"differences": [0.1, 0.2, 0.4], "margin": 0.1, "test_share": 0.5},
    intervals.holm: {"p_values": [0.1, 0.2]},
    two_level.two_level: {
        "y": Y, "ours": torch.stack([P, P]), "theirs": torch.stack([P, P]), "score": right, "groups": Y, "level": 0.9,
        "seed": 0, **FEW},
    transferability.log_me: {"features": X, "labels": Y},
    transferability.linear_probe_score: {"features": X, "labels": Y, "groups": torch.arange(24), "folds": 3, "seed": 0},
    leep.leep: {"probability": P, "labels": Y},
    leep.n_leep: {"features": X, "labels": Y, "components": 4, "seed": 0},
    h_score.h_score: {"features": X, "labels": Y},
    transferability.proxy_a_distance: {"source": X, "target": X + 1, "seed": 0},
    threshold.reset_threshold: {"model": network(), "target_x": X, "share": 0.3},
    threshold.ShiftedOdds: {"shift": 1.0},
    matching.match_pixels: {"source_x": IMAGES, "target_x": IMAGES},
    adabn.adapt_batch_norm: {"model": network(), "target_x": X, "batch_size": 8, "device": "cpu"},
    oracle.oracle: {**dict(zip(("model", "history"), remembered(dann()), strict=True)), "x": X, "y": Y},
    scores.accuracy: {"model": network(), "split": (X, Y)},
    scores.balanced_accuracy: {"model": network(), "split": (X, Y)},
    DANN: {"features": nn.Linear(6, 4), "width": 4, "classes": 2},
    dann().fit: {
        "source_x": X, "source_y": Y, "target_x": X, "val": (X, Y), "epochs": 1, "batch_size": 8, "lr": 1e-3,
        "weight_decay": 0.0, "lam_max": 0.1, "augment": None, "select": "last", "seed": 0, "device": "cpu"},
    federated.federated_average: {
        "make_model": linear, "hospitals": {"va": (X, Y)}, "rounds": 1, "epochs": 1, "batch_size": 8, "lr": 0.1,
        "proximal": 0.1, "server": None, "seed": 0, "device": "cpu", "watch": None},
    server_steps.FedAdam: {"lr": 0.1, "betas": (0.9, 0.99), "tau": 1e-3},
    shared_scale.column_sums: {"x": X},
    shared_scale.shared_scale: {"sums": [shared_scale.column_sums(X)]},
    attacks.membership_scores: {"model": network(), "x": X, "y": Y, "batch_size": 8, "device": "cpu"},
    attacks.loss_attack: {"scores": PHI, "member": MEMBER, "training_loss": 0.5},
    attacks.lira: {"scores": PHI, "shadow_scores": np.stack([PHI, PHI + 1]), "shadow_members": None},
    attacks.attack_curve: {"scores": PHI, "member": MEMBER},
    attacks.tpr_at: {"scores": PHI, "member": MEMBER, "fpr": 0.01, "level": 0.9},
    gradient_reversal.reverse_gradient: {"x": X, "lam": 1.0},
    gradient_reversal.lambda_schedule: {"progress": 0.1, "lam_max": 1.0},
    gradient_reversal.rate_schedule: {"progress": 0.1},
    gradient_reversal.domain_classifier: {"width": 4, "hidden": 4},
    gradient_reversal.domain_loss: {"source_logits": X[:, :1], "target_logits": X[:, :1]},
    phantoms.draw: {"kind": "chest", "labels": [0, 1], "size": 16, "channels": 1, "seed": 0},
    phantoms.draw_ultrasound: {"labels": [0, 1], "size": 16, "seed": 0},
    cohorts.draw_cohort: {
        "patients": 20, "images": 2, "site": "away", "seed": 0, "size": 8, "prevalence": 0.5, "dense": 0.2, "val": 0.3,
        "test": 0.4},
    cohorts.split_by_image: {"task": cohorts.draw_cohort(20, size=8), "seed": 0},
    shifts.SCANNERS["B"].__call__: {"images": IMAGES, "strength": 0.5, "seed": 0},
    shifts.textured: {"images": IMAGES, "strength": 0.5, "seed": 0},
    shifts.assay_shift: {"x": FRAME, "strength": 0.5, "seed": 0},
    tables.columns: {"frame": FRAME},
    tables.heart_twin: {"site": "va", "n": 9, "seed": 0},
    domains.smear_domains: {"shift": "texture", "seed": 0, "strength": 0.5, "n": 4, "size": 8, "target_balance": None},
    domains.digit_domains: {"seed": 0, "size": 8},
    domains.hospital_domains: {"source": "cleveland", "target": "va", "seed": 0},
    domains.chest_domains: {"seed": 0, "scanner": "B", "strength": 0.5, "n": 4},
    pretraining.n_classes: {"network": "vgg16"},
    pretraining.class_names: {"network": "vgg16"},
    pretraining.batch: {"network": "resnet", "n": 4, "size": 16, "seed": 0},
    pretraining.images: {"family": "waves", "labels": torch.tensor([0, 1]), "size": 16, "seed": 0},
    pretraining.held_out_task: {"n": 1, "seed": 0, "size": 8, "scanner": "D", "val": 1, "test": 1},
    claims.check: {"claim": "It holds", "condition": True, "figures": {"n": 1}, "on": "twin", "data": "real",
                   "weights": None, "record": None},
    course_map.begin: {"name": "05_dann"},
    course_map.data_cards: {"name": "breast"},
    assets.card: {"name": "breast"},
    grading.grade: {"number": "00.1", "answer": 1},
    grading.exercises: {"lesson": "00"},
    plots.show: {"figure": None, "alt": "A figure.", "data": "twin", "provenance": None},
    plots.show_images: {"images": IMAGES[:2], "titles": "ab", "alt": "Cells.", "columns": 2, "data": "twin"},
    plots.interval_marks: {**AXIS, "at": [0], "intervals": [SHARE], "colour": "blue"},
    plots.interval_plot: {**AXIS, "intervals": {"a": SHARE}, "colour": "blue", "reference": {"a": 0.5}},
    plots.show_shift: {"images": IMAGES[:1], "scanner": shifts.SCANNERS["B"], "strengths": [0.0, 1.0], "data": "twin"},
    plots.show_transfer: {"source": IMAGES[:1].expand(48, -1, -1, -1), "target": IMAGES, "data": "twin"},
    widgets.slider: {"draw": lambda value: None, "label": "λ", "values": [1, 2], "start": 1},
    records.Record: {"file": "dann", "part": None},
    records.Record("dann", stage="report").row: {"way": "DANN", "score": "accuracy", "kind": "white"},
    provenance.provenance_of: {"data": "twin"},
    parts.check_choice: {"value": "a", "name": "The letter", "choices": ("a", "b")},
}  # fmt: skip
NOT_SWEPT = {"axis", "choices"}  # an axis is matplotlib's own


def name_of(call) -> str:
    return getattr(call, "__qualname__", str(call))


def tried(call, arguments: dict):
    plt.close("all")
    arguments = {k: plt.figure().subplots() if k == "axis" and v is None else v for k, v in arguments.items()}
    if call is plots.show and arguments["figure"] is None:
        arguments["figure"] = plt.figure()
    if call is course_map.data_cards:
        return call(*arguments.values())
    return call(**arguments)


SLOW = {domains.smear_domains, domains.chest_domains, domains.hospital_domains, grading.grade, plots.show_images,
        plots.show_transfer, plots.show_shift}  # fmt: skip


@pytest.mark.parametrize(
    "call", [pytest.param(c, marks=pytest.mark.slow if c in SLOW else (), id=name_of(c)) for c in CALLS]
)
@pytest.mark.filterwarnings("ignore")
def test_no_wrong_argument_ends_in_a_traceback_of_a_library(call, capsys):
    arguments = CALLS[call]
    with plots.not_shown():
        tried(call, arguments)  # so that it is the replaced one that is refused
        found = unclear(lambda **given: tried(call, given), lambda: arguments, WRONG, arguments.keys() - NOT_SWEPT)
    assert not found, found


def test_every_parameter_of_the_public_functions_is_swept():
    left_out = {
        "covariance",
        "keep_states",
        "jitter",
        "joined",
        "shrink",
        "horizontal",
        "label",
        "marker",
        "kind",
        "domain",
        "progress",
    }
    left_out |= {"headline", "more", "only", "where", "names", "images_only"}
    for call, arguments in CALLS.items():
        wanted = set(inspect.signature(call).parameters) - {"self"} - left_out
        assert wanted - {"provenance"} <= set(arguments) | AXIS.keys() | {"kind"}, (name_of(call), wanted)


TABLE = [Row(fault, said, "—") for fault, _, said in ARGUMENTS]
