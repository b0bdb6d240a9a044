"""DICOM pixels to uint8: modality and window of the file itself, and no tag of the patient ever read."""

from pathlib import Path

import numpy as np

from .pixels import UnusableImage, check_size, percentile_window, window

_PIXEL_TAGS = ["PixelData", "FloatPixelData", "DoubleFloatPixelData"]
_TAGS = [*_PIXEL_TAGS, "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows",
         "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "ModalityLUTSequence",
         "RescaleSlope", "RescaleIntercept", "VOILUTSequence", "VOILUTFunction", "WindowCenter", "WindowWidth",
         *(f"{colour}PaletteColorLookupTable{part}" for colour in ("Red", "Green", "Blue")
           for part in ("Descriptor", "Data")),
         *(f"Segmented{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue"))]  # fmt: skip


def read_dicom(path: Path, file) -> np.ndarray:
    """Pixels of an open DICOM file as uint8 H×W or H×W×3; the rules are those of ``images.read_image``."""
    import pydicom
    from pydicom.pixels import apply_color_lut

    try:
        ds = pydicom.dcmread(file, specific_tags=_TAGS)
    except pydicom.errors.InvalidDicomError:
        raise UnusableImage(
            path, "is no DICOM file, whatever its suffix says", "export it again, or remove it"
        ) from None
    if not any(tag in ds for tag in _PIXEL_TAGS):
        raise UnusableImage(path, "holds no pixels (a report, a plan, or cut off)", "remove it, or export it again")
    check_size(path, ds.Columns, ds.Rows)
    several = UnusableImage(path, "holds several frames", "export the frame you want as an image of its own")
    if _number(ds, "NumberOfFrames", 1) > 1:
        raise several
    try:
        values = ds.pixel_array  # H×W or H×W×3; pydicom turns YBR into RGB
    except (NotImplementedError, RuntimeError):
        raise UnusableImage(
            path,
            "is damaged, or compressed in a way that cannot be decoded here",
            "pip install 'pylibjpeg[all]', or save it uncompressed",
        ) from None
    bits = ds.BitsStored if "BitsStored" in ds else 8
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        values, bits = apply_color_lut(values, ds)[..., :3], ds.RedPaletteColorLookupTableDescriptor[2]
    if values.ndim == 3 and values.shape[2] == 3:
        return window(values, 0, 2**bits - 1)
    if values.ndim != 2:
        raise several
    grey = _voi(path, _modality(values, ds), ds)
    return 255 - grey if ds.PhotometricInterpretation == "MONOCHROME1" else grey


def _modality(values: np.ndarray, ds) -> np.ndarray:
    """Stored values to the modality's own, e.g. Hounsfield units: PS3.3 C.11.1."""
    if ds.get("ModalityLUTSequence"):
        return _look_up(values, ds.ModalityLUTSequence[0], ds)
    return values * _number(ds, "RescaleSlope", 1) + _number(ds, "RescaleIntercept", 0)


def _voi(path: Path, values: np.ndarray, ds) -> np.ndarray:
    """The modality's values to 0..255 by the first view the file names: PS3.3 C.11.2."""
    if ds.get("VOILUTSequence"):
        item = ds.VOILUTSequence[0]
        return window(_look_up(values, item, ds), 0, 2 ** item.LUTDescriptor[2] - 1)
    center, width = _number(ds, "WindowCenter", None), _number(ds, "WindowWidth", 0)
    if center is None or width <= 0:
        return percentile_window(path, values)
    function = ds.get("VOILUTFunction") or "LINEAR"
    if function == "SIGMOID":
        return window(1 / (1 + np.exp(-4 * (values - center) / width)), 0, 1)
    if function == "LINEAR":  # the standard's own half-pixel offsets
        center, width = center - 0.5, max(width - 1, 0)
    return window(values, center - width / 2, center + width / 2)


def _look_up(values: np.ndarray, item, ds) -> np.ndarray:
    """``values`` through the table in ``item``; below its first entry the first, above its last the last."""
    entries, first, _ = item.LUTDescriptor
    table = item.LUTData
    if isinstance(table, bytes):
        packed = len(table) <= (entries or 2**16) + 1  # one byte an entry, padded to an even number
        table = np.frombuffer(table, "u1" if packed else "<u2" if ds.original_encoding[1] else ">u2")
    index = np.clip(np.rint(values).astype(np.int64) - first, 0, (entries or 2**16) - 1)
    return np.asarray(table)[index]


def _number(ds, keyword: str, default):
    """The first number of an element; ``default`` where it is missing or empty."""
    values = np.array(ds.get(keyword), dtype=float).ravel()  # None becomes NaN
    return float(values[0]) if values.size and np.isfinite(values[0]) else default
