"""A saved network answers as it did, whatever kind it is; the file holds no code, and any other file is refused."""

import pickle

import numpy as np
import pytest
import torch

from medtl_helpers.methods.all_stages import AllStages
from medtl_helpers.methods.averaged import Averaged
from medtl_helpers.methods.backbones import resnet18, small_resnet, vgg16
from medtl_helpers.methods.nets import CourseCNN
from medtl_helpers.methods.predict import predict
from medtl_helpers.transfer.judging import Recipe
from medtl_helpers.transfer.saved import Saved, architecture, build, light_of, light_range, load_saved, saved_bytes

TWO, THREE = Recipe(("a", "b"), 1, 1.3, 0.4), Recipe(("a", "b", "c"), None, 0.9, None)


def all_stages(trunk, size=32):
    width, x = 0, trunk.eval().input(torch.zeros(1, 3, size, size))
    for stage in trunk.stages.values():
        x = stage(x)
        width += 2 * x.shape[1]
    return AllStages(trunk, width, 2).eval()


NETWORKS = {
    "small network": lambda: CourseCNN(1, 2, width=8),
    "small_resnet": lambda: small_resnet(2, width=8),
    "all stages of small_resnet": lambda: all_stages(small_resnet(2, width=8)),
    "all stages of the small network": lambda: all_stages(CourseCNN(3, 2, width=8)),
    "the mean of three": lambda: Averaged(
        [small_resnet(2, width=8), all_stages(small_resnet(2, width=8)), CourseCNN(3, 2, width=8)]
    ),
}
SLOW = {"resnet18": lambda: resnet18(2), "vgg16": lambda: vgg16(2)}


def roundtrip(model, tmp_path, channels):
    torch.manual_seed(0)
    for value in model.state_dict().values():
        if value.dtype.is_floating_point:
            value.uniform_(0.01, 0.2)
    saved = Saved(model.eval(), TWO, 32, channels, (20, 64, 512), "It tells a from b.")
    (tmp_path / "model.pt").write_bytes(saved_bytes(saved))
    again = load_saved(tmp_path / "model.pt")
    x = torch.randint(0, 256, (5, channels, 32, 32), dtype=torch.uint8)
    torch.testing.assert_close(predict(again.model, x), predict(model, x))
    assert (again.recipe, again.size, again.channels, again.sides, again.about) == (
        TWO,
        32,
        channels,
        (20, 64, 512),
        "It tells a from b.",
    )
    assert set(torch.load(tmp_path / "model.pt", weights_only=True)) >= {"state", "recipe", "size", "network"}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_the_same_after_it_was_saved(name, tmp_path):
    roundtrip(NETWORKS[name](), tmp_path, 1 if name == "small network" else 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_a_large_network_is_the_same_after_it_was_saved(name, tmp_path):
    roundtrip(SLOW[name](), tmp_path, 1)


def test_three_classes_without_a_positive_one_are_kept(tmp_path):
    (tmp_path / "m").write_bytes(saved_bytes(Saved(CourseCNN(3, 3).eval(), THREE, 16, 3, (8, 9, 10), "")))
    assert load_saved(tmp_path / "m").recipe == THREE


def test_the_light_of_training_images_is_kept_and_an_older_file_does_not_say(tmp_path):
    x = torch.randint(0, 256, (300, 3, 8, 8), dtype=torch.uint8)
    x[7], x[299] = 3, 250
    pixels = x.numpy().astype(float)
    mean, spread = pixels.mean((1, 2, 3)), pixels.std((2, 3)).mean(1)
    assert light_of(x) == pytest.approx(np.stack([mean, spread], 1))
    light = light_range(x)
    assert light == pytest.approx((3, 250, 0, spread.max()))
    saved = Saved(CourseCNN(3, 3).eval(), THREE, 16, 3, (8, 9, 10), "", light)
    (tmp_path / "m").write_bytes(saved_bytes(saved))
    assert load_saved(tmp_path / "m").light == light
    older = torch.load(tmp_path / "m", weights_only=True)
    del older["light"]
    torch.save(older, tmp_path / "m")
    assert load_saved(tmp_path / "m").light is None


def test_another_network_says_how_to_save_it():
    model = CourseCNN(1, 2)
    model.stages = torch.nn.ModuleDict({"mine": model.stages["stage1"]})
    with pytest.raises(ValueError, match="save its state_dict yourself"):
        architecture(model)
    with pytest.raises(ValueError, match="no network"):
        build({"name": "other", "all stages": False}, 2)


class Hostile:
    def __reduce__(self):
        return (print, ("the file ran a program",))


def test_a_hostile_file_runs_nothing(tmp_path, capsys):
    for content in (pickle.dumps(Hostile()), b"", b"\x80", b"PK\x03\x04"):
        (tmp_path / "m.pt").write_bytes(content)
        with pytest.raises(ValueError, match="is no model that the transfer command saved"):
            load_saved(tmp_path / "m.pt")
    torch.save(Hostile(), tmp_path / "m.pt")
    with pytest.raises(ValueError, match="is no model"):
        load_saved(tmp_path / "m.pt")
    assert "ran a program" not in capsys.readouterr().out


WRONG = {
    "size": "64",
    "channels": 7,
    "sides": [1, 2],
    "network": {"name": "small network", "all stages": False, "channels": 1, "width": 10**9},
    "recipe": {"classes": ["a"], "positive": None, "temperature": 1.0, "threshold": None},
    "state": {},
    "light": [9.0, 3.0, 0.0, float("nan")],
}


@pytest.mark.parametrize("key", WRONG)
def test_a_changed_file_is_refused(tmp_path, key):
    (tmp_path / "m.pt").write_bytes(saved_bytes(Saved(CourseCNN(1, 2).eval(), TWO, 32, 1, (8, 9, 10), "")))
    torch.save(torch.load(tmp_path / "m.pt", weights_only=True) | {key: WRONG[key]}, tmp_path / "m.pt")
    with pytest.raises(ValueError, match=r"m\.pt is damaged: copy it again"):
        load_saved(tmp_path / "m.pt")


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    (tmp_path / "m.pt").write_bytes(saved_bytes(Saved(CourseCNN(1, 2).eval(), TWO, 32, 1, (8, 9, 10), "")))
    content = torch.load(tmp_path / "m.pt", weights_only=True)
    content["state"]["head.bias"][0] = float("nan")
    torch.save(content, tmp_path / "m.pt")
    with pytest.raises(ValueError, match="not finite numbers"):
        load_saved(tmp_path / "m.pt")
