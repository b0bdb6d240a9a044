"""Grad-CAM: the shape of its layer, 0 to 1, and a closed form; the share of a map in a region, counted by hand."""

import numpy as np
import pytest
from keras_models import L, equal, images, small_trunk

from medtl_helpers.methods import keras_recipes as recipes
from medtl_helpers.methods.grad_cam import grad_cam, highest_inside, mass_inside


def test_grad_cam_has_the_shape_of_its_layer_and_runs_from_0_to_1():
    x = images(5, size=16)
    model = recipes.join(small_trunk(), recipes.gap_head(2, units=4))
    before = model.get_weights()
    maps = grad_cam(model, x, [0, 1, 0, 1, 0], layer="block4_relu")
    assert maps.shape == (5, 16, 16) and maps.dtype == np.float32
    assert maps.min() >= 0 and set(np.round(maps.max((1, 2)), 5)) <= {0.0, 1.0}
    assert maps.max() == pytest.approx(1)
    assert all(equal(before, model.get_weights()))


def test_grad_cam_of_a_linear_head_is_the_closed_form():
    """With GAP and one linear layer, ∂z_c/∂A^k is w_kc / (h·w) at every place: the class activation map (CAM)."""
    trunk = small_trunk()
    head = [L.GlobalAveragePooling2D(name="head_gap"), L.Dense(2, name="head_logits"), L.Softmax(name="head_softmax")]
    model, x = recipes.join(trunk, head), images(4, size=16)
    a = trunk.predict(recipes.preprocess(x), verbose=0)  # N×4×4×8
    kernel = model.get_layer("head_logits").get_weights()[0]
    for c in (0, 1):
        expected = np.maximum(a @ kernel[:, c], 0)
        expected = expected / np.maximum(expected.max((1, 2), keepdims=True), 1e-9)
        np.testing.assert_allclose(grad_cam(model, x, [c] * 4, layer="block5_pool"), expected, rtol=1e-4, atol=1e-5)


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
