"""Folders of images and masks, written to disk."""

import numpy as np
from image_files import save

RNG = np.random.default_rng(5)


def image(seed: int, shape=(24, 20)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def mask(seed: int, shape=(24, 20), number: int = 255) -> np.ndarray:
    """A rectangle of ``number``, another one for each seed."""
    out = np.zeros(shape, np.uint8)
    top, left = seed % 9, seed % 7
    out[top : top + 8, left : left + 6] = number
    return out


def by_name(root, n: int = 10, *, number: int = 255, mask_name="{}", suffix=".png", start: int = 0, **options):
    """``images/…`` and ``masks/…``."""
    for k in range(start, start + n):
        save(root / "images" / f"P{k // 2}_{k}.png", image(k))
        save(root / "masks" / f"{mask_name.format(f'P{k // 2}_{k}')}{suffix}", mask(k, number=number), **options)
    return root


def by_object(root, n: int = 6):
    """``<id>/images/<id>.png`` and ``<id>/masks/*.png``, two objects each."""
    for k in range(n):
        save(root / f"case{k}" / "images" / f"case{k}.png", image(k))
        save(root / f"case{k}" / "masks" / "a.png", mask(k))
        save(root / f"case{k}" / "masks" / "b.png", mask(k + 3))
    return root
