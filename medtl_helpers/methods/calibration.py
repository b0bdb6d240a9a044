"""Calibration: how far the confidence of a model is from how often it is right, and its repair with few labels.

A model that ranks the patients of a new hospital well can still give them wrong probabilities, because the disease is
more or less common there. Recalibration corrects one number (the intercept) or two (also the slope). The ranking stays
as long as the slope is above 0, which few labels do not guarantee. It is the first thing to try before any weight is
adapted. ``calibration_line.py`` measures how far off it is.

[1] Guo, Pleiss, Sun, Weinberger, On calibration of modern neural networks, ICML 2017, arXiv 1706.04599
[2] Steyerberg, Borsboom, van Houwelingen, Eijkemans, Habbema, Validation and updating of predictive logistic
regression models: a study on sample size and shrinkage, Statistics in Medicine 23 (2004), doi 10.1002/sim.1844
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..labels import as_labels, as_numbers, as_probabilities, as_yes_no
from ..parts import check_rate, check_whole
from .optimise import minimise


def calibration_error(probability, y, bins: int = 10) -> float:
    """Expected calibration error: mean ``|confidence − accuracy|`` over ``bins`` of confidence, weighted by cases.

    [1, equation 3]. ``probability``: N×K, ``y``: N classes. Raises ValueError for logits, and for labels of no class.
    """
    check_whole(bins, "bins", least=1)
    checked = as_probabilities(probability)
    y = torch.from_numpy(as_labels(y, *checked.shape, each=False))
    probability = torch.from_numpy(checked).float()
    confidence, answer = probability.max(1)
    right = (answer == y).float()
    which = (confidence * bins).long().clamp_max(bins - 1)
    gaps = torch.zeros(bins).index_add_(0, which, confidence - right)
    return float(gaps.abs().sum() / len(y))


def recalibrate_intercept(logit, y) -> float:
    """The number a that, added to every logit, fits the labels best: the new model is σ(logit + a) [2, method 2].

    Maximum likelihood, so that the mean of the new probabilities is the share of ones in ``y``. Nothing is tuned, and
    the ranking of the patients does not change.

    Parameters
    ----------
    logit: float N, what the model says of the labelled patients of the new hospital: logit of class 1 minus class 0.
    y: N labels, 0 or 1.

    Raises ValueError for shapes that differ, for logits that are not finite, and where only one class is labelled: then
    a is infinite.
    """
    logit, y = _checked(logit, y)
    intercept = torch.zeros((), dtype=torch.float64, requires_grad=True)
    minimise(lambda: F.binary_cross_entropy_with_logits(logit + intercept, y), [intercept])
    return intercept.item()


def recalibrate_slope(logit, y, lam: float) -> tuple[float, float]:
    """Intercept a and slope b of the new model σ(a + b · logit) [2, method 3, shrunk].

    Minimises the mean log loss + λ/2 (a² + (b − 1)²). Few labels are often separated without an error, and then the
    slope without a penalty (``lam=0``) is infinite; a large λ gives the model back as it was. With b > 0 the ranking
    does not change. Arguments and errors as for ``recalibrate_intercept``.
    """
    logit, y = _checked(logit, y)
    check_rate(lam, "lam")
    line = torch.tensor([0.0, 1.0], dtype=torch.float64, requires_grad=True)
    start = line.detach().clone()

    def objective() -> Tensor:
        loss = F.binary_cross_entropy_with_logits(line[0] + line[1] * logit, y)
        return loss + lam / 2 * (line - start).square().sum()

    minimise(objective, [line])
    intercept, slope = line.tolist()
    return intercept, slope


def _checked(logit, y) -> tuple[Tensor, Tensor]:
    z = as_numbers(logit, "logits")
    return torch.from_numpy(z), torch.from_numpy(as_yes_no(y, len(z), "labels")).double()
