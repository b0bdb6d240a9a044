"""What a network answers: class probabilities in batches, and the loss and accuracy on validation data."""

import torch
import torch.nn.functional as F
from torch import nn

from .. import guards, parts
from .batches import in_order


def to_float(x: torch.Tensor) -> torch.Tensor:
    """uint8 0..255 to float32 -1..1; other dtypes become float32 and are otherwise left as they are.

    int32, the token numbers of texts, stays as it is.
    """
    if x.dtype == torch.int32:
        return x
    return x.float().div_(127.5).sub_(1) if x.dtype == torch.uint8 else x.float()


def predict(model: nn.Module, x, *, batch_size: int = 256, device: torch.device | str | None = None) -> torch.Tensor:
    """Class probabilities (float32 N×K, on the CPU) of ``model`` in eval mode, for raw inputs ``x``.

    They are the softmax of its logits. Where the model ends in a softmax of its own, they are its answers as they
    are, and one line says so. ``x`` is a tensor, an array, or streamed (``StreamedImages``). Raises ValueError for
    inputs that do not fit the model and for one output alone, FloatingPointError when it answers with NaN, MemoryError,
    with a batch size to try, when memory runs out.
    """
    parts.check_network(model)
    batch_size = parts.check_whole(batch_size, "batch_size", least=1)
    x, device = guards.as_inputs(x, "given", streamed=True), parts.as_device(device)
    guards.tell_of_range(model, x, "given")
    probability = guards.with_memory(lambda: _probabilities(model, x, batch_size, device), batch_size, "predicting")
    wrong = int((~probability.isfinite()).flatten(1).any(1).sum())
    if wrong:
        raise FloatingPointError(
            f"The model's answers to {wrong} of {len(probability)} inputs are not finite numbers: look for NaN in "
            "these inputs and in the model's weights."
        )
    return probability


def validate(model: nn.Module, val, batch_size: int, device: torch.device) -> tuple[float, float]:
    """Mean cross-entropy (nats) and accuracy on ``val`` = (x, y), for a model that trains in batches of that size."""
    (x, y), batch_size = val, min(256, 4 * batch_size)  # no gradients are kept: what trains in batches of n fits in 4 n
    probability, y = _probabilities(model, x, batch_size, device), y.cpu()
    loss = F.nll_loss(probability.clamp_min(1e-12).log(), y).item()
    return loss, (probability.argmax(1) == y).float().mean().item()


@torch.inference_mode()
def _probabilities(model: nn.Module, x, batch_size: int, device: torch.device) -> torch.Tensor:
    model.to(device).eval()
    answers = [guards.as_logits(guards.forward(model, to_float(p))).cpu() for p in in_order(x, batch_size, device)]
    outputs = torch.cat(answers)
    if outputs.ndim < 2 or outputs.shape[1] == 1:
        raise ValueError(
            f"The model's outputs have shape {tuple(outputs.shape)}, one number for each input, and softmax makes 1 of "
            "it: give the model one output per class."
        )
    if guards.are_probabilities(outputs):
        guards.tell_once(model, "The model ends in a softmax: its answers are taken as the probabilities they are.")
        return outputs.float()
    return outputs.softmax(1)
