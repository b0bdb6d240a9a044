"""Grad-CAM: where in the image the score of a class comes from.

[1] Selvaraju et al., Grad-CAM: visual explanations from deep networks via gradient-based localization, ICCV 2017,
doi 10.1109/ICCV.2017.74
"""

import numpy as np
import torch

from .keras_backend import keras
from .keras_recipes import preprocess


def grad_cam(model: keras.Model, x, classes, layer: str = "block4_conv3") -> np.ndarray:
    """Grad-CAM [1]: where in the images the evidence for a class lies, as float32 N×h×w in 0..1 (h, w of ``layer``).

    α_k = mean over i, j of ∂z_c/∂A^k_ij (eq. 1), map = ReLU(Σ_k α_k A^k) (eq. 2), divided by its largest value; a map
    without any positive evidence stays zero. z_c is the logit, before the softmax.

    Parameters
    ----------
    model: from ``join``. x: uint8 images N×C×H×W. classes: int N, the class to explain for each image.
    layer: whose activations A are weighted. The last ones of VGG16 are 2×2 at 64 px: take block 4 or an earlier one.
    """
    activations = model.get_layer(layer).output
    below = keras.Model(model.input, activations)
    above = keras.Model(activations, model.get_layer("head_logits").output)
    with torch.no_grad():
        a = below(preprocess(x), training=False)  # N×h×w×D
    a.requires_grad_()
    logits = above(a, training=False)
    classes = torch.as_tensor(classes, device=logits.device)
    (gradient,) = torch.autograd.grad(logits.gather(1, classes[:, None]).sum(), a)
    alpha = gradient.mean((1, 2), keepdim=True)  # eq. 1
    maps = (alpha * a.detach()).sum(-1).relu()  # eq. 2
    return (maps / maps.amax((1, 2), keepdim=True).clamp_min(1e-12)).cpu().numpy()
