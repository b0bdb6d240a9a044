"""Write the molecules of the twins, ``datasets/embedded/drawn_molecules.npz``: drawn by code, computed with RDKit.

    python benchmarks/draw_molecules.py      # about half a minute

The first 2,400 different molecules of ``draw_molecules(…, seed=1)`` that have 3 to 50 atoms, as canonical SMILES, with
their packed graphs, eight descriptors, fingerprints (1,024 bits, eight to a byte), scaffolds, and how often each of
their parts is in them. Labels are not written: ``medtl_helpers/data/molecule_twins.py`` computes them.
"""

import numpy as np

from medtl_helpers.assets import asset_folder
from medtl_helpers.data.drawn_molecules import Drawn, draw_one
from medtl_helpers.data.molecule_chemistry import canonical, featurised

SEED, MOLECULES, ATOMS = 1, 2400, (3, 50)


def different(seed: int, count: int, without: set[str] = frozenset()) -> dict[str, Drawn]:
    """The first ``count`` drawn molecules that differ, by their canonical SMILES, none of which is in ``without``."""
    found: dict[str, Drawn] = {}
    number = 0
    while len(found) < count:
        molecule = draw_one(seed, number)
        smiles = canonical(molecule.smiles)
        if smiles is None:
            raise ValueError(f"Molecule {number} of seed {seed} is none: {molecule.smiles}.")
        if smiles not in without and smiles not in found and _fits(smiles):
            found[smiles] = molecule
        number += 1
    return found


def _fits(smiles: str) -> bool:
    from rdkit import Chem

    return ATOMS[0] <= Chem.MolFromSmiles(smiles).GetNumAtoms() <= ATOMS[1]


def pool() -> dict[str, np.ndarray]:
    """The arrays of the file."""
    chosen = different(SEED, MOLECULES)
    molecules = featurised(list(chosen))
    names = sorted({name for molecule in chosen.values() for name in molecule.parts})
    return {
        "graphs": molecules.graphs.numpy(),
        "descriptors": molecules.descriptors,
        "fingerprints": np.packbits(molecules.fingerprints, axis=1),
        "scaffolds": molecules.scaffolds.astype(np.int32),
        "smiles": np.array([text.encode() for text in molecules.smiles]),
        "parts": np.array([[one.parts[name] for name in names] for one in chosen.values()], dtype=np.uint8),
        "names": np.array(names),
    }


def main() -> None:
    """Draw, compute, write."""
    path = asset_folder("embedded", "datasets/embedded") / "drawn_molecules.npz"
    arrays = pool()
    np.savez_compressed(path, **arrays)
    print(f"wrote {path}: {len(arrays['smiles'])} molecules, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
