"""Maps without a network: where they are highest, how smooth they are, and that edges are edges."""

import numpy as np
import torch

from medtl_helpers.methods.plain_maps import centre_map, edge_map, random_map


def test_the_middle_is_highest_and_all_sides_are_alike():
    maps = centre_map(3, 8)
    assert maps.shape == (3, 8, 8) and maps.dtype == np.float32
    assert (maps == maps[:, ::-1]).all() and (maps == maps.transpose(0, 2, 1)).all()
    assert maps.max() == maps[0, 3, 4] and maps.min() == maps[0, 0, 0]


def test_random_maps_are_those_of_their_seed_each_another_and_as_smooth_as_asked():
    maps = random_map(4, 24, seed=1)
    assert maps.shape == (4, 24, 24) and maps.min() >= 0 and maps.max() <= 1
    assert (maps == random_map(4, 24, seed=1)).all() and not np.isclose(maps, random_map(4, 24, seed=2)).any(-1).all()
    steps = {cells: np.abs(np.diff(random_map(50, 24, cells=cells), axis=2)).mean() for cells in (3, 12)}
    assert steps[3] < steps[12] / 2


def test_edges_are_where_the_grey_value_changes():
    x = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
    x[0, :, :, 8:] = 200
    x[1, :, 5:, :] = 100
    maps = edge_map(x)
    assert maps.shape == (2, 16, 16) and maps.dtype == np.float32
    assert set(np.flatnonzero(maps[0].sum(0))) == {6, 7, 8, 9} and (maps[0] == maps[0][:1]).all()
    assert maps[0].max() == 2 * maps[1].max() and maps[1].max(1).argmax() in (4, 5)
    assert edge_map(torch.full((1, 1, 6, 6), 77, dtype=torch.uint8)).max() == 0
