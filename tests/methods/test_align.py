"""CORAL and MMD: the authors' formulas by loops and by other libraries, gradients on paper, and what they see."""

import numpy as np
import pytest
import scipy.linalg
import torch
from sklearn.metrics.pairwise import rbf_kernel

from medtl_helpers.methods.align import WIDTHS, coral, coral_loss, mmd_loss


@pytest.fixture
def features():
    """Two domains of correlated features, of other numbers, means and spreads."""
    rng = np.random.default_rng(0)
    source = rng.normal(size=(30, 4)) @ rng.normal(size=(4, 4)) + 1
    target = rng.normal(size=(23, 4)) @ rng.normal(size=(4, 4)) - 2
    return torch.tensor(source), torch.tensor(target)


# --- CORAL by one map ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ridge", [1.0, 0.01])
def test_coral_is_the_authors_algorithm(features, ridge):
    """Algorithm 1 on data without a mean, by SciPy's matrix functions."""
    source, target = (x - x.mean(0) for x in features)
    c_s, c_t = (np.cov(x.numpy().T) + ridge * np.eye(4) for x in (source, target))
    wanted = source.numpy() @ scipy.linalg.fractional_matrix_power(c_s, -0.5) @ scipy.linalg.sqrtm(c_t)
    np.testing.assert_allclose(coral(source, target, ridge=ridge), wanted, atol=1e-9)


def test_without_a_ridge_the_source_gets_the_targets_covariance_and_mean(features):
    source, target = features
    mapped = coral(source, target, ridge=0)
    np.testing.assert_allclose(np.cov(mapped.numpy().T), np.cov(target.numpy().T), atol=1e-9)
    np.testing.assert_allclose(mapped.mean(0), target.mean(0), atol=1e-9)
    torch.testing.assert_close(coral(target, target, ridge=0.3), target)
    assert coral(source.float(), target.float()).dtype == torch.float32


def test_columns_that_depend_on_each_other_need_a_ridge(features):
    source = torch.cat([features[0], features[0][:, :1]], 1)
    target = torch.cat([features[1], features[1][:, :1]], 1)
    with pytest.raises(ValueError, match="give a ridge above 0"):
        coral(source, target, ridge=0)
    assert coral(source, target).isfinite().all()


# --- CORAL as a loss -------------------------------------------------------------------------------------------------


def test_the_coral_loss_is_equation_1_with_covariances_counted_by_loops(features):
    source, target = (x.numpy() for x in features)
    d = source.shape[1]
    covariance = []
    for x in (source, target):
        n = len(x)
        c = np.zeros((d, d))
        for a in range(d):
            for b in range(d):  # equation 2: (Σ x_a x_b − Σ x_a Σ x_b / n) / (n − 1)
                c[a, b] = (sum(x[:, a] * x[:, b]) - sum(x[:, a]) * sum(x[:, b]) / n) / (n - 1)
        covariance.append(c)
    wanted = ((covariance[0] - covariance[1]) ** 2).sum() / (4 * d * d)
    assert coral_loss(*features).item() == pytest.approx(wanted, rel=1e-10)
    assert coral_loss(features[0], features[0] + 5).item() == pytest.approx(0, abs=1e-20)  # means do not count


def test_its_gradients_are_the_papers_equations_4_and_5(features):
    source, target = (x.clone().requires_grad_() for x in features)
    found = torch.autograd.grad(coral_loss(source, target), (source, target))
    c = torch.tensor(np.cov(features[0].numpy().T) - np.cov(features[1].numpy().T))
    for gradient, x, sign in zip(found, features, (1, -1), strict=True):
        n, d = x.shape
        ones = torch.ones(n, 1, dtype=x.dtype)
        wanted = sign / (d**2 * (n - 1)) * ((x.T - (ones.T @ x).T @ ones.T / n).T @ c)
        torch.testing.assert_close(gradient, wanted)


# --- MMD -------------------------------------------------------------------------------------------------------------


def median_of_squares(joint):
    squares = [((joint[i] - joint[j]) ** 2).sum() for i in range(len(joint)) for j in range(i)]
    return np.sort(squares)[(len(squares) - 1) // 2]  # torch's median of an even number is the lower one


def test_mmd_is_equation_5_squared_with_the_kernels_of_scikit_learn(features):
    source, target = (x.numpy() for x in features)
    gamma = median_of_squares(np.concatenate([source, target]))
    wanted = 0.0
    for width in WIDTHS:
        k = [rbf_kernel(a, b, gamma=1 / (width * gamma)) for a, b in ((source,) * 2, (target,) * 2, (source, target))]
        wanted += (k[0].mean() + k[1].mean() - 2 * k[2].mean()) / len(WIDTHS)
    assert mmd_loss(*features).item() == pytest.approx(wanted, rel=1e-9)


def test_mmd_of_one_point_each_by_hand():
    """Two points a distance of 3 apart: γ = 9, and 1 + 1 − 2 e^(−9/(w·9))."""
    value = mmd_loss([[0.0, 0.0]], [[3.0, 0.0]], widths=[2.0])
    assert value.item() == pytest.approx(2 - 2 * np.exp(-0.5), rel=1e-6)


def test_its_gradient_is_that_of_kernels_of_a_fixed_width(features):
    source, target = (x.clone().requires_grad_() for x in features)
    (found,) = torch.autograd.grad(mmd_loss(source, target, widths=[1.0]), source)
    s, t = (x.numpy() for x in features)
    gamma, n, m = median_of_squares(np.concatenate([s, t])), len(s), len(t)
    wanted = np.zeros_like(s)
    for i in range(n):
        for j in range(n):
            wanted[i] += 2 * np.exp(-((s[i] - s[j]) ** 2).sum() / gamma) * -2 * (s[i] - s[j]) / gamma / n**2
        for j in range(m):
            wanted[i] -= 2 * np.exp(-((s[i] - t[j]) ** 2).sum() / gamma) * -2 * (s[i] - t[j]) / gamma / (n * m)
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-12)


def test_mmd_sees_what_covariances_do_not():
    """Two columns of variance 1 without correlation, once normal and once on a cross."""
    generator = torch.Generator().manual_seed(0)
    normal = torch.randn(400, 2, generator=generator)
    signs = torch.randint(0, 2, (400, 2), generator=generator) * 2.0 - 1
    assert coral_loss(normal, signs) < 0.01
    assert mmd_loss(normal, signs) > 5 * mmd_loss(normal[:200], normal[200:]) > 0


def test_domains_that_are_alike_have_none_and_points_that_are_all_one_point_do_not_divide_by_0(features):
    assert mmd_loss(features[0], features[0]).item() == pytest.approx(0, abs=1e-12)
    x = torch.ones(3, 2, requires_grad=True)
    value = mmd_loss(x, torch.ones(2, 2))
    (gradient,) = torch.autograd.grad(value, x)
    assert value == 0 and (gradient == 0).all()


@pytest.mark.parametrize("scale", [1e-3, 1e4])
def test_mmd_does_not_depend_on_the_units_of_the_features(features, scale):
    assert mmd_loss(*(scale * x for x in features)).item() == pytest.approx(mmd_loss(*features).item(), rel=1e-9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: coral(torch.zeros(3, 2), torch.zeros(3, 4)), "The source has 2 features, the target 4"),
        (lambda: coral_loss(torch.zeros(1, 2), torch.zeros(3, 2)), "each of 2 or more examples"),
        (lambda: mmd_loss(torch.zeros(3, 2), torch.zeros(3)), "float32 of shape"),
        (lambda: mmd_loss(torch.zeros(3, 2), torch.zeros(3, 2), widths=[1, 0]), "give numbers above 0"),
        (lambda: coral(torch.zeros(3, 2) * torch.nan, torch.zeros(3, 2)), "look for NaN"),
    ],
)
def test_features_that_cannot_be_compared_are_told(call, words):
    with pytest.raises(ValueError, match=words):
        call()
