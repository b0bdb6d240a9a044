"""VGG16 in Keras 3 on the torch backend: the two popular heads, freezing, cached features, class weights.

==================== ================================================== ==========================================
piece                what                                               paper
==================== ================================================== ==========================================
``vgg16_trunk``      13 convolutions, trained weights                   Simonyan, Zisserman 2015, table 1 D [1]
``gap_head``         global average pooling, Dense(1024), softmax       Lin et al. 2014, section 3.2 (pooling) [2]
``flatten_head``     Flatten, Dense(1024), softmax                      as in [1], with one layer less
==================== ================================================== ==========================================

[1] arXiv 1409.1556  [2] arXiv 1312.4400

The course's images are uint8 N×C×H×W; VGG16 in Keras wants float32 N×H×W×3: ``preprocess`` goes from one to the
other, once. Keras computes on the device of ``mtl.device()``.
"""

import numpy as np
import torch

from ..provenance import note_weights
from .keras_backend import keras
from .weight_files import read_vgg16
from .weights import find_weights

layers = keras.layers


def preprocess(x) -> np.ndarray:
    """What VGG16's weights were trained on: uint8 N×C×H×W (C = 1 or 3, RGB) to float32 N×H×W×3, BGR minus the mean.

    The numbers of ``keras.applications.vgg16.preprocess_input`` on 0..255. That function writes into a float32 array
    that it is given; this one leaves ``x`` (a torch tensor or an array) alone.

    Raises ValueError for images that were preprocessed or rescaled before, and for another layout.
    """
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
    rgb = np.broadcast_to(x, (len(x), 3, *x.shape[2:])).transpose(0, 2, 3, 1).astype("float32")  # a copy
    return keras.applications.vgg16.preprocess_input(rgb)


def class_weights(y) -> dict[int, float]:
    """Weights N/(K·n_k) for ``model.fit(class_weight=…)`` from int labels N: all classes count the same in the loss."""
    from sklearn.utils.class_weight import compute_class_weight

    y = np.asarray(y)
    classes = np.unique(y)
    weights = compute_class_weight("balanced", classes=classes, y=y)
    return dict(zip(classes.tolist(), weights.tolist(), strict=True))


# --- networks --------------------------------------------------------------------------------------------------------


def vgg16_trunk(size: int, weights=None, *, quiet: bool = False) -> keras.Model:
    """VGG16 without its top for images of ``size`` pixels a side (at least 32), with the weights of ``find_weights``.

    Maps ``preprocess``ed float32 N×size×size×3 to N×h×h×512, h = size // 32. ``trunk.origin``: its ``Weights``.

    Parameters
    ----------
    weights: None (what ``find_weights`` finds), ``"embedded"``, ``"random"``, or a file in either of Keras' layouts.
    quiet: do not print the line that says what was loaded.

    Raises ValueError for a smaller size or a file that does not hold VGG16, FileNotFoundError for one not there.
    """
    if size < 32:
        raise ValueError(f"VGG16 halves the image five times, so {size} px are too few: take images of 32 px or more.")
    found = find_weights("vgg16", weights)
    trunk = keras.applications.VGG16(weights=None, include_top=False, input_shape=(size, size, 3))
    if found.path:
        convolutions = [layer for layer in trunk.layers if isinstance(layer, layers.Conv2D)]
        for layer, (kernel, bias) in zip(convolutions, read_vgg16(found.path), strict=True):
            layer.set_weights([kernel.permute(2, 3, 1, 0).numpy(), bias.numpy()])  # O×I×3×3 to 3×3×I×O
    trunk.origin = found
    note_weights("vgg16", found.provenance)
    if not quiet:
        print(found)
    return trunk


def gap_head(classes: int, units: int = 1024) -> list[keras.Layer]:
    """The layers of recipe 1: the mean of each feature map, ``units`` hidden units with ReLU, softmax."""
    return [layers.GlobalAveragePooling2D(name="head_gap"), *_dense(classes, units)]


def flatten_head(classes: int, units: int = 1024) -> list[keras.Layer]:
    """The layers of recipe 2: every pixel of every feature map, ``units`` hidden units with ReLU, softmax."""
    return [layers.Flatten(name="head_flatten"), *_dense(classes, units)]


def _dense(classes: int, units: int) -> list[keras.Layer]:
    return [
        layers.Dense(units, activation="relu", name="head_hidden"),
        layers.Dense(classes, name="head_logits"),
        layers.Softmax(name="head_softmax"),
    ]


def join(trunk: keras.Model, head: list[keras.Layer]) -> keras.Model:
    """``trunk`` and ``head`` as one network with one flat list of layers; the trunk's layers are shared, not copied."""
    out = trunk.output
    for layer in head:
        out = layer(out)
    return keras.Model(trunk.input, out, name="vgg16_classifier")


def split_at(model: keras.Model, name: str) -> tuple[keras.Model, keras.Model]:
    """``model`` cut behind its layer ``name``: (below, above), with ``above(below(x))`` = ``model(x)``.

    The layers are shared: training ``above`` on what ``below`` computed once is training ``model``.
    """
    cut = model.get_layer(name).output
    return keras.Model(model.input, cut, name="below"), keras.Model(cut, model.output, name="above")


def train_only(model: keras.Model, *parts: str, lr: float) -> keras.Model:
    """Freeze all layers but those whose names begin with one of ``parts``, e.g. ``"block5", "head"``, and compile anew.

    Keras builds the optimiser for what trains when it is compiled, so the two belong together and are done together
    here. Frozen batch norm neither moves nor uses the batch's statistics. Adam at rate ``lr``, cross-entropy on int
    labels, accuracy. Returns ``model``. Raises ValueError for a part that no layer's name begins with.
    """
    names = [layer.name for layer in model.layers]
    for part in parts:
        if not any(name.startswith(part) for name in names):
            raise ValueError(f"No layer's name begins with {part!r}; there are {', '.join(names)}.")
    for layer in model.layers:
        layer.trainable = layer.name.startswith(parts)
    model.compile(keras.optimizers.Adam(lr), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def features(below: keras.Model, x, *, batch_size: int = 32) -> np.ndarray:
    """What a frozen ``below`` makes of uint8 images N×C×H×W, computed once: float32 N×h×w×D."""
    parts = torch.as_tensor(x).split(batch_size)  # preprocessed part by part: float32 needs 12 times the memory
    return np.concatenate([below.predict_on_batch(preprocess(part)) for part in parts])
