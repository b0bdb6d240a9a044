"""The reader's own images as a task: each split against its promise."""

from collections import Counter

import numpy as np
import pytest
import torch
from image_files import DEEP, GREY, RGB, percentile_window, save
from PIL import Image

from medtl_helpers import provenance
from medtl_helpers.data.folders import load_folder


def labelled(folder, counts):
    """Constant 8×8 images of the grey value 1, 2, 3, … : the value tells which file a tensor came from."""
    value, files = 0, {}
    for name, n in counts.items():
        for k in range(n):
            value += 1
            files[value] = name
            save(folder / name / f"{k:03}.png", np.full((8, 8), value, np.uint8))
    return files


def values(split):
    return split.x[:, 0, 0, 0].tolist()


def ready(folder):
    labels = {}
    for k, split in enumerate(("train", "val", "test")):
        for j, name in enumerate(("b_sick", "a_well")):
            save(folder / split / name / "1.PNG", np.full((9, 9), 10 * k + j, np.uint8))
            labels[10 * k + j] = name
    return labels


def test_ready_made_splits(tmp_path, capsys):
    labels = ready(tmp_path / "mine")
    (tmp_path / "mine" / "train" / ".hidden").write_text("x")
    (tmp_path / "mine" / "train" / "a_well" / "notes.txt").write_text("x")
    (tmp_path / "mine" / "readme.txt").write_text("x")
    task = load_folder(str(tmp_path / "mine"), size=16)
    assert (task.name, task.classes, task.positive) == ("mine", ("a_well", "b_sick"), 1)
    assert (task.provenance, task.licence) == ("own", "yours")
    for k, split in enumerate((task.train, task.val, task.test)):
        assert split.x.dtype == torch.uint8 and split.x.shape == (2, 1, 16, 16)
        assert split.y.dtype == torch.int64
        assert values(split) == [10 * k + 1, 10 * k] and split.y.tolist() == [0, 1]
        assert [task.classes[y] for y in split.y] == [labels[v] for v in values(split)]
    out = capsys.readouterr().out
    assert "train/val/test 2/2/2" in out and "skipped 3 hidden or other" in out
    assert "'b_sick' is taken as the positive class" in out and "at random" not in out
    assert provenance._sources["mine"] == "own"


def test_class_folders_alone_are_split_70_15_15(tmp_path, capsys):
    files = labelled(tmp_path / "mine", {"a": 40, "b": 100, "c": 20})
    (tmp_path / "mine" / "a" / ".DS_Store").write_text("x")
    task = load_folder(tmp_path / "mine", size=8, seed=1)
    out = capsys.readouterr().out
    assert out.count("by patient") == 1 and "70/15/15" in out and "skipped 1 hidden" in out and task.positive is None
    parts = {split: values(getattr(task, split)) for split in ("train", "val", "test")}
    assert sorted(v for part in parts.values() for v in part) == sorted(files)  # disjoint, and nothing is lost
    for split, (a, b, c) in {"train": (28, 70, 14), "val": (6, 15, 3), "test": (6, 15, 3)}.items():
        assert Counter(files[v] for v in parts[split]) == {"a": a, "b": b, "c": c}
        assert [task.classes[y] for y in getattr(task, split).y] == [files[v] for v in parts[split]]
    again = load_folder(tmp_path / "mine", size=8, seed=1)
    other = load_folder(tmp_path / "mine", size=8, seed=2)
    assert torch.equal(again.test.x, task.test.x) and torch.equal(again.train.y, task.train.y)
    assert set(values(other.test)) != set(values(task.test))


def test_a_missing_val_is_drawn_from_train_only(tmp_path, capsys):
    files = labelled(tmp_path / "mine" / "Train", {"a": 20, "b": 60})
    for name in "ab":
        save(tmp_path / "mine" / "TEST" / name / "1.png", np.full((8, 8), 255, np.uint8))
    task = load_folder(tmp_path / "mine", size=8)
    assert "no val folder, so 15 %" in capsys.readouterr().out
    assert values(task.test) == [255, 255]
    assert Counter(files[v] for v in values(task.val)) == {"a": 3, "b": 9}
    assert sorted(values(task.train) + values(task.val)) == sorted(files)


def smooth(height, width):
    """A colour image of waves, so that resizing has something to do and nothing to alias."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 120 * np.sin(x / 5 + k) * np.cos(y / (4 + k)) for k in range(3)]
    return np.stack(waves, -1).astype(np.uint8)


@pytest.mark.parametrize("shape", [(60, 100), (20, 12)])
def test_resizing_agrees_with_torch(tmp_path, shape):
    for name in "ab":
        for k in range(3):
            save(tmp_path / name / f"{k}.png", smooth(*shape))
    task = load_folder(tmp_path, size=32)
    x = torch.from_numpy(smooth(*shape)).permute(2, 0, 1)[None].float()
    expected = torch.nn.functional.interpolate(x, (32, 32), mode="bilinear", antialias=True, align_corners=False)
    assert (task.train.x[0].float() - expected[0]).abs().max() <= 2


def three_each(folder, *images):
    """Two classes of three images each, the given ones in turn."""
    for k in range(6):
        save(folder / "ab"[k % 2] / f"{k}.png", images[k % len(images)])
    return folder


def test_channels(tmp_path, capsys):
    twice = np.dstack([GREY] * 3)  # grey, but saved as RGB
    assert load_folder(three_each(tmp_path / "grey", GREY, GREY, twice)).train.x.shape[1] == 1
    square = GREY[:, :10]
    for split, pixels in (("train", square), ("val", RGB[:, :10]), ("test", square)):  # colour comes in the middle
        for name in "ab":
            save(tmp_path / "mixed" / split / name / "1.png", pixels)
    task = load_folder(tmp_path / "mixed", size=10)
    for split, pixels in ((task.train, np.dstack([square] * 3)), (task.val, RGB[:, :10])):
        assert (split.x.numpy() == pixels.transpose(2, 0, 1)).all() and split.x.shape == (2, 3, 10, 10)
    assert torch.equal(task.test.x, task.train.x)
    assert load_folder(three_each(tmp_path / "g3", GREY), channels=3).train.x.shape[1] == 3
    flat = np.broadcast_to(np.array([200, 50, 100], np.uint8), (9, 9, 3))
    luma = load_folder(three_each(tmp_path / "luma", flat), channels=1).train.x
    assert luma.shape[1] == 1 and (luma == round(0.299 * 200 + 0.587 * 50 + 0.114 * 100)).all()


@pytest.mark.parametrize(
    "asked, got, line",
    [
        (None, 1, "'b' is taken as the positive"),
        ("a", 0, "'a' is the"),
        (0, 0, "'a' is the positive"),
        ("b", 1, "'b' is the"),
    ],
)
def test_positive(tmp_path, capsys, asked, got, line):
    assert load_folder(three_each(tmp_path, GREY), positive=asked).positive == got
    assert line in capsys.readouterr().out


def test_16_bit_is_windowed_before_resizing(tmp_path):
    for name in "ab":
        for k in range(3):
            save(tmp_path / name / f"{k}.png", DEEP)
    task = load_folder(tmp_path, size=30)
    expected = Image.fromarray(percentile_window(DEEP)).resize((30, 30), Image.Resampling.BILINEAR)
    assert (task.train.x[0, 0].numpy() == np.asarray(expected)).all()
