"""The figures of lesson 08 draw what they say, and its exercises have their right answers."""

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.lessons.adapting import answers, figures
from medtl_helpers.methods.margins import BesideMargin


@pytest.fixture
def alts(monkeypatch):
    """The figures and alt texts that were shown; nothing is displayed."""
    told = []
    monkeypatch.setattr(figures, "show", lambda figure, alt, **where: told.append((figure, alt, where)))
    yield told
    for figure, _, _ in told:
        figures.plt.close(figure)


def test_two_domains_are_shown_in_two_rows(alts):
    split = mtl.Split(torch.zeros(4, 3, 8, 8, dtype=torch.uint8), torch.arange(4) % 2)
    figures.show_domains(split, split, ("a", "b"), data="twin")
    assert len(alts[0][0].axes) == 4 and "each of the 2 types" in alts[0][1]


def test_passes_are_told_with_their_first_and_last_value(alts):
    figures.show_passes({0.1: [(0.6, 1.0, 8), (0.2, 0.1, 2)]}, 0.5, data="twin")
    told = "at rate 0.1 the balanced accuracy goes from 0.60 to 0.20, the entropy from 1.00 to 0.10, and the classes "
    assert told + "from 8 to 2" in alts[0][1] and "0.50 of the untouched" in alts[0][1]
    assert list(alts[0][0].axes[0].lines[0].get_ydata()) == [0.6, 0.2]


def test_ways_are_told_with_what_adabn_makes_of_them(alts):
    figures.show_adapted({"source only": 0.4, "MMD": 0.6}, 0.9, {"MMD": 0.8}, data="twin")
    assert "source only 0.40, MMD 0.60 (then AdaBN 0.80); at home 0.90" in alts[0][1]
    hollow = alts[0][0].axes[0].lines[0]
    assert list(hollow.get_ydata()) == [1] and list(hollow.get_xdata()) == [0.8]


def test_each_rule_is_told_with_what_it_takes(alts):
    rules = {"A": {"one": 0.1, "two": 3.0}, "B": {"one": 0.2, "two": 1.0}}
    figures.show_rules(rules, {"A": 0.9, "B": 0.5}, data="twin")
    assert "one takes A, which has 0.90; two takes B, which has 0.50" in alts[0][1]
    assert "The best is A with 0.90" in alts[0][1]


def test_streams_take_numbers_and_intervals(alts):
    figures.show_streams({"sorted": {"untouched": 0.8, "TENT": 0.4}}, data="twin")
    of_seeds = mtl.t_interval([0.4, 0.5, 0.6])
    figures.show_streams({"sorted": {"TENT": of_seeds}}, provenance="recorded")
    assert "sorted: untouched 0.80, TENT 0.40" in alts[0][1] and "sorted: TENT 0.50" in alts[1][1]


def test_the_watch_is_told_by_its_alarms(alts):
    torch.manual_seed(0)
    network = mtl.CourseCNN(1, 2, width=8, norm="batch")
    x = torch.randint(256, (40, 1, 8, 8), dtype=torch.uint8)
    one, other = (mtl.CollapseWatch(network, [0.5, 0.5], window=10, mix=mix) for mix in (1.0, 0.0))
    surely = torch.tensor([[0.99, 0.01]]).expand(10, 2)
    for part in mtl.to_float(x).split(10):
        one(part, surely)
        other(part, surely)
    one.agreement = 0.0
    figures.show_watch({"calm": one, "other": other}, data="twin")
    assert f"calm: {len(one.alarms)} alarms in 4 batches; other: 4 alarms in 4 batches" in alts[0][1]


def test_all_gains_are_told_and_only_settled_ones_are_filled(alts):
    of_seeds = mtl.t_interval([0.1, 0.11, 0.12])
    gains = {
        ("smear", "AdaBN"): BesideMargin(of_seeds, 0.02, 0.001),
        ("smear", "TENT"): BesideMargin(of_seeds, 0.02, 0.5),
        ("white", "TENT"): BesideMargin(of_seeds, 0.05, 0.5),
    }
    figures.show_all_gains(gains)
    figure, alt, where = alts[0]
    assert "other scanners (phantoms): AdaBN +0.11 [+0.09, +0.13] settled, TENT +0.11 [+0.09, +0.13]." in alt
    assert "recorded" in where["provenance"] and len(figure.axes) == 2
    hollow = [line for axis in figure.axes for line in axis.lines if line.get_markerfacecolor() == "white"]
    assert len(hollow) == 2
    low, high = figures._widened(of_seeds, 3)  # as one of three, with two degrees of freedom
    assert (high - 0.11) / (of_seeds.high - 0.11) == pytest.approx(7.6488 / 4.3027, rel=1e-3)
    assert 0.11 - low == pytest.approx(high - 0.11)


# --- exercises -------------------------------------------------------------------------------------------------------


def test_the_information_of_the_exercise_is_that_of_scikit_learn():
    """Of answers that are sure, it is the entropy of how often each class is named."""
    from scipy.stats import entropy

    sure = np.eye(3)[[0, 0, 1, 2]].clip(1e-9)
    sure /= sure.sum(1, keepdims=True)
    seen = {}
    answers.EXERCISES["08.3"]().probe(lambda p: seen.setdefault("p", p))
    assert (seen["p"] > 0).all() and np.allclose(seen["p"].sum(1), 1)
    assert answers.EXERCISES["08.3"]().right(sure) == pytest.approx(entropy([0.5, 0.25, 0.25]), abs=1e-6)


def test_the_share_of_the_gain_is_what_is_left_beside_adabn():
    assert answers.EXERCISES["08.1"]().right == pytest.approx(2 / 21)
