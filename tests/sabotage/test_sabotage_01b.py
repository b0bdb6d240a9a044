"""Each claim of notebook 01b must fail when its method is broken: here each one is broken."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from replay import Sabotage, broken

import medtl_helpers as mtl
from medtl_helpers.lessons.hospitals import experiment as hospitals
from medtl_helpers.methods.losses import snapshot

# the λ that only the test patients could tell
ORACLE = """min(
        real.about["lambdas"],
        key=lambda lam: real.scores("L2-SP", "log loss", lam=lam, **at_hungary).mean(),
    )"""
# had L been the sum over the patients, the best λ would be n times as large
SUM = """(
                lambda s: mtl.Interval(s.value + 1, s.low + 1, s.high + 1, s.kind, s.n)
            )(hospitals.slope(swept, method, site))"""
IMBALANCE = ("The hospitals", "The experiment", "Choosing", "Imbalance")

ROWS = [
    Sabotage(
        "No Swiss cholesterol was measured",
        '"va", "switzerland")',
        '"va", "hungary")',
        ("The hospitals",),
    ),
    Sabotage(
        "L2-SP from Cleveland beats Hungary alone",
        '"L2-SP", hospitals.SCRATCH, "balanced accuracy"',
        'hospitals.SCRATCH, hospitals.SCRATCH, "balanced accuracy"',
        ("What it",),
        recorded=True,
    ),
    Sabotage(
        "adapting costs balanced accuracy at Hungary",
        "n=10,",
        "n=80,",
        ("What it",),
        recorded=True,
    ),
    Sabotage(
        "adapting lowers the log loss at both",
        "n=80,",
        "n=10,",
        ("What it",),
        recorded=True,
    ),
    Sabotage(
        "choosing λ by cross-validation costs",
        'lam="chosen", **at_hungary',
        f"lam={ORACLE}, **at_hungary",
        ("Choosing",),
        recorded=True,
    ),
    Sabotage(
        "the useful λ shrinks as n grows",
        "hospitals.slope(swept, method, site)",
        SUM,
        ("λ and n",),
        recorded=True,
    ),
    Sabotage(
        "Weight 3 and showing a case three times",
        "sick, sick])",
        "sick, sick, sick])",
        IMBALANCE,
    ),
    Sabotage(
        "Weights buy recall with precision",
        "heart_report(3.0)",
        "heart_report(1.0)",
        IMBALANCE,
    ),
]

outcomes, test_live_claims, test_recorded_claims = broken("01b_between_hospitals", ROWS)


# --- the recorded claims: break the method itself and run a few cells of the benchmark again --------------------------


@pytest.fixture(autouse=True)
def twins(monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")


def gain_of_l2_sp(source, target, seeds=range(4)) -> np.ndarray:
    gains = []
    for seed in seeds:
        rows = {r["method"]: r["balanced accuracy"] for r in hospitals.sweep(source, target, 10, seed) if r["chosen"]}
        gains.append(rows["L2-SP"] - rows[hospitals.SCRATCH])
    return np.array(gains)


@pytest.mark.slow
def test_a_source_with_shuffled_labels_brings_no_gain():
    task, target = mtl.load("heart", site="cleveland"), mtl.load("heart", site="hungary")
    shuffled = hospitals.train_source(task)
    order = torch.randperm(len(shuffled.y), generator=torch.Generator().manual_seed(0))
    shuffled.y, shuffled.model = shuffled.y[order], hospitals.new_model()
    mtl.minimise(lambda: F.cross_entropy(shuffled.model(shuffled.x), shuffled.y), shuffled.model.parameters())
    with_shuffled, with_true = gain_of_l2_sp(shuffled, target), gain_of_l2_sp(hospitals.train_source(task), target)
    assert mtl.t_interval(with_shuffled).low < 0.01
    assert with_true.mean() > with_shuffled.mean() + 0.02


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
