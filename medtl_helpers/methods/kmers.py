"""Classical descriptions of a sequence: how often each word of k bases occurs, and which words two have in common.

``kmer_counts`` forgets where a word stands; ``weighted_degree_kernel`` counts only words at the same place, and was the
standard for splice sites before networks (Rätsch, Sonnenburg 2004; Sonnenburg et al., BMC Bioinformatics 8 (2007),
Suppl. 10, S7, doi 10.1186/1471-2105-8-S10-S7).
"""

import torch
from torch import Tensor

from ..parts import check_whole
from .sequence_nets import as_sequences


def kmer_counts(x, k: int) -> Tensor:
    """float32 N×4^k: how often each word of ``k`` bases occurs in sequences N×4×L, in the order AA, AC, AG, AT, CA ….

    A letter that stands for several bases is counted with its shares, so that a row always adds up to L − k + 1.
    Raises ValueError for a ``k`` that is no whole number from 1 to 8, or is larger than L.
    """
    x = as_sequences(x)
    if check_whole(k, "k", least=1) > min(8, x.shape[2]):
        raise ValueError(f"k is {k}: give a whole number of at most {min(8, x.shape[2])}, as there are 4^k words.")
    counts = torch.zeros(len(x), 4**k)
    for start in range(x.shape[2] - k + 1):
        word = x[:, :, start]
        for position in range(start + 1, start + k):
            word = (word[:, :, None] * x[:, None, :, position]).flatten(1)  # the next base is the fastest index
        counts += word
    return counts


def weighted_degree_kernel(x, other, degree: int = 6) -> Tensor:
    """float32 N×M: Σ_d β_d × (places at which both sequences have the same word of d bases), d = 1 … ``degree``.

    β_d = 2 (D − d + 1) / (D (D + 1)) with D = ``degree``, and the whole is divided by √(k(x, x) k(other, other)), so
    that a sequence has 1 with itself. Letters that stand for several bases match with their shares. Give it to
    ``sklearn.svm.SVC(kernel="precomputed")``. Raises ValueError where the lengths differ or are below ``degree``.
    """
    x, other = as_sequences(x), as_sequences(other)
    if x.shape[2] != other.shape[2]:
        raise ValueError(f"The sequences have {x.shape[2]} and {other.shape[2]} bases: give sequences of one length.")
    if check_whole(degree, "degree", least=1) > x.shape[2]:
        raise ValueError(f"degree is {degree}, and the sequences have {x.shape[2]} bases: give a smaller one.")
    own, others = (_weighted((part * part).sum(1), degree) for part in (x, other))
    rows = [_weighted(torch.einsum("nal,mal->nml", part, other), degree) for part in x.split(64)]
    return torch.cat(rows) / (own[:, None] * others).sqrt()


def _weighted(match: Tensor, degree: int) -> Tensor:
    """Σ_d β_d Σ_l of the products of d neighbours in …×L, which says at each place how far two bases are the same."""
    word, total = match, torch.zeros(match.shape[:-1])
    for d in range(1, degree + 1):
        if d > 1:
            word = word[..., :-1] * match[..., d - 1 :]
        total += 2 * (degree - d + 1) / (degree * (degree + 1)) * word.sum(-1)
    return total
