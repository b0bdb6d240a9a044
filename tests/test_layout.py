"""The house rules of CONTRIBUTING, held on the syntax tree: who imports whom, how long a file is, where its test is.

An import inside a function counts like one at the top. Each rule is a function from a folder with the package and its
tests to a list of sentences, so that the second half of this page can break it once and see that it notices.
"""

import ast
import shutil
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GROUND = {"assets", "console", "devices", "guards", "labels", "parts", "provenance"}
MAY_USE = {
    "data": {"ground", "data"},
    "methods": {"ground", "methods"},
    "teaching": {"ground", "data", "methods", "teaching"},
    "transfer": {"ground", "data", "methods", "teaching", "transfer"},
    "lessons": {"ground", "data", "methods", "teaching", "lessons"},
    "ground": {"ground"},
}
LESSON_FILES = {"__init__.py", "experiment.py", "figures.py", "answers.py"}
MOST_LINES = {"methods": 150, "data": 220, "transfer": 220}
FINDS_LESSONS = "teaching.grading"  # it finds the answers of a topic by name: the one dynamic import
TESTED_IN = {  # what has no test file of its own name
    "methods/explaining": "methods/test_saliency.py",
    "data/alike": "data/test_duplicates.py",
    "data/archives": "faults/test_data_faults.py",
    "data/download": "faults/test_fetch.py",
    "data/fetch": "faults/test_fetch.py",
    "data/folder_layout": "data/test_folders.py",
    "data/molecule_files": "data/test_own_molecules.py",
    "data/nuclear_scenes": "data/test_drawn_nuclei.py",
    "data/mask_files": "data/test_own_masks.py",
    "data/mask_numbers": "data/test_own_masks.py",
    "data/mask_pairs": "data/test_own_masks.py",
    "data/molecule_parts": "data/test_drawn_molecules.py",
    "data/painting": "data/test_phantoms.py",
    "data/patterns": "data/test_pretraining.py",
    "data/pixels": "data/test_images.py",
    "data/reading": "data/test_folders.py",
    "data/scans": "data/test_pretraining.py",
    "data/sequence_files": "data/test_own_sequences.py",
    "data/smears": "data/test_phantoms.py",
    "methods/graph_inputs": "faults/test_molecule_method_faults.py",
    "methods/embedded_weights": "methods/test_sequence_weights.py",
    "data/split_names": "data/test_folders.py",
    "data/text_files": "data/test_own_texts.py",
    "methods/features": "methods/test_cache.py",
    "methods/best_so_far": "methods/test_auto_transfer.py",
    "methods/costs": "methods/test_plan.py",
    "methods/history": "methods/test_train.py",
    "methods/keras_backend": "methods/test_keras_recipes.py",
    "methods/keras_images": "methods/test_keras_recipes.py",
    "methods/oracle": "methods/test_dann.py",
    "methods/per_example": "methods/test_private.py",
    "methods/search_log": "methods/test_auto_transfer.py",
    "methods/searched_task": "methods/test_auto_transfer.py",
    "methods/scores": "methods/test_dann.py",
    "methods/server_steps": "methods/test_federated.py",
    "methods/transferred": "methods/test_auto_transfer.py",
    "methods/trials": "methods/test_auto_transfer.py",
    "transfer/closing_sections": "transfer/test_report.py",
    "transfer/data_sections": "transfer/test_report.py",
    "transfer/facts": "transfer/test_report.py",
    "transfer/figures": "transfer/test_report.py",
    "transfer/page": "transfer/test_report.py",
    "transfer/result_sections": "transfer/test_report.py",
    "transfer/there": "transfer/test_elsewhere.py",
}


# --- reading the package ---------------------------------------------------------------------------------------------


def modules(root: Path) -> dict[str, Path]:
    """Name -> file: ``data.tasks``, or ``data`` for ``data/__init__.py``, or ``""`` for the package's own."""
    package = root / "medtl_helpers"
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def nodes(source: str) -> list[ast.AST]:
    """All imports and names in some code."""
    wanted = (ast.Import, ast.ImportFrom, ast.Name, ast.Attribute)
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, wanted)]


def imported(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules of the package that the module ``name`` imports, anywhere in its file."""
    inside = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in nodes(path.read_text("utf-8")):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "medtl_helpers":
                    yield alias.name.partition(".")[2]
        elif isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] == "medtl_helpers"):
            if node.level:
                up = inside.split(".")[: len(inside.split(".")) - node.level + 1] if inside else []
                base = ".".join([*filter(None, up), *filter(None, [node.module])])
            else:
                base = node.module.partition(".")[2]
            for alias in node.names:
                below = f"{base}.{alias.name}" if base else alias.name
                yield below if below in known else base


def graph(root: Path) -> dict[str, set[str]]:
    known = modules(root)
    return {name: set(imported(name, path, known)) for name, path in known.items()}


def room(name: str) -> str:
    return "ground" if name in GROUND else name.split(".")[0]


# --- the rules -------------------------------------------------------------------------------------------------------


def what_a_lesson_holds(root: Path) -> list[str]:
    """A topic holds at most experiment, figures and answers."""
    files = [path for path in (root / "medtl_helpers" / "lessons").glob("*/**/*") if "__pycache__" not in path.parts]
    return [
        f"{path.relative_to(root)} is none of {sorted(LESSON_FILES)}" for path in files if path.name not in LESSON_FILES
    ]


def imports_only_go_down(root: Path) -> list[str]:
    """Each room imports what MAY_USE says, no lesson another one; the commands (``__main__``) may use everything."""
    wrong = []
    for name, uses in graph(root).items():
        if name in ("", "__main__"):
            continue
        for used in uses:
            allowed = room(used) in MAY_USE.get(room(name), ())
            if room(name) == room(used) == "lessons":
                allowed = name.split(".")[1:2] == used.split(".")[1:2]
            if not allowed:
                wrong.append(f"{name} imports {used or 'the whole package'}")
    return wrong


def the_names_of_rooms_load_nothing(root: Path) -> list[str]:
    """The package's and the rooms' own files import no module, so that one name of ``mtl`` does not load them all."""
    known = modules(root)
    return [f"{known[name]} imports {used}" for name, used in graph(root).items() if used and is_folder(known[name])]


def is_folder(path: Path) -> bool:
    return path.name == "__init__.py"


def no_circle(root: Path) -> list[str]:
    try:
        tuple(TopologicalSorter(graph(root)).static_order())
    except CycleError as error:
        return [" imports ".join(reversed(error.args[1]))]
    return []


def no_dynamic_import(root: Path) -> list[str]:
    wrong = []
    for name, path in modules(root).items():
        seen = nodes(path.read_text("utf-8"))
        called = {getattr(node, "id", getattr(node, "attr", "")) for node in seen}
        called |= {alias.name for node in seen if isinstance(node, ast.ImportFrom) for alias in node.names}
        if called & {"import_module", "__import__"} and name != FINDS_LESSONS:
            wrong.append(f"{name} imports by a name that it computes")
    return wrong


def no_file_is_too_long(root: Path) -> list[str]:
    lines = {name: len(path.read_text("utf-8").splitlines()) for name, path in modules(root).items()}
    return [f"{name} has {n} lines" for name, n in lines.items() if n > MOST_LINES.get(room(name), n)]


def every_file_has_its_test(root: Path) -> list[str]:
    wrong = []
    for name, path in modules(root).items():
        if room(name) in MOST_LINES and not is_folder(path):
            place, _, file = name.partition(".")
            mirrored = root / "tests" / place / f"test_{file}.py"
            other = TESTED_IN.get(f"{place}/{file}")
            if mirrored.is_file() == (other is not None):
                wrong.append(f"{name} needs {mirrored.relative_to(root)}, or else a line in TESTED_IN")
            if other and not (root / "tests" / other).is_file():
                wrong.append(f"{name} is said to be tested in {other}, which is not there")
    return wrong


def one_name_is_one_thing(root: Path) -> list[str]:
    """No public function or class has the name of another one elsewhere in the package."""
    places: dict[str, list[str]] = {}
    for name, path in modules(root).items():
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(name)
    return [f"{thing} stands in {' and in '.join(found)}" for thing, found in places.items() if len(found) > 1]


RULES = [
    what_a_lesson_holds,
    imports_only_go_down,
    the_names_of_rooms_load_nothing,
    no_circle,
    no_dynamic_import,
    no_file_is_too_long,
    one_name_is_one_thing,
    every_file_has_its_test,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_holds(rule):
    assert rule(ROOT) == []


def test_the_list_of_exceptions_names_only_what_is_there():
    assert set(TESTED_IN) <= {name.replace(".", "/") for name in modules(ROOT)}


# --- each rule, broken once ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A copy of the code and of the tests' files."""
    copy = tmp_path_factory.mktemp("copy")
    for folder in ("medtl_helpers", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return copy


BROKEN = [
    (what_a_lesson_holds, "lessons/dann/helpers.py", ""),
    (imports_only_go_down, "lessons/dann/figures.py", "from ..freezing import experiment"),
    (imports_only_go_down, "lessons/dann/figures.py", "from ..freezing.experiment import tasks"),
    (imports_only_go_down, "data/tasks.py", "from ..methods.train import fit"),
    (imports_only_go_down, "data/tasks.py", "def late():\n    from ..teaching import plots"),
    (imports_only_go_down, "methods/train.py", "from ..data.tasks import Task"),
    (imports_only_go_down, "methods/train.py", "import medtl_helpers.data.tasks"),
    (imports_only_go_down, "methods/train.py", "import medtl_helpers as mtl"),
    (imports_only_go_down, "methods/train.py", "from .. import data"),
    (imports_only_go_down, "methods/train.py", "from medtl_helpers import few_shot"),
    (imports_only_go_down, "teaching/plots.py", "from ..lessons.dann import figures"),
    (imports_only_go_down, "teaching/plots.py", "def late():\n    import medtl_helpers.lessons.dann.figures"),
    (imports_only_go_down, "transfer/page.py", "from ..lessons.dann import figures"),
    (imports_only_go_down, "teaching/plots.py", "from ..transfer import page"),
    (imports_only_go_down, "assets.py", "from .data import tasks"),
    (imports_only_go_down, "devices.py", "def late():\n    from medtl_helpers.methods.train import fit"),
    (imports_only_go_down, "attic.py", "from .data import tasks"),
    (the_names_of_rooms_load_nothing, "methods/__init__.py", "from .train import fit"),
    (no_circle, "methods/nets.py", "def late():\n    from .backbones import vgg16"),
    (no_dynamic_import, "teaching/plots.py", "from importlib import import_module"),
    (no_dynamic_import, "methods/train.py", "import importlib\nfit_ = importlib.import_module('x')"),
    (no_file_is_too_long, "methods/scores.py", "# more\n" * 150),
    (no_file_is_too_long, "data/tasks.py", "# more\n" * 220),
    (no_file_is_too_long, "transfer/page.py", "# more\n" * 220),
    (one_name_is_one_thing, "lessons/dann/figures.py", "def fit():\n    pass"),
    (every_file_has_its_test, "methods/untested.py", ""),
    (every_file_has_its_test, "../tests/methods/test_scores.py", ""),
]


@pytest.mark.parametrize(("rule", "file", "added"), BROKEN, ids=lambda part: getattr(part, "__name__", None))
def test_the_rule_notices_when_it_is_broken(whole, rule, file, added):
    path = whole / "medtl_helpers" / file
    before, known = path.read_text("utf-8") if path.is_file() else None, rule(whole)
    path.write_text(f"{before or ''}\n{added}\n", "utf-8")
    try:
        assert len(rule(whole)) > len(known)
    finally:
        path.unlink() if before is None else path.write_text(before, "utf-8")
