"""A small transformer for texts, as named stages: int32 N×L token numbers in, of which 0 is padding.

Vaswani et al., Attention is all you need, NeurIPS 2017, arXiv 1706.03762, the encoder of section 3; each part is
normalised before it is computed and not after (Xiong et al., ICML 2020, arXiv 2002.04745), so that no warm-up is
needed. ``torch.nn.TransformerEncoderLayer`` computes the same; here each of its six layers has a name that can be
looked at, or replaced.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..parts import check_choice, check_whole, shown
from .nets import StagedNet

POOLS = ("centre", "mean")
START = 0.1  # standard deviation of the vectors of an untrained embedding
HIDDEN = -1e9  # a score whose softmax is 0, and which leaves a text of padding alone without NaN


class TextTransformer(StagedNet):
    """The stages ``embed``, ``block1``, ``block2``, …, a pool without weights and a linear head.

    Parameters
    ----------
    classes: number of logits, or 0 for the features. vocabulary: number of different tokens, V: five
        special ones (padding, unknown, mask, start, finding) and the words.
    length: number of tokens of a text, L. width: numbers that stand for a token, D, a multiple of ``heads``.
    depth: number of blocks. heads: parts in which a block looks at the other tokens.
    pool: ``"centre"`` (what became of the token at L // 2, where ``mtl.tokens`` puts the finding that is asked for)
        or ``"mean"`` (of all tokens that are no padding).

    A padded position is a row of zeros after every stage: so each block knows without a mask what to leave out.
    With 1,000 tokens and the other defaults it has about 167,000 weights. Raises ValueError for a ``width`` that is no
    multiple of ``heads`` and another ``pool``; and, when it is called, for inputs that are no int32 N×L.
    """

    def __init__(self, classes: int, vocabulary: int, length: int = 48, width: int = 64, depth: int = 2,
                 heads: int = 4, pool: str = "centre"):  # fmt: skip
        check_whole(vocabulary, "vocabulary", least=6)
        for value, name in ((length, "length"), (width, "width"), (depth, "depth"), (heads, "heads")):
            check_whole(value, name, least=1)
        check_choice(pool, "pool", POOLS)
        if width % heads:
            raise ValueError(f"width is {width}: give a multiple of the {heads} heads, which share it out.")
        blocks = {f"block{k}": Block(width, heads) for k in range(1, depth + 1)}
        super().__init__({"embed": Embedding(vocabulary, length, width), **blocks}, width, classes)
        self.pool = TextPool(pool, length // 2)

    def states(self, x: Tensor) -> Tensor:
        """What the last block makes of each token, normalised: float32 N×L×D of int32 N×L, zeros where padding is."""
        for stage in self.stages.values():
            x = stage(x)
        return F.layer_norm(x, x.shape[-1:])


class Embedding(nn.Module):
    """A vector for each token plus one for its place: int32 N×L to float32 N×L×D; the row of token 0 is zeros."""

    def __init__(self, vocabulary: int, length: int, width: int):
        super().__init__()
        self.token = nn.Embedding(vocabulary, width)
        self.place = nn.Parameter(torch.empty(length, width))
        for weight in (self.token.weight, self.place):
            nn.init.normal_(weight, std=START)

    def forward(self, x: Tensor) -> Tensor:
        length = len(self.place)
        if x.is_floating_point() or x.ndim != 2 or x.shape[1] != length:
            found = f"{str(x.dtype).removeprefix('torch.')} of shape {tuple(x.shape)}"
            raise ValueError(f"The texts are {found}: give int32 N×{length}, as tokens(texts, length={length}) makes.")
        try:
            token = self.token(x)
        except IndexError:
            raise ValueError(
                f"There is token {int(x.max())}, and this network knows {len(self.token.weight)}, from 0 on: make the "
                "texts with the vocabulary that the network was built for."
            ) from None
        return (token + self.place) * (x != 0)[..., None]


class Block(nn.Module):
    """Each token takes from the others what it asks for, then is transformed alone: float32 N×L×D to N×L×D."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        known, normed = (x != 0).any(-1, keepdim=True), self.norm1(x)
        mixed = self._attention(normed, known) @ self._split(self.value(normed))
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        x = x + self.down(F.gelu(self.up(self.norm2(x))))
        return x * known

    def attention(self, x: Tensor) -> Tensor:
        """How much each token takes from each: N×heads×L×L of what the stage before made, rows that add up to 1."""
        return self._attention(self.norm1(x), (x != 0).any(-1, keepdim=True))

    def _attention(self, normed: Tensor, known: Tensor) -> Tensor:
        """softmax(QKᵀ/√d) of each head (equation 1), with nothing taken from padding."""
        query, key = self._split(self.query(normed)), self._split(self.key(normed))
        scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])
        return (scores + HIDDEN * (~known)[:, None, None, :, 0]).softmax(-1)

    def _split(self, x: Tensor) -> Tensor:
        """N×L×D as N×heads×L×D/heads."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class TextPool(nn.Module):
    """One normalised vector for each text: float32 N×L×D to N×D, of the token at ``centre`` or the mean of all."""

    def __init__(self, how: str, centre: int):
        super().__init__()
        self.how, self.centre = how, centre

    def forward(self, x: Tensor) -> Tensor:
        if self.how == "centre":
            return F.layer_norm(x[:, self.centre], x.shape[-1:])
        known = (x != 0).any(-1).sum(1, keepdim=True).clamp_min(1)
        return F.layer_norm(x, x.shape[-1:]).sum(1) / known


def as_tokens(x, name: str = "given") -> Tensor:
    """``x`` as int32 N×L. Raises ValueError unless it holds at least one text of whole numbers from 0 on."""
    x = torch.as_tensor(x) if isinstance(x, np.ndarray | Tensor) else x
    if not isinstance(x, Tensor) or x.dtype != torch.int32 or x.ndim != 2:
        found = (
            f"{str(x.dtype).removeprefix('torch.')} of shape {tuple(x.shape)}" if isinstance(x, Tensor) else shown(x)
        )
        raise ValueError(f"The {name} texts are {found}: give token numbers, int32 N×L, which tokens(texts) makes.")
    if not x.numel():
        raise ValueError(f"There are no {name} texts: give at least one.")
    if x.min() < 0:
        raise ValueError(f"The {name} token numbers go down to {int(x.min())}: give 0 for padding, and 1 or more.")
    return x
