"""Keras 3 on the torch backend, on the device of this course; every module that uses Keras takes it from here."""

import os
import sys

from ..devices import device

if "keras" not in sys.modules:  # Keras reads both variables once, when it is first imported
    os.environ["KERAS_BACKEND"] = "torch"
    os.environ["KERAS_TORCH_DEVICE"] = str(device())
import keras

if keras.backend.backend() != "torch" or keras.Variable(0.0).value.device.type != device().type:
    raise ImportError(
        f"Keras was imported earlier with another backend or device than this course's (torch, "
        f"{device()}): restart the kernel and import medtl_helpers.methods.keras_recipes first."
    )
