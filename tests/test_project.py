"""The project around the code: dependencies told the same everywhere, no real data committed, a wheel that works."""

import hashlib
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

import medtl_helpers as mtl
from medtl_helpers.methods import weights
from medtl_helpers.teaching.course_map import LESSONS

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CONDA_NAMES = {"torch": "pytorch", "lazy-loader": "lazy_loader"}


def name_and_bound(requirement: str) -> tuple[str, str]:
    name, bound = re.match(r"([\w-]+)(.*)", requirement).groups()
    return CONDA_NAMES.get(name, name), bound


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_conda_and_pip_name_the_same_packages_and_bounds():
    wanted = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    given = {name_and_bound(item) for item in conda if isinstance(item, str) and item != "pip"}
    assert given == {name_and_bound(item) for item in wanted} | {("python", PROJECT["requires-python"])}


def test_every_dependency_has_a_lower_bound():
    for requirement in PROJECT["dependencies"]:
        assert ">=" in requirement, requirement


def test_the_readme_gives_the_two_commands_first_and_in_order():
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    commands = [line.split("#")[0].strip() for line in blocks[0].strip().splitlines()]
    assert commands == ["make run", "make test"]
    assert blocks[1].startswith("make lab")


def test_the_readme_lists_every_lesson_and_every_make_target():
    readme, makefile = (ROOT / "README.md").read_text("utf-8"), (ROOT / "Makefile").read_text("utf-8")
    for name in LESSONS:
        assert f"notebooks/{name}.ipynb" in readme
    for target in re.findall(r"^(\w+):.*##", makefile, re.MULTILINE):
        assert target == "clean" or f"make {target}" in readme, target


def test_no_real_data_are_committed():
    known = {entry["checksum"] for card in mtl.cards().values() for entry in card.get("files", {}).values()}
    sums = ROOT.parent / "shared" / "data" / "SHA256SUMS"
    if sums.is_file():
        known |= {f"sha256:{line.split()[0]}" for line in sums.read_text().splitlines() if line.strip()}
    for path in tracked_files():
        content = path.read_bytes()
        for algorithm in ("md5", "sha256"):
            assert f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}" not in known, f"{path} is real data"


def test_cards_are_complete():
    for name, card in mtl.cards().items():
        for key in (
            "title",
            "kind",
            "what",
            "licence",
            "conditions",
            "citation",
            "doi",
            "not_for",
            "course",
        ):
            assert key in card, f"{name} lacks {key}"
        assert card["not_for"].startswith("Not for diagnosis.")
        if card["kind"] != "weights":
            assert "positive" in card or len(card["classes"]) > 2, f"which class of {name} is the disease?"
        for entry in card.get("files", {}).values():
            assert re.fullmatch(r"(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})", entry["checksum"])
            assert entry["url"].startswith("https://")


def test_code_and_notebooks_are_tidy():
    tidy = subprocess.run([sys.executable, "-m", "ruff", "check", "."], cwd=ROOT, capture_output=True, text=True)
    assert tidy.returncode == 0, tidy.stdout


def test_an_installed_wheel_carries_registry_weights_and_results(tmp_path):
    """As `pip install` without -e does it; no package called datasets, book or tests is ever installed."""
    if not (ROOT / "datasets" / "embedded").is_dir():
        pytest.skip("datasets/embedded is not here yet: benchmarks/pretrain.py writes it")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-q",
        "-w",
        str(tmp_path),
        str(ROOT),
    ]
    subprocess.run(build, check=True, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
        archive.extractall(tmp_path / "site")
    assert {top for top in tops if not top.endswith(".dist-info")} == {"medtl_helpers"}
    code = (
        "import medtl_helpers as mtl; print(mtl.__file__);"
        "from medtl_helpers.assets import data_folder; from medtl_helpers.methods import weights;"
        "print(len(mtl.cards()), len(mtl.recorded('loss_formulation')), data_folder());"
        "[print(weights.embedded(name)) for name in weights.EMBEDDED]"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "MEDTL_DATA": ""}
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path, env=environment
    ).stdout.splitlines()
    assert answer[0].startswith(str(tmp_path))
    assert answer[1].startswith(f"{len(mtl.cards())} 2 ") and str(tmp_path) not in answer[1]
    for line, name in zip(answer[2:], weights.EMBEDDED, strict=True):
        path, ours = Path(line), weights.embedded(name)
        assert path.is_relative_to(tmp_path / "site") and path.is_file() == ours.is_file()
        assert not ours.is_file() or path.read_bytes() == ours.read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="the README's Windows commands do not use make")
@pytest.mark.parametrize(
    ("interpreter", "sentence"),
    [
        ('case "$2" in *version_info*) exit 1;; esac', "medtl needs Python 3.11 or newer"),
        ('case "$2" in *ensurepip*) exit 1;; esac', "This Python has no venv module"),
    ],
)
def test_make_says_in_one_sentence_what_python_lacks(tmp_path, interpreter, sentence):
    fake = tmp_path / "python3"
    fake.write_text(f"#!/bin/sh\n{interpreter}\nexit 0\n")
    fake.chmod(0o755)
    for name in ("Makefile", "pyproject.toml"):
        (tmp_path / name).write_text((ROOT / name).read_text("utf-8"))
    made = subprocess.run(["make", "run", f"PYTHON={fake}"], cwd=tmp_path, capture_output=True, text=True)
    assert made.returncode != 0
    assert sentence in made.stdout and not (tmp_path / ".venv").exists()
