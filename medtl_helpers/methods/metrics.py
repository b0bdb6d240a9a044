"""Accuracy, recall, precision, F1 and AUROC with intervals over test cases that never have a width of zero by luck."""

import numpy as np
from sklearn import metrics as sk

from ..labels import as_labels, as_probabilities, as_share
from ..parts import check_whole
from .intervals import Interval, proportion
from .operating_point import KIND, shares_of


def bootstrap_metrics(
    y, probability, *, positive: int | None = None, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> dict[str, Interval]:
    """Accuracy, balanced accuracy, recall, precision, F1 and AUROC with stratified bootstrap intervals.

    Parameters
    ----------
    y: int array N, the true classes.
    probability: float array N×K, the predicted probability of each class; the highest is the prediction.
    positive: the class that recall, precision, F1 and AUROC are about. None (more than two classes): the mean over
        classes (macro), AUROC one against the rest.
    level, resamples, seed: of the percentile interval; resampling keeps the number of cases of each class.

    Where all cases of a class got the same answer, such as 20 of 20 found, resampling knows no other answer and would
    call it certain. Then the limits are Wilson's, joined by square and add (``operating_point.shares_of``), and those
    of an AUROC of exactly 0 or 1 are Clopper and Pearson's for as many pairs as the smaller class has cases.

    Raises ValueError for shapes that do not match, labels that are no whole numbers, probabilities that are none, and
    where a metric is not defined: for fewer than two classes, or a class without a test case.
    """
    probability, level = as_probabilities(probability, sums=False), as_share(level, "level")
    n_classes = probability.shape[1]
    y = as_labels(y, len(probability), n_classes)
    check_whole(resamples, "resamples", least=1)
    check_whole(seed, "seed", least=0)
    if positive is not None:
        check_whole(positive, "positive")
        if positive not in range(n_classes):
            raise ValueError(f"positive={positive!r} is none of the classes 0 to {n_classes - 1}: give one of these.")
    per_class = np.bincount(y)
    rng = np.random.default_rng(seed)
    predicted = probability.argmax(1)
    shown = [positive] if positive is not None else range(n_classes)

    # Resampling the cases of one class changes only how often each prediction occurs: a multinomial draw.
    confusion = sk.confusion_matrix(y, predicted, labels=range(n_classes))
    drawn = np.stack([rng.multinomial(row.sum(), row / row.sum(), resamples) for row in confusion], axis=1)
    samples = _from_confusion(drawn, shown)
    weights = np.zeros((resamples, len(y)))
    for k in range(n_classes):
        weights[:, y == k] = rng.multinomial(per_class[k], np.full(per_class[k], 1 / per_class[k]), resamples)
    samples["auroc"] = np.mean([weighted_auroc(y == k, probability[:, k], weights) for k in shown], axis=0)

    average = {"labels": list(shown), "average": "macro", "zero_division": 0}
    values = {
        "accuracy": sk.accuracy_score(y, predicted),
        "balanced accuracy": sk.balanced_accuracy_score(y, predicted),
        "recall": sk.recall_score(y, predicted, **average),
        "precision": sk.precision_score(y, predicted, **average),
        "F1": sk.f1_score(y, predicted, **average),
        "auroc": np.mean([sk.roc_auc_score(y == k, probability[:, k]) for k in shown]),
    }
    tail = (1 - level) / 2
    bounds = {name: np.quantile(samples[name], [tail, 1 - tail]) for name in values}
    kinds = dict.fromkeys(values, "stratified bootstrap over test cases")
    if (confusion.max(1) == per_class).any():
        exact = shares_of(confusion, list(shown), level)
        bounds, kinds = bounds | exact, kinds | dict.fromkeys(exact, KIND)
    if values["auroc"] in (0, 1):
        pairs = int(min(min(per_class[k], len(y) - per_class[k]) for k in shown))
        edge = proportion(round(values["auroc"]) * pairs, pairs, method="clopper-pearson", level=level)
        bounds["auroc"], kinds["auroc"] = (edge.low, edge.high), edge.kind
    return {
        name: Interval(float(value), float(bounds[name][0]), float(bounds[name][1]), kinds[name], len(y), level)
        for name, value in values.items()
    }


def _from_confusion(confusion, shown) -> dict[str, np.ndarray]:
    """The threshold metrics of B confusion matrices B×K×K (rows: true class)."""
    hits = np.diagonal(confusion, axis1=1, axis2=2).astype(float)  # B×K
    true, predicted = confusion.sum(2), confusion.sum(1)
    recall, precision = hits / true, hits / np.maximum(predicted, 1)
    f1 = 2 * hits / (true + predicted)
    return {
        "accuracy": hits.sum(1) / true.sum(1),
        "balanced accuracy": recall.mean(1),
        "recall": recall[:, shown].mean(1),
        "precision": precision[:, shown].mean(1),
        "F1": f1[:, shown].mean(1),
    }


def weighted_auroc(is_positive, score, weights) -> np.ndarray:
    """Area under the ROC curve for each row of ``weights`` (B×N): how often a positive case outscores a negative one.

    Ties count one half (Mann-Whitney); equal to scikit-learn's ``roc_auc_score`` with ``sample_weight``.
    """
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) > 0])  # where a new score begins
    positives = np.add.reduceat(weights[:, order] * is_positive[order], starts, axis=1)
    negatives = np.add.reduceat(weights[:, order] * ~is_positive[order], starts, axis=1)
    below = negatives.cumsum(1) - negatives
    return (positives * (below + negatives / 2)).sum(1) / (positives.sum(1) * negatives.sum(1))
