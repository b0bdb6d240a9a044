"""What lies in a folder of images, file by file: hash, size, colour, and why a file cannot be used."""

import hashlib
import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from ..data.folder_layout import listed
from ..data.images import read_image
from ..data.pixels import SuspectImage, UnusableImage
from ..devices import headless


@dataclass(frozen=True)
class Seen:
    """One file. ``file`` is its path below the folder, ``wrong`` why it cannot be used ("" where it can), ``suspect``
    whether varied numbers become a nearly constant picture. Of an unusable file ``width`` and ``height`` are 0."""

    file: str
    sha256: str
    width: int = 0
    height: int = 0
    colour: bool = False
    wrong: str = ""
    suspect: bool = False

    @property
    def side(self) -> int:
        """The shorter side in pixels."""
        return min(self.width, self.height)


def look_at(root: Path, files: Iterable[Path]) -> list[Seen]:
    """Each of ``files`` below ``root``, read once and let go; nothing is raised for a file that cannot be used."""
    bar = tqdm(list(files), desc="looking at every file", delay=1, leave=False, ncols=72, disable=headless() or None)
    return [_look(root, file) for file in bar]


def _look(root: Path, path: Path) -> Seen:
    name = path.relative_to(root).as_posix()
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        digest = ""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", SuspectImage)
        try:
            picture = read_image(path)
        except UnusableImage as error:
            return Seen(name, digest, wrong=error.reason)
        except MemoryError:
            return Seen(name, digest, wrong="is too large for the memory of this machine")
    suspect = any(issubclass(one.category, SuspectImage) for one in told)
    colour = picture.ndim == 3 and bool((picture != picture[..., :1]).any())
    return Seen(name, digest, picture.shape[1], picture.shape[0], colour, suspect=suspect)


def images_below(root: Path) -> tuple[list[Path], list[Path]]:
    """All image files in ``root`` and in the folders inside it, sorted, and what is none or hidden.

    A link to a folder that was seen is not followed. Raises ValueError for a folder that may not be read.
    """
    found: list[Path] = []
    others: list[Path] = []
    seen, waiting = set(), [root]
    while waiting:
        here = waiting.pop()
        if (real := here.resolve()) in seen:
            others.append(here)
            continue
        seen.add(real)
        folders, images, rest = listed(here)
        found += images
        others += rest
        waiting += folders
    return sorted(found), sorted(others)


def as_folder(path: str | os.PathLike, wanted: str) -> Path:
    """``path`` as a folder that is there. Raises ValueError, which says what was ``wanted``, where it is none."""
    root = Path(path).expanduser()
    if not root.is_dir():
        raise ValueError(f"{path} is no folder: give the one that holds {wanted}.")
    return root
