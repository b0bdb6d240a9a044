"""Choosing between models, settings or epochs without a target label: what each rule counts, and what it assumes.

======================= ========================================== ==================================================
rule                    needs                                      assumes
======================= ========================================== ==================================================
source validation       labels of the source                       what is best there is best in the target
``mean_entropy``        answers to the target                      sure answers are right ones [1]
``weighted_validation`` labels of the source, and features of both cases of the target occur in the source, only more
                        domains                                    or less often: covariate shift [2]
======================= ========================================== ==================================================

[1] Grandvalet and Bengio, NeurIPS 2004; Morerio et al., ICLR 2018, arXiv 1711.10288
[2] Sugiyama, Krauledat and Müller, Covariate shift adaptation by importance weighted cross validation, JMLR 8 (2007)
[3] You et al., Towards accurate model selection in deep unsupervised domain adaptation (DEV), ICML 2019
"""

import numpy as np

from ..labels import as_numbers, as_probabilities
from ..parts import check_rate


def mean_entropy(probability) -> float:
    """The mean entropy of answers N×K to the target, in nats: of several models, the rule [1] takes the lowest.

    It is lowest, 0, for a model that surely gives all cases the same class: look at the mix of its answers, too.
    """
    p = as_probabilities(probability)
    return float(-(p * np.log(np.where(p > 0, p, 1))).sum(1).mean())


def importance_weights(source, target, at, *, strength: float = 1.0) -> np.ndarray:
    """w(x) = p_target(x) / p_source(x) of the features ``at``: float64 N, by a classifier of the domains ([3]).

    Parameters
    ----------
    source, target: features N×D of training cases of both domains; they train a logistic regression on standardised
        columns, in which both domains weigh alike. Then w = P(target) / P(source).
    at: features of the *labelled validation* cases of the source, which were not among ``source``.
    strength: of the penalty on its coefficients, L2 (scikit-learn's C is its inverse).

    Where the domains are told apart without error no source case is like the target: nearly all weights are then near
    0, and nothing can be said (``effective_cases``). Raises ValueError for features that do not fit together.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    check_rate(strength, "strength", above=True)
    source, target, at = (
        as_numbers(x, f"features of {name}", ndim=2)
        for name, x in (("the source", source), ("the target", target), ("the cases to weigh", at))
    )
    if not source.shape[1] == target.shape[1] == at.shape[1]:
        raise ValueError(
            f"The source has {source.shape[1]} features, the target {target.shape[1]} and the cases to weigh "
            f"{at.shape[1]}: give what the same network makes of all."
        )
    domain = np.repeat([0, 1], [len(source), len(target)])
    regression = LogisticRegression(C=1 / strength, class_weight="balanced", max_iter=1000)
    classifier = make_pipeline(StandardScaler(), regression).fit(np.concatenate([source, target]), domain)
    return np.exp(classifier.decision_function(at))


def weighted_validation(losses, weights, *, dev: bool = False) -> float:
    """What the mean loss in the target would be, from ``losses`` (N) of labelled source cases and their ``weights``.

    That is the mean of w·ℓ ([2]: unbiased where only the frequency of cases differs). With ``dev`` it is
    mean(w·ℓ) + η mean(w) − η with η = −Cov(w·ℓ, w) / Var(w) ([3], algorithm 1): as weights are 1 on average, the same
    in expectation and of less variance. Losses are errors of 0 and 1, or cross-entropies. Raises ValueError for
    numbers that do not match, and for weights below 0.
    """
    losses, weights = as_numbers(losses, "losses"), _as_weights(weights)
    if len(losses) != len(weights):
        raise ValueError(f"There are {len(losses)} losses and {len(weights)} weights: give one of each for each case.")
    products = weights * losses
    spread = weights.var()
    eta = -((products - products.mean()) * (weights - weights.mean())).mean() / spread if dev and spread > 0 else 0.0
    return float(products.mean() + eta * weights.mean() - eta)


def effective_cases(weights) -> float:
    """(Σ w)² / Σ w²: of how many equally weighted cases a weighted mean is worth; 1 to N (Kish 1965)."""
    weights = _as_weights(weights)
    return float(weights.sum() ** 2 / (weights**2).sum())


def _as_weights(weights) -> np.ndarray:
    weights = as_numbers(weights, "weights")
    if (weights < 0).any() or not weights.any():
        raise ValueError(
            f"Of {len(weights)} weights {(weights < 0).sum()} are below 0: give 0 or more, not all of them 0."
        )
    return weights
