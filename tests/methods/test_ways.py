"""The settings of all ways: each once, those of the first rate first, and the sources that they start from."""

import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.methods import ways
from medtl_helpers.methods.ways import RATES, SCRATCH, Way

STAGES = {"resnet, phantoms": ["stem", "layer1", "layer2", "layer3", "layer4"], "resnet, random": ["stem", "layer1"]}


def test_each_way_is_there_once_with_three_rates():
    found = ways.ways_for(STAGES)
    assert len(set(found)) == len(found)
    settings = {(way.source, way.way, way.depth) for way in found}
    assert {way for _, way, _ in settings} == set(RATES)
    for source, name, depth in settings:
        rates = [way.rate for way in found if (way.source, way.way, way.depth) == (source, name, depth)]
        assert tuple(rates) == RATES[name] and len(set(rates)) == 3


def test_all_first_rates_come_before_any_second_one():
    first = [way.rate == RATES[way.way][0] for way in ways.ways_for(STAGES)]
    assert first == sorted(first, reverse=True)


def test_depths_are_the_stages_that_stay_and_random_weights_are_only_read():
    found = ways.ways_for(STAGES)
    depths = {way.depth: way.frozen_upto for way in found if way.way == "fine_tune"}
    assert depths == {"above layer3": "layer3", "above layer2": "layer2", "everything": None}
    assert {way.way for way in found if way.source == "resnet, random"} == {"all stages"}
    assert {way.source for way in found if way.way.startswith("from scratch")} == {SCRATCH}
    only_random = ways.ways_for({"resnet, random": ["stem", "layer1"]})
    assert {way.way for way in only_random} == {"all stages", "from scratch", "from scratch, 4 × as long"}


def test_a_way_is_readable_and_comes_back_from_its_record():
    way = Way("resnet, phantoms", "fine_tune", "above layer3", 0.001)
    assert str(way) == "resnet, phantoms: fine_tune, above layer3, rate 0.001"
    assert Way(**way.record()) == way and way.longer == 1 and not way.at_once
    assert str(Way("a", "all stages", "head", 0.1)).endswith("C 0.1")
    assert Way(SCRATCH, "from scratch, 4 × as long", "everything", 0.1).longer == 4


def test_the_known_sources_say_whose_weights_they_are(nothing_fetched):
    found = ways.known_sources()
    assert list(found) == ["resnet, phantoms", "vgg16, phantoms", "resnet, random"]
    model = found["resnet, random"](3)
    assert model.weights.provenance == "random" and model.head.out_features == 3


def test_ones_own_networks_are_sources_and_keep_their_own_head():
    torch.manual_seed(0)
    mine = mtl.CourseCNN(1, 5)
    made = ways.as_sources({"mine": mine, "made": lambda classes: mtl.CourseCNN(1, classes)})
    model = made["mine"](2)
    assert model.head.out_features == 2 and mine.head.out_features == 5
    assert torch.equal(model.stages.stage1[0].weight, mine.stages.stage1[0].weight)
    model.stages.stage1[0].weight.data.zero_()
    assert mine.stages.stage1[0].weight.abs().sum() > 0  # a copy
    assert made["made"](4).head.out_features == 4
    assert list(ways.as_sources("resnet, random")) == ["resnet, random"]


def test_what_is_no_source_is_told():
    with pytest.raises(ValueError, match="no source 'imagenet'"):
        ways.as_sources(["imagenet"])
    with pytest.raises(TypeError, match="without named stages"):
        ways.as_sources({"plain": torch.nn.Linear(2, 2)})
