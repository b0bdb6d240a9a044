"""Which weights are taken, and that it is always said; files that are damaged or another network's."""

import hashlib
import importlib.util
import pickle
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from weight_samples import h5, has, keras_arrays, small_resnet

from medtl_helpers import assets, provenance
from medtl_helpers.methods import backbones, weights
from medtl_helpers.methods.predict import to_float
from medtl_helpers.methods.weight_files import load_resnet, read_vgg16
from medtl_helpers.methods.weights import find_weights, load_backbone

pytestmark = pytest.mark.usefixtures("nothing_fetched")

HTML = b"<!DOCTYPE html>\n<html><body>Please log in to the hospital network.</body></html>"


def put(monkeypatch, network, path, folder=None):
    """Put a file where ``make data`` puts ImageNet's (or into ``folder``), and its checksum onto the card."""
    entry = assets.card(weights.CARDS[network])["files"]["imagenet"]
    there = folder / entry["url"].rpartition("/")[2] if folder else assets.data_folder() / entry["path"]
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_bytes(path.read_bytes())
    monkeypatch.setitem(entry, "checksum", f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}")
    return there


def embed(monkeypatch, network, path):
    """Let ``path`` be the embedded file."""
    whole = weights.embedded
    monkeypatch.setattr(weights, "embedded", lambda name: path if name == network else whole(name))


# --- which weights ---------------------------------------------------------------------------------------------------


def test_weights_come_from_the_given_file_the_environment_the_fetched_file_and_last_the_embedded_one(
    monkeypatch, tmp_path, trunk
):
    """All four are there; the first is taken away, and so on."""
    embed(monkeypatch, "vgg16", trunk)
    fetched = put(monkeypatch, "vgg16", trunk)
    mine, other = tmp_path / "mine.h5", tmp_path / "environment.h5"
    for path in (mine, other):
        path.write_bytes(b"x")
    monkeypatch.setenv("MEDTL_VGG16", str(other))
    found = [find_weights("vgg16", mine), find_weights("vgg16")]
    monkeypatch.delenv("MEDTL_VGG16")
    found.append(find_weights("vgg16"))
    fetched.unlink()
    found.append(find_weights("vgg16"))
    assert [(w.provenance, w.path) for w in found] == [
        ("stand-in", mine),
        ("stand-in", other),
        ("ImageNet", fetched),
        ("phantoms", trunk),
    ]
    assert str(found[0]) == f"vgg16: stand-in weights from {mine}" and str(found[2]) == "vgg16: ImageNet weights"
    assert str(found[3]) == (
        "vgg16: embedded weights, pre-trained on phantoms drawn by code; "
        "ImageNet's: make data ONLY=vgg16 (not fetched yet)"
    )


@pytest.mark.parametrize("asked, provenance", [("random", "random"), ("embedded", "phantoms")])
@pytest.mark.parametrize("by", ["argument", "MEDTL_VGG16"])
def test_random_and_embedded_weights_can_be_asked_for_though_others_are_there(
    monkeypatch, trunk, asked, provenance, by
):
    put(monkeypatch, "vgg16", trunk)
    if by == "MEDTL_VGG16":
        monkeypatch.setenv("MEDTL_VGG16", asked)
    found = find_weights("vgg16", asked if by == "argument" else None)
    assert found.provenance == provenance and found.path == (None if asked == "random" else weights.embedded("vgg16"))


def test_the_environment_is_about_vgg16_only_and_an_argument_beats_it(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDTL_VGG16", str(tmp_path / "nowhere"))
    assert find_weights("resnet").provenance == "phantoms"
    assert find_weights("vgg16", "random").provenance == "random"


@pytest.mark.parametrize(
    "network, variable, below", [("vgg16", "KERAS_HOME", "models"), ("resnet", "TORCH_HOME", "hub/checkpoints")]
)
def test_the_caches_of_keras_and_torch_are_looked_into(monkeypatch, tmp_path, trunk, network, variable, below):
    """Unless the file there is not what the card says, or twins are asked for."""
    there = put(monkeypatch, network, trunk, tmp_path / variable / below)
    found = find_weights(network)
    assert (found.provenance, found.path) == ("ImageNet", there)
    monkeypatch.setenv("MEDTL_DATA", "twin")
    found = find_weights(network)
    assert found.provenance == "phantoms" and "(MEDTL_DATA=twin)" in str(found)
    monkeypatch.setenv("MEDTL_DATA", str(tmp_path / "MEDTL_DATA"))
    there.write_bytes(there.read_bytes()[:-1])
    assert find_weights(network).provenance == "phantoms"


def test_torchs_cache_is_where_torch_itself_puts_it(monkeypatch, tmp_path, trunk):
    monkeypatch.delenv("TORCH_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    there = put(monkeypatch, "resnet", trunk, tmp_path / "caches" / "torch" / "hub" / "checkpoints")
    assert find_weights("resnet").path == there


def test_a_fetched_file_with_the_wrong_checksum_is_not_taken_and_named(monkeypatch, trunk):
    path = put(monkeypatch, "vgg16", trunk)
    path.write_bytes(HTML)
    found = find_weights("vgg16")
    assert found.provenance == "phantoms" and f"{path} has the wrong checksum" in str(found)


def test_a_given_file_is_seen_from_here_or_from_the_checkout(monkeypatch, tmp_path):
    (tmp_path / "mine.h5").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    assert find_weights("vgg16", "mine.h5").path == tmp_path / "mine.h5"
    root = Path(__file__).resolve().parents[2]
    assert find_weights("vgg16", "datasets/README.md").path == root / "datasets" / "README.md"


# --- loading and what it says ----------------------------------------------------------------------------------------

SAYS = {
    "random": "RANDOM weights, trained on nothing",
    "embedded": "embedded weights, pre-trained on phantoms drawn by code; "
    "ImageNet's: make data ONLY={card} (the embedded ones were asked for)",
    "fetched": "ImageNet weights",
    "given": "stand-in weights from {path}",
}


@pytest.mark.parametrize("kind", SAYS)
@pytest.mark.parametrize("network", ["vgg16", "resnet"])
def test_every_loaded_network_says_where_its_weights_come_from(monkeypatch, request, capsys, network, kind):
    """In one line, in its attribute, and in the report."""
    files = {"vgg16": "trunk", "resnet": "torchvision_file" if kind == "fetched" else "resnet_file"}
    path = request.getfixturevalue(files[network])
    if kind == "fetched":
        put(monkeypatch, network, path)
    embed(monkeypatch, network, path)
    given = {"random": "random", "embedded": "embedded", "given": path}.get(kind)
    model = load_backbone(network, 3, weights=given)
    line = f"{network}: {SAYS[kind].format(card=weights.CARDS[network], path=path)}\n"
    assert capsys.readouterr().out == str(model.weights) + "\n" == line
    origin = {"embedded": "phantoms", "fetched": "ImageNet", "given": "stand-in"}.get(kind, kind)
    assert model.weights.provenance == origin and provenance._weights == {network: origin}
    assert model.head.out_features == 3 and not any(module.training for module in model.modules())
    assert (kind != "random") or model.weights.path is None


def test_quiet_leaves_out_the_line_and_nothing_else(capsys):
    model = load_backbone("resnet", 3, weights="random", quiet=True)
    assert capsys.readouterr().out == "" and provenance._weights == {"resnet": model.weights.provenance} == {
        "resnet": "random"
    }


def test_the_loaded_weights_are_those_of_the_file_and_the_head_is_that_of_the_seed(trunk, convolutions):
    models = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        models.append(load_backbone("vgg16", 3, weights=trunk, quiet=True))
    assert all(has(model, convolutions) for model in models)
    heads = [model.head.weight for model in models]
    assert not torch.equal(heads[0], heads[1])
    torch.manual_seed(0)
    untrained = load_backbone("vgg16", 3, weights="random", quiet=True)
    assert torch.equal(untrained.head.weight, heads[0]) and not has(untrained, convolutions)


@pytest.mark.parametrize("kind", ["given", "fetched", "embedded"])
def test_resnet_is_torchvisions_for_torchvisions_files_and_the_small_one_for_ours(
    monkeypatch, torchvision_file, resnet_file, kind
):
    """Whether the file was fetched or given."""
    path = resnet_file if kind == "embedded" else torchvision_file
    if kind == "fetched":
        put(monkeypatch, "resnet", path)
    embed(monkeypatch, "resnet", resnet_file)
    model = load_backbone("resnet", 2, weights=path if kind == "given" else None, quiet=True)
    assert model.head.in_features == (256 if kind == "embedded" else 512)
    kernel = torch.load(path, weights_only=True)["conv1.weight" if kind != "embedded" else "stem.0.weight"]
    assert torch.equal(model.stages["stem"][0].weight, kernel.float())


# --- what goes wrong -------------------------------------------------------------------------------------------------


def test_an_unknown_network_is_answered_with_those_there_are():
    for ask in (lambda: find_weights("vgg19"), lambda: load_backbone("vgg19", 2)):
        with pytest.raises(ValueError, match=r"^There is no backbone 'vgg19': choose one of vgg16, resnet\.$"):
            ask()


@pytest.mark.parametrize("network", ["vgg16", "resnet"])
def test_a_given_file_that_is_not_there_is_named_and_nothing_else_is_loaded(network, tmp_path, capsys):
    with pytest.raises(FileNotFoundError, match=r"^There is no weight file .*no/such\.h5: correct the path\.$"):
        load_backbone(network, 2, weights=tmp_path / "no" / "such.h5")
    assert capsys.readouterr().out == "" and provenance._weights == {}


def test_a_missing_file_of_the_environment_is_named_with_its_variable(monkeypatch):
    monkeypatch.setenv("MEDTL_VGG16", "/no/such.h5")
    with pytest.raises(FileNotFoundError, match=r"no weight file /no/such\.h5: correct the path, or unset MEDTL_VGG16"):
        find_weights("vgg16")


def refused(network, path, sentence):
    """One sentence that names the file, whatever library stumbled; nothing noted, nothing said."""
    with pytest.raises(ValueError) as caught:
        load_backbone(network, 2, weights=path)
    text = str(caught.value)
    assert text.startswith(str(path)) and sentence in text and "\n" not in text and text.endswith(".")
    assert provenance._weights == {}


DAMAGES = {
    "html": "a web page",
    "empty": "zero bytes",
    "text": "a text",
    "truncated": "its first half",
    "first bytes": "its first bytes",
    "noise": "random bytes",
}
UNREADABLE = {"vgg16": "is no readable HDF5 file", "resnet": "is no readable torch weight file"}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("network", ["vgg16", "resnet"])
def test_a_damaged_file_is_one_sentence_that_names_it(request, tmp_path, capsys, network, damage):
    whole = request.getfixturevalue("trunk" if network == "vgg16" else "resnet_file").read_bytes()
    noise = np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8).tobytes()
    content = {
        "html": HTML,
        "empty": b"",
        "text": b"hello world\n",
        "truncated": whole[: len(whole) // 2],
        "first bytes": whole[:600],
        "noise": noise,
    }
    path = tmp_path / "mine.h5"
    path.write_bytes(content[damage])
    refused(network, path, UNREADABLE[network])
    assert capsys.readouterr().out == ""


def test_bytes_that_are_wrong_anywhere_in_the_structure_never_get_past_as_another_error(resnet_file, tmp_path):
    """Forty times one flipped byte or a handful of random ones: it loads, or it is a sentence."""
    rng, whole = np.random.default_rng(1), resnet_file.read_bytes()
    model, path = backbones.small_resnet(2), tmp_path / "damaged.pt"
    for k in range(40):
        if k % 2:
            content = bytearray(whole[:])
            content[rng.integers(3000)] ^= 255
        else:
            content = rng.integers(0, 256, 300, dtype=np.uint8).tobytes()
        path.write_bytes(content)
        try:
            load_resnet(model, path)
        except ValueError as error:
            assert str(error).startswith(str(path))


def other_files(kind, path, convolutions):
    arrays = keras_arrays(convolutions, "{name}/{name}/kernel:0", "{name}/{name}/bias:0")
    if kind == "a convolution missing":
        arrays = {name: values for name, values in arrays.items() if "block5_conv3" not in name}
    elif kind == "a bias missing":
        arrays.pop("block4_conv2/block4_conv2/bias:0")
    elif kind == "a bias of length 1":
        arrays["block4_conv2/block4_conv2/bias:0"] = np.zeros(1, "float16")
    elif kind == "another kernel":
        arrays["block2_conv1/block2_conv1/kernel:0"] = np.zeros((5, 5, 64, 128), "float16")
    elif kind == "VGG19":
        arrays |= {"block3_conv4/block3_conv4/kernel:0": arrays["block3_conv3/block3_conv3/kernel:0"]}
        arrays |= {"block3_conv4/block3_conv4/bias:0": arrays["block3_conv3/block3_conv3/bias:0"]}
    elif kind == "a table":
        arrays = {"table/values": np.zeros((3, 4)), "table/axis0": np.array([b"age", b"sex"])}
    return h5(path, arrays)


NO_VGG16 = ("a convolution missing", "a bias missing", "a bias of length 1", "another kernel", "VGG19", "a table")
NO_RESNET = ("half as wide", "a statistic missing", "a list", "a checkpoint", "VGG16")


@pytest.mark.parametrize("kind", NO_VGG16)
def test_a_file_of_another_network_is_no_vgg16(tmp_path, convolutions, kind):
    path = other_files(kind, tmp_path / "other.h5", convolutions)
    refused("vgg16", path, "does not hold VGG16's 13 convolutions: give a file of keras.applications.VGG16")


@pytest.mark.parametrize("kind", NO_RESNET)
def test_a_file_of_another_network_is_no_resnet(tmp_path, trunk, kind):
    path, model = tmp_path / "other.pt", small_resnet(16 if kind == "half as wide" else 32)
    state = model.stages.state_dict()
    if kind == "a statistic missing":
        state.pop("layer3.0.bn2.running_var")
    if kind == "VGG16":
        path.write_bytes(trunk.read_bytes())
    else:
        whole = {"a list": list(state.values()), "a checkpoint": {"model": state, "epoch": 3}}
        torch.save(whole.get(kind, state), path)
    refused("resnet", path, UNREADABLE["resnet"] if kind == "VGG16" else "does not hold the weights of")


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("by", ["torch.save", "pickle"])
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_file_that_would_run_code_is_refused_and_does_not_run(tmp_path, by, protocol):
    """A pickle is a program."""
    ran, path = tmp_path / "ran", tmp_path / "mine.pt"

    class Program:
        def __reduce__(self):
            return Path.touch, (ran,)

    content = small_resnet().stages.state_dict() | {"fc.weight": Program()}
    if by == "torch.save":
        torch.save(content, path, pickle_protocol=protocol)
    else:
        path.write_bytes(pickle.dumps(content, protocol))
    refused("resnet", path, UNREADABLE["resnet"])
    assert not ran.exists()


# --- the embedded files ----------------------------------------------------------------------------------------------


@pytest.fixture(params=["vgg16", "resnet"])
def embedded_file(request):
    path = weights.embedded(request.param)
    if not path.is_file():
        pytest.skip(f"{path} is not here yet: python benchmarks/pretrain.py {request.param}")
    return request.param, path


def test_the_embedded_weights_are_small_and_where_they_are_looked_for(embedded_file):
    network, path = embedded_file
    assert path.stat().st_size <= {"vgg16": 32e6, "resnet": 6e6}[network]
    found = find_weights(network, "embedded")
    assert (found.provenance, found.path) == ("phantoms", path)
    assert find_weights(network).provenance == "phantoms"  # nothing is fetched here


def test_the_embedded_weights_load_and_are_finite_and_trained(embedded_file):
    """Features of different images differ, and no unit's weights are what the seed gave."""
    network, _ = embedded_file
    torch.manual_seed(0)
    model, untrained = load_backbone(network, 2, quiet=True), load_backbone(network, 2, weights="random", quiet=True)
    for (name, value), start in zip(
        model.stages.state_dict().items(), untrained.stages.state_dict().values(), strict=True
    ):
        assert value.isfinite().all(), name
        assert not torch.equal(value, start) or "num_batches" in name, name
    x = to_float(torch.randint(0, 256, (4, 3, 64, 64), generator=torch.Generator().manual_seed(0)).byte())
    with torch.inference_mode():
        features = model.features(x)
    assert features.isfinite().all() and features.std(0).max() > 0


def test_keras_reads_the_embedded_vgg16(keras_vgg16):
    path = weights.embedded("vgg16")
    if not path.is_file():
        pytest.skip(f"{path} is not here yet: python benchmarks/pretrain.py vgg16")
    keras_vgg16.load_weights(path)
    first = torch.from_numpy(keras_vgg16.layers[1].get_weights()[0]).permute(3, 2, 0, 1)
    assert torch.equal(first, read_vgg16(path)[0][0])


def test_the_readme_of_the_course_names_what_is_embedded():
    """One name for each network, told apart by its ending: Keras' for VGG16, torch's for the ResNet."""
    assert set(weights.EMBEDDED) == set(weights.CARDS) == {"vgg16", "resnet"}
    assert re.fullmatch(r"\w+\.weights\.h5", weights.EMBEDDED["vgg16"]) and weights.EMBEDDED["resnet"].endswith(".pt")
    assert all(assets.card(card)["kind"] == "weights" for card in weights.CARDS.values())


def test_the_card_of_the_embedded_weights_says_what_was_recorded(monkeypatch):
    """Written by hand it would drift; `python benchmarks/embedded_scores.py --card` writes it."""
    folder = Path(__file__).parents[2] / "benchmarks"
    monkeypatch.syspath_prepend(str(folder))
    spec = importlib.util.spec_from_file_location("embedded_scores", folder / "embedded_scores.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules.pop("record", None)
    text = weights.embedded("vgg16").with_name("README.md").read_text()
    assert text == module.card()
    assert all(file in text for file in weights.EMBEDDED.values()) and "0." in text
