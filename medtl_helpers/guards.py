"""What is given to a network, looked at once, before anything is computed; each fault is one sentence."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from .console import say
from .parts import BRIGHT, check_rate, check_whole, shown

NO_MEMORY = ("out of memory", "allocate memory", "not enough memory", "ALLOC_FAILED")  # in torch's words


def is_streamed(x) -> bool:
    """Whether ``x`` stands for a tensor that is not in memory: a torch ``Dataset`` with its shape and dtype, of which
    ``x[rows]`` reads some rows, like ``StreamedImages``."""
    return isinstance(x, Dataset) and hasattr(x, "shape") and hasattr(x, "dtype")


def as_inputs(x, name: str, streamed: bool = False):
    """``x`` as a tensor of bytes, of floats, or of token numbers, int32 N×L.

    Raises ValueError for what is no array of numbers, or of other integers. What ``is_streamed`` stays as it is with
    ``streamed``, and is refused without.
    """
    if is_streamed(x):
        if not streamed:
            raise ValueError(
                f"The {name} inputs are streamed, and here they must be in memory: give some of them, like x[:1000]."
            )
        return x
    given, x = x, _as_tensor(x, f"{name} inputs")
    if not x.ndim:
        raise ValueError(f"The {name} inputs are {shown(given)}: give one for each example, N×….")
    if x.dtype != torch.uint8 and not x.is_floating_point() and not (x.dtype == torch.int32 and x.ndim == 2):
        raise ValueError(
            f"The {name} inputs are {_dtype(x)}: give images as uint8, 0 to 255, numbers as float32, or the token "
            "numbers of texts as int32 N×L."
        )
    return x


def as_examples(pair, name: str, streamed: bool = False) -> tuple[Any, Tensor]:
    """The inputs and the labels (int64 N) of the ``name`` set: of a pair (x, y), or of a ``TensorDataset`` of the two.

    With ``streamed`` the inputs may be what ``is_streamed``. Raises ValueError where they are not one label for each
    input.
    """
    if isinstance(pair, TensorDataset):
        pair = pair.tensors
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise ValueError(f"The {name} set is {_no_pair(pair)}: give a pair (x, y) of inputs and labels.")
    x, y = as_inputs(pair[0], name, streamed), _as_tensor(pair[1], f"{name} labels")
    if y.ndim == 3 and tuple(y.shape) == (len(x), *x.shape[2:]):
        raise ValueError(
            f"The {name} labels have shape {tuple(y.shape)}, one for each pixel, so they are masks: train on them with "
            "fit_masks, and predict them with predict_masks."
        )
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


def _no_pair(given) -> str:
    """What was given in place of a pair, and where the pair is in it."""
    kind = shown(given)
    if hasattr(given, "train"):
        return f"{kind}, a whole task, of which task.train is a pair"
    if isinstance(given, DataLoader):
        return f"{kind}, and batches are made here, of batch_size"
    if hasattr(given, "__getitem__") and not isinstance(given, Tensor | np.ndarray | tuple | list | str | Mapping):
        return f"{kind}, whose examples are not in memory yet (x = torch.stack([x for x, _ in dataset]))"
    return f"{kind} of {len(given)} parts" if isinstance(given, tuple | list) else kind


def as_sets(model: nn.Module, train, val, augmented: bool = False) -> tuple[Any, Tensor, tuple | None]:
    """x, y and ``val`` as tensors, or x as what ``is_streamed``, for training ``model`` on them.

    Raises ValueError where they are no examples, not alike, or of one class; tells of images on another scale.
    """
    x, y = as_examples(train, "training", streamed=True)
    tell_of_range(model, x, "training")
    if val is None:
        check_classes(y, None)
        return x, y, None
    val_x, val_y = as_examples(val, "validation", streamed=True)
    tell_of_range(model, val_x, "validation")
    check_classes(y, val_y)
    axes, val_axes = len(x.shape), len(val_x.shape)
    if (axes != val_axes and not augmented) or (axes == val_axes > 1 and x.shape[1] != val_x.shape[1]):
        raise ValueError(
            f"Training inputs have shape {tuple(x.shape)}, validation inputs {tuple(val_x.shape)}: both need the same "
            "columns or channels."
        )
    return x, y, (val_x, val_y)


def as_domains(source_x, source_y, target_x, classes: int, val=None) -> tuple[Tensor, Tensor, Tensor, tuple | None]:
    """Labelled source, unlabelled target and, where given, validation inputs of the source, with their labels.

    Raises ValueError where they do not fit together or the classes, and for a source of one class.
    """
    source_x, source_y = as_examples((source_x, source_y), "source")
    target_x = as_inputs(target_x, "target")
    if not len(target_x):
        raise ValueError("There are no target inputs, and DANN adapts to them: give some, without labels.")
    if tuple(source_x.shape[1:]) != tuple(target_x.shape[1:]) or source_x.dtype != target_x.dtype:
        raise ValueError(
            f"Source inputs are {source_x.dtype} of shape {tuple(source_x.shape[1:])}, target inputs {target_x.dtype} "
            f"of shape {tuple(target_x.shape[1:])}: both must be alike."
        )
    val = None if val is None else as_examples(val, "validation")
    for name, y in {"source": source_y, "validation": source_y if val is None else val[1]}.items():
        if int(y.min()) < 0 or int(y.max()) >= classes:
            raise ValueError(
                f"The {name} labels run from {int(y.min())} to {int(y.max())}, but there are {classes} classes: number "
                "them from 0."
            )
    check_classes(source_y, None)
    return source_x, source_y, target_x, val


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


def as_class_weight(weight, y: Tensor, device) -> Tensor | None:
    """float32 K: one number per class, in order or as a dict by class; ``"balanced"`` is N/(K·n_k) of the labels ``y``.

    Raises ValueError unless all are finite and above zero.
    """
    if weight is None:
        return None
    if isinstance(weight, str) and weight == "balanced":
        weight = len(y) / (int(y.max()) + 1) / torch.bincount(y)
    elif isinstance(weight, Mapping):
        if set(weight) != set(range(len(weight))):
            raise ValueError(f"class_weight is for {', '.join(map(str, weight))}: give one weight per class from 0 on.")
        weight = [weight[k] for k in range(len(weight))]
    try:
        weight = torch.as_tensor(weight, dtype=torch.float32, device=device)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(
            f"class_weight is {shown(weight)}: give one number above zero per class, or 'balanced'."
        ) from None
    if not (weight.isfinite() & (weight > 0)).all():
        raise ValueError(f"class_weight is {weight.tolist()}: give one finite number above zero per class.")
    return weight


def check_settings(epochs: int, batch_size: int, lr: float, weight_decay: float = 0.0, seed: int = 0) -> None:
    """Raises ValueError for numbers with which nothing can be trained."""
    for name, value in {"epochs": epochs, "batch_size": batch_size, "seed": seed}.items():
        check_whole(value, name)
    if batch_size < 1 or epochs < 0:
        raise ValueError(
            f"batch_size is {batch_size} and epochs is {epochs}: give a batch_size of 1 or more, and no epochs below 0."
        )
    check_rate(lr, "lr")
    check_rate(weight_decay, "weight_decay")


def check_outputs(model: nn.Module, logits: Tensor, y: Tensor, weight: Tensor | None) -> None:
    """Raises ValueError when the network's outputs are not N×K logits for the labels ``y``, or not for ``weight``.

    Of a softmax at the network's end one line is printed: notebook 04 trains such a network on purpose.
    """
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
    if len(logits) > 1 and are_probabilities(logits):  # one row alone may add up to 1 by chance
        tell_once(
            model,
            "The model ends in a softmax and the loss applies another one, so it learns slowly and its loss stays "
            "high: leave out the softmax, which predict applies.",
        )


def are_probabilities(outputs: Tensor) -> bool:
    """Whether every row of ``outputs`` N×K holds numbers of 0 or above that add up to 1, as float32 adds."""
    if len(outputs) == 0 or outputs.ndim < 2 or outputs.shape[1] < 2:
        return False
    return bool((outputs >= 0).all() and ((outputs.sum(1) - 1).abs() < 1e-5).all())


def tell_of_range(model: nn.Module, x, name: str) -> None:
    """One line, once for each network of convolutions, when its images ``x`` look like floats of 0 to 255.

    Raises ValueError for token numbers ``x`` of which the network's vocabulary does not have all: looked at here, since
    on a graphics card such a number would end the whole process.
    """
    if is_streamed(x):
        return
    tables = [module.num_embeddings for module in model.modules() if isinstance(module, nn.Embedding)]
    if x.dtype == torch.int32 and tables and x.numel() and not 0 <= int(x.min()) <= int(x.max()) < max(tables):
        raise ValueError(
            f"The {name} token numbers run from {int(x.min())} to {int(x.max())}, and the model knows 0 to "
            f"{max(tables) - 1}: take texts and model of the same vocabulary."
        )
    first = _first_weight(model)
    images = first is not None and first.ndim == 4 == x.ndim and x.shape[1] in (1, 3) and x.is_floating_point()
    if images and len(x) and x.min() >= 0 and x.max() > BRIGHT:
        tell_once(
            model,
            f"The {name} images are floats up to {x.max():g} and are used as they are: give them as uint8, 0 to 255, "
            "if the model expects images scaled to -1 to 1, as this course's networks do.",
        )


_told: WeakKeyDictionary[nn.Module, set[str]] = WeakKeyDictionary()


def tell_once(model: nn.Module, text: str) -> None:
    """``say`` it, unless it was said of this very network before."""
    if text not in _told.setdefault(model, set()):
        _told[model].add(text)
        say(text)


def as_logits(outputs) -> Tensor:
    """The logits in what a network returned: itself, or what it calls ``logits``, in a dict or as an attribute.

    Raises ValueError where there is no tensor of that name.
    """
    found = outputs.get("logits") if isinstance(outputs, Mapping) else getattr(outputs, "logits", outputs)
    if not isinstance(found, Tensor):
        raise ValueError(
            f"The model returns {shown(outputs)} without logits in it: wrap the model, so that it returns its logits "
            "alone, N×K."
        )
    return found


def as_rows(x, name: str, *, rows: int = 1, columns: int = 1) -> Tensor:
    """``x`` as a tensor of floats N×D, with its gradient, of so many ``rows`` and ``columns`` at least.

    Raises ValueError for what is none: the features or the logits that a loss without labels is computed of.
    """
    found = _as_tensor(x, name)
    if found.ndim != 2 or not found.is_floating_point() or len(found) < rows or found.shape[1] < columns:
        kind = f"{_dtype(found)} of shape {tuple(found.shape)}" if found.ndim else shown(x)
        raise ValueError(
            f"The {name} are {kind}: give floats, a row for each of {rows} or more examples, and {columns} or more "
            "columns."
        )
    return found


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
    first, reads_tokens = _first_weight(model), any(isinstance(module, nn.Embedding) for module in model.modules())
    if x.dtype == torch.int32 and not reads_tokens:
        return (
            "The inputs are int32, the token numbers of texts, which this model does not read: give numbers as float32."
        )
    if reads_tokens and "indices" in said:
        return (
            f"The model reads texts and got inputs that are {_dtype(x)}: give token numbers, int32 N×L, as tokens does."
        )
    if first is None or reads_tokens:
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
    if x.dtype != first.dtype:
        return f"The model's weights are {_dtype(first)} and its inputs {_dtype(x)}: call model.float() first."
    if inside := re.search(r"\(\d+x(\d+) and (\d+)x\d+\)", said):
        return (
            f"A linear layer of the model wants {inside[2]} numbers and the layers before it give {inside[1]}: build "
            "that layer (the head?) for so many, or take inputs of the size that the model was built for."
        )
    return None


def _first_weight(model: nn.Module) -> Tensor | None:
    """The first matrix or kernel of the network: what its inputs meet first."""
    return next((p for p in model.parameters() if p.ndim in (2, 4)), None)


def _as_tensor(values, name: str) -> Tensor:
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuf" and not _torch_takes(values):
        values = np.array(values, values.dtype.newbyteorder("="))
    try:
        return torch.as_tensor(values)
    except (TypeError, ValueError, KeyError, RuntimeError):  # whatever torch says of strings, objects and tables
        raise ValueError(
            f"The {name} are a {type(values).__name__} that torch cannot read: give numbers as an array "
            "or a tensor (frame.to_numpy(dtype='float32'))."
        ) from None


def _torch_takes(values: np.ndarray) -> bool:
    """Torch takes no array that runs backwards, is read-only, or has the byte order of another machine."""
    return values.dtype.isnative and values.flags.writeable and min(values.strides, default=0) >= 0


def _dtype(x: Tensor) -> str:
    return str(x.dtype).removeprefix("torch.")
