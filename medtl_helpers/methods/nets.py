"""Networks as a row of named stages with one linear head, so that "freeze stage2" means something.

``CourseCNN``, of stage1 … stage3, is small enough to train on a laptop; the pre-trained ones are in ``backbones.py``.
All take what ``to_float`` makes of images: float32 N×C×H×W in −1..1, grey or RGB.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from ..parts import check_network, check_whole


class StagedNet(nn.Module):
    """``input``, named ``stages``, global average ``pool`` and a linear ``head``; some stages may be ``frozen``.

    With ``classes`` 0 there is no head: the network returns its N×``width`` features.

    ``freeze`` and ``unfreeze`` (``freezing.py``) keep the set ``frozen``. A frozen stage stays in eval mode whatever
    ``train()`` says: its batch norm then neither moves its running statistics nor uses those of the batch.
    """

    weights: Any  # the ``Weights`` that ``load_backbone`` (``weights.py``) gave it

    def __init__(self, stages: Mapping[str, nn.Module], width: int, classes: int, input: nn.Module | None = None):
        check_whole(classes, "classes")
        if classes < 0:
            raise ValueError(f"classes is {classes}: give the number of classes, or 0 for a network without a head.")
        super().__init__()
        self.input = input or nn.Identity()
        self.stages = nn.ModuleDict(stages)
        self.pool: nn.Module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head: nn.Module = nn.Linear(width, classes) if classes else nn.Identity()
        self.width = width
        self.frozen: set[str] = set()

    def features(self, x: Tensor) -> Tensor:
        """N×D features, D = ``head.in_features``, of images N×C×H×W (float32 in −1..1)."""
        x = self.input(x)
        for stage in self.stages.values():
            x = stage(x)
        return self.pool(x)

    def forward(self, x: Tensor) -> Tensor:
        """Logits N×classes."""
        return self.head(self.features(x))

    def train(self, mode: bool = True) -> "StagedNet":
        """Set train or eval mode, as ever, except that frozen stages stay in eval mode."""
        super().train(mode)
        for name in self.frozen:
            self.part(name).eval()
        return self

    def part(self, name: str) -> nn.Module:
        """The stage of that name, or ``"head"``. Raises ValueError, naming those there are."""
        if name == "head":
            return self.head
        if name not in self.stages:
            raise ValueError(f"There is no stage {name!r}; this network has {', '.join(self.parts())}.")
        return self.stages[name]

    def parts(self) -> Iterator[str]:
        """The names of all stages, from the input on, and ``"head"``."""
        return iter([*self.stages, "head"])


def check_staged(model) -> None:
    """Raises TypeError unless ``model`` has named stages, as all that freezes or caches needs them."""
    check_network(model)
    if not isinstance(model, StagedNet):
        raise TypeError(
            f"The model is a {type(model).__name__} without named stages: make them with staged(model), or take "
            "CourseCNN or load_backbone, which have them."
        )


class CourseCNN(StagedNet):
    """Three stages of convolution, normalisation, ReLU and pooling: small enough to train on a laptop's processor.

    Parameters
    ----------
    channels: of the input images. classes: number of logits. width: channels of the first stage, doubled in each next.
    norm: ``"group"`` (no running statistics: train and eval mode compute the same) or ``"batch"``.

    Images need at least 8 pixels a side. Raises ValueError for another ``norm``.
    """

    def __init__(self, channels: int, classes: int, width: int = 16, norm: str = "group"):
        widths = [channels, width, 2 * width, 4 * width]
        stages = {f"stage{k}": _stage(*pair, norm) for k, pair in enumerate(pairwise(widths), start=1)}
        super().__init__(stages, widths[-1], classes)
        self.to(memory_format=torch.channels_last)  # the same numbers to rounding, 1.4 times as fast on a processor


def _stage(before: int, after: int, norm: str) -> nn.Sequential:
    norms = {"group": lambda: nn.GroupNorm(after // 8, after), "batch": lambda: nn.BatchNorm2d(after)}
    if norm not in norms:
        raise ValueError(f"There is no normalisation {norm!r} here: choose 'group' or 'batch'.")
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1, bias=False), norms[norm](), nn.ReLU(), nn.MaxPool2d(2))
