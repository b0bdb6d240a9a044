"""What is given to a network, looked at once, before anything is computed; each fault is one sentence."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

NO_MEMORY = ("out of memory", "allocate memory", "not enough memory", "ALLOC_FAILED")  # in torch's words


def as_inputs(x, name: str) -> Tensor:
    """``x`` as a tensor of bytes or floats. Raises ValueError for what is no array of numbers, or of other integers."""
    x = _as_tensor(x, f"{name} inputs")
    if x.dtype != torch.uint8 and not x.is_floating_point():
        raise ValueError(f"The {name} inputs are {_dtype(x)}: give images as uint8, 0 to 255, or numbers as float32.")
    return x


def as_examples(pair, name: str) -> tuple[Tensor, Tensor]:
    """The inputs and the labels (int64 N) of the ``name`` set. Raises ValueError where they are not one of each."""
    x, y = as_inputs(pair[0], name), _as_tensor(pair[1], f"{name} labels")
    if y.ndim != 1:
        raise ValueError(
            f"The {name} labels have shape {tuple(y.shape)} and should be one whole number per example: "
            "take y.flatten() of a column, or y.argmax(1) of one-hot rows."
        )
    if y.is_floating_point() or y.is_complex():
        missing = int(y.isnan().sum())
        raise ValueError(
            f"The {name} labels are {_dtype(y)}{f', {missing} of them NaN' if missing else ''}: leave out "
            "examples without a label, and give whole numbers from 0 (y.long())."
        )
    if len(x) != len(y):
        raise ValueError(f"The {name} set has {len(x)} inputs and {len(y)} labels: give one label for each input.")
    if not len(x):
        raise ValueError(f"The {name} set is empty: give at least one example.")
    return x, y.long()


def as_domains(source_x, source_y, target_x, classes: int) -> tuple[Tensor, Tensor, Tensor]:
    """Labelled source and unlabelled target inputs. Raises ValueError where they do not fit together or the classes."""
    source_x, source_y = as_examples((source_x, source_y), "source")
    target_x = as_inputs(target_x, "target")
    if not len(target_x):
        raise ValueError("There are no target inputs, and DANN adapts to them: give some, without labels.")
    if tuple(source_x.shape[1:]) != tuple(target_x.shape[1:]) or source_x.dtype != target_x.dtype:
        raise ValueError(
            f"Source inputs are {source_x.dtype} of shape {tuple(source_x.shape[1:])}, target inputs {target_x.dtype} "
            f"of shape {tuple(target_x.shape[1:])}: both must be alike."
        )
    if int(source_y.min()) < 0 or int(source_y.max()) >= classes:
        raise ValueError(
            f"Labels run from {int(source_y.min())} to {int(source_y.max())}, but there are {classes} classes: number "
            "them from 0."
        )
    return source_x, source_y, target_x


def check_classes(y: Tensor, val_y: Tensor | None) -> None:
    """Raises ValueError when the training labels are of one class, or lack a class of the validation labels."""
    seen = y.unique().tolist()
    if len(seen) == 1:
        raise ValueError(
            f"All training labels are {seen[0]}, so there is nothing to tell apart: give examples of at "
            "least two classes."
        )
    unseen = [] if val_y is None else sorted(set(val_y.unique().tolist()) - set(seen))
    if unseen:
        raise ValueError(
            f"Class {', '.join(map(str, unseen))} is in the validation set and not in the training set, "
            "so it cannot be learnt: add examples of it, or leave it out."
        )


def as_class_weight(weight, device) -> Tensor | None:
    """float32 K. Raises ValueError unless all are finite and above zero."""
    if weight is None:
        return None
    weight = torch.as_tensor(weight, dtype=torch.float32, device=device)
    if not (weight.isfinite() & (weight > 0)).all():
        raise ValueError(f"class_weight is {weight.tolist()}: give one finite number above zero per class.")
    return weight


def check_settings(epochs: int, batch_size: int, lr: float) -> None:
    """Raises ValueError for numbers with which nothing can be trained."""
    if batch_size < 1 or epochs < 0:
        raise ValueError(
            f"batch_size is {batch_size} and epochs is {epochs}: give a batch_size of 1 or more, and no epochs below 0."
        )
    if not 0 <= lr < float("inf"):
        raise ValueError(f"lr is {lr}: give a finite rate, 0 or above.")


def check_outputs(logits: Tensor, y: Tensor, weight: Tensor | None) -> None:
    """Raises ValueError when the network's outputs are not N×K logits for the labels ``y``, or not for ``weight``."""
    if logits.ndim != 2:
        raise ValueError(
            f"The model's outputs have shape {tuple(logits.shape)} and should be N×K, one number per "
            "class: end the model with pooling and a linear head."
        )
    low, high, last = int(y.min()), int(y.max()), logits.shape[1] - 1
    if low < 0 or high > last:
        raise ValueError(
            f"Labels run from {low} to {high}, but the model's outputs are 0 to {last}: number the "
            "classes from 0, or give the model another head."
        )
    if weight is not None and weight.shape != (last + 1,):
        raise ValueError(
            f"class_weight has shape {tuple(weight.shape)}, but the model has {last + 1} outputs: give "
            "one weight per class."
        )


def forward(model: nn.Module, x: Tensor, compute: Callable | None = None) -> Tensor:
    """``model(x)``, or ``compute(x)``, which uses parts of the model; where torch stumbles over the shape of ``x``,
    ValueError says which shape the model wants.
    """
    try:
        return (compute or model)(x)
    except (RuntimeError, ValueError) as error:
        why = None if out_of_memory(error) else _misfit(model, x, str(error))
        if why is None:
            raise
        raise ValueError(why) from error


def out_of_memory(error: Exception) -> bool:
    """Whether torch says that no memory is left, on whichever device."""
    return any(words in str(error) for words in NO_MEMORY)


def with_memory(compute: Callable, batch_size: int, doing: str):
    """``compute()``; where memory runs out, MemoryError with a batch size to try."""
    try:
        return compute()
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
    raise MemoryError(smaller_batch(batch_size, doing))  # out here, where `error` no longer holds the batch's tensors


def smaller_batch(batch_size: int, doing: str) -> str:
    """What to do when memory ran out ``doing`` something in batches: the half is no promise, but the next to try."""
    if batch_size == 1:
        return f"Out of memory {doing} one example at a time: take smaller images or a smaller network."
    return f"Out of memory {doing} batches of {batch_size}: try batch_size={batch_size // 2}, or smaller images."


def _misfit(model: nn.Module, x: Tensor, said: str) -> str | None:
    """Why ``x`` does not fit the model, in a sentence; None when its shape is not to blame."""
    if "more than 1 value per channel" in said:
        return (
            "Batch norm cannot train on a last batch of one example: take another batch_size, or leave one example out."
        )
    first = next((p for p in model.parameters() if p.ndim in (2, 4)), None)
    if first is None:
        return None
    images, wanted = first.ndim == 4, first.shape[1]
    if x.ndim != first.ndim or x.shape[1] != wanted:
        kind = f"N×{wanted}×H×W" if images else f"N×{wanted}"
        return (
            f"The model's first layer wants inputs {kind} and got a batch of shape {tuple(x.shape)}: change the "
            "inputs (channels come before height and width), or build the model for them."
        )
    if images and "too small" in said:
        return f"Images of {x.shape[2]} × {x.shape[3]} px are too small for all stages of this model: take larger ones."
    return None


def _as_tensor(values, name: str) -> Tensor:
    try:
        return torch.as_tensor(values)
    except (TypeError, ValueError, KeyError, RuntimeError):  # whatever torch says of strings, objects and tables
        raise ValueError(
            f"The {name} are a {type(values).__name__} that torch cannot read: give numbers as an array "
            "or a tensor (frame.to_numpy(dtype='float32'))."
        ) from None


def _dtype(x: Tensor) -> str:
    return str(x.dtype).removeprefix("torch.")
