"""The reader's FASTA and CSV: every way to write them gives the same task, and nothing is lost without a line."""

import gzip
import random

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import medtl_helpers as mtl
from medtl_helpers.data.sequence_files import read_sequences

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
DRAW = random.Random(0)
RECORDS = [(f"s{i}", ("donor", "other")[i % 2], "".join(DRAW.choices("ACGT", k=24))) for i in range(40)]


def fasta(records=RECORDS, mark=" ", width=60):
    lines = []
    for name, label, text in records:
        lines += [f">{name}{mark}{label}", *(text[i : i + width] for i in range(0, len(text), width))]
    return "\n".join(lines) + "\n"


def table(records=RECORDS):
    return "sequence,label\n" + "".join(f"{text},{label}\n" for _, label, text in records)


def load(tmp_path, content, name="mine.fa", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return mtl.load_sequences(path, **options)


def rows(task):
    parts = (task.train, task.val, task.test)
    return {(w, task.classes[k]) for p in parts for w, k in zip(mtl.letters(p.x), p.y.tolist(), strict=True)}


WANTED = {(text, label) for _, label, text in RECORDS}
NAMES = "".join(f">{name} anything\n{text}\n" for name, _, text in RECORDS)
WRITTEN = {
    "FASTA": fasta(),
    "a bar": fasta(mark="|"),
    "a bar with spaces": fasta(mark=" | "),
    "wrapped lines": fasta(width=7),
    "Windows": fasta(width=7).replace("\n", "\r\n"),
    "old Macintosh": fasta().replace("\n", "\r"),
    "blank lines": fasta().replace("\n", "\n\n"),
    "no last end of line": fasta().rstrip(),
    "a byte-order mark": b"\xef\xbb\xbf" + fasta().encode(),
    "lower case": fasta([(name, label, text.lower()) for name, label, text in RECORDS]),
    "RNA": fasta([(name, label, text.replace("T", "U")) for name, label, text in RECORDS]),
    "gzip": gzip.compress(fasta().encode()),
    "CSV": table(),
    "CSV of Windows": table().replace("\n", "\r\n"),
    "CSV with spaces and capitals": table().replace("sequence,label", " Sequence , LABEL ").replace(",", " , "),
    "CSV with quotes": table().replace(",donor", ',"donor"'),
}


@pytest.mark.parametrize("content", WRITTEN.values(), ids=WRITTEN)
def test_every_way_to_write_them_gives_the_same_task(tmp_path, content):
    task = load(tmp_path, content)
    assert rows(task) == WANTED and task.classes == ("donor", "other")
    assert task.train.x.dtype == torch.float32 and task.train.x.shape == (24, 4, 24)
    assert (task.name, task.provenance, task.positive) == ("mine", "own", None)
    assert [len(part.y) for part in (task.train, task.val, task.test)] == [24, 8, 8]


def test_labels_beside_the_fasta_as_a_csv_or_a_dict(tmp_path, capsys):
    given = {name: label for name, label, _ in RECORDS}
    assert rows(load(tmp_path, NAMES, labels=given | {"s99": "donor"})) == WANTED
    assert "1 name(s) in labels are not in the file, like s99." in capsys.readouterr().out
    path = tmp_path / "labels.csv"
    path.write_text("name,label\n" + "".join(f"{name},{label}\n" for name, label in given.items()))
    assert rows(load(tmp_path, NAMES, labels=path)) == WANTED


def test_the_readers_own_split_is_kept(tmp_path):
    splits = ["train", "train", "val", "test"]
    text = "sequence,label,split\n" + "".join(f"{t},{k},{splits[i // 2 % 4]}\n" for i, (_, k, t) in enumerate(RECORDS))
    task = load(tmp_path, text, "mine.csv")
    assert [len(part.y) for part in (task.train, task.val, task.test)] == [20, 10, 10]
    assert mtl.letters(task.val.x) == [t for i, (_, _, t) in enumerate(RECORDS) if i // 2 % 4 == 2]


def test_another_seed_is_another_split(tmp_path):
    first, again, other = (load(tmp_path, fasta(), seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.test.x, again.test.x) and not torch.equal(first.test.x, other.test.x)


TOLD = [  # what, the record that is added, how many records do not come in, the line
    (
        "a copy",
        ("x", "donor", RECORDS[0][2]),
        1,
        "1 record(s) that repeat a sequence were left out, like x, which repeats s0.",
    ),
    ("a copy in lower case", ("x", "donor", RECORDS[0][2].lower()), 1, "like x, which repeats s0."),
    ("a copy as RNA", ("x", "donor", RECORDS[0][2].replace("T", "U")), 1, "like x, which repeats s0."),
    (
        "one sequence with two labels",
        ("x", "other", RECORDS[0][2]),
        2,
        "1 sequence(s) with two labels were left out, 2 records in all, like s0 (donor) and x (other).",
    ),
    (
        "lower case",
        ("x", "donor", "acgtacgt" * 3),
        0,
        "1 sequence(s) have lower-case letters, which are read like upper",
    ),
    ("RNA", ("x", "donor", "ACGUACGU" * 3), 0, "1 sequence(s) have the letter U, which is read like T."),
    (
        "a class that is gone",
        ("x", "third", RECORDS[0][2]),
        2,
        "no sequence of third is left, so it is no class.",
    ),
    (
        "letters for several bases",
        ("x", "donor", "ACGTNNRY" * 3),
        0,
        "1 sequence(s) have letters other than A, C, G and T (N, R, Y), which are read as shares",
    ),
]


@pytest.mark.parametrize("added, lost, line", [row[1:] for row in TOLD], ids=[row[0] for row in TOLD])
def test_what_is_left_out_or_read_otherwise_is_told_in_one_line(tmp_path, capsys, added, lost, line):
    task = load(tmp_path, fasta([*RECORDS, added]))
    said = capsys.readouterr().out.splitlines()
    assert any(line in text and text.startswith("mine: ") and text.endswith(".") for text in said), said
    assert all(". " not in text for text in said)
    assert sum(len(part.y) for part in (task.train, task.val, task.test)) == len(RECORDS) + 1 - lost


def test_a_copy_across_the_readers_splits_stays_in_the_later_one(tmp_path, capsys):
    splits = ["train", "train", "val", "test"]
    text = "sequence,label,split\n" + "".join(f"{t},{k},{splits[i // 2 % 4]}\n" for i, (_, k, t) in enumerate(RECORDS))
    task = load(tmp_path, text + f"{RECORDS[0][2]},donor,test\n", "mine.csv")
    assert RECORDS[0][2] in mtl.letters(task.test.x) and RECORDS[0][2] not in mtl.letters(task.train.x)
    line = "like row 2, which repeats row 42; 1 of the sequences stood in two splits and stay in the later one."
    assert line in capsys.readouterr().out


def test_a_sequence_task_goes_through_what_takes_tasks(tmp_path):
    task = load(tmp_path, fasta())
    few = mtl.few_shot(task, 3, seed=0, val=2)
    assert few.train.x.shape == (6, 4, 24) and few.val.y.bincount().tolist() == [2, 2] and few.test is task.test
    model = mtl.SequenceCNN(2, length=24, width=8)
    for train in (mtl.fit, mtl.probe, mtl.fine_tune):
        train(model, few.train, few.val, epochs=1)
    mtl.lp_ft(model, few.train, few.val)
    answers = mtl.predict(model, task.test.x)
    assert answers.shape == (8, 2) and torch.allclose(answers.sum(1), torch.ones(8))
    assert mtl.stage_features(model, task.test.x).shape == (8, 2 * 8 + 2 * 16 + 64)
    assert mtl.parameter_report(model, size=24).loc["all", "weights"] == sum(p.numel() for p in model.parameters())
    again = mtl.split_table(task, seed=1, test=0.5)
    assert rows(again) == WANTED and len(again.test.y) == 20 and again.test.y.bincount().tolist() == [10, 10]
    assert len(mtl.split_table(task, seed=1, n_train=6).train.y) == 6


@FEW
@given(
    st.lists(
        st.tuples(st.text("ACGTRYN", min_size=8, max_size=8), st.sampled_from(["a", "b c", "d"])),
        min_size=1,
        max_size=20,
    ),
    st.integers(1, 9),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([" ", "|"]),
)
def test_any_fasta_is_read_as_it_was_written(tmp_path, pairs, width, end, mark):
    path = tmp_path / "any.fa"
    records = [(f"s{i}", label, text) for i, (text, label) in enumerate(pairs)]
    path.write_bytes(fasta(records, mark, width).replace("\n", end).encode())
    found, lines = read_sequences(path)
    assert [(s.name, s.label, s.text) for s in found] == records and lines == []
