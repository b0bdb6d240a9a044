"""What lesson 07 computes beside its cells: the published regrets, hospitals as sources, and choices among many."""

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.data.domains import HOSPITALS
from medtl_helpers.lessons.which_source import experiment
from medtl_helpers.methods.ways import known_sources


def a_task(n_val: int = 30, n_test: int = 30):
    """Only labels are read here."""

    def split(n):
        return mtl.Split(torch.zeros(2 * n, 1, 8, 8, dtype=torch.uint8), torch.arange(2).repeat(n))

    return mtl.ImageTask("two classes", split(5), split(n_val), split(n_test), ("a", "b"), provenance="twin")


def answering(y, strength: float, seed: int):
    """Probabilities N×2 that know the labels ``y`` better the larger ``strength`` is."""
    logit = strength * (2 * y.numpy() - 1) + np.random.default_rng(seed).normal(size=len(y))
    p = 1 / (1 + np.exp(-logit))
    return np.stack([1 - p, p], 1)


def ways(task, strengths) -> dict:
    return {
        f"way {k}": (answering(task.val.y, s, k), answering(task.test.y, s, 100 + k)) for k, s in enumerate(strengths)
    }


def test_a_single_way_has_no_regret_and_is_always_chosen():
    found = experiment.choices(ways(a_task(), [1.0]), a_task(), 5)
    assert found["regret"] == 0 and found["ways"] == 1


def test_a_far_better_way_is_always_chosen_and_equal_ones_by_chance_with_a_flattering_loss():
    task = a_task(200, 400)
    clear = experiment.choices(ways(task, [0.0, 0.0, 4.0]), task, 20)
    assert clear["regret"] == 0 and clear["ways"] == 1
    alike = experiment.choices(ways(task, [0.5] * 20), task, 5)
    assert alike["ways"] > 10 and alike["flattery"] > 0.1
    many = experiment.choices(ways(task, [0.5] * 20), task, 150)
    assert many["flattery"] < alike["flattery"] / 3


def test_auroc_and_log_loss_are_scikit_learns():
    from sklearn.metrics import log_loss, roc_auc_score

    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 60)
    p = rng.dirichlet(np.ones(3), 60)
    assert experiment.macro_auroc(y, p) == pytest.approx(roc_auc_score(y, p, multi_class="ovr"))
    assert experiment.answer_loss(torch.from_numpy(y), torch.from_numpy(p)) == pytest.approx(log_loss(y, p))


def test_the_features_of_a_stage_are_its_own_part_of_all_stages():
    """Cut out by their widths, they are mean and maximum of what the stage makes of an image."""
    model = known_sources()["resnet, random"](2)
    x = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    widths = [0, *np.cumsum(experiment._stage_widths(model, x[:1]))]
    found = mtl.stage_features(model, x)
    assert found.shape[1] == widths[-1] and len(widths) == len(model.stages) + 1
    with torch.inference_mode():
        maps = model.input(mtl.to_float(x))
        for stage, start, end in zip(model.stages.values(), widths, widths[1:], strict=False):
            maps = stage(maps)
            torch.testing.assert_close(
                found[:, start:end], torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1), atol=1e-4, rtol=1e-4
            )


def test_many_answers_has_each_source_stage_and_penalty():
    task = mtl.held_out_task(4, 0, size=32, val=3, test=2)
    found = experiment.many_answers(task, {"random": known_sources()["resnet, random"]})
    assert len(found) == 5 * len(experiment.PENALTIES)
    for val, test in found.values():
        assert val.shape == (9, 3) and test.shape == (6, 3)
        np.testing.assert_allclose(val.sum(1), 1, atol=1e-5)


def test_hospital_regrets_are_at_least_zero_and_a_coins_is_half_of_the_distance(monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")
    found = experiment.hospital_regrets(range(1))
    assert list(found["target"]) == list(HOSPITALS)
    for row in found.itertuples():
        assert row.LEEP == 0 or row.LEEP == pytest.approx(2 * row.coin)


def test_a_recorded_interval_is_the_mean_over_the_groups_of_targets():
    tables = mtl.Record("transfer_tables")
    found = experiment.recorded_interval(tables, "LogME")
    row = tables.row("LogME", of="source", candidates="all")
    assert found.value == pytest.approx(np.mean(row["scores"]["regret"]), abs=1e-4) and found.n == 9
    rules = experiment.comparisons(tables, "rules")
    assert len(rules) == 18 and {one["candidates"] for one in rules} == {"all"}


def test_without_the_tables_nothing_is_published(monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")
    assert experiment.published() is None


def test_the_tables_on_this_disk_give_the_recorded_regret():
    """Recomputed from the files themselves, where they are."""
    published = experiment.published()
    if published is None:
        pytest.skip("the published tables are not on this disk")
    tables = mtl.Record("transfer_tables")
    recorded = tables.row("always ImageNet", of="source", candidates="all")["by target"]["regret"]
    auroc = published.pivot(index="target", columns="source", values="auroc").loc[tables.about["targets"]]
    np.testing.assert_allclose(auroc.max(axis=1) - auroc["imagenet"], recorded, atol=1e-4)
