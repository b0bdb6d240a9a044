"""Images to be written to disk, and what reading them must give, computed pixel by pixel."""

import numpy as np
from PIL import Image

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (10, 12), dtype=np.uint8)
RGB = RNG.integers(0, 256, (10, 12, 3), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (10, 12), dtype=np.uint8)
DEEP = RNG.integers(300, 4000, (40, 30), dtype=np.uint16)


def save(path, pixels, mode=None, **options):
    """An array (or a Pillow image) as an image file."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    path.parent.mkdir(parents=True, exist_ok=True)
    (image.convert(mode) if mode else image).save(path, **options)
    return path


def window_by_hand(values, low, high):
    """0 up to ``low``, 255 from ``high`` on, straight in between; pixel by pixel."""
    out = np.empty(values.shape, np.uint8)
    for place, value in np.ndenumerate(values):
        share = (float(value) - low) / (high - low)
        out[place] = round(255 * min(max(share, 0.0), 1.0))
    return out


def percentile_by_hand(values, percent):
    """By sorting, with linear interpolation between the two neighbours."""
    ordered = sorted(float(v) for v in values.flat)
    place = percent / 100 * (len(ordered) - 1)
    k = int(place)
    return ordered[k] + (place - k) * (ordered[min(k + 1, len(ordered) - 1)] - ordered[k])


def percentile_window(values):
    return window_by_hand(values, percentile_by_hand(values, 0.5), percentile_by_hand(values, 99.5))


def same(read, expected, within=0):
    assert read.dtype == np.uint8 and read.shape == expected.shape
    assert np.abs(read.astype(int) - expected.astype(int)).max() <= within
