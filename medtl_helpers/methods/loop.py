"""What surrounds every training loop: the progress bar, Ctrl-C, memory that runs out, and the weights to keep::

    with Training(model, epochs, batch_size) as training:
        for epoch in training:
            ...                                 # the algorithm, and nothing else
            if this_epoch_is_the_best:
                training.keep()

However the loop ends, the model is in eval mode afterwards and has the weights that were kept last, if any were.
"""

import copy
import math
import sys
import traceback
from collections.abc import Callable, Iterator

import torch
from torch import nn
from tqdm import tqdm

from ..console import say
from ..devices import headless
from ..guards import out_of_memory, smaller_batch


class Training:
    """A context around a training loop; iterating over it gives the numbers of the epochs, from 0.

    Parameters
    ----------
    model: the network whose weights ``keep`` copies and the end of the context restores.
    epochs: how many there are at most. batch_size: named in the advice when memory runs out.
    progress: show a progress bar (never in a headless run). unit: what is counted, where it is no epoch.

    Ctrl-C ends the loop and is told in one printed line; ``stopped`` then says in which epoch. When memory runs out,
    MemoryError says so with a batch size to try.
    """

    def __init__(self, model: nn.Module, epochs: int, batch_size: int, *, progress: bool = True, unit: str = "epoch"):
        self.model, self.batch_size, self._unit = model, batch_size, unit
        # plain text on stdout: a notebook that is opened again shows no "model not found", and nothing is red
        self._bar = tqdm(
            range(epochs), desc=f"{unit}s", leave=False, disable=not progress or headless(), file=sys.stdout, ncols=72
        )
        self._epoch = 0
        self._best: dict[str, torch.Tensor] | None = None
        self.best_epoch: int | None = None  # whose weights are kept
        self.stopped = f"all {unit}s done"

    def __enter__(self) -> "Training":
        return self

    def __iter__(self) -> Iterator[int]:
        for epoch in self._bar:
            self._epoch = epoch
            yield epoch

    def keep(self) -> None:
        """Remember the model's weights of this moment as the ones to end with."""
        self.best_epoch, self._best = self._epoch, copy.deepcopy(self.model.state_dict())

    def is_over(self, losses: list[float], patience: int | None) -> bool:
        """Keep the weights where the last of the validation ``losses`` is the lowest; else whether patience is over."""
        if losses[-1] < min(losses[:-1], default=math.inf):
            self.keep()
        elif patience is not None and self._epoch - (self.best_epoch or 0) >= patience:
            self.stopped = f"no lower validation loss for {patience} epochs"
            return True
        return False

    def show(self, **figures: float) -> None:
        """Write figures beside the progress bar."""
        self._bar.set_postfix({name: f"{value:.3f}" for name, value in figures.items()})

    def finite(self, loss: float, where: str) -> float:
        """``loss`` itself. Raises FloatingPointError where it is not a finite number; ``where`` names the settings."""
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"The loss is {loss} in {self._unit} {self._epoch + 1} at {where}: try a rate ten times lower, and "
                "look for NaN in the inputs."
            )
        return loss

    def __exit__(self, kind, error, trace) -> bool:
        self._bar.close()
        if self._best is not None:
            self.model.load_state_dict(self._best)
        self.model.eval()
        if kind is KeyboardInterrupt:
            self.stopped = f"interrupted in {self._unit} {self._epoch + 1}"
            kept = "this moment" if self.best_epoch is None else f"{self._unit} {self.best_epoch + 1}"
            say(f"Training {self.stopped}: the model keeps the weights of {kept}.")
            return True
        if isinstance(error, RuntimeError) and out_of_memory(error):
            traceback.clear_frames(trace)  # these and the context would hold the tensors of the batch
            try:
                raise MemoryError(smaller_batch(self.batch_size, f"in {self._unit} {self._epoch + 1}, training on"))
            except MemoryError as told:
                told.__context__ = None
                raise
        return False


def rate_scheduler(optimizer: torch.optim.Optimizer, schedule: Callable[[float], float], steps: int):
    """What sets the optimiser's rates to ``schedule(progress)`` times what they were, progress from 0 towards 1."""
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: schedule(step / max(steps, 1)))


def endless_batches(n: int, batch_size: int, generator: torch.Generator) -> Iterator[torch.Tensor]:
    """Indices below ``n`` in whole batches, from one shuffled pass after the other."""
    pool = torch.empty(0, dtype=torch.long)
    while True:
        while len(pool) < batch_size:
            pool = torch.cat([pool, torch.randperm(n, generator=generator)])
        yield pool[:batch_size]
        pool = pool[batch_size:]
