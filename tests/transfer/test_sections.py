"""What the report says of its numbers: no more than was seen, by one rule, and in words that fit one and many."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from test_judging import cases

from medtl_helpers.methods.ways import Way
from medtl_helpers.transfer import page
from medtl_helpers.transfer.closing_sections import how_to_repeat, the_distance
from medtl_helpers.transfer.data_sections import the_search, the_sides
from medtl_helpers.transfer.facts import utility
from medtl_helpers.transfer.figures import curve_limits, scores_figure
from medtl_helpers.transfer.judging import THRESHOLDS, Recipe, judge
from medtl_helpers.transfer.result_sections import the_calibration, the_errors, the_result, the_threshold

PNEUMONIA = Recipe(("normal", "pneumonia"), 1, 1.0, 0.7)


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def judged_of(p, y, recipe=PNEUMONIA, patients=None):
    return judge(recipe, y, np.c_[1 - p, p], patients)


@pytest.fixture(scope="module")
def judged():
    return judge(PNEUMONIA, *cases())


@pytest.fixture
def prepared(judged):
    task = SimpleNamespace(
        classes=PNEUMONIA.classes,
        patients=None,
        train=SimpleNamespace(y=np.array([0, 1])),
        val=SimpleNamespace(y=np.array([0, 1])),
        test=SimpleNamespace(x=torch.zeros(300, 1, 4, 4, dtype=torch.uint8)),
    )
    return SimpleNamespace(task=task, files={"test": [f"{k}.png" for k in range(len(judged.y))]})


def test_nothing_is_said_of_thresholds_without_a_false_alarm_or_without_a_missed_case():
    """No healthy case is above 0.75, and no sick one below 0.15: there a bootstrap draws no error of that kind."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 200)
    p = np.r_[rng.uniform(0.02, 0.75, 200), rng.uniform(0.15, 0.98, 200)]
    told, gain = utility(PNEUMONIA, judged_of(p, y)), judged_of(p, y).curve["gain"]
    shown = [f"{t:.2f}" for t, one in zip(THRESHOLDS, gain, strict=True) if one.low > 0]
    assert {"0.10", "0.80", "0.90"} <= set(shown)  # which the bootstrap alone would have claimed
    above, unseen = re.search(r"thresholds \(([\d., ]+); each", told), re.search(r"thresholds \(([\d., ]+)\) no", told)
    blind = unseen[1].split(", ")
    assert blind == [f"{t:.2f}" for t in THRESHOLDS if t >= 0.75 or t <= 0.15]
    assert above[1].split(", ") == [one for one in shown if one not in blind]
    assert "no false alarm or no missed case was seen among the 400 test images, so nothing can be said" in told


def test_one_threshold_is_one_threshold_and_no_better_one_is_said():
    y, p = np.tile([0, 1], 200), np.tile([0.02, 0.02, 0.93, 0.93], 100)  # as good as chance, both errors up to 0.90
    told = utility(PNEUMONIA, judged_of(p, y))
    assert told.startswith("At no threshold is its net benefit shown to be beyond")
    assert "At 1 threshold (0.95) no false alarm" in told
    sure = utility(PNEUMONIA, judged_of(np.tile([0.01, 0.99], 50), np.tile([0, 1], 50)))
    assert sure.startswith("At 19 thresholds") and "above" not in sure  # without any error nothing is claimed


def test_accuracy_is_that_of_the_answers_by_the_threshold(prepared):
    y, p = cases(sure=0.5)
    judged = judge(PNEUMONIA, y, p)
    right, by_argmax = judged.confusion.trace() / len(y), (p.argmax(1) == y).mean()
    assert judged.metrics["accuracy"].value == pytest.approx(right) and right != pytest.approx(by_argmax)
    here = next(iter(judged.operating.values()))
    mean = (here["sensitivity"].value + here["specificity"].value) / 2
    assert judged.metrics["balanced accuracy"].value == pytest.approx(mean)
    assert judged.metrics["accuracy"].low < right < judged.metrics["accuracy"].high
    assert "accuracy: the answer is pneumonia from 70.0% on" in words(the_result(prepared, PNEUMONIA, judged))


def test_limits_of_the_accuracy_are_over_patients():
    y, who = np.repeat(np.arange(40) % 2, 6), np.repeat(np.arange(40), 6)
    own = np.repeat(np.random.default_rng(0).normal(0, 1, 40), 6)
    p = 1 / (1 + np.exp(-(2 * y - 1 + 2 * own)))
    images, patients = (judged_of(p, y, patients=w).metrics["accuracy"] for w in (None, who))
    assert images.value == patients.value and patients.n == 40
    assert patients.high - patients.low > 1.8 * (images.high - images.low)


def test_the_rule_of_the_answers_stands_under_the_wrong_ones(prepared):
    none = Recipe(("a", "b"), None, 1.0, None)
    judged = judge(PNEUMONIA, *cases(sure=0.5))
    assert "The answer is pneumonia from 70.0% on." in words(the_errors(prepared, PNEUMONIA, judged))
    judged = judge(none, *cases(sure=0.5))
    assert "The answer is the most probable class." in words(the_errors(prepared, none, judged))


def found_of(table, **more):
    found = {
        "stopped": "search complete",
        "notes": [],
        "epochs": 0,
        "way": Way("resnet, phantoms", "all stages", "head", 1),
        "averaged": (),
        "plan": {"to the end": []},
    }
    return SimpleNamespace(
        table=pd.DataFrame(table), validation=np.array([[0.6, 0.4], [0.4, 0.6]]), **{**found, **more}
    )


ROW = {"source": "resnet, phantoms", "way": "all stages", "depth": "head", "rate": 1.0, "log loss": 0.5, "auroc": 0.7,
       "epochs": 0, "rung": 0, "seconds": 12.2}  # fmt: skip


def test_the_search_tells_of_rungs_where_there_are_some_and_of_a_regression_no_epochs(prepared):
    trained = {**ROW, "way": "fine_tune", "log loss": 0.6, "epochs": 4, "seconds": 6.1}
    html = the_search(prepared, found_of([ROW, trained]), 1.0)
    told = words(html)
    assert "rung by rung" not in told and "All began" not in told and "rate or C" in told
    assert "Within 1 minute 2 ways" in told and "took 18 seconds together" in told
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr.*?</tr>", html)[1:]]
    assert cells[0][6:] == ["–", "–", "12.2"] and cells[1][6:] == ["4", "0", "6.1"]
    assert re.findall(r"<tr.*?>", html).index('<tr class="chosen">') == 1
    both = (Way("resnet, phantoms", "all stages", "head", 1), Way("vgg16, stand-in", "probe", "head", 0.01))
    told = words(the_search(prepared, found_of([ROW, trained], averaged=both), 1.0))
    assert "The answers are the mean of 2 networks" in told and "log loss together is 0.511" in told
    assert "The others are: VGG16 with the stand-in weights of a file" in told
    told = words(the_search(prepared, found_of([{**trained, "rung": 1}], epochs=1), 2.0))
    assert "was trained to the end" not in told
    begun = {"to the end": ["resnet, phantoms: lp_ft, everything, rate 0.001"]}
    assert "and was trained to the end" in words(the_search(prepared, found_of([trained], plan=begun), 2.0))
    assert "rung by rung" in told and "Within 2 minutes 1 way could" in told and "after 1 epoch." in told


def test_the_sides_are_told_as_they_are():
    assert the_sides([64, 64]) == "The shorter sides are all 64 px"
    assert the_sides([32, 64, 64, 100]) == "The shorter sides run from 32 to 100 px (median 64 px)"


def test_one_is_no_plural():
    assert [page.how_many(n, "pair") for n in (0, 1, 2, 0.5)] == ["0 pairs", "1 pair", "2 pairs", "0.5 pairs"]


def test_a_search_that_the_minutes_ended_may_end_elsewhere_on_another_machine():
    told = words(how_to_repeat("python", {}, {}, "the 5 minutes were over, after 10 of 23 trainings"))
    assert "unless the minutes end the search: then a faster or slower machine tries more or fewer ways" in told
    assert "Here the search ended early: the 5 minutes were over, after 10 of 23 trainings." in told
    assert "Here the search was complete." in words(how_to_repeat("python", {}, {}, "search complete"))


def test_the_calibration_names_its_event(judged):
    told = words(the_calibration(PNEUMONIA, judged))
    assert "the observed minus the predicted share of pneumonia (0 is right)" in told
    none = Recipe(("a", "b"), None, 1.0, None)
    assert "predicted share of right answers (0 is right)" in words(
        the_calibration(none, judge(none, *cases(sure=0.5)))
    )


def test_the_histogram_names_both_classes_and_its_probability(prepared, judged):
    html = the_result(prepared, PNEUMONIA, judged)
    assert "probabilities of pneumonia on test: the median of normal is" in html and "the others" not in html
    figure = scores_figure(judged.probability[:, 1], judged.y == 1, 0.7, "pneumonia", "normal", "of pneumonia")
    assert "of pneumonia on test" in figure
    three = Recipe(("a", "b", "c"), 1, 1.0, 0.5)
    assert "the median of the others is" in the_result(prepared, three, judge(three, *cases(classes=3)))


def test_the_decision_curve_says_where_its_limits_go_on(judged):
    low = min(one.low for one in judged.curve["model"])
    assert low < curve_limits(judged.curve)[0] and "The limits go on below the picture." in the_threshold(
        PNEUMONIA, judged
    )
    few = {name: curve[:2] for name, curve in judged.curve.items()}
    assert min(one.low for one in few["model"]) > curve_limits(few)[0]


def test_a_long_cell_keeps_a_width_on_a_phone():
    table = page.table(["a", "b"], [["x" * 41, 1], ["y", 2]], "Caption")
    assert '<td class="long">xxx' in table and "<td>y</td>" in table
    assert re.search(r"@media \(max-width: 40rem\) \{ td\.long \{ min-width: 14em; \} \}", page.STYLE)


def test_a_distance_below_zero_tells_nothing_apart():
    assert [the_distance(one) for one in (-0.4, 0.0, 1.234)] == ["0 (not told apart)"] * 2 + ["1.23"]
