"""What trains when little trains: the head and a few chosen weights, while all the rest stands still.

``lora.py`` and ``adapters.py`` choose them. Standing still takes more than ``requires_grad = False``: batch norm also
keeps its running statistics and uses them in train mode, as in a frozen stage, in any network.
"""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..parts import check_network, shown
from .nets import StagedNet

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
WITHOUT_CALLING = (nn.MultiheadAttention, nn.TransformerEncoderLayer)  # they read the weights of their layers


class Added(nn.Module):
    """What a method has put into a network: a second one would find its layers, and unfreezing would undo its point."""

    what: str  # in words
    undo = "build it anew"


def trainable(model: nn.Module) -> tuple[int, int]:
    """(how many weights train, how many there are in all), what was added included."""
    check_network(model)
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return sum(size for size, trains in sizes if trains), sum(size for size, _ in sizes)


def train_few(model: nn.Module, weights: Iterable[nn.Parameter]) -> nn.Module:
    """Let ``weights`` and the head train and nothing else. Returns ``model``.

    A stage of a ``StagedNet`` in which nothing trains then counts as frozen, so that its features can be computed once.
    """
    model.requires_grad_(False)
    for p in [*weights, *head_of(model).parameters()]:
        p.requires_grad_(True)
    for layer in model.modules():
        if isinstance(layer, _BatchNorm):
            if not hasattr(layer, "held"):
                layer.register_forward_pre_hook(_hold)
            vars(layer)["held"] = True
    if isinstance(model, StagedNet):
        model.frozen = {name for name, s in model.stages.items() if not any(p.requires_grad for p in s.parameters())}
        model.train(model.training)
    return model


def _hold(layer: nn.Module, inputs) -> None:
    """Before each use: batch norm that is ``held`` is in eval mode, whatever ``train()`` said."""
    if layer.held:
        layer.eval()


def release(part: nn.Module) -> None:
    """Let batch norm in ``part`` follow train mode again, as in any network."""
    for layer in part.modules():
        if hasattr(layer, "held"):
            vars(layer)["held"] = False


@contextlib.contextmanager
def let_go(layers: Iterable[nn.Module]) -> Iterator[None]:
    """For a while, batch norm among ``layers`` that is ``held`` follows train mode."""
    held = [layer for layer in layers if getattr(layer, "held", False)]
    for layer in held:
        vars(layer)["held"] = False
    try:
        yield
    finally:
        for layer in held:
            vars(layer)["held"] = True


def head_of(model: nn.Module) -> nn.Module:
    """The head of a ``StagedNet``, else the last linear layer; an empty module where there is neither."""
    if isinstance(model, StagedNet):
        return model.head
    return next((layer for layer in reversed(list(model.modules())) if isinstance(layer, nn.Linear)), nn.Identity())


def check_plain(model: nn.Module, why: str = "they would stand still", instead: str = "") -> None:
    """Raises ValueError where a method has put something into ``model`` already, TypeError where that is no network."""
    check_network(model)
    for layer in model.modules():
        if isinstance(layer, Added):
            raise ValueError(f"This network has {layer.what} already, and {why}: {instead}{layer.undo}.")


def find_layers(
    model: nn.Module, where: Iterable[str] | str | None, *, replaced: bool = False
) -> list[tuple[nn.Module, str, Any]]:
    """Each linear layer and convolution before the head that ``where`` names, as (its parent, its name there, layer).

    A layer is meant when ``where`` has a part of its dotted name in ``named_modules``, or several in a row: its own
    name, or that of a block or stage; None means all of them. With ``replaced`` the layers inside torch's own attention
    and encoder layers are passed over, since these take their weights without calling them. Raises ValueError where
    there is none, and for a name that nothing in the network has.
    """
    names = [where] if isinstance(where, str) else where
    good = isinstance(names, list | tuple | set) and names and all(isinstance(name, str) for name in names)
    if names is not None and not good:
        raise ValueError(f"where is {shown(where)}: give names of layers or blocks, like ('query', 'value'), or None.")
    before_head = set(model.modules()) - set(head_of(model).modules())
    found: list[tuple[nn.Module, str, Any]] = []
    for name, layer in model.named_modules():
        meant = names is None or any(_has(name, part) for part in names)
        if meant and layer in before_head and isinstance(layer, (nn.Linear, *CONVOLUTIONS)):
            parent = model.get_submodule(name.rpartition(".")[0])
            if not (replaced and isinstance(parent, WITHOUT_CALLING)):
                found.append((parent, name.rpartition(".")[2], layer))
    if not found:
        called = "" if names is None else f" called {' or '.join(map(shown, names))}"
        raise ValueError(
            f"This {type(model).__name__} has no linear layer or convolution{called} before its head: name a layer or "
            "block of model.named_modules() with where."
        )
    unknown = [part for part in names or () if not any(_has(name, part) for name, _ in model.named_modules())]
    if unknown:
        raise ValueError(
            f"This {type(model).__name__} has no layer or block called {' or '.join(map(shown, unknown))}: correct the "
            "name in where, or leave it out."
        )
    return found


def _has(name: str, part: str) -> bool:
    """Whether the dotted ``name`` has ``part`` in it, which may be dotted, too."""
    return f".{part}." in f".{name}."
