"""Look-up tables of DICOM files, taken by what they hold: their length decides on words or bytes, no declaration.

PS3.3 C.11.1 and C.11.2 (grey), C.7.6.3.1.5 and C.7.6.3.1.6 (palettes).
"""

from pathlib import Path

import numpy as np

from .pixels import UnusableImage, white, window

COLOURS = ("Red", "Green", "Blue")


def first_table(ds, sequence: str):
    """The first item of ``sequence`` that holds a table, or None: some devices write empty items."""
    items = ds.get(sequence) or ()
    return next((item for item in items if item.get("LUTDescriptor") and item.get("LUTData") not in (None, b"")), None)


def look_up(values: np.ndarray, item, little_endian: bool) -> tuple[np.ndarray, int]:
    """``values`` through the table in ``item``, and the number that is white in it."""
    table = _table(item.LUTDescriptor, item.LUTData, little_endian)
    numbers = _entries(values, table, item.LUTDescriptor[1])
    return numbers, white(table.max(), item.LUTDescriptor[2])


def palette_to_rgb(path: Path, indices: np.ndarray, ds, little_endian: bool) -> np.ndarray:
    """uint8 H×W×3: each index through the red, the green and the blue table, whose entries have 8 or 16 bits."""
    names = [f"{colour}PaletteColorLookupTable" for colour in COLOURS]
    descriptors = [ds[f"{name}Descriptor"].value for name in names]
    if ds.get(f"{names[0]}Data"):
        tables = [_table(d, ds[f"{n}Data"].value, little_endian) for n, d in zip(names, descriptors, strict=True)]
    else:
        tables = _segmented(path, ds, descriptors[0])
    bits = 8 if max(table.max() for table in tables) < 2**8 else 16
    colours = [_entries(indices, table, d[1]) for table, d in zip(tables, descriptors, strict=True)]
    return window(np.stack(colours, -1), 0, 2**bits - 1)


def _segmented(path: Path, ds, descriptor) -> list[np.ndarray]:
    from pydicom.pixels import apply_color_lut

    count, first, bits = descriptor
    if bits == 8 and not 0 < count <= 256:  # pydicom 3.0 wraps round the indices of these
        raise UnusableImage(path, "has a segmented palette that cannot be read here", "save it as RGB")
    whole = apply_color_lut(first + np.arange(count % 2**16 or 2**16), ds)
    return [whole[:, k] for k in range(3)]


def _table(descriptor, data, little_endian: bool) -> np.ndarray:
    """The entries: words, or bytes where the data have no more than one for each (the first in a word's low byte)."""
    count = descriptor[0] % 2**16 or 2**16
    if isinstance(data, bytes):
        words = np.frombuffer(data + b"\0" * (len(data) % 2), "<u2" if little_endian else ">u2")
    else:
        words = np.atleast_1d(data) % 2**16
    if len(words) >= count:
        return words[:count]
    if len(words) != (count + 1) // 2:
        raise ValueError("The table is shorter than it declares.")
    return words.astype("<u2").view(np.uint8)[:count]


def _entries(values: np.ndarray, table: np.ndarray, first: int) -> np.ndarray:
    """Below the table's first entry the first, above its last the last.

    ``first`` has 16 bits, which a file may have declared with a sign that the values do not have, or without one.
    """
    if first >= 2**15 and values.min() < 0:
        first -= 2**16
    elif first < 0 and values.min() >= 0 and values.max() >= 2**15:
        first += 2**16
    return table[np.clip(np.rint(values) - float(first), 0, len(table) - 1).astype(np.int64)]
