"""LogME against the evidence computed the long way and on known features; the proxy A-distance where it is known."""

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


def test_the_proxy_a_distance_is_0_for_one_domain_and_2_for_separable_ones():
    (x, _), (same, _), (far, _) = cloud(300), cloud(300, seed=1), cloud(150, 12, seed=2)
    assert proxy_a_distance(x, same) == pytest.approx(0, abs=0.25)
    assert proxy_a_distance(x, far) == pytest.approx(2, abs=0.02)
    assert proxy_a_distance(x, cloud(60, seed=3)[0]) == pytest.approx(0, abs=0.45)  # few targets are not "all source"
