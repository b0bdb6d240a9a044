"""Five pairs of domains that have nothing to do with the course's images, to try untouched defaults on.

Two moons, turned; scikit-learn's digits, turned; its tables of breast cancer and of wine, whose target comes from
another assay (each column with a gain and an offset of its own). Both domains have the same classes, equally frequent
up to chance. Of the settings, only the number of steps was set after a first try on them (``STEPS`` in ``dann.py``).
"""

import numpy as np
import torch
from scipy import ndimage
from sklearn import datasets

from medtl_helpers.data.tasks import Split, Task

# name, and the degrees of the turn, or the standard deviation of the assay's log gains
SHIFTS = [("moons", 30), ("digits", 20), ("digits", 40), ("breast cancer", 0.5), ("wine", 0.5)]


def pair(name: str, amount: float, seed: int) -> tuple[Task, Task]:
    """(source, target), float32 N×D; a half of the rows each: 60 % of it to train, 15 % to validate, 25 % to test."""
    x, y = {
        "moons": lambda: datasets.make_moons(1200, noise=0.1, random_state=seed),
        "digits": lambda: datasets.load_digits(return_X_y=True),
        "breast cancer": lambda: datasets.load_breast_cancer(return_X_y=True),
        "wine": lambda: datasets.load_wine(return_X_y=True),
    }[name]()
    rng = np.random.default_rng(seed)
    here, there = np.array_split(rng.permutation(len(y)), 2)
    x = (x - x[here].mean(0)) / (16 if name == "digits" else x[here].std(0))
    if name == "moons":
        cos, sin = np.cos(np.deg2rad(amount)), np.sin(np.deg2rad(amount))
        moved = x @ np.array([[cos, -sin], [sin, cos]])
    elif name == "digits":
        images = [ndimage.rotate(image, amount, reshape=False, order=1) for image in x.reshape(-1, 8, 8)]
        moved = np.stack(images).reshape(len(x), -1)
    else:
        moved = x * np.exp(amount * rng.normal(size=x.shape[1])) + 0.7 * rng.normal(size=x.shape[1])

    def domain(title, x, rows):
        train, val, test = np.split(rows, [int(0.6 * len(rows)), int(0.75 * len(rows))])
        parts = [Split(torch.tensor(x[at], dtype=torch.float32), torch.tensor(y[at])) for at in (train, val, test)]
        return Task(title, *parts, tuple(map(str, np.unique(y))), provenance="twin" if name == "moons" else "real")

    return domain(name, x, here), domain(f"{name}, shifted by {amount:g}", moved, there)
