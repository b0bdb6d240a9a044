"""How far apart two domains lie in the features of a network: two measures that do not saturate."""

import torch
import torch.nn.functional as F
from torch import Tensor


def class_gap(source: Tensor, target: Tensor, source_y: Tensor, target_y: Tensor) -> float:
    """Mean distance of a class's two centres, in units of the mean distance of two classes in the source.

    ``source`` and ``target`` are features N×D. The labels of test images describe here; they choose nothing.
    """
    classes = source_y.unique()
    here = torch.stack([source[source_y == k].mean(0) for k in classes])
    there = torch.stack([target[target_y == k].mean(0) for k in classes])
    return float((here - there).norm(dim=1).mean() / F.pdist(here).mean())


def mmd(source: Tensor, target: Tensor) -> float:
    """Unbiased squared maximum mean discrepancy of features N×D and M×D (Gretton et al., JMLR 13, 2012, equation 3).

    The kernel is Gaussian, and its width the median distance of all features. 0 is chance; it may fall a little below.
    """
    both = torch.cat([source, target]).double()
    distances = torch.cdist(both, both).square()
    kernel = (-distances / distances[distances > 0].median()).exp()
    n, m = len(source), len(target)
    within = (kernel[:n, :n].sum() - n) / (n * (n - 1)) + (kernel[n:, n:].sum() - m) / (m * (m - 1))
    return float(within - 2 * kernel[:n, n:].mean())
