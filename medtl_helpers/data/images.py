"""One image file on disk -> one uint8 array, by written rules; one clear sentence for every file that will not do.

Nothing but pixels leaves this module. Of a DICOM file only the tags that its pixels need are read (never a name, a
date or a number of the patient), and no error, warning or log line repeats a value found in a file.
"""

import warnings
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps
from PIL.MpoImagePlugin import MpoImageFile

from .dicom import is_dicom, read_dicom
from .pixels import (
    SEVERAL_PAGES,
    TOO_LARGE,
    SuspectImage,
    UnusableImage,
    check_size,
    deep_to_bytes,
    nearly_constant,
    quiet,
    white,
)
from .tiff import EXTRA, PHOTOMETRIC, libtiff_is_heard, read_deep_tiff, tiff_directory, turned

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".dcm")


def read_image(path) -> np.ndarray:
    """Read one PNG, JPEG, TIFF, BMP or DICOM file. What a file is, its content decides; ``.dcm`` is always DICOM.

    * 8-bit images as they are: turned as their EXIF orientation says; palette, CMYK and YCbCr become RGB; alpha is
      laid on black; 1-bit is 0 and 255.
    * Deep grey (16 bits and more, signed, float): a linear window from the image's own 0.5th to its 99.5th percentile
      becomes 0..255 (its minimum and maximum, where these two are equal; a constant image becomes zeros). Absolute
      intensity is lost by that: two images with the same grey level need not show the same thing. White-is-zero TIFF is
      inverted.
    * 16-bit colour: 0 becomes 0, and 255 is 2^bits − 1, with the fewest of 8, 10, 12, 14 and 16 bits that hold the
      image's largest number, so that 12 bits in 16 are no dark picture. Colour of other numbers takes the percentile
      window, one for all three.
    * DICOM grey: modality LUT or rescale, then the file's first VOI LUT or, without one, its first window (PS3.3
      C.11.2: LINEAR, LINEAR_EXACT or SIGMOID) becomes 0..255, else the percentile window; then MONOCHROME1 is
      inverted. Enhanced files may keep these in their functional groups. Pixel padding takes no part in percentiles
      and becomes 0. DICOM colour (RGB, YBR, palette) becomes 8-bit RGB. Tables are taken by what they hold.

    Returns uint8 H×W (grey) or H×W×3 (RGB). Text that is burned into the pixels, e.g. a name, stays there.

    Warns with ``SuspectImage`` of a file whose stored numbers vary and whose picture does not (``nearly_constant``).

    Raises ``UnusableImage``, a ValueError, with one sentence that names the file, what is wrong and what to do: no
    file, empty, damaged, no image, several pages or frames, NaN, a side below 8 px, more than 80 million pixels,
    or compressed in a way that cannot be decoded here.
    """
    path = Path(path)
    if not path.is_file():
        raise UnusableImage(path, "is no file", "it is not there, a folder, or a broken link; correct the path")
    try:
        with quiet(), open(path, "rb") as file:
            start = file.read(132)
            if not start:
                raise UnusableImage(path, "is empty (0 bytes)", "copy or export it again")
            file.seek(0)
            read = read_dicom if path.suffix.lower() == ".dcm" or is_dicom(start) else _read_picture
            picture, stored = read(path, file)
            suspect = stored is not picture and nearly_constant(stored, picture)
    except (UnusableImage, MemoryError):
        raise
    except PermissionError:
        raise UnusableImage(path, "may not be read by you", "change its permissions") from None
    except Exception:  # a damaged file can stop a parser anywhere, with any error, and its text may quote the file
        raise UnusableImage(path, "is damaged or incomplete", "copy or export it again, or remove it") from None
    if suspect:
        warnings.warn(SuspectImage(path), stacklevel=2)
    return picture


def _read_picture(path: Path, file) -> tuple[np.ndarray, np.ndarray]:
    """(picture, stored) of an open file that is no DICOM; of 8-bit grey and RGB both are one array."""
    start = file.read(26)
    file.seek(0)
    if start[:4] not in (b"II*\0", b"MM\0*", b"II+\0"):
        return _by_pillow(path, file, start[25] if start[:4] == b"\x89PNG" and start[24] == 16 else 0)
    directory = tiff_directory(path, file)
    with libtiff_is_heard():
        numbers = read_deep_tiff(path, file, directory)
        if numbers is None:
            return _by_pillow(path, file)
    alpha = directory.get(EXTRA, (2,)) == (2,)
    return _deep(path, numbers, alpha=alpha, inverted=directory.get(PHOTOMETRIC) == 0)


def _by_pillow(path: Path, file, deep_png: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """What Pillow can read without loss, and 16-bit PNG of the colour type ``deep_png``."""
    try:  # given the path instead of the file, Pillow 13 garbles uncompressed TIFFs that EXIF turns by 90°
        image: Image.Image = Image.open(file, formats=["PNG", "JPEG", "TIFF", "BMP"])
    except Image.DecompressionBombError:
        raise UnusableImage(path, *TOO_LARGE) from None
    except Image.UnidentifiedImageError:
        raise UnusableImage(
            path,
            "is no image that can be read here, whatever its suffix says",
            "export it again as 8- or 16-bit PNG, or remove it",
        ) from None
    with image:
        check_size(path, *image.size)
        if _pictures(image) > 1:
            raise UnusableImage(path, *SEVERAL_PAGES)
        image.load()
        clear = image.info.get("transparency")  # in PNG: the grey or colour that is none
        if deep_png in (2, 4, 6):
            numbers = turned(_deep_png(file, deep_png), image.getexif().get(ExifTags.Base.Orientation, 1))
            if clear is not None:
                numbers = np.dstack([numbers, np.where((numbers == clear).all(-1), 0, 2**16 - 1)]).astype(np.uint16)
            return _deep(path, numbers, most=2**16 - 1)
        image = ImageOps.exif_transpose(image)
    if image.mode == "F" or image.mode.startswith("I"):
        numbers = np.asarray(image)
        shown = None if clear is None else (numbers != clear).astype(float)
        return deep_to_bytes(path, numbers, shown), numbers
    target = "L" if image.mode in ("1", "L", "LA") else "RGB"
    stored = np.array(image)
    if image.has_transparency_data:
        black = Image.new("RGBA", image.size, "black")
        image = Image.alpha_composite(black, image.convert("RGBA"))
        stored = stored[..., :-1] if stored.ndim == 3 and stored.shape[2] in (2, 4) else stored
    elif image.mode == "LAB":
        raise UnusableImage(path, "is stored in LAB colours", "save it as RGB")
    elif image.mode == target:
        return stored, stored
    return np.array(image.convert(target)), stored


def _pictures(image: Image.Image) -> int:
    """How many pictures the file holds, without the thumbnails that cameras add to a JPEG."""
    if not isinstance(image, MpoImageFile):
        return getattr(image, "n_frames", 1)
    kinds = [entry["Attribute"]["MPType"] for entry in (image.mpinfo or {})[0xB002]]
    return sum(not kind.startswith("Large Thumbnail") for kind in kinds)


def _deep_png(file, colour_type: int) -> np.ndarray:
    """uint16 H×W×samples; Pillow keeps one byte of each number, so it is asked for the high and for the low one."""

    def as_bytes(rawmode: str) -> np.ndarray:
        file.seek(0)
        with Image.open(file, formats=["PNG"]) as image:
            image.tile = [(*tile[:3], rawmode) for tile in image.tile]  # type: ignore[misc]
            return np.array(image)

    if colour_type == 4:  # grey and alpha: four bytes a pixel
        return as_bytes("RGBA").view(">u2")
    mode = "RGB" if colour_type == 2 else "RGBA"
    return as_bytes(f"{mode};16B") * np.uint16(256) + as_bytes(f"{mode};16L")


def _deep(path: Path, numbers: np.ndarray, *, alpha=True, inverted=False, most=None) -> tuple[np.ndarray, np.ndarray]:
    """(picture, stored) of numbers H×W or H×W×samples; an even last sample is ``alpha``, or else left out.

    ``most`` is the number that is opaque, by default ``white`` of the samples.
    """
    shown = None
    if numbers.ndim == 3 and numbers.shape[2] in (2, 4):
        numbers, opacity = numbers[..., :-1], numbers[..., -1]
        if alpha:
            most = 1 if opacity.dtype.kind == "f" else most or white(opacity.max())
            shown = np.clip(opacity / most, 0, 1)
    numbers = numbers[..., 0] if numbers.shape[2:] == (1,) else numbers
    picture = deep_to_bytes(path, numbers, shown, inverted=inverted)
    return picture, numbers
