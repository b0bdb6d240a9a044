"""What lesson 05 and its benchmark share: how far apart two domains lie, and the comparisons written down before."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ...methods.intervals import Interval, corrected_t, holm, t_interval, t_test
from ...teaching.records import Record

MARGIN = 0.02
BOTH = {"shift": "scanners B and C", "strength": 0.5}
WAVES = {"shift": "texture", "strength": 0.6}
MIXED = {"shift": "waves and label shift", "strength": 0.8}
SMEARS = {  # the secondary comparisons on phantoms: ours, theirs, score, where
    "adversary": ("DANN", "λ = 0", "accuracy", BOTH),
    "on top of AdaBN": ("DANN, then AdaBN", "AdaBN", "accuracy", BOTH),
    "waves": ("DANN", "AdaBN", "accuracy", WAVES),
    "label shift": ("DANN", "source only", "balanced accuracy", MIXED),
    "re-sampled": ("DANN, source re-sampled", "DANN", "balanced accuracy", MIXED),
}


class Comparison(NamedTuple):
    """A secondary comparison: its interval, and Holm's p-value against the margin."""

    interval: Interval
    p: float

    @property
    def settled(self) -> int:
        """1 or −1: the difference lies beyond the margin, above or below; 0: undecided."""
        if self.p >= 0.05:
            return 0
        return int(self.interval.low > MARGIN) - int(self.interval.high < -MARGIN)


def secondary(smears: Record, hospitals: Record) -> dict[str, Comparison]:
    """The six secondary comparisons of ``benchmarks/dann.py``; their p-values are corrected together."""
    shares = {name: 0.0 for name in SMEARS}
    found = {
        name: smears.scores(ours, score, **where) - smears.scores(theirs, score, **where)
        for name, (ours, theirs, score, where) in SMEARS.items()
    }
    pairs = [dict(zip(("source", "target"), pair, strict=True)) for pair in hospitals.values("source", "target")]
    shares["hospitals"] = hospitals.row("DANN", **pairs[0])["test share"]
    ways = ("DANN", "source only, z-scored")
    ours, theirs = (sum(hospitals.scores(way, "balanced accuracy", **pair) for pair in pairs) for way in ways)
    found["hospitals"] = (ours - theirs) / len(pairs)
    p_values = [_beyond_margin(values, shares[name]) for name, values in found.items()]
    return {
        name: Comparison(corrected_t(values, shares[name]) if shares[name] else t_interval(values), p)
        for (name, values), p in zip(found.items(), holm(p_values), strict=True)
    }


def _beyond_margin(differences, share: float) -> float:
    """p-value of "the mean lies at the margin", on the side where it lies; 1 within the margin."""
    mean = float(differences.mean())
    return 1.0 if abs(mean) <= MARGIN else t_test(differences, math.copysign(MARGIN, mean), test_share=share)


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
