"""Grad-CAM: where in the image the score of a class comes from, and how much of such a map lies in a known region.

A map that looks convincing is no evidence: compare its share in the region with that of a random map, of the middle of
the image, and of the map of a network with random weights [2].

[1] Selvaraju et al., Grad-CAM: visual explanations from deep networks via gradient-based localization, ICCV 2017,
doi 10.1109/ICCV.2017.74
[2] Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018, arXiv 1810.03292
[3] Zhang et al., Top-down neural attention by excitation backprop, ECCV 2016, arXiv 1608.00507 (the pointing game)
"""

import numpy as np
import torch

from ..labels import as_array, as_labels
from .keras_backend import keras
from .keras_images import layer_of, preprocessed


def grad_cam(model: keras.Model, x, classes, layer: str = "block4_conv3") -> np.ndarray:
    """Grad-CAM [1]: where in the images the evidence for a class lies, as float32 N×h×w in 0..1 (h, w of ``layer``).

    α_k = mean over i, j of ∂z_c/∂A^k_ij (eq. 1), map = ReLU(Σ_k α_k A^k) (eq. 2), divided by its largest value; a map
    without any positive evidence stays zero. z_c is the logit, before the softmax.

    Parameters
    ----------
    model: from ``join``. x: uint8 images N×C×H×W. classes: int N, the class to explain for each image.
    layer: whose activations A are weighted. The last ones of VGG16 are 2×2 at 64 px: take block 4 or an earlier one.

    Raises ValueError for images of another size, classes that the network lacks, and a layer that makes no maps.
    """
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
    alpha = gradient.mean((1, 2), keepdim=True)  # eq. 1
    maps = (alpha * a.detach()).sum(-1).relu()  # eq. 2
    return (maps / maps.amax((1, 2), keepdim=True).clamp_min(1e-12)).cpu().numpy()


def mass_inside(maps, regions) -> np.ndarray:
    """The share of each map (float N×h×w, not negative) that lies in its region (bool N×H×W): float64 N in 0..1.

    The maps are enlarged to H×W first. A map that is zero everywhere has the share 0.
    """
    maps, regions = _enlarged(maps, regions)
    total = maps.sum(1)
    return np.where(total > 0, (maps * regions).sum(1) / np.where(total > 0, total, 1), 0.0)


def highest_inside(maps, regions) -> np.ndarray:
    """The pointing game [3]: whether the highest pixel of each map is in its region, float64 N; of ties the share."""
    maps, regions = _enlarged(maps, regions)
    highest = maps == maps.max(1, keepdims=True)
    return (highest & regions).sum(1) / highest.sum(1)


def _enlarged(maps, regions) -> tuple[np.ndarray, np.ndarray]:
    """Maps and regions as N×(H·W). Raises ValueError where they are not of the same N images."""
    maps = torch.from_numpy(as_array(maps, "maps").astype(float))
    regions = torch.from_numpy(as_array(regions, "regions").astype(bool))
    if not (maps.isfinite() & (maps >= 0)).all():
        raise ValueError("Some numbers of the maps are below 0 or not finite: give maps as grad_cam makes them.")
    if maps.ndim != 3 or regions.ndim != 3 or len(maps) != len(regions):
        raise ValueError(
            f"The maps have shape {tuple(maps.shape)}, the regions {tuple(regions.shape)}: give N×h×w and N×H×W, of "
            "the same images."
        )
    if maps.shape != regions.shape:
        maps = torch.nn.functional.interpolate(maps[:, None], size=regions.shape[1:], mode="bilinear")[:, 0]
    return maps.flatten(1).numpy(), regions.flatten(1).numpy()
