"""A shift to another scanner or another laboratory: nothing at strength 0, more and more from there."""

import numpy as np
import pandas as pd
import pytest
import torch

from medtl_helpers.data.phantoms import draw
from medtl_helpers.data.shifts import SCANNERS, Scanner, assay_shift
from medtl_helpers.data.tables import heart_twin

CLASSES = {"smear": 8, "chest": 2, "ultrasound": 2, "texture": 11}


def labels(kind, n=40):
    return torch.arange(n) % CLASSES[kind]


def distance(a, b):
    return (a.float() - b.float()).abs().mean().item()


# --- the domain shift ------------------------------------------------------------------------------------------------


@pytest.fixture(params=["smear", "chest"], ids=["colour", "grey"])
def images(request):
    return draw(request.param, labels(request.param), 32, seed=1)


@pytest.mark.parametrize("name", SCANNERS)
def test_strength_0_changes_no_bit_and_gives_a_copy(images, name):
    unchanged = SCANNERS[name](images, 0)
    assert torch.equal(unchanged, images) and unchanged.data_ptr() != images.data_ptr()


def test_scanner_a_is_the_source_and_changes_nothing_at_any_strength(images):
    assert torch.equal(SCANNERS["A"](images, 1.0), images)


@pytest.mark.parametrize("name", ["B", "C", "D"])
def test_the_shift_grows_steadily_with_its_strength(images, name):
    far = [distance(SCANNERS[name](images, s), images) for s in np.linspace(0, 1.25, 11)]
    steps = np.diff(far)
    assert (steps > 0).all() and steps.max() < 4 * steps.min()
    assert far[8] > 8  # at full strength, of 255


@pytest.mark.parametrize("name", ["B", "C", "D"])
def test_a_slider_moves_without_jumps(images, name):
    """From one strength to the next one in a hundred, nothing moves by more than a few of 255 levels."""
    for strength in (0.0, 0.02, 0.3, 0.6, 0.99):
        near = SCANNERS[name](images, strength), SCANNERS[name](images, strength + 0.01)
        assert distance(*near) < 1.5


@pytest.mark.parametrize("name", SCANNERS)
def test_a_scanner_leaves_its_input_alone_and_keeps_shape_and_dtype(images, name):
    before = images.clone()
    shifted = SCANNERS[name](images, 0.8)
    assert torch.equal(images, before)
    assert shifted.dtype == torch.uint8 and shifted.shape == images.shape


def test_a_scanners_noise_comes_from_its_seed(images):
    noisy = SCANNERS["C"]
    torch.manual_seed(0)
    first = noisy(images, seed=4)
    torch.manual_seed(1)
    assert torch.equal(noisy(images, seed=4), first)
    assert not torch.equal(noisy(images, seed=5), first)


@pytest.mark.parametrize("strength", [0, 1.0])
def test_no_images_are_acquired_from_none(strength):
    assert SCANNERS["B"](torch.empty(0, 3, 28, 28, dtype=torch.uint8), strength).shape == (0, 3, 28, 28)


def test_the_tone_curve_and_the_colours_are_the_written_formula():
    image = torch.full((1, 3, 8, 8), 100, dtype=torch.uint8)
    image[:, 1] = 200
    matrix = np.array([[0.5, 0.5, 0], [0, 0.9, 0], [0.2, 0, 0.6]])
    shifted = Scanner("test", tuple(map(tuple, matrix)), gamma=2.0)(image, 1.0)
    wanted = (matrix @ np.array([100, 200, 100]) / 255) ** 2 * 255
    np.testing.assert_allclose(shifted[0, :, 0, 0].numpy(), wanted, atol=0.51)


# --- the table twins -------------------------------------------------------------------------------------------------


@pytest.fixture
def table():
    return heart_twin("cleveland", 200).drop(columns="num")


def test_an_assay_shift_of_strength_0_changes_no_value(table):
    pd.testing.assert_frame_equal(assay_shift(table, 0), table)


def test_an_assay_shift_grows_with_its_strength_and_returns_a_new_table(table):
    before = table.copy()
    moved = [((assay_shift(table, s) - table).abs() / table.std()).mean().mean() for s in (0, 0.25, 0.5, 1.0)]
    assert moved == pytest.approx([0, moved[3] / 4, moved[3] / 2, moved[3]]) and moved[3] > 0.3
    pd.testing.assert_frame_equal(table, before)
    pd.testing.assert_frame_equal(assay_shift(table, 0.5), assay_shift(table, 0.5))
    assert (assay_shift(table, 1.0).isna() == table.isna()).all(axis=None)
