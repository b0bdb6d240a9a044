"""Federated learning in plain loops: hospitals train one network together, and no patient's row leaves a hospital.

Each round, every hospital k gets the weights w, trains them on its own n_k patients to w_k, and sends n_k and the
change Δ_k = w_k − w. The server takes the mean change, weighted by patients, Δ = Σ n_k Δ_k / Σ n_k, and steps:

============ =================================================== =========================================== =========
method       what a hospital minimises                           how the server steps                        paper
============ =================================================== =========================================== =========
``FedAvg``   F_k(u), its own mean cross-entropy                  w ← w + Δ                                   [1]
``FedProx``  F_k(u) + μ/2 ‖u − w‖², μ is ``proximal``            w ← w + Δ                                   [2, eq. 2]
``FedAdam``  F_k(u)                                              m ← β₁m + (1 − β₁)Δ; v ← β₂v + (1 − β₂)Δ²;  [3, alg. 2]
                                                                 w ← w + η m / (√v + τ)
============ =================================================== =========================================== =========

All of it runs on one machine here, to be read and compared: **nothing is hidden and nothing is sent**. Changes are not
anonymous: from the gradient of up to eight images these were rebuilt [4]. *Secure aggregation* [5] is how a real
federation hides them from the server: each pair of hospitals agrees on a random mask that one adds and the other one
subtracts, so that the masks cancel in the sum and the server learns Σ n_k Δ_k alone. It is not done here, and even the
sum tells of the patients in it; only noise bounds how much (DP-SGD, ``private.py``).

[1] McMahan et al., Communication-efficient learning of deep networks from decentralized data, AISTATS 2017, arXiv
1602.05629  [2] Li et al., Federated optimization in heterogeneous networks, MLSys 2020, arXiv 1812.06127
[3] Reddi et al., Adaptive federated optimization, ICLR 2021, arXiv 2003.00295
[4] Zhu, Liu, Han, Deep leakage from gradients, NeurIPS 2019, arXiv 1906.08935
[5] Bonawitz et al., Practical secure aggregation for privacy-preserving machine learning, CCS 2017, doi
10.1145/3133956.3133982
"""

import copy
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..guards import as_examples, as_logits, check_outputs, forward
from ..parts import as_device, check_network, check_rate, check_whole, shown
from .predict import to_float
from .server_steps import Weights, checked_step, plain_step


class Update(NamedTuple):
    """What one hospital sends in one round, and all that it sends."""

    hospital: str
    patients: int  # n_k
    change: Weights  # Δ_k by name, of the weights that train


def federated_average(
    make_model: Callable[[], nn.Module],
    hospitals: Mapping[str, tuple],
    rounds: int,
    *,
    epochs: int = 1,
    batch_size: int | None = None,
    lr: float = 0.1,
    proximal: float = 0.0,
    server: Callable[[Weights, Weights], Weights] | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
    watch: Callable[[int, nn.Module, list[Update]], object] | None = None,
) -> nn.Module:
    """Train one network on all ``hospitals``, without putting their patients together, and return it in eval mode.

    Parameters
    ----------
    make_model: a function without arguments that makes the network; only weights that require a gradient are sent.
    hospitals: name → (x, y), x float32 N×… or uint8 images, y int64 N.
    rounds, epochs: how often weights are sent; passes over its own patients that a hospital makes in each round.
    batch_size: of the hospitals' plain gradient descent; None: all patients of a hospital in one step.
    lr: rate of these steps. proximal: μ of FedProx, 0 for FedAvg. server: ``FedAdam()``, or None for w + Δ.
    seed: of the order of the patients. watch: ``watch(round, model, updates)`` sees all that was sent.

    With ``epochs`` 1 and whole hospitals as batches, a round is a step of gradient descent on all patients together.
    Raises ValueError for data that do not fit, and for a network with running statistics (batch norm): they are no
    weights, a mean of variances is not the variance of all, and group norm has none. Raises FloatingPointError where
    the weights are no longer finite.
    """
    model, data = _checked(make_model, hospitals, rounds, epochs, batch_size, lr, proximal, seed)
    if not (watch is None or callable(watch)):
        raise ValueError(f"watch is {shown(watch)}: give a function of the round, the model and the updates.")
    device = as_device(device)
    model.to(device)
    generator = torch.Generator().manual_seed(int(seed))
    patients = sum(len(y) for _, y in data.values())
    for x, y in data.values():
        check_outputs(model, as_logits(forward(model, to_float(x[:2].to(device)))), y, None)
    for number in range(rounds):
        weights, updates = _trained(model), []
        for name, (x, y) in data.items():
            local = copy.deepcopy(model)
            for order in (torch.randperm(len(x), generator=generator) for _ in range(epochs)):
                for batch in order.split(batch_size or len(x)):
                    _step(local, weights, to_float(x[batch].to(device)), y[batch].to(device), lr, proximal)
            change = {key: value - weights[key] for key, value in _trained(local).items()}
            updates.append(Update(name, len(x), change))
        mean = {key: sum((u.patients / patients * u.change[key] for u in updates), torch.zeros(())) for key in weights}
        weights = checked_step(plain_step if server is None else server, weights, mean)
        model.load_state_dict(weights, strict=False)  # what is frozen was not sent
        if watch is not None:
            watch(number, model, updates)
    return model.eval()


def _step(model: nn.Module, received: Weights, x: Tensor, y: Tensor, lr: float, proximal: float) -> None:
    """One step of gradient descent on F_k(u) + μ/2 ‖u − w‖²."""
    weights = {name: p for name, p in model.named_parameters() if p.requires_grad}
    loss = F.cross_entropy(as_logits(forward(model, x)), y)
    if proximal:
        loss = loss + proximal / 2 * sum((p - received[name]).square().sum() for name, p in weights.items())
    gradients = torch.autograd.grad(loss, list(weights.values()), materialize_grads=True)
    with torch.no_grad():
        for p, gradient in zip(weights.values(), gradients, strict=True):
            p.sub_(lr * gradient)


def _trained(model: nn.Module) -> Weights:
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}


def _checked(make_model, hospitals, rounds, epochs, batch_size, lr, proximal, seed):
    """The network in train mode, and each hospital's x and y. Raises what ``federated_average`` says."""
    for name, value in {
        "rounds": rounds,
        "epochs": epochs,
        "batch_size": 1 if batch_size is None else batch_size,
    }.items():
        check_whole(value, name, least=1)
    check_whole(seed, "seed", least=0)
    check_rate(lr, "lr", above=True)
    check_rate(proximal, "proximal")
    if not isinstance(hospitals, Mapping) or not hospitals:
        raise ValueError(f"hospitals is {shown(hospitals)}: give a dict of one hospital or more, name → (x, y).")
    data = {str(name): as_examples(pair, str(name)) for name, pair in hospitals.items()}
    if isinstance(make_model, nn.Module) or not callable(make_model):
        raise ValueError(f"make_model is {shown(make_model)}: give a function that makes it, lambda: nn.Linear(10, 2).")
    model = make_model()
    check_network(model)
    if not _trained(model):
        raise ValueError("Every weight of the model is frozen, so there is nothing to train: unfreeze the head.")
    for name, part in model.train().named_modules():
        if part.training and getattr(part, "running_mean", None) is not None:
            raise ValueError(
                f"The part {name or 'model'} keeps running statistics, and a mean of the hospitals' variances is not "
                "the variance of all: use group norm, or freeze the stage."
            )
    return model, data
