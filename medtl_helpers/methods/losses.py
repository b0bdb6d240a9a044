"""The objective of this course, min over θ of L(θ; D_target) + λ R(θ; source), with four concrete R.

The articles that this course repairs write R(θ; D_source) and never say what R is. Here are the four that people
use. Each is a small object, built once from the source and called with the model that is being trained:

==================== ============================================= =================================================
R                    needs from the source                         paper
==================== ============================================= =================================================
L2SP                 its weights θ⁰                                Li, Grandvalet, Davoine, ICML 2018, eq. 2 [1]
EWC                  θ⁰ and the diagonal of the Fisher information Kirkpatrick et al., PNAS 2017, eq. 3 [2]
SourceReplay         its data                                      joint training; in continual learning, "replay" [3]
FeatureDistillation  its network, no data                          Li, Hoiem, ECCV 2016; Romero et al., ICLR 2015 [4]
==================== ============================================= =================================================

[1] arXiv 1802.01483  [2] doi 10.1073/pnas.1611835114  [3] Rolnick et al., NeurIPS 2019, arXiv 1811.11682
[4] arXiv 1606.09282 (distils outputs), arXiv 1412.6550 (distils features)

L is the *mean* loss over the n target examples, and R does not depend on n. The sum of n log-likelihoods outgrows a
fixed prior like n, so a λ that balances the two shrinks as n grows.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..guards import as_examples, as_logits


def transfer_loss(model: nn.Module, x: Tensor, y: Tensor, penalty: Callable[[nn.Module], Tensor], lam: float) -> Tensor:
    """L(θ; D_target) + λ R(θ; source), a scalar: mean cross-entropy on x (N×…), y (int64 N), and ``lam`` times R."""
    loss = F.cross_entropy(as_logits(model(x)), y)
    return loss + lam * penalty(model) if lam else loss


def snapshot(model: nn.Module) -> dict[str, Tensor]:
    """A copy of the parameters by name: the θ⁰ of the penalties."""
    return {name: p.detach().clone() for name, p in model.named_parameters()}


class L2SP:
    """R = ½ ‖θ_S − θ⁰_S‖² + β/2 ‖θ_head‖² [1, eq. 2 with α = 1, so that λ takes its place].

    Pulls every weight that the source has towards its source value. Weights that the source lacks (a new head) have
    no source value and get plain L2, pulled to zero.

    Parameters
    ----------
    source: θ⁰ by name, e.g. ``snapshot(source_model)`` or a loaded state dict; or the network itself, copied now.
    head: names, or their first parts (``"head"`` means ``head.weight`` and ``head.bias``), of the new parameters.
    beta: weight of the head's term relative to the other one.

    Calling it raises KeyError for a parameter that is neither in ``source`` nor in ``head``, and ValueError where the
    shapes differ: a forgotten head must not go unnoticed.
    """

    def __init__(self, source: dict[str, Tensor] | nn.Module, head: Iterable[str] = (), beta: float = 1.0):
        self.source = snapshot(source) if isinstance(source, nn.Module) else source
        self.head, self.beta = tuple(head), beta

    def __call__(self, model: nn.Module) -> Tensor:
        total: Any = 0.0
        for name, p in model.named_parameters():
            if _is_in(name, self.head):
                total = total + self.beta / 2 * p.square().sum()
            else:
                moved = p - _source_value(self.source, name, p)
                total = total + (self._weight(name, p) * moved.square()).sum() / 2
        return total

    def _weight(self, name: str, p: Tensor) -> float | Tensor:
        """How strongly the parameter is held: all alike."""
        return 1.0


class EWC(L2SP):
    """R = ½ Σ_i F_i (θ_i − θ⁰_i)² [2, eq. 3]: L2-SP in which a weight is held as firmly as the source data needed it.

    ``fisher`` is the diagonal F by name, from ``fisher_diagonal``; a new head again gets plain L2. Raises ValueError
    for a weight of the source whose F is missing or of another shape.
    """

    def __init__(
        self, source: dict[str, Tensor], fisher: dict[str, Tensor], head: Iterable[str] = (), beta: float = 1.0
    ):
        super().__init__(source, head, beta)
        self.fisher = fisher
        for name, theta in source.items():
            if not _is_in(name, self.head) and (name not in fisher or fisher[name].shape != theta.shape):
                raise ValueError(
                    f"The Fisher information of {name} is missing or of another shape: compute it with "
                    "fisher_diagonal of the source model."
                )

    def _weight(self, name: str, p: Tensor) -> Tensor:
        return self.fisher[name].to(p.device)


class SourceReplay:
    """R = mean cross-entropy on source data (x: M×…, y: int64 M): the target model must still solve the source task.

    Needs the source data at hand (privacy!) and the same classes in both domains.
    """

    def __init__(self, x: Tensor, y: Tensor):
        self.x, self.y = as_examples((x, y), "source")

    def __call__(self, model: nn.Module) -> Tensor:
        return F.cross_entropy(as_logits(model(self.x)), self.y)


class FeatureDistillation:
    """R = ½ mean over examples of ‖f(x; θ) − f(x; θ⁰)‖² [4]: the features may move only where the target asks for it.

    Parameters
    ----------
    features: maps a model and x (N×…) to its features (N×D), e.g. ``lambda model, x: model.features(x)``.
    teacher: the source model; it is only read, once.
    x: the inputs on which student and teacher are compared, labels not needed: usually the target training inputs.
    """

    def __init__(self, features: Callable[[nn.Module, Tensor], Tensor], teacher: nn.Module, x: Tensor):
        self.features, self.x = features, x
        with torch.no_grad():
            self.wanted = features(teacher, x)

    def __call__(self, model: nn.Module) -> Tensor:
        return (self.features(model, self.x) - self.wanted).square().sum(1).mean() / 2


def _is_in(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def _source_value(source: dict[str, Tensor], name: str, p: Tensor) -> Tensor:
    if name not in source:
        raise KeyError(f"The source has no parameter {name!r}: load its weights, or name it in `head`.")
    if source[name].shape != p.shape:
        raise ValueError(
            f"{name} is {tuple(p.shape)} here and {tuple(source[name].shape)} in the source: "
            "another layer than the source's belongs in `head`."
        )
    return source[name].to(p.device)
