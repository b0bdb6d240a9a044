"""U-Net: an image in, and for each of its pixels one logit per class out.

[1] Ronneberger, Fischer, Brox, U-Net: convolutional networks for biomedical image segmentation, MICCAI 2015,
arXiv 1505.04597, figure 1

The way down halves the maps and doubles the channels; the way up enlarges them again and, at every size, reads the map
of the way down beside its own (the skip connection). Three things differ from the paper: each convolution is followed
by batch norm, so that AdaBN has statistics to replace; convolutions keep the size of a map, so that nothing is cropped;
and an up-convolution halves the channels before it enlarges, which is cheaper than after.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..parts import check_whole
from .nets import StagedNet, check_staged

PROBE = 64  # pixels a side of the image by which the maps of a given encoder are looked at


class OutlineNet(StagedNet):
    """The stages of an encoder, a decoder with skip connections from them, and a head: logits N×K×H×W.

    Parameters
    ----------
    encoder: the stages, from the input on. widths: the channels of the map that each of them makes.
    stride: how many pixels of the image one of the last map stands for. classes: K, with the background.
    image: channels of the image where the decoder reads that, too, because even the first map is smaller; else 0.
    input: what the encoder wants before its first stage.

    The decoder has a stage for each skip connection: ``up2`` reads the map of the second stage, ``up0`` the image. An
    image whose sides are no multiple of ``stride`` is continued to the right and below by its last pixels, and the
    logits are cut to its size.
    """

    def __init__(self, encoder: dict[str, nn.Module], widths: list[int], stride: int, classes: int, *, image: int = 0,
                 input: nn.Module | None = None):  # fmt: skip
        skips = [image, *widths[:-1]] if image else widths[:-1]
        first = 0 if image else 1
        after = [max(width, widths[0]) for width in skips]  # the image has few channels; its stage may have more
        before = [*after[1:], widths[-1]]
        ups = {f"up{k + first}": Up(before[k], skips[k], after[k]) for k in reversed(range(len(skips)))}
        super().__init__({**encoder, **ups}, after[0], 0, input)
        check_whole(classes, "classes", least=2)
        self.encoder, self.stride, self.image = list(encoder), stride, bool(image)
        self.pool, self.head = nn.Identity(), nn.Conv2d(after[0], classes, 1)
        self.to(memory_format=torch.channels_last)  # the same numbers to rounding, faster on a processor

    def features(self, x: Tensor) -> Tensor:
        """The last map, float32 N×D×H×W with D channels (``width``), of images N×C×H×W (float32 in −1..1)."""
        height, width = x.shape[-2:]
        x = F.pad(x, (0, -width % self.stride, 0, -height % self.stride), mode="replicate")
        skips = [x] if self.image else []
        x = self.input(x)
        for name in self.encoder:
            x = self.stages[name](x)
            skips.append(x)
        skips.pop()  # the last map is what the way up begins with
        for name in list(self.stages)[len(self.encoder) :]:
            x = self.stages[name](x, skips.pop())
        return x[..., :height, :width]


class UNet(OutlineNet):
    """U-Net [1] with the stages ``down1`` … , ``middle``, …  ``up1`` and a 1 × 1 convolution as its head.

    Parameters
    ----------
    channels: of the images. classes: logits of each pixel, with the background.
    width: channels of the first map (the paper: 64), doubled in each stage of the way down.
    depth: how often the maps are halved (the paper: 4).

    Images are float32 N×C×H×W in −1..1, of any size; logits are float32 N×K×H×W.
    """

    def __init__(self, channels: int = 3, classes: int = 2, width: int = 16, depth: int = 3):
        for value, name in ((channels, "channels"), (width, "width"), (depth, "depth")):
            check_whole(value, name, least=1)
        widths = [width * 2**k for k in range(depth + 1)]
        downs = [convolutions(channels, width), *(Down(*pair) for pair in pairwise(widths))]
        names = [*(f"down{k}" for k in range(1, depth + 1)), "middle"]
        super().__init__(dict(zip(names, downs, strict=True)), widths, 2**depth, classes)


def unet_on(encoder: StagedNet, classes: int = 2) -> OutlineNet:
    """A U-Net whose way down is a given network, trained or not: the stages of ``encoder`` without its pool and head.

    The layers are shared with ``encoder``, and what is frozen there is frozen here; the decoder is random (set the seed
    before). Skip connections come from every stage, whatever the sizes of its maps, and from the image where the first
    map is smaller. Raises ValueError for an encoder that does not make maps of images.
    """
    check_staged(encoder)
    kernel = next((p for p in encoder.parameters() if p.ndim == 4), None)
    if kernel is None or isinstance(encoder, OutlineNet):
        kind = type(encoder).__name__
        raise ValueError(f"The encoder is a {kind}: give a network that names images, like CourseCNN or load_backbone.")
    channels, was_training = kernel.shape[1], encoder.training
    x = torch.zeros(1, channels, PROBE, PROBE, device=kernel.device)
    maps: list[Tensor] = []
    stages: dict[str, nn.Module] = {}
    with torch.no_grad():
        x = encoder.eval().input(x)
        for name, stage in encoder.stages.items():
            x = stage(x)
            if x.ndim == 4:  # the stage "hidden" of ``staged.py`` makes numbers
                maps.append(x)
                stages[name] = stage
    image = channels if maps[0].shape[-1] < PROBE else 0
    stride = max(1, PROBE // maps[-1].shape[-1])
    model = OutlineNet(stages, [m.shape[1] for m in maps], stride, classes, image=image, input=encoder.input)
    model.frozen = encoder.frozen & set(stages)
    encoder.train(was_training)
    model.to(kernel.device).train(was_training)
    return model


def convolutions(before: int, after: int) -> nn.Sequential:
    """Two 3 × 3 convolutions, each with batch norm and ReLU; the size of the map stays."""
    layers: list[nn.Module] = []
    for channels in (before, after):
        layers += [nn.Conv2d(channels, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class Down(nn.Sequential):
    """A map of half the size: 2 × 2 max pooling, then two convolutions."""

    def __init__(self, before: int, after: int):
        super().__init__(nn.MaxPool2d(2), convolutions(before, after))


class Up(nn.Module):
    """The map of the stage below, enlarged to the size of ``skip``, and ``skip`` beside it; then two convolutions."""

    def __init__(self, before: int, skip: int, after: int):
        super().__init__()
        self.narrow = nn.Conv2d(before, after, 1)
        self.convolutions = convolutions(after + skip, after)

    def forward(self, x: Tensor, skip: Tensor | None = None) -> Tensor:
        if skip is None:
            raise ValueError(
                "A stage on the way up reads a map of the way down, too, so that it cannot stand in a row: compute "
                "features of the encoder alone, and train outlines with fit_masks."
            )
        x = F.interpolate(self.narrow(x), size=skip.shape[-2:])  # each pixel becomes a square of equal ones
        return self.convolutions(torch.cat([skip, x], 1))
