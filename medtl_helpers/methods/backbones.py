"""The networks that have pre-trained weights, each as a ``StagedNet``.

================  ======================================  =====================================================
network           stages                                  paper
================  ======================================  =====================================================
``vgg16``         block1 … block5, 13 convolutions        Simonyan, Zisserman, ICLR 2015, table 1 D [1]
``small_resnet``  stem, layer1 … layer4, half as wide     He et al., CVPR 2016, table 1, 18 layers [2]
``resnet18``      stem, layer1 … layer4                   the same, with torchvision's stem for large images
================  ======================================  =====================================================

[1] arXiv 1409.1556  [2] doi 10.1109/CVPR.2016.90

What a set of weights wants besides images in −1..1 (VGG16: BGR minus a mean) the network's own ``input`` does, once,
and nobody has to remember it.
"""

import torch
from torch import Tensor, nn

from .nets import StagedNet

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # mean and deviation of R, G, B in 0..1
VGG16 = {"block1": (64, 2), "block2": (128, 2), "block3": (256, 3), "block4": (512, 3), "block5": (512, 3)}


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

    mean: Tensor

    def __init__(self):
        super().__init__()
        mean = torch.tensor([103.939, 116.779, 123.68]).view(3, 1, 1)  # of ImageNet, B G R
        self.register_buffer("mean", mean, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return (_as_rgb(x) * 127.5 + 127.5).flip(1) - self.mean


class ImageNetInput(nn.Module):
    """What torchvision's weights want: images in −1..1 become 0..1, minus the mean, over the deviation of ImageNet,
    or those that are given by channel.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean=IMAGENET[0], std=IMAGENET[1]):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        x = _as_rgb(x) if len(self.mean) == 3 else x
        return (x / 2 + 0.5 - self.mean) / self.std


def _as_rgb(x: Tensor) -> Tensor:
    return x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x


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
