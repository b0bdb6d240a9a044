"""The course's convolutional network: three stages and a linear head, small enough to train on a laptop's processor."""

from itertools import pairwise

from torch import Tensor, nn


class CourseCNN(nn.Module):
    """Three stages of convolution, normalisation, ReLU and pooling; global average pooling; one linear head.

    Parameters
    ----------
    channels: of the input images. classes: number of logits. width: channels of the first stage, doubled in each next.
    norm: ``"group"`` (no running statistics: train and eval mode compute the same) or ``"batch"``.
    """

    def __init__(self, channels: int, classes: int, width: int = 16, norm: str = "group"):
        super().__init__()
        widths = [channels, width, 2 * width, 4 * width]
        stages = [_stage(before, after, norm) for before, after in pairwise(widths)]
        self.features = nn.Sequential(*stages, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits N×classes of images N×channels×H×W (float32, H and W at least 8)."""
        return self.head(self.features(x))


def _stage(before: int, after: int, norm: str) -> nn.Sequential:
    norms = {"group": lambda: nn.GroupNorm(after // 8, after), "batch": lambda: nn.BatchNorm2d(after)}
    if norm not in norms:
        raise ValueError(f"There is no normalisation {norm!r} here: choose 'group' or 'batch'.")
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1, bias=False), norms[norm](), nn.ReLU(), nn.MaxPool2d(2))
