"""The archive of the Data Science Bowl: packed into the published arrays, bit for bit, or left as it is."""

import hashlib
import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from medtl_helpers.assets import card, checksum_is_right, digest_of_arrays
from medtl_helpers.data.bowl import pack_bowl

RNG = np.random.default_rng(0)


def png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def small_archive(pictures: list[np.ndarray]) -> bytes:
    """A repository with these pictures, two nuclei in each, and files that are none of them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("fixes-30354551/README.rst", "x")
        for k, picture in enumerate(pictures):
            folder = f"fixes-30354551/stage1_train/{hashlib.sha256(bytes([k])).hexdigest()}"
            archive.writestr(f"{folder}/images/a.png", png(picture))
            for top in (0, picture.shape[0] // 2):
                nucleus = np.zeros(picture.shape[:2], np.uint8)
                nucleus[top : top + picture.shape[0] // 4] = 255
                archive.writestr(f"{folder}/masks/{top}.png", png(nucleus))
    return out.getvalue()


DARK = np.repeat(RNG.integers(0, 40, (256, 256, 1), np.uint8), 3, 2)
PICTURES = [DARK, 255 - DARK, RNG.integers(0, 256, (256, 320, 3), np.uint8)]


def test_pictures_outlines_and_kinds_in_the_order_of_their_ids(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(small_archive(PICTURES))
    pack_bowl(path)
    order = np.argsort([hashlib.sha256(bytes([k])).hexdigest() for k in range(3)])
    with np.load(path) as arrays:
        assert arrays["k"].tolist() == [[0, 2, 1][k] for k in order]
        half = arrays["x"][list(order).index(0)].astype(int), DARK.reshape(128, 2, 128, 2, 3).mean((1, 3))
        assert np.abs(half[0] - half[1]).max() < 25  # a triangle of four pixels, and not a box of two
        assert arrays["m"].dtype == bool and arrays["m"].shape == (3, 128, 128)
        for outline in arrays["m"]:
            assert outline[:31].all() and outline[64:95].all() and not outline[33:63].any() and not outline[97:].any()
    assert [one.name for one in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.parametrize("content", [b"", b"no archive", small_archive(PICTURES)[:9000], small_archive([])])
def test_what_is_no_such_archive_stays_as_it_is_and_has_a_wrong_checksum(tmp_path, content):
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    pack_bowl(path)
    assert path.read_bytes() == content and not checksum_is_right(path, card("nuclei")["files"]["dsb2018"]["checksum"])


def test_the_checksum_is_that_of_the_numbers_however_they_are_packed(tmp_path):
    arrays = {"x": np.arange(6, dtype=np.uint8).reshape(2, 3), "k": np.array([1, 2])}
    np.savez(tmp_path / "a.npz", **arrays)
    np.savez_compressed(tmp_path / "b.npz", k=arrays["k"], x=arrays["x"])
    wanted = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        wanted.update(f"{name} {array.dtype.str} {array.shape}".encode() + array.tobytes())
    assert digest_of_arrays(tmp_path / "a.npz") == digest_of_arrays(tmp_path / "b.npz") == wanted.hexdigest()
    for other in ({"x": arrays["x"] + 1}, {"x": arrays["x"].reshape(3, 2)}, {"x": arrays["x"].astype(np.int8)}):
        np.savez(tmp_path / "c.npz", **(arrays | other))
        assert digest_of_arrays(tmp_path / "c.npz") != wanted.hexdigest()
    np.savez(tmp_path / "d.npz", x=np.array([{}], dtype=object))
    assert digest_of_arrays(tmp_path / "d.npz") == ""


def test_the_published_pictures_become_the_arrays_of_the_real_file(real_file, tmp_path):
    """The 32 of them that lie here in the layout of the archive: pictures, outlines and kinds, bit for bit."""
    real = real_file("nuclei/dsb2018_128.npz")
    assert checksum_is_right(real, card("nuclei")["files"]["dsb2018"]["checksum"])
    if not (folder := real.parent / "stage1_train").is_dir():
        pytest.skip(f"no folder {folder} here")
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*.png"):
            archive.write(file, f"fixes/stage1_train/{file.relative_to(folder).as_posix()}")
    pack_bowl(path)
    with np.load(real) as arrays, np.load(path) as packed:
        at = {x.tobytes(): k for k, x in enumerate(arrays["x"])}
        rows = [at[x.tobytes()] for x in packed["x"]]
        assert rows == sorted(rows) and len(rows) == 32
        assert (packed["m"] == arrays["m"][rows]).all() and (packed["k"] == arrays["k"][rows]).all()


def test_the_kinds_of_the_real_file_follow_from_the_pictures(real_file):
    with np.load(real_file("nuclei/dsb2018_128.npz")) as arrays:
        x = arrays["x"]
        coloured = (x != x[..., :1]).any((1, 2, 3))
        assert (np.where(coloured, 1, 2 * (x.mean((1, 2, 3)) > 128)) == arrays["k"]).all()
