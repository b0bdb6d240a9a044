"""Where things are: the registry of data sets and weights, and the files on this disk. Nothing here uses a network.

The registry is one TOML card per data set in ``datasets/cards`` (inside an installed package: ``_assets/cards``).
``fetch.py`` (``make data``) downloads what a card names; everything else only reads from disk.
"""

import hashlib
import json
import os
import tomllib
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent
CHECKOUT = _PACKAGE.parent
MAX_BYTES = 2 * 10**9  # data that need more than this in memory are refused


def asset_folder(installed: str, checkout: str) -> Path:
    """A folder of embedded files: inside the wheel where there is one, else in the checkout."""
    inside = _PACKAGE / "_assets" / installed
    return inside if inside.is_dir() else CHECKOUT / checkout


@cache
def cards() -> dict[str, dict]:
    """All cards by name, e.g. ``cards()["breast"]["licence"]``; the keys are explained in ``datasets/README.md``."""
    folder = asset_folder("cards", "datasets/cards")
    return {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.toml"))}


def card(name: str) -> dict:
    """The card of one data set. Raises ValueError, naming the known ones, when there is none."""
    if not isinstance(name, str):
        raise ValueError(f"The data set is a {type(name).__name__}: name one of {', '.join(cards())}.")
    if name.removesuffix("mnist") == "chest":
        raise ValueError("ChestMNIST has several labels per image and this course has one: choose e.g. 'pneumonia'.")
    if name not in cards():
        raise ValueError(f"There is no data set called {name!r}; known are {', '.join(cards())}.")
    return cards()[name]


def listing(about: dict) -> dict[str, str]:
    """Path under the data folder -> checksum, of all files of a card that has a ``listing``."""
    path = asset_folder("cards", "datasets/cards") / about["listing"]
    rows = [line.split("  ", 1) for line in path.read_text("utf-8").splitlines()]
    return {name: f"sha256:{digest}" for digest, name in rows}


def data_folder() -> Path | None:
    """The folder that holds real data, or None where twins are forced by ``MEDTL_DATA=twin``.

    ``MEDTL_DATA`` names it (a relative path: seen from here, else from the checkout, since notebooks run in a folder
    of their own); else ``datasets/`` of the checkout; else, for an installed package, a user cache. Raises
    FileNotFoundError when ``MEDTL_DATA`` names no folder.
    """
    asked = os.environ.get("MEDTL_DATA", "")
    if asked == "twin":
        return None
    if asked:
        for folder in (Path(asked).expanduser(), CHECKOUT / asked):
            if folder.is_dir():
                return folder.resolve()
        raise FileNotFoundError(f"MEDTL_DATA names {asked}, which is no folder: correct it, or unset MEDTL_DATA.")
    if (CHECKOUT / "datasets" / "cards").is_dir():
        return CHECKOUT / "datasets"
    import platformdirs

    return Path(platformdirs.user_cache_dir("medtl"))


def checksum_is_right(path: Path, checksum: str) -> bool:
    """Whether the file at ``path`` has the ``checksum``, written like ``"md5:28209e…"`` or ``"sha256:a74b7e…"``.

    ``"arrays:…"`` is that of the arrays in an .npz, however these were packed.
    """
    algorithm, _, expected = checksum.partition(":")
    if algorithm == "arrays":
        return digest_of_arrays(path) == expected
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest() == expected


def digest_of_arrays(path: Path) -> str:
    """The SHA-256 of the names, types, shapes and numbers of all arrays in an .npz, by name; "" for any other file."""
    import numpy as np

    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > MAX_BYTES:
                return ""
        with np.load(path, allow_pickle=False) as arrays:
            for name in sorted(arrays.files):
                array = arrays[name]
                digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
                digest.update(array.tobytes())
    except Exception:  # a damaged file can stop zipfile and NumPy anywhere, with any error
        return ""
    return digest.hexdigest()


@dataclass(frozen=True)
class Found:
    """What ``find`` saw: the ``path`` of a real file, or None and in words ``why_not``.

    ``twin_wanted``: no real file is wanted at all, because ``MEDTL_DATA=twin`` forces the twins.
    """

    path: Path | None
    why_not: str = ""
    twin_wanted: bool = False


def find(about: dict, key: str) -> Found:
    """The real file ``key`` on this disk, of the data set or the weights whose card is ``about``."""
    entry, folder = about["files"][key], data_folder()
    if folder is None:
        return Found(None, "MEDTL_DATA=twin", twin_wanted=True)
    path = folder / entry["path"]
    if not path.is_file():
        return Found(None, "not fetched yet")
    if not checksum_is_right(path, entry["checksum"]):
        return Found(None, f"{path} has the wrong checksum (damaged or another version): delete it and fetch it again")
    return Found(path)


def find_all(about: dict) -> Found:
    """The folder that holds all files of a card with a ``listing``, each with its checksum; or why there is none."""
    folder, wanted = data_folder(), listing(about)
    if folder is None:
        return Found(None, "MEDTL_DATA=twin", twin_wanted=True)
    missing = [name for name in wanted if not (folder / name).is_file()]
    if len(missing) == len(wanted):
        return Found(None, "not fetched yet")
    if missing:
        return Found(None, f"{len(missing)} of {len(wanted)} files are missing, {folder / missing[0]} among them")
    for name, checksum in wanted.items():
        if not checksum_is_right(folder / name, checksum):
            return Found(None, f"{folder / name} has the wrong checksum (damaged or another version): delete it")
    return Found(folder / about["folder"])


def recorded(name: str) -> dict:
    """A committed benchmark result ``benchmarks/results/<name>.json``: command, seeds, device, commit and tables."""
    path = asset_folder("results", "benchmarks/results") / f"{name}.json"
    if not path.is_file():
        raise FileNotFoundError(f"No recorded result {path}: run the benchmark of that name, see benchmarks/README.md.")
    return json.loads(path.read_text("utf-8"))
