"""The reader's images and masks: every layout and every way to write a mask give the same task, nothing is lost."""

import shutil

import numpy as np
import pytest
import torch
from image_files import save
from mask_folders import by_name, by_object, image, mask
from PIL import Image

import medtl_helpers as mtl
from medtl_helpers.data import own_masks

PARTS = ("train", "val", "test")


def found(task) -> dict[bytes, bytes]:
    """Pixels of an image -> those of its mask."""
    return {
        x.numpy().tobytes(): y.numpy().tobytes()
        for split in PARTS
        for x, y in zip(*getattr(task, split), strict=True)
    }  # fmt: skip


WANTED = {image(k)[None].tobytes(): (mask(k) > 0).astype(np.uint8).tobytes() for k in range(10)}


def palette(path, black_first=True):
    """Two colours by number."""
    picture = Image.fromarray((mask(int(path.stem.split("_")[1])) > 0).astype(np.uint8), mode="P")
    picture.putpalette([0, 0, 0, 255, 255, 255] if black_first else [200, 0, 0, 0, 200, 0])
    picture.save(path)


WAYS = {
    "0 and 255": {},
    "0 and 1": {"number": 1},
    "0 and 7": {"number": 7},
    "…_mask": {"mask_name": "{}_mask"},
    "TIFF": {"suffix": ".tif"},
    "TIFF in LZW": {"suffix": ".TIFF", "compression": "tiff_lzw"},
    "BMP": {"suffix": ".bmp"},
    "1 bit": {"mode": "1"},
    "grey as RGB": {"mode": "RGB"},
    "grey as RGBA": {"mode": "RGBA"},
    "grey with alpha": {"mode": "LA"},
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_every_way_to_write_a_mask_gives_the_same_task(tmp_path, way):
    task = mtl.load_masks(by_name(tmp_path, **way))
    assert found(task) == WANTED and task.classes == ("background", "object")
    assert task.train.x.dtype == task.train.y.dtype == torch.uint8 and task.train.x.shape == (6, 1, 24, 20)
    assert [len(getattr(task, split).y) for split in PARTS] == [6, 2, 2]


@pytest.mark.parametrize("kind", ["grey palette", "colour palette", "16 bits", "32 bits", "floats", "64 bits"])
def test_numbers_of_any_kind(tmp_path, kind):
    by_name(tmp_path)
    for path in (tmp_path / "masks").iterdir():
        k, wide = int(path.stem.split("_")[1]), mask(int(path.stem.split("_")[1])) > 0
        if "palette" in kind:
            palette(path, kind == "grey palette")
        elif kind == "16 bits":
            save(path, wide.astype(np.uint16) * 700)
        else:
            path.unlink()
            dtype = {"32 bits": np.int32, "floats": np.float32, "64 bits": None}[kind]
            if dtype:
                save(path.with_suffix(".tif"), wide.astype(dtype) * dtype(3))
            else:  # Pillow writes no 64 bits: the header of 32-bit numbers says that each has 64
                wide_tiff(path.with_suffix(".tif"), wide.astype("<i8"))
        assert k >= 0
    assert found(mtl.load_masks(tmp_path)) == WANTED


def wide_tiff(path, numbers):
    """An uncompressed TIFF of int64, as other libraries write label images."""
    import struct

    height, width = numbers.shape
    tags = [(256, width), (257, height), (258, 64), (259, 1), (262, 1), (273, 8), (277, 1), (278, height),
            (279, numbers.nbytes), (339, 2)]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    head = b"II*\0" + struct.pack("<I", 8 + numbers.nbytes)
    path.write_bytes(head + numbers.tobytes() + struct.pack("<H", len(tags)) + entries + bytes(4))


def test_a_folder_an_image_with_a_mask_an_object(tmp_path, capsys):
    task = mtl.load_masks(by_object(tmp_path))
    assert found(task) == {
        image(k)[None].tobytes(): ((mask(k) + mask(k + 3)) > 0).astype(np.uint8).tobytes() for k in range(6)
    }
    said = capsys.readouterr().out
    assert "the 12 masks of single objects were joined, so that objects that touch are one" in said
    assert "val and test were drawn at random, 15 % each: if a patient has several images, say with patients=" in said


def test_the_published_layout_gives_the_pictures_of_the_real_file(real_file):
    path = real_file("nuclei/dsb2018_128.npz")
    if not (folder := path.parent / "stage1_train").is_dir():
        pytest.skip(f"no folder {folder} here")
    arrays, task = np.load(path), mtl.load_masks(folder, size=128, channels=3)
    known = {x.tobytes(): m for x, m in zip(arrays["x"], arrays["m"], strict=True)}
    for x, y in found(task).items():
        picture = np.frombuffer(x, np.uint8).reshape(3, 128, 128).transpose(1, 2, 0)
        assert (known[picture.tobytes()].ravel() == np.frombuffer(y, np.uint8)).mean() > 0.985  # nearest, not bilinear


@pytest.mark.parametrize("layout", ["above", "inside"])
def test_the_folders_own_splits_stay_as_they_are(tmp_path, capsys, layout):
    for start, (split, n) in zip((0, 6, 8), {"train": 6, "Validation": 2, "test": 2}.items(), strict=True):
        by_name(tmp_path / "one" / split, n, start=start)
        for part in ("images", "masks"):
            shutil.copytree(tmp_path / "one" / split / part, tmp_path / "two" / part / split)
    task = mtl.load_masks(tmp_path / ("one" if layout == "above" else "two"), patients=r"^(P\d+)_")
    assert found(task) == WANTED and [len(getattr(task, split).y) for split in PARTS] == [6, 2, 2]
    assert [set(task.patients[split]) for split in PARTS] == [{"P0", "P1", "P2"}, {"P3"}, {"P4"}]
    where = "Validation/images/P3_7.png" if layout == "above" else "images/Validation/P3_7.png"
    assert task.files["val"].tolist()[1] == where and task.where("val", 1) == where
    assert "patients in train/val/test 3/1/1, none of them in two.\n" in capsys.readouterr().out


def test_patients_are_drawn_whole_and_become_groups(tmp_path):
    task = mtl.load_masks(by_name(tmp_path, 30), patients=r"^(P\d+)_")
    held = [set(task.patients[split]) for split in PARTS]
    assert not (held[0] & held[1] or held[0] & held[2] or held[1] & held[2]) and len(set.union(*held)) == 15
    for split in PARTS:
        pairs = set(zip(task.patients[split], task.groups[split].tolist(), strict=True))
        assert len(pairs) == len(set(task.groups[split])) and task.groups[split].dtype == np.int64
    again, other = (mtl.load_masks(tmp_path, patients=r"^(P\d+)_", seed=seed) for seed in (0, 1))
    assert again.files["test"].tolist() == task.files["test"].tolist() != other.files["test"].tolist()


def test_each_split_has_its_share_of_the_empty_masks(tmp_path):
    by_name(tmp_path, 40)
    for k in range(28):
        save(tmp_path / "masks" / f"P{k // 2}_{k}.png", np.zeros((24, 20), np.uint8))
    for options in ({}, {"patients": r"^(P\d+)_"}):
        task = mtl.load_masks(tmp_path, **options)
        counts = [(len(y), int(y.flatten(1).any(1).sum())) for y in (getattr(task, split).y for split in PARTS)]
        assert sum(n for n, _ in counts) == 40 and all(abs(n - 6) <= 2 and abs(k - 2) <= 1 for n, k in counts[1:]), (
            counts
        )


def labels(seed, values=(1, 2, 3)):
    out = np.zeros((24, 20), np.uint8)
    for k, value in enumerate(values):
        out[(seed + 5 * k) % 19 :, 5 * k : 5 * k + 4][:5] = value
    return out


@pytest.mark.parametrize(
    "values, classes, names, wanted",
    [
        ((1, 2, 3), ("liver", "spleen", "kidney"), ("liver", "spleen", "kidney"), (1, 2, 3)),
        ((1, 2, 3), ["background", "a", "b", "c"], ("a", "b", "c"), (1, 2, 3)),
        ((63, 126, 189), {0: "background", 126: "b", 63: "a", 189: "c"}, ("b", "a", "c"), (2, 1, 3)),
        ((1, 2, 3), {1: "liver", 2: "kidney", 3: "kidney"}, ("liver", "kidney"), (1, 2, 2)),
        ((1, 2, 3), "nucleus", ("nucleus",), (1, 1, 1)),
        ((255, 255, 255), ["nucleus"], ("nucleus",), (1, 1, 1)),
        ((1, 2, 255), {1: "liver", 2: "spleen", 255: "background"}, ("liver", "spleen"), (1, 2, 0)),
    ],
)
def test_numbers_become_classes_by_their_names(tmp_path, values, classes, names, wanted):
    for k in range(8):
        save(tmp_path / "images" / f"{k}.png", image(k))
        save(tmp_path / "masks" / f"{k}.png", labels(k, values))
    task = mtl.load_masks(tmp_path, classes=classes)
    assert task.classes == ("background", *names)
    assert found(task) == {image(k)[None].tobytes(): labels(k, wanted).tobytes() for k in range(8)}


def test_images_are_resized_bilinear_and_masks_by_the_nearest_pixel(tmp_path):
    by_name(tmp_path, 3)
    for k in range(3, 8):
        save(tmp_path / "images" / f"P9_{k}.png", image(k, (31, 40)))
        save(tmp_path / "masks" / f"P9_{k}.png", mask(k, (31, 40)))
    task = mtl.load_masks(tmp_path, size=(16, 12))
    wanted = {}
    for k in range(8):
        shape = (24, 20) if k < 3 else (31, 40)
        small = np.asarray(Image.fromarray(image(k, shape)).resize((12, 16), Image.Resampling.BILINEAR))
        rows, columns = ((np.arange(n) + 0.5) * full // n for n, full in zip((16, 12), shape, strict=True))
        wanted[small.tobytes()] = (
            (mask(k, shape)[rows.astype(int)][:, columns.astype(int)] > 0).astype(np.uint8).tobytes()
        )
    assert found(task) == wanted and mtl.load_masks(tmp_path, size=16).train.x.shape[2:] == (16, 16)


def test_colour_stays_and_grey_can_be_asked_for(tmp_path):
    by_name(tmp_path, 5)
    colours = np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8)
    save(tmp_path / "images" / "P0_0.png", colours)
    task = mtl.load_masks(tmp_path)
    assert task.train.x.shape[1] == 3 and colours.transpose(2, 0, 1).tobytes() in found(task)
    assert mtl.load_masks(tmp_path, channels=1).train.x.shape[1] == 1


def test_a_dicom_image_and_a_png_mask(tmp_path):
    from test_dicom import dicom

    by_name(tmp_path, 5)
    (tmp_path / "images" / "P0_0.png").unlink()
    values = image(0)
    dicom(tmp_path / "images" / "P0_0.dcm", values)
    assert (found(mtl.load_masks(tmp_path)).keys() & WANTED.keys()) >= {image(k)[None].tobytes() for k in range(1, 5)}


# --- what is told ----------------------------------------------------------------------------------------------------


def told(capsys, root, **options) -> str:
    mtl.load_masks(root, **options)
    return capsys.readouterr().out


def test_empty_and_full_masks_and_constant_images_are_told(tmp_path, capsys):
    by_name(tmp_path)
    save(tmp_path / "masks" / "P1_2.png", np.zeros((24, 20), np.uint8))
    save(tmp_path / "masks" / "P2_4.png", np.full((24, 20), 255, np.uint8))
    save(tmp_path / "images" / "P3_6.png", np.full((24, 20), 9, np.uint8))
    said = told(capsys, tmp_path)
    assert "1 of 10 mask(s) are empty, which says that nothing is there (e.g. of images/P1_2.png)" in said
    assert "1 of 10 mask(s) are object everywhere (e.g. of images/P2_4.png)" in said
    assert "1 of 10 image(s) have one value everywhere (e.g. of images/P3_6.png)" in said


def test_masks_turned_inside_out_are_told(tmp_path, capsys):
    by_name(tmp_path)
    for path in (tmp_path / "masks").iterdir():
        save(path, 255 - np.asarray(Image.open(path)))
    assert "most pixels of most masks are object: if background and object were exchanged" in told(capsys, tmp_path)


def test_copies_across_splits_and_files_left_out_are_told(tmp_path, capsys):
    for start, (split, n) in zip((0, 6), {"train": 6, "test": 4}.items(), strict=True):
        by_name(tmp_path / split, n, start=start)
    for part in ("images", "masks"):
        shutil.copy(tmp_path / "test" / part / "P3_7.png", tmp_path / "train" / part / "again.png")
    (tmp_path / "train" / "images" / "notes.txt").write_text("x")
    (tmp_path / "readme.md").write_text("x")
    said = told(capsys, tmp_path)
    assert "1 of 4 test images also in train" in said or "also in val" in said
    assert "skipped 2 hidden or other files and folders (e.g. " in said
    assert "val was drawn at random" in said


def test_pieces_of_one_picture_are_told_and_those_of_one_patient_are_not(tmp_path, capsys):
    from test_crops import scene, tiles

    for k, tile in enumerate(torch.cat([tiles(scene(seed)) for seed in range(5)])):
        save(tmp_path / "images" / f"P{k // 4}_{k}.png", tile.round().to(torch.uint8).permute(1, 2, 0).numpy())
        save(tmp_path / "masks" / f"P{k // 4}_{k}.png", mask(k, (48, 48)))
    said = told(capsys, tmp_path)
    assert "20 pair(s) of images fit together at a border, as if cut from one picture (e.g. images/P0_0.png and" in said
    assert "fit together" not in told(capsys, tmp_path, patients=r"P\d+")


def test_what_a_split_lacks_and_what_a_small_size_loses_is_told(tmp_path, capsys):
    for k in range(8):
        save(tmp_path / "images" / f"{k}.png", image(k))
        save(tmp_path / "masks" / f"{k}.png", labels(k, (1, 2)))
    small = labels(3, (1, 2))
    small[5, 11] = 3
    save(tmp_path / "masks" / "3.png", small)
    said = told(capsys, tmp_path, classes=("a", "b", "c", "d"), size=8)
    assert "no mask holds 'd'" in said and "lost a class at 8 × 8 px: choose a larger size" in said
    assert "no mask in test holds c" in said


def test_an_image_that_exif_turns_is_told(tmp_path, capsys):
    by_name(tmp_path, 4)
    exif = Image.Exif()
    exif[274] = 3
    Image.fromarray(image(0)).save(tmp_path / "images" / "P0_0.png", exif=exif)
    assert "1 images (e.g. images/P0_0.png) were turned as their EXIF says" in told(capsys, tmp_path)


def test_masks_of_0_and_1_beside_masks_of_0_and_255_are_told(tmp_path, capsys):
    by_name(tmp_path, 5)
    by_name(tmp_path, 5, start=5, number=1)
    assert "some masks hold 0 and 1, others 0 and 255: both are taken as one class" in told(capsys, tmp_path)
    assert found(mtl.load_masks(tmp_path)) == WANTED


def test_the_first_line_says_what_was_loaded(tmp_path, capsys):
    root = by_name(tmp_path / "nuclei of mine")
    assert told(capsys, root).splitlines()[0] == (
        "nuclei of mine: your own images and masks, 24 × 20 px, grey; train/val/test 6/2/2; classes background, object."
    )
    assert own_masks.SHARE == 0.15
