"""TIFF files of every number type, order and compression, written here byte by byte; and those that hold several."""

import struct
import zlib

import numpy as np
import pytest
from image_files import percentile_window, same
from PIL import Image

from medtl_helpers.data.images import read_image
from medtl_helpers.data.pixels import UnusableImage

RNG = np.random.default_rng(5)
SHADES = np.add.outer(np.arange(24), np.arange(20))  # H×W


def write_tiff(path, pixels, order="<", deflated=False, predictor=1, planes=False, tile=None, more=None):
    """H×W or H×W×samples of any number type as a TIFF of strips of 7 rows, or of square tiles."""
    height, width, samples = np.atleast_3d(pixels).shape
    high, wide = (tile, tile) if tile else (7, width)
    layers = np.moveaxis(np.atleast_3d(pixels), 2, 0)[..., None] if planes else np.atleast_3d(pixels)[None]
    chunks = []
    for layer in layers:
        for top in range(0, height, high):
            for left in range(0, width, wide):
                block = layer[top : top + high, left : left + wide]
                if tile:
                    block = np.pad(block, ((0, tile - block.shape[0]), (0, tile - block.shape[1]), (0, 0)))
                raw = encoded(block, predictor, order)
                chunks.append(zlib.compress(raw) if deflated else raw)
    kind = {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]
    where = (324, 325) if tile else (273, 279)
    tags = {256: [width], 257: [height], 258: [8 * pixels.itemsize] * samples, 259: [8 if deflated else 1],
            262: [2 if samples > 2 else 1], 277: [samples], 284: [2 if planes else 1], 317: [predictor],
            339: [kind] * samples, **({322: [tile], 323: [tile]} if tile else {278: [high]}),
            where[0]: [0] * len(chunks), where[1]: [len(chunk) for chunk in chunks], **(more or {})}  # fmt: skip
    free = 8 + 2 + 12 * len(tags) + 4
    tags[where[0]] = list(free + 4 * sum(len(v) for v in tags.values()) + np.cumsum([0, *map(len, chunks[:-1])]))
    entries = behind = b""
    for tag, values in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(values)}I", *values)
        place = packed if len(values) == 1 else struct.pack(f"{order}I", free + len(behind))
        behind += b"" if len(values) == 1 else packed
        entries += struct.pack(f"{order}HHI", tag, 4, len(values)) + place
    behind = behind.ljust(4 * sum(len(v) for v in tags.values()), b"\0")
    start = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HIH", 42, 8, len(tags))
    path.write_bytes(start + entries + bytes(4) + behind + b"".join(chunks))
    return path


def encoded(block, predictor, order):
    """Bytes of rows×columns×samples, as differences along the rows where a predictor asks for it (TIFF 6, § 14)."""
    if predictor == 3:  # all highest bytes of a row, then the next ones
        planes = block.astype(f">f{block.itemsize}").view(np.uint8).reshape(len(block), -1, block.itemsize)
        rows = planes.swapaxes(1, 2).reshape(len(block), -1, block.shape[2])
        return np.diff(rows, axis=1, prepend=np.uint8(0)).tobytes()
    if predictor == 2:
        whole = np.ascontiguousarray(block).view(f"u{block.itemsize}")
        block = np.diff(whole, axis=1, prepend=whole.dtype.type(0))
    return block.astype(block.dtype.newbyteorder(order)).tobytes()


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("dtype", ["i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"])
def test_each_number_type_in_each_order(tmp_path, order, dtype):
    factor = {"u4": 90_000_000, "i4": 40_000_000, "u8": 10**9, "i8": 10**9}.get(dtype, 5)
    numbers = ((SHADES - (0 if dtype[0] == "u" else 21)) * factor).astype(dtype)
    wanted = percentile_window(numbers.astype(float))
    for predictor in (1, 3) if dtype[0] == "f" else (1, 2):
        for options in ({}, {"deflated": True}, {"tile": 16}):
            path = write_tiff(tmp_path / "x.tif", numbers, order, predictor=predictor, **options)
            same(read_image(path), wanted, within=dtype in ("f2", "f4"))  # windowed as float32


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate"])
def test_compressions_give_the_same_numbers(tmp_path, compression):
    numbers = RNG.integers(0, 3000, (50, 31)).astype(np.uint16)
    for k, name in enumerate(["a.tif", "b.tif"]):
        Image.fromarray(numbers).save(tmp_path / name, compression=compression if k else None)
    same(read_image(tmp_path / "b.tif"), read_image(tmp_path / "a.tif"))
    same(read_image(tmp_path / "b.tif"), percentile_window(numbers))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_colours_of_some_bits_in_16(tmp_path, order, bits):
    numbers = RNG.integers(0, 2**bits, (20, 24, 3)).astype(np.uint16)
    numbers[0, 0, 0] = 2**bits - 1
    for planes in (False, True):
        path = write_tiff(tmp_path / "x.tif", numbers, order, planes=planes)
        same(read_image(path), np.rint(numbers / (2**bits - 1) * 255))


def test_alpha_and_orientation_of_deep_colours(tmp_path):
    numbers = RNG.integers(0, 2**16, (12, 16, 4)).astype(np.uint16)
    numbers[0, 0] = 2**16 - 1
    shades, shown = np.rint(numbers[..., :3] / 65535 * 255), numbers[..., 3:] / 65535
    for extra, wanted in ((2, shades * shown), (0, shades), (1, shades)):
        same(read_image(write_tiff(tmp_path / "a.tif", numbers, more={338: [extra]})), np.rint(wanted), within=1)
    grey = (SHADES * 90).astype(np.uint16)
    for orientation in range(1, 9):
        Image.fromarray((SHADES * 5).astype(np.uint8)).save(tmp_path / "8.tif", tiffinfo={274: orientation})
        eight = read_image(tmp_path / "8.tif").astype(int)  # turned by Pillow
        deep = read_image(write_tiff(tmp_path / "16.tif", grey, more={274: [orientation]}))
        assert deep.shape == eight.shape and np.corrcoef(deep.ravel(), eight.ravel())[0, 1] > 0.999


SEVERAL = {
    "sub-IFD": lambda p: write_tiff(p, SHADES.astype("u2"), more={330: [8]}),
    "depth": lambda p: write_tiff(p, SHADES.astype("u2"), more={32997: [3]}),
    "two stains": lambda p: write_tiff(p, np.dstack([SHADES, SHADES[::-1]]).astype("u1"), more={338: [0]}),
    "two deep stains": lambda p: write_tiff(p, np.dstack([SHADES, SHADES[::-1]]).astype("u2"), more={338: [0]}),
    "ImageJ stack": lambda p: Image.fromarray(SHADES.astype("u2")).save(
        p, tiffinfo={270: "ImageJ=1.54f\nimages=5\nslices=5\n"}
    ),
    "deep pages": lambda p: Image.fromarray(SHADES.astype("u2")).save(
        p, save_all=True, append_images=[Image.fromarray(SHADES.astype("u2"))]
    ),
}


@pytest.mark.parametrize("make", SEVERAL.values(), ids=SEVERAL)
def test_several_pictures_in_one_file(tmp_path, make):
    make(tmp_path / "x.tif")
    with pytest.raises(UnusableImage, match="holds several pages"):
        read_image(tmp_path / "x.tif")


def test_one_picture_of_imagej_is_one(tmp_path):
    Image.fromarray(SHADES.astype("u2")).save(tmp_path / "x.tif", tiffinfo={270: "ImageJ=1.54f\nmin=0\nmax=9\n"})
    same(read_image(tmp_path / "x.tif"), percentile_window(SHADES))


@pytest.mark.parametrize("damage", ["cut", "offset", "deflate"])
def test_damaged_deep_tiffs(tmp_path, damage):
    path = write_tiff(tmp_path / "x.tif", RNG.integers(0, 900, (24, 20)).astype("u2"), deflated=damage == "deflate")
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[:-100]
    else:
        content[-300:-100] = b"\x55" * 200
    if damage == "offset":
        content = content.replace(struct.pack("<HHI", 278, 4, 1), struct.pack("<HHI", 999, 4, 1))  # strips do not fit
    path.write_bytes(content)
    with pytest.raises(UnusableImage, match="is damaged or incomplete"):
        read_image(path)


@pytest.mark.parametrize("kind", ["64-bit complex", "CMYK of 16 bits", "JPEG 2000"])
def test_what_cannot_be_read_without_loss_is_refused(tmp_path, kind):
    pixels, more = RNG.integers(0, 900, (24, 20, 4)).astype("u2"), {262: [5]}
    if kind == "64-bit complex":
        pixels, more = SHADES.astype("f8"), {339: [6]}
    if kind == "JPEG 2000":
        pixels, more = SHADES.astype("u2"), {259: [34712]}
    with pytest.raises(UnusableImage, match=r"cannot be (read|decoded) here"):
        read_image(write_tiff(tmp_path / "x.tif", pixels, more=more))
