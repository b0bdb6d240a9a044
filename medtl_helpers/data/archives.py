"""An .npz on disk -> its arrays, after a look at what it claims to hold. Nothing in it is run, nothing written to disk.

An .npz is a zip of arrays. A hostile one may hold a pickle (a program), a few kilobytes that unfold to terabytes, or
members called ``../..`` for whoever unpacks them; a damaged one may break anywhere.
"""

import math
import zipfile
from pathlib import Path

import numpy as np

from ..assets import MAX_BYTES

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_npz(path: Path, names: list[str]) -> dict[str, np.ndarray]:
    """The arrays of ``path``, whose members must be called ``names`` and nothing else.

    Raises ValueError, one sentence that names the file, for other members, Python objects, more than 2 GB, and for
    what cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            there = [info.filename for info in archive.infolist()]
            if sorted(there) != sorted(f"{name}.npy" for name in names):
                raise _Refused(f"should hold {', '.join(names)} and nothing else")
            return {name: _read(archive, f"{name}.npy") for name in names}
    except _Refused as why:
        raise ValueError(f"{path} {why}: delete it and fetch it again.") from None
    except Exception:  # a damaged file can stop zipfile and NumPy anywhere, with any error
        raise ValueError(f"{path} is damaged, or no .npz: delete it and fetch it again.") from None


class _Refused(Exception):
    """What is wrong with the file: the middle of a sentence."""


def _read(archive: zipfile.ZipFile, member: str) -> np.ndarray:
    with archive.open(member) as file:
        shape, _, dtype = _HEADERS[np.lib.format.read_magic(file)](file)
    if dtype.hasobject:
        raise _Refused(f"holds Python objects in {member}, which could run a program")
    if max(math.prod(shape) * dtype.itemsize, archive.getinfo(member).file_size) > MAX_BYTES:
        raise _Refused(f"claims more than {MAX_BYTES / 1e9:.0f} GB in {member}")
    with archive.open(member) as file:
        return np.lib.format.read_array(file, allow_pickle=False)
