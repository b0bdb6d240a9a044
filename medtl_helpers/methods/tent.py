"""TENT: a network that adapts while it answers, by the entropy of its own answers (Wang et al. [1]).

Each batch of a stream of unlabelled inputs is answered, and moves the network one step before the next batch comes:

1. batch norm takes its mean and deviation from the batch, not from the source: x̄ = (x − μ) / σ;
2. its scale γ and shift β, x′ = γ x̄ + β, move down the gradient of the mean entropy H of the answers, and nothing else
   in the network moves ([1], sections 3.2 and 3.3).

Step 1 alone is AdaBN, batch by batch (``lr=0`` here, and see ``adabn.py``): compare with it before you praise step 2.
In a stream of one class after the other it fails already: what all cases of a batch have in common is their class, and
is taken away. Step 2 assumes that a small entropy means a right answer [2]; one answer for everyone has none at all,
and at a high rate, or after many steps, TENT may end there (``collapse.py`` watches it).

[1] Tent: fully test-time adaptation by entropy minimization, ICLR 2021, arXiv 2006.10726
[2] Grandvalet and Bengio, Semi-supervised learning by entropy minimization, NeurIPS 2004
"""

import contextlib
import copy
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .. import guards, parts
from .batches import in_order
from .few_weights import let_go
from .predict import to_float


def entropy(logits) -> Tensor:
    """H = −Σ_k p_k log p_k of each answer, p the softmax of ``logits`` N×K: N numbers, in nats ([1], section 3.1).

    It is 0 for an answer that is sure, and ln K for one that is the same for all classes. Raises ValueError for what
    are no logits of two classes or more.
    """
    log_p = guards.as_rows(logits, "logits", columns=2).log_softmax(1)
    return -(log_p.exp() * log_p).sum(1)


def tent(
    model: nn.Module, x, *, batch_size: int = 64, lr: float = 1e-3, steps: int = 1, episodic: bool = False,
    watch: Callable | None = None, device: torch.device | str | None = None,
) -> Tensor:  # fmt: skip
    """Answer the stream ``x`` batch by batch, and adapt ``model`` on the way, in place.

    Parameters
    ----------
    x: unlabelled inputs, in the order in which they come: uint8 images or float32 N×…, in memory or streamed.
    batch_size: how many inputs are answered, and give their statistics, at a time. One image alone has statistics
        over its pixels; a row of numbers alone has none, and is refused.
    lr: of Adam, on the scale and shift of every batch norm, also in frozen stages. 0: the statistics alone.
    steps: moves for each batch; its answers are those before the last of them.
    episodic: go back to the network as it was given after each batch, so that no batch has an effect on the next.
    watch: ``watch(inputs, probability)`` of each batch, like a ``CollapseWatch``; where it returns True, the network
        goes back to how it was given.

    Returns the probabilities given on the way, float32 N×K, on the CPU. All else in the network computes as in eval
    mode (no dropout), and no other weight moves by a single bit. The model is left in eval mode. Its running statistics
    are then the mean over the batches since the last reset, so that ``predict`` goes on with those of the target.

    Raises ValueError for a network without batch norm, or whose batch norm has no scale and shift, and for inputs that
    do not fit it, FloatingPointError for an entropy that is no finite number, MemoryError, with a batch size to try.
    However it fails, the model is as it was given.
    """
    parts.check_network(model)
    batch_size, steps = parts.check_whole(batch_size, "batch_size", least=1), parts.check_whole(steps, "steps", least=1)
    parts.check_rate(lr, "lr")
    if watch is not None and not callable(watch):
        raise ValueError(f"watch is {parts.shown(watch)}: give a CollapseWatch, or None.")
    norms, moved = _scales_and_shifts(model)
    device, x = parts.as_device(device), guards.as_inputs(x, "target", streamed=True)
    if not len(x):
        raise ValueError("There are no target inputs to answer and to adapt to: give at least one.")
    guards.tell_of_range(model, x, "target")
    before = copy.deepcopy(model.to(device).eval().state_dict())

    def stream() -> Tensor:
        answers: list[Tensor] = []
        anew = True
        for part in in_order(x, batch_size, device):
            if anew:
                optimizer = torch.optim.Adam(moved, lr)
                for norm in norms:
                    norm.reset_running_stats()
            inputs = to_float(part)
            for _ in range(steps):
                logits = _logits(model, inputs)
                loss = entropy(logits).mean()
                if not loss.isfinite():
                    raise FloatingPointError(
                        f"The entropy of batch {len(answers) + 1} is {loss.item()} at learning rate {lr:g}: try a rate "
                        "ten times lower, and look for NaN in the inputs."
                    )
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            answers.append(logits.detach().softmax(1).cpu())
            if anew := bool(watch is not None and watch(inputs, answers[-1])) or episodic:
                model.load_state_dict(before)
        return torch.cat(answers)

    with _adapting(model, norms, moved):
        try:
            return guards.with_memory(stream, batch_size, "adapting to")
        except BaseException:
            model.load_state_dict(before)
            raise


def _logits(model: nn.Module, inputs: Tensor) -> Tensor:
    """What the network answers, or its logarithm where the network ends in a softmax of its own."""
    logits = guards.as_logits(guards.forward(model, inputs))
    return logits.clamp_min(1e-12).log() if guards.are_probabilities(logits) else logits


def _scales_and_shifts(model: nn.Module) -> tuple[list, list[nn.Parameter]]:
    """All batch norm of the network, and what of it moves. Raises ValueError where that is nothing."""
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    moved = [p for norm in norms for p in (norm.weight, norm.bias) if p is not None]
    if not moved:
        lacks = "has none with them (affine=False)" if norms else "has no batch norm"
        raise ValueError(
            f"TENT moves the scale and shift of batch norm, and this network {lacks}: build one with batch norm."
        )
    return norms, moved


@contextlib.contextmanager
def _adapting(model: nn.Module, norms: list, moved: list[nn.Parameter]) -> Iterator[None]:
    """Batch norm computes with the batch's statistics, and its scale and shift alone want a gradient, for a while."""
    wanted, memory = [(p, p.requires_grad) for p in model.parameters()], [(m, m.momentum) for m in norms]
    model.requires_grad_(False)
    for p in moved:
        p.requires_grad_(True)
    for norm in norms:
        norm.train().momentum = None  # a plain mean over all batches
    try:
        with torch.enable_grad(), let_go(norms):  # what few_weights.py lets stand still adapts, too
            yield
    finally:
        for p, want in wanted:
            p.requires_grad_(want).grad = None
        for norm, momentum in memory:
            norm.momentum = momentum
        model.eval()
