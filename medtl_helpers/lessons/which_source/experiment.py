"""What lesson 07 computes beside its visible cells: published tables, hospitals as sources, and choices among many."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ...data.domains import HOSPITALS, hospital_domains
from ...data.transfer_tables import transfer_tables
from ...methods.features import stage_features
from ...methods.intervals import Interval
from ...methods.leep import leep
from ...methods.predict import predict, to_float
from ...methods.ways import Source
from ...teaching.records import Record

LABELLED = 40  # patients of the target whose labels the scores may read
PENALTIES = (0.001, 0.1, 10.0)
Answers = dict[str, tuple[np.ndarray, np.ndarray]]


def published() -> pd.DataFrame | None:
    """The published tables (``transfer_tables``) where they are on this disk, else None: they have no twin."""
    try:
        return transfer_tables()
    except FileNotFoundError:
        return None


def recorded_interval(tables: Record, way: str, score: str = "regret", **where) -> Interval:
    """The mean of a way over the groups of targets of ``benchmarks/transfer_tables.py``, with its t interval."""
    where = {"of": "source", "candidates": "all", "static knows": "other groups"} | where
    found = tables.row(way, score, **where)["intervals"][score]
    return Interval(
        found["value"], found["low"], found["high"], "t over groups of targets", len(tables.about["groups"])
    )


def comparisons(tables: Record, family: str, **where) -> list[dict[str, Any]]:
    """The comparisons of one family, like "rules" of the sources: each with its interval, Holm's p and verdict."""
    wanted = {"of": "source", "candidates": "all", "family": family} | where
    return [one for one in tables.about["compared"] if all(one[key] == value for key, value in wanted.items())]


def on_folders(folders: Record, theirs: str) -> dict[str, Interval]:
    """AUROC of the search − that of another way, by task of ``benchmarks/folder_search.py``, at its corrected level."""
    kind = f"bootstrap over {len(folders.seeds)} seeds and the test cases"
    return {
        one["task"]: Interval(one["value"], one["low"], one["high"], kind, one["n"], one["level"])
        for one in folders.about["compared"]
        if one["theirs"] == theirs and one["task"] in folders.about["tasks"]
    }


def macro_auroc(y, probability) -> float:
    """AUROC of probabilities N×K: the mean of one class against the rest."""
    y, probability = np.asarray(y), np.asarray(probability)
    return float(np.mean([roc_auc_score(y == k, probability[:, k]) for k in range(probability.shape[1])]))


def answer_loss(y, probability) -> float:
    """Mean log loss (nats) of probabilities N×K."""
    y, probability = np.asarray(y), np.asarray(probability)
    return float(-np.log(np.clip(probability[np.arange(len(y)), y], 1e-7, None)).mean())


def loss_of(model, split) -> float:
    """Log loss of a network on a split."""
    return answer_loss(split.y, predict(model, split.x))


def hospital_regrets(seeds=range(6)) -> pd.DataFrame:
    """One row for each target and split: what LEEP's choice between two hospitals costs, and what a coin's costs.

    The source's logistic regression answers unchanged. LEEP reads the labels of 40 training patients of the target,
    and the AUROC is that on the target's test patients.
    """
    rows = []
    for target in HOSPITALS:
        for seed in seeds:
            scores, truth = [], []
            for source in HOSPITALS:
                if source != target:
                    here, there = hospital_domains(source, target, seed)
                    model = LogisticRegression(C=0.1).fit(here.train.x, here.train.y)
                    few = model.predict_proba(there.train.x[:LABELLED])
                    scores.append(leep(few, there.train.y[:LABELLED]))
                    truth.append(macro_auroc(there.test.y, model.predict_proba(there.test.x)))
            gap = max(truth) - np.array(truth)
            rows.append({"target": target, "LEEP": gap[int(np.argmax(scores))], "coin": gap.mean()})
    return pd.DataFrame(rows)


def many_answers(task, sources: Mapping[str, Source]) -> Answers:
    """Source × depth × penalty: what each logistic regression on frozen features answers on validation and on test."""
    found = {}
    for name, source in sources.items():
        torch.manual_seed(0)
        model = source(len(task.classes))
        widths = [0, *np.cumsum(_stage_widths(model, task.train.x[:1]))]
        parts = [stage_features(model, split.x).numpy() for split in (task.train, task.val, task.test)]
        for stage, start, end in zip(model.stages, widths, widths[1:], strict=False):
            train, val, test = (part[:, start:end] for part in parts)
            for penalty in PENALTIES:
                reader = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=500))
                reader.fit(train, task.train.y)
                found[f"{name}, {stage}, C {penalty:g}"] = reader.predict_proba(val), reader.predict_proba(test)
    return found


def _stage_widths(model, image) -> list[int]:
    """How many numbers ``stage_features`` makes of each stage."""
    widths = []
    with torch.inference_mode():
        x = model.input(to_float(image))
        for stage in model.stages.values():
            x = stage(x)
            widths.append(2 * x.shape[1])
    return widths


def choices(answers: Answers, task, n: int, draws: int = 200) -> dict[str, float]:
    """Draw ``n`` validation images a class many times, choose the lowest log loss, and see what the choice is worth.

    "regret": the best test AUROC of all ways minus that of the chosen one. "flattery": the chosen way's log loss on
    test minus that on the images that chose it. "ways": how many different ways are chosen. All are means over draws.
    """
    rng = np.random.default_rng(0)
    y_val, y_test = task.val.y.numpy(), task.test.y.numpy()
    names = list(answers)
    each = np.stack([-np.log(np.clip(answers[name][0][np.arange(len(y_val)), y_val], 1e-7, None)) for name in names])
    on_test = np.array([answer_loss(y_test, answers[name][1]) for name in names])
    truth = np.array([macro_auroc(y_test, answers[name][1]) for name in names])
    chosen, flattery = [], []
    for _ in range(draws):
        rows = np.concatenate([rng.choice(np.flatnonzero(y_val == k), n, replace=False) for k in np.unique(y_val)])
        losses = each[:, rows].mean(1)
        chosen.append(int(losses.argmin()))
        flattery.append(on_test[chosen[-1]] - losses.min())
    return {
        "regret": float((truth.max() - truth[chosen]).mean()),
        "flattery": float(np.mean(flattery)),
        "ways": len(set(chosen)),
    }
