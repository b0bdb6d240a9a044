"""All image files of a folder as one stack of pixels, in memory or, where they would not fit, in a file on the disk."""

import warnings
from pathlib import Path

import numpy as np
import psutil
import torch
from PIL import Image
from tqdm import tqdm

from ..assets import MAX_BYTES
from ..console import say
from ..devices import headless
from .images import read_image
from .pixels import SuspectImage, UnusableImage
from .streams import PixelFile, StreamedImages

SHARE = 0.5  # of the free memory that the images may fill


def read_all(
    root: Path, files: list[Path], size: int, channels: int | None, stream: bool | str | Path | None
) -> torch.Tensor | StreamedImages:
    """The images ``files`` below ``root``, uint8 N×C×size×size; with ``channels=None`` C is 3 if one is in colour.

    They become ``StreamedImages`` with ``stream`` True or a folder for their pixels, and by themselves, with None,
    where they would fill more than 2 GB or half of the free memory; one line says so. Raises ValueError for unusable
    images, all of which are looked for; for ``stream=False`` when they do not fit in memory; and where they do not fit
    on the disk.
    """
    rooms: list[np.ndarray | PixelFile] = []  # the last one holds all images, if everything went well
    try:
        _fill(rooms, root, files, size, channels, stream)
    except BaseException:
        for room in rooms:
            if isinstance(room, PixelFile):
                room.delete()
        raise
    x = rooms[-1]
    if isinstance(x, np.ndarray):
        return torch.from_numpy(x)
    x.close()
    size_of = f"{np.prod(x.shape, dtype=np.int64) / 1e9:.2f} GB"
    why = f"would fill {size_of} of memory, so they are streamed" if stream is None else "are streamed"
    say(
        f"{root.resolve().name}: the images {why} from a file of their pixels, {x.path} ({size_of}), until Python ends."
    )
    return StreamedImages(x)


def _fill(rooms: list, root: Path, files: list[Path], size: int, channels: int | None, stream) -> None:
    """Read the images into a room for all of them, and into another one at the first image in colour."""
    rooms.append(_room(root, (len(files), channels or 1, size, size), stream))
    problems: list[UnusableImage] = []
    suspects: list[Path] = []
    for i, file in enumerate(tqdm(files, desc="reading images", delay=2, leave=False, disable=headless())):
        try:
            image = Image.fromarray(read_or_doubt(file, suspects))
        except UnusableImage as error:
            problems.append(error)
        if problems:  # nothing will be returned: from now on only more of them are looked for
            continue
        if channels is not None:
            image = image.convert("L" if channels == 1 else "RGB")
        image = image.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=3.0)
        pixels = np.atleast_3d(np.asarray(image)).transpose(2, 0, 1)  # C×size×size
        if channels is None and (pixels == pixels[:1]).all():
            pixels = pixels[:1]
        if len(pixels) > rooms[-1].shape[1]:
            rooms.append(_room(root, (len(files), 3, size, size), stream))
            for before in range(i):
                rooms[-1][before] = rooms[-2][before]
        rooms[-1][i] = pixels
    if problems:
        some = "; ".join(f"{p.args[0].relative_to(root)} {p.reason}" for p in problems[:5])
        more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise ValueError(
            f"{len(problems)} of the {len(files)} images in {root} cannot be used, so repair or remove "
            f"them: {some}{more}."
        ) from None
    if suspects:
        say(
            f"{root.resolve().name}: {counted(suspects, root)} hold varied numbers and become nearly constant "
            "pictures: look at them in a viewer, and export them again with another window."
        )


def counted(paths: list[Path], root: Path, what: str = "images") -> str:
    """How many, with an example."""
    return f"{len(paths)} {what} (e.g. {paths[0].relative_to(root).as_posix()})"


def read_or_doubt(file: Path, suspects: list[Path]) -> np.ndarray:
    """``read_image``, whose doubt about the file goes to ``suspects`` instead of one warning for each file."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", SuspectImage)
        try:
            return read_image(file)
        except SuspectImage:
            suspects.append(file)
        warnings.simplefilter("ignore", SuspectImage)
        return read_image(file)


def _room(root: Path, shape: tuple[int, int, int, int], stream) -> np.ndarray | PixelFile:
    """Where the images go: an array without values, or a file without any."""
    needed, free = int(np.prod(shape, dtype=np.int64)), psutil.virtual_memory().available
    if stream or (stream is None and needed > min(MAX_BYTES, SHARE * free)):
        return PixelFile(None if stream is True else stream, shape)
    if needed > free:
        raise ValueError(
            f"The {shape[0]} images in {root} need {needed / 1e9:.1f} GB at {shape[2]} px and {free / 1e9:.1f} GB of "
            "memory are free: leave out stream=False to have them streamed from the disk, or choose a smaller size."
        )
    return np.empty(shape, np.uint8)
