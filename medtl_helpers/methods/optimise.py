"""An exact minimum for small problems: L-BFGS on the full batch."""

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from ..parts import check_whole, shown


def minimise(objective: Callable[[], Tensor], parameters: Iterable[Tensor], steps: int = 100) -> float:
    """Minimise a deterministic ``objective()`` over few parameters by L-BFGS (full batch); returns its last value.

    For tables and small heads, where an exact minimum separates what the objective wants from how it is reached.
    Raises FloatingPointError when the objective is not a finite number, ValueError when it is not one number or when
    there is nothing to move.
    """
    parameters = list(parameters)
    check_whole(steps, "steps", least=1)
    if not any(p.requires_grad for p in parameters):
        raise ValueError(
            "There are no parameters that want a gradient, so there is nothing to minimise over: give some."
        )
    first = objective()
    if not isinstance(first, Tensor) or first.numel() != 1:
        found = f"of shape {tuple(first.shape)}" if isinstance(first, Tensor) else shown(first)
        raise ValueError(f"objective() is {found}: return a tensor of one number, like the .sum() of its terms.")
    optimizer = torch.optim.LBFGS(parameters, max_iter=steps, history_size=10, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = objective()
        value.backward()
        return value

    def finite(value: float) -> float:
        if not math.isfinite(value):
            raise FloatingPointError(f"The objective is {value}: look for NaN in the inputs, or take a smaller λ.")
        return value

    finite(first.item())  # L-BFGS itself stumbles over NaN with another error
    optimizer.step(closure)
    return finite(objective().item())
