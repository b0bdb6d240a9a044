"""DICOM pixels to uint8: modality and window of the file itself, and no tag of the patient ever read."""

from pathlib import Path

import numpy as np

from .dicom_tables import COLOURS, first_table, look_up, palette_to_rgb
from .pixels import UnusableImage, check_finite, check_size, percentile_window, white, window

_PIXEL_TAGS = ["PixelData", "FloatPixelData", "DoubleFloatPixelData"]
_GROUPS = ["SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"]  # of enhanced files
_TAGS = [*_PIXEL_TAGS, *_GROUPS, "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration",
         "NumberOfFrames", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
         "ModalityLUTSequence", "RescaleSlope", "RescaleIntercept", "VOILUTSequence", "VOILUTFunction",
         "WindowCenter", "WindowWidth",
         *(f"{kind}PixelPadding{part}" for kind in ("", "Float", "DoubleFloat") for part in ("Value", "RangeLimit")),
         *(f"{colour}PaletteColorLookupTable{part}" for colour in COLOURS for part in ("Descriptor", "Data")),
         *(f"Segmented{colour}PaletteColorLookupTableData" for colour in COLOURS)]  # fmt: skip


def is_dicom(start: bytes) -> bool:
    """Whether a file whose first 132 bytes are ``start`` is DICOM: by its mark, or by its first tag where it has none.

    Files without the preamble begin with group 2 or 8, whose first element is followed by two capitals (explicit) or by
    a small even length.
    """
    if start[128:132] == b"DICM":
        return True
    explicit = start[4:6].isalpha() and start[4:6].isupper()
    implicit = int.from_bytes(start[4:8], "little") in range(0, 2**10, 2)
    little = start[:2] in (b"\2\0", b"\x08\0") and start[3:4] == b"\0"
    return (little and (explicit or implicit)) or (start[:3] == b"\0\x08\0" and explicit)


def read_dicom(path: Path, file) -> tuple[np.ndarray, np.ndarray]:
    """(picture, stored) of an open DICOM file: uint8 H×W or H×W×3 by the rules of ``images.read_image``; its numbers.

    Raises UnusableImage.
    """
    import pydicom

    start = file.read(132)
    file.seek(0)
    if not is_dicom(start):
        raise UnusableImage(path, "is no DICOM file, whatever its suffix says", "export it again, or remove it")
    ds = pydicom.dcmread(file, specific_tags=_TAGS, force=True)
    if not any(tag in ds for tag in _PIXEL_TAGS):
        raise UnusableImage(path, "holds no pixels (a report, a plan, or cut off)", "remove it, or export it again")
    check_size(path, ds.Columns, ds.Rows)
    _lift_functional_groups(ds)
    ds.PhotometricInterpretation = kind = ds.PhotometricInterpretation.strip().upper()
    little_endian = bool(ds.original_encoding[1])
    values, left_out = _stored(path, ds)
    if kind == "PALETTE COLOR":
        return palette_to_rgb(path, values, ds, little_endian), values
    if values.ndim == 3:
        return window(values, 0, white(values.max(), ds.BitsStored)), values
    units = _modality(values, ds, little_endian)
    check_finite(path, units)
    grey = _voi(path, units, left_out, ds, little_endian)
    grey = 255 - grey if kind == "MONOCHROME1" else grey
    grey[left_out] = 0
    return grey, values[~left_out]


def _lift_functional_groups(ds) -> None:
    """Rescale and window of the frame, where enhanced files keep them, become elements of the file itself."""
    for groups in _GROUPS:
        for group in (ds.get(groups) or ())[:1]:
            for sequence in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
                for item in (group.get(sequence) or ())[:1]:
                    ds.update({element.tag: element for element in item if element.keyword in _TAGS})


def _stored(path: Path, ds) -> tuple[np.ndarray, np.ndarray]:
    """The stored numbers, H×W or H×W×3 (YBR as RGB), and where they are padding, H×W.

    Each way of compression has one decoder, so that the numbers do not depend on what else is installed.
    """
    from pydicom import uid
    from pydicom.encaps import parse_basic_offsets
    from pydicom.pixels import pixel_array
    from pydicom.pixels.utils import get_expected_length

    implicit, little = ds.original_encoding
    plain = (
        uid.ImplicitVRLittleEndian if implicit else uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian
    )
    syntax = ds.file_meta.setdefault("TransferSyntaxUID", plain).value
    compressed = syntax not in (plain, uid.DeflatedExplicitVRLittleEndian)
    data = next(ds[tag].value for tag in _PIXEL_TAGS if tag in ds)
    frames = len(parse_basic_offsets(data)) if compressed else len(data) // get_expected_length(ds)
    if max(frames, _number(ds, "NumberOfFrames", 1)) > 1:
        raise UnusableImage(path, "holds several frames", "export the frame you want as an image of its own")
    by_pillow = syntax in (uid.JPEGBaseline8Bit, uid.JPEG2000, uid.JPEG2000Lossless)
    if by_pillow or (syntax == uid.JPEGExtended12Bit and ds.BitsStored <= 8):
        plugin = "pillow"
    else:
        plugin = "pydicom" if syntax == uid.RLELossless else "pylibjpeg"
    try:
        values = pixel_array(ds, decoding_plugin=plugin)
        cut = not compressed and ds.BitsAllocated > ds.get("BitsStored", ds.BitsAllocated)
        words = pixel_array(ds, raw=True, correct_unused_bits=False) if cut and "PixelPaddingValue" in ds else values
    except (NotImplementedError, RuntimeError):
        raise UnusableImage(
            path,
            "is damaged, or compressed in a way that cannot be decoded here",
            "pip install 'pylibjpeg[all]', or save it uncompressed",
        ) from None
    left_out = np.zeros(values.shape[:2], bool)
    if values.ndim == 2:
        left_out = _padding(words, ds)
    return values, left_out if not left_out.all() else np.zeros_like(left_out)


def _padding(words: np.ndarray, ds) -> np.ndarray:
    """Where a device wrote "no measurement": PS3.3 C.7.5.1.1.2. Integers with and without sign have the same bits."""
    kind = {"f4": "Float", "f8": "DoubleFloat"}.get(words.dtype.str[1:], "")
    value = _number(ds, f"{kind}PixelPaddingValue", None)
    if value is None:
        return np.zeros(words.shape, bool)
    low, high = sorted((value, _number(ds, f"{kind}PixelPaddingRangeLimit", value)))
    if kind:
        return (words >= low) & (words <= high)
    numbers = 2 ** (8 * words.itemsize)
    if not -numbers // 2 <= low <= high < numbers:
        return np.zeros(words.shape, bool)
    return (words.astype(np.int64) - int(low)) % numbers <= high - low


def _modality(values: np.ndarray, ds, little_endian: bool) -> np.ndarray:
    """Stored values to the modality's own, e.g. Hounsfield units: PS3.3 C.11.1. A slope of 0 is none."""
    table = first_table(ds, "ModalityLUTSequence")
    if table:
        return look_up(values, table, little_endian)[0]
    return values * (_number(ds, "RescaleSlope", 1) or 1.0) + _number(ds, "RescaleIntercept", 0)


def _voi(path: Path, values: np.ndarray, left_out: np.ndarray, ds, little_endian: bool) -> np.ndarray:
    """The modality's values to 0..255 by the first view the file names: PS3.3 C.11.2."""
    table = first_table(ds, "VOILUTSequence")
    if table:
        numbers, largest = look_up(values, table, little_endian)
        return window(numbers, 0, largest)
    center, width = _number(ds, "WindowCenter", None), _number(ds, "WindowWidth", 0)
    if center is None or width <= 0:
        return percentile_window(path, values, left_out)
    function = (ds.get("VOILUTFunction") or "LINEAR").strip().upper()
    if function == "SIGMOID":
        return window(1 / (1 + np.exp(-4 * (values - center) / width)), 0, 1)
    if function == "LINEAR":  # the standard's own half-pixel offsets
        center, width = center - 0.5, max(width - 1, 0)
    return window(values, center - width / 2, center + width / 2)


def _number(ds, keyword: str, default):
    """The first number of an element; ``default`` where it is missing or empty."""
    values = np.array(ds.get(keyword), dtype=float).ravel()  # None becomes NaN
    return float(values[0]) if values.size and np.isfinite(values[0]) else default
