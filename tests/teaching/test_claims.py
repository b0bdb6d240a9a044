"""Claims that hold or raise where they should, and the report of a session."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from medtl_helpers.methods.intervals import t_interval
from medtl_helpers.provenance import note_source, note_weights
from medtl_helpers.teaching import claims
from medtl_helpers.teaching.claims import check, session_report
from medtl_helpers.teaching.course_map import LESSONS
from medtl_helpers.teaching.grading import exercises

INTERVAL = t_interval([0.1, 0.2, 0.4])


@dataclass
class Data:
    provenance: str


# --- check -----------------------------------------------------------------------------------------------------------


def test_a_claim_that_holds_is_printed_with_its_figures(capsys):
    check("Transfer helps", True, gain=0.12345, seeds=3, ci=INTERVAL)
    assert capsys.readouterr().out == f"✓ Transfer helps\n    gain   0.123\n    seeds  3\n    ci     {INTERVAL}\n"


@pytest.mark.parametrize("where", ["real", "twin", "own"])
def test_an_invariant_that_fails_raises_on_all_data(where):
    with pytest.raises(AssertionError, match=rf"✗ Nothing moved: moved: 0\.5 \(data: {where}\)"):
        check("Nothing moved", False, moved=0.5, data=Data(where))


def test_a_claim_about_a_record_says_so_and_not_what_else_was_loaded():
    note_source("breast", "twin")
    check("Transfer helped", True, data="recorded, real", gain=0.1)
    assert claims._records[-1]["data"] == "recorded, real"


@pytest.mark.parametrize("on", ["twin", "real", ("twin", "real")])
@pytest.mark.parametrize("where", ["twin", "real", "own", "mixed", "none"])
def test_an_effect_that_fails_raises_only_on_the_data_it_is_claimed_for(on, where, capsys):
    if where in on or where == on:
        with pytest.raises(AssertionError, match="✗ DANN helps"):
            check("DANN helps", False, on=on, data=Data(where), gain=-0.1)
    else:
        check("DANN helps", False, on=on, data=Data(where), gain=-0.1)
        out = capsys.readouterr().out
        assert out.startswith(f"○ measured here, on {where} data, this does not hold: DANN helps") and "-0.1" in out
    record = claims._records[-1]
    assert (record["passed"], record["binding"], record["data"]) == (False, where in on or where == on, where)


def test_on_names_whole_provenances_and_not_parts_of_words(capsys):
    check("An effect", False, on="twins", data=Data("twin"), gain=0)
    assert "does not hold" in capsys.readouterr().out


def test_a_check_without_a_figure_is_refused():
    with pytest.raises(ValueError, match="'Trust me' shows no figure"):
        check("Trust me", True)
    assert claims._records == []


@pytest.mark.parametrize(
    "condition, passed", [(np.bool_(True), True), (torch.tensor(False), False), (np.float64(0), False)]
)
def test_any_condition_with_a_truth_value_will_do(condition, passed):
    check("A claim", condition, on="real", data=Data("twin"), n=1)
    assert claims._records[0]["passed"] is passed


FIGURES = {
    "whole": 3,
    "numpy_whole": np.int64(3),
    "number": 0.5,
    "numpy_number": np.float32(0.5),
    "yes": True,
    "word": "A",
    "interval": INTERVAL,
    "intervals": [INTERVAL, INTERVAL],
    "numbers": (0.25, 1.0),
    "array": np.array([[1.0, 2.0]]),
    "tensor": torch.tensor([1.0, 2.0]),
}


def test_the_report_is_json_and_holds_what_was_checked_on_what():
    note_source("breast", "twin")
    check("Everything can be shown", True, on="twin", **FIGURES)
    report = json.loads(json.dumps(session_report(), allow_nan=False))
    assert report["sources"] == {"breast": "twin"} and report["data"] == "twin" and report["peak_mb"] > 50
    record = report["checks"][0]
    assert record["claim"] == "Everything can be shown" and record["passed"] is record["binding"] is True
    figures = record["figures"]
    assert figures["whole"] == figures["numpy whole"] == 3 and figures["number"] == figures["numpy number"] == 0.5
    assert figures["yes"] is True and figures["word"] == "A" and figures["numbers"] == [0.25, 1.0]
    assert figures["array"] == [[1.0, 2.0]] and figures["tensor"] == [1.0, 2.0]
    assert figures["interval"]["low"] == INTERVAL.low and figures["interval"]["kind"] == "t over seeds"


@pytest.mark.parametrize("figure, wanted", [(np.bool_(True), True), (torch.tensor(0.5), 0.5), (np.array(2), 2)])
def test_a_single_number_of_numpy_or_torch_is_a_figure_like_any_other(figure, wanted):
    check("A claim", True, figure=figure)
    assert json.loads(json.dumps(session_report()))["checks"][0]["figures"]["figure"] == wanted


# --- weights ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "on", ["twin/phantoms", "real/ImageNet", ("real/ImageNet", "twin/phantoms"), "twin", "phantoms"]
)
@pytest.mark.parametrize(
    "data, weights",
    [("twin", "phantoms"), ("real", "phantoms"), ("real", "ImageNet"), ("twin", "random"), ("own", "stand-in")],
)
def test_a_claim_that_rests_on_weights_binds_only_for_its_data_with_its_weights(on, data, weights, capsys):
    where = f"{data}/{weights}"
    claim = lambda: check("It helps", False, on=on, data=Data(data), weights=Data(weights), gain=-0.1)  # noqa: E731
    binding = where in ([on] if isinstance(on, str) else on)
    if binding:
        with pytest.raises(AssertionError, match=rf"✗ It helps: gain: -0\.1 \(data: {where}\)"):
            claim()
    else:
        claim()
        assert capsys.readouterr().out.startswith(f"○ measured here, on {where} data, this does not hold: It helps")
    record = claims._records[-1]
    assert (record["passed"], record["binding"], record["data"]) == (False, binding, where)
    assert "weights" not in record["figures"]


def test_an_invariant_of_weights_raises_whatever_they_are():
    with pytest.raises(AssertionError, match=r"data: none/random"):
        check("Nothing moved", False, weights=Data("random"), moved=1)


def test_the_report_names_the_weights_apart_from_the_data():
    """Weights from phantoms do not make real data "mixed"; a network loaded again replaces where it came from."""
    note_source("breast", "real")
    note_weights("vgg16", "random")
    note_weights("vgg16", "phantoms")
    note_weights("resnet", "ImageNet")
    report = session_report()
    assert report["weights"] == {"vgg16": "phantoms", "resnet": "ImageNet"}
    assert report["sources"] == {"breast": "real"} and report["data"] == "real"


EXERCISES = {number: make for name in LESSONS for number, make in exercises(name[:2]).items()}
