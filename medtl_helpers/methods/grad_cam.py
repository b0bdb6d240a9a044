"""Grad-CAM: where in the image the score of a class comes from, for networks of torch and of Keras.

A map that looks convincing is no evidence: compare its share in the region (``map_scores.py``) with that of a random
map, of the middle of the image (``plain_maps.py``), and of the map of a network with random weights [2].

[1] Selvaraju et al., Grad-CAM: visual explanations from deep networks via gradient-based localization, ICCV 2017,
doi 10.1109/ICCV.2017.74
[2] Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018, arXiv 1810.03292
"""

import sys

import numpy as np
import torch
from torch import Tensor, nn

from ..labels import as_labels
from ..parts import check_network, shown
from .explaining import class_logits, map_in_batches
from .nets import StagedNet


def grad_cam(model, x, classes, layer: str | None = None, **options) -> np.ndarray:
    """Grad-CAM [1]: where in the images the evidence for a class lies, as float32 N×h×w in 0..1 (h, w of ``layer``).

    α_k = mean over i, j of ∂z_c/∂A^k_ij (eq. 1), map = ReLU(Σ_k α_k A^k) (eq. 2), divided by its largest value; a map
    without any positive evidence stays zero. z_c is the logit, before the softmax.

    Parameters
    ----------
    model: a network of torch, or one of Keras from ``join``. x: images N×C×H×W; uint8 for Keras.
    classes: int N, the class to explain for each image.
    layer: whose activations A are weighted: a stage of a ``StagedNet`` (None: its last), any layer of another network
        of torch, by its name there, or one of Keras (None: block4_conv3, since the last ones of VGG16 are 2×2 at
        64 px). A map has as many places as this layer: where they are few, take an earlier one.
    options: batch_size and device of ``integrated_gradients``, for a network of torch.

    Raises ValueError for images of another size, classes that the network lacks, and a layer that makes no maps.
    """
    if _is_keras(model):
        return _of_keras(model, x, classes, layer or "block4_conv3", **options)
    check_network(model)
    seen, kept = _layer(model, layer), dict[str, Tensor]()

    def one(images: Tensor, c: Tensor) -> Tensor:
        hook = seen.register_forward_hook(lambda _, __, output: kept.update(a=output))
        try:
            with torch.enable_grad():
                z = class_logits(model, images.requires_grad_(), c)
        finally:
            hook.remove()
        a = kept.pop("a", None)
        if not isinstance(a, Tensor) or a.ndim != 4:
            raise ValueError(f"The layer {layer} makes no maps: name one of convolutions, whose output is N×D×h×w.")
        (gradient,) = torch.autograd.grad(z.sum(), a)
        return _weighted(a.detach(), gradient, over=(2, 3), channels=1)

    return map_in_batches(model, x, classes, one, **options)


def _weighted(a: Tensor, gradient: Tensor, over: tuple[int, int], channels: int) -> Tensor:
    alpha = gradient.mean(over, keepdim=True)  # eq. 1
    maps = (alpha * a).sum(channels).relu()  # eq. 2
    return maps / maps.amax((1, 2), keepdim=True).clamp_min(1e-12)


def _layer(model: nn.Module, name: str | None) -> nn.Module:
    """The stage or layer of that name. Raises ValueError where there is none, or where one must be named."""
    named = dict(model.named_modules())
    if isinstance(model, StagedNet):
        stages = list(model.stages)
        name = f"stages.{name or stages[-1]}" if name is None or name in stages else name
    if not isinstance(name, str) or not name or name not in named:
        some = ", ".join(list(named)[-3:])
        raise ValueError(f"layer is {shown(name)}: give the name of a layer of this network, which ends in {some}.")
    return named[name]


def _is_keras(model) -> bool:
    keras = sys.modules.get("keras")  # a network of Keras loads it; one of torch should not have to wait for it
    return keras is not None and isinstance(model, keras.Model)


def _of_keras(model, x, classes, layer: str) -> np.ndarray:
    from .keras_backend import keras
    from .keras_images import layer_of, preprocessed

    activations, z = layer_of(model, layer).output, layer_of(model, "head_logits").output
    if len(activations.shape) != 4:
        raise ValueError(f"The layer {layer} makes no maps: name a layer of convolutions, like 'block4_conv3'.")
    images = preprocessed(model, x)
    classes = as_labels(classes, len(images), z.shape[-1], "classes to explain", each=False)
    below, above = keras.Model(model.input, activations), keras.Model(activations, z)
    with torch.no_grad():
        a = below(images, training=False)  # N×h×w×D
    a.requires_grad_()
    logits = above(a, training=False)
    classes = torch.as_tensor(classes, device=logits.device)
    (gradient,) = torch.autograd.grad(logits.gather(1, classes[:, None]).sum(), a)
    return _weighted(a.detach(), gradient, over=(1, 2), channels=-1).cpu().numpy()
