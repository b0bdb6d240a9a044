"""DICOM files: each pixel rule against the standard or pydicom, and nothing of the patient reaches the reader."""

import io
import logging
import traceback
import warnings

import numpy as np
import pydicom
import pytest
from image_files import GREY, RGB, RNG, percentile_window, same, window_by_hand
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from medtl_helpers.data.folders import load_folder
from medtl_helpers.data.images import read_image

PATIENT = "DOE^JANE"


def dicom(path, values, syntax=ExplicitVRLittleEndian, **tags):
    """A DICOM file of ``values`` (uint8, uint16 or int16; H×W or H×W×3), of a patient called DOE^JANE."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax.is_compressed else syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = "1.2.3"
    ds.PatientName, ds.PatientID, ds.ImageComments = PATIENT, f"id of {PATIENT}", PATIENT
    ds.Rows, ds.Columns = values.shape[:2]
    ds.SamplesPerPixel = 1 if values.ndim == 2 else values.shape[2]
    ds.PhotometricInterpretation = "MONOCHROME2" if values.ndim == 2 else "RGB"
    if values.ndim == 3:
        ds.PlanarConfiguration = 0
    ds.BitsAllocated = ds.BitsStored = 8 * values.itemsize
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(values.dtype.kind == "i")
    ds.PixelData = values.tobytes()
    for tag, value in tags.items():
        setattr(ds, tag, value)
    if syntax.is_compressed:
        ds.compress(syntax)
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)
    return path


def look_up_table(entries, first, bits, table):
    item = Dataset()
    item.LUTDescriptor = [entries, first, bits]
    item.add_new("LUTData", "US", [int(v) for v in table])
    return Sequence([item])


CT = RNG.integers(-200, 3000, (20, 16)).astype(np.int16)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless])
@pytest.mark.parametrize("inverted", [False, True])
def test_dicom_rescale_window_and_monochrome1(tmp_path, syntax, inverted):
    path = dicom(
        tmp_path / "ct.dcm",
        CT,
        syntax,
        RescaleSlope=2,
        RescaleIntercept=-1024,
        WindowCenter=[40, 300],
        WindowWidth=[400, 2000],
        PhotometricInterpretation=f"MONOCHROME{1 if inverted else 2}",
    )
    # PS3.3 C.11.2.1.2.1: ((x − (c − 0.5)) / (w − 1) + 0.5), here from −160 to 239 Hounsfield units
    expected = window_by_hand(CT.astype(float) * 2 - 1024, 39.5 - 199.5, 39.5 + 199.5)
    same(read_image(path), 255 - expected if inverted else expected)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_dicom_window_functions_agree_with_pydicom(tmp_path, function):
    path = dicom(
        tmp_path / "ct.dcm",
        CT,
        RescaleSlope="0.5",
        RescaleIntercept="-100",
        WindowCenter="410.5",
        WindowWidth="700",
        VOILUTFunction=function,
    )
    ds = pydicom.dcmread(path)
    theirs = apply_voi_lut(apply_modality_lut(ds.pixel_array, ds), ds)
    low, high = -(2**15) * 0.5 - 100, (2**15 - 1) * 0.5 - 100  # pydicom's output range: that of the stored type
    same(read_image(path), np.rint((theirs - low) / (high - low) * 255))


def test_dicom_without_a_window_takes_the_percentiles(tmp_path):
    same(read_image(dicom(tmp_path / "a.dcm", CT)), percentile_window(CT))
    same(read_image(dicom(tmp_path / "b.dcm", CT, WindowCenter=None, WindowWidth=None)), percentile_window(CT))


def test_dicom_look_up_tables(tmp_path):
    stored = RNG.integers(0, 60, (12, 12)).astype(np.uint16)
    modality = [int(v) for v in 1000 + np.arange(40) ** 2]  # stored 10..49
    voi = [int(v) for v in np.linspace(0, 4095, 900) ** 1.0]  # modality 1200..2099
    path = dicom(
        tmp_path / "luts.dcm",
        stored,
        ModalityLUTSequence=look_up_table(40, 10, 16, modality),
        VOILUTSequence=look_up_table(900, 1200, 12, voi),
        WindowCenter=5,
        WindowWidth=3,
    )
    expected = np.empty(stored.shape)
    for place, value in np.ndenumerate(stored):
        units = modality[min(max(int(value) - 10, 0), 39)]
        expected[place] = round(voi[min(max(units - 1200, 0), 899)] / 4095 * 255)
    same(read_image(path), expected)


def test_dicom_table_of_8_bit_output_for_12_bit_input(tmp_path):
    """pydicom 3.0's own ``apply_voi`` wraps the input at 256 here."""
    stored = np.arange(0, 4096, 16, dtype=np.uint16).reshape(16, 16)
    table = [min(v // 8, 255) for v in range(4096)]
    path = dicom(tmp_path / "lut.dcm", stored, VOILUTSequence=look_up_table(4096, 0, 8, table))
    same(read_image(path), np.minimum(stored // 8, 255))


def test_dicom_colour(tmp_path):
    same(read_image(dicom(tmp_path / "rgb.dcm", RGB)), RGB)
    deep = RGB.astype(np.uint16) * 257
    same(read_image(dicom(tmp_path / "deep.dcm", deep)), RGB)
    ybr = np.asarray(Image.fromarray(RGB).convert("YCbCr"))
    path = dicom(tmp_path / "ybr.dcm", ybr, PhotometricInterpretation="YBR_FULL")
    same(read_image(path), np.asarray(Image.fromarray(ybr, mode="YCbCr").convert("RGB")), within=2)
    table = {}
    for k, colour in enumerate(("Red", "Green", "Blue")):
        table[f"{colour}PaletteColorLookupTableDescriptor"] = [4, 0, 16]
        table[f"{colour}PaletteColorLookupTableData"] = deep[0, :4, k].astype("<u2").tobytes()
    path = dicom(tmp_path / "palette.dcm", GREY % 4, PhotometricInterpretation="PALETTE COLOR", **table)
    same(read_image(path), RGB[0, :4][GREY % 4])


def spoil(path, old: bytes, new: bytes):
    """Overwrite a value in the file's bytes by one of the same length that the standard does not allow."""
    content = path.read_bytes()
    assert content.count(old) == 1 and len(old) == len(new)
    path.write_bytes(content.replace(old, new))


def test_the_patient_is_not_even_read(tmp_path, monkeypatch):
    read, really = [], pydicom.dcmread
    monkeypatch.setattr(pydicom, "dcmread", lambda *a, **k: read.append(really(*a, **k)) or read[-1])
    path = dicom(tmp_path / "x.dcm", CT)
    read_image(path)
    assert PATIENT in str(really(path)) and "DOE" not in str(read[0]) and "PixelData" in read[0]


def test_no_value_of_a_dicom_file_reaches_the_reader(tmp_path, capfd, caplog):
    """Neither from a good file nor from one whose broken values would stand in pydicom's errors and warnings."""
    with warnings.catch_warnings(record=True):
        for k in range(3):  # more bytes than pixels: pydicom warns of it
            for name in "ab":
                dicom(tmp_path / "good" / name / f"{k}.dcm", CT, PixelData=CT.tobytes() + b"JANE")
        broken = [
            dicom(tmp_path / f"{tag}.dcm", CT, WindowWidth=9, **{tag: "12345678"})
            for tag in ("WindowCenter", "RescaleSlope", "PhotometricInterpretation")
        ]
        for path in broken:
            spoil(path, b"12345678", PATIENT.encode())
        broken.append(dicom(tmp_path / "short.dcm", CT, PixelData=PATIENT.encode()))
    logger = logging.getLogger("pydicom")
    logger.addHandler(handler := logging.StreamHandler(said := io.StringIO()))
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    capfd.readouterr()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        task = load_folder(tmp_path / "good")
        texts = [repr(task)]
        for path in broken:
            with pytest.raises(ValueError, match=f"^{path} is damaged or incomplete") as info:
                read_image(path)
            texts += traceback.format_exception(info.value)
    logger.removeHandler(handler)
    out, err = capfd.readouterr()
    assert "good: your own images" in out
    everything = "".join([*texts, out, err, said.getvalue(), caplog.text, *(str(w.message) for w in caught)])
    assert "DOE" not in everything and "JANE" not in everything
    assert not caught and not said.getvalue()
    assert logging.root.manager.disable == 0  # logging works again
