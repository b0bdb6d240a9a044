"""Molecules with something wrong, in the reader's file or in the call: one sentence is said, and nothing is lost."""

import hashlib

import pytest
import torch
from rows import NOTHING_RIGHT, Row, of_ours, unclear

import medtl_helpers as mtl
from medtl_helpers import provenance
from medtl_helpers.assets import card
from medtl_helpers.data.molecule_chemistry import featurised, read_smiles
from medtl_helpers.data.molecules import Molecules, molecule_task

pytest.importorskip("rdkit")
NOTHING = "—"


@pytest.fixture(autouse=True)
def forget_sources(monkeypatch):
    """What is loaded here is not what other tests are about."""
    monkeypatch.setattr(provenance, "_sources", {})
    monkeypatch.setenv("MEDTL_DATA", "twin")


HEADS = ("c1ccccc1", "C1CCNCC1", "c1ccncc1", "C1CCOC1", "C1CCC1", "c1ccsc1", "c1ccoc1", "C1CCCCCC1", "C1CCCC1", "")
SMILES = [head + tail for head in HEADS for tail in ("CC", "CCO")]


def table(columns="smiles,y", value=lambda k: f"{0.5 * k}", smiles=SMILES, then="") -> bytes:
    return (columns + "\n" + "".join(f"{s},{value(k)}\n" for k, s in enumerate(smiles)) + then).encode()


def classes(positives: int) -> bytes:
    return table(value=lambda k: "yes" if k < positives else "no")


# fault, the file (None: there is none), other arguments, what is said
FILES = [
    ("no such file", None, {}, "is no file: give a CSV file with a column of SMILES and one of what was measured"),
    ("an empty file", b" \n", {}, "is empty: give a CSV file with a column of SMILES"),
    ("no text", b"\xff\xd8\xff\xe0\0" * 9, {}, "is no text file: save it as CSV in UTF-8"),
    ("no row", b"smiles,y\n", {}, "has no row below its header: give a column of SMILES"),
    ("another name of the SMILES", table("smile,y"), {}, "has no column 'smiles', and has smile, y: say which"),
    ("another name of the target", table("smiles,z"), {}, "has no column 'y', and has smiles, z: say which"),
    ("a target twice", table("smiles,y,y", lambda k: f"{k},{k}"), {}, "has 2 columns 'y': leave one of them"),
    ("a row cut short", table(then="CC\n"), {}, "has 1 cells in row 22 and 2 columns: give each row as many"),
    ("a number with a sign", table(then="CCCC,>10\n"), {}, "that are no number, '>10' in row 22 the first"),
    ("a number that is infinite", table(then="CCCC,inf\n"), {}, "that are no number, 'inf' in row 22 the first"),
    ("many classes", table(value=lambda k: "abc"[k % 3]), {}, "has 3 different values in the column 'y', most of them"),
    ("one value everywhere", table(value=lambda k: "1"), {}, "has 1 different value(s) in the column 'y': give two"),
    ("no SMILES that is valid", table(smiles=["?"] * 20), {}, "has 0 molecule(s) that can be used (20 row(s) (2, 3"),
    ("few molecules", table(smiles=SMILES[:6]), {}, "has 6 molecule(s) that can be used: give at least 10"),
    ("one scaffold", table(smiles=["C" * k for k in range(1, 21)]), {}, "mine has 20 molecules on 1 scaffolds"),
    ("a class that a split lacks", classes(1), {"split": "random"}, "mine has no molecule of the class yes in"),
    ("an unknown positive", classes(9), {"positive": "perhaps"}, "'perhaps', which is no class (of no and yes)"),
    ("a positive of a number", table(), {"positive": "1"}, "'1', which is no class (there are none)"),
    ("an assay of 2", table(value=lambda k: "012"[k % 3]), {"target": ["y"]}, "has '2' in row 4 of the assay 'y'"),
    ("an assay without a result", table(value=lambda k: ""), {"target": ["y"]}, "has no result of the assay 'y'"),
    ("no target", table(), {"target": []}, "target is a list: give the name of a column, or a list of names"),
    ("SMILES as the target", table(), {"target": "smiles"}, "A column is named twice among smiles and target"),
    ("no column of splits", table(), {"split": "own"}, "has 0 columns called split: write one"),
    ("another split", table("smiles,y,split", lambda k: f"{k},fold1"), {"split": "own"}, "than train, val and test in"),
    (
        "a split that is missing",
        table("smiles,y,split", lambda k: f"{k},{('train', 'val')[k % 2]}"),
        {"split": "own"},
        "has no molecule for test that can be used: give each split some",
    ),
    ("an unknown way to split", table(), {"split": "time"}, "split is 'time': choose one of scaffold, random, own"),
    ("a seed below 0", table(), {"seed": -1}, "seed is -1: give a whole number of 0 or more"),
]


@pytest.mark.parametrize("content, options, said", [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_a_file_of_molecules_that_cannot_be_used(tmp_path, capsys, content, options, said):
    path = tmp_path / "mine.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError) as info:
        mtl.load_molecules(path, **{"target": "y"} | options)
    assert said in of_ours(info.value) and capsys.readouterr().out == ""
    assert content is None or path.read_bytes() == content
    assert provenance.noted()[0] == {}


MOLECULES = featurised(SMILES)
PARTS = [torch.arange(10), torch.arange(10, 15), torch.arange(15, 20)]
NUMBERS = molecule_task("these", MOLECULES, torch.arange(20.0), PARTS, ["y"], kind="number")
NO_SCAFFOLDS = molecule_task("these", MOLECULES, torch.arange(20.0), PARTS, ["y"], kind="number")
object.__setattr__(NO_SCAFFOLDS, "scaffolds", None)
RARE = molecule_task("these", MOLECULES, (torch.arange(20) == 0).long(), PARTS, ["no", "yes"], kind="classes")
# fault, the call, what is said
CALLS = [
    ("a split by scaffold without scaffolds", lambda: mtl.split_molecules(NO_SCAFFOLDS), "are not known: split it"),
    ("an unknown split", lambda: mtl.split_molecules(NUMBERS, "time"), "how is 'time': choose one of scaffold, random"),
    ("a class that a split lacks", lambda: mtl.split_molecules(RARE, "random"), "no molecule of the class yes in"),
    ("a split of no task", lambda: mtl.split_molecules([1, 2]), "was given a list: give a MoleculeTask, like"),
    ("more than there are", lambda: mtl.few_molecules(NUMBERS, 11, seed=0), "has 10 molecules for train, 11 were"),
    ("few molecules of no task", lambda: mtl.few_molecules(None, 1, seed=0), "was given None: give a MoleculeTask"),
    ("few of each class", lambda: mtl.few_shot(RARE, 1, seed=0), "draws so many of each class: use few_molecules"),
    ("a split as of a table", lambda: mtl.split_table(RARE, seed=0), "it does not heed: use split_molecules"),
    ("an assay of a number", lambda: NUMBERS.assay("y"), "these has no assays: mtl.load('tox21') has"),
    ("a graph of no SMILES", lambda: featurised(["CC", "?"]), "'?' is no SMILES of a molecule of 1 to 50 atoms"),
    ("a graph of a number", lambda: featurised([3]), "A SMILES is 3: give a text, like 'CCO'"),
    ("a SMILES that is a number", lambda: read_smiles(["C", 3]), "A SMILES is 3: give a text, like 'CCO'"),
    ("an unknown split of a set", lambda: mtl.load("esol", split="time"), "how is 'time': choose one of scaffold"),
    ("a set's seed as text", lambda: mtl.load("esol", seed="one"), "seed is 'one': give a whole number"),
    ("a split of other data", lambda: mtl.load("heart", split="random"), "split and seed are for molecules alone"),
]


@pytest.mark.parametrize("call, said", [row[1:] for row in CALLS], ids=[row[0] for row in CALLS])
def test_a_call_with_molecules_that_cannot_be_done(call, said):
    with pytest.raises(ValueError if "was given" not in said else TypeError) as info:
        call()
    assert said in of_ours(info.value)


# fault, what the file holds
SETS = [
    ("cut off in a row", "smiles,logp\nCCO,1\nCC"),
    ("another column", "smiles,y\nCCO,1\n"),
    ("no rows", "smiles,logp\n"),
    ("a text among the numbers", "smiles,logp\nCCO,low\n"),
]


@pytest.mark.parametrize("content", [row[1] for row in SETS], ids=[row[0] for row in SETS])
def test_a_set_that_cannot_be_used_is_refused_though_its_checksum_is_right(tmp_path, monkeypatch, content):
    entry = card("esol")["files"]["esol"]
    path = tmp_path / entry["path"]
    path.parent.mkdir()
    path.write_text(content)
    monkeypatch.setitem(entry, "checksum", f"sha256:{hashlib.sha256(content.encode()).hexdigest()}")
    monkeypatch.setenv("MEDTL_DATA", str(tmp_path))
    with pytest.raises(ValueError) as info:
        mtl.load("esol", quiet=True)
    text = of_ours(info.value)
    assert text.startswith(str(path)) and "fetch it again" in text and path.read_text() == content


WRONG = NOTHING_RIGHT | {
    "a function": lambda: lambda *anything, **more: None,
    "a tensor of another shape": lambda: torch.zeros(2, 3, 4),
}


def test_wrong_arguments_are_told_in_a_sentence(tmp_path, capsys):
    many = [head + tail for head in HEADS for tail in ("C", "CC", "CCO", "CCN", "CCCC", "CCF")]
    (tmp_path / "mine.csv").write_bytes(table(value=lambda k: ("yes", "no")[k % 2], smiles=many))
    right = {
        mtl.load_molecules: {
            "path": tmp_path / "mine.csv", "target": "y", "smiles": "smiles", "positive": "yes", "split": "random",
            "seed": 0,
        },
        mtl.split_molecules: {"task": NUMBERS, "how": "random", "seed": 0},
        mtl.few_molecules: {"task": NUMBERS, "n": 2, "seed": 0, "val": 1},
        mtl.load: {"name": "esol", "split": "random", "seed": 0},
        featurised: {"smiles": SMILES[:2], "atoms": 20},
        read_smiles: {"texts": SMILES[:2], "atoms": 20},
    }  # fmt: skip
    for call, arguments in right.items():
        call(**arguments)  # so that it is the replaced one that is refused
        assert unclear(call, lambda arguments=arguments: arguments, WRONG) == "", call


def test_what_goes_with_molecules_is_one_for_each():
    with pytest.raises(ValueError) as info:
        shorter = Molecules(*MOLECULES[:4], MOLECULES.scaffolds)._replace(smiles=SMILES)
        mtl.MoleculeTask("these", NUMBERS.train, NUMBERS.val, NUMBERS.test, ("y",), smiles={"train": shorter.smiles})
    assert "10 molecules and 20 smiles: give one for each" in of_ours(info.value)


TABLE = [
    *(Row(f"own molecules: {fault}", said, "the file") for fault, _, _, said in FILES),
    *(Row(f"molecules: {fault}", said, NOTHING) for fault, _, said in CALLS),
    *(
        Row(f"file of ESOL: {fault}", "is no table of SMILES and logp: delete it and fetch it again", "the file")
        for fault, _ in SETS
    ),
]
