"""Three sets of MoleculeNet: solubility, the blood-brain barrier and twelve assays; else the drawn molecules.

Wu et al., Chemical Science 9 (2018), 513, doi 10.1039/C7SC02664A. The real files hold SMILES, which RDKit reads. The
drawn molecules were read with it once, so that they need none: their file holds graphs, descriptors and fingerprints.
"""

import csv
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..assets import card, find
from .molecule_chemistry import INSTALL, featurised, rdkit_is_there, read_smiles
from .molecule_rows import kept_molecules
from .molecule_splits import split_molecules
from .molecule_twins import molecule_twin
from .molecules import MOLECULE_ATOMS, Molecules, MoleculeTask, molecule_task


def load_molecule_set(name: str, about: dict, how: str = "scaffold", seed: int = 0) -> MoleculeTask:
    """The set of that name as a task, split anew by ``split_molecules``; its twin where the file or RDKit is absent."""
    found = find(about, name)
    if found.path is not None and rdkit_is_there():
        provenance = "real"
        molecules, y, note = _real(name, found.path)
    else:
        why = INSTALL if found.path is not None else f"make data ONLY={name} ({found.why_not})"
        molecules, y = _twin(name)
        provenance, note = "twin", f"for real data: {why}"
    parts = [torch.arange(len(y)), *[torch.arange(0)] * 2]
    facts = {"kind": about["labels"], "positive": about.get("positive"), "licence": about["licence"], "note": note}
    task = molecule_task(name, molecules, y, parts, about["classes"], provenance=provenance, **facts)
    return split_molecules(task, how, seed=seed)


def read_molecules(path: Path, columns: list[str]) -> tuple[list[str], np.ndarray]:
    """The SMILES of all rows and their values, float64 N×T with NaN for an empty cell.

    Raises ValueError where the file holds anything else than a column of SMILES and one of numbers for each of
    ``columns``.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        if header != ["smiles", *columns] or not rows:
            raise ValueError
        values = np.array([[float(cell) if cell else np.nan for cell in row] for row in (row[1:] for row in rows)])
        if values.shape != (len(rows), len(columns)):
            raise ValueError
    except ValueError:
        raise ValueError(
            f"{path} is no table of SMILES and {', '.join(columns)}: delete it and fetch it again."
        ) from None
    return [row[0] for row in rows], values


@lru_cache(maxsize=3)
def _real(name: str, path: Path) -> tuple[Molecules, Tensor, str]:
    """The molecules of the file, each once, their labels, and what was left out; kept in memory: it takes long."""
    about = card(name)
    texts, values = read_molecules(path, about["columns"])
    kept = kept_molecules(read_smiles(texts), values, about["labels"], MOLECULE_ATOMS)
    return (
        featurised(kept.smiles),
        molecule_labels(kept.values, about["labels"]),
        "; ".join(line.rstrip(".") for line in kept.lines),
    )


def molecule_labels(values: np.ndarray, kind: str) -> Tensor:
    """float64 N×T as the labels of a task of that kind: float32 N, int64 N, or float32 N×T."""
    if kind == "assays":
        return torch.from_numpy(values.astype(np.float32))
    column = torch.from_numpy(np.ascontiguousarray(values[:, 0]))
    return column.long() if kind == "classes" else column.float()


def _twin(name: str) -> tuple[Molecules, Tensor]:
    """The drawn molecules that stand in for a set, and their labels."""
    twin = molecule_twin(name, 0)
    given = (twin["x"], twin["descriptors"], twin["fingerprints"], twin["scaffolds"])
    return Molecules(list(twin["smiles"]), *given), twin["y"]
