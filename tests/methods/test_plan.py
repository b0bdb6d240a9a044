"""The plan of a search: costs against the course's own count, what fits the minutes, and nothing of the clock."""

import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.methods import costs, plan, trials
from medtl_helpers.methods.costs import count_cost, training_seconds
from medtl_helpers.methods.freezing import parameter_report
from medtl_helpers.methods.plan import default_ways, make_plan
from medtl_helpers.methods.ways import RATES, SCRATCH, Way, small_network, ways_for

SOURCE = "resnet, phantoms"


@pytest.fixture(scope="module")
def resnet():
    return mtl.load_backbone("resnet", 2, weights="embedded", quiet=True)


@pytest.fixture(scope="module")
def counted(resnet):
    return {SOURCE: count_cost(resnet, (3, 32, 32)), SCRATCH: count_cost(mtl.CourseCNN(3, 2), (3, 32, 32))}


def test_costs_are_counted_as_parameter_report_counts_them(resnet, counted):
    report = parameter_report(resnet, 32)["multiply-adds (millions)"]
    cost = counted[SOURCE]
    for name, work in cost.multiply_adds.items():
        assert work / 1e6 == pytest.approx(report[name])
    assert next(resnet.parameters()).device.type == "cpu"  # the network itself stays where it was
    assert 2 * cost.channels == mtl.stage_features(resnet, torch.zeros(1, 3, 32, 32, dtype=torch.uint8)).shape[1]
    mtl.freeze(resnet, upto="layer3")
    assert cost.after["layer3"] == mtl.prefix_features(resnet, torch.zeros(1, 3, 32, 32, dtype=torch.uint8)).numel()
    mtl.unfreeze(resnet)


def test_a_frozen_stage_costs_nothing_once_it_is_kept_and_deeper_training_costs_more(counted):
    cost = counted[SOURCE]
    ways = [Way(SOURCE, "fine_tune", depth, 1e-3) for depth in ("above layer3", "above layer2", "everything")]
    top, middle, full = (training_seconds(way, cost, 100, 20, 10, 2) for way in ways)
    assert top < middle < full < training_seconds(Way(SOURCE, "lp_ft", "everything", 1e-3), cost, 100, 20, 10, 2)
    layer4 = cost.multiply_adds["layer4"]
    assert top == pytest.approx(10 * (100 * 3 + 20) * layer4 / costs.SPEED + 10 * 7 * costs.STEP)  # 7 steps of 16


def test_batches_shrink_where_images_are_large(resnet):
    small, large = count_cost(resnet, (3, 32, 32)), count_cost(resnet, (3, 512, 512))
    assert small.batch(100) == 16 and small.batch(1000) == 32
    assert large.batch(1000) * large.numbers * 8 <= costs.BYTES < 32 * large.numbers * 8


def plan_of(counted, minutes, n=40, defaults=False):
    ways = ways_for({SOURCE: list(counted[SOURCE].multiply_adds)})
    return make_plan(ways, counted, n=n, n_val=n, classes=2, minutes=minutes, defaults=defaults)


def test_more_minutes_never_try_less_and_the_nominal_time_fits(counted):
    found = [plan_of(counted, minutes) for minutes in (0.1, 0.3, 1, 3, 10)]
    for one, minutes in zip(found[1:], (0.3, 1, 3, 10), strict=True):
        assert one.seconds <= plan.SHARE * 60 * minutes
    assert [one.rungs[-1] for one in found] == sorted(one.rungs[-1] for one in found)
    assert found[-1].left_out == 0 and found[-1].rungs == (10, 30, 90)  # 3 steps an epoch, 270 steps at the end
    firsts = {way for way in found[-1].at_once + found[-1].trained if way.rate == RATES[way.way][0]}
    assert firsts <= set(found[-2].at_once + found[-2].trained)


def test_the_cheapest_way_is_tried_however_short_the_time(counted):
    found = plan_of(counted, 1e-6, n=5000)
    assert found.ways == 1 and found.trainings() >= 1


def test_a_plan_counts_its_trainings(counted):
    found = plan_of(counted, 10)
    n = len(found.trained)
    assert found.trainings() == len(found.at_once) + n + n // 3 + n // 9


def test_the_plan_knows_no_clock(counted, monkeypatch):
    before = plan_of(counted, 1)
    monkeypatch.setattr(trials, "clock", lambda: 1e9)
    assert plan_of(counted, 1) == before
    assert small_network(1)(2).stages.stage1[0].weight.shape[1] == 1


def test_default_ways_are_regressions_of_what_was_pretrained_and_lp_ft_of_the_cheapest(counted):
    stages = list(counted[SOURCE].multiply_adds)
    dear = counted[SOURCE]._replace(
        multiply_adds={name: 2 * work for name, work in counted[SOURCE].multiply_adds.items()}
    )
    both = counted | {"larger": dear, "resnet, random": counted[SOURCE]}
    for order in (["larger", SOURCE, "resnet, random"], ["resnet, random", SOURCE, "larger"]):
        found = default_ways(ways_for(dict.fromkeys(order, stages)), both)
        assert {(way.source, way.way, way.rate) for way in found} == {
            ("larger", "all stages", 0.01), (SOURCE, "all stages", 0.01), (SOURCE, "lp_ft", 1e-3)}  # fmt: skip
    assert default_ways(ways_for({"resnet, random": stages}), both) == []


def test_the_default_ways_come_first_and_are_trained_to_the_end_in_however_few_steps(counted):
    lp_ft, regression = Way(SOURCE, "lp_ft", "everything", 1e-3), Way(SOURCE, "all stages", "head", 0.01)
    for minutes in (0.5, 1, 10):
        without, found = (plan_of(counted, minutes, n=200, defaults=d) for d in (False, True))
        assert found.at_once[0] == regression and found.to_the_end == (lp_ft,) and without.to_the_end == ()
        assert lp_ft not in found.trained and found.seconds <= plan.SHARE * 60 * minutes
        assert found.ways + found.left_out == without.ways + without.left_out
        assert found.trainings() == len(found.at_once) + 1 + sum(plan._survivors(len(found.trained), found.rungs))
    assert lp_ft not in plan_of(counted, 0.5, n=200).trained  # without the defaults it is too dear there
    assert found.record()["to the end"] == [str(lp_ft)]
