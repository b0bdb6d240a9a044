"""A position-weight matrix: how often each base stands at each place of a class, and what that says of a new sequence.

The classical model of a splice site (Staden, Nucleic Acids Research 12 (1984), 505, doi 10.1093/nar/12.1Part2.505):
positions are taken as independent, so the log-likelihood of a sequence is a sum over its positions.
"""

import torch
from torch import Tensor

from ..guards import as_examples, as_inputs
from ..parts import check_rate, check_whole
from .sequence_nets import as_sequences


def position_weights(x, y, classes: int, pseudo: float = 1.0, prior: Tensor | None = None) -> Tensor:
    """float32 K×4×L: the frequency of each base at each position in the sequences (N×4×L) of each class.

    f = (count + ``pseudo`` · prior) / (n + ``pseudo``), the mean of a Dirichlet posterior. ``prior`` (4×L or K×4×L) is
    what was known before, such as a published table; by default every base has 1/4. Raises ValueError for labels that
    do not fit, a ``pseudo`` of 0 or below, with which a base never seen would be impossible, and a prior of another
    shape.
    """
    x, y = as_examples((as_sequences(x), y), "given")
    check_whole(classes, "classes", least=2)
    check_rate(pseudo, "pseudo", above=True)
    if int(y.min()) < 0 or int(y.max()) >= classes:
        raise ValueError(f"Labels run from {int(y.min())} to {int(y.max())}: number the {classes} classes from 0.")
    shape = (classes, *x.shape[1:])
    prior = torch.full(shape, 0.25) if prior is None else as_inputs(prior, "prior").float()
    if prior.shape not in (shape, shape[1:]):
        raise ValueError(f"The prior has shape {tuple(prior.shape)}: give {shape}, or {shape[1:]} for all classes.")
    member = torch.nn.functional.one_hot(y, classes).float()
    counts = torch.einsum("nk,nal->kal", member, x)
    return (counts + pseudo * prior) / (member.sum(0)[:, None, None] + pseudo)


def position_scores(x, frequencies) -> Tensor:
    """float32 N×K: log p(sequence | class) of sequences N×4×L, from ``frequencies`` K×4×L that are above 0.

    Their softmax is the posterior of naive Bayes where the classes are equally frequent; add log p(class) otherwise.
    The difference from a class of 1/4 everywhere is the usual log-odds score. An unknown letter adds the mean over the
    bases. Raises ValueError where the lengths differ or a frequency is not above 0.
    """
    x, frequencies = as_sequences(x), as_inputs(frequencies, "frequency").float()
    if frequencies.ndim != 3 or frequencies.shape[1:] != x.shape[1:]:
        raise ValueError(
            f"The frequencies have shape {tuple(frequencies.shape)} and the sequences {tuple(x.shape)}: give K×4×L and "
            "N×4×L with the same L."
        )
    if not (frequencies > 0).all():
        raise ValueError("A frequency is 0, which makes a sequence impossible: add a pseudo-count.")
    return torch.einsum("nal,kal->nk", x, frequencies.log())
