"""Medical Abstracts and PubMedQA: each text once, none in two splits, conclusions not read; and drawn twins."""

import csv
import json

import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.assets import card

PARTS = ("train", "val", "test")


def labels(task):
    return torch.cat([getattr(task, split).y for split in PARTS])


@pytest.mark.parametrize("name", ["medical_abstracts", "pubmedqa"])
def test_the_twin_has_the_cards_classes_and_interface(name):
    task, about = mtl.load(name, quiet=True), card(name)
    assert task.classes == tuple(about["classes"]) and task.provenance == "twin" and task.positive is None
    assert labels(task).bincount().tolist() == about["twin_totals"]
    assert task.train.x.dtype == torch.int32 and task.train.x.shape[1] == 128 and (task.train.x[:, 0] == 3).all()
    assert not set(task.groups["train"]) & set(task.groups["test"])
    assert mtl.load(name, length=40, quiet=True).test.x.shape[1] == 40


@pytest.mark.parametrize("name", ["medical_abstracts", "pubmedqa"])
def test_the_twin_can_be_learnt_and_not_perfectly(name):
    """Counts of words tell the classes apart better than the majority does, so that there is something to learn."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    task = mtl.load(name, quiet=True)
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000))
    model.fit(mtl.texts(task.train.x), task.train.y)
    score = model.score(mtl.texts(task.test.x), task.test.y)
    assert task.test.y.bincount().max() / len(task.test.y) < score


def test_the_real_abstracts_are_those_of_the_file_counted_by_hand(real, real_file):
    with open(real_file("text/medical_abstracts_test.csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = {}
    for row in rows:
        kept.setdefault(row["medical_abstract"].strip(), set()).add(int(row["condition_label"]))
    agreed = [found.pop() for found in kept.values() if len(found) == 1]
    task, about = real("medical_abstracts", "medical_abstracts", quiet=True), card("medical_abstracts")
    assert labels(task).bincount().tolist() == [agreed.count(k) for k in range(1, 6)] == about["class_totals"]
    assert len(rows) == about["rows"] and task.provenance == "real"
    assert task.note == "118 copies of a text and 113 text(s) with several labels left out"


def test_real_questions_are_read_with_their_abstract_and_without_its_conclusion(real, real_file):
    entries = json.loads(real_file("text/pubmedqa_labelled.json").read_text("utf-8")).values()
    task = real("pubmedqa", "pubmedqa", length=2000, quiet=True)
    assert labels(task).bincount().tolist() == card("pubmedqa")["class_totals"]
    read = " ".join(text for split in PARTS for text in mtl.texts(getattr(task, split).x))
    plain = [mtl.texts(mtl.tokens([entry["LONG_ANSWER"]], 2000))[0] for entry in entries]
    assert not [text for text in plain if len(text) > 40 and text in read]
    entry = next(iter(entries))
    assert mtl.texts(mtl.tokens([entry["QUESTION"] + " " + entry["CONTEXTS"][0]], 60))[0][:150] in read
