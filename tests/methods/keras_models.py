"""Images, a small trunk in Keras, and which of two lists of weights are equal."""

import numpy as np
import torch

import medtl_helpers as mtl
from medtl_helpers.methods.keras_backend import keras

L = keras.layers


def images(n, channels=3, size=32, seed=0):
    """Random uint8 images N×C×H×W."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, channels, size, size), generator=generator, dtype=torch.uint8)


def small_trunk():
    """A trunk with the names of VGG16's last blocks, and batch norm, on 16 px images."""
    mtl.seed_everything(0)
    x = entry = keras.Input((16, 16, 3))
    for name, width in (("block4", 6), ("block5", 8)):
        x = L.Conv2D(width, 3, padding="same", name=f"{name}_conv")(x)
        x = L.BatchNormalization(name=f"{name}_norm")(x)
        x = L.ReLU(name=f"{name}_relu")(x)
        x = L.MaxPooling2D(name=f"{name}_pool")(x)
    return keras.Model(entry, x, name="small")


def equal(ours, theirs):
    return [np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True)]
