"""What RDKit is asked for, against its other functions, and against molecules that are built again from their graph."""

import sys

import numpy as np
import pytest

from medtl_helpers.data import molecule_chemistry as chemistry
from medtl_helpers.data.molecules import ATOM_FEATURES, DESCRIPTORS, ELEMENTS

Chem = pytest.importorskip("rdkit.Chem")

DRUGS = [  # of textbooks: aspirin, caffeine, nicotine, a quaternary salt's cation, a nitrile, a nitro group, a sulfone
    "CC(=O)Oc1ccccc1C(=O)O", "Cn1c(=O)c2c(ncn2C)n(C)c1=O", "CN1CCCC1c1cccnc1", "C[N+](C)(C)CCO", "C#CCC#N",
    "O=[N+]([O-])c1ccc(Cl)cc1", "CS(=O)(=O)c1ccc(Br)cc1F", "C1CC2CCC1C2", "C[Si](C)(C)CB(O)O", "CCOP(=S)(OCC)SCI",
    "[2H]C([2H])([2H])O", "C[Se]C", "C[As](C)C", "C",
]  # fmt: skip


def rebuilt(table: np.ndarray) -> str:
    """The SMILES of a packed graph, by its elements, charges, hydrogens and bonds alone."""
    width = len(ATOM_FEATURES)
    count = int((table[:, 0] > 0).sum())
    kinds = [None, *(getattr(Chem.BondType, kind) for kind in ("SINGLE", "DOUBLE", "TRIPLE", "AROMATIC"))]
    molecule = Chem.RWMol()
    for row in table[:count]:
        atom = Chem.Atom(ELEMENTS[row[0]])
        atom.SetFormalCharge(int(row[3]) - 4)
        atom.SetNumExplicitHs(int(row[2]))
        atom.SetNoImplicit(True)
        atom.SetIsAromatic(bool(row[4]))
        molecule.AddAtom(atom)
    bonds = table[:, width:]
    assert np.array_equal(bonds, bonds.T) and not bonds[count:].any() and not table[count:].any()
    for a, b in zip(*np.nonzero(np.triu(bonds)), strict=True):
        molecule.AddBond(int(a), int(b), kinds[bonds[a, b]])
    Chem.SanitizeMol(molecule)
    assert [atom.GetDegree() for atom in molecule.GetAtoms()] == table[:count, 1].tolist()
    assert [atom.IsInRing() for atom in molecule.GetAtoms()] == (table[:count, 5] > 0).tolist()
    return Chem.MolToSmiles(molecule)


@pytest.mark.parametrize("text", [text for text in DRUGS if "As" not in text])
def test_a_molecule_can_be_built_again_from_its_packed_graph(text):
    smiles = chemistry.canonical(text)
    assert rebuilt(chemistry.featurised([smiles]).graphs[0].numpy()) == smiles


def test_an_element_of_no_name_is_another_one():
    graph = chemistry.featurised(["C[As](C)C"]).graphs[0]
    assert [ELEMENTS[k] for k in graph[:4, 0].tolist()] == ["C", "other", "C", "C"]


def test_descriptors_fingerprints_and_scaffolds_are_those_of_other_functions_of_rdkit():
    from rdkit.Chem import AllChem, Crippen, Descriptors, Lipinski
    from rdkit.Chem.Scaffolds.MurckoScaffold import MurckoScaffoldSmiles

    smiles = [chemistry.canonical(text) for text in DRUGS]
    found = chemistry.featurised(smiles)
    scaffolds = []
    for k, text in enumerate(smiles):
        molecule = Chem.MolFromSmiles(text)
        wanted = [
            Descriptors.MolWt(molecule), Crippen.MolLogP(molecule), Descriptors.TPSA(molecule),
            Lipinski.NumHDonors(molecule), Lipinski.NumHAcceptors(molecule), Descriptors.NumRotatableBonds(molecule),
            Lipinski.NumAromaticRings(molecule), Lipinski.FractionCSP3(molecule),
        ]  # fmt: skip
        assert np.allclose(found.descriptors[k], wanted, rtol=1e-5) and len(wanted) == len(DESCRIPTORS)
        bits = np.array(list(AllChem.GetMorganFingerprintAsBitVect(molecule, 2, nBits=1024)))
        assert np.array_equal(found.fingerprints[k], bits)
        scaffolds.append(MurckoScaffoldSmiles(mol=molecule))
    same = np.equal.outer(np.array(scaffolds), np.array(scaffolds))
    assert np.array_equal(np.equal.outer(found.scaffolds, found.scaffolds), same)
    assert found.descriptors.dtype == np.float32 and found.fingerprints.dtype == np.uint8
    assert found.scaffolds.dtype == np.int64


READ = {  # text -> canonical SMILES, fault, whether it was a salt, whether stereo was named
    "OCC": ("CCO", "", False, False),
    "C[C@H](O)C(=O)O": ("CC(O)C(=O)O", "", False, True),
    "C/C=C/C": ("CC=CC", "", False, True),
    "[13CH3]CO": ("CCO", "", False, False),
    "CC(=O)[O-].[Na+]": ("CC(=O)O", "", True, False),
    "CC(=O)O": ("CC(=O)O", "", False, False),
    "CCN.Cl": ("CCN", "", True, False),
    "CC[NH3+].[Cl-]": ("CCN", "", True, False),
    "C[N+](C)(C)CCO.[Br-]": ("C[N+](C)(C)CCO", "", True, False),
    "CCN.CCN.OS(=O)(=O)O": ("CCN", "", True, False),
    "c1ccccc1CCN.OC(=O)C": ("NCCc1ccccc1", "", True, False),  # acetic acid is small beside it
    "CCO.CCN": ("", "mixture", True, False),
    "CC[NH3+].CC(=O)[O-]": ("CC(=O)O", "", True, False),  # charges say that it is a salt
    "[Na+].[Cl-]": ("", "no carbon", True, False),
    "O": ("", "no carbon", False, False),
    "C(C)(C)(C)(C)C": ("", "invalid", False, False),
    "c1ccc": ("", "invalid", False, False),
    "ethanol": ("", "invalid", False, False),
    "  ": ("", "invalid", False, False),
}


@pytest.mark.parametrize("text", READ)
def test_each_text_is_read_as_what_it_stands_for(text, capfd):
    assert tuple(chemistry.read_smiles([text])[0]) == READ[text]
    assert capfd.readouterr() == ("", "")  # of RDKit's own lines none is to be seen


def test_a_molecule_as_large_as_the_table_is_read_and_a_larger_one_is_not():
    reads = chemistry.read_smiles(["C" * 50, "C" * 51, "CCC"], atoms=50)
    assert [read.fault for read in reads] == ["", "large", ""]
    assert (chemistry.featurised(["C" * 50]).graphs[0, :, 0] == 1).all()
    with pytest.raises(ValueError, match="is no SMILES of a molecule of 1 to 50 atoms: leave it out"):
        chemistry.featurised(["CC", "C" * 51])


def test_canonical_says_none_of_what_is_no_molecule():
    assert chemistry.canonical("C(C)O") == "CCO" == chemistry.canonical("OCC")
    assert chemistry.canonical("C(") is None and chemistry.canonical(" ") is None


def test_without_rdkit_one_sentence_says_how_to_install_it(monkeypatch):
    assert chemistry.rdkit_is_there()
    monkeypatch.setitem(sys.modules, "rdkit", None)
    assert not chemistry.rdkit_is_there()
    with pytest.raises(
        ModuleNotFoundError, match=r'RDKit, which is not installed: pip install -e "\.\[molecules\]"\.$'
    ):
        chemistry.read_smiles(["CCO"])
