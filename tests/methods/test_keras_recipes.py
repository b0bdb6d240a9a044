"""The Keras recipes against Keras' own functions, torch, closed formulas and the naive loop."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from keras_models import equal, images, small_trunk

import medtl_helpers as mtl
from medtl_helpers.methods import backbones, weight_files
from medtl_helpers.methods import keras_recipes as recipes
from medtl_helpers.methods.keras_backend import keras


def arrays_of(model, part):
    """All weights and batch-norm statistics of the layers whose names begin with ``part``."""
    return [w.copy() for layer in model.layers if layer.name.startswith(part) for w in layer.get_weights()]


@pytest.fixture(scope="module")
def trunk_file(tmp_path_factory):
    """Random VGG16 weights in Keras' layout."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "random.weights.h5"
    pairs = [
        (m.weight.detach(), m.bias.detach() + 0.1)
        for m in backbones.vgg16(1).modules()
        if isinstance(m, torch.nn.Conv2d)
    ]
    weight_files.write_vgg16(path, pairs)
    return path


# --- images ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_preprocess_gives_the_numbers_of_keras_and_leaves_its_input_alone(channels):
    x = images(4, channels)
    before = x.clone()
    as_floats = x.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy().astype("float32")
    ours = recipes.preprocess(x)
    assert torch.equal(x, before)
    assert ours.dtype == np.float32 and ours.shape == (4, 32, 32, 3)
    np.testing.assert_array_equal(ours, keras.applications.vgg16.preprocess_input(as_floats))
    np.testing.assert_array_equal(recipes.preprocess(x.numpy()), ours)


@pytest.mark.parametrize(
    ("spoil", "advice"),
    [
        (lambda x: recipes.preprocess(x).transpose(0, 3, 1, 2), "preprocessed already.*once"),
        (lambda x: x.float() / 255, "rescaled to 0..1.*leave out the rescaling"),
        (lambda x: mtl.to_float(x), "preprocessed already"),
        (lambda x: x.float(), "uint8, 0 to 255"),
        (lambda x: x.permute(0, 2, 3, 1), r"N×C×H×W.*transpose"),
        (lambda x: x[0], "N×C×H×W"),
    ],
)
def test_images_that_were_prepared_before_are_refused_in_one_sentence(spoil, advice):
    with pytest.raises(ValueError, match=advice) as refusal:
        recipes.preprocess(spoil(images(2)))
    assert "\n" not in str(refusal.value)


def test_class_weights_make_the_classes_equal():
    y = np.array([0, 1, 1, 1, 2, 2])
    expected = recipes.class_weights(torch.tensor(y))
    assert expected == pytest.approx({0: 2.0, 1: 2 / 3, 2: 1.0})
    assert sum(expected[k] for k in y) == pytest.approx(len(y))


# --- VGG16 -----------------------------------------------------------------------------------------------------------


def test_features_equal_those_of_torch_with_the_same_file(trunk_file):
    x = images(3)
    trunk = recipes.vgg16_trunk(32, trunk_file, quiet=True)
    model = backbones.vgg16(2).eval()
    weight_files.load_vgg16(model, trunk_file)
    with torch.inference_mode():
        theirs = model.features(mtl.to_float(x)).numpy()
    ours = recipes.features(trunk, x, batch_size=2)
    assert ours.shape == (3, 1, 1, 512) and ours.std() > 0
    np.testing.assert_allclose(ours[:, 0, 0], theirs, rtol=1e-3, atol=1e-4 * np.abs(theirs).max())


def test_both_layouts_of_keras_files_load(trunk_file, tmp_path):
    import h5py

    old = tmp_path / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    with h5py.File(old, "w") as file:  # as Keras 2 wrote it: one group per layer, block1_conv1/block1_conv1_W_1:0
        names = [f"block{b}_conv{c}" for b, n in enumerate((2, 2, 3, 3, 3), 1) for c in range(1, n + 1)]
        for name, (kernel, bias) in zip(names, weight_files.read_vgg16(trunk_file), strict=True):
            file[f"{name}/{name}_W_1:0"] = kernel.permute(2, 3, 1, 0).numpy()
            file[f"{name}/{name}_b_1:0"] = bias.numpy()
    new, legacy = (recipes.vgg16_trunk(32, path, quiet=True).get_weights() for path in (trunk_file, old))
    assert len(new) == 26 and all(equal(new, legacy))


def test_the_trunk_says_where_its_weights_come_from(trunk_file, monkeypatch, capsys):
    from medtl_helpers.teaching.claims import session_report

    monkeypatch.setenv("MEDTL_VGG16", str(trunk_file))
    trunk = recipes.vgg16_trunk(32)
    assert trunk.origin.provenance == "stand-in" and "stand-in" in capsys.readouterr().out
    assert session_report()["weights"]["vgg16"] == "stand-in"
    assert recipes.vgg16_trunk(32, "random").origin.provenance == "random" and "RANDOM" in capsys.readouterr().out


def test_too_small_images_are_refused():
    with pytest.raises(ValueError, match="32 px or more"):
        recipes.vgg16_trunk(28)


@pytest.mark.parametrize(("size", "places"), [(224, 7 * 7), (64, 2 * 2)])
def test_the_heads_weights_are_those_of_the_formula(size, places):
    trunk = keras.applications.VGG16(weights=None, include_top=False, input_shape=(size, size, 3))
    dense = lambda inputs: (inputs + 1) * 1024 + (1024 + 1) * 2  # noqa: E731
    for head, inputs in ((recipes.gap_head, 512), (recipes.flatten_head, places * 512)):
        assert recipes.join(trunk, head(2)).count_params() - trunk.count_params() == dense(inputs)


# --- training --------------------------------------------------------------------------------------------------------


def few(n=24):
    x = images(n, size=16)
    return recipes.preprocess(x), np.arange(n) % 2


def test_frozen_parts_are_bit_identical_after_training_batch_norm_included():
    model = recipes.join(small_trunk(), recipes.gap_head(2, units=4))
    x, y = few()
    before = arrays_of(model, "block4"), arrays_of(model, "block5"), arrays_of(model, "head")
    recipes.train_only(model, "block5", "head", lr=1e-2).fit(x, y, epochs=2, verbose=0)
    assert all(equal(before[0], arrays_of(model, "block4")))
    assert not any(equal(before[1], arrays_of(model, "block5")))  # its batch-norm statistics, too
    assert not any(equal(before[2], arrays_of(model, "head")))


def test_thawing_by_train_only_takes_effect_and_by_hand_does_not():
    """After a fit, a layer thawed without compiling is unknown to the optimiser; ``train_only`` compiles anew."""
    x, y = few()
    model = recipes.join(small_trunk(), recipes.gap_head(2, units=4))
    recipes.train_only(model, "head", lr=1e-2).fit(x, y, verbose=0)
    optimizer, before = model.optimizer, arrays_of(model, "block5_conv")
    model.get_layer("block5_conv").trainable = True
    with pytest.raises(ValueError, match="Unknown variable"):
        model.fit(x, y, verbose=0)
    assert all(equal(before, arrays_of(model, "block5_conv")))
    recipes.train_only(model, "block5", "head", lr=1e-2).fit(x, y, verbose=0)
    assert not any(equal(before, arrays_of(model, "block5_conv")))
    assert model.optimizer is not optimizer


def test_train_only_names_the_layers_when_a_part_is_misspelt():
    model = recipes.join(small_trunk(), recipes.gap_head(2, units=4))
    with pytest.raises(ValueError, match=r"'blok5'.*block5_conv"):
        recipes.train_only(model, "blok5", "head", lr=1e-3)


@pytest.mark.parametrize("cut", ["block4_pool", "block5_pool"])
def test_training_on_cached_features_is_the_naive_loop(cut):
    """Same batches, same start: the head ends with the same weights as through the whole network."""
    x, y = images(20, size=16), np.arange(20) % 2
    parts = ("head",) if cut == "block5_pool" else ("block5", "head")
    naive = recipes.join(small_trunk(), recipes.flatten_head(2, units=4))
    whole = recipes.join(small_trunk(), recipes.flatten_head(2, units=4))
    whole.set_weights(naive.get_weights())
    below, above = recipes.split_at(whole, cut)
    cached = recipes.features(below, x, batch_size=7)
    recipes.train_only(naive, *parts, lr=1e-2).fit(
        recipes.preprocess(x), y, epochs=3, batch_size=8, shuffle=False, verbose=0
    )
    recipes.train_only(above, *parts, lr=1e-2).fit(cached, y, epochs=3, batch_size=8, shuffle=False, verbose=0)
    for ours, theirs in zip(whole.get_weights(), naive.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


def test_a_saved_network_predicts_the_same_to_the_last_bit(tmp_path):
    x, y = few()
    model = recipes.train_only(recipes.join(small_trunk(), recipes.gap_head(2, units=4)), "head", lr=1e-2)
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model.predict(x, verbose=0), loaded.predict(x, verbose=0))


# --- the reader's settings and arguments -----------------------------------------------------------------------------

SETTINGS = """
from medtl_helpers.methods import keras_recipes as recipes
model = recipes.join(recipes.vgg16_trunk(32, "random", quiet=True), recipes.gap_head(2, 8))
import numpy, keras
print(keras.config.image_data_format(), model.input_shape[-1], model.dtype)
print(*recipes.preprocess(numpy.full((1, 1, 32, 32), 100, "uint8"))[0, 3, 4].round(3))
"""


@pytest.mark.slow
def test_the_readers_keras_json_changes_nothing(tmp_path):
    settings = {"image_data_format": "channels_first", "floatx": "float16", "epsilon": 1e-3, "backend": "jax"}
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    command = [sys.executable, "-W", "ignore", "-c"]
    environment = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"} | {"KERAS_HOME": str(tmp_path)}
    done = subprocess.run([*command, SETTINGS], capture_output=True, text=True, env=environment)
    assert done.stdout.splitlines() == ["channels_last 3 float32", "-3.939 -16.779 -23.68"], done.stderr
    environment["KERAS_BACKEND"] = "torch"
    first = subprocess.run([*command, "import keras\n" + SETTINGS], capture_output=True, text=True, env=environment)
    assert "call keras.config.set_image_data_format('channels_last') before this." in first.stderr.splitlines()[-1]


@pytest.fixture(scope="module")
def network():
    return recipes.join(small_trunk(), recipes.gap_head(2, units=4))


SMALL = images(2)[..., :16, :16]
TRUNK_ONLY = "The model is a Linear: give a network of Keras"
REFUSED = {
    "no part": (lambda m: recipes.train_only(m, lr=1e-3), "The parts to train are none: name layers"),
    "a part that is no name": (lambda m: recipes.train_only(m, 5, lr=1e-3), "The parts to train are 5"),
    "a part without weights": (lambda m: recipes.train_only(m, "head_gap", lr=1e-3), "have no weights, so nothing"),
    "a rate of 0": (lambda m: recipes.train_only(m, "head", lr=0), "lr is 0: give a finite rate, above 0"),
    "a network of torch": (lambda m: recipes.train_only(torch.nn.Linear(2, 2), "a", lr=1), TRUNK_ONLY),
    "no such layer": (lambda m: recipes.split_at(m, "block9"), "The network has no layer 'block9': name one of"),
    "Grad-CAM of no map": (lambda m: recipes.grad_cam(m, SMALL, [0, 1], "head_gap"), "head_gap makes no maps"),
    "Grad-CAM of class 7": (lambda m: recipes.grad_cam(m, SMALL, [0, 7], "block5_conv"), "classes to explain"),
    "Grad-CAM of one class": (lambda m: recipes.grad_cam(m, SMALL, [1], "block5_conv"), "for 2 cases"),
    "features of larger images": (lambda m: recipes.features(m, images(2).repeat(1, 1, 2, 2)), "have 64 × 64 px, and"),
    "half an image": (lambda m: recipes.features(m, images(2), batch_size=0.5), "batch_size is 0.5"),
    "no images": (lambda m: recipes.preprocess(images(2)[:0]), "preprocess needs some"),
    "text as images": (lambda m: recipes.preprocess("a.png"), "The images are 'a.png': give numbers"),
    "a layer as head": (lambda m: recipes.join(m, recipes.layers.Dense(2)), "give a list of layers of Keras"),
    "half a class": (lambda m: recipes.gap_head(2.5), "classes is 2.5: give a whole number"),
    "a size as text": (lambda m: recipes.vgg16_trunk("64"), "size is '64': give a whole number"),
    "weights of one class": (lambda m: recipes.class_weights([1, 1]), "All labels are of one class"),
    "weights of text": (lambda m: recipes.class_weights(["a", "b"]), "The labels are a list of text"),
}


@pytest.mark.parametrize("call, said", REFUSED.values(), ids=REFUSED)
def test_what_keras_would_say_in_many_lines_is_one_sentence(network, call, said):
    with pytest.raises((ValueError, TypeError)) as info:
        call(network)
    text = str(info.value)
    assert said in text and text.endswith(".") and "\n" not in text
