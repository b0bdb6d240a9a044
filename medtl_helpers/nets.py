"""The course's networks: each a row of named stages with one linear head, so that "freeze block3" means something.

================  ======================================  =====================================================
network           stages                                  paper
================  ======================================  =====================================================
``CourseCNN``     stage1 … stage3                         —
``vgg16``         block1 … block5, 13 convolutions        Simonyan, Zisserman, ICLR 2015, table 1 D [1]
``small_resnet``  stem, layer1 … layer4, half as wide     He et al., CVPR 2016, table 1, 18 layers [2]
``resnet18``      stem, layer1 … layer4                   the same, with torchvision's stem for large images
================  ======================================  =====================================================

[1] arXiv 1409.1556  [2] doi 10.1109/CVPR.2016.90

All take what ``to_float`` makes of images: float32 N×C×H×W in −1..1, grey or RGB. What a set of weights wants
besides (VGG16: BGR minus a mean) the network's own ``input`` does, once, and nobody has to remember it.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

VGG16 = {"block1": (64, 2), "block2": (128, 2), "block3": (256, 3), "block4": (512, 3), "block5": (512, 3)}


class StagedNet(nn.Module):
    """``input``, named ``stages``, global average ``pool`` and a linear ``head``; some stages may be ``frozen``.

    With ``classes`` 0 there is no head: the network returns its N×``width`` features.

    ``freeze`` and ``unfreeze`` (``freezing.py``) keep the set ``frozen``. A frozen stage stays in eval mode whatever
    ``train()`` says: its batch norm then neither moves its running statistics nor uses those of the batch.
    """

    def __init__(self, stages: dict[str, nn.Module], width: int, classes: int, input: nn.Module | None = None):
        if classes < 0:
            raise ValueError(f"classes is {classes}: give the number of classes, or 0 for a network without a head.")
        super().__init__()
        self.input = input or nn.Identity()
        self.stages = nn.ModuleDict(stages)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(width, classes) if classes else nn.Identity()
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


def vgg16(classes: int) -> StagedNet:
    """VGG16's convolutions with global average pooling and a new linear head; random weights (He et al. 2015).

    Images need at least 32 pixels a side. ``load_backbone`` (``weights.py``) gives it trained weights.
    """
    stages, before = {}, 3
    for name, (width, convolutions) in VGG16.items():
        layers = []
        for _ in range(convolutions):
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
            before = width
        stages[name] = nn.Sequential(*layers, nn.MaxPool2d(2))
    return _initialised(StagedNet(stages, before, classes, CaffeInput()))


def small_resnet(classes: int, width: int = 32) -> StagedNet:
    """ResNet-18 of half the width whose stem keeps small images large (3×3, stride 2, no pooling): 2.8 M weights."""
    stem = nn.Sequential(nn.Conv2d(3, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
    return _resnet(stem, width, classes)


def resnet18(classes: int) -> StagedNet:
    """torchvision's ResNet-18 in named stages: the stem shrinks images four times, so give it 64 pixels or more."""
    stem = nn.Sequential(
        nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
    )
    return _resnet(stem, 64, classes)


class CaffeInput(nn.Module):
    """What VGG16's ImageNet weights want: images in −1..1 become 0..255, RGB becomes BGR, the mean colour goes.

    The same numbers as ``keras.applications.vgg16.preprocess_input`` makes of 0..255; grey images become three
    equal channels first.
    """

    def __init__(self):
        super().__init__()
        mean = torch.tensor([103.939, 116.779, 123.68]).view(3, 1, 1)  # of ImageNet, B G R
        self.register_buffer("mean", mean, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return (_as_rgb(x) * 127.5 + 127.5).flip(1) - self.mean


class ImageNetInput(nn.Module):
    """What torchvision's weights want: images in −1..1 become 0..1, minus the mean, over the deviation of ImageNet."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return (_as_rgb(x) / 2 + 0.5 - self.mean) / self.std


def _as_rgb(x: Tensor) -> Tensor:
    return x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x


def _stage(before: int, after: int, norm: str) -> nn.Sequential:
    norms = {"group": lambda: nn.GroupNorm(after // 8, after), "batch": lambda: nn.BatchNorm2d(after)}
    if norm not in norms:
        raise ValueError(f"There is no normalisation {norm!r} here: choose 'group' or 'batch'.")
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1, bias=False), norms[norm](), nn.ReLU(), nn.MaxPool2d(2))


def _resnet(stem: nn.Module, width: int, classes: int) -> StagedNet:
    from torchvision.models.resnet import BasicBlock

    def shortcut(before, after, stride):
        if before == after:
            return None
        return nn.Sequential(nn.Conv2d(before, after, 1, stride=stride, bias=False), nn.BatchNorm2d(after))

    stages, before = {"stem": stem}, width
    for k, stride in enumerate((1, 2, 2, 2)):
        after = width * 2**k
        first = BasicBlock(before, after, stride, shortcut(before, after, stride))
        stages[f"layer{k + 1}"] = nn.Sequential(first, BasicBlock(after, after))
        before = after
    return _initialised(StagedNet(stages, before, classes, ImageNetInput()))


def _initialised(model: StagedNet) -> StagedNet:
    """Convolutions after He et al., ICCV 2015 (doi 10.1109/ICCV.2015.123); the rest keeps torch's own start."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return model
