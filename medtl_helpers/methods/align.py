"""Losses that compare the features of two domains, to make them alike without a target label; and CORAL by one map.

=============== ======================================= ==============================================================
what            is compared                             paper
=============== ======================================= ==============================================================
``coral``       covariances, once, after training       Sun, Feng, Saenko, AAAI 2016, algorithm 1 [1]
``coral_loss``  covariances, in each batch              Sun and Saenko, Deep CORAL, ECCV workshops 2016, equation 1 [2]
``mmd_loss``    all moments, by Gaussian kernels        Gretton et al., JMLR 13 (2012), equation 5 [3]; in a network:
                                                        Long et al., ICML 2015 [4]
=============== ======================================= ==============================================================

``fit_aligned`` (``aligned_training.py``) trains a network with one of the losses. They see how the features of a batch
are spread, and no class: where the classes are not equally frequent in both domains, alike features are wrong ones.

[1] arXiv 1511.05547  [2] arXiv 1607.01719  [3] jmlr.org/papers/v13/gretton12a.html  [4] arXiv 1502.02791
"""

import torch
from torch import Tensor

from .. import guards
from ..labels import as_numbers
from ..parts import check_rate

WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)


def coral(source, target, *, ridge: float = 1.0) -> Tensor:
    """The ``source`` features N×D, whitened by their own covariance and coloured by that of ``target`` M×D [1].

    Train a classifier on what is returned, N×D in the type of ``source``, and use it on the target's features as they
    are. The formula is D_S C_S^(−1/2) C_T^(1/2) with C = cov(D) + ``ridge`` · I (algorithm 1, where the ridge is 1).
    There the columns of each domain have mean 0; here the source's mean is taken away first, and the target's given.
    The ridge assumes columns that vary by about 1: standardise both domains alike, or give a smaller one.

    Raises ValueError for features that do not fit together or are not finite, for a single example, and, where the
    ridge is 0, for columns of the source that depend on each other.
    """
    check_rate(ridge, "ridge")
    source, target = _two(source, target, rows=2)
    given, (source, target) = source.dtype, (source.double(), target.double())
    if not (source.isfinite().all() and target.isfinite().all()):
        raise ValueError("The features of source or target are not all finite numbers: look for NaN in the inputs.")
    eye = torch.eye(source.shape[1], dtype=source.dtype, device=source.device)
    c_s, c_t = (_covariance(x) + ridge * eye for x in (source, target))
    (values_s, vectors_s), (values_t, vectors_t) = torch.linalg.eigh(c_s), torch.linalg.eigh(c_t)
    if values_s[0] <= 1e-10 * values_s[-1]:
        raise ValueError(
            "The columns of the source's features depend on each other, so they cannot be whitened: give a ridge above "
            "0, or fewer columns."
        )
    whiten = vectors_s @ values_s.rsqrt().diag() @ vectors_s.T
    colour = vectors_t @ values_t.clamp_min(0).sqrt().diag() @ vectors_t.T
    return ((source - source.mean(0)) @ whiten @ colour + target.mean(0)).to(given)


def coral_loss(source, target) -> Tensor:
    """‖C_S − C_T‖² / (4 D²), with the covariances of the features N×D and M×D: a scalar with a gradient ([2], 1 to 3).

    Raises ValueError for features that do not fit together, and for a single example, which has no covariance.
    """
    source, target = _two(source, target, rows=2)
    return (_covariance(source) - _covariance(target)).square().sum() / (4 * source.shape[1] ** 2)


def mmd_loss(source, target, *, widths=WIDTHS) -> Tensor:
    """The squared maximum mean discrepancy of features N×D and M×D: a scalar of 0 or above, with a gradient.

    It is the mean of k(s, s′) plus that of k(t, t′) less twice that of k(s, t), over all pairs of examples ([3], the
    square of equation 5), with k the mean of the Gaussian kernels exp(−‖a − b‖² / (width · γ)), one for each of
    ``widths``. γ is the median of ‖a − b‖² over all pairs of the two sets, as in [4], and counts as a constant in the
    gradient. Raises ValueError for features that do not fit together, and for widths that are not above 0.
    """
    source, target = _two(source, target, rows=1)
    factors = as_numbers(widths, "widths")
    if factors.min() <= 0:
        raise ValueError(f"The widths are {factors.tolist()}: give numbers above 0, factors of the median distance.")
    joint, n = torch.cat([source, target]), len(source)
    squares = torch.cdist(joint, joint, compute_mode="donot_use_mm_for_euclid_dist").square()
    pairs = torch.triu_indices(len(joint), len(joint), 1, device=joint.device)
    median = squares.detach()[pairs[0], pairs[1]].median().clamp_min(torch.finfo(squares.dtype).tiny)
    kernel = torch.stack([(-squares / (float(factor) * median)).exp() for factor in factors]).mean(0)
    return kernel[:n, :n].mean() + kernel[n:, n:].mean() - 2 * kernel[:n, n:].mean()


def _covariance(x: Tensor) -> Tensor:
    """D×D, of rows N×D, with N − 1 in the denominator ([2], equations 2 and 3)."""
    centred = x - x.mean(0)
    return centred.T @ centred / (len(x) - 1)


def _two(source, target, rows: int) -> tuple[Tensor, Tensor]:
    source = guards.as_rows(source, "features of the source", rows=rows)
    target = guards.as_rows(target, "features of the target", rows=rows)
    if source.shape[1] != target.shape[1]:
        raise ValueError(
            f"The source has {source.shape[1]} features, the target {target.shape[1]}: give what the same network "
            "makes of both."
        )
    return source, target
