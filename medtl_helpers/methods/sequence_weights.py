"""The embedded weights of ``SequenceCNN``: trained on drawn splice sites (``benchmarks/pretrain_sequences.py``).

Their head knows the three classes donor, acceptor and neither, so the network can be asked without a single real label.
"""

from pathlib import Path

from .embedded_weights import load_embedded, write_half
from .sequence_nets import SequenceCNN

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
    return load_embedded(
        SequenceCNN(CLASSES, LENGTH),
        "splice_cnn",
        drawn="drawn sites",
        writer="save_splice_cnn",
        classes=classes,
        weights=weights,
        quiet=quiet,
    )


def save_splice_cnn(model: SequenceCNN, path: Path) -> None:
    """Write all weights of ``model`` in half precision, its head with them."""
    write_half(model, path)
