"""What RDKit knows of a molecule: its canonical SMILES, packed graph, fingerprint, descriptors and scaffold.

RDKit (https://www.rdkit.org, BSD licence) is imported here alone, and only when it is asked for something.
"""

from collections.abc import Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch

from ..parts import check_whole, shown
from .molecules import ATOM_FEATURES, DESCRIPTORS, ELEMENTS, FINGERPRINT_BITS, MOLECULE_ATOMS, Molecules

RADIUS = 2  # of the Morgan fingerprint, in bonds
MIXED = 0.5  # size of a second molecule, as a share of the largest, from which on a row is a mixture
INSTALL = 'pip install -e ".[molecules]"'
BONDS = {"SINGLE": 1, "DOUBLE": 2, "TRIPLE": 3, "AROMATIC": 4}  # any other kind, like a dative one, is single


class ReadSmiles(NamedTuple):
    """What one SMILES stands for: its canonical SMILES without stereo, and what was found on the way.

    ``fault`` is "" or why the row cannot be used: ``"invalid"``, ``"mixture"``, ``"no carbon"`` or ``"large"``.
    """

    smiles: str
    fault: str = ""
    salt: bool = False
    stereo: bool = False


def rdkit_is_there() -> bool:
    """Whether RDKit is installed, and can be imported."""
    try:
        with _quiet():
            return True
    except ModuleNotFoundError:
        return False


@contextmanager
def _quiet():
    """RDKit, asked for when it is needed, without its own lines about single atoms and bonds.

    Raises ModuleNotFoundError, one sentence that says how to install it, where it is absent.
    """
    try:
        from rdkit import Chem, rdBase
    except ImportError:
        raise ModuleNotFoundError(f"SMILES are read with RDKit, which is not installed: {INSTALL}.") from None
    with rdBase.BlockLogs():
        yield Chem


def _texts(smiles) -> list[str]:
    """``smiles`` as a list. Raises ValueError where it is no list of texts."""
    if isinstance(smiles, str) or not isinstance(smiles, Sequence):
        raise ValueError(f"The SMILES are {shown(smiles)}: give a list of texts, like ['CCO', 'c1ccccc1'].")
    for text in smiles:
        if not isinstance(text, str):
            raise ValueError(f"A SMILES is {shown(text)}: give a text, like 'CCO'.")
    return list(smiles)


def canonical(text: str) -> str | None:
    """The canonical SMILES of a molecule, without stereo; None where ``text`` is no SMILES of one."""
    [text] = _texts([text])
    with _quiet() as chem:
        molecule = chem.MolFromSmiles(text) if text.strip() else None
        flat = None if molecule is None else _flat(molecule, chem)
        return None if flat is None else chem.MolToSmiles(flat)


def read_smiles(texts: Sequence[str], atoms: int = MOLECULE_ATOMS) -> list[ReadSmiles]:
    """What each of the ``texts`` stands for; molecules of more than ``atoms`` atoms (without hydrogen) are too large.

    Of a salt the largest part with carbon is kept, and its charge is taken back where a hydrogen can do it, so that an
    acid and its sodium salt are one molecule. Where a second, other part has carbon, at least half as many atoms and no
    charge, nobody can say which of the two was measured: that is a mixture. Stereo is left out, since neither the graph
    nor the fingerprint holds it; ``stereo`` says that there was some.
    """
    texts, atoms = _texts(texts), check_whole(atoms, "atoms", least=1)
    with _quiet() as chem:
        from rdkit.Chem.MolStandardize.rdMolStandardize import Uncharger

        uncharger = Uncharger()
        return [_read(text, atoms, chem, uncharger) for text in texts]


def _read(text: str, atoms: int, chem, uncharger) -> ReadSmiles:
    molecule = chem.MolFromSmiles(text) if text.strip() else None
    if molecule is None:
        return ReadSmiles("", "invalid")
    salt = "." in text and len(chem.GetMolFrags(molecule)) > 1
    parts = sorted(chem.GetMolFrags(molecule, asMols=True), key=_size, reverse=True) if salt else [molecule]
    largest = parts[0]
    if not _organic(largest):
        return ReadSmiles("", "no carbon", salt)
    if salt:
        name = chem.MolToSmiles(largest, isomericSmiles=False)
        for other in parts[1:]:
            large = other.GetNumHeavyAtoms() >= MIXED * largest.GetNumHeavyAtoms()
            rival = large and _organic(other) and not chem.GetFormalCharge(other)
            if rival and chem.MolToSmiles(other, isomericSmiles=False) != name:
                return ReadSmiles("", "mixture", salt)
        largest = uncharger.uncharge(largest)
    stereo = chem.MolToSmiles(largest)
    flat = _flat(largest, chem)
    if flat is None:
        return ReadSmiles("", "invalid", salt)
    smiles = chem.MolToSmiles(flat)
    if flat.GetNumAtoms() > atoms:
        return ReadSmiles(smiles, "large", salt)
    return ReadSmiles(smiles, "", salt, any(sign in stereo for sign in "@/\\"))


def _flat(molecule, chem):
    """The molecule without stereo and isotopes; None where RDKit does not read again what it has written."""
    return chem.MolFromSmiles(chem.MolToSmiles(molecule, isomericSmiles=False))


def _organic(part) -> bool:
    return any(atom.GetAtomicNum() == 6 for atom in part.GetAtoms())


def _size(part) -> tuple[bool, int, float]:
    """A part's rank among the parts of a row: with carbon before without, then by its atoms, then by their weight."""
    return _organic(part), part.GetNumHeavyAtoms(), sum(atom.GetMass() for atom in part.GetAtoms())


def featurised(smiles: Sequence[str], atoms: int = MOLECULE_ATOMS) -> Molecules:
    """All that is computed of the molecules ``smiles``, valid and of at most ``atoms`` atoms without hydrogen.

    Morgan fingerprints (Rogers and Hahn, Journal of Chemical Information and Modeling 50 (2010), 742, doi
    10.1021/ci100050t) of radius 2 in 1,024 bits, the eight ``DESCRIPTORS``, and scaffolds, numbered in the order of
    their SMILES. Raises ValueError, which names the first SMILES in question, where one is invalid or too large.
    """
    smiles, atoms = _texts(smiles), check_whole(atoms, "atoms", least=1)
    with _quiet() as chem:
        from rdkit.Chem import rdFingerprintGenerator
        from rdkit.Chem import rdMolDescriptors as calculate
        from rdkit.Chem.Scaffolds.MurckoScaffold import GetScaffoldForMol

        generator = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=FINGERPRINT_BITS)
        functions = (
            calculate._CalcMolWt, lambda one: calculate.CalcCrippenDescriptors(one)[0], calculate.CalcTPSA,
            calculate.CalcNumHBD, calculate.CalcNumHBA, calculate.CalcNumRotatableBonds,
            calculate.CalcNumAromaticRings, calculate.CalcFractionCSP3,
        )  # fmt: skip
        graphs = np.zeros((len(smiles), atoms, len(ATOM_FEATURES) + atoms), dtype=np.uint8)
        descriptors = np.zeros((len(smiles), len(DESCRIPTORS)), dtype=np.float32)
        fingerprints = np.zeros((len(smiles), FINGERPRINT_BITS), dtype=np.uint8)
        scaffolds = []
        for k, text in enumerate(smiles):
            molecule = chem.MolFromSmiles(text)
            if molecule is None or not 0 < molecule.GetNumAtoms() <= atoms:
                raise ValueError(f"{text!r} is no SMILES of a molecule of 1 to {atoms} atoms: leave it out.")
            _fill(graphs[k], molecule)
            descriptors[k] = [function(molecule) for function in functions]
            fingerprints[k] = generator.GetFingerprintAsNumPy(molecule)
            scaffolds.append(chem.MolToSmiles(GetScaffoldForMol(molecule), isomericSmiles=False))
    numbers = np.unique(scaffolds, return_inverse=True)[1].astype(np.int64)
    return Molecules(list(smiles), torch.from_numpy(graphs), descriptors, fingerprints, numbers)


def _fill(table: np.ndarray, molecule) -> None:
    """Write atoms and bonds of ``molecule`` into its packed graph A×(6+A)."""
    for k, atom in enumerate(molecule.GetAtoms()):
        symbol = atom.GetSymbol()
        table[k, : len(ATOM_FEATURES)] = (
            ELEMENTS.index(symbol) if symbol in ELEMENTS else len(ELEMENTS) - 1,
            min(atom.GetDegree(), 8),
            min(atom.GetTotalNumHs(), 5),
            min(max(atom.GetFormalCharge() + 4, 0), 8),
            atom.GetIsAromatic(),
            atom.IsInRing(),
        )
    for bond in molecule.GetBonds():
        a, b, kind = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), BONDS.get(bond.GetBondType().name, 1)
        table[a, len(ATOM_FEATURES) + b] = table[b, len(ATOM_FEATURES) + a] = kind
