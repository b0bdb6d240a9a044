"""The experiment of notebook 02: its parts, one recorded cell run again, and what breaks its effect."""

import ast
import copy
from dataclasses import replace
from functools import cache
from pathlib import Path

import nbformat
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.lessons.freezing import experiment
from medtl_helpers.lessons.freezing.experiment import FULL, GRADUAL, L2_SP, LP_FT, METHODS, PROBE, SCRATCH
from medtl_helpers.methods import scores

LESSON = Path(__file__).parents[2] / "notebooks" / "02_freezing_vs_finetuning.ipynb"
SHOWN = {  # way -> the name of its network in the lesson
    SCRATCH: "scratch",
    PROBE: "probed",
    LP_FT: "lp_ft",
    FULL: "full",
    "frozen to layer2": "above",
    GRADUAL: "gradual",
    L2_SP: "l2_sp",
}
IN_FULL = (SCRATCH, PROBE, LP_FT)  # trained as long as the record


@pytest.fixture(autouse=True)
def twins(monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")


@pytest.fixture(scope="module")
def record():
    return mtl.Record("strategies")


@pytest.mark.parametrize("n", [3, 16, 30, 300, 1500, 100_000])
def test_every_n_gets_about_the_same_number_of_steps(n):
    steps = experiment.epochs_for(n) * -(-n // experiment.BATCH)
    assert abs(steps - experiment.STEPS) <= -(-n // experiment.BATCH) / 2 or experiment.epochs_for(n) == 6


def test_an_unknown_way_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no way to train called 'fully'.*linear probe"):
        experiment.train_one("fully", experiment.tasks(3, 0)[0], 0)


def test_the_two_test_sets_show_the_same_cells_on_two_scanners():
    task, shifted = experiment.tasks(2, 0)
    assert torch.equal(task.test.y, shifted.y) and not torch.equal(task.test.x, shifted.x)
    own, other = (x.float().mean(1).flatten(1) for x in (task.test.x, shifted.x))
    own, other = (x - x.mean(1, keepdim=True) for x in (own, other))
    same = torch.nn.functional.cosine_similarity(own, other)
    different = torch.nn.functional.cosine_similarity(own, other.roll(1, 0))
    assert (same > different).float().mean() > 0.95


@pytest.mark.parametrize("method", METHODS)
def test_each_way_trains_what_it_says_and_no_more(method, monkeypatch):
    monkeypatch.setattr(experiment, "STEPS", 12)
    task, _ = experiment.tasks(2, 0)
    mtl.seed_everything(5)
    start = copy.deepcopy(
        mtl.load_backbone("resnet", 3, weights="random" if method == SCRATCH else "embedded", quiet=True)
    )
    model = experiment.train_one(method, task, seed=5)
    moved = {
        name: any(
            not torch.equal(a, b)
            for a, b in zip(model.part(name).state_dict().values(), start.part(name).state_dict().values(), strict=True)
        )
        for name in start.parts()
    }
    frozen = {name: stages for stages, name in experiment.DEPTHS.items()}.get(method, "none")
    stages = list(start.stages)
    still = [] if frozen in ("none", None) else stages[: stages.index(frozen) + 1]
    assert [name for name in stages if name not in still and not moved[name]] == []
    assert [name for name in still if moved[name]] == []


def test_the_record_has_every_cell_on_ten_seeds_that_were_not_used_for_tuning(record):
    assert len(record.seeds) >= 10 and not set(record.seeds) & {0, 1, 2}
    assert set(record.values("way")) == set(METHODS)
    for method in METHODS:
        for n in record.values("n"):
            for score in ("accuracy", "shifted accuracy"):
                values = record.scores(method, score, n=n)
                assert len(values) == len(record.seeds) and (values >= 0).all() and (values <= 1).all()


def test_a_recorded_cell_can_be_run_again(record):
    n, seed = record.values("n")[0], record.seeds[0]
    again = experiment.cell(PROBE, n, seed)
    assert again["accuracy"] == pytest.approx(record.scores(PROBE, n=n)[0], abs=0.03)  # other machines round otherwise
    assert again["shifted accuracy"] == pytest.approx(record.scores(PROBE, "shifted accuracy", n=n)[0], abs=0.05)


def test_with_random_weights_the_probe_loses_its_gain():
    task, _ = experiment.tasks(10, 100)
    embedded = scores.accuracy(experiment.train_one(PROBE, task, 100), task.test)
    random = scores.accuracy(experiment.train_one(PROBE, task, 100, weights="random"), task.test)
    assert embedded > random + 0.15


def test_with_shuffled_labels_nothing_is_learnt():
    task, _ = experiment.tasks(10, 0)
    order = torch.randperm(len(task.train.y), generator=torch.Generator().manual_seed(0))
    shuffled = replace(task, train=mtl.Split(task.train.x, task.train.y[order]))
    assert scores.accuracy(experiment.train_one(PROBE, shuffled, 0), task.test) < 0.55


def test_the_drift_of_statistics_is_a_relative_distance():
    model = mtl.load_backbone("resnet", 3, weights="embedded", quiet=True)
    start = copy.deepcopy(model.state_dict())
    assert experiment.statistics_drift(model, start) == 0
    for name, value in model.state_dict().items():
        if name.endswith("running_mean"):
            value.mul_(1.25)
    assert experiment.statistics_drift(model, start) == pytest.approx(0.25, rel=1e-5)


def test_a_change_is_that_of_the_weight_of_the_statistic_or_of_the_features():
    before = mtl.load_backbone("resnet", 3, weights="embedded", quiet=True)
    images = experiment.tasks(1, 0)[0].test.x[:20]
    same = experiment.change(before, copy.deepcopy(before), images)
    assert set(same.values()) == {0}
    after = copy.deepcopy(before)
    with torch.no_grad():
        next(after.stages["layer4"].parameters()).view(-1)[0] += 0.5
    weight, statistic, features = experiment.change(before, after, images).values()
    assert weight == pytest.approx(0.5) and statistic == 0 and features > 0
    after = copy.deepcopy(before)
    next(value for name, value in after.state_dict().items() if name.endswith("running_var")).view(-1)[0] += 2
    weight, statistic, features = experiment.change(before, after, images).values()
    assert weight == 0 and statistic == pytest.approx(2, rel=1e-4) and features > 0


def test_features_move_further_with_more_steps_and_not_at_all_with_none():
    task, _ = experiment.tasks(2, 0)
    model = mtl.load_backbone("resnet", 3, weights="embedded", quiet=True)
    assert experiment.moved_features(model, task, steps=0) == [0.0]
    first, second = experiment.moved_features(model, task, lr=1e-5, steps=1)
    assert first == 0 and 0 < second < 1


def test_full_fine_tuning_from_embedded_weights_differs_from_scratch_only_in_the_start():
    settings = (experiment.SETTINGS[FULL], experiment.SETTINGS[SCRATCH])
    assert all(set(s) == {"lr"} for s in settings)


# --- what the lesson shows is what the experiment does ----------------------------------------------------------------


@cache
def code_of_the_lesson() -> list[str]:
    return [cell.source for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "code"]


def networks_of_the_lesson(task, changes: dict[str, str]) -> dict:
    """The names of the lesson after the two cells that train, in whose code ``changes`` were made."""
    imports, *others = code_of_the_lesson()
    names = {"task": task}
    exec(imports, names)
    for source in others:
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef) and node.name == "new_network":
                exec(ast.unparse(node), names)
    cells = [source for source in others if "mtl.lp_ft(" in source or "mtl.gradual_unfreeze(" in source]
    assert len(cells) == 2
    for source in cells:
        for old, new in changes.items():
            source = source.replace(old, new)
        exec(source, names)
    return names


def assert_same_weights(shown, trained):
    ours, theirs = shown.state_dict(), trained.state_dict()
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []


@pytest.fixture(scope="module")
def ten():
    """The task of the lesson."""
    return experiment.tasks(n=10, seed=0)[0]


def test_the_lesson_trains_for_as_many_epochs_as_the_record(ten):
    assert experiment.epochs_for(len(ten.train.y)) == 60
    (cell,) = [source for source in code_of_the_lesson() if "mtl.lp_ft(" in source]
    assert cell.count(", epochs=60") == 2 and "probe_epochs=30, epochs=30" in cell


@pytest.fixture(scope="module")
def shown_in_short(ten):
    """All networks that the lesson trains, with two epochs in place of sixty and one in place of thirty."""
    return networks_of_the_lesson(ten, {"epochs=60": "epochs=2", "epochs=30": "epochs=1"})


@pytest.mark.parametrize("method", SHOWN)
def test_a_call_of_the_lesson_gives_the_weights_of_the_experiment(method, ten, shown_in_short, monkeypatch):
    epochs = (
        2 if method in IN_FULL else 6 if method == GRADUAL else 1
    )  # gradual unfreezing shares them among six phases
    monkeypatch.setattr(experiment, "epochs_for", lambda n: epochs)
    assert_same_weights(shown_in_short[SHOWN[method]], experiment.train_one(method, ten, seed=0))


@pytest.mark.slow
def test_the_live_networks_of_the_lesson_are_those_of_the_experiment(ten):
    names = networks_of_the_lesson(ten, {})
    for method in IN_FULL:
        assert_same_weights(names[SHOWN[method]], experiment.train_one(method, ten, seed=0))
