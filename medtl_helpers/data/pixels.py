"""Numbers of any kind to bytes, and the one error of every file that will not do.

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


class UnusableImage(ValueError):
    """A file that cannot be used: ``str()`` is one sentence, ``reason`` its middle (what is wrong)."""

    def __init__(self, path: Path, reason: str, remedy: str):
        super().__init__(path, reason, remedy)
        self.reason = reason

    def __str__(self) -> str:
        path, reason, remedy = self.args
        return f"{path} {reason}: {remedy}."


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


def percentile_window(path: Path, values: np.ndarray) -> np.ndarray:
    """Grey values of any type to uint8, from the 0.5th to the 99.5th percentile."""
    if not np.isfinite(values).all():
        raise UnusableImage(path, "has NaN or infinite pixels", "replace them by a number and save it again")
    low, high = np.percentile(values, (0.5, 99.5))
    return window(values, low, high) if low < high else window(values, values.min(), values.max())


def window(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """``low`` and less becomes 0, ``high`` and more 255, straight in between; a step where the two are equal."""
    if low >= high:
        return np.where(values > low, 255, 0).astype(np.uint8)
    low, high = float(low), float(high)
    return np.rint(np.clip((values - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def resized(x, size: int):
    """uint8 tensor N×C×H×W to N×C×size×size, bilinear with antialiasing; as it is where it has that width."""
    from torchvision.transforms.v2.functional import resize

    return x if x.shape[-1] == size else resize(x, [size, size], antialias=True)
