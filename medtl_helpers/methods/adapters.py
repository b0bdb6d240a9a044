"""Three more ways to train few weights: the biases, small layers in between, and vectors beside the input.

================= ======================================================== ==========================================
function          what trains, besides the head                            paper
================= ======================================================== ==========================================
``bitfit``        the biases that are there                                Ben Zaken et al., ACL 2022 [1]
``adapters``      a bottleneck behind each chosen layer, and the norms     Houlsby et al., ICML 2019 [2]
``soft_prompt``   n vectors that every text gets, as if they were tokens   Lester et al., EMNLP 2021 [3]
================= ======================================================== ==========================================

[1] arXiv 2106.10199  [2] arXiv 1902.00751, figure 2 and section 2.1  [3] arXiv 2104.08691

Each changes ``model`` in place and returns it; then ``fit`` trains it. ``lora.py`` has the fourth.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..parts import check_whole
from .few_weights import CONVOLUTIONS, Added, check_plain, find_layers, head_of, train_few
from .nets import StagedNet, check_staged

NORMS = (nn.LayerNorm, nn.GroupNorm, _BatchNorm)


def bitfit(model: nn.Module, *, norms: bool = False) -> nn.Module:
    """Let the biases and the head train and nothing else [1]; with ``norms`` the norms' scales, too.

    Statistics of batch norm stand still. Raises ValueError for a network without biases before its head, and for one
    that has LoRA layers or adapters.
    """
    check_plain(model)
    of_head = {id(p) for p in head_of(model).parameters()}
    chosen = [p for name, p in model.named_parameters() if name.endswith("bias") and id(p) not in of_head]
    chosen += _of_norms(model) if norms else []
    if not chosen:
        raise ValueError(
            f"This {type(model).__name__} has no bias before its head, so only the head would train: take lora, or "
            "probe for the head alone."
        )
    return train_few(model, chosen)


class Adapter(Added):
    """x + up(GELU(down(x))): ``width`` numbers between; ``up`` begins at zero, so that nothing changes at first.

    Behind a linear layer it takes N×…×D, behind a convolution N×C×…, with kernels of one pixel.
    """

    what = "adapters"

    def __init__(self, layer: Any, width: int):
        super().__init__()
        make: Any = nn.Linear
        for kind in CONVOLUTIONS:
            if isinstance(layer, kind):
                make = partial(kind, kernel_size=1)
        numbers = len(layer.weight)
        self.down, self.up = make(numbers, width), make(width, numbers)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)
        self.to(layer.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.up(F.gelu(self.down(x)))


def adapters(model: nn.Module, width: int = 8, *, where: Iterable[str] | str | None = ("out", "down")) -> nn.Module:
    """Put an ``Adapter`` of ``width`` behind each layer ``where``; they, the norms and the head train [2].

    ``where`` is as in ``lora``; the layers of its default end the two halves of a block of ``TextTransformer``, and the
    adapters stand before what these add to the state, as in the paper. Draws from torch's global generator. Raises
    ValueError where there is no such layer, and for a network that has LoRA layers or adapters.
    """
    check_plain(model)
    check_whole(width, "width", least=1)
    norms = _of_norms(model)
    layers = find_layers(model, where, replaced=True)
    added = [Adapter(layer, width) for *_, layer in layers]
    for (parent, name, layer), adapter in zip(layers, added, strict=True):
        setattr(parent, name, nn.Sequential(layer, adapter))
    return train_few(model, [*norms, *(p for adapter in added for p in adapter.parameters())])


class Prompt(Added):
    """N×L×D ↦ N×(L + n)×D: the same n vectors behind the tokens of every text, so that no token changes its place."""

    what = "the vectors of a soft prompt"

    def __init__(self, vectors: Tensor):
        super().__init__()
        self.vectors = nn.Parameter(vectors)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.vectors.expand(len(x), -1, -1)], 1)


def soft_prompt(model: StagedNet, n: int = 8) -> StagedNet:
    """Give every text ``n`` more vectors, behind the stage that embeds its tokens; they and the head train [3].

    They begin as the vectors of ``n`` tokens of the vocabulary (section 3.2), drawn from torch's global generator, so
    the answers change at once. Raises TypeError for a network without named stages, ValueError for one whose first
    stage embeds no tokens, and for one that has LoRA layers or adapters.
    """
    check_staged(model)
    check_plain(model)
    check_whole(n, "n", least=1)
    name, stage = next(iter(model.stages.items()))
    token = next((layer for layer in stage.modules() if isinstance(layer, nn.Embedding)), None)
    if token is None:
        raise ValueError(
            f"The stage {name} of this {type(model).__name__} embeds no tokens, and a prompt stands beside tokens: "
            "take lora or adapters, or a TextTransformer."
        )
    drawn = torch.randint(1, token.num_embeddings, (n,)).to(token.weight.device)  # token 0 is padding
    prompt = Prompt(token.weight.detach()[drawn].clone())
    model.stages[name] = nn.Sequential(stage, prompt)
    train_few(model, [prompt.vectors])
    return model


def _of_norms(model: nn.Module) -> list[nn.Parameter]:
    """Scales and biases of all norms."""
    return [p for layer in model.modules() if isinstance(layer, NORMS) for p in layer.parameters()]
