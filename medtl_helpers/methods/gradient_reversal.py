"""The pieces of adversarial adaptation: the reversed gradient, the schedules, the domain classifier and its loss.

A domain classifier learns to tell source from target, and the features are trained *against* it: ``GradientReversal``
passes them on unchanged and multiplies the gradient that comes back by −λ (Ganin et al. 2016 [1]).

[1] JMLR 17(59), 1–35, arXiv 1505.07818
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..labels import as_share
from ..parts import check_rate, check_whole, shown


class GradientReversal(torch.autograd.Function):
    """The identity whose gradient is −λ times the gradient ([1], section 4.2)."""

    @staticmethod
    def forward(ctx, x: Tensor, lam: float) -> Tensor:
        ctx.lam = lam
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return -ctx.lam * gradient, None


def reverse_gradient(x: Tensor, lam: float) -> Tensor:
    """``x``, whose gradient comes back multiplied by −``lam``, a finite number of 0 or above."""
    check_rate(lam, "lam")
    if not isinstance(x, Tensor):
        raise ValueError(f"The features are {shown(x)}: give a tensor, what a network made of its inputs.")
    return GradientReversal.apply(x, lam)


def lambda_schedule(progress: float, lam_max: float = 1.0) -> float:
    """λ = λ_max·(2/(1 + exp(−10p)) − 1) for p in 0..1: a domain classifier knows nothing at first ([1], 5.2.2)."""
    check_rate(lam_max, "lam_max")
    progress = as_share(progress, "progress", ends=True)
    return lam_max * (2 / (1 + math.exp(-10 * progress)) - 1)


def rate_schedule(progress: float) -> float:
    """The factor (1 + 10p)^(−0.75) of the learning rate, for p in 0..1 ([1], section 5.2.2)."""
    progress = as_share(progress, "progress", ends=True)
    return (1 + 10 * progress) ** -0.75


def domain_classifier(width: int, hidden: int = 64) -> nn.Sequential:
    """Features N×width to one logit N×1 (positive: target), through one hidden layer."""
    check_whole(width, "width", least=1)
    check_whole(hidden, "hidden", least=1)
    return nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, 1))


def domain_loss(source_logits: Tensor, target_logits: Tensor) -> Tensor:
    """The mean of the two domains' mean cross-entropies (nats), so that their sizes do not matter; ln 2 is guessing.

    [1], section 4, adds the two means: a λ there has the effect of 2λ here. The mean over one joint batch, which most
    implementations take, is this one where both domains have as many cases in it. Raises ValueError for no logits, and
    for more than one for each case.
    """
    for logits, domain in ((source_logits, "source"), (target_logits, "target")):
        if not isinstance(logits, Tensor) or not len(logits) or logits.numel() != len(logits):
            found = f"of shape {tuple(logits.shape)}" if isinstance(logits, Tensor) else shown(logits)
            raise ValueError(f"The {domain} logits are {found}: give one number for each case, N×1.")
    return (F.softplus(source_logits).mean() + F.softplus(-target_logits).mean()) / 2
