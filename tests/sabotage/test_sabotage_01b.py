"""Each claim of notebook 01b must fail when its method is broken: here each one is broken."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from replay import Sabotage, broken

import medtl_helpers as mtl
from medtl_helpers.lessons.hospitals import experiment as hospitals
from medtl_helpers.methods.losses import snapshot

IMBALANCE = ("The hospitals", "The experiment", "Choosing", "Imbalance")

ROWS = [
    Sabotage(
        "No Swiss cholesterol was measured",
        '"va", "switzerland")',
        '"va", "hungary")',
        ("The hospitals",),
    ),
    Sabotage(
        "Cleveland's untouched model serves Hungary better",
        "difference, margin = draws.primary,",
        'difference, margin = draws.over_splits(ways[1], ways[1], ways[2], **asked["where"]),',
        ("What it",),
        recorded=True,
    ),
    Sabotage(
        "Recalibrating the intercept sets the mean probability right",
        "a = recalibrate_intercept(said, drawn.y)",
        "a = 1 + recalibrate_intercept(said, drawn.y)",
        ("The hospitals", "The experiment", "What to try"),
    ),
    Sabotage(
        "z-scoring makes the untouched model worse",
        '(hospitals.Z_SCORED, "va"))',
        '(hospitals.INTERCEPT, "va"))',
        ("What is settled",),
        recorded=True,
    ),
    Sabotage(
        "Weight 3 and showing a case three times",
        "sick, sick])",
        "sick, sick, sick])",
        IMBALANCE,
    ),
    Sabotage(
        "weights buy recall with precision",
        "heart_report(3.0)",
        "heart_report(1.0)",
        IMBALANCE,
    ),
]

outcomes, test_live_claims, test_recorded_claims, test_each_cell_runs_again = broken("01b_between_hospitals", ROWS)


# --- the recorded claims: break the method itself and run a few cells of the benchmark again --------------------------


@pytest.fixture(autouse=True)
def twins(monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")


def beyond_ten_labels(source, target, seeds=range(3)) -> np.ndarray:
    """Source only minus target only in log loss, with one draw of ten labels for each split."""
    found = [hospitals.over_draws(source, target, 10, seed, draws=1) for seed in seeds]
    return np.array([one[hospitals.SOURCE_ONLY]["log loss"] - one[hospitals.FREE]["log loss"] for one in found])


@pytest.mark.slow
def test_a_source_with_shuffled_labels_is_not_better_than_ten_labels():
    task, target = mtl.load("heart", site="cleveland"), mtl.load("heart", site="hungary")
    shuffled = hospitals.train_source(task)
    order = torch.randperm(len(shuffled.y), generator=torch.Generator().manual_seed(0))
    shuffled.y, shuffled.model = shuffled.y[order], hospitals.new_model()
    mtl.minimise(lambda: F.cross_entropy(shuffled.model(shuffled.x), shuffled.y), shuffled.model.parameters())
    with_shuffled, with_true = (
        beyond_ten_labels(source, target) for source in (shuffled, hospitals.train_source(task))
    )
    assert mtl.t_interval(with_shuffled).high > -hospitals.MARGIN
    assert with_true.mean() < min(with_shuffled.mean() - 0.1, -hospitals.MARGIN)


@pytest.mark.slow
def test_with_the_sum_instead_of_the_mean_the_useful_lambda_no_longer_shrinks(monkeypatch):
    """If L were the sum over patients, the best λ would be n times as large: its slope against n is larger by one."""
    source = hospitals.train_source(mtl.load("heart", site="cleveland"))
    target = mtl.load("heart", site="va")

    def best_lambda(n, seed):
        drawn = mtl.split_table(target, seed=seed, n_train=n, val=0.05)
        x, y, test_x = source.prepare(drawn.train.x), torch.as_tensor(drawn.train.y), source.prepare(drawn.test.x)
        test_y, penalty = torch.as_tensor(drawn.test.y), mtl.L2SP(snapshot(source.model))
        models = [hospitals.fit_target(source, penalty, x, y, lam) for lam in hospitals.LAMBDAS]
        return hospitals.LAMBDAS[int(np.argmin([hospitals.log_loss(model, test_x, test_y) for model in models]))]

    def slope():
        small, large = (np.mean([np.log(best_lambda(n, seed)) for seed in range(4)]) for n in (10, 80))
        return (large - small) / np.log(80 / 10)

    with_mean = slope()
    monkeypatch.setattr(
        hospitals,
        "transfer_loss",
        lambda model, x, y, penalty, lam: F.cross_entropy(model(x), y, reduction="sum") + lam * penalty(model),
    )
    assert slope() - with_mean > 0.5
