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
from medtl_helpers.data.pixels import SuspectImage, UnusableImage

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


def with_groups(path, values, shared, frame, **tags):
    """An enhanced file whose window and rescale stand in its functional groups."""
    groups = {}
    for keyword, elements in (("SharedFunctionalGroupsSequence", shared), ("PerFrameFunctionalGroupsSequence", frame)):
        group = Dataset()
        for sequence, items in elements.items():
            item = Dataset()
            for name, value in items.items():
                setattr(item, name, value)
            setattr(group, sequence, [item])
        groups[keyword] = [group]
    return dicom(path, values, NumberOfFrames=1, **groups, **tags)


@pytest.mark.parametrize("inside", ["shared", "frame", "both"])
def test_window_and_rescale_of_enhanced_files(tmp_path, inside):
    rescale = {"PixelValueTransformationSequence": {"RescaleSlope": 3, "RescaleIntercept": -500}}
    window = {"FrameVOILUTSequence": {"WindowCenter": 900, "WindowWidth": 2001, "VOILUTFunction": "LINEAR_EXACT"}}
    other = {"FrameVOILUTSequence": {"WindowCenter": 1, "WindowWidth": 2}}
    groups = {"shared": (rescale | window, {}), "frame": ({}, rescale | window), "both": (rescale | other, window)}
    path = with_groups(tmp_path / "e.dcm", CT, *groups[inside], WindowCenter=7, WindowWidth=9)
    same(read_image(path), window_by_hand(CT.astype(float) * 3 - 500, -100.5, 1900.5))


ROUND = np.hypot(*np.mgrid[-9.5:10, -7.5:8]) > 8  # outside a round field of view


@pytest.mark.parametrize(
    "stored, declared",
    [
        (np.int16(-3000), {"PixelPaddingValue": -3000}),
        (np.int16(-3000), {"PixelPaddingValue": 2**16 - 3000}),  # declared without the sign
        (np.uint16(2**16 - 3000), {"PixelPaddingValue": -3000}),  # and with one
        (np.uint16(64_000), {"PixelPaddingValue": 63_000, "PixelPaddingRangeLimit": 65_535}),
        (np.int16(-900), {"PixelPaddingValue": -800, "PixelPaddingRangeLimit": -1000}),
        (np.uint16(0xF830), {"PixelPaddingValue": 0xF830, "BitsStored": 12, "HighBit": 11}),  # in the unused bits
    ],
)
@pytest.mark.parametrize("inverted", [False, True])
def test_padding_is_left_out_and_black(tmp_path, stored, declared, inverted):
    numbers = np.where(ROUND, stored, np.abs(CT)).astype(stored.dtype)
    code = "US" if max(declared.values()) >= 2**15 else "SS"
    path = dicom(tmp_path / "p.dcm", numbers, PhotometricInterpretation=f"MONOCHROME{2 - inverted}")
    ds = pydicom.dcmread(path)
    for name, value in declared.items():
        ds.add_new(name, code if name.startswith("PixelPadding") else "US", value)
    ds.save_as(path)
    wanted = np.zeros(CT.shape)
    wanted[~ROUND] = percentile_window(np.abs(CT)[~ROUND])
    wanted[~ROUND] = 255 - wanted[~ROUND] if inverted else wanted[~ROUND]
    same(read_image(path), wanted)


def test_padding_that_is_no_padding(tmp_path):
    flat = np.full((10, 10), 5, np.uint16)
    assert not read_image(dicom(tmp_path / "all.dcm", flat, PixelPaddingValue=5)).any()  # all of it
    eight = RNG.integers(0, 256, (10, 10), dtype=np.uint8)
    far = read_image(
        dicom(tmp_path / "far.dcm", eight, PixelPaddingValue=300)
    )  # no byte is 300, though 44 is 300 − 256
    same(far, percentile_window(eight))


def test_float_pixels_and_their_padding(tmp_path):
    values = np.where(ROUND, -7.5, CT / 100).astype(np.float32)
    path = dicom(tmp_path / "f.dcm", CT.astype(np.uint16))
    ds = pydicom.dcmread(path)
    del ds.PixelData
    ds.BitsAllocated, ds.FloatPixelData, ds.FloatPixelPaddingValue = 32, values.tobytes(), -7.5
    ds.save_as(path)
    picture = read_image(path)
    same(picture[~ROUND], percentile_window(values[~ROUND]))
    assert not picture[ROUND].any()
    for extra in ({}, {"WindowCenter": 10, "WindowWidth": 20}, {"RescaleSlope": 2, "RescaleIntercept": 0}):
        for wrong in (np.nan, np.inf):
            values[10, 8] = wrong
            ds.FloatPixelData = values.tobytes()
            for name, value in extra.items():
                setattr(ds, name, value)
            ds.save_as(path)
            with pytest.raises(UnusableImage, match="NaN or infinite"):
                read_image(path)


@pytest.mark.parametrize("written", ["Monochrome1 ", "monochrome1", " MONOCHROME1"])
def test_the_kind_of_grey_in_any_letters(tmp_path, written):
    plain = read_image(dicom(tmp_path / "plain.dcm", CT))
    path = dicom(tmp_path / "x.dcm", CT, PhotometricInterpretation="MONOCHROME1")
    spoil(path, b"MONOCHROME1 ", written.ljust(12).encode())
    same(read_image(path), 255 - plain)


def test_a_slope_of_zero_is_none(tmp_path):
    window = {"WindowCenter": 300, "WindowWidth": 900}
    wanted = read_image(dicom(tmp_path / "a.dcm", CT, RescaleSlope=1, RescaleIntercept=-90, **window))
    same(read_image(dicom(tmp_path / "b.dcm", CT, RescaleSlope=0, RescaleIntercept=-90, **window)), wanted)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("suffix", [".dcm", "", ".ima"])
def test_files_without_preamble_are_dicom_by_their_first_tag(tmp_path, syntax, suffix):
    path = dicom(tmp_path / "x.dcm", CT, syntax)
    wanted, content = read_image(path), path.read_bytes()
    for start in (132, 144 + int.from_bytes(content[140:144], "little")):  # with group 2, and without it
        if start > 132 or syntax is ExplicitVRLittleEndian:
            bare = tmp_path / f"bare{suffix}"
            bare.write_bytes(content[start:])
            same(read_image(bare), wanted)


def test_frames_that_no_header_counts(tmp_path):
    with pytest.raises(UnusableImage, match="holds several frames"):
        read_image(dicom(tmp_path / "x.dcm", CT, PixelData=CT.tobytes() * 3))
    with pytest.raises(UnusableImage, match="holds several frames"):
        read_image(
            dicom(tmp_path / "y.dcm", np.stack([CT] * 2).reshape(-1, 16), RLELossless, Rows=20, NumberOfFrames=2)
        )


def test_the_decoder_is_the_same_whatever_is_installed(tmp_path, monkeypatch):
    """pydicom would take the first of those that are there."""
    import pydicom.pixels

    asked, really = [], pydicom.pixels.pixel_array
    monkeypatch.setattr(
        pydicom.pixels, "pixel_array", lambda ds, **k: asked.append(k["decoding_plugin"]) or really(ds, **k)
    )
    for name in ("JPEG2000.dcm", "693_J2KI.dcm", "SC_rgb_jpeg_dcmtk.dcm", "JPEG-lossy.dcm", "MR_small_RLE.dcm",
                 "MR_small_jpeg_ls_lossless.dcm"):  # fmt: skip
        try:
            read_image(pydicom.data.get_testdata_file(name, download=False))
        except UnusableImage:
            asked.append("refused")
    assert asked == ["pillow", "pillow", "pillow", "pylibjpeg", "refused", "pydicom", "pylibjpeg", "refused"]


def test_a_window_beside_the_numbers_is_told(tmp_path):
    path = dicom(tmp_path / "dark.dcm", CT, WindowCenter=20_000, WindowWidth=400)
    with pytest.warns(SuspectImage, match=f"^{path} has varied stored numbers"):
        assert not read_image(path).any()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_image(dicom(tmp_path / "good.dcm", CT, WindowCenter=1400, WindowWidth=3000))


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
