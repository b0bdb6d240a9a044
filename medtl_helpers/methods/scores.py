"""How often a network is right."""

from sklearn.metrics import balanced_accuracy_score
from torch import Tensor, nn

from .. import guards
from ..labels import as_labels
from .predict import predict


def accuracy(model: nn.Module, split) -> float:
    """Share of ``split`` = (x, y) that ``model`` classifies rightly: fair where classes are equally frequent.

    Raises ValueError for what is no split, and for labels that are none of the model's classes.
    """
    answers, y = _answers(model, split)
    return (answers == y).float().mean().item()


def balanced_accuracy(model: nn.Module, split) -> float:
    """Mean over classes of the share of right answers in ``split`` = (x, y). Raises ValueError as ``accuracy``."""
    answers, y = _answers(model, split)
    return float(balanced_accuracy_score(y, answers))


def _answers(model: nn.Module, split) -> tuple[Tensor, Tensor]:
    """The class that the model names for each example, and its label; both int64 N on the CPU."""
    x, y = guards.as_examples(split, "given", streamed=True)
    probability = predict(model, x)
    as_labels(y, *probability.shape, each=False)
    return probability.argmax(1), y.cpu()
