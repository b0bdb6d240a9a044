"""Sequences with something wrong, in the reader's file or in the call: one sentence is said, and nothing is lost."""

import gzip
import hashlib

import pytest
import torch
from rows import Row, of_ours

import medtl_helpers as mtl
from medtl_helpers import provenance
from medtl_helpers.assets import card

NOTHING = "—"


@pytest.fixture(autouse=True)
def forget_sources(monkeypatch):
    """What is loaded here is not what other tests are about."""
    monkeypatch.setattr(provenance, "_sources", {})
    monkeypatch.setenv("MEDTL_DATA", "twin")


def letters(k: int) -> str:
    """Another text of 12 bases for each number."""
    return "".join("ACGT"[k >> 2 * i & 3] for i in range(12))


def fasta(count=20, then="") -> bytes:
    return ("".join(f">s{k} {'ab'[k % 2]}\n{letters(k)}\n" for k in range(count)) + then).encode()


def table(columns="sequence,label", then="") -> bytes:
    return (columns + "\n" + "".join(f"{letters(k)},{'ab'[k % 2]}\n" for k in range(20)) + then).encode()


SPLIT = table("sequence,label,split").replace(b",a\n", b",a,train\n").replace(b",b\n", b",b,test\n")
NAMED = b"".join(b">s%d\n%s\n" % (k, letters(k).encode()) for k in range(20))
LABELS = {f"s{k}": "ab"[k % 2] for k in range(20)}
# fault, the file (None: there is none), other arguments, what is said
FILES = [
    ("no such file", None, {}, "is no file: give a FASTA or CSV file of sequences"),
    ("an empty file", b" \n", {}, "is empty: give a file with sequences"),
    ("no text", b"\xff\xd8\xff\xe0" * 9, {}, "is no text file: give sequences as FASTA or CSV, in UTF-8"),
    ("a damaged gzip file", gzip.compress(fasta())[:60], {}, "is a damaged gzip file: pack it again"),
    (
        "a letter that is no base",
        fasta(then=">x a\nACGTAXGTACGT\n"),
        {},
        "x has 'X' at position 6, which stands for no",
    ),
    ("a gap of an alignment", fasta(then=">x a\nACGT--GTACGT\n"), {}, "x has '-' at position 5, which stands for no"),
    ("a protein", fasta(then=">x a\nMKTLLVAGGWQE\n"), {}, "x has 'L' at position 4, which stands for no base"),
    (
        "unequal lengths",
        fasta(then=">x a\nACGT\n"),
        {},
        "1 sequence(s) of another length than the first, x with 4 bases",
    ),
    ("an empty record", fasta(then=">x a\n>y b\nACGTACGTACGT\n"), {}, "1 record(s) without a sequence, x the first"),
    ("a record without label", fasta(then=">x\nACGTACGTACGT\n"), {}, "1 record(s) without a label, x the first"),
    (
        "a header without a name",
        fasta(then=">\nACGTACGTACGT\n"),
        {},
        "1 record(s) without a label, record 21 the first",
    ),
    ("a label that labels lacks", NAMED + b">x\nACGTACGTACGT\n", {"labels": LABELS}, "x the first: write it in labels"),
    (
        "a name that stands twice",
        NAMED + b">s1\nACGTACGTACGT\n",
        {"labels": LABELS},
        "has a name twice, so that labels",
    ),
    ("labels for a CSV", table(), {"labels": LABELS}, "is no FASTA file, and labels are for one"),
    ("other columns", table("dna,class"), {}, "starts neither with '>' nor with the columns sequence and label"),
    ("a column twice", table("sequence,label,label"), {}, "with the columns sequence and label, each once"),
    ("a row cut short", table(then="ACGTACGTACGT\n"), {}, "has a row of 1 cells under 2 columns, 'ACGTACGTACGT'"),
    (
        "a row without label",
        table(then="ACGTACGTACGT,\n"),
        {},
        "has no label for row 22: write one, or leave the row out",
    ),
    (
        "another split",
        SPLIT.replace(b"train", b"trian"),
        {},
        "has the split 'trian' for row 2: write train, val or test",
    ),
    ("a class missing from a split", SPLIT, {}, "has no b in train: give each split some of each class"),
    ("no row", b"sequence,label\n", {}, "holds no sequence: give at least 5 of each class"),
    ("one class", fasta().replace(b" b\n", b" a\n"), {}, "has sequences of a alone: give two classes or more"),
    (
        "labels that all contradict",
        fasta() + fasta().replace(b" b\n", b" c\n").replace(b" a\n", b" b\n"),
        {},
        "no class",
    ),
    ("too few of a class", fasta(then=">x c\nACGTACGTACGT\n"), {}, "has 1 distinct sequence(s) of c, too few to split"),
    ("a seed below 0", fasta(), {"seed": -1}, "seed is -1: give a whole number of 0 or more"),
]


@pytest.mark.parametrize("content, options, said", [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_a_file_of_sequences_that_cannot_be_used(tmp_path, capsys, content, options, said):
    path = tmp_path / "mine"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError) as info:
        mtl.load_sequences(path, **options)
    assert said in of_ours(info.value) and capsys.readouterr().out == ""
    assert content is None or path.read_bytes() == content
    assert provenance.noted()[0] == {}


def test_labels_twice_in_their_own_file(tmp_path):
    (tmp_path / "mine.fa").write_bytes(NAMED)
    (tmp_path / "labels.csv").write_text("name,label\ns0,a\ns0,b\n")
    with pytest.raises(ValueError) as info:
        mtl.load_sequences(tmp_path / "mine.fa", tmp_path / "labels.csv")
    assert "has 1 name(s) twice: give one label for each name" in of_ours(info.value)


X = mtl.one_hot(["ACGT", "TTGA"])
# fault, the call, what is said
CALLS = [
    ("one text in place of a list", lambda: mtl.one_hot("ACGT"), "are one text: give a list of texts"),
    ("no sequence", lambda: mtl.one_hot([]), "There are no sequences: give at least one"),
    ("a number in place of a text", lambda: mtl.one_hot(["ACGT", 7]), "Sequence 2 is 7: give a text of A, C, G and T"),
    ("an empty text", lambda: mtl.one_hot(["ACGT", ""]), "Sequence 2 is empty: leave it out, or give its bases"),
    ("unequal lengths", lambda: mtl.one_hot(["ACGT", "ACG"]), "Sequence 2 has 3 bases and sequence 1 has 4: cut all"),
    ("a letter that is no base", lambda: mtl.one_hot(["ACGT", "ACJT"]), "Sequence 2 has 'J' at position 3"),
    ("no one-hot", lambda: mtl.letters(X.permute(0, 2, 1)[:, :3]), "x has shape (2, 3, 4): give N×4×L"),
    ("shares that no letter has", lambda: mtl.letters(X * 0.7), "holds shares that no letter stands for"),
    (
        "an image's other strand",
        lambda: mtl.reverse_complement(torch.zeros(2, 3, 8)),
        "has shape (2, 3, 8): give N×4×L",
    ),
    ("none to draw", lambda: mtl.draw_splice_sites(0), "n is 0: give a whole number of 1 or more"),
    ("a length without a middle", lambda: mtl.draw_splice_sites(9, length=61), "length is 61: give an even number"),
    (
        "a length too short",
        lambda: mtl.draw_splice_sites(9, length=8),
        "length is 8: give a whole number of 20 or more",
    ),
    ("G+C in percent", lambda: mtl.draw_splice_sites(9, gc=41), "gc is 41: give a share of G and C from 0.2 to 0.8"),
    ("more decoys than all", lambda: mtl.draw_splice_sites(9, decoys=2), "decoys is 2: give a share from 0 to 1"),
    ("an unknown kind", lambda: mtl.draw_splice_sites(9, kinds=["N"]), "A kind is 'N': choose one of EI, IE, neither"),
    (
        "a kind twice",
        lambda: mtl.draw_splice_sites(9, kinds=["EI", "EI"]),
        "kinds is EI, EI: name some of EI, IE, neither",
    ),
    ("copies of other data", lambda: mtl.load("heart", copies=True), "copies is for splice alone"),
    (
        "splitting images as rows",
        lambda: mtl.split_table(mtl.load("breast", quiet=True), seed=0),
        "use split_by_patient",
    ),
    (
        "more sequences than there are",
        lambda: mtl.few_shot(mtl.load("splice", quiet=True), 999, seed=0),
        "training sequences of EI, 999 + 10 were asked for: take fewer",
    ),
]


@pytest.mark.parametrize("call, said", [row[1:] for row in CALLS], ids=[row[0] for row in CALLS])
def test_a_call_with_sequences_that_cannot_be_done(call, said):
    with pytest.raises(ValueError) as info:
        call()
    assert said in of_ours(info.value)


# fault, what the file holds
SPLICE_FILES = [
    ("cut off in a row", "Class, Donor, Sequence\nEI, A-1, ACGT\nIE, A-2, AC"),
    ("another class", "Class, Donor, Sequence\nXX, A-1, ACGT\n"),
    ("no rows", "Class, Donor, Sequence\n"),
    ("other columns", "a,b\n1,2\n"),
]


@pytest.mark.parametrize("content", [row[1] for row in SPLICE_FILES], ids=[row[0] for row in SPLICE_FILES])
def test_a_splice_file_that_cannot_be_used_is_refused_though_its_checksum_is_right(tmp_path, monkeypatch, content):
    entry = card("splice")["files"]["splice"]
    path = tmp_path / entry["path"]
    path.parent.mkdir()
    path.write_text(content)
    monkeypatch.setitem(entry, "checksum", f"sha256:{hashlib.sha256(content.encode()).hexdigest()}")
    monkeypatch.setenv("MEDTL_DATA", str(tmp_path))
    with pytest.raises(ValueError) as info:
        mtl.load("splice", quiet=True)
    text = of_ours(info.value)
    assert text.startswith(str(path)) and "fetch it again" in text and path.read_text() == content


TABLE = [
    *(Row(f"own sequences: {fault}", said, "the file") for fault, _, _, said in FILES),
    Row(
        "own sequences: labels twice in their own file", "has 1 name(s) twice: give one label for each name", "the file"
    ),
    *(Row(fault, said, NOTHING) for fault, _, said in CALLS),
    *(Row(f"splice file: {fault}", "is no table of class, name and sequence", "the file") for fault, _ in SPLICE_FILES),
]
