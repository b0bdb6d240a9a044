"""How often a network is right."""

from sklearn.metrics import balanced_accuracy_score
from torch import nn

from .predict import predict


def accuracy(model: nn.Module, split) -> float:
    """Share of ``split`` = (x, y) that ``model`` classifies rightly: fair where classes are equally frequent."""
    x, y = split
    return (predict(model, x).argmax(1) == y).float().mean().item()


def balanced_accuracy(model: nn.Module, split) -> float:
    """Mean over classes of the share of right answers in ``split`` = (x, y)."""
    x, y = split
    return float(balanced_accuracy_score(y, predict(model, x).argmax(1)))
