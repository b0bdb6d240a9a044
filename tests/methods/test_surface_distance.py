"""Distances of outlines against all pairs of pixels, one by one."""

import numpy as np
import pytest
from scipy.spatial.distance import directed_hausdorff

from medtl_helpers.methods.surface_distance import hausdorff95, surface_distances


def surface(mask):
    """Pixels of the object with a neighbour over an edge that is none, or at the border, looked at one by one."""
    found, steps = [], np.concatenate([np.eye(mask.ndim, dtype=int), -np.eye(mask.ndim, dtype=int)])
    for place in np.argwhere(mask):
        if any(not (min(p) >= 0 and all(p < mask.shape) and mask[tuple(p)]) for p in place + steps):
            found.append(place)
    return np.array(found)


def from_each(a, b, spacing):
    a, b = surface(a) * np.array(spacing), surface(b) * np.array(spacing)
    return np.sqrt(((a[:, None] - b) ** 2).sum(-1)).min(1)


@pytest.mark.parametrize(("shape", "spacing"), [((12, 9), (1, 1)), ((9, 14), (0.7, 2)), ((6, 5, 7), (2.5, 1, 0.8))])
def test_distances_are_those_of_all_pairs_of_surface_pixels(shape, spacing):
    random = np.random.default_rng(0)
    a, b = (random.random(shape) < share for share in (0.6, 0.3))
    there, back = surface_distances(a, b, spacing)
    assert there == pytest.approx(from_each(a, b, spacing)) and back == pytest.approx(from_each(b, a, spacing))
    wanted = max(np.percentile(from_each(a, b, spacing), 95), np.percentile(from_each(b, a, spacing), 95))
    assert hausdorff95(a, b, spacing) == pytest.approx(wanted) == hausdorff95(b, a, spacing)
    largest = max(directed_hausdorff(surface(x) * spacing, surface(y) * spacing)[0] for x, y in ((a, b), (b, a)))
    assert max(there.max(), back.max()) == pytest.approx(largest)


def squares(shift=0):
    mask = np.zeros((40, 40), np.uint8)
    mask[10:20, 10 + shift : 20 + shift] = 1
    return mask


def test_a_square_that_moved_by_three_pixels_is_three_pixels_away_or_that_many_millimetres():
    assert hausdorff95(squares(3), squares()) == 3 and hausdorff95(squares(3), squares(), 0.5) == 1.5
    assert hausdorff95(squares(), squares()) == 0


def test_one_far_pixel_hardly_counts_for_hd95_and_is_the_largest_distance():
    stray = squares()
    stray[39, 39] = 1
    assert hausdorff95(stray, squares()) == 0 and surface_distances(stray, squares())[0].max() > 20


def test_empty_masks_are_equal_and_infinitely_far_from_others():
    none = np.zeros((40, 40))
    assert hausdorff95(none, none) == 0
    assert hausdorff95(none, squares()) == hausdorff95(squares(), none) == float("inf")
    there, back = surface_distances(none, squares())
    assert len(there) == 0 and np.isinf(back).all() and len(back) == 36
