"""Every data set as notebooks see it: real where the file is right, else its twin, and one line that says which."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer

from medtl_helpers import checks, tasks
from medtl_helpers.assets import card, cards, find
from medtl_helpers.tasks import Split, load, split_table

ROOT = Path(__file__).resolve().parents[1]
IMAGES = [name for name, about in cards().items() if about["kind"] == "image"]
SITES = list(card("heart")["sites"])


@pytest.fixture(autouse=True)
def twins_unless_asked(monkeypatch):
    """Twins by default, and what is loaded here is not what other tests are about."""
    monkeypatch.setenv("MEDTL_DATA", "twin")
    monkeypatch.setattr(checks, "_sources", {})


@pytest.fixture
def real(real_file):
    """``load`` of the real data, or a skip that says why."""

    def load_real(name, key="28", **options):
        real_file(card(name)["files"][key]["path"])
        return load(name, **options)

    return load_real


def splits(task):
    return {"train": task.train, "val": task.val, "test": task.test}


# --- the twin of every card ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", IMAGES)
def test_the_twin_has_the_cards_classes_channels_and_splits(name):
    about, task = card(name), load(name, quiet=True)
    assert (task.name, task.provenance, task.licence) == (name, "twin", about["licence"])
    assert task.classes == tuple(about["classes"]) and task.positive == about.get("positive")
    for split, (x, y) in splits(task).items():
        n = min(tasks.TWIN_IMAGES[split], about["splits"][split])
        assert x.dtype == torch.uint8 and x.shape == (n, about["channels"], 28, 28)
        assert y.dtype == torch.int64 and y.shape == (n,)
        assert y.unique().tolist() == list(range(len(task.classes)))


@pytest.mark.parametrize("name", [n for n in IMAGES if "class_counts" in card(n)])
def test_the_twin_has_the_class_balance_of_each_split(name):
    """Within one image of the card's share."""
    for split, (_, y) in splits(load(name, quiet=True)).items():
        counts = torch.tensor(card(name)["class_counts"][split])
        wanted = counts / counts.sum() * len(y)
        assert (torch.bincount(y) - wanted).abs().max() <= 1


def test_a_twin_is_the_same_each_time_and_its_splits_share_no_image():
    first, again = load("blood", quiet=True), load("blood", quiet=True)
    for a, b in zip(splits(first).values(), splits(again).values(), strict=True):
        assert torch.equal(a.x, b.x) and torch.equal(a.y, b.y)
    everything = torch.cat([part.x for part in splits(first).values()])
    assert len({image.numpy().tobytes() for image in everything}) == len(everything)


def test_labels_are_shuffled_so_that_a_slice_holds_every_class():
    assert load("pneumonia", quiet=True).train.y[:40].unique().tolist() == [0, 1]


@pytest.mark.parametrize("size", [64, 128])
def test_a_twin_is_drawn_at_the_asked_size(size, monkeypatch):
    monkeypatch.setattr(tasks, "TWIN_IMAGES", {"train": 30, "val": 10, "test": 10})
    assert load("breast", size=size, quiet=True).train.x.shape == (30, 1, size, size)


def test_the_line_says_twin_how_many_and_how_to_get_the_real_one(capsys):
    load("breast")
    line = capsys.readouterr().out
    assert line == (
        "breast: TWIN (drawn by code); train/val/test 546/78/156; "
        "for real data: make data ONLY=breast (MEDTL_DATA=twin)\n"
    )
    load("breast", quiet=True)
    assert capsys.readouterr().out == ""


def test_loading_is_remembered_for_the_report():
    load("breast", quiet=True)
    load("heart", site="va", quiet=True)
    load("breast_cancer", quiet=True)
    assert checks._sources == {"breast": "twin", "heart:va": "twin", "breast_cancer": "real"}


# --- real images -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["breast", "pneumonia"])
def test_the_real_images_are_those_of_the_card(real, real_file, name):
    task = real(name)
    assert (task.provenance, task.note) == ("real", "")
    for split, (x, y) in splits(task).items():
        assert x.dtype == torch.uint8 and x.shape == (card(name)["splits"][split], 1, 28, 28)
        assert y.dtype == torch.int64 and torch.bincount(y).tolist() == card(name)["class_counts"][split]
    with np.load(real_file(card(name)["files"]["28"]["path"])) as arrays:
        np.testing.assert_array_equal(task.test.x[:, 0], arrays["test_images"])
        np.testing.assert_array_equal(task.test.y, arrays["test_labels"][:, 0])


def test_the_real_line_says_real(real, capsys):
    real("breast")
    assert capsys.readouterr().out == "breast: real data; train/val/test 546/78/156\n"


def test_without_a_native_file_the_28_pixel_images_are_enlarged_and_the_note_says_so(real):
    small, large = real("breast"), real("breast", size=64)
    if find("breast", "64")[0] is not None:
        pytest.skip("the native 64 px file is here")
    assert large.provenance == "real"
    assert large.note.startswith("enlarged from 28 to 64 px; native: make data ONLY=breast:64")
    wanted = F.interpolate(small.test.x.float(), size=(64, 64), mode="bilinear", align_corners=False)
    assert (large.test.x.float() - wanted).abs().max() <= 1


# --- files made here -------------------------------------------------------------------------------------------------


def place(monkeypatch, folder, name, key, arrays, checksum=None):
    """An npz as the real file ``key`` of ``name``, with its checksum in the card (or another one)."""
    path = folder / card(name)["files"][key]["path"]
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)
    right = f"md5:{hashlib.md5(path.read_bytes()).hexdigest()}"
    monkeypatch.setitem(card(name)["files"][key], "checksum", checksum or right)
    monkeypatch.setenv("MEDTL_DATA", str(folder))
    return path


def arrays(channels=1, size=28):
    rng = np.random.default_rng(0)
    made = {}
    for split, n in {"train": 6, "val": 4, "test": 5}.items():
        shape = (n, size, size) if channels == 1 else (n, size, size, channels)
        made[f"{split}_images"] = rng.integers(0, 256, shape, dtype=np.uint8)
        made[f"{split}_labels"] = (np.arange(n) % 2).astype(np.uint8)[:, None]
    return made


@pytest.mark.parametrize("name, channels", [("breast", 1), ("blood", 3)])
def test_an_npz_becomes_images_with_channels_first(monkeypatch, tmp_path, name, channels):
    made = arrays(channels)
    place(monkeypatch, tmp_path, name, "28", made)
    task = load(name, quiet=True)
    assert task.provenance == "real" and task.val.y.tolist() == [0, 1, 0, 1]
    assert task.train.x.shape == (6, channels, 28, 28)
    for i, row, column, channel in np.ndindex(2, 3, 3, channels):
        stored = made["train_images"][i, row, column]
        assert task.train.x[i, channel, row, column] == (stored[channel] if channels == 3 else stored)


def test_a_native_file_of_the_asked_size_is_taken_as_it_is(monkeypatch, tmp_path):
    made = arrays(size=64)
    place(monkeypatch, tmp_path, "breast", "64", made)
    task = load("breast", size=64, quiet=True)
    np.testing.assert_array_equal(task.test.x[:, 0], made["test_images"])
    assert (task.provenance, task.note) == ("real", "")


def test_a_file_with_the_wrong_checksum_gives_the_twin_and_a_line_that_names_it(monkeypatch, tmp_path, capsys):
    path = place(monkeypatch, tmp_path, "breast", "28", arrays(), checksum="md5:" + "0" * 32)
    assert load("breast").provenance == "twin"
    line = capsys.readouterr().out
    assert "TWIN" in line and f"{path} has the wrong checksum" in line and "delete it and fetch it again" in line


def test_a_native_file_with_the_wrong_checksum_is_named_where_the_enlarged_one_stands_in(monkeypatch, tmp_path):
    place(monkeypatch, tmp_path, "breast", "28", arrays())
    path = place(monkeypatch, tmp_path, "breast", "64", arrays(size=64), checksum="md5:" + "0" * 32)
    task = load("breast", size=64, quiet=True)
    assert task.train.x.shape[-1] == 64 and "enlarged from 28 to 64 px" in task.note
    assert f"{path} has the wrong checksum" in task.note


def test_an_npz_that_would_run_code_is_refused(monkeypatch, tmp_path):
    """A pickle inside an npz is a program; even one whose checksum is right is not run."""
    ran = tmp_path / "ran"

    class Program:
        def __reduce__(self):
            return Path.touch, (ran,)

    made = arrays() | {"train_images": np.array([Program()], dtype=object)}
    place(monkeypatch, tmp_path, "breast", "28", made)
    with pytest.raises(ValueError, match=r"holds Python objects in train_images\.npy, which could run a program"):
        load("breast", quiet=True)
    assert not ran.exists()


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, options, sentence",
    [
        ("pneumona", {}, "no data set called 'pneumona'; known are"),
        ("chest", {}, "several labels per image"),
        ("breast", {"size": 32}, "BreastMNIST has no size 32: choose one of 28, 64, 128, 224"),
        ("heart", {"site": "zurich"}, "no site 'zurich': choose one of cleveland, hungary, switzerland, va"),
        ("vgg16", {}, "vgg16 is a set of weights, not of data: use load_backbone"),
        ("resnet18", {"size": 64}, "resnet18 is a set of weights, not of data: use load_backbone"),
        ("path", {"size": 224}, "PathMNIST at 224 px needs 16.1 GB of memory, and this course stops at 2 GB"),
    ],
)
def test_what_cannot_be_loaded_is_refused_in_a_sentence(name, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        load(name, **options)


@pytest.mark.parametrize("name", IMAGES)
def test_the_2_gb_limit_is_the_memory_of_all_images(name):
    about = card(name)
    for size in map(int, about["files"]):
        if sum(about["splits"].values()) * about["channels"] * size * size > 2e9:
            with pytest.raises(ValueError, match="choose a smaller size"):
                load(name, size=size, quiet=True)


def test_a_data_folder_that_is_none_is_named_by_load(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDTL_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match="nowhere, which is no folder: correct it, or unset MEDTL_DATA"):
        load("breast")


# --- tables ----------------------------------------------------------------------------------------------------------


def test_breast_cancer_is_scikit_learns_with_malignant_as_the_positive_class():
    task, theirs = load("breast_cancer", quiet=True), load_breast_cancer(as_frame=True)
    assert (task.provenance, task.classes[task.positive]) == ("real", "malignant")
    assert theirs.target_names[task.positive] == "malignant"
    x, y = task.all_rows
    ours = x.assign(y=y).sort_values(list(x.columns)).to_numpy()
    np.testing.assert_array_equal(ours, theirs.data.assign(y=theirs.target).sort_values(list(x.columns)).to_numpy())


def check_heart(task, site):
    x, y = task.all_rows
    assert task.name == f"heart:{site}" and task.classes[task.positive] == "disease"
    assert list(x.columns) == card("heart")["columns"] and (x.dtypes == "float64").all()
    assert y.dtype == np.int64 and len(x) == len(y) == card("heart")["sites"][site] and set(y) == {0, 1}
    assert not (x[["chol", "trestbps"]] == 0).any(axis=None)


@pytest.mark.parametrize("site", SITES)
def test_the_heart_twin_has_the_cards_columns_rows_and_no_zero_that_means_missing(site):
    task = load("heart", site=site, quiet=True)
    check_heart(task, site)
    assert task.provenance == "twin" and task.note == "for real data: make data ONLY=heart (MEDTL_DATA=twin)"


@pytest.mark.parametrize("site", SITES)
def test_the_real_heart_table_is_the_file_with_its_marks_for_missing(real, real_file, site):
    """Against the file, read line by line."""
    task = real("heart", site, site=site, quiet=True)
    check_heart(task, site)
    columns = card("heart")["columns"]
    rows = [line.split(",") for line in real_file(card("heart")["files"][site]["path"]).read_text().split()]

    def is_missing(column, value):
        return value == "?" or (column in ("chol", "trestbps") and float(value) == 0)

    x, y = task.all_rows
    assert sum(row[13] != "0" for row in rows) == y.sum()
    for i, column in enumerate(columns):
        assert x[column].isna().sum() == sum(is_missing(column, row[i]) for row in rows), column
        there = [float(row[i]) for row in rows if not is_missing(column, row[i])]
        assert sorted(x[column].dropna()) == sorted(there), column
    assert task.provenance == "real"
    if site == "switzerland":
        assert x["chol"].isna().all() and (y == 0).sum() == 8


# --- split_table -----------------------------------------------------------------------------------------------------


@pytest.fixture
def numbered():
    """A table of 203 rows, a third of them of class 1, whose only column is the row's number."""
    x, y = pd.DataFrame({"row": np.arange(203.0)}), (np.arange(203) % 3 == 0).astype(np.int64)
    task = load("heart", quiet=True)
    return replace(task, train=Split(x, y), val=Split(x[:0], y[:0]), test=Split(x[:0], y[:0]))


def test_a_split_is_disjoint_complete_and_keeps_rows_and_labels_together(numbered):
    task = split_table(numbered, seed=1)
    rows = [part.x["row"].tolist() for part in splits(task).values()]
    assert sorted(row for part in rows for row in part) == list(range(203))
    assert [len(r) for r in rows] == [96, 25, 82]  # test: 40 % of 203; validation: 20 % of the rest
    for x, y in splits(task).values():
        np.testing.assert_array_equal(y, x["row"] % 3 == 0)


@pytest.mark.parametrize("n_train", [None, 10, 60])
def test_a_split_is_stratified(numbered, n_train):
    for _, y in splits(split_table(numbered, seed=1, n_train=n_train)).values():
        assert abs(y.sum() - len(y) / 3) <= 1.01


def test_a_split_is_a_function_of_its_seed_alone(numbered):
    np.random.seed(0)
    first = split_table(numbered, seed=1, n_train=20)
    np.random.seed(1)
    again, other = split_table(numbered, seed=1, n_train=20), split_table(numbered, seed=2, n_train=20)
    for name, part in splits(first).items():
        assert part.x.equals(splits(again)[name].x)
        assert set(part.x["row"]) != set(splits(other)[name].x["row"])


@pytest.mark.parametrize("n_train", [2, 10, 94, 96])
def test_n_train_is_exact_and_leaves_the_test_rows_as_they_are(numbered, n_train):
    few, all_rows = split_table(numbered, seed=3, n_train=n_train), split_table(numbered, seed=3)
    assert len(few.train.y) == len(few.train.x) == n_train
    assert set(few.train.x["row"]) <= set(all_rows.train.x["row"])
    assert few.test.x.equals(all_rows.test.x) and few.val.x.equals(all_rows.val.x)


def test_more_training_rows_than_there_are_is_a_sentence(numbered):
    with pytest.raises(ValueError, match="cleveland has 96 rows left for training, 97 were asked for: take fewer"):
        split_table(numbered, seed=0, n_train=97)
