"""The reader's CSV of texts: every way to write it gives the same task, nothing is lost in silence, none is shown."""

import csv
import io
import socket
import unicodedata

import numpy as np
import pytest
import torch

import medtl_helpers as mtl

PARTS = ("train", "val", "test")
WORDS = "lungs heart abdomen knee skull ribs spleen liver kidney colon".split()
ROWS = [
    (f"The {a} and {b} show no effusion, naïve çase.", ("no", "yes")[i % 2], "effusion")
    for i, (a, b) in enumerate((a, b) for a in WORDS for b in WORDS if a < b)
]


def table(rows=ROWS, columns=("text", "label", "finding"), mark=","):
    file = io.StringIO()
    csv.writer(file, delimiter=mark, lineterminator="\n").writerows([columns, *rows])
    return file.getvalue()


def load(tmp_path, content, **options):
    path = tmp_path / "mine.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return mtl.load_texts(path, **options)


def rows(task):
    parts = [getattr(task, split) for split in PARTS]
    return {(t, task.classes[k]) for part in parts for t, k in zip(mtl.texts(part.x), part.y.tolist(), strict=True)}


WANTED = {(mtl.texts(mtl.tokens([text]))[0], label) for text, label, _ in ROWS}
WRITTEN = {
    "UTF-8": table(),
    "a byte-order mark": b"\xef\xbb\xbf" + table().encode(),
    "Windows-1252": table().encode("cp1252"),
    "UTF-16": table().encode("utf-16"),
    "Windows ends of lines": table().replace("\n", "\r\n"),
    "old Macintosh": table().replace("\n", "\r"),
    "semicolons": table(mark=";"),
    "Excel's line that names the sign between cells": "sep=;\r\n" + table(mark=";"),
    "tabulators": table(mark="\t"),
    "blank rows": table().replace("\n", "\n\n"),
    "another order": table([row[::-1] for row in ROWS], ("finding", "label", "text")),
    "more columns": table([(k, *row, "x") for k, row in enumerate(ROWS)], ("", "text", "label", "finding", "note")),
}


@pytest.mark.parametrize("content", WRITTEN.values(), ids=WRITTEN)
def test_every_way_to_write_them_gives_the_same_task(tmp_path, content):
    task = load(tmp_path, content, positive="yes")
    assert rows(task) == WANTED and task.classes == ("no", "yes") and task.positive == 1
    assert task.train.x.dtype == torch.int32 and task.train.x.shape == (27, 48) and task.train.y.dtype == torch.int64
    assert (task.name, task.provenance) == ("mine", "own") and [len(getattr(task, s).y) for s in PARTS] == [27, 9, 9]


def test_another_encoding_is_told(tmp_path, capsys):
    load(tmp_path, WRITTEN["Windows-1252"])
    assert "mine: the file is not in UTF-8 and is read as Windows-1252: look whether" in capsys.readouterr().out


def test_the_finding_is_looked_for_and_stands_in_the_middle(tmp_path):
    task = load(tmp_path, table(), finding="finding", length=20)
    assert all((getattr(task, split).x[:, 10] == 4).all() for split in PARTS)
    assert all("no [finding], naive case." in text for text in mtl.texts(task.test.x))


def test_texts_may_carry_their_finding_in_double_brackets(tmp_path):
    marked = [(text.replace("effusion", "[[effusion]]"), label, "") for text, label, _ in ROWS]
    assert rows(load(tmp_path, table(marked))) == rows(load(tmp_path, table(), finding="finding"))


def test_columns_may_have_other_names(tmp_path):
    content = table(columns=("report", "is it there?", "what"))
    assert rows(load(tmp_path, content, text="report", label="is it there?")) == WANTED


LONG = "many words " * 9_091  # 100,000 characters and a space
TOLD = [  # what, rows that are added, arguments, rows that do not come in, the line
    ("an empty text", [("  ", "no", "x")], {}, 1, "1 row(s) whose text is empty were left out, row 47 the first."),
    ("a copy", [(ROWS[0][0].upper(), "no", "x")], {}, 1, "1 row(s) that repeat a text were left out, row 47 the"),
    ("two labels", [(ROWS[0][0], "yes", "x")], {}, 2, "2 row(s) whose text has two labels were left out, row 2 the"),
    ("a class that is gone", [("", "third", "x")], {}, 1, "no text of third is left, so it is no class."),
    ("no such finding", [("No fever.", "no", "cough")], {"finding": "finding"}, 1, "1 row(s) whose finding is not in"),
    ("no finding", [("No fever.", "no", "")], {"finding": "finding"}, 1, "whose finding is not in its text were left"),
    ("100,000 characters", [(LONG, "no", "x")], {}, 0, "1 of 46 texts have more than 48 tokens, or than fit beside"),
    ("another script", [("无肺炎" * 60, "no", "x")], {}, 0, "of the tokens are unknown signs: the vocabulary knows"),
]  # fmt: skip


@pytest.mark.parametrize("added, options, lost, line", [row[1:] for row in TOLD], ids=[row[0] for row in TOLD])
def test_what_is_left_out_or_cut_is_told_in_one_line(tmp_path, capsys, added, options, lost, line):
    task = load(tmp_path, table([*ROWS, *added]), **options)
    said = capsys.readouterr().out.splitlines()
    assert any(line in text and text.startswith("mine: ") and text.endswith(".") for text in said), said
    assert all(". " not in text for text in said)
    assert sum(len(getattr(task, split).y) for split in PARTS) == len(ROWS) + len(added) - lost


def test_an_accent_may_be_a_sign_of_its_own(tmp_path):
    """As macOS writes it, in the file alone: the finding, the columns and the labels are found."""
    parts = [(f"{text} Ödem.", label, "Ödem") for text, label, _ in ROWS]
    content = unicodedata.normalize("NFD", table(parts, ("text", "befund für", "finding")))
    assert content != unicodedata.normalize("NFC", content)
    task = load(tmp_path, content, label="befund für", finding="finding")
    assert sum(len(getattr(task, split).y) for split in PARTS) == len(ROWS)


def test_nan_is_no_patient_and_no_text(tmp_path, capsys):
    rows = [(text, label, "nan") for text, label, _ in ROWS]
    task = load(tmp_path, table([*rows, ("NaN", "no", "p")], ("text", "label", "who")), patient="who")
    assert len({g for split in PARTS for g in task.groups[split]}) == len(ROWS)
    assert "1 row(s) whose text is empty were left out, row 47 the first." in capsys.readouterr().out


def test_a_letter_that_was_lost_is_told(tmp_path, capsys):
    load(tmp_path, table([*ROWS, ("for\ufffdmen", "no", "x")]))
    assert "letters of the file were lost when it was written (they are U+FFFD now)" in capsys.readouterr().out


def test_rows_are_counted_from_the_first_line_of_the_file(tmp_path):
    with pytest.raises(ValueError, match="row 49 the first"):
        load(tmp_path, "\n\n" + table([*ROWS, ("No fever.", "", "x")]))


def test_the_column_of_splits_may_be_in_capitals(tmp_path):
    own = [(text, label, PARTS[k // 2 % 3]) for k, (text, label, _) in enumerate(ROWS)]
    assert [len(getattr(load(tmp_path, table(own, ("text", "label", "Split"))), s).y) for s in PARTS] == [16, 15, 14]


def test_the_longest_text_is_named_by_its_row_and_size(tmp_path, capsys):
    load(tmp_path, table([*ROWS, (LONG, "no", "x")]))
    assert "the longest is in row 47, with 100000 characters." in capsys.readouterr().out


def test_texts_that_differ_in_numbers_alone_are_in_one_split(tmp_path):
    content = table([(f"{text} Day {day}.", label, "") for text, label, _ in ROWS for day in (1, 22)])
    task = load(tmp_path, content)
    held = [set(task.groups[split]) for split in PARTS]
    assert len(set.union(*held)) == sum(map(len, held)) == len(ROWS)
    assert [len(getattr(task, split).y) for split in PARTS] == [54, 18, 18]


def test_no_patient_is_in_two_splits(tmp_path):
    content = table([(text, label, f"p{k % 15}") for k, (text, label, _) in enumerate(ROWS)], ("text", "label", "who"))
    task = load(tmp_path, content, patient="who")
    held = [set(task.groups[split]) for split in PARTS]
    assert len(set.union(*held)) == sum(map(len, held)) == 15
    who = {mtl.texts(mtl.tokens([text]))[0]: k % 15 for k, (text, _, _) in enumerate(ROWS)}
    held = [{who[text] for text in mtl.texts(getattr(task, split).x)} for split in PARTS]
    assert sum(map(len, held)) == 15


def test_patients_who_share_a_text_are_held_together(tmp_path):
    shared = [("The same words.", "no", "p0"), ("The same words 2.", "no", "p1"), ("Others.", "yes", "p1")]
    content = table([(t, k, f"q{i}") for i, (t, k, _) in enumerate(ROWS)] + shared, ("text", "label", "who"))
    task = load(tmp_path, content, patient="who")
    found = [
        (split, number)
        for split in PARTS
        for text, number in zip(mtl.texts(getattr(task, split).x), task.groups[split], strict=True)
        if text in ("the same words.", "the same words 0.", "others.")
    ]
    assert len(found) == 3 and len(set(found)) == 1


def test_the_readers_own_split_is_kept_and_a_text_stays_in_the_later_one(tmp_path, capsys):
    splits = [("train", "train", "val", "test")[k // 2 % 4] for k in range(len(ROWS))]
    own = [(*row, split) for row, split in zip(ROWS, splits, strict=True)]
    task = load(tmp_path, table([*own, (ROWS[0][0], "no", "x", "test")], ("text", "label", "finding", "split")))
    assert [len(getattr(task, split).y) for split in PARTS] == [
        splits.count(split) - (split == "train") + (split == "test") for split in PARTS
    ]
    assert "1 row(s) that repeat a text were left out, row 2 the first." in capsys.readouterr().out
    task = load(tmp_path, table([*own, (ROWS[0][0] + " 7", "no", "x", "test")], ("text", "label", "finding", "split")))
    assert "1 row(s) whose text or patient is in a later split were left out, row 2" in capsys.readouterr().out
    assert not set(task.groups["train"]) & set(task.groups["test"]) and ". 0" in mtl.texts(task.test.x)[-1]


def test_another_seed_is_another_split(tmp_path):
    first, again, other = (load(tmp_path, table(), seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.test.x, again.test.x) and not torch.equal(first.test.x, other.test.x)


def test_nothing_is_sent_and_no_text_is_said(tmp_path, capsys, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    more = [
        ("  ", "no", "x"),
        (ROWS[0][0], "yes", "x"),
        ("Nothing here.", "no", "effusion"),
        (LONG + "effusion", "no", "effusion"),
    ]
    task = load(tmp_path, table([*ROWS, *more]), finding="finding")
    said = capsys.readouterr().out + task.note + repr(task.classes)
    for word in ("show", "effusion", "lungs", "Nothing", "many"):
        assert word not in said


def test_a_task_of_texts_goes_through_what_takes_tasks(tmp_path):
    task = load(tmp_path, table(), finding="finding")
    few = mtl.few_shot(task, 3, seed=0, val=2)
    assert few.train.x.shape == (6, 48) and few.val.y.bincount().tolist() == [2, 2] and few.test is task.test
    model = mtl.TextTransformer(2, 1000, width=16, depth=1)
    for train in (mtl.fit, mtl.probe, mtl.fine_tune):
        train(model, few.train, few.val, epochs=1)
    mtl.lp_ft(model, few.train, few.val, probe_epochs=1, epochs=1)
    mtl.fine_tune(model, few.train, few.val, frozen_upto="embed", epochs=1)
    start = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    mtl.unfreeze(model)
    mtl.fit(model, few.train, few.val, epochs=1, penalty=mtl.L2SP(start))
    assert any(not torch.equal(weight, start[name]) for name, weight in model.named_parameters())
    answers = mtl.predict(model, task.test.x)
    assert answers.shape == (9, 2) and torch.allclose(answers.sum(1), torch.ones(9))
    assert torch.equal(mtl.predict(model, task.test.x.numpy()), answers)
    assert mtl.parameter_report(model, size=48).loc["all", "weights"] == sum(p.numel() for p in model.parameters())
    mtl.freeze(model)
    assert mtl.prefix_features(model, task.test.x).shape == (9, 16)


def test_groups_are_numbers_for_an_interval_over_texts(tmp_path):
    task = load(tmp_path, table())
    assert all(task.groups[split].dtype == np.int64 for split in PARTS)
