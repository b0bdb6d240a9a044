"""Trained weights for the backbones: given ones, else ImageNet's where fetched, else the embedded ones; always told.

An untrained network is never passed off as a trained one, and there is no silent fallback: every loaded network
carries ``weights``, a ``Weights`` whose ``provenance`` is ``"ImageNet"``, ``"phantoms"`` (embedded, pre-trained by
``benchmarks/pretrain.py``), ``"stand-in"`` (a file that you gave) or ``"random"``.
"""

import os
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import nn

from . import nets
from .assets import asset_folder, card, checksum_is_right, find
from .checks import note_weights

EMBEDDED = {"vgg16": "vgg16_phantoms.weights.h5", "resnet": "small_resnet_phantoms.pt"}
CARDS = {"vgg16": "vgg16", "resnet": "resnet18"}  # of ImageNet's weights
LARGEST = 512 * 512 * 3 * 3  # numbers in one kernel, in both; a damaged or hostile file may claim any size


@dataclass(frozen=True)
class Weights:
    """Where the weights of a network come from. ``path`` is None for random ones."""

    network: str
    provenance: str
    path: Path | None
    note: str = ""

    def __str__(self):
        words = {
            "ImageNet": "ImageNet weights",
            "phantoms": "embedded weights, pre-trained on phantoms drawn by code",
            "stand-in": f"stand-in weights from {self.path}",
            "random": "RANDOM weights, trained on nothing",
        }
        return f"{self.network}: {words[self.provenance]}{'; ' + self.note if self.note else ''}"


def load_backbone(network: str, classes: int, *, weights: str | Path | None = None, quiet: bool = False):
    """A network of named stages with trained weights and a new random head (set the seed before).

    Parameters
    ----------
    network: ``"vgg16"`` or ``"resnet"`` (torchvision's ResNet-18 where its ImageNet weights were fetched or a file of
        that network is given, else ``small_resnet``).
    classes: number of logits of the new head.
    weights: None (what ``find_weights`` finds), ``"embedded"``, ``"random"``, or a file.
    quiet: do not print the line that says what was loaded.

    Returns a ``StagedNet`` in eval mode with the attribute ``weights``. Raises ValueError for an unknown network or
    a file that does not fit it, FileNotFoundError for a file that is not there.
    """
    found = find_weights(network, weights)
    if network == "vgg16":
        model = nets.vgg16(classes)
        if found.path:
            load_vgg16(model, found.path)
    else:
        model = _new_resnet(found.path, classes)
        if found.path:
            load_resnet(model, found.path)
    model.weights = found
    note_weights(network, found.provenance)
    if not quiet:
        print(found)
    return model.eval()


def find_weights(network: str, given: str | Path | None = None) -> Weights:
    """Where the weights of ``network`` are: ``given`` (a file, ``"embedded"`` or ``"random"``), else the file that
    ``MEDTL_VGG16`` names (VGG16 only), else ImageNet's if fetched, else the embedded ones.
    """
    if network not in EMBEDDED:
        raise ValueError(f"There is no backbone {network!r}: choose one of {', '.join(EMBEDDED)}.")
    asked = given or (os.environ.get("MEDTL_VGG16") if network == "vgg16" else None)
    if asked == "random":
        return Weights(network, "random", None)
    if asked and asked != "embedded":
        path = Path(asked).expanduser()
        path = path if path.is_file() else Path(__file__).parent.parent / path  # seen from the checkout
        if not path.is_file():
            raise FileNotFoundError(f"There is no weight file {asked}: correct the path"
                                    f"{'' if given else ', or unset MEDTL_VGG16'}.")  # fmt: skip
        return Weights(network, "stand-in", path.resolve())
    why_not = "the embedded ones were asked for"
    if asked is None:
        path, why_not = _fetched(network)
        if path is not None:
            return Weights(network, "ImageNet", path)
    return Weights(network, "phantoms", embedded(network), f"ImageNet's: make data ONLY={CARDS[network]} ({why_not})")


def embedded(network: str) -> Path:
    """The file of the embedded weights."""
    return asset_folder("embedded", "datasets/embedded") / EMBEDDED[network]


def _fetched(network: str) -> tuple[Path | None, str]:
    """ImageNet's weights in the data folder, or in the cache of Keras or torch; else why there are none."""
    entry = card(CARDS[network])["files"]["imagenet"]
    path, why_not = find(CARDS[network], "imagenet")
    if path is not None or why_not == "MEDTL_DATA=twin":
        return path, why_not
    caches = {
        "vgg16": Path(os.environ.get("KERAS_HOME", "~/.keras")) / "models",
        "resnet": Path(torch.hub.get_dir()) / "checkpoints",
    }
    cached = caches[network].expanduser() / entry["url"].rpartition("/")[2]
    if cached.is_file() and checksum_is_right(cached, entry["checksum"]):
        return cached, ""
    return None, why_not


# --- VGG16: Keras' file layout, so that Keras and torch read the same file -------------------------------------------


def read_vgg16(path: Path) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The 13 convolutions of a Keras file (``.weights.h5``, or the older ``.h5``) as float32 (O×I×3×3, O).

    Raises ValueError when the file does not hold exactly VGG16's trunk, or numbers that are not finite.
    """
    import h5py

    found = {}

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
    convolutions = [(found[name][4].permute(3, 2, 0, 1).contiguous(), found[name].get(1)) for name in layers]
    with torch.device("meta"):  # shapes only
        wanted = [(layer.weight.shape, layer.bias.shape) for layer in _convolutions(nets.vgg16(1))]
    if any(b is None for _, b in convolutions) or [(w.shape, b.shape) for w, b in convolutions] != wanted:
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


def load_vgg16(model: nets.StagedNet, path: Path) -> None:
    """Put the convolutions of a Keras file into ``nets.vgg16``; the head stays as it is."""
    with torch.no_grad():
        for layer, (kernel, bias) in zip(_convolutions(model), read_vgg16(path), strict=True):
            layer.weight.copy_(kernel)
            layer.bias.copy_(bias)


def fold_batch_norm(layers: nn.Sequential) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Each convolution of ``layers`` with the batch norm after it folded in: (kernel O×I×3×3, bias O).

    In eval mode γ (w∗x + b − μ)/√(σ²+ε) + β is one convolution again: kernel w γ/√(σ²+ε), bias (b − μ) γ/√(σ²+ε) + β.
    """
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    layers = list(layers.eval())
    pairs = [(a, b) for a, b in pairwise(layers) if isinstance(b, nn.BatchNorm2d)]
    fused = [fuse_conv_bn_eval(convolution, norm) for convolution, norm in pairs]
    return [(layer.weight.detach(), layer.bias.detach()) for layer in fused]


def _convolutions(model: nn.Module) -> list[nn.Conv2d]:
    return [module for module in model.modules() if isinstance(module, nn.Conv2d)]


def _numbers(name: str) -> list:
    """A sort key in which conv2d_10 comes after conv2d_2."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


# --- ResNet ----------------------------------------------------------------------------------------------------------


def write_resnet(path: Path, model: nets.StagedNet) -> None:
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
    return {re.sub(r"^\w+", lambda m: names.get(m[0], m[0]), name): value.float() for name, value in state.items()
            if not name.startswith("fc.") and "num_batches" not in name}  # fmt: skip


def _check_finite(path: Path, values) -> None:
    if not all(value.isfinite().all() for value in values):
        raise ValueError(f"{path} holds weights that are not finite numbers: fetch it again, or train it anew.")


def load_resnet(model: nets.StagedNet, path: Path) -> None:
    """Put the weights of ``read_resnet`` into the stages of ``model``; the head stays as it is."""
    state = read_resnet(path)
    wanted = {name: value.shape for name, value in model.stages.state_dict().items() if "num_batches" not in name}
    if {name: value.shape for name, value in state.items()} != wanted:
        raise ValueError(f"{path} does not hold the weights of this ResNet: give a file of torchvision's ResNet-18, or "
                         "of small_resnet.")  # fmt: skip
    model.stages.load_state_dict(state, strict=False)


def _new_resnet(path: Path | None, classes: int) -> nets.StagedNet:
    """torchvision's ResNet-18 for a file whose first kernel is 7×7, the small one for any other or none."""
    stem = read_resnet(path).get("stem.0.weight") if path else None
    return nets.small_resnet(classes) if stem is None or stem.shape[-1] != 7 else nets.resnet18(classes)
