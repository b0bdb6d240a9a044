"""What ``auto_transfer`` found: the network, how it was chosen, and the one look at the test data."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from torch import nn

from .intervals import Interval
from .ways import Way


@dataclass(repr=False)
class Transferred:
    """The network that was chosen on validation, and what it answers.

    ``model`` is the trained ``StagedNet``, in eval mode, which takes the images as the task has them (``predict``);
    ``way`` says how it was trained, and ``epochs`` for how long. Where several networks answer together, ``model`` is
    an ``Averaged`` one and ``averaged`` holds all their ways; ``way`` and ``epochs`` are those of the first, the best
    one. ``table`` has one row for each way that was tried, the best one first: its settings, and validation log loss,
    AUROC, epochs and seconds of its best training, with the ``rung`` of the halving that it reached (from 0). These
    scores have chosen, so they flatter. ``validation`` and ``test`` are the model's probabilities, float32 N×K; test
    images were seen once, at the end. ``metrics`` are intervals on test by name (of patients, where these are known);
    empty where test does not allow them. ``stopped`` is "search complete", or why it ended early, and ``notes`` say
    what else to know, one sentence each.
    """

    model: nn.Module
    way: Way
    epochs: int
    table: pd.DataFrame
    validation: np.ndarray
    test: np.ndarray
    metrics: dict[str, Interval]
    stopped: str
    seed: int
    minutes: float
    plan: dict
    notes: list[str] = field(default_factory=list)
    averaged: tuple[Way, ...] = ()

    def __repr__(self) -> str:
        score = f"; test AUROC {self.metrics['auroc']}" if self.metrics else ""
        which = f"the mean of {len(self.averaged)} networks, first {self.way}" if self.averaged else str(self.way)
        return f"Transferred: {which}, of {len(self.table)} ways tried ({self.stopped}){score}"

    def record(self) -> dict:
        """All but the network, its answers and the seconds, which differ from run to run, as JSON has it."""
        table = self.table.drop(columns="seconds")
        return {
            "way": self.way.record(),
            "averaged": [way.record() for way in self.averaged],
            "epochs": self.epochs,
            "seed": self.seed,
            "minutes": self.minutes,
            "stopped": self.stopped,
            "plan": self.plan,
            "notes": self.notes,
            "metrics": {
                name: {"value": one.value, "low": one.low, "high": one.high, "kind": one.kind, "n": one.n}
                for name, one in self.metrics.items()
            },
            "table": [
                {key: None if value != value else value for key, value in row.items()}
                for row in table.to_dict("records")
            ],
        }
