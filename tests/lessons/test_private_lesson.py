"""What lesson 14 shows: the ceiling of attacks, the settings of its trainings, and figures that say what they draw."""

import math

import numpy as np
import pytest
from scipy.stats import norm

import medtl_helpers as mtl
from medtl_helpers.lessons.private import experiment, figures
from medtl_helpers.methods.intervals import Interval


@pytest.fixture
def alt(monkeypatch):
    """The alt texts of what was shown."""
    told = []
    monkeypatch.setattr(figures, "show", lambda figure, text, **where: told.append(text))
    return told


def test_the_ceiling_is_the_definition_put_to_an_attack():
    assert figures.ceiling(0, 0) == 0.01 and figures.ceiling(1, 0) == pytest.approx(math.e / 100)
    assert figures.ceiling(1, 1e-3, blamed=0.1) == pytest.approx(math.e / 10 + 1e-3)
    assert figures.ceiling(8, 0) == 1


@pytest.mark.parametrize("epsilon", [0.5, 1, 3, 8])
def test_no_threshold_on_one_noised_number_gets_above_the_ceiling(epsilon):
    """The likelihood ratio of two normal worlds is a threshold, so no other attack is better than these."""
    sigma, delta = mtl.noise_for(epsilon, 1, 1, 1e-4), 1e-4
    at = np.linspace(-4 * sigma, 5 * sigma, 400)
    blamed, found = norm.sf(at / sigma), norm.sf((at - 1) / sigma)
    assert all(f <= figures.ceiling(epsilon, delta, b) + 1e-9 for b, f in zip(blamed, found, strict=True))


def test_every_private_training_spends_its_budget_and_no_more():
    how = {"lr": 0.1, "steps": 30, "clip": 1.0}
    for epsilon in experiment.BUDGETS:
        found = experiment.private_settings(experiment.PRIVATE_PROBE, epsilon, 1604, how)
        delta = experiment.DELTA_SHARE / 1604
        spent = mtl.epsilon(found["noise_multiplier"], found["batch_size"] / 1604, 30, delta)
        assert 0.99 * epsilon < spent <= epsilon and delta < 1 / 1604


def test_a_rare_class_keeps_a_tenth_of_its_rows_and_the_others_all():
    x, y = mtl.load("splice", quiet=True).train
    fewer, labels = experiment.small_group((x, y))
    assert (labels == 0).sum() == round(0.1 * int((y == 0).sum())) and len(fewer) == len(labels)
    assert all((labels == k).sum() == (y == k).sum() for k in (1, 2))


def test_figures_tell_what_they_draw(alt):
    figures.show_two_worlds({"little": 0.4, "much": 3.0})
    assert "little (deviation 0.4)" in alt[-1] and "57%" in alt[-1]
    rng = np.random.default_rng(0)
    member = np.arange(300) < 100
    scores = rng.normal(size=300) + 9 * member
    figures.show_attack({"one": (scores, member), "other": (-scores, member)}, data="twin")
    assert "one: 100%" in alt[-1] and "other: 0%" in alt[-1]
    figures.show_attack_curves({"LiRA": (scores, member)}, {"ceiling": (1.0, 0.0)}, data="twin")
    assert "LiRA finds 100% at 1 %" in alt[-1] and "ceiling is 2.7% there" in alt[-1]
    figures.show_spent([1, 10], [0.5, 5], [0.5, 1.2], label="q")
    assert "5 after 10 steps; the accountant says 1.2" in alt[-1]
    found = Interval(0.9, 0.8, 1.0, "t", 5)
    figures.show_budget(1, 1e-5, {"probe": found}, {"rule": 0.88}, provenance="x")
    assert "2.7%" in alt[-1] and "probe 0.90" in alt[-1] and "rule 0.88" in alt[-1]
    figures.show_budgets([1, 8], {"probe": [found, found]}, {"rule": 0.88}, provenance="x")
    assert "from 2.7% to 100%" in alt[-1]
    recall = {"without": np.full((2, 3), 0.9), "with": np.full((2, 3), 0.5)}
    figures.show_groups(recall, ("a", "b", "c"), [3, 40, 50], data="twin")
    assert "without: a 0.90" in alt[-1] and "a had 3 rows in training, the others 40 or more" in alt[-1]


def test_settings_were_chosen_at_the_best_of_the_recorded_ones():
    """On validation rows of other seeds, with at least three rates for each way."""
    record = mtl.Record("private", stage="tuning", kind="splice", epsilon=1)
    for way in (*experiment.SCRATCH, *experiment.PUBLIC_START):
        how = experiment.NOISY[way]
        tried = record.values("lr", "clip", way=way, steps=how["steps"])
        means = {key: np.mean(record.scores(way, lr=key[0], clip=key[1], steps=how["steps"])) for key in tried}
        assert len({lr for lr, _ in tried}) >= 3 and means[how["lr"], how["clip"]] == max(means.values()), way
