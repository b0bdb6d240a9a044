"""Images that are small and that two labels tell apart."""

import numpy as np
from PIL import Image


def pixels(label: int, rng, side: int = 16) -> np.ndarray:
    """Grey noise, the brighter the higher the label."""
    return (rng.integers(0, 120, (side, side)) + 45 * label).astype(np.uint8)


def write_image(path, array) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def class_folders(root, classes=("sick", "well"), patients=12, images=2, seed=0, side=16):
    """``root`` with a folder for each class, of ``P001_0.png`` …, each image another one."""
    rng = np.random.default_rng(seed)
    for k, label in enumerate(classes):
        for patient in range(patients):
            for image in range(images):
                write_image(root / label / f"P{k}{patient:02}_{image}.png", pixels(k, rng, side))
    return root
