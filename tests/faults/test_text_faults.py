"""Texts with something wrong, in the reader's file or in the call: one sentence is said, which shows no text."""

import hashlib
import json

import pandas
import pytest
import torch
from rows import Row, of_ours
from torch import nn

import medtl_helpers as mtl
from medtl_helpers import provenance
from medtl_helpers.assets import card
from medtl_helpers.data.word_pieces import ALWAYS, SPECIAL

NOTHING = "—"
SECRET = "secretword"  # stands in every text here, and must stand in no sentence


@pytest.fixture(autouse=True)
def forget_sources(monkeypatch):
    """What is loaded here is not what other tests are about."""
    monkeypatch.setattr(provenance, "_sources", {})
    monkeypatch.setenv("MEDTL_DATA", "twin")


def table(columns="text,label", then="", end="", count=40) -> bytes:
    rows = (f"{SECRET} {chr(97 + k % 26) * 3} {chr(97 + k // 26) * 3},{'ab'[k % 2]}{end}\n" for k in range(count))
    return (columns + "\n" + "".join(rows) + then).encode()


FINDING = {"finding": "what"}
SPLIT = table("text,label,split", end=",train")
# fault, the file (None: there is none), other arguments, what is said
FILES = [
    ("no such file", None, {}, "is no file: give a CSV file with a column of texts and one of labels"),
    ("an empty file", b" \n", {}, "is empty: give a CSV file with a column of texts"),
    ("no text", b"\x89PNG\x00\xff\xd8" * 9, {}, "is no text file: save it as CSV in UTF-8"),
    ("a workbook in place of a CSV", b"PK\x03\x04" + bytes(99), {}, "is no text file: save it as CSV in UTF-8"),
    ("a wrong encoding that is none", table() + b"\x81\x8d,a\n", {}, "is no text file: save it as CSV in UTF-8"),
    (
        "a missing column",
        table("report,label,id", end=",1"),
        {},
        "no column 'text', and has report, label, id: say which",
    ),
    ("another column that is missing", table(), {"label": "class"}, "has no column 'class', and has text, label: say"),
    (
        "no header",
        table(f"{SECRET} {'is a long text ' * 9},b"),
        {},
        "no column 'text' or 'label' in its first row: write",
    ),
    ("no header, and short texts", table(f"{SECRET},b"), {}, "no column 'text' or 'label' in its first row: write the"),
    (
        "a long column",
        table(f"label,{SECRET} {'is a long text ' * 9}"),
        {},
        "and has label, one of 145 characters: say",
    ),
    ("a column twice", table("text,label,label", end=",x"), {}, "has 2 columns 'label': leave one of them"),
    (
        "a comma in a text",
        table(then=f"{SECRET}, and more,a\n"),
        {},
        "has 3 cells in row 42 and 2 columns: give each row as many, and put texts that hold a comma in quotation",
    ),
    (
        "a semicolon in a text",
        (table() + f"{SECRET}, and more,a\n".encode()).replace(b",", b";"),
        {},
        "has 3 cells in row 42 and 2 columns: give each row as many, and put texts that hold a semicolon in quotation",
    ),
    (
        "a quotation mark that is open",
        table(then=f'"{SECRET},a\n'),
        {},
        "is not closed, or not doubled, in row 42 or below",
    ),
    ("nan as a label", table(then=f"{SECRET},NaN\n"), {}, "has 1 row(s) without a label, row 42 the first: write it"),
    ("a row without label", table(then=f"{SECRET},\n"), {}, "has 1 row(s) without a label, row 42 the first: write it"),
    (
        "texts as labels",
        table(then=f"x,{SECRET} {'long ' * 20}\n"),
        {},
        "a label of 110 characters in row 42: say with",
    ),
    (
        "a label for each row",
        b"text,label\n" + b"".join(b"%s %d,%d\n" % (SECRET.encode(), k, k) for k in range(40)),
        {},
        "has 40 different labels in 40 rows: say with label= which column",
    ),
    ("another split", SPLIT.replace(b"train", b"trian"), {}, "than train, val and test in row 2: write one of these"),
    (
        "two columns of splits",
        table("text,label,split,Split", end=",train,test"),
        {},
        "has 2 columns called split: leave one of them",
    ),
    ("one column for two things", table(), {"finding": "text"}, "The column 'text' is to be text and finding at once"),
    ("no column of labels", table(), {"label": None}, "label is None: give the name of a column of the file"),
    ("a list of patients", table(), {"patient": ["a", "b"]}, "patient is a list: give the name of a column"),
    ("three texts", table(count=3), {}, "has 1 distinct text(s) of b, too few to split: give at least 5 of each class"),
    (
        "a class missing from a split",
        SPLIT,
        {},
        "has no text of the class a in val: give each split some",
    ),
    ("no row", b"text,label\n", {}, "has no text that can be used: there is no row below its header"),
    ("empty texts alone", b"text,label\n ,a\n ,b\n", {}, "2 row(s) whose text is empty were left out, row 2 the first"),
    (
        "a finding that is in no text",
        table("text,label,what", end=",cough"),
        FINDING,
        "40 row(s) whose finding is not in its text were left out, row 2 the first",
    ),
    (
        "labels that all contradict",
        table() + table().replace(b",a", b",c").replace(b",b", b",a").partition(b"\n")[2],
        {},
        "whose text has two labels were left out, row 2 the first",
    ),
    (
        "double brackets in some texts",
        table(then="no [[fever]],a\n"),
        {},
        "has 1 text(s) with a finding in double brackets, row 42 the first, and 40 with none or several, row 2 the "
        "first: write one in each text, or in none",
    ),
    ("one class", table().replace(b",b", b",a"), {}, "has texts of one class alone, a: give two classes or more"),
    (
        "too few of a class",
        table(then=f"{SECRET} more,c\n"),
        {},
        "has 1 distinct text(s) of c, too few to split: give at",
    ),
    (
        "too few patients of a class",
        table("text,label,who", end=",p"),
        {"patient": "who"},
        "has 1 distinct text(s) of a, too few to split",
    ),
    ("an unknown positive", table(), {"positive": "c"}, "positive is not one of the classes a, b: give one of these"),
    ("a seed below 0", table(), {"seed": -1}, "seed is -1: give a whole number of 0 or more"),
    ("a length of 1", table(), {"length": 1}, "length is 1: give a whole number of 2 or more"),
]


@pytest.mark.parametrize("content, options, said", [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_a_file_of_texts_that_cannot_be_used(tmp_path, capsys, content, options, said):
    path = tmp_path / "mine.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError) as info:
        mtl.load_texts(path, **options)
    text = of_ours(info.value)
    assert said in text and SECRET not in text and capsys.readouterr().out == ""
    assert content is None or path.read_bytes() == content
    assert provenance.noted()[0] == {}


X = mtl.tokens(["No fever or [[cough]]."] * 8)
Y = torch.arange(8) % 2
TASK = mtl.TextTask("t", mtl.Split(X, Y), mtl.Split(X, Y), mtl.Split(X, Y), ("a", "b"))


def small():
    torch.manual_seed(0)
    return mtl.TextTransformer(2, 1000, width=16, depth=1)


# fault, the call, what is said
CALLS = [
    ("no report to draw", lambda: mtl.draw_reports(0), "n is 0: give a whole number of 1 or more"),
    ("a hospital that writes none", lambda: mtl.draw_reports(9, hospital="C"), "hospital is 'C': choose one of A, B"),
    ("a share in percent", lambda: mtl.draw_reports(9, share=30), "share is 30: give a share from 0 to 1"),
    (
        "a question no report answers",
        lambda: mtl.draw_reports(9, question="severe"),
        "question is 'severe': choose one of negated, historical",
    ),
    ("one text in place of a list", lambda: mtl.tokens(SECRET), "The texts are one text: give a list of texts"),
    ("no text", lambda: mtl.tokens([]), "There are no texts: give at least one"),
    ("a number in place of texts", lambda: mtl.tokens(7), "The texts are 7: give a list of texts"),
    ("a missing text", lambda: mtl.tokens([SECRET, float("nan")]), "Text 2 is of type float: give each as a text"),
    (
        "a whole table in place of its texts",
        lambda: mtl.tokens(pandas.DataFrame({"text": [SECRET]})),
        "The texts are a DataFrame: give the texts alone, as a list or a column",
    ),
    ("a path that is none", lambda: mtl.load_texts(7), "path is 7: give the path of a CSV file"),
    ("an empty text", lambda: mtl.tokens([SECRET, " \n"]), "Text 2 is empty: leave it out"),
    (
        "two findings",
        lambda: mtl.tokens([f"[[{SECRET}]] or [[fever]]"]),
        "Text 1 has 2 findings in double brackets: ask",
    ),
    ("a length of 0", lambda: mtl.tokens([SECRET], 0), "length is 0: give a whole number of 2 or more"),
    ("a length in words", lambda: mtl.tokens([SECRET], "all"), "length is 'all': give a whole number, like 2"),
    (
        "images as tokens",
        lambda: mtl.texts(torch.zeros(2, 3, 8, 8)),
        "x is torch.float32 of shape (2, 3, 8, 8): give int32",
    ),
    (
        "texts as tokens",
        lambda: mtl.texts([[SECRET]]),
        "x is a list: give int32 N×L, as tokens makes it",
    ),
    ("no tokens", lambda: mtl.texts(None), "x is None: give int32 N×L, as tokens makes it"),
    (
        "tokens of another vocabulary",
        lambda: mtl.texts(X + 1000),
        "and there are 1000 pieces: give what this vocabulary",
    ),
    (
        "too small a vocabulary",
        lambda: mtl.WordPieces.learn([SECRET], 50),
        "size is 50: give a whole number of 90 or more",
    ),
    ("pieces of another make", lambda: mtl.WordPieces(["a", "b"]), "are no vocabulary of this course: make one with"),
    ("a piece twice", lambda: mtl.WordPieces([*SPECIAL, *ALWAYS, "a"]), "are no vocabulary of this course: make one"),
    ("no file of pieces", lambda: mtl.WordPieces.load("no.json"), "no.json holds no word pieces: give a file that"),
    (
        "an unknown question",
        lambda: mtl.load("negex", question="certain"),
        "question is 'certain': choose one of negated",
    ),
    ("a question to other data", lambda: mtl.load("heart", question="negated"), "heart has one question alone: leave"),
    ("a length of other data", lambda: mtl.load("breast", length=48), "breast holds no texts: leave length out"),
    (
        "texts split as rows",
        lambda: mtl.split_table(TASK, seed=0),
        "holds texts, whose copies split_table does not heed",
    ),
    (
        "more texts than there are",
        lambda: mtl.few_shot(TASK, 9, seed=0),
        "4 training texts of a, 9 + 10 were asked for",
    ),
    (
        "texts to a network of images",
        lambda: mtl.predict(mtl.CourseCNN(3, 2), X),
        "int32, the token numbers of texts, which",
    ),
    (
        "texts to a network of numbers",
        lambda: mtl.fit(nn.Linear(48, 2), (X, Y)),
        "which this model does not read: give",
    ),
    (
        "tokens that a network does not know",
        lambda: mtl.predict(small(), X + 1000),
        "and the model knows 0 to 999: take",
    ),
    ("tokens below 0", lambda: mtl.fit(small(), (X - 1, Y)), "token numbers run from -1 to"),
    (
        "numbers to an embedding",
        lambda: mtl.predict(nn.Sequential(nn.Embedding(9, 2), nn.Flatten()), X.float()),
        "The model reads texts and got inputs that are float32: give token numbers",
    ),
    (
        "whole numbers that are no texts",
        lambda: mtl.predict(small(), X.long()),
        "inputs are int64: give images as uint8",
    ),
    (
        "int32 images",
        lambda: mtl.predict(mtl.CourseCNN(3, 2), torch.zeros(2, 3, 16, 16).int()),
        "inputs are int32: give",
    ),
    ("maps of texts", lambda: mtl.stage_features(small(), X), "reads maps of images and sequences: of texts take"),
]


@pytest.mark.parametrize("call, said", [row[1:] for row in CALLS], ids=[row[0] for row in CALLS])
def test_a_call_with_texts_that_cannot_be_done(call, said):
    with pytest.raises((ValueError, TypeError)) as info:
        call()
    assert said in of_ours(info.value) and SECRET not in str(info.value)


NEGEX = "number\tfinding\tsentence\tnegation\ttime\twho\n"
ABSTRACTS = "condition_label,medical_abstract\n"
# data set, fault, what the file holds, what is said
PUBLISHED = [
    (
        "negex",
        "cut off in a row",
        f"{NEGEX}1\tx\t{SECRET} X\tNegated\tRecent\tPatient\n2\tx\n",
        "is no table of 6 columns",
    ),
    ("negex", "no rows", NEGEX, "is no table of 6 columns: delete it and fetch it again"),
    (
        "negex",
        "one answer",
        f"{NEGEX}1\tx\t{SECRET} X\tNegated\tRecent\tPatient\n",
        "lacks rows with the answer Affirmed or",
    ),
    (
        "negex",
        "another encoding",
        NEGEX.encode() + b"1\tx\t\xff X\tNegated\tRecent\tPatient\n",
        "is no table of 6 columns",
    ),
    ("medical_abstracts", "cut off in a row", f"{ABSTRACTS}1,{SECRET}\n2\n", "is no table of labels from 1 to 5 and"),
    ("medical_abstracts", "another label", f"{ABSTRACTS}6,{SECRET}\n", "is no table of labels from 1 to 5 and"),
    ("medical_abstracts", "no rows", ABSTRACTS, "is no table of labels from 1 to 5 and abstracts"),
    ("pubmedqa", "cut off", '{"1": {"QUESTION": "' + SECRET, "holds no questions with yes, no and maybe: delete it"),
    ("pubmedqa", "a list", "[1, 2]", "holds no questions with yes, no and maybe: delete it and fetch it again"),
    (
        "pubmedqa",
        "another answer",
        json.dumps({"1": {"QUESTION": SECRET, "CONTEXTS": [], "final_decision": "so"}}),
        "holds no questions with yes, no and maybe",
    ),
]


@pytest.mark.parametrize(
    "name, content, said", [(n, c, s) for n, _, c, s in PUBLISHED], ids=[f"{r[0]} {r[1]}" for r in PUBLISHED]
)
def test_a_published_file_that_cannot_be_used_is_refused_though_its_checksum_is_right(
    tmp_path, monkeypatch, name, content, said
):
    content = content if isinstance(content, bytes) else content.encode()
    entry = card(name)["files"][name]
    path = tmp_path / entry["path"]
    path.parent.mkdir()
    path.write_bytes(content)
    monkeypatch.setitem(entry, "checksum", f"sha256:{hashlib.sha256(content).hexdigest()}")
    monkeypatch.setenv("MEDTL_DATA", str(tmp_path))
    with pytest.raises(ValueError) as info:
        mtl.load(name, quiet=True)
    text = of_ours(info.value)
    assert text.startswith(str(path)) and said in text and SECRET not in text and path.read_bytes() == content


TABLE = [
    *(Row(f"own texts: {fault}", said, "the file") for fault, _, _, said in FILES),
    *(Row(f"texts: {fault}", said, NOTHING) for fault, _, said in CALLS),
    *(Row(f"{name} file: {fault}", said, "the file") for name, fault, _, said in PUBLISHED),
]
