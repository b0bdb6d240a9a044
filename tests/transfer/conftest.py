"""Folders as readers bring them, small, and a search that trains nothing."""

import numpy as np
import pandas as pd
import pytest
import torch
from small_images import pixels, write_image

from medtl_helpers import provenance
from medtl_helpers.methods.nets import CourseCNN
from medtl_helpers.methods.predict import predict
from medtl_helpers.methods.transferred import Transferred
from medtl_helpers.methods.ways import Way
from medtl_helpers.transfer import command


@pytest.fixture(autouse=True)
def forget_sources(monkeypatch):
    """What is loaded here is not what other tests are about."""
    monkeypatch.setattr(provenance, "_sources", {})


@pytest.fixture
def make_folder(tmp_path):
    """``make_folder(name, classes, patients, images)``: class folders of ``P01_0.png`` …, each image another one."""

    def make(name="mine", classes=("sick", "well"), patients=12, images=2, seed=0, side=16):
        rng = np.random.default_rng(seed)
        for k, label in enumerate(classes):
            for patient in range(patients):
                for image in range(images):
                    file = f"P{k}{patient:02}_{image}.png"
                    write_image(tmp_path / name / label / file, pixels(k, rng, side))
        return tmp_path / name

    return make


def fake_search(task, minutes=5, *, seed=0, out=None, **options) -> Transferred:
    """What ``auto_transfer`` returns, of an untrained network; it leaves its log as that does."""
    torch.manual_seed(seed)
    classes = len(task.classes)
    model = CourseCNN(int(task.train.x.shape[1]), classes).eval()
    out.write_text('{"search": 1}\n')
    way = Way("small network", "from scratch", "everything", 0.003)
    row = {**way.record(), "log loss": 0.61, "auroc": 0.7, "epochs": 3, "rung": 1, "seconds": 0.5}
    other = {**row, "rate": 0.01, "log loss": 0.66}
    answers = [predict(model, part.x).numpy() for part in (task.val, task.test)]
    table = pd.DataFrame([row, other])
    return Transferred(model, way, 3, table, *answers, {}, "search complete", seed, minutes, {"at once": 2})


@pytest.fixture
def without_search(monkeypatch):
    monkeypatch.setattr(command, "auto_transfer", fake_search)
