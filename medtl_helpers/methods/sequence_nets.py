"""A network for short sequences of DNA, as named stages: float32 N×4×L in, one row each for A, C, G and T.

What a base means for a splice site depends on how far it stands from the junction. Global pooling would forget that,
so ``stage3`` sees every position with a weight of its own, and the network is built for one length.
"""

from collections.abc import Callable

from torch import Tensor, nn

from ..guards import as_inputs
from ..parts import check_choice, check_whole
from .nets import StagedNet

NORMS: dict[str, Callable[[int], nn.Module]] = {
    "group": lambda width: nn.GroupNorm(width // 8, width),
    "batch": nn.BatchNorm1d,
}


class SequenceCNN(StagedNet):
    """Two stages of convolution, normalisation, ReLU and pooling, then a dense one: about 82,000 weights.

    Parameters
    ----------
    classes: number of logits, or 0 for the 64 features. length: number of bases L, at least 4.
    width: channels of ``stage1``, a multiple of 8, doubled in ``stage2``; 8 makes a small network of 17,000 weights.
    norm: ``"group"`` (no running statistics: train and eval mode compute the same) or ``"batch"``.

    The first kernels look at 9 bases, as many as the consensus of a donor site has (MAG|GTRAGT), so that a filter can
    be read as a motif (``motifs.py``). Raises ValueError for another ``norm``, a ``width`` that is no multiple of 8,
    and a ``length`` below 4.
    """

    def __init__(self, classes: int, length: int = 60, width: int = 32, norm: str = "group"):
        check_whole(length, "length", least=4)
        check_whole(width, "width", least=8)
        check_choice(norm, "norm", NORMS)
        if width % 8:
            raise ValueError(f"width is {width}: give a multiple of 8, since group norm takes 8 channels together.")
        dense = nn.Sequential(nn.Flatten(), nn.Linear(2 * width * (length // 4), 64), nn.ReLU())
        stages = {"stage1": _stage(4, width, norm), "stage2": _stage(width, 2 * width, norm), "stage3": dense}
        super().__init__(stages, 64, classes)
        self.pool = nn.Identity()  # the dense stage has seen all positions


def _stage(before: int, after: int, norm: str) -> nn.Sequential:
    convolution = nn.Conv1d(before, after, 9, padding=4, bias=False)
    return nn.Sequential(convolution, NORMS[norm](after), nn.ReLU(), nn.MaxPool1d(2))


def as_sequences(x) -> Tensor:
    """``x`` as float32 N×4×L. Raises ValueError unless each position holds shares of A, C, G and T that add up to 1."""
    x = as_inputs(x, "given").float()
    if x.ndim != 3 or x.shape[1] != 4:
        raise ValueError(f"The sequences have shape {tuple(x.shape)}: give N×4×L, with rows for A, C, G and T.")
    if not len(x):
        raise ValueError("There are no sequences: give at least one.")
    if not ((x >= 0).all() and ((x.sum(1) - 1).abs() < 1e-3).all()):
        raise ValueError("The shares of A, C, G and T do not add up to 1 everywhere: make x with one_hot.")
    return x
