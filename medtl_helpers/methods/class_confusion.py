"""Minimum class confusion (MCC): on the target, no class may look like another one (Jin et al. [1]).

Of a batch of unlabelled answers the loss counts how often two classes are probable in the same case. It needs no source
features and compares no domains; like every loss of answers alone, it can make wrong answers sure ones.

[1] Minimum class confusion for versatile domain adaptation, ECCV 2020, arXiv 1912.03699
"""

import torch
from torch import Tensor

from .. import guards
from ..parts import check_rate
from .tent import entropy


def mcc_loss(logits, *, temperature: float = 2.5) -> Tensor:
    """The mean class confusion of ``logits`` N×K of the target: a scalar of 0 to 1, with a gradient ([1], section 3).

    With Y the softmax of the logits over the ``temperature`` (equation 1), and H the entropy of its rows (3):

    1. sure cases count more: W_i = N (1 + e^(−H_i)) / Σ_i′ (1 + e^(−H_i′)) (4), a constant in the gradient;
    2. classes that are probable together: C = Yᵀ diag(W) Y, K×K (2 and 5);
    3. each row scaled to 1, so that frequent classes do not count more (6);
    4. the mean over classes of what lies off the diagonal (7).

    Give it to ``fit_aligned`` as ``loss``. Raises ValueError for what are no logits of two classes or more, and for a
    temperature that is not above 0.
    """
    check_rate(temperature, "temperature", above=True)
    scaled = guards.as_rows(logits, "logits", columns=2) / temperature
    y = scaled.softmax(1)
    weight = 1 + (-entropy(scaled.detach())).exp()
    weight = len(y) * weight / weight.sum()
    confusion = y.T @ (weight[:, None] * y)
    confusion = confusion / confusion.sum(1, keepdim=True).clamp_min(torch.finfo(y.dtype).tiny)
    return (confusion.sum() - confusion.trace()) / len(confusion)
