"""The experiment of notebook 02: its parts, one recorded cell run again, and what breaks its effect."""

import copy
from dataclasses import replace

import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers import strategies
from medtl_helpers.strategies import FULL, METHODS, PROBE, SCRATCH


@pytest.fixture(autouse=True)
def twins(monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")


@pytest.fixture(scope="module")
def record():
    return strategies.Record()


@pytest.mark.parametrize("n", [3, 16, 30, 300, 1500, 100_000])
def test_every_n_gets_about_the_same_number_of_steps(n):
    steps = strategies.epochs_for(n) * -(-n // strategies.BATCH)
    assert abs(steps - strategies.STEPS) <= -(-n // strategies.BATCH) / 2 or strategies.epochs_for(n) == 6


def test_an_unknown_way_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no way to train called 'fully'.*linear probe"):
        strategies.train_one("fully", strategies.tasks(3, 0)[0], 0)


def test_the_two_test_sets_show_the_same_cells_on_two_scanners():
    task, shifted = strategies.tasks(2, 0)
    assert torch.equal(task.test.y, shifted.y) and not torch.equal(task.test.x, shifted.x)
    own, other = (x.float().mean(1).flatten(1) for x in (task.test.x, shifted.x))
    own, other = (x - x.mean(1, keepdim=True) for x in (own, other))
    same = torch.nn.functional.cosine_similarity(own, other)
    different = torch.nn.functional.cosine_similarity(own, other.roll(1, 0))
    assert (same > different).float().mean() > 0.95


@pytest.mark.parametrize("method", METHODS)
def test_each_way_trains_what_it_says_and_no_more(method, monkeypatch):
    monkeypatch.setattr(strategies, "STEPS", 12)
    task, _ = strategies.tasks(2, 0)
    mtl.seed_everything(5)
    start = copy.deepcopy(
        mtl.load_backbone("resnet", 3, weights="random" if method == SCRATCH else "embedded", quiet=True)
    )
    model = strategies.train_one(method, task, seed=5)
    moved = {name: any(not torch.equal(a, b) for a, b in zip(model.part(name).state_dict().values(),
                                                          start.part(name).state_dict().values(), strict=True))
             for name in start.parts()}  # fmt: skip
    frozen = {name: stages for stages, name in strategies.DEPTHS.items()}.get(method, "none")
    stages = list(start.stages)
    still = [] if frozen in ("none", None) else stages[: stages.index(frozen) + 1]
    assert [name for name in stages if name not in still and not moved[name]] == []
    assert [name for name in still if moved[name]] == []


def test_the_record_has_every_cell_on_ten_seeds_that_were_not_used_for_tuning(record):
    assert len(record.seeds) >= 10 and not set(record.seeds) & {0, 1, 2}
    assert set(record.methods) == set(METHODS)
    for method in METHODS:
        for n in record.sizes:
            for score in ("accuracy", "shifted accuracy"):
                values = record.scores(method, n, score)
                assert len(values) == len(record.seeds) and (values >= 0).all() and (values <= 1).all()


def test_a_recorded_cell_can_be_run_again(record):
    n, seed = record.sizes[0], record.seeds[0]
    again = strategies.cell(PROBE, n, seed)
    assert again["accuracy"] == pytest.approx(record.scores(PROBE, n)[0], abs=0.03)  # other machines round otherwise
    assert again["shifted accuracy"] == pytest.approx(record.scores(PROBE, n, "shifted accuracy")[0], abs=0.05)


def test_with_random_weights_the_probe_loses_its_gain():
    task, _ = strategies.tasks(10, 100)
    embedded = strategies.accuracy(strategies.train_one(PROBE, task, 100), task.test)
    random = strategies.accuracy(strategies.train_one(PROBE, task, 100, weights="random"), task.test)
    assert embedded > random + 0.15


def test_with_shuffled_labels_nothing_is_learnt():
    task, _ = strategies.tasks(10, 0)
    order = torch.randperm(len(task.train.y), generator=torch.Generator().manual_seed(0))
    shuffled = replace(task, train=mtl.Split(task.train.x, task.train.y[order]))
    assert strategies.accuracy(strategies.train_one(PROBE, shuffled, 0), task.test) < 0.55


def test_the_drift_of_statistics_is_a_relative_distance():
    model = mtl.load_backbone("resnet", 3, weights="embedded", quiet=True)
    start = copy.deepcopy(model.state_dict())
    assert strategies.statistics_drift(model, start) == 0
    for name, value in model.state_dict().items():
        if name.endswith("running_mean"):
            value.mul_(1.25)
    assert strategies.statistics_drift(model, start) == pytest.approx(0.25, rel=1e-5)


def test_full_fine_tuning_from_embedded_weights_differs_from_scratch_only_in_the_start():
    settings = (strategies.SETTINGS[FULL], strategies.SETTINGS[SCRATCH])
    assert all(set(s) == {"lr"} for s in settings)


def test_few_shot_draws_from_the_training_split_and_never_twice():
    task = mtl.load("pneumonia", quiet=True)
    drawn = mtl.few_shot(task, 7, seed=3, val=4)
    assert drawn.train.y.bincount().tolist() == [7, 7] and drawn.val.y.bincount().tolist() == [4, 4]
    assert drawn.test.x is task.test.x
    images = [image.numpy().tobytes() for image in torch.cat([drawn.train.x, drawn.val.x])]
    pool = {image.numpy().tobytes(): int(y) for image, y in zip(*task.train, strict=True)}
    assert len(set(images)) == len(images)
    assert [pool[image] for image in images] == torch.cat([drawn.train.y, drawn.val.y]).tolist()
    assert not torch.equal(drawn.train.x, mtl.few_shot(task, 7, seed=4, val=4).train.x)


def test_few_shot_says_how_many_there_are():
    with pytest.raises(ValueError, match=r"pneumonia has \d+ training images of normal, 5000 \+ 10 were asked for"):
        mtl.few_shot(mtl.load("pneumonia", quiet=True), 5000, seed=0)
