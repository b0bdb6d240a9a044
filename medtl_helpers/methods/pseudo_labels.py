"""Pseudo-labels: what the network answers surely is taken for the truth, and it learns from that (Lee [1]).

``pseudo_label_loss`` does so in each batch, as Lee does, and is a loss for ``fit_aligned``. ``self_train`` does it in
rounds: it answers the whole target, takes the sure answers, and trains on source and target together. Both repeat the
network's own errors where it is sure of them: a class that it never names is never learnt.

[1] Pseudo-label: the simple and efficient semi-supervised learning method for deep neural networks, ICML workshop 2013
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import guards, parts
from ..labels import as_probabilities, as_share
from .predict import predict
from .train import check_fit, fit


def pseudo_label_loss(logits, *, threshold: float = 0.9) -> Tensor:
    """The mean cross-entropy of ``logits`` N×K towards their own most probable class ([1], second term of equation 15).

    A case whose highest probability is below the ``threshold`` counts as 0. Lee has no threshold (0 here), and lets the
    weight of the loss grow slowly instead (equation 16), as ``fit_aligned`` does, too. Raises ValueError for what
    are no logits of two classes or more.
    """
    logits, threshold = guards.as_rows(logits, "logits", columns=2), as_share(threshold, "threshold", ends=True)
    sure = logits.detach().softmax(1).amax(1) >= threshold
    return (F.cross_entropy(logits, logits.detach().argmax(1), reduction="none") * sure).mean()


def pseudo_labels(probability, *, threshold: float = 0.9) -> tuple[Tensor, Tensor]:
    """(rows, labels), both int64: the rows of ``probability`` N×K that reach the ``threshold``, and what they answer.

    Raises ValueError for what are no probabilities.
    """
    threshold = as_share(threshold, "threshold", ends=True)
    p = torch.from_numpy(as_probabilities(probability))
    rows = (p.amax(1) >= threshold).nonzero().flatten()
    return rows, p[rows].argmax(1)


def self_train(
    model: nn.Module, source_x, source_y, target_x, *, rounds: int = 3, threshold: float = 0.9, epochs: int = 5,
    batch_size: int = 64, lr: float = 1e-3, weight_decay: float = 0.0, augment=None, seed: int = 0,
    device: torch.device | str | None = None, progress: bool = True,
) -> list[int]:  # fmt: skip
    """Train ``model``, which knows the source, on its own sure answers to the target, in place.

    Each of the ``rounds`` answers ``target_x`` anew, takes the answers of at least the ``threshold``, and trains for
    ``epochs`` with ``fit`` on them and the source together. ``source_x``, ``source_y``, ``target_x`` are as in
    ``fit_aligned``, the other settings as in ``fit``. Returns how many target inputs each round took. Raises ValueError
    for inputs that do not fit together or not the network, and whatever ``fit`` raises.
    """
    settings: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size, "lr": lr, "weight_decay": weight_decay}
    check_fit(model, None, seed=seed, **settings)
    rounds, threshold = parts.check_whole(rounds, "rounds", least=1), as_share(threshold, "threshold", ends=True)
    if not len(guards.as_inputs(target_x, "target")):
        raise ValueError("There are no target inputs to answer: give some, without labels.")
    classes = predict(model, guards.as_inputs(source_x, "source")[:1], device=device).shape[1]
    source_x, source_y, target_x, _ = guards.as_domains(source_x, source_y, target_x, classes)
    taken: list[int] = []
    for k in range(rounds):
        rows, labels = pseudo_labels(predict(model, target_x, device=device), threshold=threshold)
        both = torch.cat([source_x, target_x[rows]]), torch.cat([source_y, labels])
        fit(model, both, seed=int(seed) + k, augment=augment, device=device, progress=progress, **settings)
        taken.append(len(rows))
    return taken
