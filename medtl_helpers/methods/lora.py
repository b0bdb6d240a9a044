"""LoRA: each chosen matrix of weights W0 stays as it is, and a product of two thin matrices that train is added to it.

Hu et al., ICLR 2022, arXiv 2106.09685, equation 3: h = W0 x + ΔW x = W0 x + (α/r) B A x, where A is r×k and B is d×r.
B begins at zero, so that the network answers as before, to the bit. When training is over, ``merge`` adds the product
to W0: the result is a network like the one there was, as large and as fast.

A kernel of a convolution is taken as the matrix of its d output channels and its k = inputs × pixels. That is a
convolution with r filters and one of 1×1 behind it (as in the library ``peft``; ``loralib`` cuts kernels otherwise).
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization, remove_parametrizations

from ..parts import check_rate, check_whole
from .few_weights import Added, check_plain, find_layers, train_few


class LowRank(Added):
    """W0 ↦ W0 + (α/r) B A, as a parametrisation of torch: the layer computes its ``weight`` anew at each use."""

    what, undo = "LoRA layers", "merge them first, or build it anew"

    def __init__(self, weight: Tensor, rank: int, alpha: float):
        super().__init__()
        d, k = weight.flatten(1).shape
        self.A = nn.Parameter(weight.new_empty(rank, k))
        self.B = nn.Parameter(weight.new_zeros(d, rank))
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))  # as the authors' loralib, and any linear layer of torch
        self.scale = alpha / rank

    def change(self) -> Tensor:
        """ΔW = (α/r) B A, d×k."""
        return self.scale * self.B @ self.A

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.change().view_as(weight)


def lora(
    model: nn.Module,
    rank: int = 4,
    *,
    alpha: float | None = None,
    where: Iterable[str] | str | None = ("query", "value"),
) -> nn.Module:
    """Give the layers ``where`` of ``model`` low-rank changes, which train with the head and nothing else. In place.

    Parameters
    ----------
    rank: r. alpha: α; None means r, so that α/r = 1.
    where: names of linear layers, convolutions, or blocks and stages that hold them; None means all before the head.
        The paper's choice for a transformer are the matrices of queries and values (section 4.2).

    Returns ``model``, which ``fit`` then trains. Draws A from torch's global generator. Raises ValueError where there
    is no such layer, for a rank that a layer does not have, and for a network that has LoRA layers or adapters.
    """
    check_plain(model)
    check_whole(rank, "rank", least=1)
    check_rate(rank if alpha is None else alpha, "alpha", above=True)
    layers = [layer for *_, layer in find_layers(model, where)]
    names = {layer: name for name, layer in model.named_modules()}
    for layer in layers:
        if rank > (most := min(layer.weight.flatten(1).shape)):
            raise ValueError(
                f"rank is {rank}, and the weights of the layer {names[layer]} have rank {most} at most: give "
                "a smaller one, or leave the layer out with where."
            )
    added = [LowRank(layer.weight, rank, rank if alpha is None else alpha) for layer in layers]
    for layer, low_rank in zip(layers, added, strict=True):
        vars(layer).pop("merged", None)
        register_parametrization(layer, "weight", low_rank)
    return train_few(model, (p for low_rank in added for p in low_rank.parameters()))


@torch.no_grad()
def merge(model: nn.Module) -> nn.Module:
    """Add ΔW to each W0, in place: a plain network with the same answers, names and number of weights as before LoRA.

    What trained before still trains; ``unfreeze`` lets all weights train. The layers remember A and B for ``unmerge``
    (a saved state dict does not hold them). Returns ``model``. Raises ValueError where there is no LoRA layer.
    """
    layers = [layer for layer in model.modules() if _low_rank(layer)] if isinstance(model, nn.Module) else []
    if not layers:
        raise ValueError("There is no LoRA layer to merge: call lora(model) first, and train it.")
    for layer in layers:
        vars(layer)["merged"] = _low_rank(layer)  # a plain attribute, and no part of the network
        kind = type(layer)  # copies of a layer share the class that torch made for it, and would lose their weight
        layer.__class__ = type(kind.__name__, kind.__bases__, dict(vars(kind)))
        remove_parametrizations(layer, "weight", leave_parametrized=True)
    return model


@torch.no_grad()
def unmerge(model: nn.Module) -> nn.Module:
    """Take ΔW out of each merged layer again, in place: W0 to float rounding, with A and B beside it.

    It does so from weights that were trained or loaded since, too: these are then not W0. Returns ``model``. Raises
    ValueError where nothing was merged.
    """
    layers = [layer for layer in model.modules() if "merged" in vars(layer)] if isinstance(model, nn.Module) else []
    if not layers:
        raise ValueError("There is nothing to take out: unmerge undoes merge(model), on the same network or its copy.")
    for layer in layers:
        low_rank = vars(layer).pop("merged")
        layer.weight -= low_rank.to(layer.weight).change().view_as(layer.weight)
        layer.weight.requires_grad_(False)
        register_parametrization(layer, "weight", low_rank)
    return model


def _low_rank(layer: nn.Module) -> LowRank | None:
    """The low-rank change of the layer's weights, if it has one."""
    found = getattr(layer, "parametrizations", {})
    return next((part for part in found["weight"] if isinstance(part, LowRank)), None) if "weight" in found else None
