"""Label shift: the classes are as they were, but otherwise frequent; estimate how frequent, and correct the answers.

Two steps that need no target label. ``label_shift_weights`` (black box shift estimation, BBSE [1]) asks how often the
network answers each class on the target. What it confuses is known from labelled validation data of the source, so the
counts of its answers tell those of the classes. ``reweighted`` [2] then brings the new frequencies into each answer.

Both rest on one assumption: *an image of a class looks the same in both domains*. Where the images look otherwise, too,
the network confuses other classes there than here, and the estimate is wrong by an unknown amount.

[1] Lipton, Wang and Smola, Detecting and correcting for label shift with black box predictors, ICML 2018, arXiv
1802.03916  [2] Saerens, Latinne and Decaestecker, Neural Computation 14 (2002), doi 10.1162/089976602753284446
"""

import numpy as np

from ..labels import as_labels, as_numbers, as_probabilities


def label_shift_weights(probability, y, target_probability) -> np.ndarray:
    """w, float64 K: how much more frequent each class is in the target than in the source ([1], section 4).

    Parameters
    ----------
    probability, y: N×K and int N, the answers to source cases that did not train the network, and their labels.
    target_probability: M×K, the same network's answers to unlabelled target cases.

    With C_ij the share of source cases that are of class j and are called i, and q_i the share of target cases that are
    called i, w solves C w = q. Here w is the closest solution without a negative entry, scaled so that the target's
    frequencies add up to 1. Raises ValueError for shapes that do not match, a class without a source case, and where
    the answers tell some classes not apart, so that C has no inverse.
    """
    from scipy.optimize import nnls

    probability = as_probabilities(probability)
    target_probability = as_probabilities(target_probability, "predicted probabilities of the target")
    n, classes = probability.shape
    y = as_labels(y, n, classes)
    if target_probability.shape[1] != classes:
        raise ValueError(
            f"The source has probabilities of {classes} classes, the target of {target_probability.shape[1]}: give "
            "what the same network answers to both."
        )
    counts = np.bincount(y)
    confusion = np.zeros((classes, classes))
    np.add.at(confusion, (probability.argmax(1), y), 1 / n)
    if np.linalg.cond(confusion) > 1e6:
        raise ValueError(
            "The network's answers do not tell all classes apart, so nothing can be said of their frequencies: train "
            "it longer, or on more cases of the classes that it never names."
        )
    called = np.bincount(target_probability.argmax(1), minlength=classes) / len(target_probability)
    weights, _ = nnls(confusion, called)
    return weights / (weights * counts / n).sum()


def reweighted(probability, weights) -> np.ndarray:
    """Probabilities N×K where classes are ``weights`` (K) times as frequent: p_k w_k, scaled to 1 ([2], equation 4).

    Raises ValueError for weights that are negative, all zero or not K in number.
    """
    probability, weights = as_probabilities(probability), as_numbers(weights, "weights")
    if weights.shape != probability.shape[1:] or (weights < 0).any() or not weights.any():
        raise ValueError(
            f"The weights are {weights.tolist()}: give {probability.shape[1]} numbers of 0 or more, one for each "
            "class, and not all of them 0."
        )
    product = probability * weights
    total = product.sum(1, keepdims=True)  # 0 where only classes of weight 0 had a probability: these stay as they are
    return np.where(total > 0, product / np.where(total > 0, total, 1), probability)
