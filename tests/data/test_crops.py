"""Crops of one picture: found by their borders, in any order, also shrunk; strangers and blank borders are not."""

import numpy as np
import torch
from torch.nn.functional import avg_pool2d

from medtl_helpers.data.crops import fitting_pairs, picture_groups


def scene(seed: int, side: int = 96) -> torch.Tensor:
    """A smooth random picture, float 3×side×side of 0 to 255."""
    noise = torch.rand(3, 1, side + 16, side + 16, generator=torch.Generator().manual_seed(seed))
    for _ in range(2):
        noise = avg_pool2d(noise, 9, stride=1)
    low, high = noise.min(), noise.max()
    return ((noise - low) / (high - low) * 255)[:, 0]


def tiles(picture: torch.Tensor, n: int = 2) -> torch.Tensor:
    side = picture.shape[-1] // n
    parts = picture.unfold(1, side, side).unfold(2, side, side)  # 3, row, column, side, side
    return parts.permute(1, 2, 0, 3, 4).reshape(n * n, 3, side, side)


def test_tiles_find_their_neighbours_on_the_right_and_below_and_no_stranger():
    x = torch.cat([tiles(scene(seed)) for seed in range(10)]).round().to(torch.uint8)
    wanted = {(4 * k + a, 4 * k + b) for k in range(10) for a, b in ((0, 1), (2, 3), (0, 2), (1, 3))}
    assert set(map(tuple, fitting_pairs(x).tolist())) == wanted
    assert picture_groups(x).tolist() == [k // 4 for k in range(40)]


def test_they_are_found_in_any_order_and_when_they_were_shrunk():
    x = torch.cat([tiles(scene(seed, 192)) for seed in range(6)])
    x = avg_pool2d(x, 2).round().to(torch.uint8)
    order = np.random.default_rng(0).permutation(24)
    groups = picture_groups(x[order])
    same = groups[:, None] == groups
    assert (same == (order[:, None] // 4 == order // 4)).all()


def test_strangers_and_blank_borders_fit_nothing():
    x = torch.cat([tiles(scene(seed))[:1] for seed in range(35)]).round().to(torch.uint8)
    framed = torch.linspace(226, 234, 48).to(torch.uint8) + torch.zeros(5, 3, 48, 48, dtype=torch.uint8)
    framed[:, :, 4:44, 4:44] = x[30:, :, 4:44, 4:44]
    assert len(set(picture_groups(torch.cat([x[:30], framed])))) == 35


def test_a_near_copy_is_of_the_same_group():
    x = torch.cat([tiles(scene(seed))[:1] for seed in range(4)]).round().to(torch.uint8)
    groups = picture_groups(torch.cat([x, (x[2:3] * 0.8).to(torch.uint8) + 20]))
    assert groups[4] == groups[2] and len(set(groups)) == 4
