"""What ``auto_transfer`` found: the network, how it was chosen, and the one look at the test data."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from .intervals import Interval
from .nets import StagedNet
from .ways import Way


@dataclass(repr=False)
class Transferred:
    """The network that was chosen on validation, and what it answers.

    ``model`` is the trained ``StagedNet``, in eval mode, which takes the images as the task has them (``predict``);
    ``way`` says how it was trained, and ``epochs`` for how long. ``table`` has one row for each way that was tried, the
    chosen one first: its settings, and validation log loss, AUROC, epochs and seconds of its best training, with the
    ``rung`` that it reached (from 0). These scores have chosen, so they flatter. ``validation`` and ``test`` are the
    chosen network's probabilities, float32 N×K; test images were seen once, at the end. ``metrics`` are intervals on
    test by name (of patients, where these are known); empty where test does not allow them. ``stopped`` is "search
    complete", or why it ended early, and ``notes`` say what else to know, one sentence each.
    """

    model: StagedNet
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

    def __repr__(self) -> str:
        score = f"; test AUROC {self.metrics['auroc']}" if self.metrics else ""
        return f"Transferred: {self.way}, of {len(self.table)} ways tried ({self.stopped}){score}"

    def record(self) -> dict:
        """All but the network, its answers and the seconds, which differ from run to run, as JSON has it."""
        table = self.table.drop(columns="seconds")
        return {
            "way": self.way.record(),
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
