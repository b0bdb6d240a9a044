"""How the server of a federation steps, once it knows the hospitals' mean change Δ of the weights w.

FedAvg and FedProx add Δ. FedAdam takes −Δ for a gradient and steps as Adam does [1, algorithm 2]:
m ← β₁m + (1 − β₁)Δ, v ← β₂v + (1 − β₂)Δ², w ← w + η m / (√v + τ).

[1] Reddi et al., Adaptive federated optimization, ICLR 2021, arXiv 2003.00295
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ..labels import as_share
from ..parts import check_rate, shown

Weights = dict[str, Tensor]


class FedAdam:
    """The server's step of FedAdam: weights w and mean change Δ, both by name, to new weights.

    ``lr`` is η, ``betas`` are β₁ and β₂ between 0 and 1, ``tau`` is τ: the defaults of [1] but for η, which depends on
    the task. m begins at 0 and v at τ², and there is no correction of the first steps, as in [1]. It remembers m and v:
    make a new one for each federation. Raises ValueError for rates that are not above 0, and for other betas.
    """

    def __init__(self, lr: float = 0.1, betas: tuple[float, float] = (0.9, 0.99), tau: float = 1e-3):
        check_rate(lr, "lr", above=True)
        check_rate(tau, "tau", above=True)
        self.lr, self.tau = lr, tau
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise ValueError(f"betas is {shown(betas)}: give two numbers between 0 and 1, like (0.9, 0.99).")
        self.betas = as_share(betas[0], "The first beta"), as_share(betas[1], "The second beta")
        self.m: Weights = {}
        self.v: Weights = {}

    def __call__(self, weights: Weights, change: Weights) -> Weights:
        (one, two), new = self.betas, {}
        for name, delta in change.items():
            self.m[name] = one * self.m.get(name, torch.zeros_like(delta)) + (1 - one) * delta
            self.v[name] = two * self.v.get(name, torch.full_like(delta, self.tau**2)) + (1 - two) * delta**2
            new[name] = weights[name] + self.lr * self.m[name] / (self.v[name].sqrt() + self.tau)
        return new


def plain_step(weights: Weights, change: Weights) -> Weights:
    """The server's step of FedAvg and FedProx: w + Δ."""
    return {name: weights[name] + change[name] for name in weights}


def checked_step(server: Callable[[Weights, Weights], Weights], weights: Weights, change: Weights) -> Weights:
    """What ``server`` makes of both. Raises ValueError where these are no weights, FloatingPointError where NaN."""
    new = server(weights, change) if callable(server) else None
    shapes = {name: value.shape for name, value in weights.items()}
    if not isinstance(new, dict) or {name: getattr(value, "shape", None) for name, value in new.items()} != shapes:
        raise ValueError(
            f"The server {shown(server)} made {shown(new)}: give a function of weights and their mean change, both "
            "dicts of tensors by name, that returns the new weights, like FedAdam()."
        )
    if not all(value.isfinite().all() for value in new.values()):
        raise FloatingPointError("The weights are no longer finite numbers after a round: try a rate ten times lower.")
    return new
