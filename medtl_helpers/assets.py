"""Where things are: the registry of data sets and weights, and the files on this disk. Nothing here uses a network.

The registry is one TOML card per data set in ``datasets/cards`` (inside an installed package: ``_assets/cards``).
``fetch.py`` (``make data``) downloads what a card names; everything else only reads from disk.
"""

import hashlib
import json
import os
import tomllib
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parent


def asset_folder(installed: str, checkout: str) -> Path:
    """A folder of embedded files: inside the wheel where there is one, else in the checkout."""
    inside = _PACKAGE / "_assets" / installed
    return inside if inside.is_dir() else _CHECKOUT / checkout


@cache
def cards() -> dict[str, dict]:
    """All cards by name, e.g. ``cards()["breast"]["licence"]``; the keys are explained in ``datasets/README.md``."""
    folder = asset_folder("cards", "datasets/cards")
    return {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.toml"))}


def card(name: str) -> dict:
    """The card of one data set. Raises ValueError, naming the known ones, when there is none."""
    if name.removesuffix("mnist") == "chest":
        raise ValueError("ChestMNIST has several labels per image and this course has one: choose e.g. 'pneumonia'.")
    if name not in cards():
        raise ValueError(f"There is no data set called {name!r}; known are {', '.join(cards())}.")
    return cards()[name]


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
        for folder in (Path(asked).expanduser(), _CHECKOUT / asked):
            if folder.is_dir():
                return folder.resolve()
        raise FileNotFoundError(f"MEDTL_DATA names {asked}, which is no folder: correct it, or unset MEDTL_DATA.")
    if (_CHECKOUT / "datasets" / "cards").is_dir():
        return _CHECKOUT / "datasets"
    import pooch

    return Path(pooch.os_cache("medtl"))


def checksum_is_right(path: Path, checksum: str) -> bool:
    """Whether the file at ``path`` has the ``checksum``, written like ``"md5:28209e…"`` or ``"sha256:a74b7e…"``."""
    algorithm, _, expected = checksum.partition(":")
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest() == expected


def find(name: str, key: str) -> tuple[Path | None, str]:
    """The real file ``key`` of data set ``name`` on this disk, as (path, ""), or (None, why there is none)."""
    entry = card(name)["files"][key]
    folder = data_folder()
    if folder is None:
        return None, "MEDTL_DATA=twin"
    path = folder / entry["path"]
    if not path.is_file():
        return None, "not fetched yet"
    if not checksum_is_right(path, entry["checksum"]):
        return None, f"{path} has the wrong checksum (damaged or another version): delete it and fetch it again"
    return path, ""


def recorded(name: str) -> dict:
    """A committed benchmark result ``benchmarks/results/<name>.json``: command, seeds, device, commit and tables."""
    path = asset_folder("results", "benchmarks/results") / f"{name}.json"
    if not path.is_file():
        raise FileNotFoundError(f"No recorded result {path}: run the benchmark of that name, see benchmarks/README.md.")
    return json.loads(path.read_text("utf-8"))
