"""Weights in half precision of the small networks that were pre-trained here: written, read, refused, and told."""

import os
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from ..assets import asset_folder
from ..console import say
from ..parts import check_whole, shown
from ..provenance import note_weights
from .nets import StagedNet
from .weights import Weights

Net = TypeVar("Net", bound=StagedNet)
Path_ = str | Path | None


def load_embedded(
    model: Net, name: str, *, drawn: str, writer: str, classes: int | None, weights: Path_, quiet: bool
) -> Net:
    """``model`` with trained weights, in eval mode, with the attribute ``weights``; ``classes`` gives it a new head.

    ``name`` is its file of the embedded weights, whose provenance is ``drawn``; ``weights`` is None for these,
    ``"random"``, or a file that the function named ``writer`` wrote. Raises ValueError for a file that does not fit,
    FileNotFoundError for one that is not there.
    """
    if not isinstance(weights, Path_):
        raise ValueError(f"weights is {shown(weights)}: give 'random', a file, or nothing.")
    path = None if weights == "random" else Path(weights) if weights else embedded_file(name)
    if path is not None:
        model.load_state_dict(read_half(path, model, writer))
    if classes is not None:
        check_whole(classes, "classes", least=1)
        model.head = nn.Linear(model.width, classes)
    provenance = "random" if path is None else "stand-in" if weights else drawn
    model.weights = Weights(name, provenance, path)
    note_weights(name, provenance)
    if not quiet:
        say(str(model.weights))
    return model.eval()


def embedded_file(name: str) -> Path:
    """The file of the embedded weights of that name."""
    return asset_folder("embedded", "datasets/embedded") / f"{name}.pt"


def write_half(model: nn.Module, path: Path) -> None:
    """Write all weights of ``model`` in half precision, its head with them."""
    state = {name: value.half().cpu().contiguous() for name, value in model.state_dict().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path.with_suffix(".part"))
    os.replace(path.with_suffix(".part"), path)


def read_half(path: Path, model: StagedNet, writer: str) -> dict[str, torch.Tensor]:
    """The weights in a file, as float32. Raises ValueError unless they are those of ``model``, and finite."""
    if not path.is_file():
        raise FileNotFoundError(f"There is no weight file {path}: correct the path, or leave weights out.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        shapes = {name: value.shape for name, value in state.items()}
    except Exception:  # on damaged bytes the unpickler may stumble over anything
        raise ValueError(f"{path} is no readable torch weight file: copy it again, or train it anew.") from None
    if shapes != {name: value.shape for name, value in model.state_dict().items()}:
        whole = f"{type(model).__name__}({len(next(model.head.parameters()))})"
        raise ValueError(f"{path} does not hold the weights of {whole}: give a file of {writer}.")
    if not all(value.isfinite().all() for value in state.values()):
        raise ValueError(f"{path} holds weights that are not finite numbers: copy it again, or train it anew.")
    return {name: value.float() for name, value in state.items()}
