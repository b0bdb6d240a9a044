"""Otsu's threshold against all 255 tried one by one, and stains against the light that they let through."""

import numpy as np
import pytest
import torch
from outlined import discs

from medtl_helpers.methods.mask_scores import dice
from medtl_helpers.methods.otsu import STAINS, grey_values, otsu_masks


def best_threshold(grey):
    """Of all thresholds the first with the largest variance between both sides, as two weighted means."""
    between = []
    for t in range(255):
        low, high = grey[grey <= t], grey[grey > t]
        apart = (low.mean() - high.mean()) ** 2 if len(low) and len(high) else 0
        between.append(len(low) * len(high) * apart)
    return int(np.argmax(between))


def images(n=12):
    """Of two normal distributions each, in any proportion and order."""
    random = np.random.default_rng(0)
    shares, centres = random.uniform(0.1, 0.9, n), random.uniform(0, 255, (n, 2))
    first = random.random((n, 20, 20)) < shares[:, None, None]
    tones = np.where(first, centres[:, :1, None], centres[:, 1:, None]) + random.normal(0, 15, (n, 20, 20))
    return torch.from_numpy(tones.clip(0, 255).astype(np.uint8))[:, None]


def test_the_threshold_is_the_best_of_all():
    x = images()
    for ours, grey in zip(otsu_masks(x, bright=True).numpy(), x[:, 0].numpy().astype(float), strict=True):
        assert (ours == (grey > best_threshold(grey))).all()


def test_dark_objects_are_the_other_side_and_without_a_word_the_smaller_one_is_it():
    x = images()
    bright, dark, smaller = (otsu_masks(x, bright=way) for way in (True, False, None))
    assert torch.equal(dark, 1 - bright)
    assert (smaller.float().mean((1, 2)) <= 0.5).all()
    assert all(torch.equal(s, b) or torch.equal(s, d) for s, b, d in zip(smaller, bright, dark, strict=True))


def test_discs_are_outlined_bright_or_dark():
    x, y = discs(10, channels=3)
    assert dice(otsu_masks(x), y).min() > 0.99 and dice(otsu_masks(255 - x), y).min() > 0.99


@pytest.mark.parametrize("bright", [None, True, False])
def test_an_image_of_one_value_has_no_object(bright):
    for value in (0, 7, 255):
        assert otsu_masks(torch.full((2, 3, 5, 5), value, dtype=torch.uint8), bright=bright).sum() == 0


def test_haematoxylin_is_told_from_eosin_where_grey_is_not():
    """By Beer and Lambert, from pale to dark each: so no grey value is between both."""
    random = np.random.default_rng(0)
    stains = np.array(STAINS)[:2] / np.linalg.norm(STAINS, axis=1)[:2, None]
    nucleus = random.random((4, 16, 16)) < 0.3
    much, little = random.uniform([0.4, 0.2], [0.9, 1], (4, 16, 16, 2)), random.uniform(0, 0.05, (4, 16, 16, 2))
    amount = np.where(np.stack([nucleus, ~nucleus], -1), much, little)
    light = 255 * 10 ** -(amount @ stains)
    x = torch.from_numpy(light.round().astype(np.uint8)).permute(0, 3, 1, 2)
    found = otsu_masks(x, of="haematoxylin", bright=True)
    assert dice(found, nucleus).min() == 1 > dice(otsu_masks(x, bright=False), nucleus).max()
    haematoxylin = amount[..., 0]
    low, high = haematoxylin.min((1, 2), keepdims=True), haematoxylin.max((1, 2), keepdims=True)
    wanted = (haematoxylin - low) / (high - low) * 255
    assert np.abs(grey_values(x, "haematoxylin").numpy() - wanted).max() < 8  # light was rounded to bytes
