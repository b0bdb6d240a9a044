"""Packed molecules and what is known of them, looked at once before anything is computed."""

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from .. import guards
from ..parts import shown

SIZES = (14, 9, 6, 9, 2, 2)  # values of the six bytes: element, degree, hydrogens, charge + 4, aromatic, in a ring
BONDS = 4  # single, double, triple, aromatic: 1 to 4
LOSSES = ("squared", "classes", "assays")
Pair = tuple[Tensor, Tensor]


def as_graphs(x, name: str = "given") -> Tensor:
    """``x`` as packed molecules, uint8 N×A×(6 + A); floats in −1..1 that ``to_float`` made of them are read back.

    Raises ValueError for another shape or type, a molecule without atoms, and a byte that means nothing.
    """
    x = guards.as_inputs(x, name)
    own = len(SIZES)
    if x.ndim != 3 or x.shape[2] != own + x.shape[1] or not x.shape[1]:
        raise ValueError(
            f"The {name} molecules have shape {tuple(x.shape)}: give packed ones, uint8 N×A×({own} + A), as the x of "
            "a task of molecules is."
        )
    if x.dtype != torch.uint8:
        if len(x) and not (x.isfinite().all() and x.min() >= -1 and x.max() <= 1):
            raise ValueError(
                f"The {name} molecules are floats beyond -1 to 1: give packed ones, uint8 N×A×({own} + A)."
            )
        x = ((x + 1) * 127.5).round().to(torch.uint8)
    if not len(x):
        raise ValueError(f"There are no {name} molecules: give at least one.")
    highest = x.flatten(0, 1).amax(0)
    if (highest[:own] >= torch.tensor(SIZES, device=x.device)).any() or highest[own:].max() > BONDS:
        raise ValueError(
            f"The {name} molecules hold bytes that mean no atom and no bond: pack them anew with this version, or give "
            "the x of a task of molecules."
        )
    empty = int((x[:, :, 0] == 0).all(1).sum())
    if empty:
        raise ValueError(f"{empty} of {len(x)} {name} molecules have no atom: leave them out.")
    return x


def as_graph_labels(y, n: int, loss: str, name: str) -> Tensor:
    """int64 N for ``"classes"``, else float32 N×T with NaN where nothing was measured. Raises ValueError for others."""
    if loss == "classes":
        return guards.as_examples((torch.zeros(n, 1), y), name)[1]
    y = torch.as_tensor(y) if isinstance(y, np.ndarray) and y.dtype.kind in "biuf" else y
    if not isinstance(y, Tensor) or y.ndim not in (1, 2) or y.is_complex():
        found = f"of shape {tuple(y.shape)}" if isinstance(y, Tensor) else shown(y)
        raise ValueError(
            f"The {name} labels are {found}: give numbers, float32 N, or N×T with NaN where none is known."
        )
    if len(y) != n:
        raise ValueError(f"The {name} set has {n} molecules and {len(y)} labels: give one label for each molecule.")
    y = y.float().reshape(n, -1)
    if y.isinf().any():
        raise ValueError(f"The {name} labels hold infinite numbers: correct them, or write NaN where none is known.")
    if not y.isfinite().any():
        raise ValueError(f"The {name} labels hold no number: give molecules of which something is known.")
    if loss == "assays" and not ((y == 0) | (y == 1) | y.isnan()).all():
        raise ValueError(f"The {name} labels of assays are not 0, 1 or NaN everywhere: give these, or loss='squared'.")
    return y


def as_graph_sets(train, val, loss: str) -> tuple[Tensor, Tensor, Pair | None]:
    """Molecules, labels and ``val`` for a training. Raises ValueError where they do not fit together."""
    x, y = _as_pair(train, loss, "training")
    if loss == "classes":
        val_y = None if val is None else _as_pair(val, loss, "validation")[1]
        guards.check_classes(y, val_y)
    if val is None:
        return x, y, None
    val_x, val_y = _as_pair(val, loss, "validation")
    if y.shape[1:] != val_y.shape[1:]:
        raise ValueError(
            f"Training labels have {y.shape[1]} columns, validation labels {val_y.shape[1]}: both need the same."
        )
    return x, y, (val_x, val_y)


def _as_pair(pair, loss: str, name: str) -> Pair:
    pair = pair.tensors if isinstance(pair, TensorDataset) else pair
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        found = f"{shown(pair)}{', a whole task, of which task.train is a pair' if hasattr(pair, 'train') else ''}"
        raise ValueError(f"The {name} set is {found}: give a pair (x, y) of molecules and labels.")
    x = as_graphs(pair[0], name)
    return x, as_graph_labels(pair[1], len(x), loss, name)


def check_answers(answers: Tensor, y: Tensor, loss: str) -> None:
    """Raises ValueError where a network's answers do not have one column for each label, or for each class."""
    if loss == "classes":
        wanted = int(y.max()) + 1
        fits = answers.ndim == 2 and answers.shape[1] >= max(2, wanted)
    else:
        wanted = y.shape[1]
        fits = answers.ndim == 2 and answers.shape[1] == wanted
    if not fits:
        raise ValueError(
            f"The model answers with shape {tuple(answers.shape)} and the labels need N×{wanted} for loss={loss!r}: "
            "give it another number of outputs."
        )
