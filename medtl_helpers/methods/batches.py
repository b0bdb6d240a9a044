"""Batches of inputs on the device: rows of a tensor, or, of what does not fit in memory, by torch's ``DataLoader``."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ..guards import is_streamed


def placed(x, device: torch.device):
    """A tensor on the ``device``; what is streamed stays where it is, and its batches go there one by one."""
    return x if is_streamed(x) else x.to(device)


def batches(x, order: Sequence[Tensor], device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """(rows, x[rows]) on the ``device``, for each tensor of row numbers in ``order``; ``x`` was ``placed``."""
    if not is_streamed(x):
        for rows in order:
            rows = rows.to(device)
            yield rows, x[rows]
        return
    for rows, inputs in zip(order, _loader(x, order, device), strict=True):
        yield rows.to(device), inputs


def in_order(x, batch_size: int, device: torch.device) -> Iterator[Tensor]:
    """All inputs in batches on the ``device``, one after the other."""
    if not is_streamed(x):
        return (part.to(device) for part in x.split(batch_size))
    return _loader(x, torch.arange(len(x)).split(batch_size), device)


def _loader(x, order: Sequence[Tensor], device: torch.device) -> Iterator[Tensor]:
    """What a ``DataLoader`` reads, from pinned memory to a graphics card; with ``x.workers`` processes, if x has that.

    By default it reads here: rows of a file of pixels take microseconds, and workers would cost more than they save
    (``benchmarks/streams.py``). Its generator is one of its own, so that no random number of the training is used up.
    """
    loader: DataLoader = DataLoader(
        x,
        batch_size=None,  # ``order`` holds whole batches of rows
        sampler=order,
        num_workers=getattr(x, "workers", 0),
        pin_memory=device.type == "cuda",
        generator=torch.Generator(),
    )
    return (inputs.to(device, non_blocking=True) for inputs in loader)
