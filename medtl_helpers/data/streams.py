"""Images that do not fit in memory: their pixels lie in one file on the disk, and are read when they are asked for.

``load_folder`` decodes and resizes every image once, looks at all of them, and writes the bytes one behind the other
into a ``.npy`` file. To decode them again in every epoch would be slower: a JPEG of 300 px takes about a millisecond,
and its 64 × 64 pixels are read in microseconds. The price is N·C·H·W bytes of disk, 12 GB for a million RGB images of
64 px, until the last task that uses them is gone or Python ends.
"""

import errno
import os
import shutil
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import IO

import numpy as np
import torch
from torch.utils.data import Dataset

from ..parts import shown

LASTING = "/var/tmp"  # on a disk by convention, where /tmp may be a part of the memory


class PixelFile:
    """uint8 N×C×H×W in a new ``.npy`` file, written with ``file[row] = pixels`` and then read with ``file.read(rows)``.

    The file may be read by its owner alone. It goes with ``delete()`` or when this object is gone; a copy of the object
    in a worker process reads, and deletes nothing. Raises ValueError, naming the folder, where it cannot be written:
    one that is not there, a full disk; and, naming the file, where it cannot be read any more.
    """

    def __init__(self, folder: str | Path | None, shape: tuple[int, int, int, int]):
        usual = os.environ.get("TMPDIR") or (LASTING if os.path.isdir(LASTING) else tempfile.gettempdir())
        self.folder, self.shape = Path(folder or usual).expanduser(), shape
        self.bytes = int(np.prod(shape[1:], dtype=np.int64))  # of one image
        try:
            if shutil.disk_usage(self.folder).free < shape[0] * self.bytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            handle, name = tempfile.mkstemp(".npy", "medtl_", self.folder)
            self.path, self._open = Path(name), os.fdopen(handle, "wb")
            self.delete = weakref.finalize(self, _delete, self.path, self._open, os.getpid())
            about = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_2_0(self._open, about)
            self.start = self._open.tell()
        except OSError as error:
            raise self._unwritten(error) from None

    def __setitem__(self, row: int, pixels: np.ndarray) -> None:
        try:
            self._open.seek(self.start + row * self.bytes)
            self._open.write(np.broadcast_to(pixels, self.shape[1:]).tobytes())
        except OSError as error:
            raise self._unwritten(error) from None

    def close(self) -> None:
        """To be called when all is written."""
        try:
            self._open.close()
        except OSError as error:
            raise self._unwritten(error) from None

    def read(self, rows) -> np.ndarray:
        """uint8 n×C×H×W: the images of these row numbers."""
        found = np.empty((len(rows), *self.shape[1:]), np.uint8)
        try:
            with open(self.path, "rb") as file:
                for image, row in zip(found, rows, strict=True):
                    file.seek(self.start + row * self.bytes)
                    if file.readinto(image.data) != self.bytes:
                        raise OSError(0, "it ends too early")
        except OSError as error:
            raise ValueError(
                f"{self.path}, from which the images are streamed, cannot be read any more ({error.strerror}): load "
                "the folder again."
            ) from None
        return found

    def __getitem__(self, row: int) -> np.ndarray:
        self._open.flush()
        return self.read([row])[0]

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "_open"}

    def _unwritten(self, error: OSError) -> ValueError:
        return ValueError(
            f"The pixels of the images cannot be written to {self.folder} ({error.strerror}): name a folder on a disk "
            f"with {np.prod(self.shape, dtype=np.int64) / 1e9:.1f} GB of room with stream='…', or choose a smaller "
            "size."
        )


def _delete(path: Path, file: IO[bytes], owner: int) -> None:
    if os.getpid() == owner:  # and no worker that was forked from it
        with suppress(OSError):  # a full disk can stop even this
            file.close()
        path.unlink(missing_ok=True)


class StreamedImages(Dataset[torch.Tensor]):
    """uint8 images N×C×H×W that are read from a ``PixelFile``; a torch ``Dataset`` whose items are images.

    ``len``, ``shape``, ``dtype`` and ``ndim`` are those of the tensor that it stands for. ``x[rows]`` reads what a
    tensor would hold there, as a new tensor: of a number, a slice, a list, a mask; ``x[:]`` reads all into memory.
    ``mtl.fit``, ``mtl.predict`` and all that trains or computes features takes it in place of a tensor.
    """

    dtype, ndim = torch.uint8, 4

    def __init__(self, file: PixelFile, rows: torch.Tensor | None = None):
        self.file = file
        self.rows = torch.arange(file.shape[0]) if rows is None else rows

    @property
    def shape(self) -> torch.Size:
        return torch.Size((len(self.rows), *self.file.shape[1:]))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows) -> torch.Tensor:
        rows, *inside = rows if isinstance(rows, tuple) else (rows,)
        at = self.rows[rows if isinstance(rows, slice | int) else torch.as_tensor(rows).cpu()]
        images = torch.from_numpy(self.file.read(at.flatten().tolist())).view(*at.shape, *self.file.shape[1:])
        return images[(*[slice(None)] * at.ndim, *inside)] if inside else images

    def only(self, rows) -> "StreamedImages":
        """These rows of it, still on the disk."""
        return StreamedImages(self.file, self.rows[torch.as_tensor(rows)])

    def split(self, size: int):
        """The images in tensors of ``size`` each, one after the other, as ``Tensor.split`` gives them."""
        return (self[at : at + size] for at in range(0, len(self), size))

    def __repr__(self) -> str:
        return f"StreamedImages of shape {tuple(self.shape)}, uint8, from {self.file.path}"


def joined(parts: list[StreamedImages]) -> StreamedImages:
    """Some parts of one file, one behind the other."""
    return StreamedImages(parts[0].file, torch.cat([part.rows for part in parts]))


def check_stream(stream) -> None:
    """Raises ValueError unless ``stream`` is None, True, False, or a folder that is there."""
    if isinstance(stream, str | Path) and Path(stream).expanduser().is_dir():
        return
    if stream is not None and not isinstance(stream, bool):
        raise ValueError(
            f"stream is {shown(str(stream) if isinstance(stream, Path) else stream)}: give True or False, a folder "
            "that is there, for the pixels to be kept in while they are used, or None to let the memory decide."
        )
