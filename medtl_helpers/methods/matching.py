"""The cheapest repairs of a device shift: give the target's pixels the source's mean and spread, before the network.

Both methods read images of the two domains and no label. Each is an affine map of the colours of a pixel, which is a
1×1 convolution: the same for all pixels of all images. A network behind it stays as it is.

[1] Reinhard et al., Color transfer between images, IEEE Computer Graphics and Applications 21 (2001),
doi 10.1109/38.946629: mean and deviation of each channel (there image by
image, in a space of less correlated colours)
[2] Sun, Feng, Saenko, Return of frustratingly easy domain adaptation, AAAI 2016, arXiv 1511.05547, algorithm 1:
whiten with one covariance, colour with the other (there for features, here for the colours of pixels, with the mean)
"""

import torch
from torch import Tensor, nn

from .. import guards
from ..parts import BRIGHT
from .predict import to_float


def match_pixels(source_x, target_x, *, covariance: bool = False) -> nn.Conv2d:
    """A fixed 1×1 convolution after which pixels like those of ``target_x`` have the statistics of ``source_x``.

    Parameters
    ----------
    source_x, target_x: images N×C×H×W, uint8 or float32 as ``to_float`` makes them; sizes may differ, channels not.
    covariance: match the whole C×C covariance of the colours [2], and not the deviation of each channel alone [1].

    Put it before a network: ``nn.Sequential(match_pixels(here.train.x, there.train.x), network)``. Raises ValueError
    where the channels or the scale of the numbers differ, for no images and for NaN, and where a channel (or a mix of
    channels) of the target, or a channel of the source, is constant.
    """
    source, target = _pixels(source_x, "source"), _pixels(target_x, "target")
    if len(source) != len(target):
        raise ValueError(f"The source has {len(source)} channels, the target {len(target)}: give images of one kind.")
    bright = [pixels.abs().max() > BRIGHT for pixels in (source, target)]
    if bright[0] != bright[1]:
        raise ValueError(
            "Source and target images are on two scales, one of them up to 255: give both as uint8, or both as floats "
            "of one range."
        )
    mean_s, mean_t = source.mean(1), target.mean(1)
    spread_s, spread_t = (torch.cov(pixels).view(len(pixels), -1) for pixels in (source, target))
    if not covariance:
        spread_s, spread_t = spread_s.diag().diag(), spread_t.diag().diag()
    if torch.linalg.eigvalsh(spread_t)[0] <= 1e-10:
        raise ValueError(
            "The target's images do not vary in each of their channels, so their spread cannot be matched: "
            "look whether they are constant, or grey images stored as colour ones."
        )
    if spread_s.diag().min() <= 1e-10:
        raise ValueError(
            "The source's images are constant in a channel, which would make the target's constant, too: give images "
            "that vary."
        )
    mix = _power(spread_s, 0.5) @ _power(spread_t, -0.5)
    layer = nn.Conv2d(len(source), len(source), 1).requires_grad_(False)
    layer.weight.copy_(mix.float()[:, :, None, None])
    layer.bias.copy_((mean_s - mix @ mean_t).float())  # type: ignore[union-attr]
    return layer


def _pixels(x, name: str) -> Tensor:
    """float64 C×M: the colours of all pixels."""
    x = guards.as_inputs(x, name)
    if x.ndim != 4 or not len(x):
        raise ValueError(f"The {name} is {tuple(x.shape)}: give at least one image, as N×C×H×W.")
    pixels = to_float(x).double().transpose(0, 1).flatten(1)
    if not pixels.isfinite().all() or pixels.shape[1] < 2:
        raise ValueError(f"The {name} images hold NaN, infinite numbers or one pixel alone: give whole images.")
    return pixels


def _power(symmetric: Tensor, exponent: float) -> Tensor:
    values, vectors = torch.linalg.eigh(symmetric)
    return vectors @ values.clamp_min(0).pow(exponent).diag() @ vectors.T
