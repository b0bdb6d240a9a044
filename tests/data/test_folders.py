"""The reader's own images as a task: each split against its promise."""

import os
import unicodedata
import warnings
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import DEEP, GREY, RGB, percentile_window, save
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

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
    assert "train/val/test 2/2/2" in out and "skipped 3 hidden or other files and folders (e.g. readme.txt)" in out
    assert task.files["val"].tolist() == ["val/a_well/1.PNG", "val/b_sick/1.PNG"]
    assert "'b_sick' is taken as the positive class" in out and "at random" not in out
    assert provenance._sources["mine"] == "own"


def test_class_folders_alone_are_split_70_15_15(tmp_path, capsys):
    files = labelled(tmp_path / "mine", {"a": 40, "b": 100, "c": 20})
    (tmp_path / "mine" / "a" / ".DS_Store").write_text("x")
    task = load_folder(tmp_path / "mine", size=8, seed=1)
    out = capsys.readouterr().out
    assert out.count("by patient") == 1 and "patients=" in out and "70/15/15" in out and "skipped 1 hidden" in out
    assert task.positive is None
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


def test_patients_are_counted_in_the_order_of_the_splits(tmp_path, capsys):
    for split, patients in (("train", range(10)), ("test", range(10, 13))):
        for label in "ab":
            for patient in patients:
                save(tmp_path / "mine" / split / label / f"{label}{patient}_1.png", np.full((8, 8), patient, np.uint8))
    task = load_folder(tmp_path / "mine", size=8, patients="^[ab][0-9]+")
    counts = [len(set(task.patients[split])) for split in ("train", "val", "test")]
    assert list(task.patients) == ["train", "val", "test"] and counts[2] == 6
    assert f"patients in train/val/test {'/'.join(map(str, counts))}" in capsys.readouterr().out


def test_what_is_left_out_is_not_read_and_the_rest_is_split(tmp_path):
    labelled(tmp_path / "mine", {"a": 10, "b": 10})
    (tmp_path / "mine" / "a" / "003.png").write_bytes(b"no image")
    task = load_folder(tmp_path / "mine", size=8, leave_out={"a/003.png", "b/000.png"})
    files = sorted(file for split in task.files.values() for file in split)
    assert len(files) == 18 and not {"a/003.png", "b/000.png"} & set(files)
    assert sorted(v for split in (task.train, task.val, task.test) for v in values(split)) == [
        *(v for v in range(1, 21) if v not in (4, 11))
    ]


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
        (0, 0, "'a' is the positive class, by its position: no class is called 0"),
        (np.int64(1), 1, "'b' is the positive class, by its position: no class is called 1"),
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


# --- what is an image, and where it lies -----------------------------------------------------------------------------


def pictures(folder, n, seed=0, name="{}.png"):
    """``n`` different pictures of noise; the seed is the folder's."""
    rng = np.random.default_rng(seed)
    return [save(folder / name.format(k), rng.integers(0, 256, (12, 12), dtype=np.uint8)) for k in range(n)]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP"])
def test_a_picture_without_a_known_suffix_is_read_as_what_its_first_bytes_say(tmp_path, kind):
    for k, c in enumerate("ab"):
        for path in pictures(tmp_path / "mine" / c, 4, seed=k):
            Image.open(path).save(tmp_path / "mine" / c / f"1.2.840.{path.stem}", kind)
            path.unlink()
    assert sum(len(names) for names in load_folder(tmp_path / "mine", size=8).files.values()) == 8


@pytest.mark.parametrize("preamble", [True, False])
def test_a_dicom_file_called_by_numbers_alone_is_read(tmp_path, preamble):
    for k in range(8):
        ds = Dataset()
        ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", f"2.25.{k}"
        ds.Rows = ds.Columns = 12
        ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
        ds.BitsAllocated = ds.BitsStored = 8
        ds.HighBit, ds.PixelData = 7, np.random.default_rng(k).integers(0, 256, 144, dtype=np.uint8).tobytes()
        path = tmp_path / "ab"[k % 2] / f"1.3.12.2.{k}"
        path.parent.mkdir(exist_ok=True)
        if preamble:
            ds.file_meta = FileMetaDataset()
            ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            ds.save_as(path, enforce_file_format=True)
        else:
            ds.save_as(path, implicit_vr=True, little_endian=True)
    assert sum(len(names) for names in load_folder(tmp_path, size=8).files.values()) == 8


def test_files_that_become_nearly_constant_pictures_are_told_in_one_line_with_an_example(tmp_path, capsys):
    """A few pixels a thousand times as bright as the rest: more than half a percent, so that they set the window."""
    rng = np.random.default_rng(0)
    for name in ("ill", "well"):
        for k in range(4):
            deep = rng.integers(0, 60, (40, 40)).astype(np.uint16)
            if k < 2:
                deep[0, :20] = 60_000
            save(tmp_path / name / f"{k}.png", deep)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        task = load_folder(tmp_path, size=32)
    told = [line for line in capsys.readouterr().out.splitlines() if "nearly constant" in line]
    assert len(told) == 1 and "4 images (e.g. " in told[0] and ".png) hold varied numbers" in told[0]
    assert sum(len(split.y) for split in (task.train, task.val, task.test)) == 8


def test_other_files_are_skipped_and_told_even_if_they_begin_like_a_bitmap(tmp_path, capsys):
    for k, c in enumerate("ab"):
        pictures(tmp_path / c, 4, seed=k)
    (tmp_path / "a" / "BMI").write_text("BMI of the patients: 23, 31, 28, 22, 25")
    (tmp_path / "a" / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + bytes(99))
    (tmp_path / "b" / "empty").write_bytes(b"")
    (tmp_path / "b" / "nowhere").symlink_to(tmp_path / "not there")
    task = load_folder(tmp_path, size=8)
    assert sum(len(names) for names in task.files.values()) == 8
    assert "skipped 4 hidden or other files and folders (e.g. a/BMI)" in capsys.readouterr().out


def test_folders_inside_a_class_are_read_at_any_depth_and_links_in_circles_are_not_followed(tmp_path, capsys):
    root = tmp_path / "mine"
    wanted = []
    for k, c in enumerate("ab"):
        for j, where in enumerate(("", "p1", "p2/left/second look")):
            wanted += pictures(root / c / where, 3, seed=10 * k + j)
    (root / "a" / "p1" / "up").symlink_to(root, target_is_directory=True)
    (root / "a" / "p1" / "again").symlink_to(root / "a" / "p1", target_is_directory=True)
    (root / "b" / "empty").mkdir()
    task = load_folder(root, size=8)
    out = capsys.readouterr().out
    assert sorted(file for names in task.files.values() for file in names) == sorted(
        path.relative_to(root).as_posix() for path in wanted
    )
    assert "12 images (e.g. a/p1/0.png) lie in folders inside the class folders" in out
    assert "skipped 2 hidden or other" in out and "same picture" not in out


# --- names -----------------------------------------------------------------------------------------------------------


def test_one_name_in_two_unicode_forms_in_one_folder_is_one_class(tmp_path):
    for k, name in enumerate(unicodedata.normalize(form, "Gr\u00f6\u00dfe") for form in ("NFC", "NFD")):
        pictures(tmp_path / name, 3, seed=k, name=f"{k}-{{}}.png")
    pictures(tmp_path / "other", 4, seed=9)
    task = load_folder(tmp_path, size=8, positive=unicodedata.normalize("NFD", "Gr\u00f6\u00dfe"))
    assert task.classes == ("Gr\u00f6\u00dfe", "other") and task.positive == 0
    assert sum(int((part.y == 0).sum()) for part in (task.train, task.val, task.test)) == 6


@pytest.mark.skipif(os.name == "nt", reason="file names are text there")
def test_a_name_in_an_old_encoding_is_the_name_that_it_was(tmp_path, capsys):
    try:
        pictures(tmp_path / os.fsdecode("L\u00e4sion".encode("latin-1")), 4, seed=0)
    except OSError:
        pytest.skip("this file system takes no such name")
    pictures(tmp_path / "ohne", 4, seed=1, name=os.fsdecode(b"\xe4{}.png"))
    assert load_folder(tmp_path, size=8).classes == ("L\u00e4sion", "ohne")
    capsys.readouterr().out.encode()


@pytest.mark.parametrize("names", [("Training", "placebo"), ("testing", "val", "zzz")])
def test_a_folder_called_like_a_split_that_holds_images_is_a_class(tmp_path, names):
    for k, name in enumerate(names):
        pictures(tmp_path / name, 4, seed=k)
    assert load_folder(tmp_path, size=8).classes == names


@pytest.mark.parametrize(("asked", "wanted"), [(3, "3"), ("3", "3"), (np.int64(20), "20"), (0, "20")])
def test_a_number_is_the_class_of_that_name_before_it_is_a_position(tmp_path, capsys, asked, wanted):
    for k, name in enumerate(("3", "20", "100", "7")):
        pictures(tmp_path / name, 4, seed=k)
    task = load_folder(tmp_path, size=8, positive=asked)
    assert task.classes == ("100", "20", "3", "7")
    assert task.classes[task.positive] == (wanted if asked != 0 else "100")
    assert ("by its position" in capsys.readouterr().out) == (asked == 0)


# --- the same picture twice ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["tif", "bmp", "jpg", ""])
def test_a_copy_in_another_format_is_told_with_the_names_of_both_files(tmp_path, capsys, suffix):
    for k, split in enumerate(("train", "val", "test")):
        for j, c in enumerate("ab"):
            rng = np.random.default_rng(10 * k + j)
            for n in range(2):
                save(
                    tmp_path / split / c / f"{n}.png",
                    np.kron(rng.integers(0, 256, (5, 5)), np.ones((4, 4))).astype("u1"),
                )
    copy = tmp_path / "test" / "b" / f"copy.{suffix}".rstrip(".")
    Image.open(tmp_path / "train" / "b" / "1.png").save(
        copy, {"tif": "TIFF", "bmp": "BMP", "jpg": "JPEG"}.get(suffix, "PNG")
    )
    task = load_folder(tmp_path, size=20)
    line = capsys.readouterr().out.splitlines()[-1]
    assert "1 of 5 test images also in train" in line and f"e.g. train/b/1.png and test/b/{copy.name}." in line
    assert ("0 pairs identical, 1 nearly" in line) == (suffix == "jpg")
    assert "train/b/1.png" not in task.without_duplicates().files["train"]


@settings(derandomize=True, deadline=None, max_examples=8, database=None)
@given(st.integers(0, 999), st.permutations(range(6)), st.permutations(range(6)))
def test_copies_are_found_whatever_the_order_and_every_image_is_in_one_split(seed, here, there):
    """Copies lie under other names, so that they come in another order; the splits are drawn."""
    with TemporaryDirectory() as folder:
        rng = np.random.default_rng(seed)
        noise = rng.integers(0, 256, (12, 10, 10), dtype=np.uint8)
        for k in range(6):
            save(Path(folder) / "ill" / f"{here[k]}.png", noise[k])
            save(Path(folder) / "well" / f"{there[k]}.png", noise[6 + k])
        save(Path(folder) / "well" / f"{here[0]}b.bmp", noise[0])
        save(Path(folder) / "ill" / f"{there[1]}b.png", noise[7])
        task = load_folder(folder, size=10, seed=seed)
        pairs = task.duplicates().pairs
        files = [file for names in task.files.values() for file in names]
        again = load_folder(folder, size=10, seed=seed)
    assert sorted(files) == sorted(set(files)) and len(files) == 14
    assert {frozenset(pair) for pair in pairs[["file", "other file"]].to_numpy().tolist()} == {
        frozenset((f"ill/{here[0]}.png", f"well/{here[0]}b.bmp")),
        frozenset((f"well/{there[1]}.png", f"ill/{there[1]}b.png")),
    }
    assert all(again.files[split].tolist() == names.tolist() for split, names in task.files.items())
