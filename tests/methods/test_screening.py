"""Rankings with rare hits: against scikit-learn, rdkit, all orders of ties written out, and what chance gives."""

import itertools

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from medtl_helpers.methods.screening import average_precision, enrichment, screening_metrics


def ranking(seed: int, n: int = 400, share: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Hits and scores that know something of them, all different."""
    rng = np.random.default_rng(seed)
    y = rng.random(n) < share
    return y, rng.normal(size=n) + 1.5 * y


@pytest.mark.parametrize("seed", range(3))
def test_without_ties_it_is_what_scikit_learn_says(seed):
    y, score = ranking(seed)
    assert average_precision(y, score) == pytest.approx(average_precision_score(y, score), abs=1e-12)
    found = screening_metrics(y, score, resamples=2)
    assert found["AUROC"].value == pytest.approx(roc_auc_score(y, score), abs=1e-12)
    first = np.argsort(-score)[:4]
    assert enrichment(y, score) == pytest.approx(y[first].mean() / y.mean(), abs=1e-12)


def test_enrichment_is_that_of_rdkit():
    scoring = pytest.importorskip("rdkit.ML.Scoring.Scoring")
    for seed, fraction in itertools.product(range(4), (0.01, 0.05, 0.1)):
        y, score = ranking(seed, 200 + 37 * seed)
        table = [[-s, hit] for s, hit in sorted(zip(-score, y, strict=True))]
        wanted = scoring.CalcEnrichment(table, 1, [fraction])[0]
        assert enrichment(y, score, fraction) == pytest.approx(wanted, rel=1e-9), (seed, fraction)


def by_all_orders(y, score, one) -> float:
    """The mean of ``one(hits in this order)`` over all orders that the scores allow: every order of all, filtered."""
    values = []
    for order in itertools.permutations(range(len(y))):
        ranked = [score[k] for k in order]
        if ranked == sorted(ranked, reverse=True):
            values.append(one(np.array([y[k] for k in order], float)))
    return float(np.mean(values))


def precision_by_hand(hits) -> float:
    return float(np.mean([hits[: k + 1].mean() for k in range(len(hits)) if hits[k]]))


@pytest.mark.parametrize(
    ("y", "score"),
    [
        ([1, 0, 0, 1, 0, 1, 0], [3, 3, 3, 2, 2, 1, 1]),
        ([0, 1, 1, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0]),
        ([1, 1, 0, 0, 0, 0, 0], [5, 4, 4, 4, 4, 1, 0]),
    ],
)
def test_ties_count_as_the_mean_over_all_their_orders(y, score):
    assert average_precision(y, score) == pytest.approx(by_all_orders(y, score, precision_by_hand), abs=1e-12)
    for first in (1, 2, 3, 5):
        wanted = by_all_orders(y, score, lambda hits, first=first: hits[:first].mean() / np.mean(y))
        assert enrichment(y, score, first / len(y)) == pytest.approx(wanted, abs=1e-12)


def test_chance_is_a_constant_score_and_the_best_puts_all_hits_first():
    y, _ = ranking(5, 1000, 0.03)
    assert enrichment(y, np.zeros(1000)) == pytest.approx(1)
    by_chance = screening_metrics(y, np.arange(1000), resamples=2)["average precision by chance"].value
    rng = np.random.default_rng(0)
    drawn = [average_precision_score(y, rng.random(1000)) for _ in range(3000)]
    assert by_chance == pytest.approx(np.mean(drawn), abs=4 * np.std(drawn) / np.sqrt(3000)) and by_chance > y.mean()
    assert average_precision(y, y) == 1
    assert enrichment(y, y) == pytest.approx(1 / y.mean())


def test_the_list_is_rounded_up_but_not_by_the_rounding_of_a_computer():
    y, score = np.arange(100) < 7, -np.arange(100.0)
    assert enrichment(y, score, 0.07) == pytest.approx(1 / 0.07)  # 0.07 · 100 = 7.000000000000001
    assert enrichment(y, score, 0.071) == pytest.approx(7 / 8 / 0.07)


def test_groups_that_are_copies_widen_the_interval():
    y, score = ranking(7, 120, 0.3)
    copies = np.repeat(np.arange(120), 4)
    wide = screening_metrics(y[copies], score[copies], copies, resamples=300)["AUROC"]
    narrow = screening_metrics(y[copies], score[copies], resamples=300)["AUROC"]
    alone = screening_metrics(y, score, resamples=300)["AUROC"]
    assert wide.value == pytest.approx(narrow.value) == pytest.approx(alone.value)
    assert wide.high - wide.low == pytest.approx(alone.high - alone.low, rel=0.25)
    assert wide.high - wide.low > 1.6 * (narrow.high - narrow.low)
    assert (wide.kind, wide.n) == ("bootstrap over 120 groups", 480)


def test_what_does_not_fit_is_told():
    with pytest.raises(ValueError, match="both are needed"):
        enrichment([0, 0, 0], [1.0, 2, 3])
    with pytest.raises(ValueError, match="one for each case"):
        average_precision([0, 1], [1.0, 2, 3])
    with pytest.raises(ValueError, match=r"fraction is 1\.5"):
        enrichment([0, 1, 0], [1.0, 2, 3], 1.5)
    with pytest.raises(ValueError, match="not finite"):
        average_precision([0, 1, 0], [1.0, np.nan, 3])
    with pytest.raises(ValueError, match="groups"):
        screening_metrics([0, 1, 0], [1.0, 2, 3], [1, 2])
