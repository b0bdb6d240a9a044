"""Outline an image that is larger than those of the training: window by window.

[1] Isensee et al., nnU-Net, Nature Methods 18 (2021), doi 10.1038/s41592-020-01008-z: windows that overlap, weighted
towards their middle, since a network knows least at the border of what it sees
"""

import torch
from torch import Tensor, nn

from .. import guards, parts
from ..labels import as_share
from .predict import to_float


@torch.inference_mode()
def sliding_window(
    model: nn.Module,
    image,
    size: int = 128,
    overlap: float = 0.5,
    *,
    batch_size: int = 16,
    device: torch.device | str | None = None,
) -> Tensor:
    """Logits float32 K×H×W, on the CPU, of one raw ``image`` C×H×W, by windows of ``size`` pixels, in eval mode.

    Parameters
    ----------
    model: maps float32 N×C×H×W to logits N×K×H×W, for windows of the size that it was trained with.
    image: uint8 or float32, of any size; where a side is shorter than a window, the window is that short.
    overlap: the share of a window that it has in common with the next, at least.

    Each logit is the mean over the windows that hold its pixel, weighted by how far it is from the window's border.
    Raises ValueError for an image that does not fit the model, FloatingPointError when it answers with NaN, and
    MemoryError, with a batch size to try.
    """
    parts.check_network(model)
    parts.check_whole(size, "size", least=1)
    parts.check_whole(batch_size, "batch_size", least=1)
    overlap = as_share(overlap, "overlap", ends=True)
    if overlap == 1:
        raise ValueError("overlap is 1, so that no window would move on: give less, like 0.5.")
    image, device = guards.as_inputs(image, "given"), parts.as_device(device)
    if image.ndim != 3 or not image.numel():
        raise ValueError(f"The image has shape {tuple(image.shape)}: give one, C×H×W; of many, one after the other.")
    height, width = (min(size, side) for side in image.shape[1:])
    places = [(top, left) for top in starts(image.shape[1], height, overlap)
              for left in starts(image.shape[2], width, overlap)]  # fmt: skip
    weight = torch.minimum(_ramp(height)[:, None], _ramp(width))
    total, weights = torch.zeros(()), torch.zeros(image.shape[1:])
    model.to(device).eval()

    def outlined(some):
        windows = torch.stack([image[:, top : top + height, left : left + width] for top, left in some])
        return guards.as_logits(guards.forward(model, to_float(windows.to(device)))).float().cpu()

    for k in range(0, len(places), batch_size):
        some = places[k : k + batch_size]
        logits = guards.with_memory(lambda some=some: outlined(some), batch_size, "predicting")
        if logits.ndim != 4 or logits.shape[2:] != (height, width):
            raise ValueError(
                f"The model's outputs have shape {tuple(logits.shape)}: give a network that makes a map N×K×H×W of the "
                "size of its images, like UNet."
            )
        if k == 0:
            total = torch.zeros(logits.shape[1], *image.shape[1:])
        for (top, left), one in zip(some, logits, strict=True):
            there = slice(top, top + height), slice(left, left + width)
            total[:, *there] += one * weight
            weights[there] += weight
    if not total.isfinite().all():
        raise FloatingPointError(
            "The model's answers to this image are not finite numbers: look for NaN in it and in the model's weights."
        )
    return total / weights


def starts(side: int, size: int, overlap: float) -> list[int]:
    """Where windows of ``size`` begin, as evenly as whole pixels allow, so that each next one has ``overlap``."""
    step = max(1, int(size * (1 - overlap)))
    last = side - size
    count = -(-last // step)
    return [round(k * last / count) for k in range(count + 1)] if count else [0]


def _ramp(n: int) -> Tensor:
    """1, 2, 3, … up to the middle, and down again."""
    return torch.minimum(torch.arange(1, n + 1), torch.arange(n, 0, -1)).float()
