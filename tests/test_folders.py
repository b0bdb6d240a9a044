"""The reader's own images: each pixel rule against an independent computation, and each split against its promise."""

import io
import logging
import traceback
import warnings
from collections import Counter

import numpy as np
import pydicom
import pytest
import torch
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from medtl_helpers import checks
from medtl_helpers.folders import load_folder
from medtl_helpers.images import read_image

PATIENT = "DOE^JANE"
RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (10, 12), dtype=np.uint8)
RGB = RNG.integers(0, 256, (10, 12, 3), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (10, 12), dtype=np.uint8)
DEEP = RNG.integers(300, 4000, (40, 30), dtype=np.uint16)


@pytest.fixture(autouse=True)
def forget_sources(monkeypatch):
    """What is loaded here is not what other tests are about."""
    monkeypatch.setattr(checks, "_sources", {})


def save(path, pixels, mode=None, **options):
    """An array (or a Pillow image) as an image file."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    path.parent.mkdir(parents=True, exist_ok=True)
    (image.convert(mode) if mode else image).save(path, **options)
    return path


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


def window_by_hand(values, low, high):
    """0 up to ``low``, 255 from ``high`` on, straight in between; pixel by pixel."""
    out = np.empty(values.shape, np.uint8)
    for place, value in np.ndenumerate(values):
        share = (float(value) - low) / (high - low)
        out[place] = round(255 * min(max(share, 0.0), 1.0))
    return out


def percentile_by_hand(values, percent):
    """By sorting, with linear interpolation between the two neighbours."""
    ordered = sorted(float(v) for v in values.flat)
    place = percent / 100 * (len(ordered) - 1)
    k = int(place)
    return ordered[k] + (place - k) * (ordered[min(k + 1, len(ordered) - 1)] - ordered[k])


def percentile_window(values):
    return window_by_hand(values, percentile_by_hand(values, 0.5), percentile_by_hand(values, 99.5))


def same(read, expected, within=0):
    assert read.dtype == np.uint8 and read.shape == expected.shape
    assert np.abs(read.astype(int) - expected.astype(int)).max() <= within


# --- 8-bit images -------------------------------------------------------------------------------------------------


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


# --- deep grey ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix, dtype", [(".png", "uint16"), (".tif", "uint16"), (".tif", "int32"),
                                           (".tif", "float32")])  # fmt: skip
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


# --- DICOM --------------------------------------------------------------------------------------------------------

CT = RNG.integers(-200, 3000, (20, 16)).astype(np.int16)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless])
@pytest.mark.parametrize("inverted", [False, True])
def test_dicom_rescale_window_and_monochrome1(tmp_path, syntax, inverted):
    path = dicom(tmp_path / "ct.dcm", CT, syntax, RescaleSlope=2, RescaleIntercept=-1024, WindowCenter=[40, 300],
                 WindowWidth=[400, 2000], PhotometricInterpretation=f"MONOCHROME{1 if inverted else 2}")  # fmt: skip
    # PS3.3 C.11.2.1.2.1: ((x − (c − 0.5)) / (w − 1) + 0.5), here from −160 to 239 Hounsfield units
    expected = window_by_hand(CT.astype(float) * 2 - 1024, 39.5 - 199.5, 39.5 + 199.5)
    same(read_image(path), 255 - expected if inverted else expected)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_dicom_window_functions_agree_with_pydicom(tmp_path, function):
    path = dicom(tmp_path / "ct.dcm", CT, RescaleSlope="0.5", RescaleIntercept="-100", WindowCenter="410.5",
                 WindowWidth="700", VOILUTFunction=function)  # fmt: skip
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
    path = dicom(tmp_path / "luts.dcm", stored, ModalityLUTSequence=look_up_table(40, 10, 16, modality),
                 VOILUTSequence=look_up_table(900, 1200, 12, voi), WindowCenter=5, WindowWidth=3)  # fmt: skip
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
        broken = [dicom(tmp_path / f"{tag}.dcm", CT, WindowWidth=9, **{tag: "12345678"})
                  for tag in ("WindowCenter", "RescaleSlope", "PhotometricInterpretation")]  # fmt: skip
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


# --- folders ------------------------------------------------------------------------------------------------------


def labelled(folder, counts):
    """Constant 8×8 images of the grey value 1, 2, 3, … : the value tells which file a tensor came from."""
    value, files = 0, {}
    for name, n in counts.items():
        for k in range(n):
            value += 1
            files[value] = name
            save(folder / name / f"{k:03}.png", np.full((8, 8), value, np.uint8))
    return files


def values(split):
    return split.x[:, 0, 0, 0].tolist()


def ready(folder):
    labels = {}
    for k, split in enumerate(("train", "val", "test")):
        for j, name in enumerate(("b_sick", "a_well")):
            save(folder / split / name / "1.PNG", np.full((9, 9), 10 * k + j, np.uint8))
            labels[10 * k + j] = name
    return labels


def test_ready_made_splits(tmp_path, capsys):
    labels = ready(tmp_path / "mine")
    (tmp_path / "mine" / "train" / ".hidden").write_text("x")
    (tmp_path / "mine" / "train" / "a_well" / "notes.txt").write_text("x")
    (tmp_path / "mine" / "readme.txt").write_text("x")
    task = load_folder(str(tmp_path / "mine"), size=16)
    assert (task.name, task.classes, task.positive) == ("mine", ("a_well", "b_sick"), 1)
    assert (task.provenance, task.licence) == ("own", "yours")
    for k, split in enumerate((task.train, task.val, task.test)):
        assert split.x.dtype == torch.uint8 and split.x.shape == (2, 1, 16, 16)
        assert split.y.dtype == torch.int64
        assert values(split) == [10 * k + 1, 10 * k] and split.y.tolist() == [0, 1]
        assert [task.classes[y] for y in split.y] == [labels[v] for v in values(split)]
    out = capsys.readouterr().out
    assert "train/val/test 2/2/2" in out and "skipped 3 hidden or other" in out
    assert "'b_sick' is taken as the positive class" in out and "at random" not in out
    assert checks._sources["mine"] == "own"


def test_class_folders_alone_are_split_70_15_15(tmp_path, capsys):
    files = labelled(tmp_path / "mine", {"a": 40, "b": 100, "c": 20})
    (tmp_path / "mine" / "a" / ".DS_Store").write_text("x")
    task = load_folder(tmp_path / "mine", size=8, seed=1)
    out = capsys.readouterr().out
    assert out.count("by patient") == 1 and "70/15/15" in out and "skipped 1 hidden" in out and task.positive is None
    parts = {split: values(getattr(task, split)) for split in ("train", "val", "test")}
    assert sorted(v for part in parts.values() for v in part) == sorted(files)  # disjoint, and nothing is lost
    for split, (a, b, c) in {"train": (28, 70, 14), "val": (6, 15, 3), "test": (6, 15, 3)}.items():
        assert Counter(files[v] for v in parts[split]) == {"a": a, "b": b, "c": c}
        assert [task.classes[y] for y in getattr(task, split).y] == [files[v] for v in parts[split]]
    again = load_folder(tmp_path / "mine", size=8, seed=1)
    other = load_folder(tmp_path / "mine", size=8, seed=2)
    assert torch.equal(again.test.x, task.test.x) and torch.equal(again.train.y, task.train.y)
    assert set(values(other.test)) != set(values(task.test))


def test_a_missing_val_is_drawn_from_train_only(tmp_path, capsys):
    files = labelled(tmp_path / "mine" / "Train", {"a": 20, "b": 60})
    for name in "ab":
        save(tmp_path / "mine" / "TEST" / name / "1.png", np.full((8, 8), 255, np.uint8))
    task = load_folder(tmp_path / "mine", size=8)
    assert "no val folder, so 15 %" in capsys.readouterr().out
    assert values(task.test) == [255, 255]
    assert Counter(files[v] for v in values(task.val)) == {"a": 3, "b": 9}
    assert sorted(values(task.train) + values(task.val)) == sorted(files)


def smooth(height, width):
    """A colour image of waves, so that resizing has something to do and nothing to alias."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 120 * np.sin(x / 5 + k) * np.cos(y / (4 + k)) for k in range(3)]
    return np.stack(waves, -1).astype(np.uint8)


@pytest.mark.parametrize("shape", [(60, 100), (20, 12)])
def test_resizing_agrees_with_torch(tmp_path, shape):
    for name in "ab":
        for k in range(3):
            save(tmp_path / name / f"{k}.png", smooth(*shape))
    task = load_folder(tmp_path, size=32)
    x = torch.from_numpy(smooth(*shape)).permute(2, 0, 1)[None].float()
    expected = torch.nn.functional.interpolate(x, (32, 32), mode="bilinear", antialias=True, align_corners=False)
    assert (task.train.x[0].float() - expected[0]).abs().max() <= 2


def three_each(folder, *images):
    """Two classes of three images each, the given ones in turn."""
    for k in range(6):
        save(folder / "ab"[k % 2] / f"{k}.png", images[k % len(images)])
    return folder


def test_channels(tmp_path, capsys):
    twice = np.dstack([GREY] * 3)  # grey, but saved as RGB
    assert load_folder(three_each(tmp_path / "grey", GREY, GREY, twice)).train.x.shape[1] == 1
    square = GREY[:, :10]
    for split, pixels in (("train", square), ("val", RGB[:, :10]), ("test", square)):  # colour comes in the middle
        for name in "ab":
            save(tmp_path / "mixed" / split / name / "1.png", pixels)
    task = load_folder(tmp_path / "mixed", size=10)
    for split, pixels in ((task.train, np.dstack([square] * 3)), (task.val, RGB[:, :10])):
        assert (split.x.numpy() == pixels.transpose(2, 0, 1)).all() and split.x.shape == (2, 3, 10, 10)
    assert torch.equal(task.test.x, task.train.x)
    assert load_folder(three_each(tmp_path / "g3", GREY), channels=3).train.x.shape[1] == 3
    flat = np.broadcast_to(np.array([200, 50, 100], np.uint8), (9, 9, 3))
    luma = load_folder(three_each(tmp_path / "luma", flat), channels=1).train.x
    assert luma.shape[1] == 1 and (luma == round(0.299 * 200 + 0.587 * 50 + 0.114 * 100)).all()


@pytest.mark.parametrize("asked, got, line", [(None, 1, "'b' is taken as the positive"), ("a", 0, "'a' is the"),
                                              (0, 0, "'a' is the positive"), ("b", 1, "'b' is the")])  # fmt: skip
def test_positive(tmp_path, capsys, asked, got, line):
    assert load_folder(three_each(tmp_path, GREY), positive=asked).positive == got
    assert line in capsys.readouterr().out


def test_16_bit_is_windowed_before_resizing(tmp_path):
    for name in "ab":
        for k in range(3):
            save(tmp_path / name / f"{k}.png", DEEP)
    task = load_folder(tmp_path, size=30)
    expected = Image.fromarray(percentile_window(DEEP)).resize((30, 30), Image.Resampling.BILINEAR)
    assert (task.train.x[0, 0].numpy() == np.asarray(expected)).all()
