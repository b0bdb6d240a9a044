"""Folders of images and masks with something wrong, masks that are none, and calls with masks that cannot be done."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rows import Row, of_ours, unclear

import medtl_helpers as mtl
from medtl_helpers import provenance

sys.path.append(str(Path(__file__).parents[1] / "data"))
from image_files import save
from mask_folders import by_name, by_object, image, mask

NOTHING = "nothing is loaded"


@pytest.fixture(autouse=True)
def forget_sources(monkeypatch):
    monkeypatch.setattr(provenance, "_sources", {})
    monkeypatch.setenv("MEDTL_DATA", "twin")


def one_mask(root, pixels, name="P1_3.png", **options):
    """Ten images with masks, one of which holds other pixels."""
    by_name(root)
    (root / "masks" / "P1_3.png").unlink()
    save(root / "masks" / name, pixels, **options)


def colours() -> np.ndarray:
    return np.dstack([mask(3), mask(4), mask(5)])


def smooth() -> Image.Image:
    large = Image.fromarray(mask(3)).resize((100, 120), Image.Resampling.BILINEAR)
    return large.resize((20, 24), Image.Resampling.BILINEAR)


def transparent() -> np.ndarray:
    return np.dstack([mask(3), mask(3), mask(3), mask(4)])


def numbered(root, values=(1, 2, 3)):
    for k in range(8):
        save(root / "images" / f"{k}.png", image(k))
        pixels = mask(k, number=values[k % len(values)])
        pixels[-1, :4] = values[(k + 1) % len(values)]
        save(root / "masks" / f"{k}.png", pixels)


def splits(root, *names):
    for k, name in enumerate(names):
        by_name(root / name, 4, start=4 * k)


def empty(root):
    for k in range(4):
        save(root / "images" / f"{k}.png", image(k))
        save(root / "masks" / f"{k}.png", np.zeros((24, 20), np.uint8))


def write(path, content: bytes):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def pages(root):
    one_mask(root, mask(3), "P1_3.tif", save_all=True, append_images=[Image.fromarray(mask(4))])


# fault, what makes the folder, arguments, what is said: {} is the folder
FOLDERS = [
    ("no folder", lambda r: None, {"path": "nowhere"}, ["nowhere is no folder: give the one that holds your images"]),
    ("no path", lambda r: None, {"path": 7}, ["7 is no folder: give the one that holds your images and masks"]),
    ("nothing in it", lambda r: None, {}, ["{} has no folders images and masks, nor folders that have them: put the"]),
    ("images alone", lambda r: save(r / "images/1.png", image(1)), {}, ["{} has no folders images and masks", "put"]),
    ("images and masks in one place", lambda r: save(r / "1_mask.png", mask(1)), {}, ["{} has no folders images and"]),
    (
        "no image in images",
        lambda r: (by_name(r, 1), (r / "images/P0_0.png").unlink()),
        {},
        ["images holds no images ("],
    ),
    (
        "an image without a mask",
        lambda r: (by_name(r), (r / "masks/P1_3.png").unlink()),
        {},
        ["{} has 1 image(s) without a mask (P1_3.png): give both the same name", "an all-black mask"],
    ),
    (
        "a mask without an image",
        lambda r: (by_name(r), (r / "images/P1_3.png").unlink()),
        {},
        ["{} has 1 mask(s) without an image (P1_3.png): give both the same name"],
    ),
    (
        "names that do not fit",
        lambda r: by_name(r, mask_name="{}_seg"),
        {},
        ["10 image(s) without a mask (P0_0.png, P0_1.png, P1_2.png, …) and 10 mask(s) without an image (P0_0_seg.png"],
    ),
    (
        "masks of another kind of file",
        lambda r: by_name(r, suffix=".gif"),
        {},
        ["10 image(s) without a mask (P0_0.png, P0_1.png, P1_2.png, …; P0_0.gif there is of another kind): give both"],
    ),
    (
        "volumes",
        lambda r: (write(r / "images/a.nii.gz", b"x"), write(r / "masks/a.nii.gz", b"x")),
        {},
        ["images holds no images (.png, .jpg, .jpeg, .tif, .tiff, .bmp, .dcm); a.nii.gz there is of another kind: put"],
    ),
    (
        "two images of one name",
        lambda r: (by_name(r), save(r / "images/P1_3.bmp", image(3))),
        {},
        ["P1_3.bmp and P1_3.png have one name, so that nobody knows which is meant: rename one"],
    ),
    (
        "two masks of one name",
        lambda r: (by_name(r), save(r / "masks/P1_3.tif", mask(3))),
        {},
        ["P1_3.png and P1_3.tif have one name"],
    ),
    (
        "a case without masks",
        lambda r: (by_object(r), save(r / "other" / "1.png", image(1))),
        {},
        ["{} has 1 folder(s) without images and masks in it, like other: put the images"],
    ),
    (
        "two images of a case",
        lambda r: (by_object(r), save(r / "case1/images/b.png", image(1))),
        {},
        ["case1/images holds 2 images and one is needed, beside its masks"],
    ),
    (
        "no mask of a case",
        lambda r: (by_object(r), [(r / f"case1/masks/{k}.png").unlink() for k in "ab"]),
        {},
        ["case1/masks holds no mask: put one in, all black where the image shows nothing"],
    ),
    (
        "masks of a case of two sizes",
        lambda r: (by_object(r), save(r / "case1/masks/b.png", mask(1, (20, 24)))),
        {},
        ["case1/masks/b.png is 24 × 20 px and a.png 20 × 24): give them one size"],
    ),
    ("no test", lambda r: splits(r, "train", "val"), {}, ["{} has train and val and no test folder: add it, or give"]),
    ("two val folders", lambda r: splits(r, "train", "val", "valid", "test"), {}, ["{} has two folders for val, va"]),
    (
        "two layouts",
        lambda r: (splits(r, "train", "test"), by_object(r / "val")),
        {},
        ["{} has one mask for each object in some splits and one for each image in others"],
    ),
    (
        "a mask of another size",
        lambda r: one_mask(r, mask(3, (20, 24))),
        {},
        [
            "1 of the 10 images in {}, or their masks, cannot be used (images/P1_3.png is 20 × 24 px and its mask "
            "24 × 20): give each mask the height and width of its image"
        ],
    ),
    (
        "images of two sizes",
        lambda r: (
            by_name(r),
            by_name(r / "x", 1),
            save(r / "images/b.png", image(1, (9, 9))),
            save(r / "masks/b.png", mask(1, (9, 9))),
        ),
        {},
        ["The images in {} have 2 sizes, like 20 × 24 px (images/P0_0.png) and 9 × 9 px (images/b.png): say with "],
    ),
    ("colours", lambda r: one_mask(r, colours()), {}, ["masks/P1_3.png has colours): save the number of its class in"]),
    (
        "transparency",
        lambda r: one_mask(r, transparent()),
        {},
        ["masks/P1_3.png is transparent in places): save it as"],
    ),
    (
        "a JPEG",
        lambda r: one_mask(r, mask(3), "P1_3.jpg"),
        {},
        ["masks/P1_3.jpg is a JPEG with ", " numbers between 0 and 255, since JPEG smears them): save masks as PNG"],
    ),
    (
        "smoothed edges",
        lambda r: one_mask(r, smooth()),
        {},
        ["masks/P1_3.png has ", " numbers between 0 and 255, as if its edges had been smoothed): save the mask anew"],
    ),
    (
        "numbers below 0",
        lambda r: one_mask(r, np.full((24, 20), -1, np.int32), "P1_3.tif"),
        {},
        ["has numbers that are no whole ones from 0): save the number"],
    ),
    (
        "broken numbers",
        lambda r: one_mask(r, np.full((24, 20), 0.5, np.float32), "P1_3.tif"),
        {},
        ["has numbers that are no whole ones from 0): save the number"],
    ),
    (
        "NaN",
        lambda r: one_mask(r, np.full((24, 20), np.nan, np.float32), "P1_3.tif"),
        {},
        ["has numbers that are no whole ones from 0): save the number"],
    ),
    ("several pages", pages, {}, ["masks/P1_3.tif holds several pages): save the one you want"]),
    (
        "a damaged mask",
        lambda r: (by_name(r), write(r / "masks/P1_3.png", (r / "masks/P1_3.png").read_bytes()[:60])),
        {},
        ["masks/P1_3.png is damaged or incomplete): copy or export it again"],
    ),
    (
        "an empty file",
        lambda r: (by_name(r), write(r / "masks/P1_3.png", b"")),
        {},
        ["masks/P1_3.png is empty (0 bytes)): copy or export it again"],
    ),
    (
        "a mask in DICOM",
        lambda r: (by_name(r), write(r / "masks/P1_3.png", bytes(128) + b"DICM")),
        {},
        ["masks/P1_3.png is a DICOM file): save the mask as PNG"],
    ),
    ("all masks empty", empty, {}, ["has 4 masks that are all empty (0 everywhere): give masks of objects"]),
    (
        "numbers without names",
        numbered,
        {},
        ["hold the numbers 1, 2, 3 besides 0 (for example masks/", "): say with classes= what they are, in order"],
    ),
    (
        "a number without a name",
        numbered,
        {"classes": ("liver", "spleen")},
        ["hold the number 3 (for example masks/", "), and classes names the numbers 1, 2: name every number, like"],
    ),
    (
        "names twice",
        numbered,
        {"classes": ("liver", "liver", "x")},
        ["classes is ('liver', 'liver', 'x'): give the na"],
    ),
    ("names that are none", numbered, {"classes": {1: 2}}, ["classes has to give a name for each number in the masks"]),
    ("no names", numbered, {"classes": 3}, ["classes is 3: give names in order, or a dict from number to name"]),
    ("one image", lambda r: by_name(r, 1), {}, ["{} has 1 image(s) with masks to be split into 3: add some"]),
    (
        "two patients",
        lambda r: by_name(r, 4),
        {"patients": r"P\d"},
        ["{} has 2 patient(s) with masks to be split into"],
    ),
    (
        "a patient in two splits",
        lambda r: splits(r, "train", "val", "test") or by_name(r / "test", 1),
        {"patients": r"^P\d+"},
        ["1 patient(s) have images in {}/train and in {}/test, for example 'P0'"],
    ),
    ("no pattern", by_name, {"patients": "(P"}, ["patients='(P' is no regular expression"]),
    ("a size of 4", by_name, {"size": 4}, ["size is 4: give a whole number of 8 or more"]),
    (
        "three sides",
        by_name,
        {"size": (9, 9, 9)},
        ["size is a tuple of 3 numbers: give the pixels per side, or (height"],
    ),
    ("channels", by_name, {"channels": 2}, ["channels is 2: give 1 (grey), 3 (RGB), or None"]),
    ("a seed below 0", by_name, {"seed": -1}, ["seed is -1: give a whole number of 0 or more"]),
    ("more than 2 GB", by_name, {"size": 20_000}, ["The 10 images and masks in {} need 16.0 GB at 20000 × 20000 px"]),
]


@pytest.mark.parametrize("make, options, said", [row[1:] for row in FOLDERS], ids=[row[0] for row in FOLDERS])
def test_a_folder_of_masks_that_cannot_be_used(tmp_path, capsys, make, options, said):
    root = tmp_path / "mine"
    root.mkdir()
    make(root)
    before = sorted((p, p.lstat().st_size, p.lstat().st_mtime_ns) for p in root.rglob("*"))
    with pytest.raises(ValueError) as info:
        mtl.load_masks(**{"path": root} | options)
    text = of_ours(info.value)
    for part in said:
        assert part.replace("{}", str(root)) in text, text
    assert capsys.readouterr().out == "" and provenance.noted()[0] == {}
    assert sorted((p, p.lstat().st_size, p.lstat().st_mtime_ns) for p in root.rglob("*")) == before


def task_of(**changes):
    x = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
    pair = mtl.Split(x, (x[:, 0] > 0).to(torch.uint8))
    fields = {"name": "t", "train": pair, "val": pair, "test": pair, "classes": ("background", "a")}
    return mtl.MaskTask(**(fields | changes))


X = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
CALLS = [
    (
        "float images",
        lambda: task_of(train=mtl.Split(X / 255, X[:, 0])),
        "The images of the train split of t are torch.f",
    ),
    (
        "masks with a channel",
        lambda: task_of(val=mtl.Split(X, X)),
        "masks of the val split of t are torch.uint8 of shape",
    ),
    (
        "no masks",
        lambda: task_of(test=mtl.Split(X, None)),
        "masks of the test split of t are None: give a uint8 tensor",
    ),
    (
        "masks of 255",
        lambda: task_of(train=mtl.Split(X, X[:, 0] + 255)),
        "hold the number 255, and there are 2 classes",
    ),
    ("masks of another size", lambda: task_of(train=mtl.Split(X, X[:, 0, :4])), "give one mask of the same height and"),
    ("no background", lambda: task_of(classes=("a", "b")), "The classes of t are a, b: give two or more, 'background'"),
    ("more masks than there are", lambda: mtl.few_masks(task_of(), 5, seed=0), "t has 4 masks for train, and 5 were"),
    ("few masks of no task", lambda: mtl.few_masks(X, 5, seed=0), "few_masks was given a Tensor: give a MaskTask"),
    ("a few of each class", lambda: mtl.few_shot(task_of(), 1, seed=0), "t holds masks, and few_shot draws images of"),
    (
        "patients of masks",
        lambda: mtl.split_by_patient(task_of(), "aabb", seed=0),
        "t holds masks, and split_by_patient",
    ),
    ("another kind", lambda: mtl.load("nuclei", kind="ct"), "kind is 'ct': choose one of fluorescence, histology, bri"),
    ("nuclei of another size", lambda: mtl.load("nuclei", size=64), "The nuclei have 128 px per side, and size is 64"),
    ("a kind of other data", lambda: mtl.load("breast", kind="bright"), "breast is of one kind alone: leave kind out"),
]


@pytest.mark.parametrize("call, said", [row[1:] for row in CALLS], ids=[row[0] for row in CALLS])
def test_a_call_with_masks_that_cannot_be_done(call, said):
    with pytest.raises((ValueError, TypeError)) as info:
        call()
    assert said in of_ours(info.value)


WRONG = {
    "None": lambda: None,
    "a text": lambda: "many",
    "a number below 0": lambda: -3,
    "a fraction": lambda: 2.5,
    "a list": lambda: [1, 2],
    "a tensor": lambda: torch.zeros(3),
    "an object": object,
}


def test_wrong_arguments_are_told_in_a_sentence(tmp_path):
    def arguments():
        return {"task": task_of(), "n": 2, "seed": 0, "val": 1}

    assert unclear(mtl.few_masks, arguments, WRONG) == ""
    root = by_name(tmp_path, 4)

    def loading():
        return {"path": root, "size": 16, "channels": 1, "classes": "a", "patients": None, "seed": 0}

    assert unclear(mtl.load_masks, loading, WRONG) == ""


TABLE = [
    *(Row(f"masks: {fault}", said[0].replace("{}", "the folder"), "the folder") for fault, _, _, said in FOLDERS),
    *(Row(f"outlines: {fault}", said, NOTHING) for fault, _, said in CALLS),
]
