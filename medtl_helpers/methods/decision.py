"""Is it worth using? The net benefit of acting on a model, beside the two policies that need no model.

Whoever acts at a probability of ``threshold`` says thereby how many false alarms one found case is worth: at 10 % it
is nine. With this exchange rate the false alarms are taken off the found cases [1]. A model below *treat all* or
*treat none* (whose net benefit is 0) does harm at that threshold, however good its AUROC is.

[1] Vickers, Elkin, Decision curve analysis: a novel method for evaluating prediction models, Medical Decision Making
26 (2006), doi 10.1177/0272989X06295361  [2] Pauker, Kassirer, Therapeutic decision making: a cost-benefit analysis,
New England Journal of Medicine 293 (1975), doi 10.1056/NEJM197507312930505
"""

import numpy as np

from ..labels import as_array, as_groups, as_numbers, as_probabilities, as_share, as_yes_no
from ..parts import check_rate, check_whole
from .intervals import Interval


def threshold_of_harms(false_alarm: float, missed: float) -> float:
    """The probability from which acting is right: ``false_alarm`` / (``false_alarm`` + ``missed``) [2].

    ``false_alarm`` is the harm of acting on somebody healthy, and ``missed`` that of not acting on somebody sick, in
    one unit of your choice: only their ratio counts. Raises ValueError unless both are finite and above 0.
    """
    check_rate(false_alarm, "false_alarm", above=True)
    check_rate(missed, "missed", above=True)
    return false_alarm / (false_alarm + missed)


def net_benefit(sick, act, threshold: float, *, prevalence: float | None = None) -> float:
    """Found cases per patient, less the false alarms at the exchange rate of ``threshold``: [1], equation 1.

    π · sensitivity − (1 − π) · (1 − specificity) · threshold / (1 − threshold), with π the prevalence; among these
    cases that is (true positives − false positives · threshold / (1 − threshold)) / N.

    Parameters
    ----------
    sick: bool N, who has the disease. act: bool N, on whom one acts, e.g. ``probability >= threshold``.
    threshold: above 0 and below 1.
    prevalence: how common the disease is where one will act; None: as common as among these cases.

    Raises ValueError for shapes that differ, for shares outside 0..1, and where everybody is sick or healthy.
    """
    act = as_yes_no(act, None, "acts", both=False)
    sick, threshold = as_yes_no(sick, len(act), "sick cases"), as_share(threshold, "threshold")
    prevalence = sick.mean() if prevalence is None else as_share(prevalence, "prevalence")
    false_alarms = (1 - prevalence) * act[~sick].mean()
    return float(prevalence * act[sick].mean() - false_alarms * threshold / (1 - threshold))


def decision_curve(
    sick,
    probability,
    thresholds,
    *,
    prevalence: float | None = None,
    groups=None,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, list[Interval]]:
    """Net benefit at each of the ``thresholds``: of the model, of treating all, and of the model minus the better of
    treating all and treating nobody.

    The third is what the model itself adds. Its interval is that of a paired difference: both policies meet the same
    drawn cases. Where a model makes no error at a threshold, no drawn case shows one, and its intervals there are too
    narrow: ``proportion`` says how many errors as many cases may hide.

    Parameters
    ----------
    sick: bool N. probability: float N, the predicted probability of the disease, *calibrated* where it will be used.
    prevalence: as in ``net_benefit``; None lets it vary with the drawn cases.
    groups: array N, e.g. the patients: whole groups are drawn. None: single cases are.
    level, resamples, seed: of the percentile intervals over test cases.

    Returns ``{"model": […], "treat all": […], "gain": […]}``, one ``Interval`` for each threshold. Raises ValueError
    as ``net_benefit`` does, and for probabilities outside 0..1.
    """
    probability, level = as_probabilities(probability, ndim=1), as_share(level, "level")
    sick = as_yes_no(sick, len(probability), "sick cases")
    thresholds = as_numbers(as_array(thresholds, "thresholds").ravel(), "thresholds")
    for one in thresholds:
        as_share(one, "threshold")
    prevalence = None if prevalence is None else as_share(prevalence, "prevalence")
    check_whole(resamples, "resamples", least=1)
    check_whole(seed, "seed", least=0)
    units = np.arange(len(sick)) if groups is None else as_groups(groups, len(sick))
    rng, n_units = np.random.default_rng(seed), units.max() + 1
    found = _curves(sick, probability, thresholds, prevalence, np.ones(len(sick)))
    drawn: list[np.ndarray] = []
    while len(drawn) < resamples:
        weights = np.bincount(rng.integers(n_units, size=n_units), minlength=n_units)[units]
        if weights[sick].any() and weights[~sick].any():
            drawn.append(_curves(sick, probability, thresholds, prevalence, weights))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    kind = f"bootstrap over test {'cases' if groups is None else 'groups'}"
    return {
        name: [
            Interval(float(v), float(a), float(b), kind, int(n_units), level)
            for v, a, b in zip(found[k], low[k], high[k], strict=True)
        ]
        for k, name in enumerate(("model", "treat all", "gain"))
    }


def _curves(sick, probability, thresholds, prevalence, weights) -> np.ndarray:
    """3×T: net benefit of the model, of treating all, and the gain over the better policy without a model."""
    share = np.average(sick, weights=weights) if prevalence is None else prevalence
    odds = thresholds / (1 - thresholds)

    def acting(rows):
        return np.average(probability[rows, None] >= thresholds, axis=0, weights=weights[rows])

    model = share * acting(sick) - (1 - share) * acting(~sick) * odds
    treat_all = share - (1 - share) * odds
    return np.stack([model, treat_all, model - np.maximum(treat_all, 0)])
