"""The gradient of each example's own loss, and their sum with the length of each limited.

One call of ``torch.func.vmap`` computes what a loop over single examples would: the clipping of algorithm 1 in Abadi et
al. 2016 (arXiv 1607.00133). Its noise is added in ``private.py``.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from ..guards import as_logits
from .predict import to_float


def per_example_gradients(model: nn.Module, x: Tensor, y: Tensor) -> dict[str, Tensor]:
    """Name of each weight that trains → B×…, the gradient of each example's own cross-entropy."""
    weights = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}

    def loss(weights, one: Tensor, label: Tensor) -> Tensor:
        logits = as_logits(functional_call(model, weights, (to_float(one[None]),)))
        return F.cross_entropy(logits, label[None])

    return vmap(grad(loss), in_dims=(None, 0, 0), randomness="different")(weights, x, y)


def clipped_sum(gradients: dict[str, Tensor], clip: float) -> dict[str, Tensor]:
    """The sum over the examples of gradients that are at most ``clip`` long, each over all weights together."""
    norms = torch.stack([part.flatten(1).norm(dim=1) for part in gradients.values()]).norm(dim=0)
    factors = (clip / norms.clamp_min(1e-12)).clamp(max=1)
    return {name: torch.einsum("b,b...->...", factors, part) for name, part in gradients.items()}
