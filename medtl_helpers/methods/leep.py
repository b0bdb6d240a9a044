"""LEEP and N-LEEP: how well the source's answers, only read anew, would already name the target's classes.

[1] Nguyen, Hassner, Seeger and Archambeau, LEEP: a new measure to evaluate transferability of learned representations,
ICML 2020, arXiv 2002.12462  [2] Li, Jia, Sang, Zhu, Green, Wang and Gong, Ranking neural checkpoints, CVPR 2021,
arXiv 2011.11200
"""

import warnings

import numpy as np

from ..labels import as_classes, as_numbers, as_probabilities
from ..parts import check_whole

ENERGY = 0.8  # of the features' variance, which the principal components keep [2]
PER_CLASS = 5  # Gaussian components for each class of the target [2]


def leep(probability, labels) -> float:
    """The mean log-likelihood (nats) of the labels under the expected empirical predictor [1]; higher is better.

    Parameters
    ----------
    probability: float N×Z, what the source model answers to N labelled target images, its softmax over *source*
        classes.
    labels: int64 N, of the target.

    The answers θ(x)_z give the table P(y | z), how often the target's label is y where the source says z. The predictor
    is Σ_z P(y | z) θ(x)_z, and LEEP is the mean log of what it gives the true label (section 3 of [1]). Nothing is
    trained. It is at most 0; a source that answers the same to all images gets minus the entropy of the labels. Raises
    ValueError for rows that are no probabilities, shapes that do not match, and labels of a single class.
    """
    theta = as_probabilities(probability, "source probabilities")
    return _leep(theta / theta.sum(1, keepdims=True), as_classes(labels, len(theta)))


def n_leep(features, labels, *, components: int | None = None, seed: int = 0) -> float:
    """LEEP with the components of a Gaussian mixture in the place of source classes [2], so that no head is needed.

    Parameters
    ----------
    features: N×D, of N labelled target images: their principal components that hold 80 % of the variance are kept.
    labels: int64 N.
    components: of the mixture; None: five for each class, or fewer where there are not more images than that.
    seed: where the fit of the mixture starts.

    P(z | x) are the mixture's posteriors, and the rest is LEEP. With few images for each component the mixture begins
    to know them by heart, and the score rises for any features, even for noise: compare sources on the same images, and
    have some tens of images a component. Raises ValueError for features that are not finite or all the same, shapes
    that do not match, labels of a single class, and more components than images.
    """
    from sklearn.decomposition import PCA
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    f = as_numbers(features, "features", ndim=2)
    y = as_classes(labels, len(f))
    check_whole(seed, "seed", least=0)
    if components is None:
        classes = int(y.max()) + 1
        components = max(1, min(PER_CLASS, (len(f) - 1) // classes)) * classes
    check_whole(components, "components", least=2)
    if components > len(f):
        raise ValueError(
            f"There are {len(f)} images for {components} components: give more images or fewer components."
        )
    if not np.ptp(f, axis=0).any():
        raise ValueError("The features are the same for all images: look for a layer that has died.")
    kept = PCA(ENERGY, svd_solver="full").fit_transform(f)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a mixture that still moves a little is as good
        mixture = GaussianMixture(components, random_state=seed).fit(kept)
    return _leep(mixture.predict_proba(kept), y)


def _leep(theta: np.ndarray, y: np.ndarray) -> float:
    """LEEP of checked answers N×Z and classes N."""
    one_hot = np.eye(y.max() + 1)[y]  # N×K
    joint = one_hot.T @ theta / len(y)  # P(y, z)
    conditional = joint / np.maximum(joint.sum(0), 1e-300)  # P(y | z); of what the source never says, 0
    return min(0.0, float(np.log(((theta @ conditional.T) * one_hot).sum(1)).mean()))  # 0 but for rounding
