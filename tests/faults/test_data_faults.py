"""Archives, labels and tables with something wrong, hostile ones included: what the user reads, and what is kept."""

import hashlib
import io
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rows import Row, one_sentence
from torch import nn

import medtl_helpers as mtl
from medtl_helpers import provenance
from medtl_helpers.assets import card
from medtl_helpers.data import tasks
from medtl_helpers.data.archives import read_npz
from medtl_helpers.lessons.hospitals import experiment as hospitals
from medtl_helpers.methods import fisher, losses

AGAIN = "fetch it again"  # the remedy for every file from the network
NOTHING = "—"  # there was nothing to lose


@pytest.fixture(autouse=True)
def forget_sources(monkeypatch):
    """What is loaded here is not what other tests are about."""
    monkeypatch.setattr(provenance, "_sources", {})
    monkeypatch.setenv("MEDTL_DATA", "twin")


# --- archives --------------------------------------------------------------------------------------------------------


def arrays(**changed):
    """What the npz of a two-class grey data set holds, with some arrays ``changed``, or left out if None."""
    made = {}
    for split, n in {"train": 6, "val": 4, "test": 5}.items():
        made[f"{split}_images"] = np.random.default_rng(n).integers(0, 256, (n, 28, 28), dtype=np.uint8)
        made[f"{split}_labels"] = (np.arange(n) % 2).astype(np.uint8)[:, None]
    return {name: values for name, values in (made | changed).items() if values is not None}


def npz(**changed) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays(**changed))
    return out.getvalue()


class Program:
    """Unpickled, it would leave a file behind."""

    def __reduce__(self):
        return Path.touch, (Path("ran"),)


def with_member(name, content: bytes, compression=zipfile.ZIP_STORED) -> bytes:
    """A whole archive in which ``content`` is the member ``name`` (and no longer what it was)."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(npz())) as old, zipfile.ZipFile(out, "w", compression) as new:
        for member in old.namelist():
            if member != name:
                new.writestr(member, old.read(member))
        new.writestr(name, content)
    return out.getvalue()


def claims(shape) -> bytes:
    """An array of a few bytes whose head claims ``shape``."""
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return out.getvalue() + b"few"


def bomb() -> bytes:
    """A few kilobytes that unfold to more than 2 GB: the directory says so before anything is unfolded."""
    whole = bytearray(with_member("train_images.npy", claims((6, 28, 28)), zipfile.ZIP_DEFLATED))
    at = whole.rindex(b"train_images.npy") - 46  # its entry in the directory, the last of all
    whole[at + 24 : at + 28] = (3 * 10**9).to_bytes(4, "little")
    return bytes(whole)


def damaged() -> bytes:
    whole = bytearray(npz())
    whole[len(whole) // 3] ^= 255
    return bytes(whole)


LABEL = {"train_labels": np.array([[0], [1], [2], [0], [1], [0]], np.uint8)}
CODE = np.array([Program()], dtype=object)
# fault, what makes the bytes, what is said
ARCHIVES = [
    (
        "pickled images",
        lambda: npz(train_images=CODE),
        "holds Python objects in train_images.npy, which could run a program",
    ),
    ("pickled labels", lambda: npz(val_labels=CODE), "holds Python objects in val_labels.npy"),
    ("a pickle instead", lambda: pickle.dumps(Program()), "is damaged, or no .npz"),
    ("a member ../../", lambda: with_member("../../evil.npy", claims((3,))), "and nothing else: delete it"),
    ("a member /etc/", lambda: with_member("/etc/evil.npy", claims((3,))), "and nothing else: delete it"),
    (
        "a head that claims 8 TB",
        lambda: with_member("val_images.npy", claims((10**10, 28, 28))),
        "claims more than 2 GB in val_images.npy",
    ),
    ("a zip bomb", bomb, "claims more than 2 GB in train_images.npy"),
    ("fewer bytes than its head claims", lambda: with_member("val_labels.npy", claims((4, 1))), "is damaged"),
    ("cut off", lambda: npz()[:3000], "is damaged, or no .npz"),
    ("one wrong byte", damaged, "is damaged, or no .npz"),
    ("a web page", lambda: b"<!DOCTYPE html><html>404", "is damaged, or no .npz"),
    ("an array missing", lambda: npz(val_labels=None), "should hold train_images, train_labels, val_images"),
    ("images in colour", lambda: npz(val_images=np.zeros((4, 28, 28, 3), np.uint8)), "of shape (4, 28, 28, 3)"),
    ("images of another size", lambda: npz(test_images=np.zeros((5, 32, 32), np.uint8)), "where uint8 (5, 28, 28)"),
    ("images of another type", lambda: npz(train_images=np.zeros((6, 28, 28))), "float64 train images of shape"),
    ("fewer labels than images", lambda: npz(val_labels=np.zeros((3, 1), np.uint8)), "where uint8 (3, 28, 28)"),
    ("two labels per image", lambda: npz(val_labels=np.zeros((4, 2), np.uint8)), "where uint8 (8, 28, 28)"),
    ("a label that is no class", lambda: npz(**LABEL), "train labels other than 0 to 1"),
    ("labels that are no whole numbers", lambda: npz(test_labels=np.full((5, 1), 0.5)), "test labels other than 0"),
]


@pytest.mark.parametrize("make, said", [row[1:] for row in ARCHIVES], ids=[row[0] for row in ARCHIVES])
def test_an_archive_that_cannot_be_used_is_refused_though_its_checksum_is_right(tmp_path, monkeypatch, make, said):
    """The checksum keeps such a file out; this is about what happens if it did not."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / card("breast")["files"]["28"]["path"]
    path.parent.mkdir()
    path.write_bytes(make())
    checksum = f"md5:{hashlib.md5(path.read_bytes()).hexdigest()}"
    monkeypatch.setitem(card("breast")["files"]["28"], "checksum", checksum)
    monkeypatch.setenv("MEDTL_DATA", str(tmp_path))
    before = sorted(tmp_path.parent.rglob("*")), path.read_bytes()
    with pytest.raises(ValueError) as info:
        mtl.load("breast", quiet=True)
    text = one_sentence(info.value)
    assert text.startswith(str(path)) and said in text and AGAIN in text
    assert (sorted(tmp_path.parent.rglob("*")), path.read_bytes()) == before  # no program ran, nothing was unpacked


def test_wrong_bytes_anywhere_in_an_archive_never_raise_anything_else(tmp_path):
    rng, whole, path = np.random.default_rng(0), npz(), tmp_path / "x.npz"
    for _ in range(80):
        content = bytearray(whole)
        for at in rng.integers(0, len(whole), 4):
            content[at] = rng.integers(256)
        path.write_bytes(content[: rng.integers(1, len(whole))] if rng.random() < 0.3 else content)
        try:
            found = read_npz(path, list(arrays()))
        except ValueError as error:
            assert one_sentence(error).startswith(str(path))
        else:
            assert all(np.array_equal(found[name], values) for name, values in arrays().items())  # it hit no content


# --- labels ----------------------------------------------------------------------------------------------------------

X, Y = torch.randn(20, 4, generator=torch.Generator().manual_seed(0)), torch.arange(20) % 2


def network(outputs=2):
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, outputs))


def with_nan(y):
    return torch.where(torch.arange(len(y)) < 3, torch.nan, y.float())


# fault, training labels, validation labels (None: no validation set), what is said
LABELS = [
    ("one class", Y * 0, None, "All training labels are 0, so there is nothing to tell apart"),
    ("a class in validation only", Y, Y * 2, "Class 2 is in the validation set and not in the training set"),
    ("NaN", with_nan(Y), None, "training labels are float32, 3 of them NaN: leave out examples without a label"),
    ("fractions", Y + 0.5, None, "training labels are float32: leave out"),
    ("numbered from 1", Y + 1, None, "Labels run from 1 to 2, but the model's outputs are 0 to 1: number the classes"),
    ("below 0", Y - 1, None, "Labels run from -1 to 0"),
    ("text", np.array(["sick", "well"] * 10), None, "training labels are a ndarray that torch cannot read"),
    ("a column", Y[:, None], None, "training labels have shape (20, 1) and should be one whole number per example"),
    ("one-hot rows", nn.functional.one_hot(Y), None, "y.argmax(1) of one-hot rows"),
    ("too few", Y[:15], None, "The training set has 20 inputs and 15 labels"),
    ("too many", torch.cat([Y, Y]), None, "The training set has 20 inputs and 40 labels"),
    ("NaN in validation", Y, with_nan(Y), "validation labels are float32, 3 of them NaN"),
    ("too few in validation", Y, Y[:7], "The validation set has 20 inputs and 7 labels"),
]


@pytest.mark.parametrize("y, val_y, said", [row[1:] for row in LABELS], ids=[row[0] for row in LABELS])
def test_labels_that_cannot_be_trained_on(y, val_y, said):
    model = network()
    before = losses.snapshot(model)
    with pytest.raises(ValueError) as info:
        mtl.fit(model, (X, y), None if val_y is None else (X, val_y), epochs=1, progress=False)
    assert said in one_sentence(info.value)
    assert all(torch.equal(p.cpu(), before[name]) for name, p in model.named_parameters())


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.bool])
def test_labels_of_any_whole_type_train_alike(dtype):
    def trained(y):
        torch.manual_seed(0)
        return mtl.fit(network(), (X, y), (X, y), epochs=2, progress=False)

    assert trained(Y.to(dtype)) == trained(Y)


P = np.array([[0.2, 0.8], [0.7, 0.3], [0.4, 0.6], [0.9, 0.1]])
Q = np.array([1, 0, 0, 1])
# fault, labels, probabilities, options, what is said
METRICS = [
    ("one class", Q * 0, P, {}, "Of classes 0 to 1 there are [4, 0] labels"),
    ("numbered from 1", Q + 1, P, {}, "there are [0, 2] labels, and 2 of other classes: number the classes from 0"),
    ("below 0", Q - 1, P, {}, "The labels are int64, some of them below 0"),
    ("NaN", np.array([1, 0, np.nan, 1]), P, {}, "The labels are float64: give whole numbers from 0"),
    ("text", np.array(list("abab")), P, {}, "The labels are a ndarray of text: give numbers"),
    ("no cases", Q[:0], P[:0], {}, "There are no predicted probabilities: give those of at least one case"),
    ("one column", Q, P[:, 1:], {}, "There is one column of predicted probabilities: give one column for each"),
    (
        "logits instead of probabilities",
        Q,
        9 * P - 4,
        {},
        "The predicted probabilities run from -3.1 to 4.1: give numbers from 0 to 1, the softmax",
    ),
    ("NaN probabilities", Q, P * np.nan, {}, "8 predicted probabilities are not finite numbers: look for NaN"),
    ("a positive class that is none", Q, P, {"positive": 2}, "positive=2 is none of the classes 0 to 1"),
    ("a negative positive class", Q, P, {"positive": -1}, "positive=-1 is none of the classes 0 to 1"),
    ("level in per cent", Q, P, {"level": 95}, "level is 95: give a share between 0 and 1"),
]


@pytest.mark.parametrize("y, p, options, said", [row[1:] for row in METRICS], ids=[row[0] for row in METRICS])
def test_what_has_no_score(recwarn, y, p, options, said):
    with pytest.raises(ValueError) as info:
        mtl.bootstrap_metrics(y, p, resamples=10, **options)
    assert said in one_sentence(info.value) and not recwarn.list


LINEAR = nn.Linear(4, 2)
THETA = losses.snapshot(LINEAR)
# fault, what is called, what is said
SOURCES = [
    ("no examples for Fisher", lambda: fisher.fisher_diagonal(LINEAR, X[:0]), "there are none: give at least one"),
    ("Fisher of labels from 1", lambda: fisher.fisher_diagonal(LINEAR, X, Y + 1), "Labels run from 1 to 2"),
    ("Fisher of fractions", lambda: fisher.fisher_diagonal(LINEAR, X, Y / 2), "The Fisher labels are float32"),
    ("EWC without a Fisher", lambda: losses.EWC(THETA, {}), "The Fisher information of weight is missing"),
    ("EWC with another layer's", lambda: losses.EWC(THETA, dict.fromkeys(THETA, X)), "or of another shape"),
    ("replay of fewer labels", lambda: losses.SourceReplay(X, Y[:9]), "The source set has 20 inputs and 9 labels"),
    ("LogME of NaN", lambda: mtl.log_me(X * torch.nan, Y), "80 features are not finite numbers"),
]


@pytest.mark.parametrize("call, said", [row[1:] for row in SOURCES], ids=[row[0] for row in SOURCES])
def test_a_source_that_cannot_be_used(call, said):
    with pytest.raises(ValueError) as info:
        call()
    assert said in one_sentence(info.value)


# --- tables ----------------------------------------------------------------------------------------------------------


def task(x, y):
    """A hospital with these rows."""
    return replace(
        mtl.load("heart", quiet=True),
        train=tasks.Split(x, y),
        val=tasks.Split(x[:0], y[:0]),
        test=tasks.Split(x[:0], y[:0]),
    )


def first(n):
    """Labels of which only the first ``n`` are 1."""
    return lambda x, y: (x, (np.arange(len(y)) < n).astype(np.int64))


# fault, what becomes of the rows and labels of Cleveland, what is said
SOURCE_TABLES = [
    ("a column is missing", lambda x, y: (x.drop(columns="chol"), y), "The table lacks chol"),
    ("a column without any value", lambda x, y: (x.assign(chol=np.nan), y), "chol of heart:cleveland hold no value"),
    ("a column of text", lambda x, y: (x.assign(sex="F"), y), "The column(s) sex hold text or infinite numbers"),
    ("an infinite number", lambda x, y: (x.assign(age=np.inf), y), "The column(s) age hold text or infinite numbers"),
    ("one class", lambda x, y: (x, y * 0), "The labels of heart:cleveland are [0]"),
    ("labels from 1", lambda x, y: (x, y + 1), "The labels of heart:cleveland are [1, 2]"),
    ("no rows", lambda x, y: (x[:0], y[:0]), "The labels of heart:cleveland are []"),
]


@pytest.mark.parametrize("change, said", [r[1:] for r in SOURCE_TABLES], ids=[row[0] for row in SOURCE_TABLES])
def test_a_source_table_that_cannot_be_used(recwarn, change, said):
    with pytest.raises(ValueError) as info:
        hospitals.train_source(task(*change(*mtl.load("heart", quiet=True).all_rows)))
    assert said in one_sentence(info.value) and not recwarn.list


TARGET_TABLES = [
    ("a column is missing", lambda x: x.drop(columns=["age", "sex"]), "The table lacks age, sex"),
    ("a column of text", lambda x: x.assign(oldpeak="high"), "The column(s) oldpeak hold text"),
    ("no table", lambda x: x.to_numpy(), "give a pandas table with these columns"),
]


@pytest.mark.parametrize("change, said", [r[1:] for r in TARGET_TABLES], ids=[row[0] for row in TARGET_TABLES])
def test_a_target_table_that_cannot_be_used(change, said):
    source, (x, _) = hospitals.train_source(mtl.load("heart", quiet=True)), mtl.load("heart", quiet=True).all_rows
    with pytest.raises(ValueError) as info:
        source.prepare(change(x))
    assert said in one_sentence(info.value)


def test_a_target_column_without_any_value_becomes_the_sources_median_and_order_does_not_matter():
    """As in Switzerland, where nobody's cholesterol was written down."""
    source, (x, _) = hospitals.train_source(mtl.load("heart", quiet=True)), mtl.load("heart", quiet=True).all_rows
    median = source.prepare(x.assign(chol=x["chol"].median()))
    assert torch.equal(source.prepare(x.assign(chol=np.nan)), median) and median.isfinite().all()
    assert torch.equal(source.prepare(x[x.columns[::-1]]), source.prepare(x))


# fault, what becomes of rows and labels, options, what is said
SPLITS = [
    ("one class", first(0), {}, "[303, 0] rows of healthy, disease here, too few for each part"),
    ("three rows of a class", first(3), {}, "[179, 2] rows of healthy, disease here, too few"),
    ("NaN labels", lambda x, y: (x, np.where(y, np.nan, 0)), {}, "must be whole numbers from 0 to 1"),
    ("labels from 1", lambda x, y: (x, y + 1), {}, "must be whole numbers from 0 to 1"),
    ("fewer labels than rows", lambda x, y: (x, y[:9]), {}, "has 303 rows and 9 labels"),
    ("more rows asked for than there are", lambda x, y: (x, y), {"n_train": 900}, "900 were asked for: take fewer"),
    ("fewer rows asked for than classes", lambda x, y: (x, y), {"n_train": 1}, "n_train is 1, for 2 classes"),
    ("a share of 150 %", lambda x, y: (x, y), {"test": 1.5}, "test is 1.5 and val is 0.2: give shares"),
    ("nothing for the test", lambda x, y: (x, y), {"test": 0}, "test is 0 and val is 0.2: give shares"),
]


@pytest.mark.parametrize("change, options, said", [row[1:] for row in SPLITS], ids=[row[0] for row in SPLITS])
def test_a_table_that_cannot_be_split(change, options, said):
    with pytest.raises(ValueError) as info:
        mtl.split_table(task(*change(*mtl.load("heart", quiet=True).all_rows)), seed=0, **options)
    assert said in one_sentence(info.value)


ROW = "63,1,1,145,233,1,2,150,0,2.3,3,0,6,0\n"
# fault, what the file holds, what is said
HEART_FILES = [
    ("text", ROW + ROW.replace("145", "high"), "is no table of numbers with 14 columns"),
    ("too many columns", ROW + "1," + ROW, "is no table of numbers with 14 columns"),
    ("cut off in a row", ROW * 9 + ROW[:20], "whose last column is no diagnosis (0 to 4)"),
    ("a diagnosis of 9", ROW * 9 + ROW[:-2] + "9\n", "whose last column is no diagnosis (0 to 4)"),
    ("no rows", "", "is no table of numbers with 14 columns"),
]


@pytest.mark.parametrize("content, said", [row[1:] for row in HEART_FILES], ids=[row[0] for row in HEART_FILES])
def test_a_heart_file_that_cannot_be_used_is_refused_though_its_checksum_is_right(tmp_path, monkeypatch, content, said):
    path = tmp_path / card("heart")["files"]["va"]["path"]
    path.parent.mkdir()
    path.write_text(content)
    checksum = f"md5:{hashlib.md5(content.encode()).hexdigest()}"
    monkeypatch.setitem(card("heart")["files"]["va"], "checksum", checksum)
    monkeypatch.setenv("MEDTL_DATA", str(tmp_path))
    with pytest.raises(ValueError) as info:
        mtl.load("heart", site="va", quiet=True)
    text = one_sentence(info.value)
    assert text.startswith(str(path)) and said in text and AGAIN in text and path.read_text() == content


# fault, arguments of few_shot, what is said
FEW = [
    ("more images than there are", ("breast", 5000), "5000 + 10 were asked for: take fewer"),
    ("fewer than none", ("breast", -3), "-3 training and 10 validation images per class were asked for"),
    ("half an image", ("breast", 2.5), "2.5 training and 10 validation"),
    ("of a table", ("heart", 3), "is a table, and few_shot draws images: use split_table with n_train"),
]


@pytest.mark.parametrize("arguments, said", [row[1:] for row in FEW], ids=[row[0] for row in FEW])
def test_a_few_shots_that_cannot_be_drawn(arguments, said):
    name, n = arguments
    with pytest.raises(ValueError) as info:
        mtl.few_shot(mtl.load(name, quiet=True), n, seed=0)
    assert said in one_sentence(info.value)


ARCHIVE_TABLE = [Row(f"npz: {fault}", said, "the file; nothing of it runs") for fault, _, said in ARCHIVES]
LABEL_TABLE = [
    *(Row(f"training labels: {fault}", said, "the model's weights") for fault, _, _, said in LABELS),
    *(Row(f"metrics: {fault}", said, NOTHING) for fault, _, _, _, said in METRICS),
    *(Row(fault, said, NOTHING) for fault, _, said in SOURCES),
]
TABLE_TABLE = [
    *(Row(f"source table: {fault}", said, NOTHING) for fault, _, said in SOURCE_TABLES),
    *(Row(f"target table: {fault}", said, NOTHING) for fault, _, said in TARGET_TABLES),
    *(Row(f"to be split: {fault}", said, NOTHING) for fault, _, _, said in SPLITS),
    *(Row(f"heart-disease file: {fault}", said, "the file") for fault, _, said in HEART_FILES),
    *(Row(f"few-shot: {fault}", said, NOTHING) for fault, _, said in FEW),
]
