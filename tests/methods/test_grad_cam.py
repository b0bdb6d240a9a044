"""Grad-CAM of Keras networks: the shape of its layer, 0 to 1, and a closed form; of torch: ``test_saliency.py``."""

import numpy as np
import pytest
from keras_models import L, equal, images, small_trunk

from medtl_helpers.methods import keras_recipes as recipes
from medtl_helpers.methods.grad_cam import grad_cam


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
