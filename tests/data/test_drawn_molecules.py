"""Drawn molecules: valid SMILES of known parts, one by one from the seed, as large as was drawn for them."""

import re
from collections import Counter
from random import Random

import numpy as np
import pytest

import medtl_helpers as mtl
from medtl_helpers.data.drawn_molecules import begins_with_other, count_atoms, draw_one, ends_with_other
from medtl_helpers.data.molecule_parts import GROUPS, LINKERS, RINGS, read_parts

PATTERNS = {
    "nitro": "[N+](=O)[O-]", "iodo": "I", "trimethylsilyl": "[Si]", "boronic acid": "B", "cyano": "C#N",
    "sulfonic acid": "S(=O)(=O)[OH]",
}  # fmt: skip
TABLES = [read_parts(table) for table in (RINGS, LINKERS, GROUPS)]


def rdkit():
    return pytest.importorskip("rdkit.Chem")


def bare(text: str) -> str:
    """A part with nothing at its places."""
    return text.replace("@", "[nH]").replace("*", "").replace("^", "")


def test_one_seed_gives_one_list_of_which_a_shorter_one_is_the_beginning():
    molecules = mtl.draw_molecules(30, seed=5)
    assert mtl.draw_molecules(10, seed=5) == molecules[:10] != mtl.draw_molecules(10, seed=6)
    assert len(set(molecules)) > 25


def test_the_global_seed_makes_no_difference():
    first = mtl.draw_molecules(3)
    mtl.seed_everything(99)
    assert mtl.draw_molecules(3) == first


def test_half_of_the_molecules_have_as_many_atoms_as_the_docstring_says():
    sizes = [count_atoms(text) for text in mtl.draw_molecules(600)]
    low, high = np.percentile(sizes, [25, 75])
    assert abs(low - 10) < 2 and abs(high - 23) < 2.5 and max(sizes) < 70


def test_names_of_parts_are_unique_and_weights_are_above_0():
    names = [name for table in TABLES for _, name, _ in table] + ["chain"]
    assert max(Counter(names).values()) == 1
    assert all(weight > 0 for table in TABLES for weight, _, _ in table)


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [("C", False, False), ("O", True, True), ("Cl", True, True), ("S(=O)(=O)", False, False), ("SC", True, False),
     ("C(=O)N", False, True), ("C(=O)", False, False), ("CN(C)C", False, False), ("OP(=O)(OC)O", True, True),
     ("NC(=O)", True, False), ("n1c*c*nc1*", True, True), ("[nH]", True, True)],
)  # fmt: skip
def test_where_a_part_begins_and_ends_is_read_from_its_smiles(text, begins, ends):
    assert begins_with_other(text) == begins
    if text in ("Cl", "[nH]", "n1c*c*nc1*"):
        return
    assert ends_with_other(text) == ends


def test_digits_of_rings_are_opened_and_closed_once_each():
    for text in mtl.draw_molecules(200, seed=2):
        plain = re.sub(r"\[[^\]]*\]", "x", text)
        numbers = Counter(re.findall(r"%\d\d|\d", plain))
        assert all(count % 2 == 0 for count in numbers.values()), text
        assert plain.count("(") == plain.count(")")


# --- where RDKit is there ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", range(3))
def test_every_part_is_valid_has_the_atoms_that_are_counted_and_may_carry_something_at_its_places(table):
    chem = rdkit()
    for _, name, text in TABLES[table]:
        alone = re.sub("^n", "[nH]", bare(text)) if table == 0 else "C" + bare(text)
        molecule = chem.MolFromSmiles(alone)
        assert molecule is not None, name
        assert molecule.GetNumAtoms() == count_atoms(text) + (table > 0), name
        full = re.sub(r"@(\d?)", r"n\1(C)", text).replace("*", "(C)").replace("^", "(C)")
        assert chem.MolFromSmiles("C" + full + ("C" if table == 1 else "")) is not None, name


def test_every_drawn_molecule_is_valid():
    chem = rdkit()
    for number in range(400):
        molecule = draw_one(3, number)
        read = chem.MolFromSmiles(molecule.smiles)
        assert read is not None, molecule.smiles
        assert read.GetNumAtoms() == count_atoms(molecule.smiles)
        assert len(chem.GetMolFrags(read)) == 1


def test_the_parts_that_are_counted_are_in_the_molecule():
    chem = rdkit()
    found = Counter()
    for number in range(300):
        smiles, parts = draw_one(4, number)
        molecule = chem.MolFromSmiles(smiles)
        for name, pattern in PATTERNS.items():
            matches = len(molecule.GetSubstructMatches(chem.MolFromSmarts(pattern)))
            assert matches == parts[name], (name, smiles)
            found[name] += matches
    assert found["nitro"] > 5


def test_no_nitrogen_or_oxygen_stands_beside_a_halogen():
    chem = rdkit()
    wrong = chem.MolFromSmarts("[#7,#8,#16;!$([#16](=O)=O)][F,Cl,Br,I]")
    for text in mtl.draw_molecules(300, seed=Random(1).randrange(1000)):
        assert not chem.MolFromSmiles(text).HasSubstructMatch(wrong), text
