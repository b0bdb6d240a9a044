"""What notebook 03 measures: silent feature maps, how alike the maps of two images are, and the weights of a head."""

import numpy as np

from ...methods import keras_recipes as recipes
from ...methods.keras_backend import keras


def silent(maps: np.ndarray) -> float:
    """The share of the feature maps (float N×h×w×D) that are zero at every place of every image."""
    return float((maps.max((0, 1, 2)) <= 0).mean())


def likeness(maps: np.ndarray) -> float:
    """The mean cosine similarity between the features (float N×h×w×D) of two different images."""
    flat = maps.reshape(len(maps), -1)
    unit = flat / np.linalg.norm(flat, axis=1, keepdims=True).clip(1e-12)
    return float((unit @ unit.T)[~np.eye(len(unit), dtype=bool)].mean())


def new_weights(heads: dict, size: int) -> dict[str, int]:
    """The number of weights that each of the ``heads`` (for two classes) adds to VGG16 for images of ``size`` pixels.

    They are counted on built networks. On the device "meta" a network has shapes and no numbers, so that 26 million
    weights need no memory.
    """
    with keras.device("meta"):
        bare = keras.applications.VGG16(weights=None, include_top=False, input_shape=(size, size, 3))
        built = {name: recipes.join(bare, head_of(2)) for name, head_of in heads.items()}
        return {name: network.count_params() - bare.count_params() for name, network in built.items()}
