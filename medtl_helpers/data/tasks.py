"""``Task``: data as every lesson sees them, with train, validation and test; and how to draw other rows of one.

An image task holds uint8 tensors, sequences float32 tensors, texts int32 tensors, a table a pandas frame; a task that
is one domain of a pair is a ``Task``, too.
"""

from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, NamedTuple, TypeVar

import numpy as np

SPLITS = ("train", "val", "test")
AnyTask = TypeVar("AnyTask", bound="Task")


class Split(NamedTuple):
    """Inputs and labels of one split: for images uint8 N×C×H×W and int64 N; for tables a DataFrame and int64 N."""

    x: Any
    y: Any


@dataclass(frozen=True)
class Task:
    """A classification task: three ``Split``s of the same classes, and where they come from.

    For images ``x`` is a uint8 tensor N×C×H×W (0–255) and ``y`` an int64 tensor N; for sequences ``x`` is a float32
    tensor N×4×L (``one_hot``); for texts an int32 tensor N×L of token numbers (``tokens``), 0 where there is none; for
    tables ``x`` is a DataFrame (NaN = missing) and ``y`` an int64 array; for prepared tables ``x`` is a float32 tensor
    N×D. Of a *target*, ``train.x`` is for adapting, ``val`` for the oracle alone, ``test`` for the report, and
    ``train.y`` for the row of the supervised ceiling alone.
    """

    name: str
    train: Split
    val: Split
    test: Split
    classes: tuple[str, ...]
    positive: int | None = None  # the disease class of a two-class task
    provenance: str = "own"  # "real", "twin" or "own"
    licence: str = ""
    note: str = ""  # what else to know, in one sentence

    @property
    def is_table(self) -> bool:
        """Whether ``x`` is a pandas frame."""
        return hasattr(self.train.x, "iloc")

    @property
    def all_rows(self) -> Split:
        """The three splits put together again, e.g. to split them otherwise with ``split_table``."""
        import pandas as pd

        parts = (self.train, self.val, self.test)
        if not self.is_table:
            rows = np.arange(sum(len(part.y) for part in parts))
            return Split(gathered([part.x for part in parts], rows), gathered([part.y for part in parts], rows))
        return Split(pd.concat([p.x for p in parts], ignore_index=True), np.concatenate([p.y for p in parts]))

    def with_rows(self: AnyTask, rows: dict[str, Any], **changes) -> AnyTask:
        """The task whose splits have other rows of its images, e.g. ``with_rows({"val": numbers})``.

        ``rows`` gives integers for the splits that change; they count the images through train, validation and test.
        """
        parts = [getattr(self, split) for split in SPLITS]
        for split, at in rows.items():
            changes[split] = Split(gathered([part.x for part in parts], at), gathered([part.y for part in parts], at))
        return replace(self, **changes)


def gathered(parts: list, rows):
    """The ``rows`` of some tensors that are thought to lie one behind the other, without a copy of all of them.

    Of ``StreamedImages`` the rows are streamed, too.
    """
    import torch

    from .streams import StreamedImages, joined

    rows = torch.as_tensor(rows)
    if all(isinstance(part, StreamedImages) and part.file is parts[0].file for part in parts):
        return joined(parts).only(rows)
    found, start = torch.empty(len(rows), *parts[0].shape[1:], dtype=parts[0].dtype), 0
    for part in parts:
        inside = (rows >= start) & (rows < start + len(part))
        found[inside] = part[rows[inside] - start]
        start += len(part)
    return found


def _called(task: Task) -> str:
    """What the rows of a task are, for a sentence."""
    import torch

    if hasattr(task, "fingerprints"):
        return "molecules"
    if getattr(task.train.x, "dtype", None) == torch.int32:
        return "texts"
    return {4: "images", 3: "sequences"}.get(len(task.train.x.shape), "rows")


def few_shot(task: Task, n: int, *, seed: int, val: int = 10) -> Task:
    """``n`` training and ``val`` validation images (sequences, texts) per class, drawn from training; test stays.

    Real life with few labels has few for validation, too. Where the patients are known, validation images are of other
    patients than training images, and validation texts are other texts than those of training. Raises ValueError when a
    class has fewer than that, or when ``n`` is not 1 or more and ``val`` not 0 or more.
    """
    import torch

    if task.is_table:
        raise ValueError(f"{task.name} is a table, and few_shot draws images: use split_table with n_train.")
    if _called(task) == "molecules":
        raise ValueError(f"{task.name} holds molecules, and few_shot draws so many of each class: use few_molecules.")
    if task.train.y.ndim > 1:
        raise ValueError(f"{task.name} holds masks, and few_shot draws images of each class: use few_masks.")
    called = _called(task)
    units = "sentences" if called == "texts" else "patients"
    if not (isinstance(n, Integral) and isinstance(val, Integral) and n >= 1 and val >= 0):
        raise ValueError(
            f"{n!r} training and {val!r} validation {called} per class were asked for: give whole numbers, "
            "at least 1 and 0."
        )

    order = torch.randperm(len(task.train.y), generator=torch.Generator().manual_seed(seed))
    patients = getattr(task, "groups" if called == "texts" else "patients", None)
    chosen = {"train": [], "val": []}
    for split, count in (("train", n), ("val", val)):
        for k, name in enumerate(task.classes):
            images = order[task.train.y[order] == k]
            if len(images) < n + val:
                raise ValueError(
                    f"{task.name} has {len(images)} training {called} of {name}, {n} + {val} were asked for: "
                    "take fewer."
                )
            images = images[n:] if split == "val" else images
            if split == "val" and patients:
                drawn = patients["train"][torch.cat(chosen["train"]).numpy()]
                images = images[torch.from_numpy(~np.isin(patients["train"][images.numpy()], drawn))]
            if len(images) < count:
                raise ValueError(
                    f"{task.name} has {len(images)} training {called} of {name} from {units} that were not drawn for "
                    f"training, and {val} were asked for: take fewer."
                )
            chosen[split].append(images[:count])
    return task.with_rows({split: torch.cat(parts) for split, parts in chosen.items()})


def split_table(task: Task, *, seed: int, test: float = 0.4, val: float = 0.2, n_train: int | None = None) -> Task:
    """The same rows of a table, or the same sequences, split anew, stratified by class.

    ``test`` is a share of all rows and ``val`` a share of the rest. With ``n_train`` only so many of the rows left
    for training are kept (few-shot), again stratified. Raises ValueError when there are fewer than that or less than
    one per class, for shares outside 0..1, labels other than those of ``classes``, where a class is too rare to
    be in every split, and for images, texts and molecules, whose patients, copies and scaffolds it would not heed.
    """
    if _called(task) == "texts":
        raise ValueError(f"{task.name} holds texts, whose copies split_table does not heed: load it with another seed.")
    if _called(task) == "molecules":
        raise ValueError(f"{task.name} holds molecules, whose scaffolds it does not heed: use split_molecules.")
    if _called(task) == "images":
        raise ValueError(f"{task.name} holds images, whose patients split_table does not heed: use split_by_patient.")
    x, y = task.all_rows
    if not task.is_table:
        x, y = np.arange(len(y)), y.numpy()
    n_classes = len(task.classes)
    if not (0 < test < 1 and 0 < val < 1):
        raise ValueError(f"test is {test} and val is {val}: give shares between 0 and 1.")
    if len(x) != len(y) or y.dtype.kind not in "iu" or not np.isin(y, range(n_classes)).all():
        raise ValueError(
            f"{task.name} has {len(x)} rows and {len(y)} labels, which must be whole numbers from 0 to "
            f"{n_classes - 1}, one for each row: correct the labels."
        )
    if n_train is not None and n_train < n_classes:
        raise ValueError(f"n_train is {n_train}, for {n_classes} classes: ask for at least one row of each.")
    x_rest, x_test, y_rest, y_test = _stratified(task, x, y, seed, test_size=test)
    x_train, x_val, y_train, y_val = _stratified(task, x_rest, y_rest, seed, test_size=val)
    if n_train is not None and n_train > len(y_train):
        raise ValueError(
            f"{task.name} has {len(y_train)} rows left for training, {n_train} were asked for: "
            "take fewer, or a smaller test share."
        )
    if n_train is not None and n_train < len(y_train):
        x_train, _, y_train, _ = _stratified(task, x_train, y_train, seed, train_size=n_train)
    if not task.is_table:
        return task.with_rows({"train": x_train, "val": x_val, "test": x_test})
    return replace(task, train=Split(x_train, y_train), val=Split(x_val, y_val), test=Split(x_test, y_test))


def _stratified(task: Task, x, y, seed: int, **share) -> list:
    """scikit-learn's stratified split in two. Raises ValueError where a class would be missing from one of them."""
    from sklearn.model_selection import train_test_split

    n_classes = len(task.classes)
    try:
        parts = train_test_split(x, y, stratify=y, random_state=seed, **share)
    except ValueError:  # too few rows, in scikit-learn's words
        parts = None
    if parts is None or any(len(np.unique(labels)) < n_classes for labels in parts[2:]):
        counts = np.bincount(y, minlength=n_classes).tolist()
        raise ValueError(
            f"{task.name} has {counts} rows of {', '.join(task.classes)} here, too few for each part of "
            "the split to have some: give more rows, or other shares."
        )
    return parts
