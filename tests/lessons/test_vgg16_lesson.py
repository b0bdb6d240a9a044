"""What notebook 03 measures, on feature maps and heads that are small enough to compute by hand."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.lessons.vgg16 import experiment, figures
from medtl_helpers.methods import keras_recipes as recipes


def test_a_silent_map_is_zero_everywhere_in_all_images():
    maps = np.zeros((3, 2, 2, 4), "float32")
    maps[2, 1, 0, 1] = 0.5  # one place of one image is enough to be heard
    maps[..., 3] = 1
    assert experiment.silent(maps) == 0.5


def test_likeness_is_the_mean_cosine_of_all_pairs_of_different_images():
    first, second, third = np.array([1.0, 0]), np.array([0, 2.0]), np.array([3.0, 3.0])
    maps = np.stack([first, second, third]).reshape(3, 1, 1, 2)
    assert experiment.likeness(maps) == pytest.approx((0 + 2 / np.sqrt(2)) / 3)
    assert experiment.likeness(5 * np.ones((4, 2, 2, 3))) == pytest.approx(1)


def test_new_weights_are_those_of_two_dense_layers():
    heads = {"GAP": recipes.gap_head, "Flatten": recipes.flatten_head}
    dense = {"GAP": 512 * 1024 + 1024, "Flatten": 3 * 3 * 512 * 1024 + 1024}
    last = 1024 * 2 + 2
    assert experiment.new_weights(heads, 96) == {name: count + last for name, count in dense.items()}


def test_cams_are_shown_for_two_images_of_each_kind_of_answer(monkeypatch):
    shown = []
    monkeypatch.setattr(figures, "show", lambda figure, alt, **_: shown.append((figure, alt)))
    y = torch.tensor([0, 0, 0, 1, 1, 1, 1, 0])
    x = torch.zeros(8, 1, 16, 16, dtype=torch.uint8)
    split = mtl.Split(x, y)
    task = mtl.Task("t", split, split, split, ("malignant", "benign"), provenance="twin", positive=0)
    called = np.array([0, 0, 0, 1, 1, 1, 0, 1])
    figures.show_cams(task, np.zeros((8, 2, 2), "float32"), called)
    ((figure, alt),) = shown
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    plt.close(figure)
    assert titles == [
        *["malignant,\ncalled malignant"] * 2,
        "not malignant,\ncalled malignant",
        "malignant,\ncalled not malignant",
        *["not malignant,\ncalled not malignant"] * 2,
    ]
    assert alt.startswith("6 test images")
