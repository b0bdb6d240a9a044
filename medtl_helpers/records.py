"""Recorded results: read a file of ``benchmarks/results`` and say its means and paired differences with intervals."""

import json

import numpy as np

from .assets import recorded
from .metrics import Interval, paired_difference, t_interval


class Record:
    """The rows of one recorded benchmark, each with ``scores``: under every name, one value per seed.

    A row is named by the values of two ``keys``: ``Record("dann", "kind", "shift", stage="report")`` answers to
    ``scores("smear", ["texture", 0.6], "DANN")``. Of all rows, those are read that have the values in ``only``.
    """

    def __init__(self, file: str, *keys: str, **only):
        about = recorded(file)
        self.file, self.command, self.seeds, self.about = file, about["command"], about["seeds"], about
        rows = [row for row in about["rows"] if all(row[key] == value for key, value in only.items())]
        self._scores = {json.dumps([row[key] for key in keys]): row["scores"] for row in rows}

    def items(self, kind: str) -> list:
        """The second keys of the rows whose first is ``kind``, in the order of the record."""
        return [item for first, item in map(json.loads, self._scores) if first == kind]

    def scores(self, kind: str, item, name: str) -> np.ndarray:
        """One value per seed, or for a score that is a list one row per seed. Raises KeyError if it is not recorded."""
        row = self._scores.get(json.dumps([kind, item]), {})
        if name not in row:
            raise KeyError(f"{kind}, {item}, {name} is not recorded in benchmarks/results/{self.file}.json.")
        return np.array(row[name])

    def mean(self, kind: str, item, name: str) -> Interval:
        """The mean over seeds and its t interval."""
        return t_interval(self.scores(kind, item, name))

    def paired(self, kind: str, item, ours: str, theirs: str) -> Interval:
        """The mean difference of two scores and its t interval, seed by seed."""
        return paired_difference(self.scores(kind, item, ours), self.scores(kind, item, theirs))
