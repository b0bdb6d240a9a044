"""The NegEx sentences: read as they were annotated, none in two splits; and a twin of the same size and interface."""

import csv
import re
import subprocess
from pathlib import Path

import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.assets import card

ROOT = Path(__file__).resolve().parents[2]
ABOUT = card("negex")
PARTS = ("train", "val", "test")


def labels(task):
    return torch.cat([getattr(task, split).y for split in PARTS])


@pytest.mark.parametrize("question", ["negated", "historical"])
def test_the_twin_has_the_cards_counts_copies_and_interface(question):
    task, facts = mtl.load("negex", question=question, quiet=True), ABOUT["questions"][question]
    assert task.provenance == "twin" and task.classes == tuple(facts["classes"]) and task.positive == 1
    assert labels(task).bincount().tolist() == facts["class_totals"]
    assert [len(getattr(task, split).y) for split in PARTS] == pytest.approx(
        [sum(facts["class_totals"]) - 1400, 400, 1000], abs=10
    )
    assert all(getattr(task, split).x.dtype == torch.int32 and getattr(task, split).x.shape[1] == 48 for split in PARTS)
    assert all((getattr(task, split).x[:, 24] == 4).all() for split in PARTS)
    again = len(labels(task)) - len({number for split in PARTS for number in task.groups[split]})
    assert again == pytest.approx(facts["copies"], abs=40) and task.note.startswith(f"{again} rows repeat a sentence")
    for split in PARTS:
        assert (getattr(task, split).y == 1).float().mean() == pytest.approx(
            facts["class_totals"][1] / sum(facts["class_totals"]), abs=0.03
        )


def test_the_line_says_that_it_is_a_drawn_twin(capsys):
    mtl.load("negex", question="historical", length=32)
    said = capsys.readouterr().out
    assert said.startswith("negex:historical: TWIN (drawn by code); train/val/test ") and said.count("\n") == 1
    assert said.endswith("for real data: make data ONLY=negex (MEDTL_DATA=twin)\n")


@pytest.mark.parametrize("question, column", [("negated", 3), ("historical", 4)])
def test_the_real_rows_are_those_of_the_file_counted_by_hand(real, real_file, question, column):
    path = real_file("text/negex_sentences.txt")
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()[1:]]
    there = [row for row in rows if " ".join(row[1].split()).lower() in " ".join(row[2].split()).lower()]
    answers = [row[column] for row in there]
    task = real("negex", "negex", question=question, quiet=True)
    wanted = [answers.count(name) for name in {3: ("Affirmed", "Negated"), 4: ("Recent", "Historical")}[column]]
    assert len(rows) == ABOUT["rows"] and len(rows) - len(there) == 11
    assert labels(task).bincount().tolist() == wanted == ABOUT["questions"][question]["class_totals"]
    assert "11 row(s) left out, whose finding is not in its sentence" in task.note and task.provenance == "real"
    texts = {re.sub(r"[^a-z]+", " ", row[2].lower()).strip() for row in there if row[column] != "Not particular"}
    groups = [set(task.groups[split]) for split in PARTS]
    assert (
        len(set.union(*groups))
        == sum(map(len, groups))
        == len(texts)
        == sum(wanted) - ABOUT["questions"][question]["copies"]
    )


def test_no_real_sentence_stands_in_what_is_said(real, capsys, real_file):
    path = real_file("text/negex_sentences.txt")
    task = real("negex", "negex")
    said = capsys.readouterr().out + task.note + repr(ABOUT)
    with open(path, encoding="utf-8", newline="") as file:
        sentences = [row[2] for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    assert not [sentence for sentence in sentences[1:] if len(sentence) > 20 and sentence in said]


@pytest.mark.slow
def test_no_real_sentence_stands_in_the_project(real_file):
    """Longer than a cue and its neighbours, whatever its spaces and case; notebooks, records, grammar and pages."""
    with open(real_file("text/negex_sentences.txt"), encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    sentences = {text for row in rows if len(text := " ".join(row[2].lower().split())) > 24}
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    texts = {".py", ".ipynb", ".json", ".toml", ".md"}
    for name in (name for name in listed if Path(name).suffix in texts and (ROOT / name).is_file()):
        content = " ".join((ROOT / name).read_text("utf-8").lower().split())
        assert not any(sentence in content for sentence in sentences), f"{name} shows a real sentence"
