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


def test_each_epoch_sees_every_image_once_as_one_of_its_copies():
    copies = np.arange(3 * 10).reshape(3, 10)  # copy m of image n is 10 m + n
    batches = experiment.OneCopyEach(copies, np.arange(10) * 100, batch_size=4)
    epochs = []
    for _ in range(30):
        seen = [batches[at] for at in range(len(batches))]
        batches.on_epoch_end()
        x, y = (np.concatenate(part) for part in zip(*seen, strict=True))
        assert sorted(x % 10) == list(range(10)) and (y == 100 * (x % 10)).all()
        epochs.append(x)
    assert {tuple(epoch % 10) for epoch in epochs} != {tuple(epochs[0] % 10)}  # another order
    assert {copy for epoch in epochs for copy in epoch // 10} == {0, 1, 2}


def two_class_task(y, positive=0):
    split = mtl.Split(torch.zeros(len(y), 1, 16, 16, dtype=torch.uint8), torch.tensor(y))
    return mtl.Task("t", split, split, split, ("malignant", "benign"), provenance="twin", positive=positive)


@pytest.mark.parametrize("positive", [0, 1])
def test_the_threshold_decides_and_what_stands_elsewhere_is_left_out(positive):
    sick = np.array([1, 1, 1, 0, 0, 0, 0, 1], bool)
    task = two_class_task(np.where(sick, positive, 1 - positive).tolist(), positive)
    probability = np.array([0.9, 0.4, 0.3, 0.1, 0.2, 0.25, 0.8, 0.0])
    report = experiment.report_on_test(task, probability, 0.3)
    assert report["recall"].value == 3 / 4 and report["precision"].value == 3 / 4
    clean = experiment.report_on_test(task, probability, 0.3, without=[6, 7])
    assert clean["balanced accuracy"].value == clean["auroc"].value == 1
    assert clean["recall"].n == 6


class Recorded:
    """A record of two maps with three seeds each."""

    def values(self, key):
        return ["trained", "random map"]

    def scores(self, way):
        return np.array([0.1, 0.2, 0.3])

    def mean(self, way):
        return mtl.t_interval(self.scores(way))


def test_each_map_stands_over_its_image_with_the_outline_of_the_lesion(monkeypatch):
    shown = []
    monkeypatch.setattr(figures, "show", lambda figure, alt, **_: shown.append((figure, alt)))
    images, lesions = torch.zeros(2, 1, 16, 16, dtype=torch.uint8), torch.zeros(2, 16, 16, dtype=torch.bool)
    lesions[:, 4:9, 4:9] = True
    maps = {"trained": np.ones((2, 4, 4)), "random weights": np.ones((2, 4, 4))}
    figures.show_maps(images, lesions, maps, Recorded())
    ((figure, alt),) = shown
    titles = [title for axis in figure.axes for loc in ("left", "center") if (title := axis.get_title(loc=loc))]
    plt.close(figure)
    assert titles == ["lesion", "trained", "random\nweights", "recorded, by seed"]
    assert len(figure.axes) == 2 * 3 + 1
    assert "trained 0.20, random map 0.20" in alt


class OverCases:
    """A record of both data sets, with and without duplicates."""

    data, about = "real", {"weights": "stand-in"}

    def values(self, key, task):
        return ["probe", "top block"]

    def over_cases(self, way, task, test):
        value = {"probe": 0.7, "top block": 0.8}[way] + 0.1 * (task == "pneumonia") - 0.05 * (test != "native")
        return mtl.Interval(value, value - 0.1, value + 0.1, "bootstrap", 100)


def test_both_data_sets_are_shown_with_and_without_duplicates(monkeypatch):
    shown = []
    monkeypatch.setattr(figures, "show", lambda figure, alt, **_: shown.append((figure, alt)))
    figures.show_medmnist(OverCases())
    ((figure, alt),) = shown
    plt.close(figure)
    titles = [title for axis in figure.axes for loc in ("left", "center") if (title := axis.get_title(loc=loc))]
    assert titles == ["BreastMNIST", "PneumoniaMNIST"]
    assert "the top block on BreastMNIST 0.80 (native), the top block on BreastMNIST 0.75 (without duplicates)" in alt
    assert "the top block on PneumoniaMNIST 0.90 (native), the top block on PneumoniaMNIST 0.85 (without" in alt
