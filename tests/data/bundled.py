"""The images that come with pydicom and other libraries, read by ``read_image`` and by a second path.

``python tests/data/bundled.py`` writes the table of the outcome, ``bundled.md``, anew; a test compares the two.
"""

import warnings
from collections import Counter
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pydicom
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut

from medtl_helpers.data.dicom import is_dicom
from medtl_helpers.data.images import read_image
from medtl_helpers.data.pixels import SuspectImage, UnusableImage

PAGE = Path(__file__).with_name("bundled.md")
PLACES = {  # of each library, where its images lie
    "pydicom": "pydicom/data/test_files",
    "matplotlib": "matplotlib/mpl-data",
    "scikit-learn": "sklearn/datasets/images",
    "scipy": "scipy/ndimage/tests",
    "pillow": "PIL",
    "torchvision": "torchvision",
}
HEAD = """| images of | files | read | as the second path reads them | with a doubt | refused |
|---|---|---|---|---|---|
"""


def files(library: str) -> list[Path]:
    """PNG, JPEG, TIFF, BMP and DICOM files of an installed library, whatever their suffix; no DICOMDIR."""
    package, _, below = PLACES[library].partition("/")
    root = Path(find_spec(package).submodule_search_locations[0]) / below
    found = [file for file in sorted(root.rglob("*")) if file.is_file() and not file.name.startswith("DICOMDIR")]
    known = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".dcm")
    return [f for f in found if f.suffix.lower() in known or (library == "pydicom" and is_dicom(f.read_bytes()[:132]))]


def reference(file: Path) -> np.ndarray:
    """The picture by pydicom's own functions, or by torchvision's decoders (not Pillow) and NumPy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _dicom(file) if is_dicom(file.read_bytes()[:132]) else _picture(file)


def _dicom(file: Path) -> np.ndarray:
    ds = pydicom.dcmread(file, force=True)
    if "TransferSyntaxUID" not in ds.file_meta:
        ds.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
        if not ds.original_encoding[0]:
            little = ds.original_encoding[1]
            ds.file_meta.TransferSyntaxUID = f"1.2.840.10008.1.2.{1 if little else 2}"
    stored = ds.pixel_array
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        colours = apply_color_lut(stored, ds)
        return np.rint(colours / np.iinfo(colours.dtype).max * 255)
    if stored.ndim == 3:
        return np.rint(stored / (2.0**ds.BitsStored - 1) * 255)
    units = apply_modality_lut(stored, ds)
    if "WindowCenter" in ds and ds.WindowCenter is not None:
        low, high = (0, 2**ds.BitsStored - 1) if not ds.PixelRepresentation else (
            -(2 ** (ds.BitsStored - 1)), 2 ** (ds.BitsStored - 1) - 1)  # fmt: skip
        slope, intercept = float(ds.get("RescaleSlope", 1)), float(ds.get("RescaleIntercept", 0))
        low, high = low * slope + intercept, high * slope + intercept  # the range of what pydicom returns
        grey = (apply_voi_lut(units, ds) - low) / (high - low)
    else:
        counted = units[stored != ds.get("PixelPaddingValue", np.inf)]
        low, high = np.percentile(counted, (0.5, 99.5))
        grey = np.clip((units - low) / (high - low), 0, 1)
    grey = np.rint(255 * grey)
    return 255 - grey if ds.PhotometricInterpretation == "MONOCHROME1" else grey


def _picture(file: Path) -> np.ndarray:
    from torchvision.io import ImageReadMode, decode_image

    raw = decode_image(str(file), mode=ImageReadMode.UNCHANGED).numpy()  # C×H×W
    assert raw.dtype == np.uint8, "these libraries bring 8-bit images only"
    if len(raw) in (2, 4):
        raw = np.rint(raw[:-1] * (raw[-1:] / 255.0))
    return raw[0] if len(raw) == 1 else np.moveaxis(raw, 0, 2)


def outcome(file: Path) -> tuple[str, str]:
    """("equal", ""), ("other", "…") or ("refused", reason), and "doubt" where a suspicion is told."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            picture = read_image(file)
        except UnusableImage as error:
            return "refused", error.reason
    doubt = "doubt" if any(isinstance(w.message, SuspectImage) for w in caught) else ""
    wanted = reference(file)
    if picture.shape != wanted.shape:
        return "other", doubt or f"{picture.shape} and {wanted.shape}"
    return ("equal" if np.abs(picture - wanted.astype(float)).max() <= 1 else "other"), doubt


def table() -> str:
    """Markdown, one row a library. Equal is: of one shape, and no pixel more than one grey level apart."""
    rows = []
    for library in PLACES:
        outcomes = [outcome(file) for file in files(library)]
        kinds = Counter(kind for kind, _ in outcomes)
        reasons = Counter(reason for kind, reason in outcomes if kind == "refused")
        refused = "; ".join(f"{n}: {reason}" for reason, n in sorted(reasons.items(), key=lambda r: (-r[1], r[0])))
        doubts = sum(reason == "doubt" for _, reason in outcomes)
        read = kinds["equal"] + kinds["other"]
        rows.append(
            f"| {library} {version(library)} | {len(outcomes)} | {read} | {kinds['equal']} | {doubts} | "
            f"{kinds['refused']}{f' ({refused})' if refused else ''} |\n"
        )
    return HEAD + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(table(), "utf-8")
