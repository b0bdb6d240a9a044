"""The training loop: images stay on the device as bytes, are augmented in batches, and only validation stops it."""

from collections.abc import Callable

import torch
from torch import nn

from .. import guards, parts
from .batches import batches, placed
from .distributed import agree, averaged, cross_entropy, own, shared
from .history import History
from .loop import Training, rate_scheduler
from .predict import to_float, validate


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
    class_weight=None,
    patience: int | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
    progress: bool = True,
) -> History:
    """Minimise the mean cross-entropy of ``model`` on ``train`` and keep the weights of the best validation epoch.

    Parameters
    ----------
    model: maps float32 N×… to logits N×K, alone or as ``logits`` of a dict or tuple. Trained in place, in train mode;
        left in eval mode on ``device``.
    train, val: (x, y) with x uint8 images or float32, y int64; x may be streamed (``StreamedImages``).
        ``val`` alone decides which epoch is kept (the lowest loss, which need not be that of the best accuracy:
        ``benchmarks/medmnist_way.py``) and, with ``patience``, when to stop; without it the last epoch is kept.
    epochs, batch_size, lr, weight_decay: AdamW on all parameters that require a gradient …
    optimizer: … or this optimiser instead, which then knows its own learning rates.
    schedule: factor of the learning rate as a function of progress, 0 at the first step and towards 1 at the last.
    augment: ``augment(x, generator)`` applied to each batch of raw inputs.
    penalty: ``penalty(model)`` added to the loss of each batch: λ·R of ``losses.py``.
    class_weight: float K or a dict by class, weights of the cross-entropy; or ``"balanced"``, N/(K·n_k).
    patience: stop after so many epochs without a lower validation loss.
    seed: of batch order and augmentation; initial weights are the caller's.
    progress: show a progress bar (never in a headless run).

    Raises ValueError for data that do not fit together or not the model (``guards.py``), one class only, a frozen
    model, or a part that does not do what it is for (``parts.py``); FloatingPointError when the loss is not a finite
    number; MemoryError, with a batch size to try, when memory runs out. Ctrl-C ends training early and returns the
    history so far. However it ends, the model has the weights of its best epoch, where one was finished.
    """
    check_fit(model, val, epochs=epochs, batch_size=batch_size, lr=lr, weight_decay=weight_decay, optimizer=optimizer,
              patience=patience, seed=seed)  # fmt: skip
    epochs, batch_size, seed = int(epochs), int(batch_size), int(seed)
    augment, penalty, schedule = parts.as_augment(augment), parts.as_penalty(penalty), parts.as_schedule(schedule)
    x, y, val = guards.as_sets(model, train, val, augmented=augment is not None)
    device = parts.as_device(device)
    class_weight = guards.as_class_weight(class_weight, y, device)
    model.to(device)
    x, y = placed(x, device), y.to(device)
    if optimizer is None:
        trained = (p for p in model.parameters() if p.requires_grad)
        optimizer = torch.optim.AdamW(trained, lr, weight_decay=weight_decay)
    scheduler = rate_scheduler(optimizer, schedule, epochs * -(-len(x) // batch_size)) if schedule else None
    generator = torch.Generator().manual_seed(seed)  # on the CPU: the same order on every device
    history, network = History(), shared(model)

    def step(batch: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        inputs = augment(inputs, generator) if augment else inputs
        logits = guards.as_logits(guards.forward(network, to_float(own(inputs))))
        if not history.train_loss:
            guards.check_outputs(model, logits, y, class_weight)
        loss = cross_entropy(logits, y[batch], class_weight)
        if penalty is not None:
            loss = loss + penalty(model)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if scheduler:
            scheduler.step()
        return loss.detach()

    with Training(model, epochs, batch_size, progress=progress) as training:
        for _ in training:
            model.train()
            total = torch.zeros((), device=device)
            order = torch.randperm(len(x), generator=generator).split(batch_size)
            for batch, inputs in batches(x, order, device):
                total += step(batch, inputs) * len(batch)
            rate = f"learning rate {optimizer.param_groups[0]['lr']:g}"
            history.train_loss.append(training.finite(averaged(total, model).item() / len(x), rate))
            if val is None:
                training.keep()
                continue
            val_loss, val_accuracy = agree(validate(model, val, batch_size, device))
            history.val_loss.append(training.finite(val_loss, rate))
            history.val_accuracy.append(val_accuracy)
            training.show(loss=history.train_loss[-1], val_loss=val_loss)
            if training.is_over(history.val_loss, patience):
                break
    history.best_epoch, history.stopped = training.best_epoch, training.stopped
    return history


def check_fit(
    model, val, *, epochs=1, batch_size=1, lr=0.0, weight_decay=0.0, optimizer=None, patience=None, seed=0, **other
) -> None:
    """Raises ValueError for arguments of ``fit``, besides the data, with which nothing can be trained."""
    parts.check_network(model)
    guards.check_settings(epochs, batch_size, lr, weight_decay, seed)
    if patience is not None:
        parts.check_whole(patience, "patience", least=1)
        if val is None:
            raise ValueError(f"patience={patience} watches the validation loss: give val, too, or leave patience out.")
    if not any(p.requires_grad for p in model.parameters()):
        raise ValueError("Every weight of the model is frozen, so there is nothing to train: unfreeze the head.")
    if optimizer is not None:
        parts.check_optimizer(optimizer, model)
        if weight_decay:
            raise ValueError(f"weight_decay={weight_decay:g} would have no effect: give it to the optimizer.")
