"""The diagonal of the Fisher information, exactly, by per-example gradients."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from ..guards import as_examples, as_inputs, as_logits, check_outputs, forward
from .losses import snapshot


def fisher_diagonal(model: nn.Module, x: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
    """Diagonal of the Fisher information of the ``model`` at its present weights, averaged over x (N×…), by name.

    Without ``y``, the model's own Fisher: F_i = mean over x of Σ_k p(k|x) (∂ log p(k|x) / ∂θ_i)², the expectation over
    the labels that the *model* predicts. With the observed labels ``y`` (int64 N) in place of that expectation it is
    the *empirical* Fisher, another matrix, which vanishes where the model fits its data perfectly
    (Kunstner, Balles, Hennig, NeurIPS 2019, arXiv 1905.12558). EWC's derivation asks for the first. Raises ValueError
    for no example, or labels that are not one whole number, within the model's outputs, for each.
    """
    x = as_inputs(x, "Fisher")
    if not len(x):
        raise ValueError("The Fisher information is a mean over examples, and there are none: give at least one.")
    if y is not None:
        x, y = as_examples((x, y), "Fisher")
        with torch.no_grad():
            check_outputs(model, as_logits(forward(model, x[:1])), y, None)
    parameters = snapshot(model)

    def log_loss(parameters, one_x, k):  # −log p(k|x): the sign does not survive the square
        return F.cross_entropy(as_logits(functional_call(model, parameters, (one_x[None],))), k[None])

    def squared_gradients(k):
        gradients = vmap(grad(log_loss), in_dims=(None, 0, 0))(parameters, x, k)
        return {name: g.square() for name, g in gradients.items()}  # each N×(shape of the parameter)

    if y is not None:
        return {name: g.mean(0) for name, g in squared_gradients(y).items()}
    with torch.no_grad():
        probability = as_logits(forward(model, x)).softmax(1)  # N×K
    fisher = {name: torch.zeros_like(p) for name, p in parameters.items()}
    for k in range(probability.shape[1]):
        for name, g in squared_gradients(torch.full((len(x),), k, device=x.device)).items():
            fisher[name] += torch.tensordot(probability[:, k], g, dims=1) / len(x)
    return fisher
