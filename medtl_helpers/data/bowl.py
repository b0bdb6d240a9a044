"""The archive of the Data Science Bowl 2018 -> one .npz of small pictures and outlines.

The archive holds 664 pictures of 256 to 1,388 pixels and, in a file each, the outlines of 29,000 nuclei:
``stage1_train/<id>/images/<id>.png`` and ``stage1_train/<id>/masks/*.png``. A server packs it anew when it is asked,
so that its bytes have no checksum of their own; the pixels that are read from it have one.
"""

import io
import os
import re
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from ..devices import headless

SIDE = 128  # pixels
MEMBER = re.compile(r"stage1_train/([0-9a-f]{64})/(images|masks)/[^/]+\.png$")
BRIGHT = 128  # the mean grey level above which a picture without colour is one of cells on bright ground


def pack_bowl(archive: Path) -> None:
    """Put the arrays in the place of the ``archive``, as .npz: ``x`` uint8 N×128×128×3, ``m`` bool N×128×128, ``k`` N.

    In the order of their ids. Pictures and the union of their outlines are resized bilinear, the union is cut at one
    half, and the aspect ratio is not kept. ``k`` is 0 for grey pictures on dark ground (fluorescence), 1 for coloured
    ones (histology) and 2 for grey ones on bright ground. A file that is no such archive stays as it is.
    """
    try:
        x, m, k = _read(archive)
    except Exception:  # a damaged file can stop zipfile and Pillow anywhere; its checksum will be wrong
        return
    with open(packed := archive.with_name(archive.name + ".packed"), "wb") as file:
        np.savez_compressed(file, x=x, m=m, k=k)
    os.replace(packed, archive)


def _read(archive: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    found: dict[str, dict[str, list[str]]] = {}
    x, m, k = [], [], []
    with zipfile.ZipFile(archive) as content:
        for name in content.namelist():
            if match := MEMBER.search(name):
                found.setdefault(match[1], {"images": [], "masks": []})[match[2]].append(name)

        def opened(name: str) -> Image.Image:
            return Image.open(io.BytesIO(content.read(name)), formats=["PNG"])

        for _, files in tqdm(sorted(found.items()), desc="packing nuclei", disable=headless()):
            picture = np.asarray(
                opened(files["images"][0]).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
            )
            union = np.any([np.asarray(opened(name)) > 0 for name in files["masks"]], axis=0)
            outline = Image.fromarray(union.astype(np.uint8) * 255).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
            x.append(picture)
            m.append(np.asarray(outline) > 127)
            coloured = bool((picture != picture[..., :1]).any())
            k.append(1 if coloured else 2 * int(picture.mean() > BRIGHT))
    return np.stack(x), np.stack(m), np.array(k, np.int64)
