"""What all benchmarks share: a stopped one goes on where it was, and their records have one form."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import record

import medtl_helpers as mtl
from medtl_helpers.teaching import records

CELLS = [{"shift": ["waves", 0.6], "n": n, "seed": seed} for n in (10, 100) for seed in (7, 8)]


def compute(shift, n, seed):
    """Two ways in each cell; the better one has a score more."""
    return [
        {"way": "plain", "scores": {"accuracy": n + seed / 10}},
        {"way": "better", "scores": {"accuracy": n + seed, "at home": 0.5}},
    ]


@pytest.fixture
def log(tmp_path):
    found = record.Log("try")
    found.path = tmp_path / "_run" / "try.jsonl"
    return found


def test_a_stopped_benchmark_goes_on_where_it_was(log):
    asked = []

    def stops(**cell):
        if len(asked) == 3:
            raise KeyboardInterrupt
        asked.append(cell)
        return compute(**cell)

    with pytest.raises(KeyboardInterrupt):
        record.fill(log, CELLS, stops)
    assert asked == CELLS[:3] and len(log.runs()) == 3
    asked.clear()
    record.fill(log, CELLS, stops)
    assert asked == CELLS[3:]
    record.fill(log, [cell | {"shift": tuple(cell["shift"])} for cell in CELLS], stops)  # the log knows lists alone
    assert asked == CELLS[3:]
    assert [run["seed"] for run in log.runs()] == [7, 8, 7, 8] and all(run["seconds"] >= 0 for run in log.runs())


def test_the_seeds_of_complete_groups_are_put_together_in_the_order_of_the_cells(log):
    for cell in (CELLS[3], CELLS[1], CELLS[0]):  # as two processes might add them; one of n = 100 is still missing
        log.add(cell | {"rows": compute(**cell), "seconds": 2.0 + cell["seed"]})
    assert record.tidy(log.runs(), CELLS, seconds=True) == [
        {"shift": ["waves", 0.6], "n": 10, "way": "plain", "scores": {"accuracy": [10.7, 10.8]}, "seconds": 9.5},
        {
            "shift": ["waves", 0.6],
            "n": 10,
            "way": "better",
            "scores": {"accuracy": [17, 18], "at home": [0.5, 0.5]},
            "seconds": 9.5,
        },
    ]
    assert record.total_seconds(log.runs()) == 29


def test_a_cell_that_two_processes_computed_counts_once_and_lines_of_another_form_not_at_all(log):
    for cell in CELLS[:2] * 2:
        log.add(cell | {"rows": compute(**cell), "seconds": 1})
    log.add({"n": 10, "seed": 7, "accuracy": 0.1, "seconds": 1})
    assert [row["scores"]["accuracy"] for row in record.tidy(log.runs(), CELLS[:2])] == [[10.7, 10.8], [17, 18]]


def test_rows_that_not_every_seed_has_are_left_out(log):
    for cell, data in zip(CELLS[:2], ("twin", "real"), strict=True):
        log.add(cell | {"rows": [{"data": data, "way": "plain", "scores": {"accuracy": 1}}], "seconds": 1})
    assert record.tidy(log.runs(), CELLS[:2]) == []


def test_what_a_benchmark_writes_is_what_the_course_reads(log, tmp_path, monkeypatch):
    record.fill(log, CELLS, compute)
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    about = {"command": "python x.py", "seeds": [7, 8], "commit": "abc", "score": "accuracy"}
    record.write("try", {"twin": about | {"rows": record.tidy(log.runs(), CELLS)}})
    assert len((tmp_path / "try.json").read_text("utf-8").splitlines()) == 1 + 4
    monkeypatch.setattr(records, "recorded", lambda file: json.loads((tmp_path / f"{file}.json").read_text("utf-8")))
    found = mtl.Record("try", "twin")
    np.testing.assert_array_equal(found.scores("better", n=10, shift=("waves", 0.6)), [17, 18])
    assert record.read("try")["twin"]["seeds"] == [7, 8] and record.read("nothing yet") == {}


@pytest.mark.parametrize("path", sorted(record.RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_every_committed_record_with_rows_has_one_value_per_seed(path):
    about = json.loads(path.read_text("utf-8"))
    for part in [about] if "command" in about else [part for part in about.values() if "command" in part]:
        for row in part.get("rows", []):
            keys = list(row)[: list(row).index("scores")]
            assert "way" in keys and set(row["scores"]) and part["score"]
            assert {len(values) for values in row["scores"].values()} == {len(row.get("seeds", part["seeds"]))}


def auroc(y, answers):
    """Of all pairs of a positive and a negative case, the share in which the positive one has the higher answer."""
    return (answers[y == 1][:, None] > answers[y == 0]).mean()


def test_answers_stay_in_the_log_and_their_intervals_go_into_the_record(log):
    y, cells = np.array([0, 1, 0, 1]), [{"task": "t", "seed": seed} for seed in (1, 2)]

    def answer(task, seed):
        right = [0.1, 0.9, 0.2, 0.8]
        return [
            {"way": "right", "scores": {"auroc": 1.0}, "answers": right},
            {"way": "wrong", "scores": {"auroc": 0.0}, "answers": [1 - p for p in right]},
        ]

    record.fill(log, cells, answer)
    assert all("answers" not in row for row in record.tidy(log.runs(), cells))
    found = {way: record.answers(log.runs(), cells, way) for way in ("right", "wrong")}
    assert found["right"].shape == (2, 4)
    rows = record.over_cases(y, found, [("right", "wrong"), ("right", None)], {"auroc": auroc}, task="t")
    both = {"task": "t", "ours": "right", "score": "auroc", "value": 1.0, "low": 1.0, "high": 1.0, "n": 4, "seeds": 2}
    assert rows == [both | {"theirs": "wrong"}, both | {"theirs": None}]
