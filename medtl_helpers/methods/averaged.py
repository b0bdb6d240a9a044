"""Several networks that answer as one: the mean of their probabilities.

Networks that began with other weights make other mistakes, and part of these cancel in the mean. So nobody has to
choose one of them by a few validation images, which is partly chance.

[1] Hansen and Salamon, Neural network ensembles, IEEE PAMI 12 (1990), doi 10.1109/34.58871
[2] Lakshminarayanan et al., Deep ensembles, NeurIPS 2017, arXiv 1612.01474, section 2.4: the mean of probabilities
"""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from ..parts import check_network


class Averaged(nn.Module):
    """Maps inputs to ``log p`` with ``p = (1/M) Σ_m softmax(f_m(x))`` of the ``models`` f_1 … f_M, N×K.

    ``predict`` takes these as the logits of any network, and answers p. The models are kept as they are, not copied;
    all must answer the same K classes. Raises ValueError without a model, TypeError for what is no network.
    """

    def __init__(self, models: Iterable[nn.Module]):
        super().__init__()
        models = list(models)
        for model in models:
            check_network(model)
        if not models:
            raise ValueError("There is no network to average: give at least one.")
        self.models = nn.ModuleList(models)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """N×K logarithms of the mean probability."""
        answers = [model(x).log_softmax(1) for model in self.models]
        if len({answer.shape for answer in answers}) > 1:
            shapes = ", ".join(sorted({f"N×{answer.shape[1]}" for answer in answers}))
            raise ValueError(f"The networks answer {shapes}: average networks of the same classes.")
        return torch.stack(answers).logsumexp(0) - math.log(len(answers))


def members(model: nn.Module) -> list[Any]:
    """The networks of an ``Averaged`` one, else the network itself alone."""
    return list(model.models) if isinstance(model, Averaged) else [model]
