"""MedMNIST's images: real where the file is right, else a twin with the card's classes, channels and balance."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from splits import splits

from medtl_helpers.assets import card, cards, find
from medtl_helpers.data import medmnist
from medtl_helpers.data.catalogue import load

IMAGES = [name for name, about in cards().items() if about["kind"] == "image" and "splits" in about]


# --- the twin of every card ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", IMAGES)
def test_the_twin_has_the_cards_classes_channels_and_splits(name):
    about, task = card(name), load(name, quiet=True)
    assert (task.name, task.provenance, task.licence) == (name, "twin", about["licence"])
    assert task.classes == tuple(about["classes"]) and task.positive == about.get("positive")
    for split, (x, y) in splits(task).items():
        n = min(medmnist.TWIN_IMAGES[split], about["splits"][split])
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
    monkeypatch.setattr(medmnist, "TWIN_IMAGES", {"train": 30, "val": 10, "test": 10})
    assert load("breast", size=size, quiet=True).train.x.shape == (30, 1, size, size)


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


def test_without_a_native_file_the_28_pixel_images_are_enlarged_and_the_note_says_so(real):
    small, large = real("breast"), real("breast", size=64)
    if find(card("breast"), "64").path is not None:
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


@pytest.mark.parametrize("name", IMAGES)
def test_the_2_gb_limit_is_the_memory_of_all_images(name):
    about = card(name)
    for size in map(int, about["files"]):
        if sum(about["splits"].values()) * about["channels"] * size * size > 2e9:
            with pytest.raises(ValueError, match="choose a smaller size"):
                load(name, size=size, quiet=True)
