"""The embedded weights of a ``TextTransformer``: trained on drawn sentences (``benchmarks/pretrain_text.py``).

Its head knows whether the finding that is asked for is affirmed (0) or negated (1), so it can be asked without a label.
"""

from pathlib import Path

from .embedded_weights import load_embedded, write_half
from .transformer import TextTransformer

CLASSES, VOCABULARY, LENGTH = 2, 1000, 48


def load_report_encoder(
    classes: int | None = None, *, weights: str | Path | None = None, quiet: bool = False
) -> TextTransformer:
    """``TextTransformer`` for 48 tokens with trained weights, in eval mode, and the attribute ``weights``.

    Parameters
    ----------
    classes: None keeps the head that was trained on drawn sentences: affirmed, negated. A number gives a new random
        head (set the seed before).
    weights: None (the embedded ones), ``"random"``, or a file that ``save_report_encoder`` wrote.
    quiet: do not print the line that says what was loaded.

    Raises ValueError for a file that does not fit, FileNotFoundError for one that is not there.
    """
    return load_embedded(
        TextTransformer(CLASSES, VOCABULARY, LENGTH),
        "report_encoder",
        drawn="drawn sentences",
        writer="save_report_encoder",
        classes=classes,
        weights=weights,
        quiet=quiet,
    )


def save_report_encoder(model: TextTransformer, path: Path) -> None:
    """Write all weights of ``model`` in half precision, its head with them."""
    write_half(model, path)
