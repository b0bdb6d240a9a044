"""The same picture twice: found within and across the splits of an image task, told, and taken out.

A picture that stands in training and in test flatters every network that can remember, and one that stands twice in
test counts twice. Public data sets have such pictures [1]: they were cut from the same scan, saved again, or annotated
twice, sometimes with another answer. Two pictures count as the same when their bytes are equal, or when their pixels
correlate by more than a threshold. A picture that was mirrored, turned or moved by more than a pixel is not found, and
two pictures of one patient that look different are no duplicates: for patients, split by patient.

[1] Pawłowska et al., Data in Brief 48 (2023) 109247, doi 10.1016/j.dib.2023.109247, on the breast ultrasound images
that BreastMNIST was made from
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from .alike import alike, digests_of, same_bytes
from .tasks import SPLITS, AnyTask, Task


@dataclass(frozen=True)
class Duplicates:
    """What ``find_duplicates`` found.

    ``pairs`` is a pandas table, one line for each pair of pictures that correlate above ``reported``, the most alike
    first: ``split`` and ``row`` of the one, ``other split`` and ``other row`` of the other, which stands before it in
    the order train, validation, test; ``correlation``; whether they are ``identical`` byte by byte; and whether they
    have the ``same label``. ``threshold`` is the correlation above which two pictures count as the same one.
    """

    pairs: Any
    threshold: float
    reported: float
    sizes: dict[str, int]  # the number of images of each split

    def rows(self, split: str, *others: str, threshold: float | None = None) -> np.ndarray:
        """The rows of ``split``, in ascending order, of which a copy stands in one of the splits ``others``.

        For ``split`` itself among the ``others`` these are the copies behind the first. ``threshold`` may be any
        from ``reported`` on. Raises ValueError for a lower one.
        """
        threshold = self.threshold if threshold is None else threshold
        if threshold < self.reported:
            raise ValueError(
                f"Pairs were looked for above {self.reported}, not above {threshold}: "
                f"call find_duplicates(task, report={threshold})."
            )
        found = self.pairs
        alike = found["identical"] | (found["correlation"] > threshold)
        behind = found[alike & (found["split"] == split) & found["other split"].isin(others)]
        before = found[alike & (found["other split"] == split) & found["split"].isin(set(others) - {split})]
        return np.unique(np.concatenate([behind["row"], before["other row"]]).astype(int))

    def repeated(self, split: str, *, threshold: float | None = None, drop_from: str = "test") -> np.ndarray:
        """The rows of ``split`` that ``without_duplicates`` drops."""
        if drop_from not in ("test", "train"):
            raise ValueError(f"drop_from is {drop_from!r}: give 'test' or 'train', where copies are to be dropped.")
        at = SPLITS.index(split)
        if drop_from == "test":
            return self.rows(split, *SPLITS[: at + 1], threshold=threshold)
        return self.rows(split, *(SPLITS[at:] if split != "test" else ()), threshold=threshold)

    @property
    def other_label(self):
        """The pairs above ``threshold`` whose labels differ, as a table: at least one of the two labels is wrong."""
        alike = self.pairs["identical"] | (self.pairs["correlation"] > self.threshold)
        return self.pairs[alike & ~self.pairs["same label"]]

    def __str__(self):
        in_others, wider = (len(self.rows("test", "train", "val", threshold=t)) for t in (None, self.reported))
        again = {split: len(self.rows(split, split)) for split in SPLITS}
        return (
            f"{in_others} of {self.sizes['test']} test images stand in train or validation "
            f"({wider} correlate above {self.reported}); {len(self.rows('val', 'train'))} of {self.sizes['val']} "
            f"validation images stand in train; copies within train, validation, test: "
            f"{again['train']}, {again['val']}, {again['test']}; pairs with different labels: {len(self.other_label)}"
        )


def find_duplicates(
    task: Task, threshold: float | None = 0.99, *, report: float | None = None, chunk: int = 1024
) -> Duplicates:
    """Look for the same picture twice, within each split of an image task and between them.

    Parameters
    ----------
    task: with uint8 images N×C×H×W of one size.
    threshold: two pictures are the same when the correlation of their pixels is above it; None looks for identical
        bytes alone. Each channel is centred by itself, so that a common colour is no likeness.
    report: pairs down to this correlation are listed, too; default 0.97, or the ``threshold`` where that is lower.
    chunk: as many pictures are compared with as many others at once; the memory is chunk² and 50·N numbers.

    Raises ValueError for a table, for images that are not bytes, for thresholds outside 0..1, and (``TooAlike``) where
    more than a million pairs are alike, since then the pictures are too much alike for this question.
    """
    parts = [getattr(task, split) for split in SPLITS]
    if task.is_table or any(part.x.dtype != torch.uint8 or part.x.ndim != 4 for part in parts):
        raise ValueError(f"{task.name} is no task of uint8 images N×C×H×W, and duplicates are looked for in pictures.")
    report = min(0.97, threshold or 1.0) if report is None else report
    if threshold is not None and not 0 < report <= threshold < 1:
        raise ValueError(f"threshold is {threshold} and report {report}: give 0 < report ≤ threshold < 1.")
    digests = digests_of([part.x for part in parts])
    pairs = {pair: 1.0 for pair in same_bytes(digests)}
    if threshold is not None:
        pairs = alike([part.x for part in parts], report, chunk) | pairs
    sizes = {split: len(part.y) for split, part in zip(SPLITS, parts, strict=True)}
    pairs = dict(sorted(pairs.items()))  # whatever the order in which they were found
    return Duplicates(_table(pairs, digests, parts, sizes), threshold or 1.0, report, sizes)


def without_duplicates(
    task: AnyTask, found: Duplicates | None = None, *, threshold: float | None = None, drop_from: str = "test"
) -> AnyTask:
    """The task with each picture in one split only.

    With ``drop_from="test"`` each picture stays in the first place where it stands: a test image of which a copy stands
    in train or validation is dropped, and a validation image of which one stands in train. With ``drop_from="train"``
    test stays as it is, also with copies of its own: a training image of which a copy stands in validation or test is
    dropped, and a validation image of which one stands in test. In both ways, of copies within a split from which
    images are dropped the first stays. Of a pair with different labels the same one stays: look at
    ``found.other_label``, since nobody here knows which label is right. ``found`` is what ``find_duplicates`` found in
    the task, or in the same images at another size (default: it is called); ``threshold`` another one than its own.

    Raises ValueError where ``found`` belongs to other images, and where no image of a split is left.
    """
    found = find_duplicates(task) if found is None else found
    sizes = {split: len(getattr(task, split).y) for split in SPLITS}
    if sizes != found.sizes:
        raise ValueError(f"found tells of splits of {found.sizes} images, and {task.name} has {sizes}: look again.")
    rows, start = {}, 0
    for split, n in sizes.items():
        kept = np.setdiff1d(np.arange(n), found.repeated(split, threshold=threshold, drop_from=drop_from))
        if not len(kept):
            raise ValueError(f"Each {split} image of {task.name} stands elsewhere, too: nothing would be left.")
        rows[split], start = start + kept, start + n
    return task.with_rows(rows)


def _table(pairs: dict, digests, parts, sizes: dict[str, int]):
    import pandas as pd

    labels = np.concatenate([part.y.numpy() for part in parts])
    names = np.repeat(list(sizes), list(sizes.values()))
    rows = np.concatenate([np.arange(n) for n in sizes.values()])
    later, earlier = np.array(list(pairs), int).reshape(-1, 2).T
    table = pd.DataFrame(
        {
            "split": names[later],
            "row": rows[later],
            "other split": names[earlier],
            "other row": rows[earlier],
            "correlation": np.array(list(pairs.values()), float),
            "identical": digests[later] == digests[earlier],
            "same label": (labels[later] == labels[earlier]).all(tuple(range(1, labels.ndim))),
        }
    )
    return table.sort_values("correlation", ascending=False, kind="stable", ignore_index=True)
