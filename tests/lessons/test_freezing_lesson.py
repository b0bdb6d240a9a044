"""The experiment of notebook 02: its parts, one recorded cell run again, and what breaks its effect."""

import ast
import copy
from dataclasses import replace
from functools import cache
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.lessons.freezing import experiment
from medtl_helpers.lessons.freezing.experiment import (
    FULL,
    GRADUAL,
    HOME,
    L2_SP,
    LORA,
    LP_FT,
    METHODS,
    NORMS,
    PRIOR,
    PROBE,
    REPAIRED,
    SCRATCH,
    SHIFTED,
    SMALL,
    SMALL_LONGER,
)
from medtl_helpers.methods import scores
from medtl_helpers.methods.intervals import holm, paired_difference, t_test

LESSON = Path(__file__).parents[2] / "notebooks" / "02_freezing_vs_finetuning.ipynb"
SHOWN = {  # way -> the name of its network in the lesson
    SMALL_LONGER: "small",
    PROBE: "probed",
    L2_SP: "l2_sp",
    SCRATCH: "scratch",
    FULL: "full",
    "frozen to layer2": "above",
    GRADUAL: "gradual",
    LP_FT: "lp_ft",
    LORA: "low_rank",
    NORMS: "norms_alone",
}
IN_FULL = (SMALL_LONGER, PROBE, L2_SP)  # trained as long as the record


@pytest.fixture(autouse=True)
def twins(monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")


@pytest.fixture(scope="module")
def record():
    return mtl.Record("strategies", pretraining=1)


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


def test_every_seed_has_test_images_of_its_own_and_none_of_them_is_in_training():
    (task, shifted), (other, other_shifted) = (experiment.tasks(experiment.TESTS, seed) for seed in (0, 1))
    assert task.test.y.bincount().tolist() == [experiment.TESTS] * 3
    assert len(set(images_of(task.test.x))) == len(task.test.x)
    for ours, theirs in ((task.test.x, other.test.x), (shifted.x, other_shifted.x), (task.train.x, task.test.x)):
        assert not set(images_of(ours)) & set(images_of(theirs))
    for seen in (task.train.x, task.val.x, other.train.x):
        assert not set(images_of(seen)) & set(images_of(task.test.x))


def images_of(x) -> list[bytes]:
    return [image.numpy().tobytes() for image in x]


def test_matched_colours_make_scanner_b_look_like_scanner_d_to_the_network(monkeypatch):
    """The network that the third score asks sees images whose colours have the mean and spread of the training set."""
    seen = []
    task, shifted = experiment.tasks(5, 0)

    class Watch(torch.nn.Module):
        def forward(self, x):
            seen.append(x)
            return torch.zeros(len(x), 3)

    monkeypatch.setattr(experiment, "train_one", lambda *arguments, **options: Watch())
    experiment.cell(PROBE, task, shifted, 0)
    parts = [torch.cat(seen[at : at + 2]) for at in (0, 2, 4)]  # 300 images each, in batches of 256 and 44
    wanted = mtl.to_float(task.train.x).transpose(0, 1).flatten(1)
    own, other, matched = (part.transpose(0, 1).flatten(1) for part in parts)
    assert torch.equal(own, mtl.to_float(task.test.x).transpose(0, 1).flatten(1))
    assert (other.mean(1) - wanted.mean(1)).abs().max() > 0.05
    assert torch.allclose(matched.mean(1), wanted.mean(1), atol=1e-4)
    assert torch.allclose(torch.cov(matched), torch.cov(wanted), atol=1e-4)


def test_the_scores_are_those_that_one_would_compute_by_hand():
    y = torch.tensor([0, 1, 2, 2])
    p = torch.tensor([[0.5, 0.3, 0.2], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7], [0.5, 0.1, 0.4]], dtype=torch.double)
    found = experiment.three_scores(y, p)
    assert found["accuracy"] == 0.75
    assert found["log loss"] == pytest.approx(-np.mean(np.log([0.5, 0.5, 0.7, 0.4])))
    # class 0: its case is as high as one of three others; class 1: above all three; class 2: both above both others
    assert found["AUROC"] == pytest.approx((2.5 / 3 + 1 + 1) / 3)


def test_one_answer_to_all_is_guessing():
    found = experiment.cell(PRIOR, *experiment.tasks(2, 0), 0)
    assert set(found) == {HOME, SHIFTED, REPAIRED}
    for row in found.values():
        assert row == {"accuracy": 1 / 3, "log loss": pytest.approx(np.log(3)), "AUROC": 0.5}


def test_the_patient_opponent_takes_four_times_as_many_epochs_of_the_same_images(monkeypatch):
    seen = []
    monkeypatch.setattr(experiment, "fit", lambda model, train, val, **options: seen.append((model, train, options)))
    task, _ = experiment.tasks(10, 0)
    for method in (SMALL, SMALL_LONGER, L2_SP):
        experiment.train_one(method, task, 0)
    small, longer, ours = seen
    assert [options["epochs"] for _, _, options in seen] == [60, 240, 60]
    assert small[1] is longer[1] is ours[1] and type(small[0]) is type(longer[0]) is mtl.CourseCNN


def test_a_second_setting_is_that_of_the_nearest_tuned_n_below(monkeypatch):
    monkeypatch.setitem(experiment.SECOND, L2_SP, ("lam", {10: 0.5, 100: 0.05}))
    lam = {n: experiment.settings_for(L2_SP, n)["lam"] for n in (2, 10, 99, 100, 5000)}
    assert lam == {2: 0.5, 10: 0.5, 99: 0.5, 100: 0.05, 5000: 0.05}


@pytest.mark.parametrize("method", METHODS)
def test_each_way_trains_what_it_says_and_no_more(method, monkeypatch):
    monkeypatch.setattr(experiment, "STEPS", 12)
    task, _ = experiment.tasks(2, 0)
    mtl.seed_everything(5)
    if method in (SMALL, SMALL_LONGER):
        start = mtl.CourseCNN(3, 3)
    else:
        start = mtl.load_backbone("resnet", 3, weights="random" if method == SCRATCH else "embedded", quiet=True)
    start = copy.deepcopy(start)
    model = experiment.train_one(method, task, seed=5)
    if method == LORA:
        mtl.merge(model)
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


def test_the_record_has_every_way_on_ten_seeds_that_were_not_used_for_tuning(record):
    assert len(record.seeds) >= 10 and not set(record.seeds) & {0, 1}
    assert set(record.values("way", n=10)) == {*METHODS, PRIOR}
    for n in record.values("n"):
        for method in record.values("way", n=n):
            for scanner in (HOME, SHIFTED, REPAIRED):
                for score in ("accuracy", "AUROC"):
                    row = record.row(method, score, n=n, scanner=scanner)
                    values = np.array(row["scores"][score])
                    assert (
                        len(values) == len(row.get("seeds", record.seeds)) >= 3
                        and (values >= 0).all()
                        and (values <= 1).all()
                    )


def test_the_settings_are_those_that_validation_chose(record):
    tried = record.about["tuning"]
    assert all(len(row["log loss"]) == 2 for row in tried)

    def best(rows, name):
        return min(rows, key=lambda row: np.mean(row["log loss"]))[name]

    usual = {L2_SP: ("lam", 0.1), SMALL: ("weight_decay", 0.0), SMALL_LONGER: ("weight_decay", 0.0)}
    for method in METHODS:
        rows = [row for row in tried if row["way"] == method and row["n"] == 10]
        if method in usual:
            name, value = usual[method]
            rows = [row for row in rows if row[name] == value]
        assert len({row["lr"] for row in rows}) == len(rows) == 3
        assert best(rows, "lr") == experiment.RATES[method]
    for method, (name, chosen) in experiment.SECOND.items():
        for n, value in chosen.items():
            rows = [row for row in tried if row["way"] == method and row["n"] == n]
            rows = [row for row in rows if row["lr"] == experiment.RATES[method]]
            assert len(rows) == 3 and best(rows, name) == value


@pytest.mark.parametrize("method, kinds", [(LORA, "AB"), (NORMS, "norms")])
def test_a_way_that_trains_few_weights_moves_the_head_and_these_and_no_statistic(method, kinds, monkeypatch):
    monkeypatch.setattr(experiment, "STEPS", 12)
    task, _ = experiment.tasks(2, 0)
    model = experiment.train_one(method, task, seed=5)
    start = mtl.load_backbone("resnet", 3, weights="embedded", quiet=True).state_dict()
    for name, value in model.state_dict().items():
        before = start.get(name.replace("parametrizations.weight.original", "weight"))
        if before is None or name.startswith("head"):
            continue  # A, B and the new head
        assert torch.equal(value, before) is not (kinds == "norms" and value.ndim == 1 and "running" not in name), name
    trained, weights = mtl.trainable(model)
    assert 0 < trained / weights < 0.03


@pytest.mark.parametrize("family", ["secondary", "few weights"])
def test_the_comparisons_of_a_family_are_those_of_the_rows_corrected_together(record, family):
    listed, margin = record.about[family], record.about["primary"]["margin"]
    p_values = []
    for row in listed:
        where = {"n": row["n"], "scanner": row["scanner"]}
        ours, theirs = (record.scores(row[side], **where) for side in ("ours", "theirs"))
        both = min(len(ours), len(theirs))  # the seeds of one way may be the first of those of the other
        ours, theirs = ours[:both], theirs[:both]
        interval = paired_difference(ours, theirs)
        assert [row["value"], row["low"], row["high"]] == pytest.approx(
            [interval.value, interval.low, interval.high], abs=1e-4
        )
        side = margin if interval.value > 0 else -margin
        p_values.append(t_test(ours - theirs, side) if abs(interval.value) > margin else 1.0)
    assert [row["p"] for row in listed] == pytest.approx(holm(p_values), abs=1e-4)


def test_a_secondary_comparison_is_found_and_another_one_is_not_made_up(record):
    row = record.about["secondary"][0]
    interval, p = experiment.written_down(record, row["ours"], row["theirs"], scanner=row["scanner"], n=row["n"])
    assert interval.value == pytest.approx(row["value"], abs=1e-4) and p == row["p"]
    row = next(row for row in record.about["few weights"] if row["theirs"] == FULL)
    interval, p = experiment.written_down(record, row["ours"], FULL, scanner=row["scanner"])
    assert (interval.value, interval.n, p) == (pytest.approx(row["value"], abs=1e-4), 5, row["p"])
    with pytest.raises(KeyError, match="not written down"):
        experiment.written_down(record, SCRATCH, L2_SP)


def test_the_second_pre_training_stands_beside_the_same_networks_from_scratch(record):
    again = mtl.Record("strategies", pretraining=2)
    where = {"n": 10, "scanner": SHIFTED}
    assert (again.scores(SMALL_LONGER, **where) == record.scores(SMALL_LONGER, **where)).all()
    assert (again.scores(L2_SP, **where) != record.scores(L2_SP, **where)).any()
    seeds = [about["seed"] for about in record.about["pretrainings"].values()]
    assert seeds == [0, 1]


def test_a_recorded_cell_can_be_run_again(record):
    n, seed = 10, record.seeds[0]
    again = experiment.cell(PROBE, *experiment.tasks(n, seed), seed)
    for scanner, found in again.items():  # other machines round otherwise
        assert found["accuracy"] == pytest.approx(record.scores(PROBE, n=n, scanner=scanner)[0], abs=0.05)
        assert found["AUROC"] == pytest.approx(record.scores(PROBE, "AUROC", n=n, scanner=scanner)[0], abs=0.05)


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
        next(after.stages["layer4"].parameters())[0, 0, 1, 1] += 0.5  # the middle of a kernel sees every image
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


# --- what the lesson shows is what the experiment does ----------------------------------------------------------------


@cache
def code_of_the_lesson() -> list[str]:
    return [cell.source for cell in nbformat.read(LESSON, as_version=4).cells if cell.cell_type == "code"]


def networks_of_the_lesson(task, changes: dict[str, str]) -> dict:
    """The names of the lesson after the three cells that train, in whose code ``changes`` were made."""
    imports, *others = code_of_the_lesson()
    names = {"task": task}
    exec(imports, names)
    for source in others:
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef) and node.name == "new_network":
                exec(ast.unparse(node), names)
    calls = ("epochs=240", "mtl.gradual_unfreeze(", "mtl.lora(")
    cells = [source for source in others if any(call in source for call in calls)]
    assert len(cells) == 3
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
    (cell,) = [source for source in code_of_the_lesson() if "epochs=240" in source]
    assert cell.count("epochs=60") == 2 and experiment.LONGER * 60 == 240


@pytest.fixture(scope="module")
def shown_in_short(ten):
    """All networks that the lesson trains, with two epochs in place of sixty."""
    return networks_of_the_lesson(ten, {"epochs=60": "epochs=2", "epochs=240": "epochs=8"})


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
