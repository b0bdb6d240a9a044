"""Texts to token numbers and back, by the embedded vocabulary."""

from functools import lru_cache

from torch import Tensor

from ..assets import asset_folder
from .word_pieces import LENGTH, WordPieces


@lru_cache(maxsize=1)
def report_pieces() -> WordPieces:
    """The embedded vocabulary, learnt from drawn sentences of hospital A alone: no patient's word is in it."""
    return WordPieces.load(asset_folder("embedded", "datasets/embedded") / "report_pieces.json")


def tokens(texts, length: int = LENGTH) -> Tensor:
    """int32 N×``length`` of a list of texts, by the embedded vocabulary: see ``WordPieces.encode``."""
    return report_pieces().encode(texts, length)


def texts(x) -> list[str]:
    """The texts of int32 N×L in lower case, as far as ``tokens`` kept them: see ``WordPieces.decode``."""
    return report_pieces().decode(x)
