"""A plain network, as torchvision and others make them, as a ``StagedNet``: stages are found by its children.

``staged(torchvision.models.densenet121(weights="DEFAULT"), classes=2)`` can be frozen, probed and fine-tuned by stage
like the course's own networks. The layers are shared, not copied. Children in a row are what most networks for images
are: convolutions, a global pooling, and linear layers. Whether this one is, is computed and not believed: two images go
through the plain network and through its children one after the other, and both must answer the same (in eval mode).

====================== =========================================================================================
stage                  holds
====================== =========================================================================================
``stem``               single layers before the first block, to their pooling; ``block1`` … where there are more such
its own name           each block, like ``layer1`` or ``denseblock3``; ``features0`` … where blocks only have numbers
``hidden``             the linear layers between the pooling and the last one, where there are any (VGG)
``head``               the last linear layer, with the dropout before it
====================== =========================================================================================
"""

import torch
from torch import Tensor, nn

from ..guards import as_logits
from ..parts import check_network, check_whole
from .backbones import IMAGENET, ImageNetInput
from .nets import StagedNet

POOLS = nn.AdaptiveAvgPool2d | nn.MaxPool2d | nn.AvgPool2d
TAIL = nn.AdaptiveAvgPool2d | nn.Flatten | nn.Linear | nn.Dropout  # what ends the convolutional part


def staged(model: nn.Module, *, classes: int | None = None, normalise=IMAGENET, size: int = 64) -> StagedNet:
    """``model`` as a network of named stages that takes the course's images (float32 N×C×H×W in −1..1).

    Parameters
    ----------
    model: a network from images N×C×H×W to logits. Its layers are shared with the result.
    classes: give a new random head of so many classes (set the seed before); None keeps the last linear layer.
    normalise: mean and deviation, by channel and of images in 0..1, that the network was trained with; None where it
        takes −1..1.
    size: pixels a side of the image by which both are compared: take the network's own where it takes no other.

    Raises ValueError where the children one after the other do not give what the network gives, or for a size that it
    does not take.
    """
    check_network(model)
    check_whole(size, "size", least=1)
    check_whole(1 if classes is None else classes, "classes", least=1)
    layers = _layers(model)
    kernel = next((p for p in model.parameters() if p.ndim == 4), None)
    if kernel is None or not layers or not isinstance(layers[-1][1], nn.Linear):
        raise _no_row(model, "it does not begin with a convolution and end in a linear layer")
    if normalise is not None and len(normalise[0]) != kernel.shape[1]:
        raise ValueError(
            f"The network takes {kernel.shape[1]} channels and normalise has {len(normalise[0])}: give "
            "normalise=(mean, std) of as many, or None."
        )
    images = torch.rand(2, kernel.shape[1], size, size, generator=torch.Generator().manual_seed(0))
    images = (images * torch.tensor([2, 0.5]).view(2, 1, 1, 1) - 1).to(kernel.device, kernel.dtype)
    was_training = model.training
    try:
        with torch.no_grad():
            wanted = as_logits(model.eval()(images))
    except (RuntimeError, ValueError, AssertionError) as error:
        raise ValueError(
            f"{type(model).__name__} does not take images of {size} × {size} px: give its own size, like size=224."
        ) from error
    found = next((net for net in (_build(layers, relu) for relu in (False, True)) if _gives(net, images, wanted)), None)
    model.train(was_training)
    if found is None:
        raise _no_row(model, "its children one after the other do not give what it gives")
    if classes is not None:
        new = nn.Linear(found.width, classes).to(kernel.device, kernel.dtype)
        found.head = nn.Sequential(*found.head[:-1], new) if isinstance(found.head, nn.Sequential) else new
    if normalise is not None:
        found.input = ImageNetInput(*normalise).to(kernel.device, kernel.dtype)
    return found.train(was_training)


def _no_row(model: nn.Module, why: str) -> ValueError:
    return ValueError(
        f"{type(model).__name__} cannot be cut into stages here, because {why}: write a StagedNet with its parts."
    )


def _layers(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """The children in order; a ``Sequential`` that holds all convolutions, or the last layers, stands for its own."""

    def has_kernel(child):
        return any(p.ndim == 4 for p in child.parameters())

    children = list(model.named_children())
    holds = [name for name, child in children if has_kernel(child)]
    row: list[tuple[str, nn.Module]] = []
    for k, (name, child) in enumerate(children):
        if isinstance(child, nn.Sequential) and (holds == [name] or k == len(children) - 1):
            row += [(name + own if own.isdigit() else own, layer) for own, layer in child.named_children()]
        else:
            row.append((f"stage{name}" if name.isdigit() or name == "head" else name, child))
    return row


def _build(layers: list[tuple[str, nn.Module]], relu: bool) -> StagedNet:
    """The row as stages, pool and head; with ``relu``, one stands before the pool (DenseNet's is no child)."""
    kernels = [k for k, (_, layer) in enumerate(layers) if any(p.ndim == 4 for p in layer.parameters())]
    end = kernels[-1] + 1
    while not isinstance(layers[end][1], TAIL):
        end += 1
    groups: list[tuple[str, list[nn.Module]]] = []
    open_ = False  # whether a single layer still belongs to the group before it
    for name, layer in layers[:end]:
        single = not list(layer.children())
        if single and open_:
            groups[-1][1].append(layer)
        else:
            groups.append(("" if single else name, [layer]))
        open_ = not isinstance(layer, POOLS)
    if relu:
        groups[-1][1].append(nn.ReLU())
    alone = sum(not name for name, _ in groups) == 1
    named = [(name or ("stem" if alone else f"block{k}"), group) for k, (name, group) in enumerate(groups, 1)]
    stages: dict[str, nn.Module] = {name: g[0] if len(g) == 1 else nn.Sequential(*g) for name, g in named}

    tail = [layer for _, layer in layers[end:]]
    pool = [tail.pop(0) if isinstance(tail[0], nn.AdaptiveAvgPool2d) else nn.AdaptiveAvgPool2d(1)]
    last = tail.pop()
    head = [last]
    while tail and isinstance(tail[-1], nn.Dropout):
        head.insert(0, tail.pop())
    flat = [] if any(isinstance(layer, nn.Flatten) for layer in tail) else [nn.Flatten()]
    before_head = nn.Sequential(*pool, *flat, *tail)
    if any(not isinstance(layer, nn.Flatten) for layer in tail):
        stages["hidden"], before_head = before_head, nn.Sequential()
    net = StagedNet(stages, int(last.in_features), classes=0)  # type: ignore[arg-type]
    net.pool, net.head = before_head, last if len(head) == 1 else nn.Sequential(*head)
    return net


@torch.no_grad()
def _gives(net: StagedNet, images: Tensor, wanted: Tensor) -> bool:
    """Whether ``net`` gives what is ``wanted``, to rounding, and every stage either square maps or plain numbers."""
    x, shapes = images, []
    try:
        for stage in net.eval().stages.values():
            x = stage(x)
            shapes.append(x.shape[2:])
        found = net.head(net.pool(x))
    except Exception:  # whatever a foreign layer says of another's output
        return False
    maps = all(not shape or (len(shape) == 2 and shape[0] == shape[1]) for shape in shapes)
    apart = float((wanted[0] - wanted[1]).abs().max())
    return maps and found.shape == wanted.shape and torch.allclose(found, wanted, rtol=1e-6, atol=1e-3 * apart)
