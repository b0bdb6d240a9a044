"""Images of any number type, range and shape: what holds of each of them (found counter-examples by hypothesis)."""

import io
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from test_dicom import dicom
from test_images import write_png
from test_tiff import write_tiff

from medtl_helpers.data.images import read_image
from medtl_helpers.data.pixels import UnusableImage

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SHAPES = st.tuples(st.integers(8, 13), st.integers(8, 13))
WHOLE = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"]


def numbers(dtypes, shapes=SHAPES):
    """Arrays of one of the types whose numbers come from a part of its range, wide or narrow."""

    def of(dtype):
        dtype = np.dtype(dtype)
        if dtype.kind == "f":
            most = float(np.finfo(dtype).max) / 4
            elements = st.floats(-most, most, width=8 * dtype.itemsize)
        else:
            low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
            elements = st.one_of(st.integers(low, high), st.integers(max(low, -20), 4095 if high > 4095 else high))
        return hnp.arrays(dtype, shapes, elements=elements)

    return st.sampled_from(dtypes).flatmap(of)


def picture(path):
    """What ``read_image`` makes of a file: uint8 of one of two shapes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = read_image(path)
    assert read.dtype == np.uint8 and (read.ndim == 2 or read.shape[2:] == (3,))
    return read


def rises(values, read):
    """Where the number is larger, the grey level is not smaller."""
    order = np.argsort(values, axis=None, kind="stable")
    assert (np.diff(read.ravel()[order].astype(int)) >= 0).all()


@FEW
@given(values=numbers([*WHOLE, "f2", "f4", "f8"]), options=st.sampled_from([{}, {"deflated": True}, {"tile": 16}]))
def test_grey_tiff_rises_and_has_no_byte_order(tmp_path, values, options):
    read = picture(write_tiff(tmp_path / "little.tif", values, "<", **options))
    assert read.shape == values.shape
    rises(values, read)
    assert (picture(write_tiff(tmp_path / "big.tif", values, ">", **options)) == read).all()


@FEW
@given(values=numbers(["u2"], st.tuples(st.integers(8, 12), st.integers(8, 12), st.sampled_from([1, 2, 3, 4]))))
def test_deep_png_and_tiff_of_the_same_numbers_are_the_same_picture(tmp_path, values):
    if values.shape[2] in (2, 4):
        values[0, 0, -1] = 65535  # TIFF does not say what is opaque
    by_png = picture(write_png(tmp_path / "x.png", values))
    assert by_png.shape == (values.shape[:2] if values.shape[2] < 3 else (*values.shape[:2], 3))
    assert (picture(write_tiff(tmp_path / "x.tif", values, more={338: [2]} if values.shape[2] in (2, 4) else {}))
            == by_png).all()  # fmt: skip


@FEW
@given(values=numbers(["u1"], st.one_of(SHAPES, st.tuples(st.integers(8, 12), st.integers(8, 12), st.just(3)))),
       suffix=st.sampled_from(["png", "tif", "bmp"]))  # fmt: skip
def test_bytes_come_back_as_they_are(tmp_path, values, suffix):
    Image.fromarray(values).save(tmp_path / f"x.{suffix}")
    assert (picture(tmp_path / f"x.{suffix}") == values).all()


@FEW
@given(
    values=numbers(["u1", "u2", "i2"]),
    slope=st.floats(0.01, 50),
    intercept=st.floats(-2000, 2000),
    view=st.one_of(
        st.just({}),
        st.builds(
            lambda c, w, f: {"WindowCenter": c, "WindowWidth": w, "VOILUTFunction": f},
            st.floats(-3000, 3000).map(lambda v: round(v, 2)),
            st.floats(1, 9000).map(lambda v: round(v, 2)),
            st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]),
        ),
    ),
)
def test_dicom_rises_and_monochrome1_is_the_inverse(tmp_path, values, slope, intercept, view):
    view |= {"RescaleSlope": f"{slope:.6g}", "RescaleIntercept": f"{intercept:.6g}"}
    read = picture(dicom(tmp_path / "2.dcm", values, **view))
    assert read.shape == values.shape
    rises(values, read)
    inverse = picture(dicom(tmp_path / "1.dcm", values, PhotometricInterpretation="MONOCHROME1", **view))
    assert (inverse == 255 - read).all()


@FEW
@given(values=numbers(["u2", "i2"]), padding=st.integers(-(2**15), 2**15 - 1), rows=st.integers(1, 9))
def test_rows_of_padding_change_nothing(tmp_path, values, padding, rows):
    padding %= 2**16 if values.dtype.kind == "u" else 2**15
    values[values == padding] ^= 1
    alone = picture(dicom(tmp_path / "alone.dcm", values))
    more = np.vstack([values, np.full((rows, values.shape[1]), padding, values.dtype)])
    path = dicom(tmp_path / "padded.dcm", more, PixelPaddingValue=padding)
    padded = picture(path)
    assert (padded[: len(values)] == alone).all() and not padded[len(values) :].any()


@pytest.mark.parametrize("kind", ["png", "tif", "big.tif", "dcm", "jpg", "mpo"])
@FEW
@given(data=st.data())
def test_damage_is_refused_or_read_and_nothing_else(tmp_path, kind, data):
    path = tmp_path / f"x.{kind}"
    values = np.arange(144, dtype=np.uint16).reshape(12, 12) * 300
    if kind == "dcm":
        dicom(path, values)
    elif kind == "png":
        write_png(path, np.dstack([values] * 3))
    elif kind.endswith("tif"):
        write_tiff(path, values, ">" if kind == "big.tif" else "<", deflated=kind == "tif")
    else:
        stream = io.BytesIO()
        grey = Image.fromarray((values // 256).astype(np.uint8))
        grey.save(stream, "JPEG") if kind == "jpg" else grey.save(stream, "MPO", save_all=True, append_images=[grey])
        path.write_bytes(stream.getvalue())
    content = bytearray(path.read_bytes())
    for place, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=6)
    ):
        content[place] = byte
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    try:
        picture(path)
    except UnusableImage as error:
        assert str(error).endswith(".")
