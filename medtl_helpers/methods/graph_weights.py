"""The embedded weights of a ``GraphNet``: trained on drawn molecules (``benchmarks/pretrain_molecules.py``)."""

from pathlib import Path

import torch
from torch import nn

from ..parts import check_whole
from .embedded_weights import load_embedded, write_half
from .graph import GraphNet

OUTPUTS, WIDTH, DEPTH = 8, 64, 3  # it named eight descriptors


def molecule_net() -> GraphNet:
    """The network with random weights (set the seed before)."""
    return GraphNet(OUTPUTS, WIDTH, DEPTH)


def load_graph_net(outputs: int | None = None, *, weights: str | Path | None = None, quiet: bool = False) -> GraphNet:
    """``GraphNet`` of width 64 and depth 3 with trained weights, in eval mode.

    Parameters
    ----------
    outputs: how many a new random head has (set the seed before); None keeps the head that names eight descriptors,
        standardised over the drawn molecules.
    weights: None or ``"molecules"`` (the embedded ones), ``"random"``, or a file that ``save_graph_net`` wrote.
    quiet: do not print the line that says what was loaded; the attribute ``weights`` keeps it.

    Raises ValueError for a file that does not fit, FileNotFoundError for one that is not there.
    """
    if outputs is not None:
        check_whole(outputs, "outputs", least=1)
    model = load_embedded(
        molecule_net(), "molecule_net", drawn="drawn molecules", writer="save_graph_net", classes=None,
        weights=None if weights == "molecules" else weights, quiet=quiet,
    )  # fmt: skip
    if outputs is not None:
        model.head = nn.Linear(model.width, outputs)
        model.mean, model.deviation = torch.zeros(outputs), torch.ones(outputs)
    return model


def save_graph_net(model: GraphNet, path: Path) -> None:
    """Write all weights of ``model`` in half precision, its head with them."""
    write_half(model, path)
