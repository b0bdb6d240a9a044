"""The two-convolution network of many tutorials, as it is found: with a softmax in front of a loss that applies one.

Notebook 04 measures what that costs: a loss that cannot fall below ``loss_floor``, and answers that are too unsure.
"""

import math

import torch
from torch import Tensor, nn

from .devices import device
from .train import predict, to_float


class TwoConvCNN(nn.Module):
    """The two-convolution network of many tutorials, for images of ``size`` pixels a side.

    ``softmax`` is the mistake that it is found with: its outputs are then probabilities, and a cross-entropy that
    expects logits applies the softmax a second time.
    """

    def __init__(self, channels: int, classes: int, size: int = 28, *, softmax: bool = False):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(32 * (size // 4) ** 2, 64), nn.ReLU(), nn.Linear(64, classes),
        )  # fmt: skip
        self.softmax = softmax

    def logits(self, x: Tensor) -> Tensor:
        return self.layers(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.logits(x).softmax(1) if self.softmax else self.logits(x)


def loss_floor(classes: int) -> float:
    """ln(1 + (K − 1)/e): the lowest cross-entropy that K probabilities, taken for logits, can reach (nats)."""
    return math.log(1 + (classes - 1) / math.e)


@torch.inference_mode()
def probabilities(model: nn.Module, x) -> Tensor:
    """N×K, with one softmax, whether or not ``TwoConvCNN`` has one of its own."""
    if getattr(model, "softmax", False):
        model.to(device()).eval()
        return torch.cat([model(to_float(part.to(device()))).cpu() for part in x.split(256)])
    return predict(model, x)


def calibration_error(probability: Tensor, y: Tensor, bins: int = 10) -> float:
    """Expected calibration error: mean ``|confidence − accuracy|`` over ``bins`` of confidence, weighted by cases.

    Guo et al., On calibration of modern neural networks, ICML 2017, arXiv 1706.04599, equation 3.
    """
    confidence, answer = probability.max(1)
    right = (answer == y).float()
    which = (confidence * bins).long().clamp_max(bins - 1)
    gaps = torch.zeros(bins).index_add_(0, which, confidence - right)
    return float(gaps.abs().sum() / len(y))
