"""The H-score: how far the classes' mean features lie apart, in units of the features' own spread.

[1] Bao, Li, Huang, Zhang, Zheng, Zamir and Guibas, An information-theoretic approach to transferability in task
transfer learning, ICIP 2019, doi 10.1109/ICIP.2019.8803726  [2] Ibrahim, Ponomareva and Mazumder, Newer is not always
better: rethinking transferability metrics, their peculiarities, stability and performance, arXiv 2110.06893 (2021)
[3] Ledoit and Wolf, Journal of Multivariate Analysis 88 (2004), doi 10.1016/S0047-259X(03)00096-4
"""

import numpy as np

from ..labels import as_classes, as_numbers


def h_score(features, labels, *, shrink: bool = True) -> float:
    """tr(cov(f)⁻¹ cov(E[f | y])) [1]; from 0 to the number of classes less 1, higher: the class means are better apart.

    Parameters
    ----------
    features: N×D, of N labelled target images.
    labels: int64 N.
    shrink: with it, cov(f) is (1 − α) cov(f) + α (tr cov(f) / D) I, its α that of Ledoit and Wolf [3], and the score is
        multiplied by 1 − α [2]. Without, cov(f)⁻¹ is the pseudo-inverse, and the score grows with the
        number of features: with N of them, or more, it is highest for any labels, even for drawn ones.

    Raises ValueError for shapes that do not match, features that are not finite or all the same, and labels of a single
    class.
    """
    from sklearn.covariance import ledoit_wolf

    f = as_numbers(features, "features", ndim=2)
    y = as_classes(labels, len(f))
    f = f - f.mean(0)
    if not f.any():
        raise ValueError("The features are the same for all images: look for a layer that has died.")
    means = np.stack([f[y == k].mean(0) for k in range(y.max() + 1)])[y]  # N×D, E[f | y] of each image
    between = means.T @ means / len(f)
    if not shrink:
        return float(np.trace(np.linalg.pinv(f.T @ f / len(f), hermitian=True) @ between))
    covariance, alpha = ledoit_wolf(f, assume_centered=True)
    return float((1 - alpha) * np.trace(np.linalg.solve(covariance, between)))
