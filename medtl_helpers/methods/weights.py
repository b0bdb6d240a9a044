"""Trained weights for the backbones: given ones, else ImageNet's where fetched, else the embedded ones; always told.

An untrained network is never passed off as a trained one, and there is no silent fallback: every loaded network
carries ``weights``, a ``Weights`` whose ``provenance`` is ``"ImageNet"``, ``"phantoms"`` (embedded, pre-trained by
``benchmarks/pretrain.py``), ``"stand-in"`` (a file that you gave) or ``"random"``.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import torch

from ..assets import CHECKOUT, Found, asset_folder, card, checksum_is_right, find
from ..console import say
from ..provenance import note_weights
from . import backbones
from .nets import StagedNet
from .weight_files import load_resnet, load_vgg16, read_resnet

EMBEDDED = {"vgg16": "vgg16_phantoms.weights.h5", "resnet": "small_resnet_phantoms.pt"}
CARDS = {"vgg16": "vgg16", "resnet": "resnet18"}  # of ImageNet's weights


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
            "drawn sites": "embedded weights, pre-trained on splice sites drawn by code",
            "drawn sentences": "embedded weights, pre-trained on sentences drawn by code",
            "drawn nuclei": "embedded weights, pre-trained on nuclei drawn by code",
            "drawn molecules": "embedded weights, pre-trained on molecules drawn by code",
            "stand-in": f"stand-in weights from {self.path}",
            "random": "RANDOM weights, trained on nothing",
        }
        return f"{self.network}: {words[self.provenance]}{'; ' + self.note if self.note else ''}"


def load_backbone(network: str, classes: int, *, weights: str | Path | None = None, quiet: bool = False) -> StagedNet:
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
        model = backbones.vgg16(classes)
        if found.path:
            load_vgg16(model, found.path)
    else:
        model = _new_resnet(found.path, classes)
        if found.path:
            load_resnet(model, found.path)
    model.weights = found
    note_weights(network, found.provenance)
    if not quiet:
        say(str(found))
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
        path = path if path.is_file() else CHECKOUT / path  # seen from the checkout
        if not path.is_file():
            raise FileNotFoundError(
                f"There is no weight file {asked}: correct the path{'' if given else ', or unset MEDTL_VGG16'}."
            )
        return Weights(network, "stand-in", path.resolve())
    why_not = "the embedded ones were asked for"
    if asked is None:
        found = _fetched(network)
        if found.path is not None:
            return Weights(network, "ImageNet", found.path)
        why_not = found.why_not
    return Weights(network, "phantoms", embedded(network), f"ImageNet's: make data ONLY={CARDS[network]} ({why_not})")


def embedded(network: str) -> Path:
    """The file of the embedded weights."""
    return asset_folder("embedded", "datasets/embedded") / EMBEDDED[network]


def _fetched(network: str) -> Found:
    """ImageNet's weights in the data folder, or in the cache of Keras or torch; else why there are none."""
    about = card(CARDS[network])
    entry = about["files"]["imagenet"]
    found = find(about, "imagenet")
    if found.path is not None or found.twin_wanted:
        return found
    caches = {
        "vgg16": Path(os.environ.get("KERAS_HOME", "~/.keras")) / "models",
        "resnet": Path(torch.hub.get_dir()) / "checkpoints",
    }
    cached = caches[network].expanduser() / entry["url"].rpartition("/")[2]
    if cached.is_file() and checksum_is_right(cached, entry["checksum"]):
        return Found(cached)
    return found


def _new_resnet(path: Path | None, classes: int) -> StagedNet:
    """torchvision's ResNet-18 for a file whose first kernel is 7×7, the small one for any other or none."""
    stem = read_resnet(path).get("stem.0.weight") if path else None
    return backbones.small_resnet(classes) if stem is None or stem.shape[-1] != 7 else backbones.resnet18(classes)
