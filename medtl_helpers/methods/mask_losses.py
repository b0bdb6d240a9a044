"""Losses of outlines: cross-entropy of every pixel, soft Dice of every image, and the sum of both.

[1] Milletari, Navab, Ahmadi, V-Net, 3DV 2016, arXiv 1606.04797, section 3: a loss that is the score, made smooth
[2] Isensee et al., nnU-Net, Nature Methods 18 (2021), doi 10.1038/s41592-020-01008-z: the sum of both, which is usual

Cross-entropy counts pixels, so that a small object weighs little. Dice counts shares of the object, so that a small one
weighs as much as a large one, and one pixel of it weighs a lot.
"""

import torch.nn.functional as F
from torch import Tensor

SMOOTH = 1.0  # pixels that are added above and below: an image without the object then has a loss, and a gradient


def soft_dice_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """1 − Dice of probabilities, the mean over images and over all classes but the background, a number in 0..1.

    For p the softmax of ``logits`` (float N×K×H×W) and g, 1 where ``masks`` (class numbers N×H×W) say the class and
    else 0: (2 Σ p·g + 1) / (Σ p + Σ g + 1), summed over the pixels of one image. This is [1], equation 1, with sums of
    p and g in place of their squares, and with the 1. Raises ValueError for shapes and classes that do not fit.
    """
    check_logits(logits, masks)
    return _soft_dice(logits, masks)


def _soft_dice(logits: Tensor, masks: Tensor) -> Tensor:
    p = logits.softmax(1)[:, 1:].flatten(2)
    g = F.one_hot(masks.long(), logits.shape[1]).movedim(-1, 1)[:, 1:].flatten(2)
    dice = (2 * (p * g).sum(2) + SMOOTH) / (p.sum(2) + g.sum(2) + SMOOTH)
    return 1 - dice.mean()


def _cross_entropy(logits: Tensor, masks: Tensor) -> Tensor:
    """The mean over all pixels, in nats. They are laid in a row: over maps, graphics cards add in any order."""
    return F.cross_entropy(logits.movedim(1, -1).flatten(0, 2), masks.long().flatten())


def _both(logits: Tensor, masks: Tensor) -> Tensor:
    return _cross_entropy(logits, masks) + _soft_dice(logits, masks)


LOSSES = {"both": _both, "cross-entropy": _cross_entropy, "dice": _soft_dice}  # of what ``check_logits`` has seen


def check_logits(logits: Tensor, masks: Tensor) -> None:
    """Raises ValueError unless ``logits`` are float N×K×H×W, K at least 2, and ``masks`` integers below K, N×H×W."""
    for name, given in {"logits": logits, "masks": masks}.items():
        if not isinstance(given, Tensor):
            raise ValueError(f"The {name} are a {type(given).__name__}: give a tensor.")
    if logits.ndim != 4 or logits.shape[1] < 2 or not logits.is_floating_point():
        raise ValueError(
            f"The outputs have shape {tuple(logits.shape)}: outlines need logits N×K×H×W, one map for each of at least "
            "two classes, as UNet makes."
        )
    if masks.is_floating_point() or masks.shape != (len(logits), *logits.shape[2:]):
        kind = str(masks.dtype).removeprefix("torch.")
        raise ValueError(
            f"The masks are {kind} of shape {tuple(masks.shape)} and the outputs have shape {tuple(logits.shape)}: "
            "give a class number for each pixel, N×H×W."
        )
    low, high = (int(masks.min()), int(masks.max())) if masks.numel() else (0, 0)
    if low < 0 or high >= logits.shape[1]:
        raise ValueError(
            f"The masks run from {low} to {high}, and the model has classes 0 to {logits.shape[1] - 1}: number the "
            "classes from 0, the background, and divide masks of 0 and 255 by 255."
        )
