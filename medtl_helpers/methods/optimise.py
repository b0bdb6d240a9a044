"""An exact minimum for small problems: L-BFGS on the full batch."""

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor


def minimise(objective: Callable[[], Tensor], parameters: Iterable[Tensor], steps: int = 100) -> float:
    """Minimise a deterministic ``objective()`` over few parameters by L-BFGS (full batch); returns its last value.

    For tables and small heads, where an exact minimum separates what the objective wants from how it is reached.
    Raises FloatingPointError when the objective is not a finite number.
    """
    optimizer = torch.optim.LBFGS(list(parameters), max_iter=steps, history_size=10, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = objective()
        value.backward()
        return value

    def finite(value: float) -> float:
        if not math.isfinite(value):
            raise FloatingPointError(f"The objective is {value}: look for NaN in the inputs, or take a smaller λ.")
        return value

    finite(objective().item())  # L-BFGS itself stumbles over NaN with another error
    optimizer.step(closure)
    return finite(objective().item())
