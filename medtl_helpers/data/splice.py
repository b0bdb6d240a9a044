"""The UCI splice junctions: the published file where it is on this disk, else as many drawn sequences of each class.

The file has 3,190 rows, of which 185 repeat the sequence of an earlier one: a random split would put copies of training
sequences into the test. So each sequence is kept once, and the one that has two labels is left out.
"""

import csv
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..assets import find
from .sequences import one_hot
from .splice_sites import draw_sites
from .tasks import Split, Task

CODES = {"EI": 0, "IE": 1, "N": 2}  # the labels of the file, in the order of the card's classes
TEST, VALIDATION = 1000, 400
TWIN_SEED, TWIN_UNKNOWN = 19, 0.0003  # share of letters that are N in the twin, as in the file


def load_splice(about: dict, copies: bool = False) -> Task:
    """The distinct sequences as a task, split by class: 1,000 for the test, 400 for validation, the rest for training.

    ``x`` is float32 one-hot N×4×60, ``y`` int64: 0 donor, 1 acceptor, 2 neither. With ``copies`` all rows of the file
    are split at random, as many have done: it shows what copies do to a number, and is for nothing else. The twin then
    repeats as many of its sequences.
    """
    found = find(about, "splice")
    if found.path is None:
        x, y = _draw(about["class_totals"])
        again = np.random.default_rng(TWIN_SEED).choice(len(y), about["rows"] - len(y), replace=False)
        x, y = (torch.cat([part, part[again]]) if copies else part for part in (x, y))
        provenance, note = "twin", f"for real data: make data ONLY=splice ({found.why_not})"
        note = f"{len(again)} sequences stand twice, on purpose; {note}" if copies else note
    else:
        texts, y = read_splice(found.path)
        distinct, labels, repeated, torn = without_copies(texts, y)
        provenance = "real"
        if copies:
            x, note = one_hot(texts), f"{repeated} copies and {torn} sequence(s) with two labels are still in it"
        else:
            x, y = one_hot(distinct), labels
            note = f"{repeated} copies of a sequence and {torn} sequence(s) with two labels left out"
    train, val, test = (Split(x[at], y[at]) for at in _parts(y))
    return Task("splice", train, val, test, tuple(about["classes"]), None, provenance, about["licence"], note)


def read_splice(path: Path) -> tuple[list[str], Tensor]:
    """All rows of the file, copies too: the sequences and their labels, int64.

    Raises ValueError when it holds anything else.
    """
    with open(path, encoding="utf-8", newline="") as file:
        rows = [[cell.strip() for cell in row] for row in csv.reader(file)][1:]
    if not rows or any(len(row) != 3 or row[0] not in CODES or len(row[2]) != len(rows[0][2]) for row in rows):
        raise ValueError(f"{path} is no table of class, name and sequence: delete it and fetch it again.")
    return [row[2] for row in rows], torch.tensor([CODES[row[0]] for row in rows])


def without_copies(texts: list[str], y: Tensor) -> tuple[list[str], Tensor, int, int]:
    """Each sequence once and its label; how many copies went, and how many sequences, since their labels differ."""
    labels: dict[str, set[int]] = {}
    for text, label in zip(texts, y.tolist(), strict=True):
        labels.setdefault(text, set()).add(label)
    kept = {text: found.pop() for text, found in labels.items() if len(found) == 1}
    return list(kept), torch.tensor(list(kept.values())), len(texts) - len(labels), len(labels) - len(kept)


def _draw(totals: list[int]) -> tuple[Tensor, Tensor]:
    """The twin: as many sequences of each class, a few of their letters unknown."""
    rng = np.random.default_rng(TWIN_SEED)
    y = np.repeat(np.arange(len(totals)), totals)
    x = draw_sites(y, rng)
    unknown = torch.from_numpy(rng.random((len(y), 1, x.shape[2])) < TWIN_UNKNOWN)
    return x.where(~unknown, 0.25), torch.from_numpy(y)


def _parts(y: Tensor) -> list[Tensor]:
    """The rows of training, validation and test, with the classes' shares in each."""
    from sklearn.model_selection import train_test_split

    rest, test = train_test_split(np.arange(len(y)), test_size=TEST, stratify=y, random_state=0)
    train, val = train_test_split(rest, test_size=VALIDATION, stratify=y[rest], random_state=0)
    return [torch.from_numpy(part) for part in (train, val, test)]
