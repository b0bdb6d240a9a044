"""The course's images as VGG16 in Keras wants them, and the layers and sizes of a network that is given to a method."""

import numpy as np
import torch

from ..labels import as_array
from ..parts import shown
from .keras_backend import keras


def preprocess(x) -> np.ndarray:
    """What VGG16's weights were trained on: uint8 N×C×H×W (C = 1 or 3, RGB) to float32 N×H×W×3, BGR minus the mean.

    The numbers of ``keras.applications.vgg16.preprocess_input`` on 0..255. That function writes into a float32 array
    that it is given; this one leaves ``x`` (a torch tensor or an array) alone.

    Raises ValueError for images that were preprocessed or rescaled before, and for another layout.
    """
    as_array(x, "images")
    x = np.asarray(x.cpu() if isinstance(x, torch.Tensor) else x)
    if x.dtype != np.uint8:
        lowest, highest = (float(x.min()), float(x.max())) if x.size else (0.0, 0.0)
        if lowest < 0:
            why = "some are negative, so they were preprocessed already: call preprocess once, on the raw images"
        elif highest <= 1:
            why = "they were rescaled to 0..1: leave out the rescaling (1/255), VGG16 has its own"
        else:
            why = "give the raw images as uint8, 0 to 255"
        raise ValueError(f"preprocess wants uint8 images, got {x.dtype} from {lowest:.4g} to {highest:.4g}: {why}.")
    if x.ndim != 4 or x.shape[1] not in (1, 3):
        raise ValueError(
            f"preprocess wants images N×C×H×W with 1 or 3 channels, got shape {x.shape}: for N×H×W×C, "
            "move the channels with x.transpose(0, 3, 1, 2)."
        )
    if not len(x):
        raise ValueError("There are no images, and preprocess needs some: give at least one.")
    rgb = np.broadcast_to(x, (len(x), 3, *x.shape[2:])).transpose(0, 2, 3, 1).astype("float32")  # a copy
    return keras.applications.vgg16.preprocess_input(rgb, data_format="channels_last")


def layer_of(model: keras.Model, name: str) -> keras.Layer:
    """The layer ``name`` of ``model``. Raises ValueError where it has none, TypeError for no network of Keras."""
    check_keras(model)
    found = [layer for layer in model.layers if layer.name == name]
    if not found:
        names = ", ".join(layer.name for layer in model.layers)
        raise ValueError(f"The network has no layer {shown(name)}: name one of {names}.")
    return found[0]


def check_keras(model) -> None:
    """Raises TypeError unless ``model`` is a network of Keras."""
    if not isinstance(model, keras.Model):
        raise TypeError(
            f"The model is {shown(model)}: give a network of Keras, like join(vgg16_trunk(64), gap_head(2))."
        )


def preprocessed(model: keras.Model, x) -> np.ndarray:
    """``preprocess(x)``, for ``model``. Raises ValueError where its images have another size."""
    check_keras(model)
    x, wanted = preprocess(x), tuple(model.input_shape[1:])
    if x.shape[1:] != wanted:
        sizes = [f"{shape[0]} × {shape[1]} px" for shape in (x.shape[1:], wanted)]
        raise ValueError(f"The images have {sizes[0]}, and the network is for {sizes[1]}: give images of that size.")
    return x
