"""The project around the code: dependencies told the same everywhere, no real data committed, a wheel that works."""

import ast
import hashlib
import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy
import pytest
import yaml

import medtl_helpers as mtl
from medtl_helpers.methods import weights
from medtl_helpers.teaching.course_map import LESSONS

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PACKAGE = ROOT / "medtl_helpers"
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
    extras = [item for extra in PROJECT["optional-dependencies"].values() for item in extra]
    for requirement in PROJECT["dependencies"] + extras:
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
    for target in re.findall(r"^([\w-]+):.*##", makefile, re.MULTILINE):
        assert target == "clean" or re.search(rf"make {target}(?![\w-])", readme), target


def test_the_readme_is_a_map_of_every_file_of_the_package():
    """One line for each module in "Reading the code", and one for each topic of the lessons; and no other link."""
    section = (ROOT / "README.md").read_text("utf-8").split("## Reading the code")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("- ")]
    linked = [re.findall(r"\(medtl_helpers/([\w/.]+)\)", line) for line in lines]
    assert all(len(links) == 1 for links in linked), linked
    modules = {path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"}
    topics = {path.parent for path in (PACKAGE / "lessons").glob("*/__init__.py")}
    wanted = {path.as_posix() for path in modules if path.parts[0] != "lessons"}
    wanted |= {path.relative_to(PACKAGE).as_posix() for path in topics}
    given = [link.rstrip("/") for (link,) in linked]
    assert sorted(given) == sorted(wanted)


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
        if card["kind"] not in ("weights", "results", "mask") and card.get("labels") != "number":
            assert "positive" in card or len(card["classes"]) > 2, f"which class of {name} is the disease?"
        for entry in card.get("files", {}).values():
            assert re.fullmatch(r"(md5:[0-9a-f]{32}|(sha256|arrays):[0-9a-f]{64})", entry["checksum"])
            assert entry["url"].startswith("https://")


@pytest.mark.parametrize("habit", [("check",), ("format", "--check")], ids=" ".join)
def test_code_and_notebooks_are_tidy(habit):
    tidy = subprocess.run(
        [sys.executable, "-m", "ruff", *habit, "--quiet", "."], cwd=ROOT, capture_output=True, text=True
    )
    assert tidy.returncode == 0, tidy.stdout


# --- what editors and type checkers see ------------------------------------------------------------------------------


def test_the_stub_imports_exactly_what_it_names_and_all_of_it_is_there():
    """``__init__.pyi`` is what editors read and what ``mtl.…`` loads from: the two must be one list."""
    tree = ast.parse((PACKAGE / "__init__.pyi").read_text("utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    module_of = {name.name: node.module for node in imports for name in node.names}
    (listed,) = (ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign))
    assert sorted(module_of) == sorted(listed) == sorted(mtl.__all__)
    assert sum(len(node.names) for node in imports) == len(listed), "a name is imported twice"
    for name, module in module_of.items():
        assert getattr(mtl, name) is getattr(importlib.import_module(f"medtl_helpers.{module}"), name)


OLD_TYPES = int(numpy.__version__.split(".")[0]) < 2


def mypy(*arguments: str, folder: Path = ROOT) -> str:
    """What mypy says in ``folder``, with the project's settings."""
    settings = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache")]
    command = [sys.executable, "-m", "mypy", *settings, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.skipif(OLD_TYPES, reason="the types of old libraries are not this project's to mend")
def test_the_types_of_the_package_agree():
    assert mypy().startswith("Success")


@pytest.mark.slow
@pytest.mark.skipif(OLD_TYPES, reason="the types of old libraries are not this project's to mend")
def test_a_type_checker_sees_the_signatures_behind_the_names(tmp_path):
    """In a reader's own file, in another folder; a wrong argument is found, too."""
    (tmp_path / "mine.py").write_text(
        "import medtl_helpers as mtl\n"
        "reveal_type(mtl.fit)\n"
        "reveal_type(mtl.load('breast').test)\n"
        "mtl.few_shot(mtl.load('breast'), n='ten', seed=0)\n"
    )
    fit, test, wrong = mypy("mine.py", folder=tmp_path).splitlines()[:3]
    assert "epochs: int =" in fit and "-> medtl_helpers.methods.history.History" in fit
    assert "medtl_helpers.data.tasks.Split" in test
    assert 'Argument "n" to "few_shot" has incompatible type "str"; expected "int"' in wrong


# --- as it is installed ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_installed_wheel_carries_every_room_registry_weights_and_results(tmp_path):
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
        names = set(archive.namelist())
        archive.extractall(tmp_path / "site")
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"medtl_helpers"}
    modules = {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*.py*") if "__pycache__" not in path.parts}
    assert {"medtl_helpers/__init__.pyi", "medtl_helpers/data/tasks.py"} <= modules and modules <= names
    assert "medtl_helpers/py.typed" in names
    code = (
        "import medtl_helpers as mtl; print(mtl.__file__);"
        "from medtl_helpers.assets import data_folder; from medtl_helpers.methods import weights;"
        "print(len(mtl.cards()), len(mtl.recorded('loss_formulation')), data_folder());"
        "[print(weights.embedded(name)) for name in weights.EMBEDDED];"
        "print(mtl.load('breast_cancer', quiet=True).provenance, len(mtl.load('breast', quiet=True).classes))"
    )
    elsewhere = {"PYTHONPATH": str(tmp_path / "site"), "MEDTL_DATA": "", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment = os.environ | elsewhere
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path, env=environment
    ).stdout.splitlines()
    assert answer[0].startswith(str(tmp_path))
    counts, results, folder = answer[1].split(maxsplit=2)
    assert (counts, results) == (str(len(mtl.cards())), "2") and not Path(folder).is_relative_to(tmp_path / "site")
    assert answer[-1] == "real 2"
    for line, name in zip(answer[2:-1], weights.EMBEDDED, strict=True):
        path, ours = Path(line), weights.embedded(name)
        assert path.is_relative_to(tmp_path / "site") and path.is_file() == ours.is_file()
        assert not ours.is_file() or path.read_bytes() == ours.read_bytes()


# --- the Makefile: which commands it would run -----------------------------------------------------------------------


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def make(tmp_path):
    """``make("run", "TORCH=cpu", uv=True)`` in a copy of the project; on the PATH is nothing but, if so asked, uv."""
    if shutil.which("make") is None:
        pytest.skip("no make here: README.md shows the commands without it")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)

    def call(*arguments: str, uv: bool = False) -> subprocess.CompletedProcess:
        found = tmp_path / "bin"
        found.mkdir(exist_ok=True)
        if uv:
            program(found / "uv", "exit 0")
        command = [shutil.which("make"), *arguments]
        return subprocess.run(command, cwd=tmp_path, env={"PATH": str(found)}, capture_output=True, text=True)

    return call


PIP, UV = ".venv/bin/python -m pip install", "uv pip install --python .venv/bin/python"


@pytest.mark.parametrize(("uv", "installer"), [(False, PIP), (True, UV)], ids=["pip", "uv"])
def test_make_run_installs_with_uv_where_it_is_there_and_then_runs(make, uv, installer):
    commands = make("-n", "run", uv=uv).stdout.splitlines()
    assert commands[-3:] == [
        f'{installer} -e ".[test]"',
        "touch .venv/installed",
        ".venv/bin/python -m medtl_helpers run",
    ]
    (told,) = (line for line in commands if line.startswith("echo"))
    assert commands.index(told) == len(commands) - 4 and "about 6 GB" in told and "TORCH=cpu: about 1 GB" in told
    assert not any("torchvision" in line for line in commands)
    assert ("uv venv" in "".join(commands)) == uv and (" -m venv .venv" in "".join(commands)) != uv


@pytest.mark.parametrize(
    ("uv", "first"),
    [
        (False, f"{PIP} --index-url https://download.pytorch.org/whl/cpu torch torchvision"),
        (True, f"{UV} --torch-backend cpu torch torchvision"),
    ],
    ids=["pip", "uv"],
)
def test_torch_cpu_installs_pytorchs_builds_for_the_processor_first(make, uv, first):
    commands = make("-n", "run", "TORCH=cpu", uv=uv).stdout.splitlines()
    at = commands.index(first)
    assert commands[at + 1] == f'{UV if uv else PIP} -e ".[test]"'
    assert "about 1 GB" in commands[at - 1] and "6 GB" not in commands[at - 1]


def test_another_value_of_torch_is_refused_in_one_sentence(make):
    made = make("-n", "run", "TORCH=gpu")
    assert made.returncode != 0 and made.stdout == ""
    assert "TORCH=gpu is not known: say TORCH=cpu for PyTorch without CUDA, or leave TORCH out." in made.stderr


@pytest.mark.parametrize(("uv", "installer"), [(False, PIP), (True, UV)], ids=["pip", "uv"])
@pytest.mark.parametrize(("target", "extra"), [("book", "book"), ("browser", "browser"), ("check", "dev")])
def test_what_only_some_targets_need_is_installed_when_they_are_first_asked_for(make, uv, installer, target, extra):
    commands = make("-n", target, uv=uv).stdout.splitlines()
    at = commands.index(f'{installer} -e ".[{extra}]"')
    assert f"'make {target}'" in commands[at - 1] and f'{installer} -e ".[test]"' in commands[:at]


def test_an_environment_made_by_uv_has_pip_so_that_both_can_go_on_with_it(make):
    (made,) = (line for line in make("-n", "run", uv=True).stdout.splitlines() if line.startswith("uv venv"))
    assert {"--seed", "--allow-existing"} <= set(made.split())


def test_make_test_leaves_the_slow_tests_out_and_make_test_all_runs_them_after_it(make):
    fast, slow = (make("-n", name, "WORKERS=3").stdout.splitlines()[-1] for name in ("test", "slow"))
    tests = "MEDTL_HEADLESS=1 .venv/bin/python -m pytest -n 3 --dist loadfile"
    assert fast == f'{tests} -m "not slow"' and slow == f"{tests} -m slow tests"
    assert make("-n", "test-all", "WORKERS=3").stdout.splitlines()[-2:] == [fast, slow]


@pytest.mark.parametrize(
    ("interpreter", "sentence"),
    [
        ('case "$2" in *version_info*) exit 1;; esac', "medtl needs Python 3.11 or newer"),
        ('case "$2" in *ensurepip*) exit 1;; esac', "This Python has no venv module"),
    ],
)
def test_make_says_in_one_sentence_what_python_lacks(make, tmp_path, interpreter, sentence):
    fake = program(tmp_path / "python3", f"{interpreter}\nexit 0")
    made = make("run", f"PYTHON={fake}")
    assert made.returncode != 0
    assert sentence in made.stdout and not (tmp_path / ".venv").exists()


def test_with_uv_no_venv_module_is_needed_but_a_python_that_is_new_enough(make, tmp_path):
    fake = program(tmp_path / "python3", 'case "$2" in *version_info*) exit 1;; esac')
    made = make("run", f"PYTHON={fake}", uv=True)
    assert made.returncode != 0 and "medtl needs Python 3.11 or newer" in made.stdout
    assert not any("ensurepip" in line for line in make("-n", "run", uv=True).stdout.splitlines())
