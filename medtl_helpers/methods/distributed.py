"""Several processes train one network: torch's ``DistributedDataParallel`` under ``torchrun``, on cards or processors.

    python -m torch.distributed.run --standalone --nproc-per-node 2 script.py

A script that calls ``fit`` between ``with started():`` and its end trains with all its processes together. Each of them
draws the same batches, computes its share of each, and the gradients are averaged so that a step is that of one process
on the whole batch, up to rounding: shares that are not equally large, and class weights, are weighed for it. After each
epoch the first process says what the validation loss is, and all of them keep the same weights.

Batch norm that trains is another network, since it normalises every share by itself: ``shared`` tells what to do.
Dropout draws other numbers in shares than in a batch.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .. import console

Value = TypeVar("Value")
_together = False  # inside ``started``, of more than one process


@contextmanager
def started() -> Iterator[None]:
    """Join the other processes that ``torchrun`` started, and take the graphics card of this one; else do nothing.

    Meanwhile only the first process prints lines and progress.
    """
    global _together
    if int(os.environ.get("WORLD_SIZE", 1)) == 1 or "LOCAL_RANK" not in os.environ:
        yield
        return
    cuda = torch.cuda.is_available() and os.environ.get("MEDTL_DEVICE", "cuda").startswith("cuda")
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if cuda else "gloo")
    _together = True
    if not is_main():
        os.environ["MEDTL_HEADLESS"] = "1"  # no bars
        console.mute()
    try:
        yield
    finally:
        _together = False
        dist.destroy_process_group()


def is_main() -> bool:
    """Whether this is the only process or the first one, which prints and writes files."""
    return not _together or dist.get_rank() == 0


def agree(value: Value) -> Value:
    """The ``value`` of the first process, in all of them: for what a clock, a file or rounding may make different."""
    if not _together:
        return value
    found: list[Any] = [value]
    dist.broadcast_object_list(found, 0)
    return found[0]


def shared(model: nn.Module) -> nn.Module:
    """What gives the outputs of ``model`` in training: itself; or, of several processes, itself with the weights of the
    first and with gradients that are averaged over all. One line tells of batch norm."""
    if not _together:
        return model
    if any(isinstance(m, _BatchNorm) and not isinstance(m, nn.SyncBatchNorm) for m in _trained_modules(model)):
        _tell_of_batch_norm()
    return nn.parallel.DistributedDataParallel(model)


def own(batch: Tensor) -> Tensor:
    """The share of this process of a batch; of one with fewer examples than processes, everybody takes all."""
    return batch[dist.get_rank() :: dist.get_world_size()] if _shares(batch) > 1 else batch


def cross_entropy(logits: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
    """The mean cross-entropy of the labels ``y`` of a batch, with class weights, from the logits of its ``own`` share.

    Averaged over the processes it is that of the whole batch, and so is its gradient.
    """
    if _shares(y) == 1:
        return F.cross_entropy(logits, y, weight=weight)
    whole = len(y) if weight is None else weight[y].sum()
    return F.cross_entropy(logits, own(y), weight=weight, reduction="sum") * (_shares(y) / whole)


def averaged(total: Tensor, model: nn.Module) -> Tensor:
    """The mean of ``total`` over the processes, at the end of an epoch; all then take the first one's batch norm."""
    if _together:
        dist.all_reduce(total)
        total /= dist.get_world_size()
        for buffer in model.buffers():
            dist.broadcast(buffer, 0)
    return total


def _shares(batch: Tensor) -> int:
    """Into how many shares a batch is divided."""
    return world if _together and len(batch) >= (world := dist.get_world_size()) else 1


@cache  # once, of however many networks
def _tell_of_batch_norm() -> None:
    console.say(
        "Batch norm sees the share of each process alone, so that the result is not that of one process: take group "
        "norm, or, on graphics cards, torch.nn.SyncBatchNorm.convert_sync_batchnorm(model)."
    )


def _trained_modules(model: nn.Module) -> list[nn.Module]:
    """All that ``train()`` puts in training mode: no frozen stages."""
    before = model.training
    model.train()
    found = [module for module in model.modules() if module.training]
    model.train(before)
    return found
