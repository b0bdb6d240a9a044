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

from ..console import say
from ..labels import as_array, as_labels
from ..parts import check_rate, check_whole, shown
from ..provenance import note_weights
from .grad_cam import grad_cam as grad_cam  # the last step of the recipe
from .keras_backend import check_keras_settings, keras
from .keras_images import check_keras, layer_of, preprocessed
from .keras_images import preprocess as preprocess  # its first
from .weight_files import read_vgg16
from .weights import find_weights

layers = keras.layers


def class_weights(y) -> dict[int, float]:
    """Weights N/(K·n_k) for ``model.fit(class_weight=…)`` from int labels N: all classes count the same in the loss."""
    from sklearn.utils.class_weight import compute_class_weight

    y = as_labels(y, None)
    classes = np.unique(y)
    if len(classes) < 2:
        raise ValueError("All labels are of one class, which no weight changes: give labels of at least two.")
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
    check_keras_settings()
    check_whole(size, "size")
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
        say(str(found))
    return trunk


def gap_head(classes: int, units: int = 1024) -> list[keras.Layer]:
    """The layers of recipe 1: the mean of each feature map, ``units`` hidden units with ReLU, softmax."""
    return [layers.GlobalAveragePooling2D(name="head_gap", data_format="channels_last"), *_dense(classes, units)]


def flatten_head(classes: int, units: int = 1024) -> list[keras.Layer]:
    """The layers of recipe 2: every pixel of every feature map, ``units`` hidden units with ReLU, softmax."""
    return [layers.Flatten(name="head_flatten", data_format="channels_last"), *_dense(classes, units)]


def _dense(classes: int, units: int) -> list[keras.Layer]:
    check_whole(classes, "classes", least=2)
    check_whole(units, "units", least=1)
    return [
        layers.Dense(units, activation="relu", name="head_hidden"),
        layers.Dense(classes, name="head_logits"),
        layers.Softmax(name="head_softmax"),
    ]


def join(trunk: keras.Model, head: list[keras.Layer]) -> keras.Model:
    """``trunk`` and ``head`` as one network with one flat list of layers; the trunk's layers are shared, not copied."""
    check_keras(trunk)
    if not isinstance(head, list | tuple) or not all(isinstance(layer, keras.Layer) for layer in head) or not head:
        raise TypeError(f"The head is {shown(head)}: give a list of layers of Keras, like gap_head(2).")
    out = trunk.output
    for layer in head:
        try:
            out = layer(out)
        except ValueError:  # Keras says it in several lines
            shape = tuple(out.shape)
            raise ValueError(f"The layer {layer.name} does not fit maps {shape}: make a head of its own.") from None
    return keras.Model(trunk.input, out, name="vgg16_classifier")


def split_at(model: keras.Model, name: str) -> tuple[keras.Model, keras.Model]:
    """``model`` cut behind its layer ``name``: (below, above), with ``above(below(x))`` = ``model(x)``.

    The layers are shared: training ``above`` on what ``below`` computed once is training ``model``.
    """
    cut = layer_of(model, name).output
    return keras.Model(model.input, cut, name="below"), keras.Model(cut, model.output, name="above")


def train_only(model: keras.Model, *parts: str, lr: float) -> keras.Model:
    """Freeze all layers but those whose names begin with one of ``parts``, e.g. ``"block5", "head"``, and compile anew.

    Keras builds the optimiser for what trains when it is compiled, so the two belong together and are done together
    here. Frozen batch norm neither moves nor uses the batch's statistics. Adam at rate ``lr``, cross-entropy on int
    labels, accuracy. Returns ``model``. Raises ValueError for a part that no layer's name begins with, for
    no part at all, and where none of the layers has weights.
    """
    check_keras(model)
    check_rate(lr, "lr", above=True)
    if not parts or not all(isinstance(part, str) for part in parts):
        raise ValueError(f"The parts to train are {', '.join(map(shown, parts)) or 'none'}: name layers, like 'head'.")
    names = [layer.name for layer in model.layers]
    for part in parts:
        if not any(name.startswith(part) for name in names):
            raise ValueError(f"No layer's name begins with {part!r}; there are {', '.join(names)}.")
    for layer in model.layers:
        layer.trainable = layer.name.startswith(parts)
    if not model.trainable_weights:
        raise ValueError(f"The layers of {', '.join(parts)} have no weights, so nothing would train: name others, too.")
    model.compile(keras.optimizers.Adam(lr), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def features(below: keras.Model, x, *, batch_size: int = 32) -> np.ndarray:
    """What a frozen ``below`` makes of uint8 images N×C×H×W, computed once and in parts: float32 N×h×w×D."""
    check_whole(batch_size, "batch_size", least=1)
    parts = torch.as_tensor(x if isinstance(x, torch.Tensor) else as_array(x, "images")).split(batch_size)
    return np.concatenate([below.predict_on_batch(preprocessed(below, part)) for part in parts])
