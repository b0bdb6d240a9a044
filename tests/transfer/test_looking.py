"""Every file is looked at, once, and none is lost."""

import hashlib
import os

import numpy as np
import pytest
from PIL import Image

from medtl_helpers.transfer.looking import as_folder, images_below, look_at

GREY = np.random.default_rng(0).integers(0, 256, (12, 20), dtype=np.uint8)


def test_a_file_is_told_with_its_hash_its_size_and_its_colour(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "grey.png")
    Image.fromarray(np.dstack([GREY] * 3)).save(tmp_path / "grey_as_rgb.png")
    Image.fromarray(np.dstack([GREY, GREY, 255 - GREY])).save(tmp_path / "colour.png")
    grey, as_rgb, colour = look_at(tmp_path, [tmp_path / f"{n}.png" for n in ("grey", "grey_as_rgb", "colour")])
    assert (grey.file, grey.width, grey.height, grey.side, grey.wrong) == ("grey.png", 20, 12, 12, "")
    assert grey.sha256 == hashlib.sha256((tmp_path / "grey.png").read_bytes()).hexdigest()
    assert [one.colour for one in (grey, as_rgb, colour)] == [False, False, True]


def test_what_cannot_be_used_is_told_and_raises_nothing(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:60])
    (tmp_path / "c.png").write_bytes(b"")
    whole, cut, empty, gone = look_at(tmp_path, [tmp_path / f"{n}.png" for n in "abcd"])
    assert whole.wrong == "" and "damaged" in cut.wrong and "empty" in empty.wrong and "no file" in gone.wrong
    assert cut.sha256 and not gone.sha256 and cut.side == 0


def test_a_picture_that_lost_its_numbers_is_suspect(tmp_path):
    deep = np.linspace(0, 4000, 400).reshape(20, 20)
    deep[:10] = np.linspace(0, 1e-3, 200).reshape(10, 20)
    deep[0, 0], deep[0, 1] = 1e9, -1e9
    Image.fromarray(deep.astype(np.float32)).save(tmp_path / "deep.tif")
    [seen] = look_at(tmp_path, [tmp_path / "deep.tif"])
    assert seen.wrong == "" and isinstance(seen.suspect, bool)


def test_images_are_found_at_any_depth_and_links_in_circles_are_not_followed(tmp_path):
    for path in ("b/2.png", "a/deep/1.png", "0.png"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(GREY).save(tmp_path / path)
    (tmp_path / "a" / "notes.txt").write_text("x")
    (tmp_path / ".hidden").write_text("x")
    if hasattr(os, "symlink"):
        os.symlink(tmp_path, tmp_path / "a" / "circle")
    found, others = images_below(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["0.png", "a/deep/1.png", "b/2.png"]
    assert {"notes.txt", ".hidden"} <= {path.name for path in others}


def test_a_folder_must_be_one(tmp_path):
    assert as_folder(str(tmp_path), "images") == tmp_path
    with pytest.raises(ValueError, match=r"is no folder: give the one that holds images\.$"):
        as_folder(tmp_path / "not", "images")
