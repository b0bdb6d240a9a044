"""The registry, the files on this disk, the device and the seeds, and an import that loads nothing heavy."""

import hashlib
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers import assets, devices

ROOT = Path(__file__).resolve().parents[1]
NAMES = list(assets.cards())
DOWNLOADED = [name for name in NAMES if "files" in assets.card(name)]


def run(code, **env):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=os.environ | env)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# --- the registry ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_card_says_what_a_reader_must_know(name):
    about = assets.card(name)
    assert about["kind"] in ("image", "sequence", "text", "table", "mask", "molecule", "weights", "results")
    if about["kind"] in ("weights", "results"):
        assert "classes" not in about and "positive" not in about  # the head of the reader's task is always new
    elif about.get("labels") == "number":
        assert len(about["classes"]) == 1 and "positive" not in about  # the name of what was measured
    else:
        assert len(about["classes"]) >= 2 and about.get("positive", 0) in range(len(about["classes"]))
    for key in ("title", "what", "licence", "conditions", "doi", "not_for"):
        assert about[key].strip(), key
    assert about["not_for"].startswith("Not for diagnosis.") and about["citation"]


@pytest.mark.parametrize("name", DOWNLOADED)
def test_every_file_has_a_secure_address_and_a_checksum_of_the_right_length(name):
    for file in assets.card(name)["files"].values():
        algorithm, _, digest = file["checksum"].partition(":")
        assert len(bytes.fromhex(digest)) == hashlib.new(algorithm.replace("arrays", "sha256")).digest_size
        assert file["url"].startswith("https://") and not Path(file["path"]).is_absolute()


def test_no_two_files_share_a_path_or_a_checksum():
    files = [file for name in DOWNLOADED for file in assets.card(name)["files"].values()]
    for key in ("path", "checksum", "url"):
        assert len({file[key] for file in files}) == len(files), key


@pytest.mark.parametrize("name", [n for n in NAMES if "class_counts" in assets.card(n)])
def test_the_counts_of_the_classes_add_up_to_the_splits(name):
    about = assets.card(name)
    assert {split: sum(counts) for split, counts in about["class_counts"].items()} == about["splits"]


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no data set called 'pneumona'; known are .*pneumonia"):
        assets.card("pneumona")


@pytest.mark.parametrize("name", ["chest", "chestmnist"])
def test_chestmnist_is_refused_because_it_has_several_labels(name):
    with pytest.raises(ValueError, match="several labels per image"):
        assets.card(name)


# --- files on this disk ----------------------------------------------------------------------------------------------


def test_medtl_data_names_the_folder_seen_from_here_or_from_the_checkout(monkeypatch, tmp_path):
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv("MEDTL_DATA", str(tmp_path / "mine"))
    assert assets.data_folder() == (tmp_path / "mine").resolve()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEDTL_DATA", "mine")
    assert assets.data_folder() == (tmp_path / "mine").resolve()
    monkeypatch.setenv("MEDTL_DATA", "datasets")  # not here: the checkout's
    assert assets.data_folder() == ROOT / "datasets"


@pytest.mark.parametrize("value, folder", [("twin", None), ("", ROOT / "datasets")])
def test_without_a_folder_the_checkouts_own_is_used_and_twin_means_none(monkeypatch, value, folder):
    monkeypatch.setenv("MEDTL_DATA", value)
    assert assets.data_folder() == folder


@pytest.mark.parametrize("kind", ["missing", "a file"])
def test_medtl_data_that_is_no_folder_is_named(monkeypatch, tmp_path, kind):
    path = tmp_path / "data"
    if kind == "a file":
        path.write_text("x")
    monkeypatch.setenv("MEDTL_DATA", str(path))
    with pytest.raises(FileNotFoundError, match=f"MEDTL_DATA names {re.escape(str(path))}, which is no folder"):
        assets.data_folder()


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_a_checksum_is_hashlibs_and_one_changed_byte_breaks_it(tmp_path, algorithm):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 1000)
    checksum = f"{algorithm}:{hashlib.new(algorithm, path.read_bytes()).hexdigest()}"
    assert assets.checksum_is_right(path, checksum)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert not assets.checksum_is_right(path, checksum)


def test_find_tells_why_there_is_no_real_file(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDTL_DATA", "twin")
    breast = assets.card("breast")
    assert assets.find(breast, "28") == assets.Found(None, "MEDTL_DATA=twin", twin_wanted=True)
    monkeypatch.setenv("MEDTL_DATA", str(tmp_path))
    assert assets.find(breast, "28") == assets.Found(None, "not fetched yet")
    path = tmp_path / breast["files"]["28"]["path"]
    path.parent.mkdir()
    path.write_bytes(b"<html>")
    found = assets.find(breast, "28")
    assert found.path is None and str(path) in found.why_not and "wrong checksum" in found.why_not


def test_weights_are_found_like_data_and_twins_mean_no_fetched_weights(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDTL_DATA", "twin")
    resnet18 = assets.card("resnet18")
    assert assets.find(assets.card("vgg16"), "imagenet") == assets.Found(None, "MEDTL_DATA=twin", twin_wanted=True)
    monkeypatch.setenv("MEDTL_DATA", str(tmp_path))
    assert assets.find(resnet18, "imagenet") == assets.Found(None, "not fetched yet")
    entry = resnet18["files"]["imagenet"]
    path = tmp_path / entry["path"]
    path.parent.mkdir()
    path.write_bytes(b"weights")
    monkeypatch.setitem(entry, "checksum", f"sha256:{hashlib.sha256(b'weights').hexdigest()}")
    assert assets.find(resnet18, "imagenet") == assets.Found(path)


def test_embedded_files_are_the_wheels_where_there_is_one_and_else_the_checkouts(monkeypatch, tmp_path):
    assert assets.asset_folder("cards", "datasets/cards") == ROOT / "datasets" / "cards"
    monkeypatch.setattr(assets, "_PACKAGE", tmp_path)
    assert assets.asset_folder("cards", "datasets/cards") == ROOT / "datasets" / "cards"
    (tmp_path / "_assets" / "cards").mkdir(parents=True)
    assert assets.asset_folder("cards", "datasets/cards") == tmp_path / "_assets" / "cards"


def test_recorded_results_are_read_and_a_missing_one_is_named():
    assert {"twin", "real"} <= assets.recorded("loss_formulation").keys()
    with pytest.raises(FileNotFoundError, match=r"No recorded result .*no_such\.json"):
        assets.recorded("no_such")


# --- the machine -----------------------------------------------------------------------------------------------------


def test_medtl_device_is_obeyed_and_an_unusable_one_is_named(monkeypatch):
    monkeypatch.setenv("MEDTL_DEVICE", "cpu")
    assert devices.device() == torch.device("cpu")
    monkeypatch.setenv("MEDTL_DEVICE", "tpu")
    with pytest.raises(ValueError, match="MEDTL_DEVICE=tpu is not usable here; usable: cpu"):
        devices.device()


def test_without_medtl_device_a_gpu_is_taken_where_there_is_one(monkeypatch):
    monkeypatch.delenv("MEDTL_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert devices.device().type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert devices.device().type == "cpu"


def test_the_budget_follows_the_device(monkeypatch):
    monkeypatch.setattr(devices, "device", lambda: torch.device("cpu"))
    assert devices.budget(cpu=3, gpu=10) == 3
    monkeypatch.setattr(devices, "device", lambda: torch.device("cuda"))
    assert devices.budget(cpu=3, gpu=10) == 10


def test_seed_everything_sets_the_three_generators():
    def draws():
        return random.random(), np.random.rand(), torch.rand(1).item()

    devices.seed_everything(5)
    first = draws()
    assert draws() != first
    devices.seed_everything(5)
    assert draws() == first


def test_the_environment_check_tells_versions_device_and_data(monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")
    facts = devices.describe()
    assert facts["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert facts["real data are looked for in"] == "nowhere (MEDTL_DATA=twin)"
    assert facts["device"] == str(devices.device())


# --- the import ------------------------------------------------------------------------------------------------------


def test_importing_the_package_loads_nothing_heavy():
    heavy = "torch", "torchvision", "keras", "matplotlib", "sklearn", "scipy", "pandas", "numpy", "platformdirs"
    assert run(f"import medtl_helpers, sys; print([m for m in {heavy} if m in sys.modules])") == "[]"


def test_importing_the_package_takes_a_small_part_of_the_time_of_importing_torch():
    code = (
        "import time; a = time.perf_counter()\n"
        "import medtl_helpers; b = time.perf_counter()\n"
        "import torch; c = time.perf_counter()\n"
        "print((b - a) / (c - b))"
    )
    assert float(run(code)) < 0.2


def test_keras_will_find_torch_as_its_backend_unless_the_reader_chose_another():
    code = "import medtl_helpers, os; print(os.environ['KERAS_BACKEND'])"
    assert run("import os; os.environ.pop('KERAS_BACKEND', None); " + code) == "torch"
    assert run(code, KERAS_BACKEND="jax") == "jax"


@pytest.mark.parametrize("name", mtl.__all__)
def test_every_public_name_can_be_had_and_is_listed(name):
    assert getattr(mtl, name) is not None
    assert name in dir(mtl)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="No medtl_helpers attribute trian"):
        mtl.trian  # noqa: B018
