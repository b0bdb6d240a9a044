"""What lesson 06 and its benchmark share: a model trained at home, what it says of patients, its repair elsewhere."""

import copy
from typing import NamedTuple

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from ...data.cohorts import Cohort
from ...data.tasks import Split
from ...devices import seed_everything
from ...methods.adabn import adapt_batch_norm
from ...methods.calibration import recalibrate_intercept, recalibrate_slope
from ...methods.calibration_line import calibration_line, log_odds
from ...methods.decision import net_benefit
from ...methods.intervals import holm, t_interval, t_test
from ...methods.margins import BesideMargin
from ...methods.nets import CourseCNN
from ...methods.predict import predict
from ...methods.reliability import expected_calibration_error
from ...methods.temperature import find_temperature
from ...methods.train import fit
from ...teaching.records import Record

PATIENTS, LABELS = 600, 20  # at home; labelled ones of the second site
HOME = {"epochs": 8, "lr": 1e-3, "batch_size": 32}
FEW = {  # of the two ways that train on the few patients; chosen on seeds that are not reported
    "home, fine-tuned": {"epochs": 60, "lr": 1e-5, "batch_size": 16},
    "the few labels alone": {"epochs": 5, "lr": 1e-3, "batch_size": 16},
}
SHRINKAGE = 0.001  # λ of slope and intercept; chosen on the same seeds
THRESHOLDS = (0.1, 0.2, 0.3, 0.5)
AWAY, AT_HOME = {"kind": "sites", "site": "away"}, {"kind": "sites", "site": "home"}


class People(NamedTuple):
    """One entry for each patient: the mean logit of the disease over the images, the label, and the group."""

    logit: np.ndarray
    y: np.ndarray
    group: np.ndarray


def trained(task: Cohort, seed: int, *, model: nn.Module | None = None, val=None, **how) -> nn.Module:
    """``model``, or a new ``CourseCNN``, trained on the images of ``task``."""
    if model is None:
        seed_everything(seed)
        model = CourseCNN(1, 2, norm="batch")
    fit(model, task.train, val=val, seed=seed, progress=False, **how)
    return model


def people(model: nn.Module, task: Cohort, split: str = "test") -> People:
    """What a network says of the patients of a split."""
    logit = log_odds(predict(model, getattr(task, split).x)[:, 1])
    _, first, who = np.unique(task.patients[split], return_index=True, return_inverse=True)
    mean = np.bincount(who, logit) / np.bincount(who)
    return People(mean, np.asarray(getattr(task, split).y)[first], task.groups[split][first])


def some_patients(task: Cohort, n: int, seed: int) -> Cohort:
    """The task with ``n`` patients in training, drawn until two at least are sick and two healthy."""
    rng, names = np.random.default_rng(seed), np.unique(task.patients["train"])
    y = np.asarray(task.train.y)
    while True:
        at = np.flatnonzero(np.isin(task.patients["train"], rng.choice(names, n, replace=False)))
        sick = len(np.unique(task.patients["train"][at][y[at] == 1]))
        if 2 <= sick <= n - 2:
            return task.with_rows({"train": torch.from_numpy(at)})


def second_site(model: nn.Module, line: tuple[float, float], away: Cohort, few: Cohort, seed: int, how=None) -> dict:
    """Way → logits of the test patients of ``away``.

    ``line`` is what recalibrates the model at home. ``few`` has the labelled patients in training; the images of
    ``away.train`` are used without labels by AdaBN, and with all their labels by the last row alone.
    """
    how = how or FEW
    adapted = adapt_batch_norm(copy.deepcopy(model), away.train.x)
    found = {}
    for name, net in (("untouched", model), ("AdaBN", adapted)):
        here, there = people(net, few, "train"), people(net, away)
        known, new = (line[0] + line[1] * part.logit for part in (here, there))
        found[name] = new
        then = "" if name == "untouched" else "AdaBN, then "
        found[f"{then}intercept"] = new + recalibrate_intercept(known, here.y)
        a, b = recalibrate_slope(known, here.y, SHRINKAGE)
        found[f"{then}slope and intercept"] = a + b * new
        if name == "untouched":
            p = 1 / (1 + np.exp(-known))
            found["temperature"] = new / find_temperature(np.stack([1 - p, p], 1), here.y)
            share = (here.y.sum() + 0.5) / (len(here.y) + 1)
            found["prior alone"] = np.full(len(new), np.log(share / (1 - share)))
            every = people(net, away, "train")
            a, b = calibration_line(line[0] + line[1] * every.logit, every.y)
            found["slope and intercept, all labels"] = a + b * new
    for name, start in (("home, fine-tuned", copy.deepcopy(model)), ("the few labels alone", None)):
        found[name] = people(trained(few, seed, model=start, **how[name]), away).logit
    return found


def judged(logit: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """AUROC, log loss (nats), calibration in the large and slope, ECE, and net benefit beyond the policies."""
    p = 1 / (1 + np.exp(-logit))
    found = {
        "auroc": roc_auc_score(y, logit),
        "log loss": np.logaddexp(0, (1 - 2 * y) * logit).mean(),
        "in the large": recalibrate_intercept(logit, y),
        "ece": expected_calibration_error(y, p),
    }
    if np.ptp(logit) > 1e-9:  # the prior's answer is the same for all
        found["slope"] = calibration_line(logit, y)[1]
    for threshold in THRESHOLDS:
        treat_all = max(0.0, net_benefit(y == 1, np.ones(len(y), bool), threshold))
        found[f"gain at {threshold:g}"] = net_benefit(y == 1, p >= threshold, threshold) - treat_all
    return found


def group_scores(found: People) -> dict[str, float]:
    """AUROC of all patients and of each group, and the share of cancers found at one half."""
    scores = {}
    for name in (None, "dense", "fatty"):
        here = np.ones(len(found.y), bool) if name is None else found.group == name
        scores["auroc" if name is None else f"auroc, {name}"] = roc_auc_score(found.y[here], found.logit[here])
        sick = here & (found.y == 1)
        scores["sensitivity" if name is None else f"sensitivity, {name}"] = (found.logit[sick] >= 0).mean()
    return scores


def auroc_of_images(model: nn.Module, split: Split) -> float:
    """AUROC with each image as a case, as it is usually told."""
    return float(roc_auc_score(split.y, predict(model, split.x)[:, 1]))


# --- the record ------------------------------------------------------------------------------------------------------


def second_comparisons(record: Record) -> dict[str, BesideMargin]:
    """The seven secondary comparisons of ``benchmarks/trust.py``, in its order; "auroc" is outside Holm's family."""

    def of(way, score="log loss", **where):
        return record.scores(way, score, **where)

    ours = of("slope and intercept", **AWAY)
    found = {
        "prior alone": (ours - of("prior alone", **AWAY), 0.02),
        "AdaBN": (ours - of("AdaBN", **AWAY), 0.02),
        "AdaBN, then slope and intercept": (of("AdaBN, then slope and intercept", **AWAY) - ours, 0.02),
        "home, fine-tuned": (ours - of("home, fine-tuned", **AWAY), 0.02),
        "auroc": (of("untouched", "auroc", **AWAY) - of("untouched", "auroc", **AT_HOME), 0.05),
        "split": (of("by image", "optimism", kind="split") - of("by patient", "optimism", kind="split"), 0.02),
        "slope": (of("untouched", "slope", **AWAY) - of("untouched", "slope", **AT_HOME), 0.05),
    }
    raw = {name: _beyond(values, margin) for name, (values, margin) in found.items()}
    family = [name for name in found if name != "auroc"]
    p = raw | dict(zip(family, holm([raw[name] for name in family]), strict=True))
    return {
        name: BesideMargin(t_interval(values), margin, p[name], raw[name]) for name, (values, margin) in found.items()
    }


def _beyond(differences: np.ndarray, margin: float) -> float:
    """p-value of "the mean lies at the margin", on the side where it lies; 1 within the margin."""
    mean = float(differences.mean())
    return 1.0 if abs(mean) <= margin else t_test(differences, float(np.copysign(margin, mean)))
