"""Image files: each pixel rule against an independent computation."""

import struct
import warnings
import zlib

import numpy as np
import pytest
from image_files import ALPHA, DEEP, GREY, RGB, RNG, percentile_window, same, save, window_by_hand
from PIL import Image

from medtl_helpers.data.images import read_image
from medtl_helpers.data.pixels import SuspectImage, UnusableImage, nearly_constant, white

# --- 8-bit images ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".TIFF"])
def test_grey_and_rgb_come_back_unchanged(tmp_path, suffix):
    same(read_image(save(tmp_path / f"grey{suffix}", GREY)), GREY)
    same(read_image(save(tmp_path / f"rgb{suffix}", RGB)), RGB)


def test_jpeg(tmp_path):
    for pixels in (np.full((16, 16), 77, np.uint8), np.full((16, 16, 3), 77, np.uint8)):
        same(read_image(save(tmp_path / "flat.JPG", pixels)), pixels, within=1)


def test_one_bit_is_0_and_255(tmp_path):
    for suffix in (".png", ".tif", ".bmp"):
        path = save(tmp_path / f"bits{suffix}", Image.fromarray(GREY > 99))
        same(read_image(path), np.where(GREY > 99, 255, 0))


def test_palette_becomes_rgb(tmp_path):
    image = Image.fromarray(GREY % 4).convert("P")
    colours = [(10, 20, 30), (200, 0, 0), (0, 150, 7), (255, 255, 255)]
    image.putpalette([v for colour in colours for v in colour])
    expected = np.array(colours)[GREY % 4]
    same(read_image(save(tmp_path / "palette.png", image)), expected)
    see_through = save(tmp_path / "transparent.png", image, transparency=1)
    same(read_image(see_through), np.where((GREY % 4 == 1)[..., None], 0, expected))


def test_cmyk_becomes_rgb(tmp_path):
    cmyk = RNG.integers(0, 256, (10, 12, 4), dtype=np.uint8)
    path = save(tmp_path / "ink.tif", Image.fromarray(cmyk, mode="CMYK"))
    expected = (255.0 - cmyk[..., :3]) * (255.0 - cmyk[..., 3:]) / 255
    same(read_image(path), expected.round(), within=1)


def test_alpha_is_laid_on_black(tmp_path):
    path = save(tmp_path / "rgba.png", np.dstack([RGB, ALPHA]))
    same(read_image(path), (RGB * (ALPHA[..., None] / 255)).round(), within=1)
    path = save(tmp_path / "la.png", Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(ALPHA)]))
    same(read_image(path), (GREY * (ALPHA / 255)).round(), within=1)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
@pytest.mark.parametrize("orientation, undo", [(3, lambda a: a[::-1, ::-1]), (6, lambda a: np.rot90(a, -1))])
def test_exif_orientation(tmp_path, suffix, orientation, undo):
    stored = np.repeat(np.repeat(np.array([[0, 80, 160], [40, 120, 240]], np.uint8), 8, 0), 8, 1)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / f"turned{suffix}", stored, exif=exif)
    same(read_image(path), undo(stored), within=3 if suffix == ".jpg" else 0)


# --- deep grey -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "suffix, dtype", [(".png", "uint16"), (".tif", "uint16"), (".tif", "int32"), (".tif", "float32")]
)
def test_deep_grey_is_windowed_by_its_own_percentiles(tmp_path, suffix, dtype):
    values = DEEP.astype(dtype) - (2000 if dtype != "uint16" else 0)
    read = read_image(save(tmp_path / f"deep{suffix}", values))
    same(read, percentile_window(values))
    assert read.min() == 0 and read.max() == 255


def test_a_white_is_zero_tiff_is_inverted(tmp_path):
    black_is_zero = read_image(save(tmp_path / "deep.tif", DEEP))
    same(read_image(save(tmp_path / "white.tif", DEEP, tiffinfo={262: 0})), 255 - black_is_zero)


def test_window_of_a_constant_and_of_a_nearly_constant_image(tmp_path):
    values = np.full((40, 40), 1000, np.uint16)
    assert (read_image(save(tmp_path / "flat.png", values)) == 0).all()
    values[3, 5], values[4, 5] = 1100, 1300  # less than 0.5 % of the pixels: both percentiles are 1000
    same(read_image(save(tmp_path / "spots.png", values)), window_by_hand(values, 1000, 1300))


def write_png(path, numbers, interlaced=False, clear=None):
    """uint16 H×W×samples as a PNG, byte by byte, its rows in turn unfiltered and as differences to the row above."""
    height, width, samples = numbers.shape
    passes = [(0, 0, 1, 1)]
    if interlaced:  # Adam7: first row and column, steps
        passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    data = b""
    for top, left, down, right in passes:
        rows = numbers[top::down, left::right].astype(">u2").reshape(-1, len(numbers[0, left::right]) * samples)
        above = b"\0" * rows.shape[1] * 2
        for k, row in enumerate(rows):
            raw = row.tobytes()
            data += b"\2" + bytes((a - b) % 256 for a, b in zip(raw, above, strict=True)) if k % 2 else b"\0" + raw
            above = raw
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[samples]
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, interlaced))]
    if clear is not None:
        chunks.append((b"tRNS", struct.pack(f">{samples}H", *clear)))
    chunks += [(b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    body = [struct.pack(">I", len(d)) + kind + d + struct.pack(">I", zlib.crc32(kind + d)) for kind, d in chunks]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(body))
    return path


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("bits", [9, 12, 16])
def test_16_bit_colours_of_a_png_keep_their_depth(tmp_path, bits, interlaced):
    numbers = RNG.integers(0, 2**bits, (20, 24, 4)).astype(np.uint16)
    numbers[0, 0] = 2**bits - 1
    shades = np.rint(numbers[..., :3] / (2 ** (bits + bits % 2) - 1) * 255)
    same(read_image(write_png(tmp_path / "rgb.png", numbers[..., :3], interlaced)), shades)
    shown = numbers[..., 3:] / 65535
    same(read_image(write_png(tmp_path / "rgba.png", numbers, interlaced)), np.rint(shades * shown))
    key = numbers[2, 3, :3]
    path = write_png(tmp_path / "key.png", numbers[..., :3], interlaced, clear=key)
    same(read_image(path), np.where((numbers[..., :3] == key).all(-1)[..., None], 0, shades))


def test_what_is_transparent_takes_no_part_in_the_window_of_deep_grey(tmp_path):
    shown = np.hypot(*np.mgrid[-19.5:20, -14.5:15]) < 14
    grey, alpha = np.where(shown, DEEP, 60_000).astype(np.uint16), shown * np.uint16(65535)
    wanted = np.zeros(DEEP.shape)
    wanted[shown] = percentile_window(DEEP[shown])
    same(read_image(write_png(tmp_path / "la.png", np.dstack([grey, alpha]))), wanted)
    same(read_image(write_png(tmp_path / "key.png", grey[..., None], clear=[60_000])), wanted)


def test_white_is_the_declared_depth_or_the_one_that_is_filled():
    assert [white(n) for n in (0, 255, 256, 4095, 4096, 65535)] == [255, 255, 1023, 4095, 16383, 65535]
    assert [white(n, 12) for n in (9, 4095, 4096)] == [4095, 4095, 16383]


def test_animations_and_second_pictures_are_refused_and_thumbnails_are_not(tmp_path):
    frames = [Image.fromarray(RNG.integers(0, 256, (40, 40, 3), dtype=np.uint8)) for _ in range(2)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "b.jpg", format="MPO", save_all=True, append_images=frames[1:])
    for name in ("a.png", "b.jpg"):
        with pytest.raises(UnusableImage, match="holds several pages"):
            read_image(tmp_path / name)
    content = (tmp_path / "b.jpg").read_bytes()
    entries = content.index(b"MPF\0") + 4 + 8 + 2 + 3 * 12 + 4  # behind header and directory, 16 bytes a picture
    second = entries + 16
    camera = content[:second] + struct.pack("<I", 0x010001) + content[second + 4 :]
    (tmp_path / "c.jpg").write_bytes(camera)
    same(read_image(tmp_path / "c.jpg"), np.asarray(Image.open(tmp_path / "c.jpg").convert("RGB")))


# --- pictures without content ----------------------------------------------------------------------------------------


def test_nearly_constant():
    stored = np.arange(4096).reshape(64, 64)
    for picture in (stored * 0, stored // 4095 * 255, stored // 256, np.where(stored > 9, 255, 0), stored // 300 + 200):
        assert nearly_constant(stored, picture.astype(np.uint8))
        assert nearly_constant(np.dstack([stored] * 3), np.dstack([picture] * 3).astype(np.uint8))
    for numbers, picture in [
        (stored, stored // 16),  # as it should be
        (stored, stored // 128),  # dark, and with 32 levels
        (stored // 600, stored // 600),  # little was there
        (stored * 0, stored * 0),
        (np.where(stored == 7, stored, 0), stored * 0),  # all but one pixel are equal
    ]:
        assert not nearly_constant(numbers, picture.astype(np.uint8))
    one_channel_varies = np.dstack([stored * 0, stored // 16, stored * 0]).astype(np.uint8)
    assert not nearly_constant(stored, one_channel_varies)


def test_a_nearly_constant_picture_is_told_in_one_sentence(tmp_path):
    path = save(tmp_path / "clear.png", np.dstack([RGB, ALPHA * 0]))  # wholly transparent
    with pytest.warns(SuspectImage) as told:
        assert not read_image(path).any()
    (warning,) = told
    assert str(warning.message) == (
        f"{path} has varied stored numbers and becomes a nearly constant picture: look at it in a viewer, and export "
        "it again with another window."
    )
    assert warning.message.path == path and warning.filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_image(save(tmp_path / "flat.png", GREY * 0))
        read_image(save(tmp_path / "dim.png", GREY // 50))
