"""The benchmark of private training: what was written down and chosen, and recorded cells again."""

import sys
from pathlib import Path

import numpy as np
import pytest

import medtl_helpers as mtl
from medtl_helpers.lessons.private import experiment

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import private

REPORT = mtl.Record("private", stage="report")


def test_the_primary_comparison_is_the_one_of_the_script_and_its_interval_has_seeds_and_test_rows():
    assert REPORT.about["primary"] == private.PRIMARY_ABOUT
    found = mtl.Record("private").primary
    means = [REPORT.scores(way, kind="splice", data="real", epsilon=1).mean() for way in ("probe", experiment.LINEAR)]
    assert found.value == pytest.approx(means[0] - means[1], abs=2e-4) and found.n == 1000
    assert not set(private.REPORTED) & {seed for seeds in private.TUNING.values() for seed in seeds}


def test_the_linear_model_was_the_strongest_from_scratch_on_the_tuning_seeds():
    tuning = mtl.Record("private", stage="tuning", kind="splice", epsilon=1)

    def best(way):
        tried = tuning.values("lr", "clip", way=way)
        return max(np.mean(tuning.scores(way, lr=lr, clip=clip)) for lr, clip in tried)

    assert max(experiment.SCRATCH, key=best) == experiment.LINEAR == private.PRIMARY_ABOUT["theirs"]


@pytest.mark.parametrize("way", experiment.NOISELESS)
def test_settings_without_noise_are_the_best_of_three_rates(way):
    tuning = mtl.Record("private", stage="tuning", epsilon=None)
    score = "balanced accuracy" if way == experiment.LOGISTIC else "accuracy"
    means = {lr: np.mean(tuning.scores(way, score, lr=lr)) for lr in tuning.values("lr", way=way)}
    assert len(means) >= 3 and means[min(means, key=lambda lr: abs(lr - experiment.NOISELESS[way]["lr"]))] == max(
        means.values()
    )


@pytest.mark.parametrize("epsilon", [1, None])
def test_recorded_cells_come_out_again(epsilon, monkeypatch):
    """Heart patients of the twin; another processor may round, and so train, a little otherwise."""
    monkeypatch.setenv("MEDTL_DATA", "twin")
    private.wards.cache_clear()
    (row,) = private.compute("report", "heart", "twin", experiment.LOGISTIC, epsilon, 200)
    private.wards.cache_clear()
    recorded = REPORT.row(experiment.LOGISTIC, kind="heart", data="twin", epsilon=epsilon)["scores"]
    for name in ("auroc", "balanced accuracy"):
        assert row["scores"][name] == pytest.approx(recorded[name][0], abs=0.02)
