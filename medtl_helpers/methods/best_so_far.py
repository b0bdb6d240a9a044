"""The best way of a search so far, of each source and of all, with their networks; and the table of all."""

import time
from typing import Any, NamedTuple

import pandas as pd
import torch
from sklearn.metrics import roc_auc_score

from .distributed import agree
from .nets import StagedNet
from .search_log import SearchLog
from .trials import Trials, case_losses
from .ways import Way

ERRORS = 2  # of the mean difference of two losses, beyond which a network has no part in the mean
DIGITS = 6  # of what the log holds, and of what is compared: a search from its log decides as the first one did


class Member(NamedTuple):
    """A network that answers, alone or with others: how it was trained, and its probabilities of validation, N×K."""

    model: StagedNet
    way: Way
    epochs: int
    validation: torch.Tensor


class BestSoFar:
    """Asks the log, or trains, for each loss that halving wants, and keeps the network of each source's lowest one."""

    def __init__(self, trials: Trials, log: SearchLog):
        self.trials, self.log = trials, log
        self.lowest = float("inf")
        self._best: dict[str, dict[str, Any]] = {}
        self._kept: dict[str, tuple[StagedNet, torch.Tensor] | None] = {}
        self._seen: dict[Way, dict[str, Any]] = {}
        self._rung: dict[Way, int] = {}

    def loss(self, way: Way, epochs: int) -> float:
        """The mean log loss on validation of ``way`` after ``epochs`` epochs (0 of a regression); infinite where the
        training diverged.
        """
        trial, kept = self.log.find(way.record(), epochs), None
        if trial is None:
            start = time.perf_counter()
            try:
                kept = self.trials.run(way, epochs)
                scores: dict[str, Any] = validation_scores(kept[1], self.trials.val[1])
            except (FloatingPointError, MemoryError) as failed:
                scores = {"log loss": None, "auroc": None, "failed": str(failed)}
            seconds = round(time.perf_counter() - start, 2)
            trial = agree({"way": way.record(), "epochs": epochs, **scores, "seconds": seconds})
            self.log.add(trial)
        self._rung[way] = self._rung.get(way, -1) + 1
        found = _loss(trial)
        if way not in self._seen or found < _loss(self._seen[way]):
            self._seen.pop(way, None)  # equal losses stand in the order in which they were reached
            self._seen[way] = trial
        if found == float("inf"):
            return found
        if way.source not in self._best or found < _loss(self._best[way.source]):
            self._best.pop(way.source, None)  # equal losses stand in the order in which they were reached
            self._best[way.source], self._kept[way.source] = trial, kept
        self.lowest = min(self.lowest, found)
        return found

    def networks(self, average: bool = False) -> list[Member]:
        """The best network; with ``average`` also the best one of each other pre-trained source that may be as good.

        The lowest loss comes first. A network may be as good unless its loss on validation is higher by more than
        ``ERRORS`` standard errors of the mean difference, image by image.
        """
        first, *others = self.candidates() if average else [self._member(self._sorted()[0])]
        y = self.trials.val[1]
        lowest = case_losses(first.validation, y)
        return [first, *(one for one in others if not _higher(case_losses(one.validation, y) - lowest))]

    def candidates(self) -> list[Member]:
        """The best network, and the best one of each other source that was pre-trained; the lowest loss comes first.

        What comes from the log is trained again.
        """
        first, *others = self._sorted()
        return [self._member(trial) for trial in [first, *(t for t in others if Way(**t["way"]).pretrained)]]

    def _sorted(self) -> list[dict[str, Any]]:
        if not self._best:
            raise FloatingPointError(
                "No training of any way ended with a loss that is a number: look at the images, or try other sources."
            )
        return sorted(self._best.values(), key=_loss)

    def _member(self, trial: dict[str, Any]) -> Member:
        way = Way(**trial["way"])
        model, validation = self._kept[way.source] or self.trials.run(way, trial["epochs"])
        return Member(model.eval(), way, trial["epochs"] * way.longer, validation)

    def table(self) -> pd.DataFrame:
        """One row for each way that was tried, with its best training; the lowest loss, which was chosen, first."""
        rows = [
            way.record()
            | {
                "log loss": trial["log loss"],
                "auroc": trial["auroc"],
                "epochs": trial["epochs"] * way.longer,
                "rung": self._rung[way],
                "seconds": trial["seconds"],
            }
            for way, trial in self._seen.items()
        ]
        return pd.DataFrame(rows).sort_values("log loss", kind="stable", ignore_index=True)


def _higher(more: torch.Tensor) -> bool:
    """Whether the mean of the differences N is above 0 by more than ``ERRORS`` of its standard errors."""
    return bool(more.mean() > ERRORS * more.std(correction=0) / len(more) ** 0.5)


def _loss(trial: dict) -> float:
    """Of a training that diverged it is infinite."""
    return float("inf") if trial["log loss"] is None else trial["log loss"]


def validation_scores(probability: torch.Tensor, y: torch.Tensor) -> dict[str, float | None]:
    """Mean log loss, and AUROC as the mean over the classes that have images in and out; None where there is none."""
    there = [k for k in range(probability.shape[1]) if 0 < int((y == k).sum()) < len(y)]
    aurocs = [roc_auc_score((y == k).numpy(), probability[:, k].numpy()) for k in there]
    return {
        "log loss": round(float(case_losses(probability, y).mean()), DIGITS),
        "auroc": round(sum(aurocs) / len(aurocs), DIGITS) if aurocs else None,
    }
