"""``TextTask``: a task of texts, which knows which of its rows hold the same text, so that none is in two splits."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .tasks import SPLITS, Split, Task


@dataclass(frozen=True)
class TextTask(Task):
    """A ``Task`` whose ``x`` are token numbers, int32 N×L, and the ``groups`` of its rows.

    ``groups`` has for each split an int64 array with the number of each row's text. Two rows with one number hold the
    same text, perhaps with another finding that is asked for, so that an interval draws groups of rows, not rows. No
    number stands in two splits.
    """

    groups: dict[str, Any] | None = None

    def with_rows(self, rows: dict[str, Any], **changes) -> "TextTask":
        """As ``Task.with_rows``; the groups go with their rows."""
        if self.groups is not None:
            everything = np.concatenate([self.groups[split] for split in SPLITS])
            changes["groups"] = self.groups | {split: everything[np.asarray(at)] for split, at in rows.items()}
        return super().with_rows(rows, **changes)


def text_groups(texts: Sequence[str]) -> np.ndarray:
    """int64 N: one number for all texts with the same letters, whatever their numbers, signs, spaces and case.

    The double brackets of a finding are signs, too: a text is the same whichever of its findings is asked for.
    """
    plain = [text.lower().replace("[[", "").replace("]]", "") for text in texts]
    keys = [" ".join(re.findall(r"[^\W\d_]+", text)) or text for text in plain]
    return np.unique(keys, return_inverse=True)[1]


def parted(groups: np.ndarray, y: Tensor, *, test: float, val: float, seed: int) -> list[Tensor]:
    """The rows of training, validation and test: no group is in two of them, and each has the classes' shares, nearly.

    ``test`` and ``val`` are shares of all rows. Groups are drawn class by class; one with rows of several classes
    counts as one of the rarest of them.
    """
    labels, rng = np.asarray(y), np.random.default_rng(seed)
    counts = np.bincount(labels)
    rarity = (-counts).argsort(kind="stable").argsort()  # of each class: 0 for the most frequent
    names, at, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    rarest, part = np.zeros(len(names), dtype=int), np.zeros(len(names), dtype=int)
    np.maximum.at(rarest, at, rarity[labels])
    for k in range(len(counts)):
        members = rng.permutation(np.flatnonzero(rarest == k))
        middles = (sizes[members].cumsum() - sizes[members] / 2) / max(1, sizes[members].sum())
        part[members] = 2 - np.searchsorted([test, test + val], middles, side="right")
    return [torch.from_numpy(np.flatnonzero(part[at] == k)) for k in range(len(SPLITS))]


def text_task(
    name: str, x: Tensor, y: Tensor, groups: np.ndarray, parts: Sequence[Tensor], classes, **facts
) -> TextTask:
    """The rows ``parts`` of training, validation and test as a task; ``facts`` are fields of ``Task``."""
    train, val, test = (Split(x[part], y[part]) for part in parts)
    numbers = {split: groups[part.numpy()] for split, part in zip(SPLITS, parts, strict=True)}
    return TextTask(name, train, val, test, tuple(classes), groups=numbers, **facts)


def asked(text: str, finding: str, capitals: bool = False) -> str | None:
    """``text`` with ``finding`` in double brackets where it first stands, as a word of its own where it does.

    Spaces count alike, and so does case, unless the finding stands in ``capitals``. None where it is not in the text.
    Brackets that the text has are taken as round ones, since a text asks for one finding.
    """
    text, finding = (part.translate(str.maketrans("[]", "()")) for part in (text, finding))
    words = r"\s+".join(re.escape(word) for word in (finding.upper() if capitals else finding).split())
    for pattern, flags in ((rf"(?<!\w){words}(?!\w)", 0), (words, 0), (words, re.IGNORECASE)):
        found = words and re.search(pattern, text, flags)
        if found:
            return f"{text[: found.start()]}[[{found[0]}]]{text[found.end() :]}"
    return None
