"""Keras 3 on the torch backend, on the device of this course; every module that uses Keras takes it from here."""

import os
import sys

from ..devices import device

_first = "keras" not in sys.modules
if _first:  # Keras reads both variables once, when it is first imported
    os.environ["KERAS_BACKEND"] = "torch"
    os.environ["KERAS_TORCH_DEVICE"] = str(device())
import keras  # noqa: E402

SETTINGS = {"image_data_format": "channels_last", "floatx": "float32", "epsilon": 1e-7}  # the reader's file keras.json
if _first:  # whatever that file says
    for _name, _value in SETTINGS.items():
        getattr(keras.config, f"set_{_name}")(_value)


def check_keras_settings() -> None:
    """Raises ValueError where Keras was set to what this course's networks are not made for."""
    for name, value in SETTINGS.items():
        if (now := getattr(keras.config, name)()) != value:
            raise ValueError(f"Keras has {name} {now!r}: call keras.config.set_{name}({value!r}) before this.")


check_keras_settings()
if keras.backend.backend() != "torch" or keras.Variable(0.0).value.device.type != device().type:
    raise ImportError(
        f"Keras was imported earlier with another backend or device than this course's (torch, "
        f"{device()}): restart the kernel and import medtl_helpers.methods.keras_recipes first."
    )
