"""Which molecules are for training, validation and test: by scaffold, so that none is in two splits, or at random."""

import numpy as np
import torch
from torch import Tensor

from ..parts import check_choice, check_whole, shown
from .molecules import MoleculeTask
from .tasks import SPLITS

SHARES = (0.8, 0.1, 0.1)  # of training, validation and test
FEWEST = 10  # molecules, of which each split gets one


def scaffold_parts(scaffolds: np.ndarray, seed: int, name: str) -> list[Tensor]:
    """The rows of training, validation and test, where ``scaffolds`` are the group numbers of N molecules.

    A scaffold with more than half as many molecules as the test wants stays in training, since the whole test would be
    about it; where too few others are left, one with more than the test wants does. The others are shuffled by ``seed``
    and fill the test, then validation, and the rest is for training. Raises ValueError, which calls the data
    ``name``, where too few molecules have scaffolds of their own.
    """
    n = len(scaffolds)
    at, sizes = np.unique(scaffolds, return_inverse=True, return_counts=True)[1:]
    wanted = np.cumsum([SHARES[2], SHARES[1]]) * n  # rows up to which groups are for the test, then for validation
    for largest in (wanted[0] / 2, wanted[0]):
        small = np.flatnonzero(sizes <= max(1, largest))
        if sizes[small].sum() >= wanted[1]:
            break
    if n < FEWEST or sizes[small].sum() < wanted[1]:
        raise ValueError(
            f"{name} has {n} molecules on {len(sizes)} scaffolds, {sizes[small].sum()} of them on scaffolds that are "
            f"rare enough to be held out, and {int(np.ceil(max(FEWEST * 0.2, wanted[1])))} are needed: give more, or "
            "split at random."
        )
    members = np.random.default_rng(seed).permutation(small)
    part = np.zeros(len(sizes), dtype=int)
    middles = sizes[members].cumsum() - sizes[members] / 2
    part[members] = 2 - np.searchsorted(wanted, middles, side="right")
    return [torch.from_numpy(np.flatnonzero(part[at] == k)) for k in range(3)]


def random_parts(groups: np.ndarray, seed: int, name: str) -> list[Tensor]:
    """The rows of training, validation and test, drawn one by one; of ``groups`` the length alone counts.

    Raises ValueError, which calls the data ``name``, where there are too few molecules.
    """
    n = len(groups)
    if n < FEWEST:
        raise ValueError(f"{name} has {n} molecules, too few to split: give at least {FEWEST}.")
    order = torch.from_numpy(np.random.default_rng(seed).permutation(n))
    test, val = (max(1, round(share * n)) for share in (SHARES[2], SHARES[1]))
    return [order[test + val :].sort().values, order[test : test + val].sort().values, order[:test].sort().values]


WAYS = {"scaffold": scaffold_parts, "random": random_parts}


def split_molecules(task: MoleculeTask, how: str = "scaffold", *, seed: int = 0) -> MoleculeTask:
    """The same molecules split anew, 80 % for training and 10 % each for validation and test.

    Parameters
    ----------
    task: a task of molecules, e.g. ``mtl.load("esol")``.
    how: ``"scaffold"``: no Bemis–Murcko scaffold is in two splits. Scaffolds of many molecules (more than 5 % of all),
        among them often the molecules without a ring, are always in training, so that the test holds scaffolds that
        were never seen. ``"random"``: molecules are drawn one by one.
    seed: of the draw.

    Raises ValueError where there are too few scaffolds or molecules to split, and where a split of a task of two
    classes would lack one of them; TypeError for what is no ``MoleculeTask``.
    """
    _check_task(task, "split_molecules")
    check_choice(how, "how", WAYS)
    check_whole(seed, "seed", least=0)
    if how == "random":
        groups = np.arange(sum(len(getattr(task, split).y) for split in SPLITS))
    elif task.scaffolds is None:
        raise ValueError(f"The scaffolds of {task.name} are not known: split it with how='random'.")
    else:
        groups = np.concatenate([task.scaffolds[split] for split in SPLITS])
    parts = WAYS[how](groups, seed, task.name)
    dealt = task.with_rows(dict(zip(SPLITS, parts, strict=True)), dealt=how)
    check_both_classes(dealt, "try another seed, or give more molecules")
    return dealt


def check_both_classes(task: MoleculeTask, advice: str) -> None:
    """Raises ValueError where a split of a task of classes has none of one of them."""
    for split in SPLITS if task.kind == "classes" else ():
        there = set(getattr(task, split).y.tolist())
        for k, name in enumerate(task.classes):
            if k not in there:
                raise ValueError(f"{task.name} has no molecule of the class {name} in {split}: {advice}.")


def few_molecules(task: MoleculeTask, n: int, *, seed: int, val: int | None = None) -> MoleculeTask:
    """``n`` training molecules with their labels, drawn from training; the test split stays as it is.

    Of one seed, the 20 molecules of ``n=20`` are among the 100 of ``n=100``. Of a task of two classes the shares of the
    classes are kept, and each class has a molecule as soon as there are two in all.

    Parameters
    ----------
    task: a task of molecules.
    n: training molecules in all, 1 or more.
    seed: of the draw.
    val: validation molecules, drawn from validation in the same way, or 0 for none; with None validation stays whole.
        Real life with few measurements has few for validation, too.

    Raises ValueError where there are fewer molecules than that, and TypeError for what is no ``MoleculeTask``.
    """
    _check_task(task, "few_molecules")
    check_whole(seed, "seed", least=0)
    wanted = {"train": check_whole(n, "n", least=1)}
    wanted |= {} if val is None else {"val": check_whole(val, "val", least=0)}
    rng, start = np.random.default_rng(seed), 0
    rows: dict[str, np.ndarray] = {}
    for split in ("train", "val"):
        y = getattr(task, split).y
        order = rng.permutation(len(y))
        if (count := wanted.get(split, 0)) > len(y):
            raise ValueError(f"{task.name} has {len(y)} molecules for {split}, {count} were asked for: take fewer.")
        if task.kind == "classes":
            order = order[_by_shares(y.numpy()[order])]
        if split in wanted:
            rows[split] = start + order[:count]
        start += len(y)
    return task.with_rows(rows)


def _check_task(task, name: str) -> None:
    if not isinstance(task, MoleculeTask):
        raise TypeError(f"{name} was given {shown(task)}: give a MoleculeTask, like mtl.load('esol').")


def _by_shares(y: np.ndarray) -> np.ndarray:
    """An order in which each class comes once, and then all of them evenly, by their shares."""
    place = np.empty(len(y))
    for k in np.unique(y):
        at = np.flatnonzero(y == k)
        place[at] = (np.arange(len(at)) + 0.5) / len(at)
        place[at[0]] = -1
    return np.argsort(place, kind="stable")
