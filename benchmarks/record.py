"""What all benchmarks share: the log that lets a stopped one go on where it was, and the form of their records.

A *cell* is the smallest piece of work that is worth remembering: a dict of what sets it apart, with its ``seed``. Its
result is a list of *rows*, each a dict with ``scores`` (name → value) and, beside them, whatever sets the rows of one
cell apart, such as the ``way``. ``fill`` computes the cells that the log does not hold yet; ``tidy`` puts the seeds
together into the rows that ``mtl.Record`` reads.
"""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from tqdm import tqdm

import medtl_helpers as mtl
from medtl_helpers.methods.two_level import two_level

RESULTS = Path(__file__).parent / "results"


class Log:
    """Finished cells, one line of JSON each, in ``_run/NAME.jsonl``; several processes may add to it."""

    def __init__(self, name: str):
        self.path = RESULTS.parent.parent / "_run" / f"{name}.jsonl"

    def runs(self) -> list[dict]:
        """Each cell with its ``rows`` and its ``seconds``; lines in the form of older versions are passed over."""
        lines = self.path.read_text("utf-8").splitlines() if self.path.is_file() else []
        return [run for run in map(json.loads, lines) if "rows" in run]

    def add(self, run: dict) -> None:
        self.path.parent.mkdir(exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(run) + "\n")


def fill(log: Log, cells: Iterable[dict], compute: Callable[..., list[dict]]) -> None:
    """Add ``compute(**cell)`` and its seconds to the log, for each of the ``cells`` that the log does not hold then."""
    known = _held(log)
    for cell in tqdm([cell for cell in cells if _name(cell) not in known], desc=log.path.stem):
        if _name(cell) in _held(log):  # another process was quicker
            continue
        start = time.perf_counter()
        rows = compute(**cell)
        log.add(cell | {"rows": rows, "seconds": round(time.perf_counter() - start, 1)})


def _held(log: Log) -> set[str]:
    return {_name(_cell(run)) for run in log.runs()}


def tidy(runs: list[dict], cells: Iterable[dict], *, seconds: bool = False) -> list[dict]:
    """The rows of a record, in the order of ``cells``: keys, ``scores`` with a list of one value per seed, facts.

    Cells that are alike but for their seed make a group. Of a group that ``runs`` do not hold completely there is no
    row, so that every list has the same seeds. With ``seconds`` the mean seconds of a cell are added as a fact.
    """
    known = {_name(_cell(run)): run for run in runs}  # a cell that two processes computed counts once
    groups: dict[str, list] = {}
    for cell in cells:
        groups.setdefault(_name(_without(cell, "seed")), []).append(known.get(_name(cell)))
    rows = []
    for group in groups.values():
        if None not in group:
            facts = {"seconds": round(total_seconds(group) / len(group), 1)} if seconds else {}
            rows += [row | facts for row in _rows_of(group)]
    return rows


def seeded_rows(runs: list[dict], cells: list[dict], seeds: Iterable[int]) -> list[dict]:
    """``tidy``, and each row names its ``seeds``: the first ones of those of its stage, as many as it has scores."""
    seeds = list(seeds)
    return [row | {"seeds": seeds[: len(next(iter(row["scores"].values())))]} for row in tidy(runs, cells)]


def _rows_of(group: list[dict]) -> list[dict]:
    """The rows that all runs of a group have, their scores listed run by run."""
    found: dict[str, tuple[dict, list[dict]]] = {}
    for run in group:
        for row in run["rows"]:
            keys = _without(_cell(run), "seed") | _without(row, "scores", "answers")
            found.setdefault(_name(keys), (keys, []))[1].append(row["scores"])
    return [
        keys | {"scores": {name: [one[name] for one in scores] for name in scores[0]}}
        for keys, scores in found.values()
        if len(scores) == len(group)
    ]


def _cell(run: dict) -> dict:
    return _without(run, "rows", "seconds")


def _without(row: dict, *names: str) -> dict:
    return {name: value for name, value in row.items() if name not in names}


def _name(keys: dict) -> str:
    """The same text for the same keys, whether or not they have been through JSON."""
    return json.dumps(keys, sort_keys=True)


def answers(runs: list[dict], cells: Iterable[dict], way: str) -> np.ndarray:
    """S×N or S×N×K: what the networks of ``way`` answered to the test cases, one of ``cells`` after the other.

    A row of a cell may hold them under ``answers``; the log keeps them, and no record does.
    """
    known = {_name(_cell(run)): run for run in runs}
    rows = [row for cell in cells for row in known[_name(cell)]["rows"] if (cell | row)["way"] == way]
    return np.array([row["answers"] for row in rows])


def over_cases(
    y, found: dict[str, np.ndarray], pairs, scores: dict[str, Callable], *, groups=None, **keys
) -> list[dict]:
    """Rows for ``two_level`` of a record: ``found`` are the answers by way, and ``pairs`` of (ours, theirs or None).

    ``scores`` are functions of y and the answers of one network, by name; ``groups`` of cases are drawn as a whole, as
    ``two_level`` does it; ``keys`` tell these rows from others.
    """
    rows = []
    for ours, theirs in pairs:
        for name, score in scores.items():
            interval = two_level(y, found[ours], None if theirs is None else found[theirs], score=score, groups=groups)
            limits = rounded({"value": interval.value, "low": interval.low, "high": interval.high})
            facts = {"n": len(y), "seeds": len(found[ours])}
            rows.append(keys | {"ours": ours, "theirs": theirs, "score": name} | limits | facts)
    return rows


def rounded(scores: dict, digits: int = 4) -> dict[str, float]:
    """The scores as they are recorded: what stands behind these digits says nothing."""
    return {name: round(float(value), digits) for name, value in scores.items()}


def total_seconds(runs: list[dict]) -> float:
    """What all cells took together, also those of other processes."""
    return sum(run["seconds"] for run in runs)


def read(name: str) -> dict:
    """``results/NAME.json`` as it stands, or nothing where there is none: for a file in parts, made one by one."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}


def write(name: str, result: dict) -> None:
    """``results/NAME.json``, with a line of its own for each row."""
    (RESULTS / f"{name}.json").write_text(_with_lines(result) + "\n", "utf-8")


def _with_lines(value) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_compact(key)}:{_with_lines(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        return "[" + ",".join("\n" + _compact(row) for row in value) + "]"
    return _compact(value)


def _compact(value) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def header(seeds: list, seconds: float) -> dict:
    """The facts that stand beside the numbers; ``seeds`` are whatever the values of a row are one each of."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=RESULTS).stdout
    versions = {name: mtl.describe()[name] for name in ("python", "torch", "scikit-learn")}
    return {
        "command": " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "seeds": seeds,
        "device": str(mtl.device()),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "versions": versions,
        "commit": commit.strip() or "before the first commit",
        "seconds": round(seconds),
    }
