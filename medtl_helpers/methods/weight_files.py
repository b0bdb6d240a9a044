"""Weight files: VGG16's convolutions in Keras' layout, which Keras and torch both read, and ResNets in torch's."""

import os
import re
from itertools import pairwise
from pathlib import Path

import torch
from torch import nn

from .backbones import vgg16
from .nets import StagedNet

LARGEST = 512 * 512 * 3 * 3  # numbers in one kernel, in both; a damaged or hostile file may claim any size


def read_vgg16(path: Path) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The 13 convolutions of a Keras file (``.weights.h5``, or the older ``.h5``) as float32 (O×I×3×3, O).

    Raises ValueError when the file does not hold exactly VGG16's trunk, or numbers that are not finite.
    """
    import h5py

    found: dict[str, dict[int, torch.Tensor]] = {}

    def collect(name, item):
        is_weight = isinstance(item, h5py.Dataset) and item.ndim in (1, 4) and item.dtype.kind == "f"
        is_weight = is_weight and item.size <= LARGEST
        if is_weight and not name.startswith("optimizer"):  # whose moments have the same shapes
            layer = name.removesuffix("/vars/0").removesuffix("/vars/1").split("_W")[0].split("_b_")[0]
            layer = re.sub(r"/(kernel|bias)(:0)?$", "", layer)
            found.setdefault(layer, {})[item.ndim] = torch.from_numpy(item[...]).float()

    try:
        with h5py.File(path) as file:
            file.visititems(collect)
    except OSError as error:
        raise ValueError(f"{path} is no readable HDF5 file ({error}): fetch or copy it again.") from None
    layers = sorted((name for name in found if 4 in found[name]), key=_numbers)
    no_bias = torch.empty(0)  # a shape that no layer wants
    convolutions = [(found[name][4].permute(3, 2, 0, 1).contiguous(), found[name].get(1, no_bias)) for name in layers]
    with torch.device("meta"):  # shapes only
        wanted = [tuple(p.shape for p in layer.parameters()) for layer in _convolutions(vgg16(1))]
    if [(kernel.shape, bias.shape) for kernel, bias in convolutions] != wanted:
        raise ValueError(f"{path} does not hold VGG16's 13 convolutions: give a file of keras.applications.VGG16.")
    _check_finite(path, [part for pair in convolutions for part in pair])
    return convolutions


def write_vgg16(path: Path, convolutions) -> None:
    """Write 13 convolutions (kernel O×I×3×3, bias O) in half precision in the layout of Keras 3's ``.weights.h5``."""
    import h5py

    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with h5py.File(part, "w") as file:
        for name in ("input_layer", "max_pooling2d", *(f"max_pooling2d_{k}" for k in range(1, 5))):
            file.create_group(f"layers/{name}/vars")
        file.create_group("vars")
        for k, (kernel, bias) in enumerate(convolutions):
            group = file.create_group(f"layers/conv2d{f'_{k}' if k else ''}/vars")
            for key, values in (("0", kernel.permute(2, 3, 1, 0)), ("1", bias)):
                group.create_dataset(key, data=values.half().cpu().numpy(), compression="gzip", shuffle=True)
    os.replace(part, path)


def load_vgg16(model: StagedNet, path: Path) -> None:
    """Put the convolutions of a Keras file into ``nets.vgg16``; the head stays as it is."""
    with torch.no_grad():
        for layer, read in zip(_convolutions(model), read_vgg16(path), strict=True):
            for parameter, values in zip(layer.parameters(), read, strict=True):  # kernel and bias
                parameter.copy_(values)


def fold_batch_norm(layers: nn.Sequential) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Each convolution of ``layers`` with the batch norm after it folded in: (kernel O×I×3×3, bias O).

    In eval mode γ (w∗x + b − μ)/√(σ²+ε) + β is one convolution again: kernel w γ/√(σ²+ε), bias (b − μ) γ/√(σ²+ε) + β.
    """
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    pairs = [(a, b) for a, b in pairwise(layers.eval()) if isinstance(a, nn.Conv2d) and isinstance(b, nn.BatchNorm2d)]
    fused = [fuse_conv_bn_eval(convolution, norm).parameters() for convolution, norm in pairs]
    return [(kernel.detach(), bias.detach()) for kernel, bias in fused]


def _convolutions(model: nn.Module) -> list[nn.Conv2d]:
    return [module for module in model.modules() if isinstance(module, nn.Conv2d)]


def _numbers(name: str) -> list:
    """A sort key in which conv2d_10 comes after conv2d_2."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def write_resnet(path: Path, model: StagedNet) -> None:
    """Write the stages of ``model``: convolutions in half precision, batch norm (variances may be large) in full."""
    state = {
        name: value.half() if value.ndim == 4 else value
        for name, value in model.stages.state_dict().items()
        if "num_batches_tracked" not in name
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({name: value.cpu().contiguous() for name, value in state.items()}, path.with_suffix(".part"))
    os.replace(path.with_suffix(".part"), path)


def read_resnet(path: Path) -> dict[str, torch.Tensor]:
    """The weights of an embedded or a torchvision ``.pt``/``.pth`` file, as float32 and by the names of our stages."""
    with open(path, "rb") as file:
        try:
            state = torch.load(file, map_location="cpu", weights_only=True)
        except Exception:  # on damaged bytes the unpickler may stumble over anything
            raise ValueError(f"{path} is no readable torch weight file: fetch or copy it again.") from None
    if not (isinstance(state, dict) and all(isinstance(value, torch.Tensor) for value in state.values())):
        raise ValueError(f"{path} does not hold the weights of a ResNet: give its state dict, and nothing around it.")
    if any(value.numel() > LARGEST for value in state.values()):
        raise ValueError(f"{path} does not hold the weights of a ResNet, some are far too large: give another file.")
    _check_finite(path, state.values())
    names = {"conv1": "stem.0", "bn1": "stem.1"}  # torchvision's
    return {
        re.sub(r"^\w+", lambda m: names.get(m[0], m[0]), name): value.float()
        for name, value in state.items()
        if not name.startswith("fc.") and "num_batches" not in name
    }


def _check_finite(path: Path, values) -> None:
    if not all(value.isfinite().all() for value in values):
        raise ValueError(f"{path} holds weights that are not finite numbers: fetch it again, or train it anew.")


def load_resnet(model: StagedNet, path: Path) -> None:
    """Put the weights of ``read_resnet`` into the stages of ``model``; the head stays as it is."""
    state = read_resnet(path)
    wanted = {name: value.shape for name, value in model.stages.state_dict().items() if "num_batches" not in name}
    if {name: value.shape for name, value in state.items()} != wanted:
        raise ValueError(
            f"{path} does not hold the weights of this ResNet: give a file of torchvision's ResNet-18, or "
            "of small_resnet."
        )
    model.stages.load_state_dict(state, strict=False)
