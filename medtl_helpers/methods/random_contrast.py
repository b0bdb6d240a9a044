"""Random contrast: the outlines of an image stay, and its tones and colours become any.

[1] Billot et al., SynthSeg, Medical Image Analysis 86 (2023), arXiv 2107.09559: a network that was trained on images of
random contrast reads contrasts that it never saw
[2] Tobin et al., Domain randomization, IROS 2017, arXiv 1703.06907: the idea, for robots
[3] Zhang et al., Generalizing deep learning for medical image segmentation to unseen domains via deep stacked
transformation, IEEE Transactions on Medical Imaging 39 (2020), doi 10.1109/TMI.2020.2973595: stronger augmentation

Nothing moves, so the masks stay true: this is an augmentation of images alone.
"""

import torch
from torch import Tensor

from ..parts import shown

KNOTS = 6  # of a tone curve, between which it is linear


def random_contrast(images: Tensor, generator: torch.Generator) -> Tensor:
    """Give each image new tones and colours; uint8 N×C×H×W to the same.

    Each new channel is a random mix of the channels, stretched to all tones, and goes through a tone curve: a monotone
    line through random heights. The curves of one image all rise or, one time in two, all fall, and how far they do is
    drawn for each channel, so that colours are random, too. The ``generator`` is on the CPU. Raises ValueError for
    images of another type or shape.
    """
    if not isinstance(images, Tensor) or images.dtype != torch.uint8 or images.ndim != 4:
        found = (
            f"{str(images.dtype).removeprefix('torch.')} of shape {tuple(images.shape)}"
            if isinstance(images, Tensor)
            else shown(images)
        )
        raise ValueError(f"random_contrast got images that are {found}: give uint8 N×C×H×W, 0 to 255.")
    if not isinstance(generator, torch.Generator):
        raise ValueError(f"generator is {shown(generator)}: give torch.Generator().manual_seed(0), or another seed.")
    if not images.numel():
        return images
    n, channels = images.shape[:2]
    mix = -torch.rand(n, channels, channels, generator=generator).clamp_min(1e-6).log()
    curve = torch.rand(n, channels, KNOTS, generator=generator).sort(-1).values
    curve = torch.where(torch.rand(n, 1, 1, generator=generator) < 0.5, curve, curve.flip(-1))
    tone = torch.einsum("ndc,ncp->ndp", mix.to(images.device), images.flatten(2).float())
    low, high = tone.amin(2, keepdim=True), tone.amax(2, keepdim=True)
    tone = (tone - low) / (high - low).clamp_min(1e-6) * (KNOTS - 1)
    knot = tone.long().clamp_max_(KNOTS - 2)
    curve = curve.to(images.device) * 255
    start, step = curve[..., :-1].gather(2, knot), curve.diff(dim=-1).gather(2, knot)
    return (start + step * (tone - knot)).round_().to(torch.uint8).view_as(images)
