"""Texts to token numbers and back by the embedded vocabulary, and which texts are the same."""

import re
from functools import lru_cache

import numpy as np
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


def normalised(text: str) -> str:
    """What two texts have in common when they are the same: their words, without numbers, signs and spaces."""
    return " ".join(re.findall(r"[a-z]+", text.lower()))


def sentence_groups(x) -> np.ndarray:
    """int64 N: one number for the rows of int32 N×L that hold the same text, whichever finding is asked for.

    Sentences, not rows, are what was sampled, so that an interval draws groups of rows. Texts are compared as
    ``texts`` gives them, so that two windows of one long sentence count as two.
    """
    return np.unique([normalised(text) for text in texts(x)], return_inverse=True)[1]
