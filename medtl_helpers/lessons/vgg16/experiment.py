"""What notebook 03 measures on feature maps: how many of them are silent, and how alike those of two images are."""

import numpy as np


def silent(maps: np.ndarray) -> float:
    """The share of the feature maps (float N×h×w×D) that are zero at every place of every image."""
    return float((maps.max((0, 1, 2)) <= 0).mean())


def likeness(maps: np.ndarray) -> float:
    """The mean cosine similarity between the features (float N×h×w×D) of two different images."""
    flat = maps.reshape(len(maps), -1)
    unit = flat / np.linalg.norm(flat, axis=1, keepdims=True).clip(1e-12)
    return float((unit @ unit.T)[~np.eye(len(unit), dtype=bool)].mean())
