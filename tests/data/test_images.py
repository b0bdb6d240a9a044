"""Image files: each pixel rule against an independent computation."""

import numpy as np
import pytest
from image_files import ALPHA, DEEP, GREY, RGB, RNG, percentile_window, same, save, window_by_hand
from PIL import Image

from medtl_helpers.data.images import read_image

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
