"""Train a network for outlines, and let it outline: ``fit`` and ``predict`` for images with masks."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from .. import guards, parts
from .batches import in_order
from .history import History
from .loop import Training, rate_scheduler
from .mask_inputs import as_mask_sets, check_stays, cropped_together, turned_together
from .mask_losses import LOSSES, check_logits
from .mask_scores import dice
from .predict import predict, to_float
from .train import check_fit


def fit_masks(
    model: nn.Module,
    train,
    val=None,
    *,
    epochs: int = 10,
    batch_size: int = 16,
    lr: float = 1e-3,
    weight_decay: float = 0.0,
    optimizer: torch.optim.Optimizer | None = None,
    schedule: Callable[[float], float] | None = None,
    loss: str = "both",
    augment: Callable | None = None,
    turn: bool = False,
    crop: int | None = None,
    patience: int | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
    progress: bool = True,
) -> History:
    """Minimise the ``loss`` of ``model`` on ``train`` and keep the weights of the best validation epoch.

    Parameters
    ----------
    model: maps float32 N×C×H×W to logits N×K×H×W, like ``UNet``. Trained in place, in train mode; frozen stages stay
        in eval mode; left in eval mode on ``device``.
    train, val: (x, y) with images x, uint8 or float32 N×C×H×W, and class numbers y, uint8 N×H×W, 0 the background.
        ``val`` alone decides which epoch is kept (the lowest loss); without it the last epoch is kept.
    loss: ``"cross-entropy"``, ``"dice"``, or ``"both"``, their sum (``mask_losses.py``).
    augment: ``augment(x, generator)`` applied to each batch of raw images, and not to the masks: tones, no movements.
    turn: each image and its mask in one of the eight symmetries of a square.
    crop: random squares of so many pixels of each image and its mask; validation sees whole images.
    epochs, batch_size, lr, weight_decay, optimizer, schedule, patience, seed, device, progress: as in ``fit``.

    The history has ``val_dice``, the mean over validation images and over all classes but the background. Raises
    ValueError for images, masks and a model that do not fit together, FloatingPointError when the loss is not a finite
    number, and MemoryError, with a batch size to try. Ctrl-C ends training early, as in ``fit``.
    """
    check_fit(model, val, epochs=epochs, batch_size=batch_size, lr=lr, weight_decay=weight_decay, optimizer=optimizer,
              patience=patience, seed=seed)  # fmt: skip
    parts.check_choice(loss, "loss", LOSSES)
    check_stays(augment, turn)
    augment, schedule = parts.as_augment(augment), parts.as_schedule(schedule)
    x, y, val = as_mask_sets(model, train, val)
    if crop is not None and parts.check_whole(crop, "crop", least=1) > min(y.shape[1:]):
        raise ValueError(f"crop is {crop} and the images have {y.shape[1]} × {y.shape[2]} px: give a smaller one.")
    device, loss_of = parts.as_device(device), LOSSES[loss]
    model.to(device)
    x, y = x.to(device), y.to(device)
    if optimizer is None:
        trained = (p for p in model.parameters() if p.requires_grad)
        optimizer = torch.optim.AdamW(trained, lr, weight_decay=weight_decay)
    scheduler = rate_scheduler(optimizer, schedule, epochs * -(-len(x) // batch_size)) if schedule else None
    generator = torch.Generator().manual_seed(seed)  # on the CPU: the same order on every device
    history = History()

    def step(inputs: Tensor, masks: Tensor) -> Tensor:
        if crop:
            inputs, masks = cropped_together(inputs, masks, crop, generator)
        if turn:
            inputs, masks = turned_together(inputs, masks, generator)
        inputs = augment(inputs, generator) if augment else inputs
        logits = guards.as_logits(guards.forward(model, to_float(inputs)))
        if not history.train_loss:
            check_logits(logits, masks)
        value = loss_of(logits, masks)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()
        if scheduler:
            scheduler.step()
        return value.detach()

    with Training(model, epochs, batch_size, progress=progress) as training:
        for _ in training:
            model.train()
            total = torch.zeros((), device=device)
            for rows in torch.randperm(len(x), generator=generator).to(device).split(batch_size):
                total += step(x[rows], y[rows]) * len(rows)
            rate = f"learning rate {optimizer.param_groups[0]['lr']:g}"
            history.train_loss.append(training.finite(total.item() / len(x), rate))
            if val is None:
                training.keep()
                continue
            val_loss, val_dice = _validate(model, val, batch_size, device, loss_of)
            history.val_loss.append(training.finite(val_loss, rate))
            history.val_dice.append(val_dice)
            training.show(loss=history.train_loss[-1], val_loss=val_loss)
            if training.is_over(history.val_loss, patience):
                break
    history.best_epoch, history.stopped = training.best_epoch, training.stopped
    return history


@torch.inference_mode()
def _validate(model: nn.Module, val, batch_size: int, device: torch.device, loss_of: Callable) -> tuple[float, float]:
    """Mean loss of the validation images, and their mean Dice over all classes but the background."""
    (x, y), total, predicted = val, 0.0, []
    model.eval()
    for inputs, masks in zip(in_order(x, batch_size, device), y.split(batch_size), strict=True):
        logits = guards.as_logits(guards.forward(model, to_float(inputs)))
        check_logits(logits, masks)
        total += loss_of(logits, masks.to(device)).item() * len(masks)
        predicted.append(logits.argmax(1).cpu())
    scores = [dice(torch.cat(predicted), y, of=k) for k in range(1, logits.shape[1])]
    return total / len(y), float(np.mean(scores))


def predict_masks(
    model: nn.Module, x, *, batch_size: int = 64, device: torch.device | str | None = None
) -> torch.Tensor:
    """The most probable class of each pixel: uint8 N×H×W, on the CPU, of raw images ``x`` N×C×H×W, in eval mode.

    ``predict`` gives the probabilities. Raises ValueError for images that do not fit the model and for a model that
    makes no map of logits, FloatingPointError when it answers with NaN, MemoryError, with a batch size to try.
    """
    parts.check_whole(batch_size, "batch_size", least=1)
    x = guards.as_inputs(x, "given")
    if x.ndim != 4 or not len(x):
        raise ValueError(f"The images have shape {tuple(x.shape)}: give at least one, N×C×H×W.")
    masks = []
    for part in x.split(batch_size):
        probability = predict(model, part, batch_size=batch_size, device=device)
        check_logits(probability, probability.new_zeros(len(part), *part.shape[2:], dtype=torch.uint8))
        masks.append(probability.argmax(1).to(torch.uint8))
    return torch.cat(masks)
