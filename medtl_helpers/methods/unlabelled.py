"""The loop of every pre-training without labels: what the task is stands in a loss of a batch and a generator."""

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from ..parts import as_device, check_rate, check_whole
from .history import History
from .nets import StagedNet


def train_without_labels(
    model: StagedNet,
    x: Tensor,
    weights: Iterable[Tensor],
    loss: Callable[[Tensor, torch.Generator], Tensor],
    *,
    epochs: int,
    batch_size: int,
    lr: float,
    generator: torch.Generator,
) -> History:
    """Minimise ``loss(batch, generator)`` over ``weights`` by AdamW, and leave ``model`` in eval mode.

    ``x`` is where ``model`` is; ``generator``, on the CPU, orders the batches and is handed to the loss. Returns the
    mean loss of each epoch as ``train_loss``. Raises FloatingPointError once that is no finite number.
    """
    history, optimizer = History(), torch.optim.AdamW(weights, lr)
    model.train()
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            value = loss(x[rows.to(x.device)], generator)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            total += value.item() * len(rows)
        history.train_loss.append(total / len(x))
        if not math.isfinite(total):
            raise FloatingPointError(
                f"The loss is {total} in epoch {len(history.train_loss)} at learning rate {lr:g}: try a rate ten times "
                "lower, and look for NaN in the model's weights."
            )
    model.eval()
    return history


def check_unlabelled(epochs, batch_size, lr, seed, device) -> tuple[int, int, torch.Generator, torch.device]:
    """``epochs``, ``batch_size``, a generator of ``seed`` and the device. Raises ValueError for what is none."""
    epochs, batch_size = check_whole(epochs, "epochs", least=1), check_whole(batch_size, "batch_size", least=1)
    check_rate(lr, "lr", above=True)
    generator = torch.Generator().manual_seed(check_whole(seed, "seed", least=0))
    return epochs, batch_size, generator, as_device(device)
