"""The H-score against its definition with covariances computed the long way, and Ledoit and Wolf's shrinkage."""

import numpy as np
import pytest
import torch

import medtl_helpers as mtl


def features(n=60, d=5, gap=1.0, classes=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % classes
    centres = torch.randn(classes, d, generator=generator, dtype=torch.float64)
    mix = torch.randn(d, d, generator=generator, dtype=torch.float64)
    return (gap * centres[y] + torch.randn(n, d, generator=generator, dtype=torch.float64)) @ mix, y


def covariance(rows):
    """Of N×D, one outer product after another."""
    mean = sum(rows) / len(rows)
    return sum(np.outer(row - mean, row - mean) for row in rows) / len(rows)


def expected(f, y):
    return np.stack([f[y == label].mean(0) for label in y])


def shrinkage(f):
    """Ledoit and Wolf (2004), section 3.3: the share of the scaled identity; norms are divided by D."""
    n, d = f.shape
    x, s = f - f.mean(0), covariance(f)
    scale = np.trace(s) / d
    distance = ((s - scale * np.eye(d)) ** 2).sum() / d
    error = sum(((np.outer(row, row) - s) ** 2).sum() / d for row in x) / n**2
    return min(error, distance) / distance, scale


@pytest.mark.parametrize(("n", "d", "classes"), [(60, 5, 3), (200, 12, 2), (25, 4, 5)])
def test_without_shrinkage_it_is_the_papers_trace(n, d, classes):
    f, y = (part.numpy() for part in features(n, d, classes=classes))
    by_hand = np.trace(np.linalg.inv(covariance(f)) @ covariance(expected(f, y)))
    assert mtl.h_score(f, y, shrink=False) == pytest.approx(by_hand, rel=1e-9)
    assert 0 < by_hand < classes - 1


@pytest.mark.parametrize(("n", "d"), [(60, 5), (30, 40)])
def test_with_shrinkage_it_is_ibrahims(n, d):
    f, y = (part.numpy() for part in features(n, d))
    alpha, scale = shrinkage(f)
    shrunk = (1 - alpha) * covariance(f) + alpha * scale * np.eye(d)
    by_hand = (1 - alpha) * np.trace(np.linalg.inv(shrunk) @ covariance(expected(f, y)))
    assert 0 < alpha < 1 and mtl.h_score(f, y) == pytest.approx(by_hand, rel=1e-9)


def test_of_two_classes_in_one_feature_it_is_the_share_of_explained_variance():
    f, y = features(80, 1, classes=2)
    correlation = np.corrcoef(f[:, 0], y)[0, 1]
    assert mtl.h_score(f, y, shrink=False) == pytest.approx(correlation**2)


def test_classes_that_lie_apart_score_higher_and_a_turn_of_the_features_changes_nothing():
    f, y = features(90, 6, gap=3.0)
    near, _ = features(90, 6, gap=0.2)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    assert mtl.h_score(f, y) > mtl.h_score(near, y) + 0.5
    assert mtl.h_score(f.numpy() @ turn, 3 * y + 1) == pytest.approx(mtl.h_score(f, y), rel=1e-9)
    skewed = f.numpy() @ np.random.default_rng(1).normal(size=(6, 6))  # the unshrunken one forgets any linear map
    assert mtl.h_score(skewed, y, shrink=False) == pytest.approx(mtl.h_score(f, y, shrink=False), rel=1e-6)


def test_with_as_many_features_as_images_drawn_labels_score_highest_unless_it_is_shrunk():
    noise = np.random.default_rng(0).normal(size=(40, 60))
    y = np.arange(40) % 4
    assert mtl.h_score(noise, y, shrink=False) == pytest.approx(3)
    assert mtl.h_score(noise, y) < 0.2


def test_it_says_what_is_wrong_with_its_inputs():
    f, y = features()
    with pytest.raises(ValueError, match="one class"):
        mtl.h_score(f, 0 * y)
    with pytest.raises(ValueError, match="for 60 cases"):
        mtl.h_score(f, y[:9])
    with pytest.raises(ValueError, match="the same for all images"):
        mtl.h_score(0 * f + 2, y)
