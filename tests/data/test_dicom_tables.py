"""Tables that declare one thing and hold another: each against the entries that were put in."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from test_dicom import dicom, look_up_table

from image_files import same  # isort: skip
from medtl_helpers.data.dicom_tables import look_up
from medtl_helpers.data.images import read_image
from medtl_helpers.data.pixels import UnusableImage

RNG = np.random.default_rng(8)
INDEX = RNG.integers(0, 40, (12, 10), dtype=np.uint8)
BYTES = RNG.integers(0, 256, (3, 40), dtype=np.uint8)  # red, green, blue
BYTES[:, 0] = 255
SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]


def palette(path, syntax, tables, bits, first=0, index=INDEX):
    """``tables``: the raw bytes of the three colours."""
    tags = {}
    for colour, table in zip(("Red", "Green", "Blue"), tables, strict=True):
        tags[f"{colour}PaletteColorLookupTableDescriptor"] = [40, first, bits]
        tags[f"{colour}PaletteColorLookupTableData"] = table
    path = dicom(path, index, ExplicitVRLittleEndian, PhotometricInterpretation="PALETTE COLOR", **tags)
    if syntax is not ExplicitVRLittleEndian:
        import pydicom

        ds = pydicom.dcmread(path)
        ds.file_meta.TransferSyntaxUID = syntax
        ds["PixelData"].VR = "OB"
        pydicom.dcmwrite(path, ds, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian)
    return path


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("bits", [8, 16])
def test_palettes_in_words_and_in_bytes_in_each_byte_order(tmp_path, syntax, bits):
    word = "<u2" if syntax.is_little_endian else ">u2"
    wanted = np.moveaxis(BYTES[:, INDEX], 0, 2)
    full, low = (BYTES * np.uint16(257)).astype(word), BYTES.astype(word)
    packed = BYTES.view("<u2").astype(word)  # two entries in a word, the first in its low byte
    for tables in (full, low, packed):
        same(read_image(palette(tmp_path / "p.dcm", syntax, [t.tobytes() for t in tables], bits)), wanted)
    clipped = np.moveaxis(BYTES[:, np.clip(INDEX.astype(int) - 10, 0, 39)], 0, 2)
    same(read_image(palette(tmp_path / "f.dcm", syntax, [t.tobytes() for t in full], bits, first=10)), clipped)


def test_a_palette_that_is_shorter_than_it_declares(tmp_path):
    path = palette(tmp_path / "p.dcm", ExplicitVRLittleEndian, [t[:30].tobytes() for t in BYTES], 8)
    with pytest.raises(UnusableImage, match="damaged"):
        read_image(path)


@pytest.mark.parametrize("declared, filled", [(16, 10), (16, 12), (16, 14), (16, 16), (8, 12), (12, 12), (12, 11)])
def test_white_of_a_voi_table(tmp_path, declared, filled):
    """12 bits that hold 11 are 12 bits, for they say so; 16 is also the size of the container."""
    stored = np.arange(400, dtype=np.uint16).reshape(20, 20)
    table = np.linspace(0, 2**filled - 1, 400).astype(int)
    path = dicom(tmp_path / "v.dcm", stored, VOILUTSequence=look_up_table(400, 0, declared, table))
    white = 2 ** (12 if declared == 12 else filled) - 1
    same(read_image(path), np.rint(table.reshape(20, 20) / white * 255))


def test_first_entry_with_and_without_a_sign():
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [4, 2**16 - 2, 8], [10, 20, 30, 40]
    numbers, white = look_up(np.array([-5, -2, -1, 0, 1, 2]), item, True)
    assert numbers.tolist() == [10, 10, 20, 30, 40, 40] and white == 255
    item.LUTDescriptor = [4, -3, 8]
    assert look_up(np.array([65530, 65533, 65534, 65535]), item, True)[0].tolist() == [10, 10, 20, 30]


def test_empty_items_are_no_tables(tmp_path):
    stored = np.arange(144, dtype=np.uint16).reshape(12, 12)
    window = {"WindowCenter": 80, "WindowWidth": 101}
    wanted = read_image(dicom(tmp_path / "plain.dcm", stored, **window))
    empty = look_up_table(2, 0, 16, [1, 2])
    empty[0].LUTData = None
    path = dicom(tmp_path / "empty.dcm", stored, ModalityLUTSequence=empty, VOILUTSequence=[Dataset()], **window)
    same(read_image(path), wanted)
