"""TIFF numbers of more than 8 bits by their declared sample format, and what libtiff says only on stderr.

Pillow is the decompressor alone: it wraps signed bytes and large numbers round, cuts colours to 8 bits, and knows no
half or double floats.
"""

import os
import re
import struct
import tempfile
import zlib
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import COMPRESSION_INFO, ImageFileDirectory_v2

from .pixels import SEVERAL_PAGES, UnusableImage, check_size

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, DESCRIPTION = 256, 257, 258, 259, 262, 266, 270
STRIPS, ORIENTATION, SAMPLES, STRIP_ROWS, STRIP_BYTES, PLANAR, PREDICTOR = 273, 274, 277, 278, 279, 284, 317
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES, SUB_IFDS, EXTRA, FORMAT, DEPTH = 322, 323, 324, 325, 330, 338, 339, 32997
PLAIN, LZW, DEFLATES, PACKBITS = 1, 5, (8, 32946), 32773
DTYPES = {"i1", "u2", "i2", "f2", "u4", "i4", "f4", "u8", "i8", "f8"}


def tiff_directory(path: Path, file) -> ImageFileDirectory_v2:
    """The tags of the one picture of an open TIFF file. Raises UnusableImage where it holds several."""
    head = file.read(8)
    directory = ImageFileDirectory_v2(head + (file.read(8) if head[2] == 43 else b""))
    first = directory.next
    file.seek(first)
    directory.load(file)
    file.seek(0)
    stack = re.match(r"ImageJ=.*^images=(\d+)", str(directory.get(DESCRIPTION, "")), re.DOTALL | re.MULTILINE)
    channels = directory.get(PHOTOMETRIC) in (0, 1) and directory.get(SAMPLES, 1) > 1
    if (
        directory.next not in (0, first)
        or SUB_IFDS in directory
        or directory.get(DEPTH, 1) > 1
        or (stack and int(stack[1]) > 1)
        or (channels and directory.get(EXTRA) not in ((1,), (2,)))  # e.g. two stains, as two unnamed samples
    ):
        raise UnusableImage(path, *SEVERAL_PAGES)
    if directory.get(COMPRESSION, 1) not in COMPRESSION_INFO:
        raise UnusableImage(path, "is compressed in a way that cannot be decoded here", "save it uncompressed")
    return directory


def read_deep_tiff(path: Path, file, directory: ImageFileDirectory_v2) -> np.ndarray | None:
    """The numbers of an open TIFF file, H×W or H×W×samples, turned upright; None where all are bytes without sign."""
    bits, formats = set(directory.get(BITS, (1,))), set(directory.get(FORMAT, (1,)))
    if max(bits) < 16 and formats <= {1, 4}:
        return None
    kind = {1: "u", 2: "i", 3: "f", 4: "u"}.get(formats.pop(), "") + str(max(bits) // 8)
    compression, samples = directory.get(COMPRESSION, 1), directory.get(SAMPLES, 1)
    extra = samples - (3 if directory.get(PHOTOMETRIC, 1) == 2 else 1)
    if (
        formats
        or len(bits) > 1
        or kind not in DTYPES
        or directory.get(PHOTOMETRIC, 1) not in (0, 1, 2)
        or extra not in (0, 1)
        or compression not in (PLAIN, LZW, *DEFLATES, PACKBITS)
        or directory.get(FILL_ORDER, 1) != 1
    ):
        raise UnusableImage(
            path,
            "is a TIFF whose numbers, colours or compression cannot be read here without loss",
            "save it uncompressed, as 8- or 16-bit grey or RGB",
        )
    check_size(path, directory[WIDTH], directory[HEIGHT])
    pixels = _chunks(file, directory, np.dtype(kind).newbyteorder("<" if directory.prefix == b"II" else ">"))
    pixels = pixels.astype(np.float32 if kind == "f2" else kind)
    return turned(pixels if samples > 1 else pixels[..., 0], directory.get(ORIENTATION, 1))


def _chunks(file, directory: ImageFileDirectory_v2, dtype: np.dtype) -> np.ndarray:
    """H×W×samples from strips or tiles, with the samples side by side or in planes."""
    width, height, samples = directory[WIDTH], directory[HEIGHT], directory.get(SAMPLES, 1)
    planes = samples if directory.get(PLANAR, 1) == 2 else 1
    wide, high, offsets, sizes = width, min(directory.get(STRIP_ROWS, height), height), STRIPS, STRIP_BYTES
    if tiled := TILES in directory:
        wide, high, offsets, sizes = directory[TILE_WIDTH], directory[TILE_HEIGHT], TILES, TILE_BYTES
    pixels = np.zeros((planes, height, width, samples // planes), dtype)
    places = product(range(planes), range(0, height, high), range(0, width, wide))
    where = zip(places, directory[offsets], directory.get(sizes) or [-1], strict=True)
    for (plane, top, left), offset, size in where:
        rows = high if tiled else min(high, height - top)
        shape = rows, wide, samples // planes
        file.seek(offset)
        data = _unpacked(file.read(size), directory.get(COMPRESSION, 1), rows, wide * shape[2] * dtype.itemsize)
        block = _summed(data, dtype, shape, directory.get(PREDICTOR, 1))
        pixels[plane, top : top + rows, left : left + wide] = block[: height - top, : width - left]
    return np.moveaxis(pixels[..., 0], 0, 2) if planes > 1 else pixels[0]


def _unpacked(data: bytes, compression: int, rows: int, row_bytes: int) -> bytes:
    if compression == PLAIN:
        return data
    if compression in DEFLATES:
        return zlib.decompressobj().decompress(data, rows * row_bytes)
    tags = {WIDTH: row_bytes, HEIGHT: rows, BITS: 8, COMPRESSION: compression, PHOTOMETRIC: 1, STRIPS: 0, SAMPLES: 1,
            STRIP_ROWS: rows, STRIP_BYTES: len(data)}  # fmt: skip
    tags[STRIPS] = 8 + 2 + 12 * len(tags) + 4  # behind the directory
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    with tempfile.TemporaryFile() as file:  # bytes side by side, as a grey picture of one strip
        file.write(b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + data)
        file.seek(0)
        with Image.open(file, formats=["TIFF"]) as image:
            return image.tobytes()


def _summed(data: bytes, dtype: np.dtype, shape: tuple[int, int, int], predictor: int) -> np.ndarray:
    """The numbers in ``data``, rows×columns×samples; predictors 2 and 3 have stored differences along the rows."""
    if predictor == 3:
        different = np.frombuffer(data, np.uint8, np.prod(shape) * dtype.itemsize).reshape(shape[0], -1, shape[2])
        planes = np.cumsum(different, axis=1, dtype=np.uint8).reshape(shape[0], dtype.itemsize, -1)
        return np.ascontiguousarray(planes.swapaxes(1, 2)).view(dtype.newbyteorder(">")).reshape(shape)
    block = np.frombuffer(data, dtype, np.prod(shape)).reshape(shape)
    if predictor == 2:
        whole = f"u{dtype.itemsize}"
        block = np.cumsum(block.view(dtype.byteorder.replace("|", "") + whole), axis=1, dtype=whole)
        return block.view(dtype.newbyteorder("="))
    return block


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """``pixels`` as EXIF's ``orientation``, 1 to 8, wants them to be seen."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels[:, ::-1] if orientation in (2, 3, 6, 7) else pixels


@contextmanager
def libtiff_is_heard():
    """What libtiff writes to stderr meanwhile is an error: it mentions damage there and carries on."""
    try:
        before = os.dup(2)
    except OSError:  # there is no stderr
        yield
        return
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(before, 2)
            os.close(before)
            said.seek(0)
            text = said.read().decode(errors="replace")
    if re.search(r"^\w+: (?!Warning).+\.$", text, re.MULTILINE):
        raise OSError("libtiff found damage.")
