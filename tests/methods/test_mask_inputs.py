"""Images and masks are cropped, turned and mirrored together, as NumPy would one by one."""

import numpy as np
import pytest
import torch

from medtl_helpers.methods.mask_inputs import as_mask_pair, as_masks, cropped_together, symmetry, turned_together


def numbered(n=40, height=6, width=6):
    """Images whose first channel numbers all pixels, with masks that hold the same number."""
    y = torch.arange(height * width, dtype=torch.uint8).view(1, height, width).repeat(n, 1, 1)
    return torch.stack([y, 255 - y, torch.zeros_like(y)], 1), y


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_crops_are_windows_of_the_image_everywhere_in_it_and_of_its_mask():
    x, y = numbered(200, 6, 9)
    small, masks = cropped_together(x, y, 4, generator())
    corners = masks[:, 0, 0].int()
    top, left = corners // 9, corners % 9
    for k in range(200):
        window = slice(top[k], top[k] + 4), slice(left[k], left[k] + 4)
        assert torch.equal(masks[k], y[k][window]) and torch.equal(small[k], x[k][:, *window])
    assert set(top.tolist()) == {0, 1, 2} and set(left.tolist()) == {0, 1, 2, 3, 4, 5}
    whole, its_masks = cropped_together(*numbered(3), 6, generator())
    assert torch.equal(whole, numbered(3)[0]) and torch.equal(its_masks, numbered(3)[1])


def test_the_eight_symmetries_are_those_of_a_square():
    square = np.arange(9).reshape(3, 3)
    wanted = {np.rot90(side, k).tobytes() for side in (square, square.T) for k in range(4)}
    found = {np.ascontiguousarray(symmetry(torch.from_numpy(square), k).numpy()).tobytes() for k in range(8)}
    assert len(found) == 8 and found == wanted


@pytest.mark.parametrize(("width", "ways"), [(6, 8), (5, 4)])
def test_each_image_is_turned_on_its_own_with_its_mask(width, ways):
    x, y = numbered(120, 6, width)
    images, masks = turned_together(x, y, generator())
    assert torch.equal(images[:, 0], masks) and torch.equal(images[:, 1], 255 - masks)
    assert len(masks.flatten(1).unique(dim=0)) == ways and torch.equal(y, numbered(1, 6, width)[1].expand(120, -1, -1))


def test_masks_of_any_whole_numbers_become_bytes():
    for kind in (torch.bool, torch.int64, torch.int32):
        assert as_masks(torch.ones(2, 3, 3, dtype=kind)).dtype == torch.uint8
    x, y = as_mask_pair([np.zeros((2, 3, 4, 4), np.uint8), np.ones((2, 4, 4), np.int64)], "training")
    assert x.dtype == y.dtype == torch.uint8 and y.sum() == 32
