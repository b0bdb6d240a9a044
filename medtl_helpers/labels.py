"""Labels, probabilities and other columns of numbers that are measured, looked at once; each fault is one sentence.

A column may be a list, an array, a tensor or a column of a pandas table, of any type of number.
"""

import numpy as np
import torch

from .parts import shown

ROUNDING = 1e-6  # in float32, 1 - p may be so far below 0
ONE_DECIMAL = 0.05  # probabilities that were rounded to one decimal are each so far off, at most


def as_array(values, name: str) -> np.ndarray:
    """``values`` as an array of numbers or booleans. Raises ValueError for text, dates, and what is no array at all."""
    try:
        if isinstance(values, torch.Tensor):
            values = (values.double() if values.is_floating_point() else values).detach().cpu()
        array = np.asarray(values)
        if array.dtype.kind == "O" and array.ndim and not any(isinstance(value, str) for value in array.flat):
            array = array.astype(float)  # None and pandas' gaps become NaN, or fail
    except (TypeError, ValueError, RuntimeError):  # whatever NumPy says of rows of unequal length, gaps and objects
        array = None
    if array is None or array.dtype.kind not in "biuf":
        kind = shown(values) if array is None or not array.ndim else f"{shown(values)} of {_kind(array)}"
        raise ValueError(f"The {name} are {kind}: give numbers, as an array, a tensor or a list.")
    return array


def as_numbers(values, name: str, *, ndim: int = 1) -> np.ndarray:
    """``values`` as finite float64, N or N×D. Raises ValueError for other shapes, for none, and for NaN."""
    array = as_array(values, name).astype(float)
    if array.ndim != ndim:
        shape = "one number for each case" if ndim == 1 else " and ".join(["one row for each case", "its columns"])
        raise ValueError(f"The {name} have shape {array.shape}: give {shape}, {'×'.join('NDE'[:ndim])}.")
    if not array.size:
        raise ValueError(f"There are no {name}: give those of at least one case.")
    wrong = int((~np.isfinite(array)).sum())
    if wrong:
        raise ValueError(
            f"{wrong} {name} are not finite numbers: look for NaN in the inputs and in the model's weights."
        )
    return array


def as_probabilities(values, name: str = "predicted probabilities", *, ndim: int = 2, sums: bool = True) -> np.ndarray:
    """float64 N×K in 0..1, one column for each of at least two classes; with ``ndim=1`` N, of one class alone.

    What float32 puts a little below 0 or above 1 is put back. Raises ValueError for logits, for NaN, and with ``sums``
    for rows that do not add up to 1, even if they were rounded to one decimal.
    """
    array = as_numbers(values, name, ndim=ndim)
    low, high = array.min(), array.max()
    if low < -ROUNDING or high > 1 + ROUNDING:
        raise ValueError(
            f"The {name} run from {low:.3g} to {high:.3g}: give numbers from 0 to 1"
            f"{', the softmax of logits' if ndim == 2 else ''}."
        )
    if ndim == 2:
        classes = array.shape[1]
        if classes < 2:
            raise ValueError(f"There is one column of {name}: give one column for each of at least two classes.")
        off = np.abs(array.sum(1) - 1)
        if sums and off.max() > ONE_DECIMAL * classes + ROUNDING:
            row = int(off.argmax())
            raise ValueError(
                f"The {name} of row {row} add up to {array[row].sum():.3g}, not to 1: give the softmax of the logits."
            )
    return array.clip(0, 1)


def as_labels(
    values, n: int | None, classes: int | None = None, name: str = "labels", *, each: bool = True
) -> np.ndarray:
    """int64 N: the class of each of ``n`` cases; None: of any number.

    Raises ValueError for what is no whole number from 0 on, for what is none of the ``classes``, where so many are
    known, and with ``each`` for a class without a case.
    """
    y = as_array(values, name)
    n = len(y) if n is None and y.ndim else n
    if not y.size and not n:  # an empty list has no type
        return np.zeros(0, np.int64)
    if y.shape != (n,):
        raise ValueError(f"The {name} have shape {y.shape}, for {n} cases: give one whole number for each case.")
    if y.dtype.kind == "f" or (y < 0).any():
        raise ValueError(
            f"The {name} are {y.dtype}{', some of them below 0' if y.dtype.kind == 'i' else ''}: give "
            "whole numbers from 0, and leave out cases without a label."
        )
    y = y.astype(np.int64)
    if classes is not None:
        *counts, other = np.bincount(y.clip(max=classes), minlength=classes + 1).tolist()
        if other or (each and 0 in counts):
            raise ValueError(
                f"Of classes 0 to {classes - 1} there are {counts} {name}, and {other} of other classes: number the "
                f"classes from 0{', and give at least one case of each' if each else ''}."
            )
    return y


def as_classes(values, n: int) -> np.ndarray:
    """int64 N: the labels of ``n`` cases, numbered anew from 0 without gaps. Raises ValueError where all are alike."""
    classes, y = np.unique(as_labels(values, n), return_inverse=True)
    if len(classes) < 2:
        raise ValueError("All labels are of one class, so there is nothing to predict: give at least two classes.")
    return y


def as_yes_no(values, n: int | None, name: str, *, both: bool = True) -> np.ndarray:
    """bool N, of what is true or false, or 0 or 1. Raises ValueError for other labels, and with ``both`` where all are
    alike.
    """
    array = as_array(values, name)
    n = len(array) if n is None and array.ndim else n
    if array.shape != (n,):
        raise ValueError(f"The {name} have shape {array.shape}, for {n} cases: give one for each case.")
    if not np.isin(array, (0, 1)).all():
        raise ValueError(f"The {name} are not all true or false, or 0 or 1: compare them first, like y == positive.")
    if both and (array.all() or not array.any()):
        raise ValueError(f"The {name} are of one class, 0 or 1, and both are needed: add cases of the other class.")
    return array.astype(bool)


def as_share(value, name: str, *, ends: bool = False) -> float:
    """A number above 0 and below 1; with ``ends`` also 0 and 1. Raises ValueError for all else."""
    try:
        share = float("nan") if isinstance(value, str | bool) else float(value)
    except (TypeError, ValueError, RuntimeError):
        share = float("nan")
    if not (0 < share < 1 or (ends and share in (0, 1))):
        raise ValueError(f"{name} is {shown(value)}: give a share between 0 and 1, like 0.95.")
    return share


def as_groups(values, n: int, name: str = "groups") -> np.ndarray:
    """int64 N: which of the sorted groups each of ``n`` cases is of; groups are numbers or texts, e.g. of patients.

    Raises ValueError where there is not one for each case.
    """
    try:
        groups = np.asarray(values)
        if groups.shape == (n,):
            return np.unique(groups, return_inverse=True)[1]
    except (TypeError, ValueError, RuntimeError):  # rows of unequal length, or what cannot be sorted
        pass
    raise ValueError(
        f"The {name} are {shown(values)}, for {n} cases: give one for each case, all numbers or all texts."
    )


def _kind(array: np.ndarray) -> str:
    return "text" if array.dtype.kind in "OUST" else str(array.dtype)
