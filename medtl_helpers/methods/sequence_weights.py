"""The embedded weights of ``SequenceCNN``: trained on drawn splice sites (``benchmarks/pretrain_sequences.py``).

Their head knows the three classes donor, acceptor and neither, so the network can be asked without a single real label.
"""

import os
from pathlib import Path

import torch
from torch import nn

from ..assets import asset_folder
from ..console import say
from ..parts import check_whole, shown
from ..provenance import note_weights
from .sequence_nets import SequenceCNN
from .weights import Weights

EMBEDDED_SPLICE = "splice_cnn.pt"
CLASSES, LENGTH = 3, 60


def load_splice_cnn(
    classes: int | None = None, *, weights: str | Path | None = None, quiet: bool = False
) -> SequenceCNN:
    """``SequenceCNN`` for 60 bases with trained weights, in eval mode, and the attribute ``weights``.

    Parameters
    ----------
    classes: None keeps the head that was trained on drawn sites: donor, acceptor, neither. A number gives a new random
        head (set the seed before).
    weights: None (the embedded ones), ``"random"``, or a file that ``save_splice_cnn`` wrote.
    quiet: do not print the line that says what was loaded.

    Raises ValueError for a file that does not fit, FileNotFoundError for one that is not there.
    """
    if not isinstance(weights, str | Path | None):
        raise ValueError(f"weights is {shown(weights)}: give 'random', a file, or nothing.")
    path = None if weights == "random" else Path(weights) if weights else embedded_splice()
    model = SequenceCNN(CLASSES, LENGTH)
    if path is not None:
        model.load_state_dict(_read(path, model))
    if classes is not None:
        check_whole(classes, "classes", least=1)
        model.head = nn.Linear(model.width, classes)
    provenance = "random" if path is None else "stand-in" if weights else "drawn sites"
    model.weights = Weights("splice_cnn", provenance, path)
    note_weights("splice_cnn", provenance)
    if not quiet:
        say(str(model.weights))
    return model.eval()


def embedded_splice() -> Path:
    """The file of the embedded weights."""
    return asset_folder("embedded", "datasets/embedded") / EMBEDDED_SPLICE


def save_splice_cnn(model: SequenceCNN, path: Path) -> None:
    """Write all weights of ``model`` in half precision, its head with them."""
    state = {name: value.half().cpu().contiguous() for name, value in model.state_dict().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path.with_suffix(".part"))
    os.replace(path.with_suffix(".part"), path)


def _read(path: Path, model: nn.Module) -> dict[str, torch.Tensor]:
    """The weights in a file, as float32. Raises ValueError unless they are those of ``model``, and finite."""
    if not path.is_file():
        raise FileNotFoundError(f"There is no weight file {path}: correct the path, or leave weights out.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        shapes = {name: value.shape for name, value in state.items()}
    except Exception:  # on damaged bytes the unpickler may stumble over anything
        raise ValueError(f"{path} is no readable torch weight file: copy it again, or train it anew.") from None
    if shapes != {name: value.shape for name, value in model.state_dict().items()}:
        raise ValueError(f"{path} does not hold the weights of SequenceCNN(3): give a file of save_splice_cnn.")
    if not all(value.isfinite().all() for value in state.values()):
        raise ValueError(f"{path} holds weights that are not finite numbers: copy it again, or train it anew.")
    return {name: value.float() for name, value in state.items()}
