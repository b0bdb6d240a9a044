"""Is it worth using? The net benefit of acting on a model, beside the two policies that need no model.

Whoever acts at a probability of ``threshold`` says thereby how many false alarms one found case is worth: at 10 % it
is nine. With this exchange rate the false alarms are taken off the found cases [1]. A model below *treat all* or
*treat none* (whose net benefit is 0) does harm at that threshold, however good its AUROC is.

[1] Vickers, Elkin, Decision curve analysis: a novel method for evaluating prediction models, Medical Decision Making
26 (2006), doi 10.1177/0272989X06295361  [2] Pauker, Kassirer, Therapeutic decision making: a cost-benefit analysis,
New England Journal of Medicine 293 (1975), doi 10.1056/NEJM197507312930505
"""

import numpy as np

from .intervals import Interval


def threshold_of_harms(false_alarm: float, missed: float) -> float:
    """The probability from which acting is right: ``false_alarm`` / (``false_alarm`` + ``missed``) [2].

    ``false_alarm`` is the harm of acting on somebody healthy, and ``missed`` that of not acting on somebody sick, in
    one unit of your choice: only their ratio counts. Raises ValueError unless both are finite and above 0.
    """
    if not (0 < false_alarm < float("inf") and 0 < missed < float("inf")):
        raise ValueError(f"The harms are {false_alarm} and {missed}: give two finite numbers above 0.")
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
    sick, act = _checked(sick, act, bool)
    _check_shares(threshold=threshold, prevalence=0.5 if prevalence is None else prevalence)
    prevalence = sick.mean() if prevalence is None else prevalence
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
    drawn cases.

    Parameters
    ----------
    sick: bool N. probability: float N, the predicted probability of the disease, *calibrated* where it will be used.
    prevalence: as in ``net_benefit``; None lets it vary with the drawn cases.
    groups: array N, e.g. the patients: whole groups are drawn. None: single cases are.
    level, resamples, seed: of the percentile intervals over test cases.

    Returns ``{"model": […], "treat all": […], "gain": […]}``, one ``Interval`` for each threshold. Raises ValueError
    as ``net_benefit`` does, and for probabilities outside 0..1.
    """
    sick, probability = _checked(sick, probability, float)
    thresholds = np.asarray(thresholds, float).ravel()
    if not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError(
            "Some probabilities are outside 0 to 1, or NaN: give predicted probabilities of the disease."
        )
    _check_shares(prevalence=0.5 if prevalence is None else prevalence, level=level)
    for threshold in thresholds:
        _check_shares(threshold=float(threshold))
    units = np.arange(len(sick)) if groups is None else np.unique(groups, return_inverse=True)[1]
    if units.shape != sick.shape:
        raise ValueError(f"There are {len(sick)} cases and {units.size} groups: give one group for each case.")
    rng, n_units = np.random.default_rng(seed), units.max() + 1
    found = _curves(sick, probability, thresholds, prevalence, np.ones(len(sick)))
    drawn = []
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


def _checked(sick, values, kind) -> tuple[np.ndarray, np.ndarray]:
    sick, values = np.asarray(sick, bool), np.asarray(values, kind)
    if sick.ndim != 1 or sick.shape != values.shape:
        raise ValueError(f"There are {sick.shape} cases and {values.shape} answers: give N of each, in one row.")
    if sick.all() or not sick.any():
        raise ValueError("All cases are of one class, and a net benefit needs both: add cases of the other class.")
    return sick, values


def _check_shares(**shares: float) -> None:
    for name, share in shares.items():
        if not 0 < share < 1:
            raise ValueError(f"The {name} is {share}: give a share between 0 and 1, like 0.1.")
