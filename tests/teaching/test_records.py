"""Reading recorded results."""

import numpy as np
import pytest

import medtl_helpers as mtl
from medtl_helpers.teaching import records

WHERE = {"stage": "report", "kind": "smear", "shift": "texture", "strength": 0.6}
ROWS = [
    {**WHERE, "way": "a", "scores": {"accuracy": [0.5, 0.7]}, "seconds": 8.1},
    {**WHERE, "way": "b", "scores": {"accuracy": [0.4, 0.5]}},
    {"stage": "report", "kind": "digits", "way": "a", "scores": {"accuracy": [1, 2], "at home": [3, 4]}},
    {**WHERE, "stage": "tuning", "way": "a", "scores": {"accuracy": [9, 9]}},
]


@pytest.fixture
def record(monkeypatch):
    header = {"command": "python x.py", "seeds": [1, 2], "commit": "abc", "score": "accuracy", "strengths": [0, 1]}
    about = {**header, "rows": ROWS}
    monkeypatch.setattr(records, "recorded", lambda file: about)
    return mtl.Record("x", stage="report")


def test_rows_are_found_by_their_keys_and_only_those_asked_for(record):
    assert record.values("shift", "strength") == [("texture", 0.6)] and record.values("kind") == ["smear", "digits"]
    assert record.scores("a", kind="smear", shift="texture").tolist() == [0.5, 0.7]  # and not the tuning row's 9
    assert record.scores("a", kind="digits").tolist() == [1, 2]
    assert record.scores("a", "at home", kind="digits").tolist() == [3, 4]
    assert record.row("a", kind="smear")["seconds"] == 8.1
    assert (record.command, record.seeds, record.about["strengths"]) == ("python x.py", [1, 2], [0, 1])


def test_differences_are_paired_by_seed(record):
    where = {"kind": "smear", "shift": "texture", "strength": 0.6}
    assert record.mean("a", **where).value == pytest.approx(0.6)
    gain, differences = record.paired("a", "b", **where), np.array([0.1, 0.2])
    assert gain.value == pytest.approx(differences.mean())
    assert (gain.low, gain.high) == pytest.approx((mtl.t_interval(differences).low, mtl.t_interval(differences).high))


def test_a_row_that_is_not_there_is_named(record):
    with pytest.raises(KeyError, match=r"texture.*0\.9.*benchmarks"):
        record.mean("a", shift="texture", strength=0.9)


def test_where_several_rows_fit_the_keys_that_tell_them_apart_are_named(record):
    with pytest.raises(KeyError, match=r"2 rows with way 'a'.*say which by kind"):
        record.mean("a")


def test_a_file_in_parts_is_asked_for_one_of_them_and_a_stage_that_was_not_recorded_is_named(record, monkeypatch):
    with pytest.raises(KeyError, match=r"No row with stage 'rehearsal' is recorded in benchmarks/results/x\.json"):
        mtl.Record("x", stage="rehearsal")
    about = record.about
    monkeypatch.setattr(records, "recorded", lambda file: {"real": about, "twin": about})
    assert mtl.Record("x", "twin", stage="tuning").scores("a").tolist() == [9, 9]
    with pytest.raises(KeyError, match=r"is in the parts real, twin: name one of them, not None"):
        mtl.Record("x")


def test_what_the_rows_say_themselves_counts_before_the_header(monkeypatch):
    """The seeds of a tuning, the data that a row was measured on, and a key that is called part."""
    header = {"command": "python x.py", "seeds": [1, 2], "commit": "abc", "score": "accuracy"}
    rows = [
        {"part": "ways", "data": "twin", "pair": ["a", 0.5], "way": "w", "scores": {"accuracy": [1, 2]}},
        {"part": "ways", "data": "real", "pair": ["a", 0.5], "way": "w", "scores": {"accuracy": [3, 4]}},
        {"part": "tuning", "data": "twin", "way": "w", "scores": {"accuracy": [5, 6, 7]}, "seeds": [7, 8, 9]},
    ]
    monkeypatch.setattr(records, "recorded", lambda file: header | {"rows": rows})
    ways, tuning = mtl.Record("x", "ways"), mtl.Record("x", part="tuning")
    assert (ways.data, ways.seeds) == ("mixed", [1, 2]) and (tuning.data, tuning.seeds) == ("twin", [7, 8, 9])
    assert mtl.Record("x", data="real").data == "real" and ways.values("data") == ["twin", "real"]
    assert ways.scores("w", data="real", pair=("a", 0.5)).tolist() == [3, 4]  # JSON has made a list of the pair
    with pytest.raises(KeyError, match="say which by data"):
        ways.scores("w")
    monkeypatch.setattr(records, "recorded", lambda file: header | {"rows": [{"way": "w", "scores": {}}]})
    assert mtl.Record("x").data == ""  # where nothing says it
    with pytest.raises(KeyError, match=r"way 'w' and the score 'accuracy' is recorded in benchmarks/results/x\.json"):
        mtl.Record("x").scores("w")


def primary_of(record, over, **more):
    about = {"ours": "a", "theirs": "b", "score": "accuracy", "where": {"kind": "smear"}, "over": over, "margin": 0.02}
    record.about["primary"] = about
    record.about |= more
    return record.primary


def test_the_primary_comparison_is_read_with_the_interval_that_fits_its_test_cases(record):
    assert primary_of(record, "seeds") == record.paired("a", "b", kind="smear")
    assert primary_of(record, "splits", **{"test share": 0.5}).high > record.paired("a", "b", kind="smear").high
    row = {"kind": "smear", "ours": "a", "theirs": "b", "score": "accuracy", "value": 0.1, "low": 0.0, "high": 0.2}
    found = primary_of(record, "cases", two_level=[row | {"n": 156, "seeds": 3}])
    assert (found.value, found.low, found.n) == (0.1, 0.0, 156) and "3 seeds and the test cases" in found.kind
    with pytest.raises(KeyError, match="0 intervals over test cases with ours 'b'"):
        record.over_cases("b", "a")


def test_a_record_without_a_primary_comparison_or_a_test_share_says_so(record):
    with pytest.raises(KeyError, match="names no primary comparison"):
        _ = record.primary
    with pytest.raises(KeyError, match="does not say the 'test share'"):
        record.over_splits("a", "b", kind="smear")
