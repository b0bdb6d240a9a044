"""Folders of images with something wrong: each fault, what the user reads, and that the folder is left as it was."""

import os
import struct
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless
from rows import Row, of_ours, one_sentence

import medtl_helpers as mtl
from medtl_helpers import provenance
from medtl_helpers.data import reading, streams
from medtl_helpers.data.folders import load_folder
from medtl_helpers.data.images import read_image
from medtl_helpers.data.pixels import UnusableImage

GREY = np.random.default_rng(0).integers(0, 256, (16, 16), dtype=np.uint8)
NOISE = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def forget_sources(monkeypatch):
    """What is loaded here is not what other tests are about."""
    monkeypatch.setattr(provenance, "_sources", {})


def save(path, pixels=GREY, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(path, **options)


def write(path, content: bytes):
    path.write_bytes(content)


def cut(path, share):
    """A true image of which only the first part arrived."""
    save(path, NOISE)
    content = path.read_bytes()
    write(path, content[: int(len(content) * share)])


def huge(path, side):
    """The head of a PNG of side×side pixels: a few bytes that ask for gigabytes."""
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    body = [struct.pack(">I", len(d)) + kind + d + struct.pack(">I", zlib.crc32(kind + d)) for kind, d in chunks]
    write(path, b"\x89PNG\r\n\x1a\n" + b"".join(body))


def dicom(path, *, without=(), syntax=ExplicitVRLittleEndian, **tags):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = "1.2.3"
    ds.Rows, ds.Columns = GREY.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation, ds.PixelData = 7, 0, GREY.tobytes()
    for tag, value in tags.items():
        setattr(ds, tag, value)
    for tag in without:
        delattr(ds, tag)
    if syntax.is_compressed:
        from pydicom.encaps import encapsulate

        ds.PixelData = encapsulate([b"\xff\xd8 no decoder looks at this \xff\xd9"])
        ds["PixelData"].is_undefined_length = True
    ds.save_as(path, enforce_file_format=True)


def lab(path):
    save(path, Image.fromarray(NOISE, mode="LAB"))


def scratch(path, compression):
    """Some bytes in the middle of compressed pixels are others."""
    save(path, Image.fromarray(NOISE[..., 0]).convert("1" if compression == "group4" else "L"), compression=compression)
    content = bytearray(path.read_bytes())
    half = len(content) // 2
    content[half : half + 40] = b"\x55" * 40
    write(path, bytes(content))


def short_palette():
    names = [f"{colour}PaletteColorLookupTable" for colour in ("Red", "Green", "Blue")]
    return {f"{n}Descriptor": [256, 0, 8] for n in names} | {f"{n}Data": bytes(90) for n in names}


def not_a_number(path):
    pixels = GREY.astype(np.float32)
    pixels[3, 3] = np.nan
    save(path, pixels)


# fault, file name, what makes it, what is said of it, what to do
FILES = [
    ("zero bytes", "x.png", lambda p: write(p, b""), "is empty (0 bytes)", "copy or export it again"),
    ("web page", "x.jpg", lambda p: write(p, b"<!DOCTYPE html><html>404"), "is no image that can be read", "export it"),
    ("wrong suffix", "x.tif", lambda p: save(p, format="GIF"), "is no image that can be read", "or remove it"),
    ("cut head", "x.bmp", lambda p: cut(p, 0.002), "is damaged or incomplete", "export it again"),
    ("cut PNG", "x.png", lambda p: cut(p, 0.5), "is damaged or incomplete", "copy or export it again"),
    ("cut JPEG", "x.JPG", lambda p: cut(p, 0.5), "is damaged or incomplete", "copy or export it again"),
    ("cut TIFF", "x.tiff", lambda p: cut(p, 0.5), "is damaged or incomplete", "copy or export it again"),
    ("cut BMP", "x.bmp", lambda p: cut(p, 0.5), "is damaged or incomplete", "copy or export it again"),
    ("one pixel", "x.png", lambda p: save(p, GREY[:1, :1]), "is 1 × 1 px and each side needs at least 8", "remove it"),
    ("thin", "x.png", lambda p: save(p, GREY[:, :7]), "is 7 × 16 px and each side needs at least 8", "remove it"),
    ("large", "x.png", lambda p: huge(p, 9_000), "has more than 80 million pixels", "tiles or shrink it"),
    ("bomb", "x.png", lambda p: huge(p, 60_000), "has more than 80 million pixels", "tiles or shrink it"),
    (
        "pages",
        "x.tif",
        lambda p: save(p, save_all=True, append_images=[Image.fromarray(GREY)]),
        "holds several pages",
        "save the one you want",
    ),
    ("sub-IFD", "x.tif", lambda p: save(p, tiffinfo={330: 8}), "holds several pages", "save the one you want"),
    (
        "animation",
        "x.png",
        lambda p: save(p, save_all=True, append_images=[Image.fromarray(255 - GREY)]),
        "holds several pages",
        "save the one you want",
    ),
    (
        "two pictures",
        "x.jpg",
        lambda p: save(p, format="MPO", save_all=True, append_images=[Image.fromarray(255 - GREY)]),
        "holds several pages",
        "save the one you want",
    ),
    ("damaged LZW", "x.tif", lambda p: scratch(p, "tiff_lzw"), "is damaged or incomplete", "export it again"),
    ("damaged fax", "x.tif", lambda p: scratch(p, "group4"), "is damaged or incomplete", "export it again"),
    (
        "CMYK of 16 bits",
        "x.tif",
        lambda p: save(p, GREY.astype(np.uint16), tiffinfo={262: 5}),
        "cannot be read here without loss",
        "save it uncompressed",
    ),
    ("NaN", "x.tif", not_a_number, "has NaN or infinite pixels", "replace them"),
    ("LAB", "x.tif", lab, "is stored in LAB colours", "save it as RGB"),
    ("broken link", "x.png", lambda p: p.symlink_to("nowhere.png"), "is no file", "correct the path"),
    ("link to itself", "x.png", lambda p: p.symlink_to(p), "is no file", "correct the path"),
    ("pipe", "x.png", lambda p: os.mkfifo(p), "is no file", "correct the path"),
    ("no DICOM", "x.dcm", lambda p: save(p, format="PNG"), "is no DICOM file", "export it again"),
    ("zero bytes DICOM", "x.DCM", lambda p: write(p, b""), "is empty (0 bytes)", "copy or export it again"),
    ("no pixels", "x.dcm", lambda p: dicom(p, without=["PixelData"]), "holds no pixels", "remove it"),
    ("no rows", "x.dcm", lambda p: dicom(p, without=["Rows"]), "is damaged or incomplete", "export it again"),
    ("short pixels", "x.dcm", lambda p: dicom(p, PixelData=b"1234"), "is damaged or incomplete", "export it again"),
    (
        "frames",
        "x.dcm",
        lambda p: dicom(p, NumberOfFrames=2, PixelData=GREY.tobytes() * 2),
        "holds several frames",
        "export the frame you want",
    ),
    ("no decoder", "x.dcm", lambda p: dicom(p, syntax=JPEGLSLossless), "cannot be decoded here", "pylibjpeg[all]"),
    (
        "frames uncounted",
        "x.dcm",
        lambda p: dicom(p, PixelData=GREY.tobytes() * 2),
        "holds several frames",
        "export the frame you want",
    ),
    (
        "short palette",
        "x.dcm",
        lambda p: dicom(p, PhotometricInterpretation="PALETTE COLOR", **short_palette()),
        "is damaged or incomplete",
        "export it again",
    ),
    ("huge DICOM", "x.dcm", lambda p: dicom(p, Rows=60_000, Columns=60_000), "has more than 80 million", "shrink it"),
    ("thin DICOM", "x.dcm", lambda p: dicom(p, Rows=4, Columns=64), "is 64 × 4 px and each side needs", "remove it"),
]


@pytest.mark.parametrize("name, make, said, remedy", [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_a_file_that_cannot_be_used(tmp_path, recwarn, capfd, name, make, said, remedy):
    for k in range(3):
        save(tmp_path / "a" / f"{k}.png")
        save(tmp_path / "b" / f"{k}.png")
    path = tmp_path / "b" / name
    make(path)
    recwarn.clear()
    before = state(tmp_path)
    with pytest.raises(UnusableImage) as alone:
        read_image(path)
    text = one_sentence(alone.value)
    assert text.startswith(f"{path} is ") or text.startswith(f"{path} has ") or text.startswith(f"{path} holds ")
    assert said in text and remedy in text
    assert alone.value.__suppress_context__ or alone.value.__context__ is None  # no parser's own words behind it
    with pytest.raises(ValueError) as among_others:
        load_folder(tmp_path)
    text = one_sentence(among_others.value)
    assert said in text and f"1 of the 7 images in {tmp_path}" in text and f"b/{name}" in text and "remove" in text
    assert capfd.readouterr() == ("", "") and not recwarn.list
    assert state(tmp_path) == before


# odd, but usable: what it is, file name, what makes it, what becomes of it, its shape
ODD = [
    ("16 bits", "x.png", lambda p: save(p, GREY.astype(np.uint16) * 9), "windowed to 0..255", (16, 16)),
    ("32-bit numbers", "x.tif", lambda p: save(p, GREY.astype(np.float32) * 9), "windowed to 0..255", (16, 16)),
    ("CMYK", "x.tif", lambda p: save(p, Image.fromarray(NOISE).convert("CMYK")), "made RGB", (64, 64, 3)),
    ("transparent", "x.png", lambda p: save(p, Image.fromarray(NOISE).convert("RGBA")), "laid on black", (64, 64, 3)),
    ("palette", "x.png", lambda p: save(p, Image.fromarray(NOISE).convert("P")), "made RGB", (64, 64, 3)),
    ("constant", "x.png", lambda p: save(p, np.full((16, 16), 900, np.uint16)), "all zeros", (16, 16)),
    ("another image's suffix", "x.jpg", lambda p: save(p, format="PNG"), "read as what it is", (16, 16)),
]


@pytest.mark.parametrize("name, make, becomes, shape", [row[1:] for row in ODD], ids=[row[0] for row in ODD])
def test_an_odd_file_that_can_be_used(tmp_path, recwarn, capfd, name, make, becomes, shape):
    make(tmp_path / name)
    before = state(tmp_path)
    pixels = read_image(tmp_path / name)
    assert pixels.dtype == np.uint8 and pixels.shape == shape
    if becomes == "windowed to 0..255":
        assert (pixels.min(), pixels.max()) == (0, 255)
    assert (pixels.max() == 0) == (becomes == "all zeros")
    assert capfd.readouterr() == ("", "") and state(tmp_path) == before


def test_every_unusable_image_is_looked_for_and_five_are_named(tmp_path):
    for k in range(20):
        save(tmp_path / "ab"[k % 2] / f"{k:02}.png")
    for k in range(0, 16, 2):
        write(tmp_path / "a" / f"{k:02}.png", b"" if k else b"no image")
    with pytest.raises(ValueError) as info:
        load_folder(tmp_path)
    text = one_sentence(info.value)
    assert f"8 of the 20 images in {tmp_path}" in text and "repair or remove them" in text
    assert text.count(".png") == 5 and text.endswith("; and 3 more.")


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "bmp", "dcm"])
def test_damaged_bytes_never_raise_anything_else(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    dicom(path) if suffix == "dcm" else save(path, NOISE[:16, :16])
    content = np.frombuffer(path.read_bytes(), np.uint8)
    rng = np.random.default_rng(0)
    for _ in range(60):
        damaged = content[: rng.integers(1, len(content) + 1)].copy()
        damaged[rng.integers(0, len(damaged), 5)] = rng.integers(0, 256, 5)
        write(path, damaged.tobytes())
        try:
            assert read_image(path).dtype == np.uint8
        except UnusableImage as error:
            one_sentence(error)


def images(root, *names, n=3):
    for name in names:
        for k in range(n):
            save(root / name / f"{k}.png")


def splits(root, names=("train", "val", "test"), classes=("a", "b")):
    images(root, *(f"{split}/{name}" for split in names for name in classes))


def class_only_in(root, *where):
    splits(root)
    images(root, *(f"{split}/new" for split in where))


def empty(root, name):
    splits(root)
    for file in (root / name).iterdir():
        file.unlink()


def state(root):
    """Every name below ``root``, with its size and time of change."""
    return sorted((p, p.lstat().st_size, p.lstat().st_mtime_ns) for p in root.rglob("*"))


def nested(root):
    images(root, "a")
    (root / "b" / "patient 1").mkdir(parents=True)


def loop(root):
    splits(root)
    (root / "train" / "loop").symlink_to(root / "train", target_is_directory=True)


def twice(root):
    splits(root, ["train", "val", "Validation", "test"])


def table(root, text):
    """Two classes, and a CSV beside them in the folder."""
    images(root, "a", "b")
    write(root / "who.csv", text)


CSV = {"patients": "{}/who.csv"}


# fault, what makes it, arguments, what is said: {} is the folder
FOLDERS = [
    ("no folder", lambda r: r.rmdir(), {}, ["{} is no folder", "give the one that holds"]),
    ("file", lambda r: (r.rmdir(), write(r, b"zip")), {}, ["{} is no folder", "give the one"]),
    ("nothing in it", lambda r: None, {}, ["{} holds no class folders", "one folder per class"]),
    ("images only", lambda r: save(r / "1.png"), {}, ["{} holds no class folders", "one folder per class"]),
    ("one class", lambda r: images(r, "a"), {}, ["{} holds one class folder only, 'a'", "at least two"]),
    ("one class in splits", lambda r: splits(r, classes="a"), {}, ["{}/train holds one class folder only", "two"]),
    ("one class in test", lambda r: (splits(r, ["train"]), images(r, "test/a")), {}, ["'b' is in {}/train and not in"]),
    (
        "one level too high",
        lambda r: splits(r / "mine"),
        {},
        ["{}/mine holds train and test folders of its own", "load it by itself"],
    ),
    ("empty class", lambda r: empty(r, "test/b"), {}, ["{}/test/b holds no images", "put some there, or remove"]),
    ("empty folders in a class", nested, {}, ["{}/b holds no images", "put some there, or remove it"]),
    ("empty split", lambda r: (splits(r, ["train", "test"]), (r / "val").mkdir()), {}, ["{}/val holds no class"]),
    ("class only in test", lambda r: class_only_in(r, "test"), {}, ["'new' is in {}/test and not in {}/train", "add"]),
    ("class not in test", lambda r: class_only_in(r, "train", "val"), {}, ["'new' is in {}/train and not in {}/test"]),
    ("class not in val", lambda r: class_only_in(r, "train", "test"), {}, ["'new' is in {}/train and not in {}/val"]),
    ("no test", lambda r: splits(r, ["train", "val"]), {}, ["{} has train and val but no test folder", "add it"]),
    ("no train", lambda r: splits(r, ["test"]), {}, ["{} has test but no train folder", "add it"]),
    ("two val folders", twice, {}, ["{} has two folders for val", "keep one"]),
    ("loop", loop, {}, ["{}/train/loop holds no images", "or remove it"]),
    ("too few to split", lambda r: images(r, "a", "b", n=2), {}, ["{}/a holds 2 image(s), too few", "add images"]),
    (
        "too few for val",
        lambda r: splits(r, ["train", "test"]) or (r / "train/b/0.png").unlink() or (r / "train/b/1.png").unlink(),
        {},
        ["{}/train/b holds 1 image(s), too few", "add images"],
    ),
    ("positive name", splits, {"positive": "c"}, ["positive='c' is none of the classes a, b", "give one of"]),
    ("positive number", splits, {"positive": -1}, ["positive=-1 is none of the classes a, b", "give one of"]),
    ("positive True", splits, {"positive": True}, ["positive=True is none of the classes a, b", "give one of"]),
    (
        "class called like a split",
        lambda r: images(r, "valid/P1", "invalid/P2"),
        {},
        ["{} has valid beside invalid but no train folder", "(rename valid if it stands for a class"],
    ),
    ("classes called like splits", lambda r: images(r, "valid", "test"), {}, ["but no train folder", "(rename"]),
    ("patients no text", splits, {"patients": 3}, ["patients is 3", "give a regular expression, or the path of a CSV"]),
    ("no pattern", splits, {"patients": "(P"}, ["patients='(P' is no regular expression (missing )", "correct it"]),
    (
        "pattern that fits some",
        lambda r: (splits(r), save(r / "val/a/x.png")),
        {"patients": r"\d"},
        ["1 of 19 images is not matched by the pattern", "namely val/a/x.png", "correct one or the other"],
    ),
    (
        "patient in two splits",
        splits,
        {"patients": r"\d"},
        ["3 patient(s) have images in {}/train and in {}/val, for example '0'", "keep all images of a patient in one"],
    ),
    ("one patient in all", lambda r: images(r, "a", "b"), {"patients": "png"}, ["1 patient(s) with the class 'a'"]),
    ("no CSV", splits, {"patients": "who.csv"}, ["who.csv cannot be read (No such file", "correct the path"]),
    ("CSV: empty", lambda r: table(r, b""), CSV, ["who.csv has the columns ''", "call one of them file"]),
    (
        "CSV: no patient",
        lambda r: table(r, b"file,age\n0.png,3\n"),
        CSV,
        ["who.csv has the columns 'file,age'", "call one of them file, and one patient"],
    ),
    (
        "CSV: two patients of a file",
        lambda r: table(r, b"file,patient\na/0.png,1\na/0.png,2\n"),
        CSV,
        ["who.csv gives a/0.png to two patients", "keep the line that is right"],
    ),
    (
        "CSV: a name of two files",
        lambda r: table(r, b"file,patient\n0.png,1\n1.png,2\n2.png,3\n"),
        CSV,
        ["says 0.png, which may be a/0.png or b/0.png", "give the path from the folder"],
    ),
    (
        "CSV: gaps",
        lambda r: table(r, b"file,patient\na/0.png,1\na/1.png, \na/2.png,3\n"),
        CSV,
        ["4 of 6 images are not named, with a patient, in", "namely a/1.png"],
    ),
    (
        "CSV: an old encoding",
        lambda r: table(r, b"file,patient\n0.png,M\xfcller\n"),
        CSV,
        ["who.csv is not written in UTF-8", "save it as CSV in UTF-8"],
    ),
    ("channels", splits, {"channels": 4}, ["channels is 4", "give 1 (grey), 3 (RGB)"]),
    ("size", splits, {"size": 4}, ["size is 4", "whole number, 8 or more"]),
]


@pytest.mark.parametrize("make, options, said", [row[1:] for row in FOLDERS], ids=[row[0] for row in FOLDERS])
def test_a_folder_that_cannot_be_used(tmp_path, capfd, make, options, said):
    root = tmp_path / "mine"
    root.mkdir()
    make(root)
    before = state(tmp_path)
    with pytest.raises(ValueError) as info:
        load_folder(root, **{k: v.replace("{}", str(root)) if isinstance(v, str) else v for k, v in options.items()})
    text = one_sentence(info.value)
    for part in said:
        assert part.format(*[root] * part.count("{}")) in text, text
    assert capfd.readouterr() == ("", "")
    assert state(tmp_path) == before


def test_a_folder_that_may_not_be_read(tmp_path, monkeypatch):
    """By patching, since nothing is forbidden to root."""
    images(tmp_path, "a", "b", "b/deep")
    iterdir = Path.iterdir

    def ask(path):
        if path == forbidden:
            raise PermissionError(13, "Permission denied", str(path))
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", ask)
    for forbidden in (tmp_path / "b", tmp_path / "b" / "deep"):
        with pytest.raises(ValueError) as info:
            load_folder(tmp_path)
        assert one_sentence(info.value) == (
            f"The folder {forbidden} may not be read by you: change its permissions, or remove it."
        )


STREAMS = [
    (
        "kept in memory, for which they are too many",
        {"stream": False},
        ["The 6 images in {} need 0.0 GB at 16 px and 0.0 GB of memory are free", "leave out stream=False"],
    ),
    (
        "streamed from a disk that is full",
        {"stream": True},
        ["The pixels of the images cannot be written to", "No space left on device", "name a folder on a disk with"],
    ),
    (
        "streamed from a folder that is not there",
        {"stream": "nowhere/at/all"},
        ["stream is 'nowhere/at/all'", "give True or False, a folder that is there"],
    ),
    ("streamed by a number", {"stream": 2}, ["stream is 2", "give True or False"]),
]


@pytest.mark.parametrize("options, said", [row[1:] for row in STREAMS], ids=[row[0] for row in STREAMS])
def test_images_that_have_no_room(tmp_path, monkeypatch, capfd, options, said):
    root = tmp_path / "mine"
    images(root, "a", "b")
    monkeypatch.setattr(reading.psutil, "virtual_memory", lambda: SimpleNamespace(available=6 * 16 * 16 - 1))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    broken = OSError(28, os.strerror(28))
    monkeypatch.setattr(streams.PixelFile, "__setitem__", lambda file, *_: raised(file._unwritten(broken)))
    before = state(tmp_path)
    with pytest.raises(ValueError) as info:
        load_folder(root, size=16, **options)
    text = one_sentence(info.value)
    for part in said:
        assert part.format(root) in text, text
    assert capfd.readouterr() == ("", "")
    del info
    assert state(tmp_path) == before  # the file of pixels is gone, too


def raised(error):
    raise error


def test_a_file_of_pixels_that_vanishes_or_is_cut_is_told_with_its_name(tmp_path):
    images(tmp_path / "mine", "a", "b")
    for breaks in (lambda path: path.unlink(), lambda path: os.truncate(path, 200)):
        task = load_folder(tmp_path / "mine", size=16, stream=tmp_path)
        model = mtl.CourseCNN(1, 2, width=8)
        mtl.fit(model, task.train, task.val, epochs=1, progress=False)
        breaks(path := task.train.x.file.path)
        for use, given in ((mtl.fit, task.train), (mtl.predict, task.test.x)):
            with pytest.raises(ValueError) as info:
                use(model, given)
            text = one_sentence(info.value)
            assert f"{path}, from which the images are streamed, cannot be read any more" in text
            assert "load the folder again" in text


IN_MEMORY = {
    "DANN": lambda x, y: mtl.DANN(mtl.CourseCNN(1, 0), 64, 2).fit(x, y, x),
    "Fisher information": lambda x, y: mtl.fisher_diagonal(mtl.CourseCNN(1, 2), x, y),
    "replay": lambda x, y: mtl.SourceReplay(x, y),
    "colours": lambda x, y: mtl.match_pixels(x, x),
}


@pytest.mark.parametrize("what", IN_MEMORY)
def test_what_needs_all_images_in_memory_refuses_a_stream(tmp_path, what):
    images(tmp_path / "mine", "a", "b")
    with pytest.raises(ValueError) as info:
        IN_MEMORY[what](*load_folder(tmp_path / "mine", size=16, stream=True).train)
    assert " are streamed, and here they must be in memory: give some of them, like x[:1000]." in of_ours(info.value)


TABLE = [Row(f"{fault} ({name})", f"{said}: {remedy}", "all files") for fault, name, _, said, remedy in FILES]
TABLE += [Row(f"{fault} ({name})", f"it is {becomes}", "all files") for fault, name, _, becomes, _ in ODD]
TABLE += [
    Row(f"images {fault}", ": ".join(said).replace("{}", "the folder"), "the folder") for fault, _, said in STREAMS
]
TABLE += [
    Row(
        f"streamed images given to {', '.join(IN_MEMORY)}",
        "the inputs are streamed, and here they must be in memory: give some of them, like x[:1000]",
        "the images",
    ),
    Row(
        "a file of streamed pixels that vanishes or is cut",
        "FILE, from which the images are streamed, cannot be read any more: load the folder again",
        "the images",
    ),
]
TABLE += [
    Row(f"folder: {fault}", ": ".join(said).replace("{}/", "").replace("{}", "the folder"), "the folder")
    for fault, _, _, said in FOLDERS
]
TABLE.append(
    Row("folder: may not be read", "may not be read by you: change its permissions, or remove it", "the folder")
)
