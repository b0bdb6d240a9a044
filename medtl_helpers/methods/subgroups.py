"""Subgroups: each score group by group, and what it means that somebody looked for the worst one.

A mean over all patients hides a group that is small. But who looks at many small groups always finds a bad one: the
worst of several equal groups is bad by chance. So its interval allows for having been picked (Bonferroni's level), and
beside it stands what the worst would be if the groups meant nothing (a permutation of the patients' groups).

[1] Oakden-Rayner, Dunnmon, Carneiro, Ré, Hidden stratification causes clinically meaningful failures in machine
learning for medical imaging, ACM CHIL 2020, doi 10.1145/3368555.3384468  [2] Phipson, Smyth, Permutation p-values
should never be zero, Statistical Applications in Genetics and Molecular Biology 9 (2010), doi 10.2202/1544-6115.1585
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..labels import as_groups, as_labels, as_probabilities, as_share
from ..parts import check_choice
from .intervals import Interval
from .metrics import weighted_auroc
from .patient_units import patient_metrics


def _found(y, p, weights) -> np.ndarray:
    right = (p[:, 1] > 0.5) == y
    return np.mean([weights[:, y == k] @ right[y == k] / weights[:, y == k].sum(1) for k in (0, 1)], 0)


SCORES: dict[str, Callable] = {  # of labels, probabilities N×2 and weights R×N: R numbers, of which more is better
    "AUROC": lambda y, p, w: weighted_auroc(y == 1, p[:, 1], w),
    "accuracy": lambda y, p, w: w @ ((p[:, 1] > 0.5) == y) / w.sum(1),
    "balanced accuracy": _found,
    "log loss": lambda y, p, w: w @ np.log(p[np.arange(len(y)), y].clip(1e-12)) / w.sum(1),  # minus the loss
}


class WorstGroup(NamedTuple):
    """The group with the worst score; ``interval`` allows for its having been picked among all groups.

    ``by_chance`` is what the worst score would be on average if the groups meant nothing, and ``p`` how often it would
    be as bad as this or worse.
    """

    name: Any
    interval: Interval
    by_chance: float
    p: float


def by_group(
    y, probability, groups, patients=None, *, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> dict[Any, dict[str, Interval]]:
    """``patient_metrics`` of each group, with class 1 as the disease: ``found["dense"]["AUROC"]``.

    Parameters
    ----------
    y: N, 0 or 1. probability: float N×2. groups: N names, e.g. of tissue, device or sex.
    patients: N names, of whom whole ones are drawn; None: each case is a patient.
    level, resamples, seed: of the intervals.

    Raises ValueError as ``patient_metrics`` does, and with its name for a group that lacks a class.
    """
    y, p, names, which = _checked(y, probability, groups)
    units = np.arange(len(y)) if patients is None else as_groups(patients, len(y), "patients")

    def of(here) -> dict[str, Interval]:
        return patient_metrics(y[here], p[here], units[here], positive=1, level=level, resamples=resamples, seed=seed)

    return {name: of(which == k) for k, name in enumerate(names)}


def worst_group(
    y,
    probability,
    groups,
    patients=None,
    *,
    score: str = "AUROC",
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> WorstGroup:
    """The group with the lowest ``score`` (of the log loss: the highest), told as ``WorstGroup`` says.

    Arguments and errors as for ``by_group``, and ``score`` is one of ``SCORES``. For the permutation every patient
    keeps the disease, and the groups are dealt anew among the patients with the same disease.
    """
    check_choice(score, "The score", SCORES)
    y, p, names, which = _checked(y, probability, groups)
    units = np.arange(len(y)) if patients is None else as_groups(patients, len(y), "patients")
    first = np.unique(units, return_index=True)[1]  # a row of each patient
    group = which[first]
    if len(names) < 2 or (group[units] != which).any():
        raise ValueError(f"There are {len(names)} groups: give two or more, and every patient with all images in one.")
    corrected = 1 - (1 - as_share(level, "level")) / len(names)
    found = by_group(y, p, groups, patients, level=corrected, resamples=resamples, seed=seed)

    sick, rng = np.zeros(len(first), bool), np.random.default_rng(seed)
    np.logical_or.at(sick, units, y > 0)  # in any image
    dealt = np.tile(group, (1 + resamples, 1))  # the first row as it is, the others dealt anew
    for row in dealt[1:]:
        for kind in (sick, ~sick):
            row[kind] = rng.permutation(row[kind])
    dealt = dealt[:, units]
    each = np.stack([SCORES[score](y, p, (dealt == k).astype(float)) for k in range(len(names))], 1)
    worst, name = each.min(1), names[int(each[0].argmin())]
    p_value = (1 + (worst[1:] <= worst[0]).sum()) / (1 + resamples)
    by_chance = worst[1:].mean() * (-1 if score == "log loss" else 1)
    return WorstGroup(name, found[name][score], float(by_chance), float(p_value))


def _checked(y, probability, groups):
    p = as_probabilities(probability)
    y = as_labels(y, len(p), 2)
    if p.shape[1] != 2:
        raise ValueError(
            f"There are {p.shape[1]} classes: give the probabilities of two, N×2, of which 1 is the disease."
        )
    which = as_groups(groups, len(y))
    names = np.unique(np.asarray(groups)).tolist()
    for k, name in enumerate(names):
        if len(np.unique(y[which == k])) < 2:
            raise ValueError(f"The group {name!r} lacks a class, so no score of it is known: join it with another one.")
    return y, p, names, which
