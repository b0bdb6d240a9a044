"""``load_molecules``: the reader's own molecules as a task like any other.

Rows that cannot be used are counted and told with their numbers, so that nothing is lost in silence. Nothing leaves
this computer.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ..console import say
from ..parts import check_choice, check_whole, shown
from ..provenance import note_source
from .molecule_chemistry import featurised, read_smiles
from .molecule_files import MoleculeTable, read_molecule_file
from .molecule_rows import Kept, kept_molecules
from .molecule_sets import molecule_labels
from .molecule_splits import FEWEST, check_both_classes, split_molecules
from .molecules import MOLECULE_ATOMS, MoleculeTask, molecule_task
from .tasks import SPLITS

HOW = ("scaffold", "random", "own")


def load_molecules(
    path: str | Path,
    *,
    target: str | Sequence[str],
    smiles: str = "smiles",
    positive: str | None = None,
    split: str = "scaffold",
    seed: int = 0,
) -> MoleculeTask:
    """Load molecules and what was measured of them from a CSV file; RDKit reads them.

    Parameters
    ----------
    path: a CSV with a header, in UTF-8, UTF-16 or Windows-1252 (a line says so), parted by commas, semicolons or
        tabulators.
    target: the name of the column with what was measured: two different values are two classes, more are a number. Or
        a list of names of assays, each with 0, 1 and empty cells.
    smiles: the name of the column with the SMILES.
    positive: of two classes the one that is looked for, as it is written in the file.
    split: ``"scaffold"``, ``"random"`` (see ``split_molecules``), or ``"own"``, by the column split of the file, which
        says train, val or test.
    seed: of the split.

    Returns a MoleculeTask of the file's name, provenance ``"own"``. Of a salt the largest part is kept, without its
    charge. Stereo forms are one molecule, since neither the graph nor the fingerprint tells them apart. A molecule
    stands once, in the latest split of its rows, with the mean of its numbers. Left out are: a SMILES that is not
    valid, a mixture, a molecule without carbon or of more than 50 atoms (without hydrogen), a row without a value, and
    a molecule whose values contradict each other: two classes, or numbers more than half a standard deviation apart; a
    result of an assay that contradicts another one counts as not measured. One line tells of each, with row numbers.

    Raises ValueError, one sentence that names the file and the row: see ``molecule_files.py``; and for too few
    molecules or scaffolds to split, a class that a split lacks, an unknown ``positive``. Raises ModuleNotFoundError
    where RDKit is not installed.
    """
    if not isinstance(path, str | Path):
        raise TypeError(f"path is {shown(path)}: give the path of a CSV file.")
    path = Path(path).expanduser()
    check_choice(split, "split", HOW)
    check_whole(seed, "seed", least=0)
    table = read_molecule_file(path, smiles, target, own=split == "own")
    if positive is not None and (table.kind != "classes" or positive not in table.classes):
        given = f"of {' and '.join(table.classes)}" if table.kind == "classes" else "there are none"
        raise ValueError(f"positive is {shown(positive)}, which is no class ({given}): give one of two classes.")
    kept = kept_molecules(read_smiles(table.smiles), table.values, table.kind, MOLECULE_ATOMS, table.rows)
    if len(kept.smiles) < FEWEST:
        why = f" ({kept.lines[0].rstrip('.')})" if kept.lines else ""
        raise ValueError(f"{path} has {len(kept.smiles)} molecule(s) that can be used{why}: give at least {FEWEST}.")
    name = path.name.split(".")[0]
    number = None if positive is None else table.classes.index(positive)
    facts = {"kind": table.kind, "positive": number, "provenance": "own", "licence": "yours"}
    facts["note"] = "; ".join(line.rstrip(".") for line in kept.lines)
    parts = (
        _own_parts(path, table, kept) if split == "own" else [torch.arange(len(kept.smiles)), *[torch.arange(0)] * 2]
    )
    task = molecule_task(
        name, featurised(kept.smiles), molecule_labels(kept.values, table.kind), parts, table.classes, **facts
    )
    lines = table.lines + kept.lines
    if split == "own":
        check_both_classes(task, "give each split some of each class")
        lines += _shared(task)
    else:
        task = split_molecules(task, split, seed=seed)
        if table.splits:
            lines = [*lines, "the file has a column called split, which is heeded with split='own' alone."]
    counts = "/".join(str(len(getattr(task, one).y)) for one in SPLITS)
    what = {"number": "the number", "classes": "the classes", "assays": "the assays"}[task.kind]
    say(f"{name}: your own molecules, {what} {', '.join(task.classes)}; train/val/test {counts}, split: {split}.")
    say(*(f"{name}: {line}" for line in lines))
    note_source(name, "own")
    return task


def _own_parts(path: Path, table: MoleculeTable, kept: Kept) -> list[torch.Tensor]:
    """The molecules of each split of the file: each in the latest one that a row of it stands in."""
    latest = np.array([max(SPLITS.index(table.splits[place]) for place in places) for places in kept.places])
    for k, split in enumerate(SPLITS):
        if not (latest == k).any():
            raise ValueError(f"{path} has no molecule for {split} that can be used: give each split some.")
    return [torch.from_numpy(np.flatnonzero(latest == k)) for k in range(len(SPLITS))]


def _shared(task: MoleculeTask) -> list[str]:
    """A line on test molecules whose scaffold stands in training, too; none where there are none."""
    shared = int(np.isin(task.scaffolds["test"], task.scaffolds["train"]).sum()) if task.scaffolds else 0
    return [f"{shared} of {len(task.test.y)} test molecules have a scaffold of training."] if shared else []
