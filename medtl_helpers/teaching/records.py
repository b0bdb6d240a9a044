"""Recorded results: read a file of ``benchmarks/results`` and say its means and paired differences with intervals.

All records have one form. A header says how the record was made; under ``rows`` stands one row for each way that was
measured in each setting::

    {"shift": "texture", "strength": 0.6, "way": "DANN", "scores": {"accuracy": [0.985, …]}, "seconds": 8.1}

What stands before ``scores`` are the row's keys, each score is a list with one value per seed, and what follows are
plain facts. A file may also be in parts, each with a header and rows of its own.

Where a lesson's primary comparison was written down before its seeds ran, the header names it under ``primary``: the
``lesson``, the ``comparison`` in one sentence, the ways ``ours`` and ``theirs``, ``score`` and ``where`` that find
their rows, the ``margin``, the commit in which it was ``written``, the way of the strongest ``opponent``, and ``over``,
what its interval is over: "seeds" (each with new test cases), "splits" of one table, or "cases" beside the seeds.
"""

import numpy as np

from ..assets import recorded
from ..methods.intervals import Interval, corrected_t, paired_difference, t_interval
from ..parts import shown


class Record:
    """The rows of one record: ``Record("dann", stage="report").mean("DANN", kind="digits")``.

    Parameters
    ----------
    file: the name of the file, without its ending.
    part: for a file in parts which of them, like ``"real"``; for another file the rows whose key ``part`` says so.
    only: keep the rows whose keys have these values.

    Raises KeyError for a part that the file does not have, and where no row is kept.
    """

    def __init__(self, file: str, part: str | None = None, **only):
        if not isinstance(file, str) or not isinstance(part, str | None):
            raise KeyError(f"The record is {shown(file)} and its part {shown(part)}: give their names, like 'dann'.")
        about, self.file, self.part = recorded(file), file, part
        if "rows" not in about and not any("rows" in one for one in about.values() if isinstance(one, dict)):
            raise KeyError(f"benchmarks/results/{file}.json has no rows: read it with mtl.recorded({file!r}).")
        self._name = f"benchmarks/results/{file}.json"
        if "rows" not in about:  # a file in parts
            if part not in about:
                raise KeyError(f"{self._name} is in the parts {', '.join(about)}: name one of them, not {part!r}.")
            about, self._name = about[part], f"the part {part!r} of {self._name}"
        elif part is not None:
            only = {"part": part} | only
        self._rows = [row for row in about["rows"] if _matches(row, only)]
        if not self._rows:
            raise KeyError(f"No row with {_words(only)} is recorded in {self._name}.")
        self.about, self.command, self.commit = about, about["command"], about["commit"]
        self.score: str = about["score"]  # the main score, which is meant where no other is named
        seeds = {tuple(row.get("seeds", about["seeds"])) for row in self._rows}
        self.seeds: list[int] = list(seeds.pop()) if len(seeds) == 1 else about["seeds"]
        data = {row.get("data", about.get("data", "")) for row in self._rows}
        self.data: str = data.pop() if len(data) == 1 else "mixed"  # "twin", "real", …; "" where no row says it

    def values(self, *keys: str, **where) -> list:
        """The distinct values of a key in the order of the record; of several keys the distinct tuples of values.

        Rows that lack one of the ``keys`` are passed over. ``values("way")`` lists the ways.
        """
        if not keys:
            raise KeyError(f"No key of {self._name} was named: ask for one, like values('way').")
        found = []
        for row in self._rows:
            if _matches(row, where) and all(key in row for key in keys):
                values = row[keys[0]] if len(keys) == 1 else tuple(row[key] for key in keys)
                if values not in found:
                    found.append(values)
        return found

    def row(self, way: str, score: str | None = None, **where) -> dict:
        """The one row of ``way`` (that has ``score``, if one is named) with its facts: ``row(way, n=10)["seconds"]``.

        Raises KeyError if there is none, or more than one.
        """
        wanted = {"way": way} | where
        rows = [row for row in self._rows if _matches(row, wanted) and (score is None or score in list(row["scores"]))]
        asked = _words(wanted) + ("" if score is None else f" and the score {shown(score)}")
        if not rows:
            raise KeyError(f"No row with {asked} is recorded in {self._name}.")
        if len(rows) > 1:
            open_keys = ", ".join(_keys_that_differ(rows))
            raise KeyError(f"{len(rows)} rows with {asked} are recorded in {self._name}: say which by {open_keys}.")
        return rows[0]

    def scores(self, way: str, score: str | None = None, **where) -> np.ndarray:
        """One value per seed of ``score``, by default of the record's main score. Raises KeyError as ``row`` does."""
        score = score or self.score
        return np.array(self.row(way, score, **where)["scores"][score])

    def mean(self, way: str, score: str | None = None, **where) -> Interval:
        """The mean over seeds and its t interval."""
        return t_interval(self.scores(way, score, **where))

    def paired(self, ours: str, theirs: str, score: str | None = None, **where) -> Interval:
        """The mean difference of two ways, ours minus theirs, and its t interval, seed by seed."""
        return paired_difference(self.scores(ours, score, **where), self.scores(theirs, score, **where))

    def over_splits(self, ours: str, theirs: str, score: str | None = None, **where) -> Interval:
        """The mean difference of two ways over overlapping splits of one table, with the corrected t interval.

        The fact "test share" (n_test / n_train of a split) stands in the row of ``ours`` or in the header.
        """
        share = self.row(ours, score, **where).get("test share", self.about.get("test share"))
        if share is None:
            raise KeyError(f"{self._name} does not say the 'test share' of its splits.")
        return corrected_t(self.scores(ours, score, **where) - self.scores(theirs, score, **where), share)

    def over_cases(self, ours: str, theirs: str | None = None, score: str | None = None, **where) -> Interval:
        """The mean of a way, or the difference of two, over seeds *and* test cases, where these were given once.

        It was computed from all answers when the record was made (``methods/two_level.py``). Raises KeyError where the
        record has no such row, or more than one.
        """
        wanted = {"ours": ours, "theirs": theirs, "score": score or self.score} | where
        rows = [row for row in self.about.get("two_level", []) if _matches(row, wanted)]
        if len(rows) != 1:
            raise KeyError(f"{len(rows)} intervals over test cases with {_words(wanted)} are recorded in {self._name}.")
        row = rows[0]
        kind = f"bootstrap over {row['seeds']} seeds and the test cases"
        return Interval(row["value"], row["low"], row["high"], kind, row["n"], row.get("level", 0.95))

    @property
    def primary(self) -> Interval:
        """The comparison that was written down before its seeds ran: ``about["primary"]`` names its rows and margin."""
        if "primary" not in self.about:
            raise KeyError(f"{self._name} names no primary comparison.")
        about = self.about["primary"]
        over = {"seeds": self.paired, "splits": self.over_splits, "cases": self.over_cases}[about.get("over", "seeds")]
        return over(about["ours"], about["theirs"], about["score"], **about["where"])


def _matches(row: dict, wanted: dict) -> bool:
    return all(key in row and row[key] == _as_in_json(value) for key, value in wanted.items())


def _as_in_json(value):
    """JSON knows no tuples: ``("texture", 0.6)`` is recorded as a list."""
    return [_as_in_json(part) for part in value] if isinstance(value, tuple | list) else value


def _words(wanted: dict) -> str:
    return ", ".join(
        f"{key} {shown(value) if hasattr(value, 'shape') else repr(value)}" for key, value in wanted.items()
    )


def _keys_that_differ(rows: list[dict]) -> list[str]:
    """The keys, which stand before the scores, in which ``rows`` are not all alike."""
    keys = dict.fromkeys(key for row in rows for key in list(row)[: list(row).index("scores")])
    return [key for key in keys if any(row.get(key) != rows[0].get(key) for row in rows)]
