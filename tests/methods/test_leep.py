"""LEEP and N-LEEP against the papers' sums written out, and where their value is known."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

import medtl_helpers as mtl


def sums(theta, y):
    """Section 3 of Nguyen et al., one image, one label and one source class at a time."""
    n, sources = theta.shape
    joint = {}
    for label in set(y):
        for z in range(sources):
            joint[label, z] = sum(theta[i, z] for i in range(n) if y[i] == label) / n
    marginal = [sum(joint[label, z] for label in set(y)) for z in range(sources)]
    total = 0.0
    for i in range(n):
        total += math.log(sum(joint[y[i], z] / marginal[z] * theta[i, z] for z in range(sources)))
    return total / n


@pytest.mark.parametrize(("n", "sources", "classes"), [(40, 7, 3), (25, 2, 5), (12, 30, 2)])
def test_leep_is_the_papers_sum(n, sources, classes):
    generator = torch.Generator().manual_seed(n)
    theta = (2 * torch.randn(n, sources, generator=generator, dtype=torch.float64)).softmax(1)
    y = torch.arange(n) % classes
    assert mtl.leep(theta, y) == pytest.approx(sums(theta.numpy(), y.tolist()), abs=1e-12)


def test_leep_where_it_is_known():
    y = torch.arange(40) % 4
    assert mtl.leep(torch.eye(6)[y], y) == pytest.approx(0)  # the source's classes are the target's, renamed
    assert mtl.leep(torch.full((40, 6), 1 / 6), y) == pytest.approx(-math.log(4))  # it says nothing
    half = torch.eye(6)[y // 2]  # it confuses two classes each
    assert mtl.leep(half, y) == pytest.approx(-math.log(2))
    rare = torch.tensor([0] * 9 + [1])
    entropy = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1))
    assert mtl.leep(torch.full((10, 3), 1 / 3), rare) == pytest.approx(-entropy)


def test_leep_depends_on_neither_names_nor_order_and_a_class_never_said_adds_nothing():
    generator = torch.Generator().manual_seed(3)
    theta, y = torch.randn(30, 5, generator=generator).softmax(1).double(), torch.arange(30) % 3
    value, order = mtl.leep(theta, y), torch.randperm(30, generator=generator)
    assert mtl.leep(theta[order][:, [3, 1, 4, 0, 2]], 2 * y[order] + 1) == pytest.approx(value, abs=1e-12)
    assert mtl.leep(torch.cat([theta, torch.zeros(30, 1)], 1), y) == pytest.approx(value, abs=1e-12)


def clouds(n, classes, gap, d=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % classes
    centres = torch.randn(classes, d, generator=generator, dtype=torch.float64)
    return gap * centres[y] + torch.randn(n, d, generator=generator, dtype=torch.float64), y


def test_n_leep_is_leep_of_a_mixtures_posteriors_on_the_components_that_hold_the_energy():
    """The components by an eigenvalue decomposition, the posteriors by Bayes' rule with scipy's densities."""
    from sklearn.mixture import GaussianMixture

    f, y = clouds(120, 2, 1.0)
    x = f.numpy() - f.numpy().mean(0)
    values, vectors = np.linalg.eigh(x.T @ x)
    values, vectors = values[::-1], vectors[:, ::-1]
    keep = int((np.cumsum(values) / values.sum() <= 0.8).sum()) + 1
    assert 1 < keep < 6
    z = x @ vectors[:, :keep]
    mixture = GaussianMixture(10, random_state=0).fit(z)  # five for each of two classes
    parts = zip(mixture.weights_, mixture.means_, mixture.covariances_, strict=True)
    joint = np.stack([w * multivariate_normal(m, c).pdf(z) for w, m, c in parts], 1)
    by_hand = sums(joint / joint.sum(1, keepdims=True), y.tolist())
    assert mtl.n_leep(f, y) == pytest.approx(by_hand, abs=0.02)  # the signs of the axes may lead the fit elsewhere
    assert mtl.n_leep(f, y) == mtl.n_leep(f, y) != mtl.n_leep(f, y, components=2)


def test_n_leep_rates_apart_what_lies_apart():
    near, far = (mtl.n_leep(*clouds(300, 3, gap)) for gap in (0.3, 4.0))
    assert near < -0.9 and -0.05 < far <= 0
    f, y = clouds(300, 3, 4.0)
    drawn = y[torch.randperm(300, generator=torch.Generator().manual_seed(0))]
    assert mtl.n_leep(f, drawn) == pytest.approx(-math.log(3), abs=0.15)


def test_on_few_images_n_leep_takes_noise_for_features():
    """What its docstring warns of: ten components know 12 images by heart, and 600 they do not."""
    few, many = (mtl.n_leep(*clouds(n, 2, 0.0, d=8, seed=1)) for n in (12, 600))
    assert few > -0.3 and many == pytest.approx(-math.log(2), abs=0.03)


def test_n_leep_asks_for_no_more_components_than_there_are_images():
    f, y = clouds(13, 4, 3.0)
    assert mtl.n_leep(f, y) == mtl.n_leep(f, y, components=12)  # three for each class, not five
    with pytest.raises(ValueError, match="There are 13 images for 14 components"):
        mtl.n_leep(f, y, components=14)


def test_they_say_what_is_wrong_with_their_inputs():
    f, y = clouds(20, 2, 1.0)
    with pytest.raises(ValueError, match="one class"):
        mtl.leep(f.softmax(1), 0 * y)
    with pytest.raises(ValueError, match="the softmax of logits"):
        mtl.leep(f, y)
    with pytest.raises(ValueError, match="for 20 cases"):
        mtl.n_leep(f, y[:7])
    with pytest.raises(ValueError, match="the same for all images"):
        mtl.n_leep(0 * f + 1, y)
