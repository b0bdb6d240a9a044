"""What all explanations of a network share: the logit of a class, images in batches, pictures without content."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..guards import as_inputs, as_logits, forward, with_memory
from ..labels import as_labels
from ..parts import as_device, check_network, check_whole
from .predict import to_float

EMPTY = {  # pictures without content, of images N×C×H×W
    "mean": lambda x: x.mean((2, 3), keepdim=True).expand_as(x),
    "black": lambda x: torch.full_like(x, -1.0),
    "blur": lambda x: F.interpolate(F.adaptive_avg_pool2d(x, 4), size=x.shape[2:], mode="bilinear"),
}


def class_logits(model: nn.Module, images: Tensor, c: Tensor) -> Tensor:
    """z_c of each image, N."""
    return as_logits(forward(model, images)).gather(1, c[:, None])[:, 0]


def map_in_batches(
    model: nn.Module, x, classes, one: Callable[[Tensor, Tensor], Tensor], *, batch_size: int = 64, device=None
) -> np.ndarray:
    """``one(images, classes)`` for each batch, as one float32 array; images are float32 in −1..1, on the device."""
    check_network(model)
    x, device, batch_size = as_inputs(x, "given"), as_device(device), check_whole(batch_size, "batch_size", least=1)
    if x.ndim != 4 or not len(x):
        raise ValueError(f"The images have shape {tuple(x.shape)}: give at least one, N×C×H×W.")
    model.to(device).eval()
    with torch.no_grad():
        outputs = as_logits(forward(model, to_float(x[:1].to(device))))
    if outputs.ndim != 2:
        raise ValueError(f"The model's outputs have shape {tuple(outputs.shape)}: explain a network of logits N×K.")
    c = torch.from_numpy(as_labels(classes, len(x), outputs.shape[1], "classes to explain", each=False)).to(device)
    parts = zip(x.split(batch_size), c.split(batch_size), strict=True)
    found = with_memory(
        lambda: [one(to_float(p.to(device)), k).detach().cpu() for p, k in parts], batch_size, "explaining"
    )
    return torch.cat(found).float().numpy()
