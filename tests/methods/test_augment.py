"""Augmentation, image by image, against the same draws by hand; nothing asked for is nothing changed."""

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.methods.augment import augment, wide_augment


def images(dtype=torch.uint8, n=12, channels=3, height=9, width=7):
    return torch.randint(0, 256, (n, channels, height, width), generator=torch.Generator().manual_seed(0)).to(dtype)


@pytest.mark.parametrize("shift, flip", [(2, True), (3, False), (0, True), (20, True)])
def test_augment_is_pad_crop_and_mirror_of_each_image_with_the_same_draws(shift, flip):
    x = images()
    ours = augment(x, torch.Generator().manual_seed(4), shift=shift, flip=flip)
    generator = torch.Generator().manual_seed(4)
    dy, dx = torch.randint(-shift, shift + 1, (2, 12, 1), generator=generator)
    mirrored = torch.rand(12, 1, generator=generator) < 0.5
    for i, image in enumerate(x.numpy()):
        padded = np.pad(image, [(0, 0), (shift, shift), (shift, shift)], mode="edge")
        top, left = shift + int(dy[i]), shift + int(dx[i])
        by_hand = padded[:, top : top + 9, left : left + 7]
        if flip and mirrored[i]:
            by_hand = by_hand[:, :, ::-1]
        np.testing.assert_array_equal(ours[i], by_hand)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_augment_keeps_shape_dtype_and_its_input(dtype, channels):
    x = images(dtype, channels=channels)
    before = x.clone()
    ours = augment(x, torch.Generator().manual_seed(1))
    assert ours.shape == x.shape and ours.dtype == dtype
    assert torch.equal(x, before) and not torch.equal(ours, x)


def test_without_shift_and_flip_nothing_changes():
    assert torch.equal(augment(images(), torch.Generator(), shift=0, flip=False), images())


def test_half_of_many_images_are_mirrored():
    x = images(n=1000)
    mirrored = (augment(x, torch.Generator().manual_seed(0), shift=0) != x).flatten(1).any(1).sum()
    assert 440 < mirrored < 560  # 500 expected, standard deviation 16


def test_augmentation_of_nothing_changes_nothing_and_a_flip_is_a_mirror():
    x = mtl.draw("smear", torch.arange(8))
    still = wide_augment(0, False, 0, 0)(x, torch.Generator().manual_seed(0))
    assert (still.int() - x.int()).abs().max() <= 1
    flipped = wide_augment(0, True, 0, 0)(x, torch.Generator().manual_seed(0))
    distances = [
        [(f.int() - i.int()).abs().max() <= 1 for i in (a, a.flip(-1))] for f, a in zip(flipped, x, strict=True)
    ]
    assert all(any(pair) for pair in distances) and {pair.index(True) for pair in distances} == {0, 1}
