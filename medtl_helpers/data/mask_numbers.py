"""One file of a mask -> its numbers, and what the numbers of all masks of a folder mean.

A mask is no picture: its numbers are classes, and nothing may change them. So no window, no smoothing and no colours.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from .dicom import is_dicom
from .images import read_image
from .masks import BACKGROUND
from .pixels import SEVERAL_PAGES, UnusableImage, check_size, quiet
from .tiff import libtiff_is_heard, read_deep_tiff, tiff_directory

OBJECT = "object"  # the one class of masks that were not given a name
MOST_CLASSES = 255
EDGES = 6  # different numbers in a mask: of more, with 255 as the commonest above 0, the others are a smoothed edge


def read_mask(path: Path) -> np.ndarray:
    """The numbers of a PNG, TIFF, BMP or JPEG file, H×W of any whole numbers from 0, as they are stored.

    A palette of greys gives its greys, and another palette the numbers of its colours. Colours that are all grey are
    one channel. Raises UnusableImage for what ``read_image`` refuses, for colours, transparency, DICOM, numbers below 0
    or between whole ones, for a JPEG with more than two numbers, and where the edges of the objects were smoothed.
    """
    if not path.is_file():
        raise UnusableImage(path, "is no file", "it is not there, a folder, or a broken link; correct the path")
    try:
        with quiet(), open(path, "rb") as file:
            start = file.read(132)
            file.seek(0)
            if is_dicom(start) or path.suffix.lower() == ".dcm":
                raise UnusableImage(path, "is a DICOM file", "save the mask as PNG")
            numbers, lossy = _stored_numbers(path, file, start)
    except (UnusableImage, MemoryError):
        raise
    except Exception:  # whatever a parser stumbles over, read_image says it in a sentence
        read_image(path)
        raise UnusableImage(path, "cannot be read as a mask", "save it as PNG") from None
    return _checked(path, numbers, lossy)


def _stored_numbers(path: Path, file, start: bytes) -> tuple[np.ndarray, bool]:
    """The numbers of an open file, H×W or H×W×C, and whether it is a JPEG."""
    if start[:4] in (b"II*\0", b"MM\0*", b"II+\0"):
        with libtiff_is_heard():
            deep = read_deep_tiff(path, file, tiff_directory(path, file))
        if deep is not None:
            return deep, False
        file.seek(0)
    with Image.open(file, formats=["PNG", "JPEG", "TIFF", "BMP"]) as image:
        check_size(path, *image.size)
        if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
            raise UnusableImage(path, *SEVERAL_PAGES)
        image.load()
        lossy = image.format in ("JPEG", "MPO")
        shown: Image.Image = image
        if image.mode == "P":
            palette = np.array(image.getpalette() or [], np.uint8).reshape(-1, 3)[np.unique(np.asarray(image))]
            if (palette == palette[:, :1]).all():
                shown = image.convert("L")
        return np.asarray(ImageOps.exif_transpose(shown)), lossy


def _checked(path: Path, numbers: np.ndarray, lossy: bool) -> np.ndarray:
    """The numbers H×W. Raises UnusableImage for what no mask holds."""
    if numbers.ndim == 3:
        colours, alpha = (numbers, None) if numbers.shape[2] == 3 else (numbers[..., :-1], numbers[..., -1])
        if (colours != colours[..., :1]).any():
            raise UnusableImage(path, "has colours", "save the number of its class in each pixel, as grey PNG")
        if alpha is not None and alpha.min() != alpha.max():
            raise UnusableImage(path, "is transparent in places", "save it as grey PNG, with 0 for the background")
        numbers = colours[..., 0]
    broken = numbers.dtype.kind == "f" and not (np.isfinite(numbers).all() and (numbers == np.floor(numbers)).all())
    if broken or numbers.min() < 0 or numbers.max() >= 2**31:
        raise UnusableImage(
            path,
            "has numbers that are no whole ones from 0",
            "save the number of its class in each pixel as grey PNG, and cut probabilities at a threshold before",
        )
    numbers = numbers.astype(np.uint8 if numbers.dtype == bool else numbers.dtype if numbers.dtype.kind == "u" else int)
    found, counts = counted_numbers(numbers)
    between = int(((found > 0) & (found < 255)).sum())
    if lossy and len(found) > 2:
        raise UnusableImage(
            path, f"is a JPEG with {between} numbers between 0 and 255, since JPEG smears them", "save masks as PNG"
        )
    if len(found) > EDGES and found[-1] == 255 and counts[-1] == counts[found > 0].max():
        raise UnusableImage(
            path,
            f"has {between} numbers between 0 and 255, as if its edges had been smoothed",
            "save the mask anew, and where it is resized, without interpolation (nearest)",
        )
    return numbers


def counted_numbers(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different numbers, sorted, and how many pixels have each; of bytes without sorting them all."""
    if numbers.dtype != np.uint8:
        return np.unique(numbers, return_counts=True)
    counts = np.bincount(numbers.ravel(), minlength=256)
    return counts.nonzero()[0], counts[counts > 0]


def meaning(
    numbers: dict[str, np.ndarray], classes: str | Sequence[str] | Mapping[int, str] | None, name: str
) -> tuple[tuple[str, ...], dict[int, int], list[str]]:
    """What the numbers of all masks mean: the classes, the class of each number, and lines for the reader.

    ``numbers`` gives for each file the different ones in it; ``classes`` is what ``load_masks`` takes. Raises
    ValueError, beginning with ``name``, where they do not fit together.
    """
    there = sorted({int(number) for found in numbers.values() for number in found} - {0})
    if not there:
        raise ValueError(f"{name} has {len(numbers)} masks that are all empty (0 everywhere): give masks of objects.")
    if isinstance(classes, Mapping):
        return _by_number(numbers, there, classes, name)
    names = [classes] if isinstance(classes, str) else list(classes or ())
    names = names[1:] if names[:1] == [BACKGROUND] else names
    if any(not isinstance(one, str) or not one for one in names) or len(set(names)) < len(names) or BACKGROUND in names:
        raise ValueError(f"classes is {classes!r}: give the names of the classes, each once, like ('liver', 'spleen').")
    if len(names) > 1:
        return _by_number(numbers, there, dict(enumerate(names, 1)), name)
    if names:
        lines = [f"all {len(there)} numbers above 0 are taken as {names[0]!r}."] if len(there) > 1 else []
    elif set(there) <= {1, 255} and all((found > 0).sum() < 2 for found in numbers.values()):
        lines = ["some masks hold 0 and 1, others 0 and 255: both are taken as one class."] if len(there) > 1 else []
    elif len(there) == 1:
        lines = [f"the masks hold 0 and {there[0]}, and {there[0]} is taken as the object."]
    else:
        raise ValueError(
            f"The masks of {name} hold {_listed(there)} besides 0 ({_where(numbers, there[-1])}): say with classes= "
            "what they are, in order like ('liver', 'spleen') or by number like {63: 'liver', 126: 'spleen'}, or, "
            "where each number is one object of a single class, that class alone, like 'nucleus'."
        )
    return (BACKGROUND, *(names or [OBJECT])), {0: 0} | dict.fromkeys(there, 1), lines


def _by_number(numbers, there: list[int], names: Mapping[int, str], name: str):
    """As ``meaning``, where each number has its name; two numbers of one name are one class."""
    names = {0: BACKGROUND} | dict(names)
    good = all(isinstance(number, int) and number >= 0 and isinstance(one, str) for number, one in names.items())
    kept = tuple(dict.fromkeys(names.values())) if good else ()
    if not 2 <= len(kept) <= MOST_CLASSES or kept[0] != BACKGROUND:
        raise ValueError(
            "classes has to give a name for each number in the masks, like {63: 'liver', 126: 'spleen'}: correct it."
        )
    unknown = [number for number in there if number not in names]
    if unknown:
        raise ValueError(
            f"The masks of {name} hold {_listed(unknown)} ({_where(numbers, unknown[0])}), and classes names "
            f"{_listed(list(names)[1:])}: name every number, like classes={{{unknown[0]}: 'liver'}}, or "
            "'background' where it stands for nothing."
        )
    absent = [one for one in kept[1:] if not any(names[number] == one for number in there)]
    lines = [f"no mask holds {', '.join(map(repr, absent))}."] if absent else []
    return kept, {number: kept.index(one) for number, one in names.items()}, lines


def _listed(numbers: list[int]) -> str:
    more = f" and {len(numbers) - 5} more" if len(numbers) > 5 else ""
    return f"the number{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers[:5]))}{more}"


def _where(numbers: dict[str, np.ndarray], number: int) -> str:
    return "for example " + next(file for file, found in numbers.items() if number in found)
