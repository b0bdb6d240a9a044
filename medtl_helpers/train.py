"""The training loop: images stay on the device as bytes, are augmented in batches, and only validation stops it."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import nn

from . import boundary
from .devices import device as default_device


@dataclass
class History:
    """What ``fit`` saw, one entry per finished epoch; ``best_epoch`` is the one whose weights the model now has."""

    train_loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    best_epoch: int | None = None
    stopped: str = "all epochs done"


def to_float(x: torch.Tensor) -> torch.Tensor:
    """uint8 0..255 to float32 -1..1; other dtypes become float32 and are otherwise left as they are."""
    return x.float().div_(127.5).sub_(1) if x.dtype == torch.uint8 else x.float()


def augment(x: torch.Tensor, generator: torch.Generator, *, shift: int = 2, flip: bool = True) -> torch.Tensor:
    """Move and mirror each image of a batch on its own; N×C×H×W of any dtype, the same comes back.

    Every image moves by up to ``shift`` pixels in both directions (border pixels are repeated) and, with ``flip``,
    is mirrored left-right with probability one half. One gather for the whole batch: no loop over images.
    Mirroring swaps left and right: leave it out where sides matter (the heart is on the left).
    """
    n, _, height, width = x.shape
    dy, dx = torch.randint(-shift, shift + 1, (2, n, 1), generator=generator)
    mirrored = torch.rand(n, 1, generator=generator) < (0.5 if flip else 0.0)
    rows = (torch.arange(height) + dy).clamp_(0, height - 1)
    columns = torch.arange(width).expand(n, width)
    columns = (torch.where(mirrored, width - 1 - columns, columns) + dx).clamp_(0, width - 1)
    pixel = (rows[:, :, None] * width + columns[:, None, :]).view(n, 1, -1).to(x.device)
    return x.flatten(2).gather(2, pixel.expand(-1, x.shape[1], -1)).view_as(x)


def fit(
    model: nn.Module,
    train,
    val=None,
    *,
    epochs: int = 10,
    batch_size: int = 64,
    lr: float = 1e-3,
    weight_decay: float = 0.0,
    optimizer: torch.optim.Optimizer | None = None,
    schedule: Callable[[float], float] | None = None,
    augment: Callable | None = None,
    penalty: Callable | None = None,
    class_weight: torch.Tensor | None = None,
    patience: int | None = None,
    seed: int = 0,
    device: torch.device | None = None,
    progress: bool = True,
) -> History:
    """Minimise the mean cross-entropy of ``model`` on ``train`` and keep the weights of the best validation epoch.

    Parameters
    ----------
    model: maps float32 N×… to logits N×K. Trained in place, in train mode; left in eval mode on ``device``.
    train, val: (x, y) with x uint8 images or float32, y int64. ``val`` alone decides which epoch is kept (the lowest
        loss, which need not be that of the best accuracy: ``benchmarks/medmnist_way.py``) and, with ``patience``, when
        to stop; without it the last epoch is kept.
    epochs, batch_size, lr, weight_decay: AdamW on all parameters that require a gradient …
    optimizer: … or this optimiser instead, which then knows its own learning rates.
    schedule: factor of the learning rate as a function of progress, 0 at the first step and towards 1 at the last.
    augment: ``augment(x, generator)`` applied to each batch of raw inputs.
    penalty: ``penalty(model)`` added to the loss of each batch: λ·R of ``losses.py``.
    class_weight: float K, weights of the cross-entropy.
    patience: stop after so many epochs without a lower validation loss.
    seed: of batch order and augmentation; initial weights are the caller's.
    progress: show a progress bar (never in a headless run).

    Raises ValueError for data that do not fit together or not the model (``boundary.py``), one class only, or a frozen
    model; FloatingPointError when the loss is not a finite number; MemoryError, with a batch size to try, when memory
    runs out. Ctrl-C ends training early and returns the history so far. However it ends, the model has the weights of
    its best epoch, where one was finished.
    """
    device = device or default_device()
    boundary.check_settings(epochs, batch_size, lr)
    if patience is not None and val is None:
        raise ValueError(f"patience={patience} watches the validation loss: give val, too, or leave patience out.")
    if not any(p.requires_grad for p in model.parameters()):
        raise ValueError("Every weight of the model is frozen, so there is nothing to train: unfreeze the head.")
    x, y = boundary.as_examples(train, "training")
    val = None if val is None else boundary.as_examples(val, "validation")
    boundary.check_classes(y, None if val is None else val[1])
    weights = boundary.as_class_weight(class_weight, device)
    model.to(device)
    x, y = x.to(device), y.to(device)
    optimizer = optimizer or torch.optim.AdamW(
        (p for p in model.parameters() if p.requires_grad), lr, weight_decay=weight_decay
    )
    scheduler = rate_scheduler(optimizer, schedule, epochs * -(-len(x) // batch_size)) if schedule else None
    generator = torch.Generator().manual_seed(seed)  # on the CPU: the same order on every device
    history, best, no_memory = History(), None, False
    bar = progress_bar(epochs, progress)

    def step(batch):  # a function, so that nothing of a batch outlives it, out of memory or not
        inputs = augment(x[batch], generator) if augment else x[batch]
        logits = boundary.forward(model, to_float(inputs))
        if not history.train_loss:
            boundary.check_outputs(logits, y, weights)
        loss = F.cross_entropy(logits, y[batch], weight=weights)
        if penalty is not None:
            loss = loss + penalty(model)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if scheduler:
            scheduler.step()
        return loss.detach()

    try:
        for epoch in bar:
            model.train()
            total = torch.zeros((), device=device)
            for batch in torch.randperm(len(x), generator=generator).split(batch_size):
                total += step(batch.to(device)) * len(batch)
            history.train_loss.append(_finite(total.item() / len(x), epoch, optimizer))
            if val is not None:
                val_loss, val_accuracy = validate(model, val, batch_size, device)
                history.val_loss.append(_finite(val_loss, epoch, optimizer))
                history.val_accuracy.append(val_accuracy)
                bar.set_postfix(loss=f"{history.train_loss[-1]:.3f}", val_loss=f"{val_loss:.3f}")
            if val is None or history.best_epoch is None or val_loss < history.val_loss[history.best_epoch]:
                history.best_epoch, best = epoch, _copy_of(model)
            elif patience is not None and epoch - history.best_epoch >= patience:
                history.stopped = f"no lower validation loss for {patience} epochs"
                break
    except KeyboardInterrupt:
        history.stopped = f"interrupted in epoch {epoch + 1}"
        kept = "the weights of this moment" if best is None else "its best weights so far"
        print(f"Training {history.stopped}: the model keeps {kept}.")
    except RuntimeError as error:
        if not boundary.out_of_memory(error):
            raise
        no_memory = True  # raised below, where `error` no longer holds the tensors of the batch
    finally:
        if best is not None:
            model.load_state_dict(best)
        model.eval()
    if no_memory:
        raise MemoryError(boundary.smaller_batch(batch_size, f"in epoch {epoch + 1}, training on"))
    return history


def predict(model: nn.Module, x, *, batch_size: int = 256, device: torch.device | None = None) -> torch.Tensor:
    """Class probabilities (float32 N×K, on the CPU) of ``model`` in eval mode, for raw inputs ``x``.

    Raises ValueError for inputs that do not fit the model, FloatingPointError when it answers with NaN, MemoryError,
    with a batch size to try, when memory runs out.
    """
    x, device = boundary.as_inputs(x, "given"), device or default_device()
    probability = boundary.with_memory(lambda: _probabilities(model, x, batch_size, device), batch_size, "predicting")
    wrong = int((~probability.isfinite()).flatten(1).any(1).sum())
    if wrong:
        raise FloatingPointError(f"The model's answers to {wrong} of {len(probability)} inputs are not finite numbers: "
                                 "look for NaN in these inputs and in the model's weights.")  # fmt: skip
    return probability


@torch.inference_mode()
def _probabilities(model, x, batch_size, device):
    model.to(device).eval()
    return torch.cat([boundary.forward(model, to_float(p.to(device))).softmax(1).cpu() for p in x.split(batch_size)])


def rate_scheduler(optimizer, schedule: Callable[[float], float], steps: int):
    """What sets the optimiser's rates to ``schedule(progress)`` times what they were."""
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: schedule(step / steps))


def validate(model: nn.Module, val, batch_size: int, device: torch.device) -> tuple[float, float]:
    """Mean cross-entropy and accuracy on ``val``, for a model that trains in batches of ``batch_size``."""
    (x, y), batch_size = val, min(256, 4 * batch_size)  # no gradients are kept: what trains in batches of n fits in 4 n
    probability, y = _probabilities(model, x, batch_size, device), y.cpu()
    loss = F.nll_loss(probability.clamp_min(1e-12).log(), y).item()
    return loss, (probability.argmax(1) == y).float().mean().item()


def _copy_of(model):
    return copy.deepcopy(model.state_dict())


def _finite(loss: float, epoch: int, optimizer) -> float:
    if loss != loss or loss in (float("inf"), float("-inf")):
        rate = optimizer.param_groups[0]["lr"]
        raise FloatingPointError(f"The loss is {loss} in epoch {epoch + 1} at learning rate {rate:g}: try a rate ten "
                                 "times lower, and look for NaN in the inputs.")  # fmt: skip
    return loss


def progress_bar(epochs: int, progress: bool):
    import sys

    from tqdm import tqdm

    from .widgets import headless

    off = not progress or headless()
    # plain text on stdout: a notebook that is opened again shows no "model not found", and nothing is red
    return tqdm(range(epochs), desc="epochs", leave=False, disable=off, file=sys.stdout, ncols=72)
