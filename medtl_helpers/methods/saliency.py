"""Saliency maps of a torch network: which pixels speak for a class. ``grad_cam.py`` has Grad-CAM.

======================== =========================================== ================================================
function                 a pixel's number is                         paper
======================== =========================================== ================================================
``gradient_map``         how much the logit moves with it            Simonyan et al. 2014 [1]; guided: Springenberg [2]
``occlusion``            what the logit loses when it is covered     Zeiler, Fergus 2014 [3]
``integrated_gradients`` its share of the logit's way from a         Sundararajan et al. 2017, equation 1 [4]
                         picture without content
======================== =========================================== ================================================

[1] arXiv 1312.6034  [2] arXiv 1412.6806, section 3.4  [3] doi 10.1007/978-3-319-10590-1_53  [4] arXiv 1703.01365

All explain z_c, the logit of a class, before the softmax, of a network in eval mode; none says how the network would
answer to another image.
"""

from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from ..parts import check_choice, check_whole
from .explaining import EMPTY, class_logits, map_in_batches


def gradient_map(model: nn.Module, x, classes, *, guided: bool = False, **options) -> np.ndarray:
    """``|∂z_c/∂x|`` [1], the largest of the channels: float32 N×H×W.

    With ``guided``, every ReLU lets only what is positive back [2]: a sharper picture, which hardly depends on the
    weights above (Adebayo 2018), and so explains little. The other arguments are those of ``integrated_gradients``.
    """

    def one(images: Tensor, c: Tensor) -> Tensor:
        images = images.requires_grad_()
        with _guided_relu(model) if guided else torch.enable_grad():
            (gradient,) = torch.autograd.grad(class_logits(model, images, c).sum(), images)
        return gradient.abs().amax(1)

    return map_in_batches(model, x, classes, one, **options)


def occlusion(
    model: nn.Module,
    x,
    classes,
    *,
    window: int = 8,
    stride: int = 4,
    fill: str = "mean",
    signed: bool = False,
    **options,
) -> np.ndarray:
    """What the logit loses when a square is covered [3], for each pixel the mean over the squares that cover it.

    Parameters
    ----------
    window, stride: side of the square, and how far it moves, in pixels. fill: what covers, one of ``EMPTY``.
    signed: keep what is below 0 (the logit grows without these pixels); else that is 0.

    Returns float32 N×H×W. The other arguments are those of ``integrated_gradients``.
    """
    check_whole(window, "window", least=1)
    check_whole(stride, "stride", least=1)
    check_choice(fill, "fill", EMPTY)

    @torch.no_grad()
    def one(images: Tensor, c: Tensor) -> Tensor:
        empty, whole = EMPTY[fill](images), class_logits(model, images, c)
        total, times = torch.zeros_like(images[:, 0]), torch.zeros_like(images[0, 0])
        for top in _places(images.shape[2]):
            for left in _places(images.shape[3]):
                at = (..., slice(top, top + window), slice(left, left + window))
                covered = images.clone()
                covered[at] = empty[at]
                total[at] += (whole - class_logits(model, covered, c))[:, None, None]
                times[at] += 1
        return _positive(total / times, signed)

    def _places(side: int) -> list[int]:
        last = max(0, side - window)
        return [*range(0, last, stride), last]

    return map_in_batches(model, x, classes, one, **options)


def integrated_gradients(
    model: nn.Module, x, classes, *, steps: int = 32, baseline: str = "mean", signed: bool = False, **options
) -> np.ndarray:
    """(x − x₀) · ∫ ∂z_c(x₀ + α(x − x₀))/∂x dα for α from 0 to 1 [4], summed over the channels: float32 N×H×W.

    Parameters
    ----------
    model: any torch network from images (float32 N×C×H×W in −1..1) to logits N×K; it is left in eval mode.
    x: uint8 or float32 images N×C×H×W. classes: int N, the class to explain for each image.
    steps: in how many the integral is summed (midpoints).
    baseline: x₀, one of ``EMPTY``. What is like it gets nothing: before "black", a dark lesion has no number.
        Group norm makes much of nearly nothing, so that close to an even x₀ the sum is a poor one: take batch norm.
    signed: keep what speaks against the class; then the map's sum is z_c(x) − z_c(x₀) (completeness). Else it is 0.
    batch_size, device: how many images are explained at a time, and where.

    Raises ValueError for images or classes that do not fit the network, MemoryError when memory runs out.
    """
    check_whole(steps, "steps", least=1)
    check_choice(baseline, "baseline", EMPTY)

    def one(images: Tensor, c: Tensor) -> Tensor:
        empty, total = EMPTY[baseline](images), torch.zeros_like(images)
        for k in range(steps):
            between = (empty + (k + 0.5) / steps * (images - empty)).requires_grad_()
            total += torch.autograd.grad(class_logits(model, between, c).sum(), between)[0]
        return _positive(((images - empty) * total / steps).sum(1), signed)

    return map_in_batches(model, x, classes, one, **options)


def _positive(maps: Tensor, signed: bool) -> Tensor:
    return maps if signed else maps.relu()


@contextmanager
def _guided_relu(model: nn.Module):
    """Within it each ``nn.ReLU`` of the model hands back what is positive, both in the signal and in the gradient."""
    layers = [layer for layer in model.modules() if isinstance(layer, nn.ReLU)]
    inplace = [layer.inplace for layer in layers]
    hooks = [layer.register_full_backward_hook(_only_positive) for layer in layers]
    for layer in layers:
        layer.inplace = False
    try:
        yield
    finally:
        for layer, hook, was in zip(layers, hooks, inplace, strict=True):
            hook.remove()
            layer.inplace = was


def _only_positive(layer, back, _) -> tuple[Tensor]:
    return (back[0].relu(),)
