"""The benchmark of lesson 13: its images and networks, what its tuning chose, and recorded cells computed again."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.lessons.explanation import experiment as lesson

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import explanation as benchmark
import explanation_again as again

REPORT = mtl.Record("explanation", stage="report")
AGAIN = mtl.Record("explanation_again")
MIDDLE = {"kind": "letter", "images": "letter", "map": "middle of the image"}


def small(seed=0):
    mtl.seed_everything(seed)
    return mtl.CourseCNN(1, 2, width=8, norm="batch")


# --- images and networks ---------------------------------------------------------------------------------------------


def test_the_hospitals_differ_in_the_mark_alone():
    parts = {training: lesson.pictures(60, 7, share, brighter=training == "brighter")
             for training, share in lesson.SHARES.items()}  # fmt: skip
    plain = parts["no letter"]
    for training, part in parts.items():
        assert torch.equal(part.y, plain.y) and (part.lesions == plain.lesions).all()
        assert (part.letters == plain.letters).all() and part.letters.any((1, 2)).all()
        changed = (part.x != plain.x).flatten(1).any(1)
        share = [changed[part.y == k].float().mean().item() for k in (lesson.MALIGNANT, lesson.BENIGN)]
        assert share == pytest.approx([lesson.SHARES[training][k] for k in (0, 1)], abs=0.2), training
        if training != "brighter":
            outside = torch.from_numpy(~part.letters)
            assert torch.equal(part.x[:, 0][outside], plain.x[:, 0][outside])
    more = parts["brighter"].x.int() - plain.x.int()
    assert set(more[plain.x < 200].unique().tolist()) == {0, lesson.BRIGHTER}


def test_an_empty_map_counts_as_a_flat_one():
    regions = np.zeros((2, 4, 4), bool)
    regions[:, :2, :2] = True
    maps = np.zeros((2, 4, 4), "float32")
    maps[0, 0, 0] = 1
    assert lesson.share_in(maps, regions) == (1 + 0.25) / 2
    assert lesson.share_in(np.ones_like(maps), regions) == 0.25


def test_log_odds_are_another_logit_of_the_same_answers():
    model, x = small().eval(), lesson.pictures(6, 1, lesson.NOWHERE).x
    other = lesson.of_log_odds(model)
    before, after = (net(mtl.to_float(x)) for net in (model, other))
    torch.testing.assert_close(after, before - before.flip(1))
    assert (before.argmax(1) == after.argmax(1)).all()


def test_another_bias_changes_answers_and_no_map():
    found = lesson.same_maps(small(), lesson.pictures(40, 1, lesson.NOWHERE), shift=-8)
    assert found["largest difference of a map"] < 1e-4 and found["sensitivity, after"] == 1
    assert found["auroc, before"] == pytest.approx(found["auroc, after"], abs=0.02)  # what float32 still tells apart


def test_frozen_stages_are_carried_over_as_they_are(monkeypatch):
    monkeypatch.setattr(lesson, "FEW", 24)
    source = small(3)
    frozen, tuned, new = (lesson.carried_over(way, source, 0) for way in ("frozen", "fine-tuned", "from scratch"))
    kernels = [name for name, value in source.stages.state_dict().items() if value.ndim == 4]
    same = {name: torch.equal(frozen.stages.state_dict()[name], source.stages.state_dict()[name]) for name in kernels}
    assert all(same.values())
    for other in (tuned, new):
        assert not any(torch.equal(other.stages.state_dict()[n], source.stages.state_dict()[n]) for n in kernels)
    assert not torch.equal(tuned.head.weight, new.head.weight)


# --- what was chosen, and the record ---------------------------------------------------------------------------------


def test_the_rates_are_those_that_did_best_on_validation_images():
    tuning = [row for row in REPORT.about["rows"] if row["stage"] == "tuning"]
    best = benchmark.best_rates(tuning)
    assert {way: rate for way, (rate, _) in best.items()} == lesson.RATES == REPORT.about["rates"]
    assert {row["way"]: row["seeds"] for row in tuning} == {way: [*benchmark.SEEDS["tuning"]] for way in lesson.RATES}


def test_the_record_is_that_of_the_script_and_its_reported_seeds_chose_nothing():
    assert REPORT.about["primary"] == benchmark.PRIMARY_ABOUT
    assert not {*benchmark.SEEDS["tuning"]} & {*benchmark.SEEDS["report"]}
    found = REPORT.primary
    ours, theirs = (REPORT.scores(way, **benchmark.PRIMARY_ABOUT["where"]) for way in (lesson.OURS, lesson.FAIR))
    assert found.value == pytest.approx((ours - theirs).mean()) and found.n == len(benchmark.SEEDS["report"])


def test_the_script_names_as_many_secondary_comparisons_as_are_corrected_together():
    found = lesson.explanation_comparisons(REPORT)
    numbered = [int(n) for n in re.findall(r"^(\d+)(?:\.|\., \d+\.) ", benchmark.__doc__, re.MULTILINE)]
    assert {*found} == {*lesson.SECONDARY} and max(numbered) == len(lesson.SECONDARY)
    assert all(one.raw <= one.p for one in found.values())


def test_maps_without_a_network_are_what_they_were():
    for seed, k in ((200, 0), (203, 3)):
        part = benchmark.shown("letter", "no letter", seed).malignant()
        maps = lesson.map_of(MIDDLE["map"], None, part, seed)
        assert lesson.share_in(maps, part.lesions) == pytest.approx(REPORT.scores(lesson.OURS, **MIDDLE)[k], abs=1e-3)


@pytest.mark.slow
def test_a_recorded_network_is_what_it_is_again():
    model = lesson.train_network(lesson.OURS, 200)
    for images in ("home", "none", "swapped"):
        recorded = REPORT.scores(lesson.OURS, "auroc", kind="network", images=images)[0]
        assert lesson.auroc_of(model, benchmark.shown(images, lesson.OURS, 200)) == pytest.approx(recorded, abs=0.02)
    part = benchmark.shown("letter", lesson.OURS, 200).malignant()
    for name in benchmark.JUDGED:
        found = lesson.judge_maps(lesson.map_of(name, model, part, 200), model, part)
        for score in (lesson.MASS, "mass in the letter"):
            recorded = REPORT.scores(lesson.OURS, score, kind="letter", map=name, images="letter")[0]
            assert found[score] == pytest.approx(recorded, abs=0.02), (name, score)


# --- the second record -----------------------------------------------------------------------------------------------


def test_the_second_record_has_seeds_of_its_own_and_as_many_comparisons_as_its_script_names():
    assert not {*again.PARTS["fall"]} & {*benchmark.SEEDS["report"]}
    assert AGAIN.about["rates"] == REPORT.about["rates"] == lesson.RATES
    numbered = [int(n) for n in re.findall(r"(?:^|\. )(?:\d+\. to )?(\d+)\. ", again.__doc__, re.MULTILINE)]
    found = lesson.again_comparisons(AGAIN)
    assert {*found} == {*lesson.AGAIN} and max(n for n in numbered if n < 100) == len(lesson.AGAIN)
    for name, (ours, theirs, margin) in lesson.AGAIN.items():
        both = [AGAIN.scores(way, score, **keys) for way, keys, score in (ours, theirs)]
        assert found[name].margin == margin and found[name].interval.value == pytest.approx((both[0] - both[1]).mean())
        assert found[name].interval.n == len(again.PARTS["fall" if ours[0] == lesson.OURS else "no network"])


def test_dark_pixels_of_the_middle_need_no_network_and_no_scale():
    x = torch.full((1, 1, 8, 8), 200, dtype=torch.uint8)
    x[0, 0, 3, 4] = x[0, 0, 0, 0] = 100
    (one,) = lesson.dark_middle(x)
    hill = mtl.centre_map(1, 8)[0]
    assert (one > 0).sum() == 2 and one[3, 4] / one[0, 0] == pytest.approx(hill[3, 4] / hill[0, 0])
    np.testing.assert_allclose(lesson.dark_middle(x - 50), one[None])  # a darker image is not a darker place


def test_coarse_maps_have_the_detail_of_a_random_map_of_as_many_cells():
    maps = np.random.default_rng(0).random((2, 32, 32)).astype("float32")
    found = lesson.coarse(maps)
    means = torch.from_numpy(maps.reshape(2, 4, 8, 4, 8).mean((2, 4)))[:, None]
    wanted = torch.nn.functional.interpolate(means, size=(32, 32), mode="bilinear")[:, 0]
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-6)


@pytest.mark.slow
def test_the_second_record_is_what_it_is_again():
    for row in again.no_network(210):
        for score in (lesson.MASS, "deletion AUC"):
            recorded = AGAIN.scores(row["way"], score, map=row["map"], images="none")[0]
            assert row["scores"][score] == pytest.approx(recorded, abs=0.03), (row, score)
