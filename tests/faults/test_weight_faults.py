"""Weight files that are readable and still wrong or hostile; damaged files are in ``tests/test_weights.py``."""

import h5py
import numpy as np
import pytest
import torch
from rows import Row, one_sentence

from medtl_helpers import provenance
from medtl_helpers.methods import backbones, weight_files
from medtl_helpers.methods.weight_files import write_vgg16
from medtl_helpers.methods.weights import load_backbone

HUGE = 10**12


def vgg16(path, spoil):
    """A whole file, small because all weights are zero, and then spoilt."""
    convolutions = [m for m in backbones.vgg16(2).modules() if isinstance(m, torch.nn.Conv2d)]
    write_vgg16(path, [(torch.zeros_like(m.weight), torch.zeros_like(m.bias)) for m in convolutions])
    with h5py.File(path, "r+") as file:
        spoil(file["layers"])


def resnet(path, spoil):
    state = backbones.small_resnet(2, 8).stages.state_dict()
    spoil(state)
    torch.save(state, path)


def replaced(layers, name, **how):
    del layers[name]
    layers.create_dataset(name, dtype="float16", chunks=True, **how)  # nothing is written: a few bytes on disk


def nan_in(layers):
    layers["conv2d_3/vars/1"][5] = np.nan


def infinite(state):
    state["layer1.0.bn1.running_var"][2] = torch.inf


def expanded(state, dtype=torch.float16):
    """One number that claims to be 10¹²: nothing in the file, terabytes once it is turned into float32."""
    state["layer1.0.conv1.weight"] = torch.zeros(1, dtype=dtype).expand(HUGE)


# fault, network, what makes the file, what is said
FILES = [
    ("a NaN weight", "vgg16", lambda p: vgg16(p, nan_in), "holds weights that are not finite numbers: fetch it again"),
    (
        "a bias that claims 2 TB",
        "vgg16",
        lambda p: vgg16(p, lambda f: replaced(f, "conv2d/vars/1", shape=(HUGE,))),
        "does not hold VGG16's 13 convolutions",
    ),
    (
        "a kernel that claims 2 TB",
        "vgg16",
        lambda p: vgg16(p, lambda f: replaced(f, "conv2d_12/vars/0", shape=(3, 3, 10**6, 10**5))),
        "does not hold VGG16's 13 convolutions",
    ),
    (
        "a link in a circle",
        "vgg16",
        lambda p: vgg16(p, lambda f: f.update({"loop": f}) or f.pop("conv2d")),
        "does not hold VGG16's 13 convolutions",
    ),
    ("an infinite statistic", "resnet", lambda p: resnet(p, infinite), "holds weights that are not finite numbers"),
    ("a kernel that claims 4 TB", "resnet", lambda p: resnet(p, expanded), "some are far too large: give another"),
]


@pytest.mark.parametrize("network, make, said", [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_a_weight_file_that_is_wrong_inside(tmp_path, monkeypatch, network, make, said):
    monkeypatch.setattr(provenance, "_weights", {})
    path = tmp_path / "mine.h5"
    make(path)
    before = path.read_bytes()
    assert len(before) < 10**6
    with pytest.raises(ValueError) as info:
        load_backbone(network, 2, weights=path)
    text = one_sentence(info.value)
    assert text.startswith(str(path)) and said in text
    assert path.read_bytes() == before and provenance._weights == {}


def test_a_resnet_of_another_width_is_still_read(tmp_path):
    """``_new_resnet`` looks into the file first: what is refused is the size, not what is unusual."""
    path = tmp_path / "narrow.pt"
    weight_files.write_resnet(path, backbones.small_resnet(2, 8))
    assert weight_files.read_resnet(path)["stem.0.weight"].shape == (8, 3, 3, 3)


TABLE = [Row(f"{network}: {fault}", said, "the file; nothing is loaded") for fault, network, _, said in FILES]
