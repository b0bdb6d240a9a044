"""What notebook 03 measures and trains on: silent feature maps, how alike maps are, weights of a head, test results."""

import numpy as np

from ...methods import keras_recipes as recipes
from ...methods.intervals import Interval
from ...methods.keras_backend import keras
from ...methods.metrics import bootstrap_metrics


def silent(maps: np.ndarray) -> float:
    """The share of the feature maps (float N×h×w×D) that are zero at every place of every image."""
    return float((maps.max((0, 1, 2)) <= 0).mean())


def likeness(maps: np.ndarray) -> float:
    """The mean cosine similarity between the features (float N×h×w×D) of two different images."""
    flat = maps.reshape(len(maps), -1)
    unit = flat / np.linalg.norm(flat, axis=1, keepdims=True).clip(1e-12)
    return float((unit @ unit.T)[~np.eye(len(unit), dtype=bool)].mean())


def new_weights(heads: dict, size: int) -> dict[str, int]:
    """The number of weights that each of the ``heads`` (for two classes) adds to VGG16 for images of ``size`` pixels.

    They are counted on built networks. On the device "meta" a network has shapes and no numbers, so that 26 million
    weights need no memory.
    """
    with keras.device("meta"):
        bare = keras.applications.VGG16(weights=None, include_top=False, input_shape=(size, size, 3))
        built = {name: recipes.join(bare, head_of(2)) for name, head_of in heads.items()}
        return {name: network.count_params() - bare.count_params() for name, network in built.items()}


class OneCopyEach(keras.utils.PyDataset):
    """Batches of features, each image as one of its augmented copies, drawn anew in each epoch.

    ``copies``: float M×N×…, the features of M copies of each of N images; ``y``: int N.
    """

    def __init__(self, copies, y, batch_size=32, seed=0):
        super().__init__()
        self.copies, self.y, self.batch_size = copies, y, batch_size
        self.rng = np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self):
        return -(-len(self.y) // self.batch_size)

    def on_epoch_end(self):
        self.order = self.rng.permutation(len(self.y))

    def __getitem__(self, index):
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        drawn = self.rng.integers(len(self.copies), size=len(rows))
        return self.copies[drawn, rows], self.y[rows]


def report_on_test(task, probability, threshold: float, *, without=()) -> dict[str, Interval]:
    """``bootstrap_metrics`` of a two-class task's test images, those in the rows ``without`` left out.

    ``probability``: float N, of the positive class, which is answered from the ``threshold`` (in 0..1) on.
    """
    there = np.ones(len(probability), bool)
    there[np.asarray(without, int)] = False
    y, answer = task.test.y.numpy()[there], np.interp(probability, [0, threshold, 1], [0, 0.5, 1])[there]
    answer[probability[there] >= threshold] += 1e-9  # at the threshold itself the answer is positive, too
    answer = answer.clip(0, 1)
    columns = [answer, 1 - answer] if task.positive == 0 else [1 - answer, answer]
    return bootstrap_metrics(y, np.stack(columns, 1), positive=task.positive)
