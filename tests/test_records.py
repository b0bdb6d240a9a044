"""Reading recorded results."""

import numpy as np
import pytest

import medtl_helpers as mtl
from medtl_helpers import records

ROWS = [
    {"stage": "report", "kind": "smear", "shift": ["texture", 0.6], "scores": {"a": [0.5, 0.7], "b": [0.4, 0.5]}},
    {"stage": "report", "kind": "digits", "shift": None, "scores": {"a": [[1, 2], [3, 4]]}},
    {"stage": "tuning", "kind": "smear", "shift": ["texture", 0.6], "scores": {"a": [9, 9]}},
]


@pytest.fixture
def record(monkeypatch):
    about = {"command": "python x.py", "seeds": [1, 2], "rows": ROWS, "strengths": [0, 1]}
    monkeypatch.setattr(records, "recorded", lambda file: about)
    return mtl.Record("x", "kind", "shift", stage="report")


def test_rows_are_found_by_their_keys_and_only_those_asked_for(record):
    assert record.items("smear") == [["texture", 0.6]] and record.items("digits") == [None]
    assert record.scores("smear", ["texture", 0.6], "a").tolist() == [0.5, 0.7]  # and not the tuning row's 9
    assert record.scores("digits", None, "a").shape == (2, 2)
    assert (record.command, record.seeds, record.about["strengths"]) == ("python x.py", [1, 2], [0, 1])


def test_differences_are_paired_by_seed(record):
    where = ("smear", ["texture", 0.6])
    assert record.mean(*where, "a").value == pytest.approx(0.6)
    gain, differences = record.paired(*where, "a", "b"), np.array([0.1, 0.2])
    assert gain.value == pytest.approx(differences.mean())
    assert (gain.low, gain.high) == pytest.approx((mtl.t_interval(differences).low, mtl.t_interval(differences).high))


def test_a_row_that_is_not_there_is_named(record):
    with pytest.raises(KeyError, match=r"texture.*0\.9.*benchmarks"):
        record.mean("smear", ["texture", 0.9], "a")
