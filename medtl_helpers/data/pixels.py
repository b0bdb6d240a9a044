"""Numbers of any kind to bytes, the one error of every file that will not do, and the doubt about one that may not.

Nothing but pixels leaves the modules that read images: no error, warning or log line repeats a value found in a file.
"""

import logging
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np

MIN_SIDE = 8  # pixels
MAX_PIXELS = 80_000_000  # in one image, before any resizing
TOO_LARGE = (f"has more than {MAX_PIXELS // 10**6} million pixels", "cut it into tiles or shrink it")
SEVERAL_PAGES = ("holds several pages", "save the one you want as an image of its own")
DEPTHS = (8, 10, 12, 14, 16, 32)  # bits that devices fill


class UnusableImage(ValueError):
    """A file that cannot be used: ``str()`` is one sentence, ``reason`` its middle (what is wrong)."""

    def __init__(self, path: Path, reason: str, remedy: str):
        super().__init__(path, reason, remedy)
        self.reason = reason

    def __str__(self) -> str:
        path, reason, remedy = self.args
        return f"{path} {reason}: {remedy}."


class SuspectImage(UserWarning):
    """A file that was read, and whose picture is ``nearly_constant``: ``str()`` is one sentence, ``path`` the file."""

    def __init__(self, path: Path):
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return (
            f"{self.path} has varied stored numbers and becomes a nearly constant picture: look at it in a viewer, and "
            "export it again with another window."
        )


@contextmanager
def quiet():
    """No warning and no log line of Pillow or pydicom meanwhile: they may carry values out of the file."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def check_size(path: Path, width: int, height: int) -> None:
    if min(width, height) < MIN_SIDE:
        raise UnusableImage(path, f"is {width} × {height} px and each side needs at least {MIN_SIDE}", "remove it")
    if width * height > MAX_PIXELS:
        raise UnusableImage(path, *TOO_LARGE)


def check_finite(path: Path, values: np.ndarray) -> None:
    if not np.isfinite(values).all():
        raise UnusableImage(path, "has NaN or infinite pixels", "replace them by a number and save it again")


def percentile_window(path: Path, values: np.ndarray, left_out: np.ndarray | None = None) -> np.ndarray:
    """Numbers of any type to uint8, from the 0.5th to the 99.5th percentile of those that are not ``left_out``."""
    check_finite(path, values)
    counted = values if left_out is None or left_out.all() else values[~left_out]
    low, high = np.percentile(counted, (0.5, 99.5))
    return window(values, low, high) if low < high else window(values, counted.min(), counted.max())


def window(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """``low`` and less becomes 0, ``high`` and more 255, straight in between; a step where the two are equal."""
    if low >= high:
        return np.where(values > low, 255, 0).astype(np.uint8)
    low, high = float(low), float(high)
    return np.rint(np.clip((values - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def white(largest: float, declared: int = 16) -> int:
    """The number that is white, 2^bits − 1, where ``largest`` is the largest one that the data hold.

    The bits are those ``declared``; but where these are too few, or a mere container of 16 or 32, they are the fewest
    of 8, 10, 12, 14, 16 and 32 that hold the data: 12 bits in 16 are 12 bits.
    """
    if declared not in (16, 32) and largest < 2**declared:
        return 2**declared - 1
    return next(2**bits - 1 for bits in DEPTHS if largest < 2**bits)


def deep_to_bytes(path: Path, values: np.ndarray, shown: np.ndarray | None = None, inverted=False) -> np.ndarray:
    """Numbers of more than 8 bits, H×W (grey) or H×W×3, to uint8; ``shown`` is the opacity H×W, 0 to 1, over black.

    Colours of uint16 run from 0 to ``white``; grey, and colours of other numbers (all three together), take the
    percentile window of what is not transparent.
    """
    if values.ndim == 3 and values.dtype == np.uint16:
        picture = window(values, 0, white(values.max()))
    else:
        clear = None if shown is None else np.broadcast_to((shown == 0).T, values.T.shape).T
        picture = percentile_window(path, values, clear)
    picture = 255 - picture if inverted else picture
    return picture if shown is None else np.rint((picture.T * shown.T).T).astype(np.uint8)


def nearly_constant(stored: np.ndarray, picture: np.ndarray) -> bool:
    """Whether varied numbers became next to nothing: true of no picture that keeps what its file holds.

    Looked at are the middle 99 % of the ``stored`` numbers, H×W or H×W×C, and of each channel of the uint8 picture.
    True where the numbers take at least 8 different values, twice as many as any channel has grey levels, and each
    channel has no more than two levels or spans fewer than 16. Of large images every k-th pixel is looked at.
    """
    numbers = len(_middle(stored))
    channels = [_middle(channel) for channel in np.moveaxis(np.atleast_3d(picture), 2, 0)]
    return numbers >= 8 and all(
        numbers >= 2 * len(levels) and (len(levels) <= 2 or int(levels[-1]) - int(levels[0]) < 16)
        for levels in channels
    )


def _middle(values: np.ndarray) -> np.ndarray:
    """The different numbers, sorted, without the lowest and the highest 0.5 % of all."""
    flat = np.sort(values.ravel()[:: 1 + values.size // 2**18])
    rest = len(flat) // 200
    return np.unique(flat[rest : len(flat) - rest])


def resized(x, size: int):
    """uint8 tensor N×C×H×W to N×C×size×size, bilinear with antialiasing; as it is where it has that width."""
    from torchvision.transforms.v2.functional import resize

    return x if x.shape[-1] == size else resize(x, [size, size], antialias=True)
