"""Scores before training: would this source help that target? LogME, a linear probe, and how far two domains lie apart.

The scores that read the source's answers are in ``leep.py``, and the one of class means is in ``h_score.py``.

[1] You, Liu, Wang and Long, LogME: practical assessment of pre-trained models for transfer learning, ICML 2021,
arXiv 2102.11005  [2] Ben-David et al., Machine Learning 79 (2010), doi 10.1007/s10994-009-5152-4
[3] Ganin et al., JMLR 17(59), 1–35 (2016), arXiv 1505.07818
"""

import math

import numpy as np
import torch
from torch import Tensor

from ..labels import as_array, as_classes, as_groups, as_numbers
from ..parts import check_whole

MOST_ROUNDS = 100


def log_me(features, labels) -> float:
    """The mean over classes of the log maximum evidence per example; higher: the labels are read more easily.

    Parameters
    ----------
    features: N×D, of N labelled target images, in any float type; computed in float64.
    labels: int64 N; each class in turn is a column of zeros and ones to regress on.

    For one column y the model is y = F w + noise with w ~ N(0, 1/α) and noise of variance 1/β. α and β are those of
    the highest evidence p(y | F) (section 4 of the paper), found by MacKay's fixed-point rounds on the singular
    values of F. Adding a column that is no help costs little, and a network of many features does not win by number.
    Raises ValueError for shapes that do not match, features that are not finite, and labels of a single class.
    """
    f = torch.from_numpy(as_numbers(features, "features", ndim=2))
    y = torch.from_numpy(as_classes(labels, len(f)))
    classes = y.unique()
    left, singular, _ = torch.linalg.svd(f, full_matrices=False)
    return sum(_evidence(left, singular.square(), (y == k).double(), *f.shape) for k in classes) / len(classes)


def _evidence(left: Tensor, squares: Tensor, y: Tensor, n: int, d: int) -> float:
    """Log evidence / n of one column ``y``, at the α and β that maximise it."""
    z = (left.T @ y).square()  # of y, what lies along each singular direction …
    outside = (y.square().sum() - z.sum()).clamp_min(0)  # … and what no weight can reach
    alpha = beta = torch.ones((), dtype=torch.float64)
    for _ in range(MOST_ROUNDS):
        shrunk = alpha / beta
        gamma = (squares / (squares + shrunk)).sum()  # effective number of weights
        weight = (squares * z / (squares + shrunk).square()).sum()  # ‖m‖², m the posterior mean of w
        error = (z * (shrunk / (squares + shrunk)).square()).sum() + outside  # ‖F m − y‖²
        alpha, beta = gamma / weight.clamp_min(1e-12), (n - gamma) / error.clamp_min(1e-12)
        if (alpha / beta - shrunk).abs() <= 1e-6 * shrunk:
            break
    shrunk = alpha / beta
    weight = (squares * z / (squares + shrunk).square()).sum()
    error = (z * (shrunk / (squares + shrunk)).square()).sum() + outside
    determinant = (alpha + beta * squares).log().sum() + (d - len(squares)) * alpha.log()  # of αI + βFᵀF
    evidence = n * (beta.log() - math.log(2 * math.pi)) + d * alpha.log() - determinant - beta * error - alpha * weight
    return float(evidence / 2 / n)


def linear_probe_score(features, labels, *, groups=None, folds: int = 5, seed: int = 0) -> float:
    """The AUROC that a logistic regression on the features reaches in cross-validation; from 0 to 1, chance is 0.5.

    Parameters
    ----------
    features: N×D, of N labelled target images. Each fold scales them by its own training part.
    labels: int64 N; of several classes the AUROC is the mean over one against the rest.
    groups: array N, for example the patients, none of whom is then in two folds: without it, images of one patient
        help to recognise each other, and the score is too high.
    folds, seed: of the cross-validation, which is stratified by class. The value is the mean over the folds.

    The penalty is fixed (C = 0.1 on scaled features), so that nothing is chosen. Raises ValueError for shapes that do
    not match, features that are not finite, labels of one class, and a fold that would lack a class.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_score

    x = as_numbers(features, "features", ndim=2)
    y = as_classes(labels, len(x))
    check_whole(folds, "folds", least=2)
    check_whole(seed, "seed", least=0)
    units = np.arange(len(y)) if groups is None else as_groups(groups, len(y))
    least = min(len(np.unique(units[y == k])) for k in np.unique(y))
    if least < folds:
        unit = "examples" if groups is None else "groups"
        raise ValueError(
            f"The rarest class is in {least} {unit}, for {folds} folds: give more, or ask for fewer folds."
        )
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    parts = list(kind(folds, shuffle=True, random_state=seed).split(x, y, None if groups is None else units))
    if any(len(np.unique(y[rows])) <= y.max() for part in parts for rows in part):
        raise ValueError(f"One of {folds} folds would lack a class, as its groups are large: ask for fewer folds.")
    return float(cross_val_score(_reader(), x, y, cv=parts, scoring="roc_auc_ovr").mean())


def proxy_a_distance(source, target, *, seed: int = 0) -> float:
    """2(1 − 2ε) with ε the balanced error of a linear domain classifier in five-fold cross-validation ([3] 3.2, [2]).

    ``source`` and ``target`` are features N×D (of images, give what a network makes of them). 0: nothing linear tells
    the domains apart; 2: one hyperplane does. Below 0 is chance, too. Raises ValueError for fewer than 5 examples of a
    domain, for features that are not finite, and for another number of features in each.
    """
    check_whole(seed, "seed", least=0)
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    parts = [_rows(source, "source"), _rows(target, "target")]
    if parts[0].shape[1] != parts[1].shape[1]:
        raise ValueError(
            f"The source has {parts[0].shape[1]} features, the target {parts[1].shape[1]}: give the same of both."
        )
    x, y = np.concatenate(parts), np.repeat([0, 1], [len(part) for part in parts])
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    return float(2 * (2 * cross_val_score(_reader(), x, y, cv=folds, scoring="balanced_accuracy").mean() - 1))


def _reader():
    """A logistic regression on scaled features, whose classes weigh alike."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000))


def _rows(x, domain: str):
    """The features of a domain as N×D, in the type that they have; checked."""
    checked = as_array(x, f"{domain} features")
    if checked.ndim < 2 or len(checked) < 5:
        raise ValueError(f"The {domain} features have shape {checked.shape}: give N×D, of 5 examples or more.")
    flat = as_numbers(checked.reshape(len(checked), -1), f"{domain} features", ndim=2)
    return flat.astype(np.float32) if getattr(x, "dtype", None) == torch.float32 else flat
