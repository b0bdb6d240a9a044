"""What a map is worth: counted by hand on small maps, and the curves of networks whose answer is known."""

import numpy as np
import pytest
import torch
from networks import network
from scipy.stats import spearmanr
from torch import nn

from medtl_helpers.methods.map_scores import (
    deletion_auc,
    deletion_curve,
    highest_inside,
    map_correlation,
    mass_inside,
    randomised,
)


class Brightness(nn.Module):
    """Two logits: the sum of a weighted image, and 0."""

    def __init__(self, weights):
        super().__init__()
        self.weights = nn.Parameter(weights)

    def forward(self, x):
        z = (x * self.weights).sum((1, 2, 3))
        return torch.stack([z, 0 * z], 1)


def test_the_share_in_a_region_is_counted_pixel_by_pixel():
    maps = np.array([[[1.0, 3], [0, 4]], [[2, 2], [2, 2]], [[0, 0], [0, 0]]])
    regions = np.array([[[True, False], [False, True]], [[True, False], [False, False]], [[True, True], [True, True]]])
    assert mass_inside(maps, regions).tolist() == [5 / 8, 2 / 8, 0]
    assert highest_inside(maps, regions).tolist() == [1, 1 / 4, 1]


def test_a_coarse_map_is_enlarged_to_its_region():
    maps = np.zeros((1, 2, 2), "float32")
    maps[0, 0, 1] = 1  # the upper right quarter
    regions = np.zeros((1, 8, 8), bool)
    regions[:, :4, 4:] = True
    here, elsewhere = mass_inside(maps, regions)[0], mass_inside(maps, ~regions)[0]
    assert here + elsewhere == pytest.approx(1) and here > 0.6
    assert highest_inside(maps, regions)[0] == 1 and highest_inside(maps, ~regions)[0] == 0
    flat = np.ones((3, 4, 4), "float32")
    assert mass_inside(flat, np.repeat(regions, 3, 0)) == pytest.approx(0.25)


def test_maps_of_other_images_are_refused():
    with pytest.raises(ValueError, match="of the same images"):
        mass_inside(np.ones((2, 4, 4)), np.ones((3, 8, 8), bool))


def test_deletion_takes_the_highest_pixels_first_and_ends_without_content():
    weights = torch.arange(16.0).view(1, 4, 4) / 40
    x = torch.full((2, 1, 4, 4), 0.5)
    x[1] = 0.25
    maps = np.repeat(weights.numpy(), 2, 0)
    curve = deletion_curve(Brightness(weights), x, [0, 0], maps, steps=4, fill="black")
    for k in range(5):
        left = torch.arange(16) < 16 - 4 * k
        for row, grey in enumerate((0.5, 0.25)):
            z = (torch.where(left, grey, -1.0) * weights.flatten()).sum()
            assert curve[row, k] == pytest.approx(z.sigmoid().item(), abs=1e-6)
    assert deletion_auc(curve)[0] == pytest.approx(np.trapezoid(curve[0], dx=1 / 4))
    worst = deletion_curve(Brightness(weights), x, [0, 0], maps.max() - maps, steps=4, fill="black")
    assert (deletion_auc(curve) < deletion_auc(worst)).all()


def test_pixels_that_are_equally_high_go_at_random_and_not_from_the_upper_left():
    weights = torch.zeros(1, 8, 8)
    weights[0, 0, :4] = 1  # all of the answer is in the first pixels of the image
    x, flat = torch.ones(40, 1, 8, 8), np.zeros((40, 8, 8))
    curve = deletion_curve(Brightness(weights), x, [0] * 40, flat, steps=8, fill="black")
    assert 0.3 < (curve[:, 4] > 0.5).mean() < 1  # half of the pixels are gone, and of some images not these
    again = deletion_curve(Brightness(weights), x, [0] * 40, flat, steps=8, fill="black", batch_size=7)
    np.testing.assert_allclose(curve, again, rtol=1e-6)


def test_only_the_named_parts_are_randomised_and_the_network_itself_is_not():
    model = network("CourseCNN, batch norm")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    new = randomised(model, "head", "stage3", seed=4)
    assert torch.equal(torch.rand(1), wanted)  # the global random state is left alone
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    changed = {name for name, value in new.state_dict().items() if not torch.equal(value, before[name])}
    assert changed and all(name.startswith(("head", "stages.stage3")) for name in changed)
    assert {"head.weight", "stages.stage3.0.weight", "stages.stage3.1.running_mean"} <= changed
    everything = randomised(model)
    kernels = [name for name, value in before.items() if value.ndim > 1]
    assert not any(torch.equal(everything.state_dict()[name], before[name]) for name in kernels)


def test_the_correlation_is_spearmans_with_ties_and_0_for_a_flat_map():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 5, (3, 6, 6)).astype(float), rng.random((3, 6, 6))
    expected = [spearmanr(one.ravel(), other.ravel()).statistic for one, other in zip(a, b, strict=True)]
    np.testing.assert_allclose(map_correlation(a, b), expected, rtol=1e-9)
    assert map_correlation(a, np.zeros_like(b)).tolist() == [0, 0, 0]
    np.testing.assert_allclose(map_correlation(b, np.exp(b)), 1)
    coarse = b[:, ::3, ::3]
    np.testing.assert_allclose(map_correlation(b, coarse), map_correlation(coarse, b))
