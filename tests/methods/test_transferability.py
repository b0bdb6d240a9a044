"""LogME against the evidence computed the long way; the linear probe fold by fold; proxy A-distances that are known."""

import numpy as np
import pytest
import torch
from clouds import cloud
from torch.distributions import MultivariateNormal

import medtl_helpers as mtl
from medtl_helpers.methods.transferability import proxy_a_distance


def long_way(f, y, alpha, beta):
    """log p(y | F) per example: y is Gaussian with covariance F Fᵀ/α + I/β."""
    covariance = f @ f.T / alpha + torch.eye(len(y), dtype=torch.float64) / beta
    return MultivariateNormal(torch.zeros(len(y), dtype=torch.float64), covariance).log_prob(y).item() / len(y)


@pytest.mark.parametrize(("n", "d"), [(30, 5), (12, 20)])
def test_it_is_the_largest_evidence_over_both_precisions(n, d):
    generator = torch.Generator().manual_seed(n)
    f = torch.randn(n, d, generator=generator, dtype=torch.float64)
    labels = (f[:, 0] + torch.randn(n, generator=generator) > 0).long()
    grid = torch.logspace(-2, 3, 26).tolist()
    best = sum(max(long_way(f, (labels == k).double(), a, b) for a in grid for b in grid) for k in (0, 1)) / 2
    assert mtl.log_me(f, labels) == pytest.approx(best, abs=0.01)


def test_features_that_hold_the_label_score_higher_than_noise():
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(90) % 3
    noise = torch.randn(90, 16, generator=generator)
    good = noise.clone()
    good[:, :3] += 3 * torch.nn.functional.one_hot(y, 3)
    assert mtl.log_me(good, y) > mtl.log_me(noise, y) + 0.2
    assert mtl.log_me(good, y) > mtl.log_me(good, y[torch.randperm(90, generator=generator)]) + 0.2


def test_it_does_not_depend_on_the_order_of_rows_or_a_rotation_of_features():
    generator = torch.Generator().manual_seed(1)
    f, y = torch.randn(40, 6, generator=generator, dtype=torch.float64), torch.arange(40) % 2
    order = torch.randperm(40, generator=generator)
    turn = torch.linalg.qr(torch.randn(6, 6, generator=generator, dtype=torch.float64)).Q
    assert mtl.log_me(f[order], y[order]) == pytest.approx(mtl.log_me(f, y), abs=1e-6)
    assert mtl.log_me(f @ turn, y) == pytest.approx(mtl.log_me(f, y), abs=1e-6)


def test_it_says_what_is_wrong_with_its_inputs():
    with pytest.raises(ValueError, match="one class"):
        mtl.log_me(torch.randn(4, 2), torch.zeros(4).long())
    with pytest.raises(ValueError, match="for 4 cases"):
        mtl.log_me(torch.randn(4, 2), torch.arange(3))


def by_pairs(y, probability):
    """The AUROC as the share of pairs in the right order, one class against the rest, mean over classes."""
    found = []
    for k in range(probability.shape[1]):
        gaps = probability[y == k, k][:, None] - probability[y != k, k][None]
        found.append(((gaps > 0) + 0.5 * (gaps == 0)).mean())
    return np.mean(found)


@pytest.mark.parametrize("classes", [2, 4])
def test_the_linear_probe_score_is_the_mean_auroc_of_folds_that_were_not_seen(classes):
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    generator = torch.Generator().manual_seed(2)
    y = torch.arange(60) % classes
    x = torch.randn(60, 5, generator=generator, dtype=torch.float64) + 0.7 * torch.nn.functional.one_hot(y, 5)
    found = []
    for train, test in StratifiedKFold(4, shuffle=True, random_state=7).split(x, y):
        mean, spread = x[train].mean(0), x[train].std(0, correction=0)
        model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000).fit(
            (x[train] - mean) / spread, y[train]
        )
        found.append(by_pairs(y[test].numpy(), model.predict_proba((x[test] - mean) / spread)))
    assert mtl.linear_probe_score(x, 2 * y + 1, folds=4, seed=7) == pytest.approx(np.mean(found), abs=1e-6)


def test_patients_with_several_images_are_kept_together():
    """Features that tell the patient and not the disease: chance, unless a patient is in training and in the test."""
    generator = torch.Generator().manual_seed(0)
    patients = torch.arange(40).repeat_interleave(5)
    x = torch.randn(40, 30, generator=generator)[patients] + 0.1 * torch.randn(200, 30, generator=generator)
    y = torch.randint(0, 2, (40,), generator=generator)[patients]
    assert mtl.linear_probe_score(x, y) > 0.9
    assert mtl.linear_probe_score(x, y, groups=patients) == pytest.approx(0.5, abs=0.2)


def test_the_linear_probe_asks_for_each_class_in_each_fold():
    x, y = torch.randn(20, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0] * 17 + [1] * 3)
    with pytest.raises(ValueError, match="The rarest class is in 3 examples, for 5 folds"):
        mtl.linear_probe_score(x, y)
    assert 0 <= mtl.linear_probe_score(x, y, folds=3) <= 1
    with pytest.raises(ValueError, match="The rarest class is in 2 groups, for 3 folds"):
        mtl.linear_probe_score(x, y, folds=3, groups=[*range(18), 18, 18])
    with pytest.raises(ValueError, match="one class"):
        mtl.linear_probe_score(x, 0 * y)


def test_the_proxy_a_distance_is_0_for_one_domain_and_2_for_separable_ones():
    (x, _), (same, _), (far, _) = cloud(300), cloud(300, seed=1), cloud(150, 12, seed=2)
    assert proxy_a_distance(x, same) == pytest.approx(0, abs=0.25)
    assert proxy_a_distance(x, far) == pytest.approx(2, abs=0.02)
    assert proxy_a_distance(x, cloud(60, seed=3)[0]) == pytest.approx(0, abs=0.45)  # few targets are not "all source"
