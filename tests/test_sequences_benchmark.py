"""The benchmark of lesson 09: what its tuning chose, and one recorded cell computed again."""

import sys
from pathlib import Path

import pytest

import medtl_helpers as mtl
from medtl_helpers.lessons.sequences import experiment as splice

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import sequences

TUNING = mtl.Record("sequences", stage="tuning", data="real")
NO_SITES = ("from scratch", "small, from scratch", "small, 4 × as long", "random features", "masked bases, fine-tuned")
NO_SITES += ("masked bases, probe", "k-mers", "one-hot regression", "weighted-degree kernel", "position weights")


def tuned() -> list[dict]:
    """The rows of the tuning, in the form of the log."""
    return [row for row in TUNING.about["rows"] if row["stage"] == "tuning" and row["labels"]]


@pytest.mark.parametrize("n", [5, 100])
def test_the_settings_are_those_that_did_best_on_validation_rows(n):
    best = sequences.best_settings(tuned())
    ways = [way for way in splice.SETTINGS if n in splice.SETTINGS[way]]
    assert set(ways) == set(sequences.ways_of(n))
    assert {way: best[way][n][0] for way in ways} == {way: splice.SETTINGS[way][n] for way in ways}


def test_the_primary_opponent_is_the_strongest_without_drawn_sites_on_the_tuning_seeds():
    best = {way: found[5][1][0] for way, found in sequences.best_settings(tuned()).items()}
    rule = TUNING.scores("two-letter rule").item()
    assert all(best[way] < rule for way in (*NO_SITES, "image network"))
    assert sequences.PRIMARY_ABOUT["theirs"] == "two-letter rule"
    labels_alone = [way for way in NO_SITES if "masked" not in way]
    assert (
        max(labels_alone, key=best.get) == "position weights" and best["masked bases, probe"] > best["position weights"]
    )


def test_a_recorded_cell_is_what_it_is_again(monkeypatch):
    """On the twin, the ways without a network: the same digits."""
    monkeypatch.setenv("MEDTL_DATA", "twin")
    sequences.task.cache_clear()
    record = mtl.Record("sequences", stage="report", data="twin")
    few, (x, y) = sequences.few_of(5, 200), sequences.task().test
    found = {way: sequences.answer(way, few, x, 200, splice.SETTINGS[way][5]) for way in splice.CLASSICAL}
    found |= {way: p for way, p in sequences.without_labels(x).items() if way != "drawn sites, linear"}
    for way, p in found.items():
        for score in ("accuracy", "log loss", "macro auroc"):
            recorded = record.scores(way, score, kind="labels", labels=5)[0]
            assert splice.splice_scores(p, y)[score] == pytest.approx(recorded, abs=2e-3), (way, score)
    sequences.task.cache_clear()
