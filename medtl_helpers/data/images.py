"""One image file on disk -> one uint8 array, by written rules; one clear sentence for every file that will not do.

Nothing but pixels leaves this module. Of a DICOM file only the tags that its pixels need are read (never a name, a
date or a number of the patient), and no error, warning or log line repeats a value found in a file.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import TiffImageFile

from .dicom import read_dicom
from .pixels import TOO_LARGE, UnusableImage, check_size, percentile_window, quiet

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".dcm")


def read_image(path) -> np.ndarray:
    """Read one PNG, JPEG, TIFF, BMP or DICOM file. What a file is, its content decides; ``.dcm`` is always DICOM.

    * 8-bit images as they are: turned as their EXIF orientation says; palette, CMYK and YCbCr become RGB; alpha is
      laid on black; 1-bit is 0 and 255. Of 16-bit *colour* only the high byte is kept (Pillow does that).
    * 16-bit, 32-bit and float grey: a linear window from the image's own 0.5th to its 99.5th percentile becomes
      0..255 (its minimum and maximum, where these two are equal; a constant image becomes zeros). Absolute intensity
      is lost by that: two images with the same grey level need not show the same thing. White-is-zero TIFF is inverted.
    * DICOM grey: modality LUT or rescale, then the file's first VOI LUT or, without one, its first window (PS3.3
      C.11.2: LINEAR, LINEAR_EXACT or SIGMOID) becomes 0..255, else the percentile window; then MONOCHROME1 is
      inverted. DICOM colour (RGB, YBR, palette) becomes 8-bit RGB.

    Returns uint8 H×W (grey) or H×W×3 (RGB). Text that is burned into the pixels, e.g. a name, stays there.

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
            is_dicom = path.suffix.lower() == ".dcm" or start[128:] == b"DICM"
            if is_dicom:
                return read_dicom(path, file)
            return _read_picture(path, file)
    except (UnusableImage, MemoryError):
        raise
    except PermissionError:
        raise UnusableImage(path, "may not be read by you", "change its permissions") from None
    except Exception:  # a damaged file can stop a parser anywhere, with any error, and its text may quote the file
        raise UnusableImage(path, "is damaged or incomplete", "copy or export it again, or remove it") from None


def _read_picture(path: Path, file) -> np.ndarray:
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
        if image.format in ("PNG", "TIFF") and getattr(image, "n_frames", 1) > 1:
            raise UnusableImage(path, "holds several pages", "save the one you want as an image of its own")
        is_deep = image.mode == "F" or image.mode.startswith("I")
        # Pillow inverts 8-bit ones only
        inverted = is_deep and isinstance(image, TiffImageFile) and image.tag_v2.get(262) == 0
        image.load()
        image = ImageOps.exif_transpose(image)
    if is_deep:
        grey = percentile_window(path, np.asarray(image))
        return 255 - grey if inverted else grey
    target = "L" if image.mode in ("1", "L", "LA") else "RGB"
    if image.has_transparency_data:
        black = Image.new("RGBA", image.size, "black")
        image = Image.alpha_composite(black, image.convert("RGBA"))
    elif image.mode == "LAB":
        raise UnusableImage(path, "is stored in LAB colours", "save it as RGB")
    return np.array(image.convert(target))
