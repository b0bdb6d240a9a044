"""``MoleculeTask``: molecules as packed graphs, with a measured number, two classes or several assays to predict.

Nothing here needs RDKit. A molecule is one table of bytes: a row for each of up to ``MOLECULE_ATOMS`` atoms other than
hydrogen. Its first bytes are the ``ATOM_FEATURES``, and after them stands the kind of bond to each atom of the
molecule: 0 for none, 1 single, 2 double, 3 triple, 4 aromatic. Rows behind the last atom are 0.

Molecules with one ring system and its linkers (one Bemis–Murcko scaffold: Journal of Medicinal Chemistry 39 (1996),
2887, doi 10.1021/jm9602928) are alike, so that a random split asks for less than a chemist's next series does.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from ..parts import check_choice, shown
from .tasks import SPLITS, Split, Task

MOLECULE_ATOMS = 50  # other than hydrogen; larger molecules are left out, and told
ATOM_FEATURES = ("element", "bonded atoms", "hydrogens", "charge + 4", "aromatic", "in a ring")
ELEMENTS = ("none", "C", "N", "O", "S", "F", "P", "Cl", "Br", "I", "B", "Si", "Se", "other")
FINGERPRINT_BITS = 1024  # Morgan, radius 2
DESCRIPTORS = (
    "molecular weight", "Crippen logP", "polar surface area", "hydrogen-bond donors", "hydrogen-bond acceptors",
    "rotatable bonds", "aromatic rings", "share of sp3 carbons",
)  # fmt: skip
KINDS = {"number": (torch.float32, 1), "classes": (torch.int64, 1), "assays": (torch.float32, 2)}  # dtype, axes of y


class Molecules(NamedTuple):
    """What is computed of N molecules: graphs uint8 N×A×(6+A), descriptors float32 N×8, fingerprints uint8 N×1024.

    ``scaffolds`` is int64 N: molecules with one number have one Bemis–Murcko scaffold, those without a ring another.
    """

    smiles: list[str]
    graphs: Tensor
    descriptors: np.ndarray
    fingerprints: np.ndarray
    scaffolds: np.ndarray


@dataclass(frozen=True)
class MoleculeTask(Task):
    """A task of molecules: of each split ``x`` is uint8 N×A×(6+A), one packed graph for each molecule.

    ``kind`` says what ``y`` is: ``"number"``, float32 N, a measured number, whose name is the only one of ``classes``;
    ``"classes"``, int64 N, two classes; ``"assays"``, float32 N×T of 0 and 1, NaN where an assay was not measured, with
    the names of the T assays in ``classes``. ``smiles``, ``scaffolds`` (int64 N), ``descriptors`` (float32 N×8, see
    ``DESCRIPTORS``) and ``fingerprints`` (uint8 N×1024) have one entry for each molecule of each split. ``dealt`` is
    how the splits were made: ``"scaffold"`` (no scaffold is in two splits), ``"random"`` or ``"own"``.

    Raises ValueError where graphs, labels and these do not fit together.
    """

    kind: str = "number"
    dealt: str = "own"
    smiles: dict[str, list[str]] | None = None
    scaffolds: dict[str, Any] | None = None
    descriptors: dict[str, Any] | None = None
    fingerprints: dict[str, Any] | None = None
    OF_MOLECULES: ClassVar[tuple[str, ...]] = ("smiles", "scaffolds", "descriptors", "fingerprints")

    def __post_init__(self):
        check_choice(self.kind, "kind", KINDS)
        for split in SPLITS:
            _check(getattr(self, split), f"{split} split of {self.name}", self.kind, len(self.classes))
            for what in self.OF_MOLECULES:
                given = getattr(self, what)
                if given is not None and len(given[split]) != (n := len(getattr(self, split).y)):
                    raise ValueError(
                        f"The {split} split of {self.name} has {n} molecules and {len(given[split])} {what}: give one "
                        f"for each, or {what}=None."
                    )

    def with_rows(self, rows: dict[str, Any], **changes) -> Self:
        """As ``Task.with_rows``; SMILES, scaffolds, descriptors and fingerprints go with their molecules."""
        for what in self.OF_MOLECULES:
            if (given := getattr(self, what)) is not None:
                changes[what] = given | {split: self._drawn(what, at) for split, at in rows.items()}
        return super().with_rows(rows, **changes)

    def _drawn(self, what: str, at):
        """The rows ``at`` of what goes with the molecules, counted through train, validation and test."""
        given = getattr(self, what)
        if what == "smiles":
            everything = [text for split in SPLITS for text in given[split]]
            return [everything[int(k)] for k in at]
        return np.concatenate([given[split] for split in SPLITS])[np.asarray(at, dtype=np.int64)]

    def assay(self, name: str) -> "MoleculeTask":
        """One assay as a task of two classes, ``"inactive"`` and ``"active"``, of the molecules it was measured for."""
        if self.kind != "assays":
            raise ValueError(f"{self.name} has no assays: mtl.load('tox21') has.")
        check_choice(name, "name", self.classes)
        k, rows, start = self.classes.index(name), {}, 0
        for split in SPLITS:
            measured = getattr(self, split).y[:, k].isfinite()
            rows[split] = start + torch.nonzero(measured).flatten()
            start += len(measured)
        kept = self.with_rows(rows)
        train, val, test = (Split(part.x, part.y[:, k].long()) for part in (kept.train, kept.val, kept.test))
        changes: dict[str, Any] = {"kind": "classes", "classes": ("inactive", "active"), "positive": 1}
        return replace(kept, train=train, val=val, test=test, name=f"{self.name} {name}", **changes)


def _check(pair: Split, name: str, kind: str, classes: int) -> None:
    """Raises ValueError unless packed graphs and labels of this kind fit together."""
    x, y = pair
    shape = tuple(getattr(x, "shape", ()))
    if getattr(x, "dtype", None) != torch.uint8 or len(shape) != 3 or shape[2] != shape[1] + len(ATOM_FEATURES):
        found = f"{x.dtype} of shape {shape}" if hasattr(x, "dtype") else shown(x)
        raise ValueError(f"The molecules of the {name} are {found}: give packed graphs, uint8 N×A×(6+A).")
    dtype, axes = KINDS[kind]
    wanted = (len(x), classes)[:axes]
    if getattr(y, "dtype", None) != dtype or tuple(y.shape) != wanted:
        found = f"{y.dtype} of shape {tuple(y.shape)}" if hasattr(y, "dtype") else shown(y)
        raise ValueError(
            f"The labels of the {name} are {found}: give {dtype} of shape {wanted} for a task of kind {kind!r}."
        )
    if kind == "number" and not y.isfinite().all():
        raise ValueError(f"The {name} has a label that is no finite number: leave that molecule out.")
    if kind == "classes" and len(y) and not 0 <= int(y.min()) <= int(y.max()) < classes:
        raise ValueError(
            f"The {name} has labels other than 0 to {classes - 1}, one for each of its classes: correct it."
        )
    if kind == "assays" and not ((y == 0) | (y == 1) | y.isnan()).all():
        raise ValueError(f"The {name} has results of assays other than 0, 1 and NaN (not measured): correct them.")


def molecule_task(name: str, molecules: Molecules, y: Tensor, parts, classes, **facts) -> MoleculeTask:
    """The rows ``parts`` of training, validation and test as a task; ``facts`` are fields of ``MoleculeTask``."""
    splits = {split: Split(molecules.graphs[at], y[at]) for split, at in zip(SPLITS, parts, strict=True)}
    for what in MoleculeTask.OF_MOLECULES:
        given = getattr(molecules, what)
        facts[what] = {
            split: [given[k] for k in at.tolist()] if what == "smiles" else given[at.numpy()]
            for split, at in zip(SPLITS, parts, strict=True)
        }
    return MoleculeTask(name, splits["train"], splits["val"], splits["test"], tuple(classes), **facts)
