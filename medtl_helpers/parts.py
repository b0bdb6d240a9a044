"""What a reader hands in besides data, looked at once: networks, optimisers, schedules, numbers; one sentence each."""

import inspect
import math
from collections.abc import Callable
from numbers import Integral, Real

import torch
from torch import Tensor, nn

from .devices import device as default_device


def shown(value) -> str:
    """``value`` in a few words of one line: a number or short text as it is written, else by its name or kind."""
    if value is None or isinstance(value, Real):
        return str(value)
    if isinstance(value, str) and value.isprintable() and len(value) < 40:
        return repr(str(value))
    return getattr(value, "__name__", None) or f"a {type(value).__name__}"


def check_network(model) -> None:
    """Raises TypeError unless ``model`` is a network of torch that was built."""
    if isinstance(model, type):
        raise TypeError(f"The model is the class {model.__name__}: build a network of it first, {model.__name__}(…).")
    if not isinstance(model, nn.Module):
        raise TypeError(f"The model is {shown(model)}: give a network of torch, an nn.Module.")


def check_whole(value, name: str, least: int | None = None) -> int:
    """``value`` as an int. Raises ValueError unless it is a whole number (no float, no text) of ``least`` or more."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise ValueError(f"{name} is {shown(value)}: give a whole number, like {max(least or 0, 1)}.")
    if least is not None and value < least:
        raise ValueError(f"{name} is {value}: give a whole number of {least} or more.")
    return int(value)


def check_choice(value, name: str, choices) -> None:
    """Raises ValueError unless ``value`` is one of the names ``choices``."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} is {shown(value)}: choose one of {', '.join(choices)}.")


def check_rate(value, name: str, above: bool = False) -> None:
    """Raises ValueError unless ``value`` is a finite number of 0 or above; with ``above``, above 0."""
    good = isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) < math.inf
    if not good or (above and value == 0):
        raise ValueError(f"{name} is {shown(value)}: give a finite rate, {'above 0' if above else '0 or above'}.")


def as_device(device) -> torch.device:
    """``device`` or its name as a ``torch.device``; the course's own for None. Raises ValueError if it is not there."""
    if device is None:
        return default_device()
    try:
        return torch.zeros(1, device=device).device
    except (RuntimeError, AssertionError, TypeError, NotImplementedError):
        usable = f"'cpu'{' or ' + repr(default_device().type) if default_device().type != 'cpu' else ''}"
        raise ValueError(
            f"device is {shown(device)}, which this machine does not have: give {usable}, or none."
        ) from None


def check_optimizer(optimizer, model: nn.Module) -> None:
    """Raises ValueError when ``optimizer`` is none of torch's, or would not move the weights of ``model`` that train.

    It may hold frozen weights or those of a larger network, and leave some weights alone. What is refused is an
    optimiser that holds none of the weights that train, or that misses some and holds others instead that are not
    the model's: the head was replaced after it was built.
    """
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise ValueError(
            f"optimizer is {shown(optimizer)}: build one, like torch.optim.SGD(model.parameters(), lr=0.01)."
        )
    ours = {id(p) for p in model.parameters() if p.requires_grad}
    held = {id(p) for group in optimizer.param_groups for p in group["params"] if p.requires_grad}
    if not ours & held:
        raise ValueError(
            "The optimizer holds none of the model's weights that train, so nothing would be learnt: build it from "
            "model.parameters() of this model, after unfreezing."
        )
    if ours - held and held - ours:
        raise ValueError(
            f"The optimizer lacks {len(ours - held)} of the model's weights that train and holds {len(held - ours)} "
            "that are not the model's: build it after the head was replaced."
        )


def as_schedule(schedule: Callable | None) -> Callable[[float], float] | None:
    """``schedule`` with each of its factors looked at. Raises ValueError for one that is no finite number from 0 on."""
    if schedule is None:
        return None
    _check_callable(schedule, "schedule", "a function of progress, like lambda progress: 1 - progress", 1)

    def checked(progress: float) -> float:
        factor = schedule(progress)
        if isinstance(factor, Tensor) and factor.numel() == 1:
            factor = factor.item()
        if not isinstance(factor, Real) or not 0 <= float(factor) < math.inf:
            raise ValueError(
                f"schedule({progress:g}) is {shown(factor)}: return a finite factor of the learning rate, 0 or above."
            )
        return float(factor)

    return checked


def as_augment(augment: Callable | None) -> Callable | None:
    """``augment`` with each of its results looked at. Raises ValueError where it is no batch of as many inputs, or of
    another kind: bytes may become bytes, or floats in −1..1.
    """
    if augment is None:
        return None
    _check_callable(augment, "augment", "a function of a batch and a generator, like mtl.augment", 2)

    def checked(x: Tensor, generator: torch.Generator) -> Tensor:
        out = augment(x, generator)
        if not isinstance(out, Tensor) or len(out) != len(x):
            found = f"{len(out)} inputs" if isinstance(out, Tensor) else shown(out)
            raise ValueError(f"augment made {found} of a batch of {len(x)}: return a tensor with one for each input.")
        if out.dtype != torch.uint8 and not out.is_floating_point():
            raise ValueError(f"augment made {out.dtype} of {x.dtype}: return uint8 images or floats.")
        if x.dtype == torch.uint8 != out.dtype and out.max() > BRIGHT:
            raise ValueError(
                f"augment made floats up to {out.max():g} of uint8 images: return uint8, or floats of -1 to 1."
            )
        return out

    return checked


BRIGHT = 8.0  # above all that standardised or rescaled images hold, and dark for grey values of 0 to 255


def as_penalty(penalty: Callable | None) -> Callable | None:
    """``penalty`` with each of its values looked at. Raises ValueError for one that is not one number."""
    if penalty is None:
        return None
    _check_callable(penalty, "penalty", "a function of the model, like lambda model: 0.1 * l2_sp(model)", 1)

    def checked(model: nn.Module):
        value = penalty(model)
        if not (value.ndim == 0 if isinstance(value, Tensor) else isinstance(value, Real)):
            found = f"of shape {tuple(value.shape)}" if isinstance(value, Tensor) else shown(value)
            raise ValueError(f"penalty(model) is {found}: return one number, like the .sum() or .mean() of its terms.")
        return value

    return checked


def _check_callable(function, name: str, what: str, arguments: int) -> None:
    """Raises ValueError unless ``function`` can be called with so many arguments, as far as Python can tell."""
    fits = callable(function)
    if fits:
        try:
            inspect.signature(function).bind(*range(arguments))
        except TypeError:
            fits = False
        except ValueError:  # of some functions in C Python does not know the arguments
            pass
    if not fits:
        raise ValueError(f"{name} is {shown(function)}: give {what}.")
