"""The reader's own molecules: every way to write the table gives the same task, and nothing is lost without a line."""

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.data.tasks import SPLITS

pytest.importorskip("rdkit")

HEADS = ["c1ccccc1", "C1CCNCC1", "c1ccncc1", "C1CCOC1", "C1CCC1", "c1ccsc1", "c1ccoc1", "C1CCCCCC1", "n1ccncc1", ""]
HEADS += ["c1ccc2ccccc2c1", "C1CCCC1"]
SMILES = [head + tail for head in HEADS for tail in ("C", "CC", "CCO", "CCN", "CC(=O)O")]
VALUES = [round(0.1 * k, 1) for k in range(len(SMILES))]


def table(target="solubility", values=VALUES, smiles=SMILES, then=""):
    return f"smiles,{target}\n" + "".join(f"{s},{v}\n" for s, v in zip(smiles, values, strict=True)) + then


def load(tmp_path, content, **options):
    path = tmp_path / "mine.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return mtl.load_molecules(path, **{"target": "solubility"} | options)


def labels(task):
    parts = [(task.smiles[s], getattr(task, s).y) for s in SPLITS]
    return {text: label for texts, y in parts for text, label in zip(texts, y.tolist(), strict=True)}


WRITTEN = {
    "Windows": table().replace("\n", "\r\n").encode(),
    "a byte-order mark": b"\xef\xbb\xbf" + table().encode(),
    "UTF-16": table().encode("utf-16"),
    "semicolons": table().replace(",", ";").encode(),
    "quotes and blanks": table().replace("c1ccccc1CC,", '"c1ccccc1CC",').replace("\n", "\n\n").encode(),
    "another order": "".join(f"{row.split(',')[1]},{row.split(',')[0]}\n" for row in table().splitlines()).encode(),
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=list(WRITTEN))
def test_all_ways_to_write_a_table_give_the_same_molecules(written, tmp_path):
    wanted = labels(load(tmp_path, table()))
    assert labels(load(tmp_path, written)) == wanted and len(wanted) == len(SMILES)


def test_numbers_are_numbers_and_stay_with_their_molecule(tmp_path, capsys):
    task = load(tmp_path, table())
    assert (task.kind, task.classes, task.provenance, task.dealt) == ("number", ("solubility",), "own", "scaffold")
    assert task.train.y.dtype == torch.float32 and labels(task)["Cc1ccccc1"] == pytest.approx(0.0)
    held = [set(task.scaffolds[split]) for split in SPLITS]
    assert not (held[0] & held[1] or held[0] & held[2] or held[1] & held[2])
    told = capsys.readouterr().out
    assert "mine: your own molecules, the number solubility; train/val/test" in told and "left out" not in told


def test_two_values_are_classes_by_name_or_number(tmp_path):
    words = ["active" if k % 3 == 0 else "inactive" for k in range(len(SMILES))]
    task = load(tmp_path, table(values=words), split="random", positive="active")
    assert (task.kind, task.classes, task.positive) == ("classes", ("active", "inactive"), 0)
    digits = [("1", "1.0", "0")[k % 3] for k in range(len(SMILES))]
    task = load(tmp_path, table(values=digits), split="random")
    assert task.classes == ("0", "1") and labels(task)["Cc1ccccc1"] == 1 and task.positive is None


def test_several_targets_are_assays_with_gaps(tmp_path):
    rng = np.random.default_rng(0)
    cells = [",".join(rng.choice(["0", "1", ""], 3)) for _ in SMILES]
    cells[0] = "1,,0"
    task = load(tmp_path, table("a,b,c", cells), target=["c", "a"])
    assert (task.kind, task.classes) == ("assays", ("c", "a")) and labels(task)["Cc1ccccc1"] == [0.0, 1.0]
    gaps = sum(cell.split(",")[k] == "" for cell in cells for k in (0, 2))
    empty = sum(cell.split(",")[0] == cell.split(",")[2] == "" for cell in cells)
    values = torch.cat([getattr(task, split).y for split in SPLITS])
    assert int(values.isnan().sum()) == gaps - 2 * empty and len(values) == len(SMILES) - empty


def test_whatever_is_left_out_is_told_with_its_row(tmp_path, capsys):
    then = "nonsense,1\nCCCCBr.CCCCI,1\n[Na+].[Cl-],1\n" + "C" * 51 + ",1\nCCCCl,\nCc1ccccc1,99\nCCc1ccccc1,0.1\n"
    task = load(tmp_path, table(then=then + "CC[C@H](C)Br,1\nCCC(=O)[O-].[Na+],1\n"))
    first = len(SMILES) + 2
    told = capsys.readouterr().out
    for row, words in enumerate((
        "whose SMILES is not valid", "that are mixtures", "without a carbon", "with a molecule of more than 50 atoms",
        "without a value",
    )):  # fmt: skip
        assert f"1 row(s) ({first + row}) {words}" in told, words
    assert f"2 row(s) (2 and {first + 5}) whose molecule has values that contradict each other were left out" in told
    assert f"1 row(s) ({first + 6}) repeat a molecule" in told and f"1 row(s) ({first + 7}) name a stereo form" in told
    assert f"1 row(s) ({first + 8}) hold several parts" in told
    known = labels(task)
    assert "Cc1ccccc1" not in known and known["CCc1ccccc1"] == pytest.approx(0.1) and known["CCC(=O)O"] == 1
    assert "contradict" in task.note and len(known) == len(SMILES) + 1


def test_the_readers_own_splits_are_heeded_when_asked_for(tmp_path, capsys):
    splits = [("train", "train", "val", "test")[k % 4] for k in range(len(SMILES))]
    content = table("solubility,split", [f"{v},{s}" for v, s in zip(VALUES, splits, strict=True)], then="CC,4.5,test\n")
    task = load(tmp_path, content, split="own")
    assert task.dealt == "own" and task.smiles["val"][0] == "OCCc1ccccc1" and "CC" in task.smiles["test"]
    assert "test molecules have a scaffold of training" in capsys.readouterr().out
    assert load(tmp_path, content).dealt == "scaffold"
    assert "a column called split, which is heeded with split='own' alone" in capsys.readouterr().out
