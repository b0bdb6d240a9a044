"""Windows against the whole image, and their weighted mean against one that is added up pixel by pixel."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from medtl_helpers.methods.predict import to_float
from medtl_helpers.methods.sliding_window import sliding_window, starts
from medtl_helpers.methods.unet import UNet


def image(height, width, channels=3):
    random = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (channels, height, width), dtype=torch.uint8, generator=random)


def unet():
    torch.manual_seed(0)
    return UNet(3, 2, width=4, depth=2).eval()


@pytest.mark.parametrize("overlap", [0, 0.25, 0.5, 0.9])
def test_what_looks_at_one_pixel_alone_gives_the_whole_image(overlap):
    model, x = nn.Conv2d(3, 4, 1), image(50, 37)
    with torch.no_grad():
        torch.testing.assert_close(sliding_window(model, x, 16, overlap), model(to_float(x[None]))[0])


def test_one_window_is_the_network_itself_also_where_a_side_is_shorter():
    model = unet()
    for x, size in ((image(32, 32), 32), (image(30, 20), 64)):
        with torch.no_grad():
            torch.testing.assert_close(sliding_window(model, x, size), model(to_float(x[None]))[0])


def test_the_mean_is_weighted_towards_the_middle_of_each_window():
    model, x, size = unet(), image(40, 24), 16
    total, weights = np.zeros((2, 40, 24)), np.zeros((40, 24))
    for top in (0, 8, 16, 24):
        for left in (0, 8):
            with torch.no_grad():
                one = model(to_float(x[None, :, top : top + size, left : left + size]))[0].numpy()
            for row in range(size):
                for column in range(size):
                    weight = min(row + 1, size - row, column + 1, size - column)
                    total[:, top + row, left + column] += weight * one[:, row, column]
                    weights[top + row, left + column] += weight
    wanted = total / weights
    for batch_size in (1, 3, 64):
        np.testing.assert_allclose(sliding_window(model, x, size, batch_size=batch_size), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("overlap", [0, 0.3, 0.5, 0.99])
def test_windows_cover_every_pixel_and_overlap_as_asked(overlap):
    for side in range(10, 60):
        for size in (1, 7, 10):
            places = starts(side, size, overlap)
            assert places[0] == 0 and places[-1] == side - size and places == sorted(set(places))
            assert all(size - (b - a) >= int(size * overlap) for a, b in pairwise(places))


def test_it_is_in_eval_mode_whatever_it_was_in():
    model, x = unet().train(), image(32, 32)
    assert torch.equal(sliding_window(model, x, 16), sliding_window(unet(), x, 16)) and not model.training
