"""The real sets of MoleculeNet, counted beside the files, and their twins, which need no RDKit."""

import csv
import sys

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.assets import card
from medtl_helpers.data.molecule_sets import read_molecules
from medtl_helpers.data.tasks import SPLITS

NAMES = ("esol", "bbbp", "tox21")


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def everything(task):
    return [text for split in SPLITS for text in task.smiles[split]], torch.cat([getattr(task, s).y for s in SPLITS])


@pytest.mark.parametrize("name", NAMES)
def test_the_file_has_the_rows_and_columns_of_its_card(name, real_file):
    path = real_file(card(name)["files"][name]["path"])
    texts, values = read_molecules(path, card(name)["columns"])
    assert len(texts) == card(name)["rows"] and values.shape[1] == len(card(name)["columns"])


def test_esol_holds_the_numbers_of_its_file(real, real_file):
    pytest.importorskip("rdkit")
    task = real("esol", "esol")
    smiles, y = everything(task)
    assert (task.kind, task.provenance, len(smiles), len(set(smiles))) == ("number", "real", 1113, 1113)
    rows = rows_of(real_file("molecules/esol.csv"))
    known = dict(zip(smiles, y.tolist(), strict=True))
    assert known["Cc1ccccc1O"] == pytest.approx(-0.62) and known["CO"] == pytest.approx(1.57)
    assert known["OCC(O)C(O)C(O)C(O)CO"] == pytest.approx((0.06 + 1.09) / 2)  # stands twice
    assert abs(float(y.mean()) - np.mean([float(row[1]) for row in rows])) < 0.02
    assert not set(task.scaffolds["test"]) & (set(task.scaffolds["train"]) | set(task.scaffolds["val"]))
    assert "13 row(s) repeat a molecule" in task.note and "more than 50 atoms" in task.note


@pytest.mark.slow
def test_bbbp_leaves_out_what_contradicts_itself_and_tox21_keeps_its_gaps(real):
    pytest.importorskip("rdkit")
    task = real("bbbp", "bbbp")
    smiles, y = everything(task)
    assert (task.kind, len(smiles), len(set(smiles))) == ("classes", 1879, 1879) and 0.7 < float(y.float().mean()) < 0.8
    assert "29 row(s) whose molecule has values that contradict each other were left out" in task.note
    task = real("tox21", "tox21", split="random", seed=1)
    smiles, y = everything(task)
    assert task.classes == tuple(card("tox21")["classes"]) and y.shape == (7347, 12) and len(set(smiles)) == 7347
    assert 0.1 < float(y.isnan().float().mean()) < 0.25 and 0.03 < float(y.nan_to_num(0).mean()) < 0.1
    one = task.assay("NR-AhR")
    assert set(one.test.y.tolist()) == {0, 1} and len(one.test.y) < len(task.test.y)


@pytest.mark.parametrize("content", ["smiles,logp\n", "smiles,y\nCC,1\n", "smiles,logp\nCC,low\n", "smiles,logp\nCC\n"])
def test_another_file_is_refused(content, tmp_path):
    (tmp_path / "esol.csv").write_text(content)
    with pytest.raises(ValueError, match=r"is no table of SMILES and logp: delete it and fetch it again\.$"):
        read_molecules(tmp_path / "esol.csv", ["logp"])


@pytest.mark.parametrize("name", NAMES)
def test_the_twin_has_the_form_of_the_real_set_and_needs_no_rdkit(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "rdkit", None)
    task, about = mtl.load(name), card(name)
    assert (task.provenance, task.kind, task.classes) == ("twin", about["labels"], tuple(about["classes"]))
    smiles, y = everything(task)
    assert len(set(smiles)) == len(smiles) == len(y) and task.train.x.shape[1:] == (50, 56)
    held = [set(task.scaffolds[split]) for split in SPLITS]
    assert not (held[0] & held[1] or held[0] & held[2] or held[1] & held[2])
    assert task.descriptors["train"].shape[1] == 8 and task.fingerprints["test"].shape[1] == 1024
    again, other = mtl.load(name, seed=0), mtl.load(name, split="random", seed=1)
    assert again.smiles == task.smiles and other.smiles["test"] != task.smiles["test"] and other.dealt == "random"


def test_real_files_without_rdkit_give_the_twin_and_say_how_to_read_them(real_file, monkeypatch, capsys):
    real_file("molecules/esol.csv")
    monkeypatch.setitem(sys.modules, "rdkit", None)
    assert mtl.load("esol").provenance == "twin"
    assert 'for real data: pip install -e ".[molecules]"' in capsys.readouterr().out


@pytest.mark.parametrize("option", [{"split": "random"}, {"seed": 1}])
def test_other_sets_are_split_once_and_for_all(option):
    with pytest.raises(ValueError, match="split and seed are for molecules alone"):
        mtl.load("heart", **option)
