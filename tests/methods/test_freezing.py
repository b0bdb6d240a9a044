"""Freezing holds weights and batch-norm statistics still, bit for bit; rates and counts against closed forms."""

import copy
from itertools import pairwise

import pytest
import torch
from torch import nn

from medtl_helpers.methods.backbones import small_resnet, vgg16
from medtl_helpers.methods.cache import fit_cached
from medtl_helpers.methods.freezing import freeze, parameter_groups, parameter_report, unfreeze
from medtl_helpers.methods.nets import CourseCNN, StagedNet
from medtl_helpers.methods.predict import predict
from medtl_helpers.methods.train import fit

STAGES = ["stem", "layer1", "layer2", "layer3", "layer4"]


def network(seed=0):
    torch.manual_seed(seed)
    return small_resnet(3, width=8)


def data(n=24, seed=0, size=16):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, 3, size, size), generator=generator).byte(), torch.arange(n) % 3


def state(model):
    return {name: value.cpu().clone() for name, value in model.state_dict().items()}


def moved(model, before):
    """The parts of ``model`` in which a weight or a buffer is no longer what it was, bit for bit."""
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value.cpu(), before[name])}
    return {name.split(".")[1] if name.startswith("stages") else "head" for name in changed}


def trains(model):
    """The parts all of whose weights want a gradient; none may want it in part."""
    wants = {name: {p.requires_grad for p in model.part(name).parameters()} for name in model.parts()}
    assert all(len(each) == 1 for each in wants.values())
    return {name for name, each in wants.items() if each == {True}}


def train(model, **options):
    """Real training, in train mode, with all that moves weights behind one's back: momentum and weight decay."""
    every = list(model.parameters())  # the frozen ones too, as in most scripts
    sgd = torch.optim.SGD(every, lr=0.05, momentum=0.9, weight_decay=0.1)
    return fit(model, data(), epochs=2, batch_size=8, optimizer=sgd, progress=False, **options)


# --- freezing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "how, frozen",
    [
        (lambda m: freeze(m, upto="stem"), {"stem"}),
        (lambda m: freeze(m, upto="layer2"), {"stem", "layer1", "layer2"}),
        (lambda m: freeze(m), set(STAGES)),
        (lambda m: freeze(m, "layer1", "layer3"), {"layer1", "layer3"}),
        (lambda m: freeze(m, "head"), {"head"}),
    ],
    ids=["upto stem", "upto layer2", "all stages", "two by name", "the head"],
)
def test_frozen_parts_are_bit_identical_after_training_and_the_others_are_not(how, frozen):
    """Weights and batch-norm buffers, after training in train mode with momentum and weight decay."""
    model = network()
    assert how(model) is model and model.frozen == frozen and trains(model) == {*STAGES, "head"} - frozen
    before = state(model)
    train(model)
    assert moved(model, before) == {*STAGES, "head"} - frozen


def test_requires_grad_alone_lets_the_statistics_drift_and_the_features_with_them():
    """The recipe of the web: the weights stay, the network does not."""
    model = network()
    model.stages.requires_grad_(False)
    before, (x, _) = state(model), data()
    with torch.no_grad():
        features = model.eval().features(x.float())
    train(model)
    for name, value in model.stages.state_dict().items():
        is_buffer = "running" in name or "num_batches" in name
        assert torch.equal(value.cpu(), before[f"stages.{name}"]) is not is_buffer, name
    model.cpu()
    with torch.no_grad():
        assert not torch.allclose(model.features(x.float()), features, rtol=0.01)


def test_frozen_batch_norm_normalises_with_its_own_statistics_in_train_mode_too():
    model, (x, _) = freeze(network()), data()
    with torch.no_grad():
        assert torch.equal(model.train().features(x.float()), model.eval().features(x.float()))
        unfreeze(model, "layer4")
        assert not torch.allclose(model.train().features(x.float()), model.eval().features(x.float()))


def test_a_frozen_stage_stays_in_eval_mode_whoever_calls_train():
    model = freeze(network().train(), upto="layer1")
    around = nn.Sequential(model, nn.Softmax(1))
    for call in (lambda: model, lambda: model.train(), lambda: around.train(), lambda: model.eval().train()):
        call()
        modes = {name: {m.training for m in model.part(name).modules()} for name in model.parts()}
        assert modes == {n: {n not in ("stem", "layer1")} for n in model.parts()}
    assert not any(module.training for module in model.eval().modules())


def test_unfreezing_undoes_freezing():
    model = freeze(network().train())
    freeze(model, "head")
    assert unfreeze(model, "layer4", "head") is model
    assert model.frozen == set(STAGES[:4]) and trains(model) == {"layer4", "head"}
    unfreeze(model)
    assert model.frozen == set() and trains(model) == {*STAGES, "head"}
    assert all(module.training for module in model.modules())
    before = state(model)
    train(model)
    assert moved(model, before) == {*STAGES, "head"}


def test_unfreezing_in_eval_mode_leaves_eval_mode():
    model = unfreeze(freeze(network()).eval())
    assert not any(module.training for module in model.modules())
    assert all(module.training for module in model.train().modules())


def test_what_is_frozen_twice_is_thawed_by_one_unfreezing_and_thawing_the_thawed_does_nothing():
    model = freeze(freeze(network(), "stem"), upto="layer1")
    assert unfreeze(unfreeze(model, "stem"), "stem").frozen == {"layer1"}


def test_freezing_survives_copying_predicting_and_training():
    model = freeze(network(), upto="layer3")
    twin = copy.deepcopy(model)
    predict(twin, data()[0])
    train(twin)
    fit_cached(twin, data(), epochs=1, progress=False)
    before = state(twin)
    train(twin)
    assert moved(twin, before) == {"layer4", "head"} and trains(twin) == {"layer4", "head"}
    unfreeze(twin)
    assert model.frozen == set(STAGES[:4]) and trains(model) == {"layer4", "head"}  # the original is its own


@pytest.mark.parametrize(
    "how",
    [
        lambda m: freeze(m, "layer5"),
        lambda m: unfreeze(m, "layer5"),
        lambda m: freeze(m, upto="layer5"),
        lambda m: freeze(m, upto="head"),
    ],
)
def test_a_stage_that_is_not_there_is_one_sentence_that_names_those_that_are(how):
    model = network()
    with pytest.raises(ValueError, match=r"^There is no stage '\w+'.* this network has stem, layer1, .*layer4.*\.$"):
        how(model)
    assert model.frozen == set() and trains(model) == {*STAGES, "head"}


# --- learning rates --------------------------------------------------------------------------------------------------


def test_each_stage_learns_at_decay_times_the_rate_of_the_next():
    groups = parameter_groups(network(), lr=0.1, decay=0.5)
    rates = {group["name"]: group["lr"] for group in groups}
    wanted = {"head": 0.1, "layer4": 0.05, "layer3": 0.025, "layer2": 0.0125, "layer1": 0.00625, "stem": 0.003125}
    assert rates == pytest.approx(wanted)


@pytest.mark.parametrize("frozen", [(), ("stem", "layer1"), ("layer3",), ("head",), (*STAGES,)])
def test_the_groups_hold_every_weight_that_trains_once_and_no_other(frozen):
    """And a part keeps its rate whatever is frozen above or below it."""
    model = freeze(network(), *frozen) if frozen else network()
    groups = parameter_groups(model, lr=1.0, decay=0.1)
    held = [id(p) for group in groups for p in group["params"]]
    assert len(held) == len(set(held)) and set(held) == {id(p) for p in model.parameters() if p.requires_grad}
    depth = {name: k for k, name in enumerate(["head", *reversed(STAGES)])}
    assert {g["name"]: g["lr"] for g in groups} == pytest.approx(
        {name: 0.1**k for name, k in depth.items() if name not in frozen}
    )


def test_an_optimiser_takes_the_groups_and_moves_each_part_by_its_own_rate():
    """One step of plain gradient descent: −rate × gradient."""
    model, (x, y) = network().eval(), data()
    sgd = torch.optim.SGD(parameter_groups(model, lr=0.1, decay=0.5))
    before = [p.detach().clone() for p in model.parameters()]
    nn.functional.cross_entropy(model(x.float() / 255), y).backward()
    sgd.step()
    rates = [0.1 * 0.5**k for k, name in enumerate(["head", *reversed(STAGES)]) for _ in model.part(name).parameters()]
    order = [p for name in ["head", *reversed(STAGES)] for p in model.part(name).parameters()]
    rate = {id(p): r for p, r in zip(order, rates, strict=True)}
    for p, old in zip(model.parameters(), before, strict=True):
        torch.testing.assert_close(p.detach(), old - rate[id(p)] * p.grad)


def test_with_everything_frozen_there_is_one_sentence():
    model = freeze(freeze(network()), "head")
    with pytest.raises(ValueError, match=r"^Every stage and the head are frozen.*: unfreeze the head\.$"):
        parameter_groups(model, lr=0.1)


# --- the report ------------------------------------------------------------------------------------------------------


def test_the_report_counts_what_the_formulas_say():
    """A convolution k×k from I to O channels on H×W pixels: O(Ik² + 1) weights, HWOIk² multiply-adds."""
    stages = {
        "one": nn.Sequential(nn.Conv2d(3, 10, 5, padding=2), nn.BatchNorm2d(10), nn.MaxPool2d(2)),
        "two": nn.Conv2d(10, 20, 3, stride=2, padding=1, bias=False),
    }
    report = parameter_report(freeze(StagedNet(stages, 20, 7), "one"), size=32)
    convolution, norm = 10 * (3 * 25 + 1), 2 * 10
    assert report["weights"].to_dict() == {
        "one": convolution + norm,
        "two": 20 * 10 * 9,
        "head": 7 * 21,
        "all": convolution + norm + 1800 + 147,
    }
    assert report["trainable"].to_dict() == {"one": 0, "two": 1800, "head": 147, "all": 1947}
    assert report["statistics"].to_dict() == {"one": 20, "two": 0, "head": 0, "all": 20}
    adds = {"one": 32 * 32 * 10 * 3 * 25, "two": 8 * 8 * 20 * 10 * 9, "head": 7 * 20}
    wanted = {name: count / 1e6 for name, count in (adds | {"all": sum(adds.values())}).items()}
    assert report["multiply-adds (millions)"].to_dict() == pytest.approx(wanted)


def test_the_report_of_vgg16_is_the_table_of_the_paper():
    """Table 1, column D: widths 64 to 512, each block on half the pixels a side of the one before."""
    report = parameter_report(vgg16(2), size=32)
    blocks = [(64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)]
    before = 3
    for k, widths in enumerate(blocks):
        pairs = list(pairwise([before, *widths]))
        row = report.loc[f"block{k + 1}"]
        assert row["weights"] == row["trainable"] == sum(9 * i * o + o for i, o in pairs)
        assert row["multiply-adds (millions)"] == pytest.approx(
            sum(9 * i * o for i, o in pairs) * (32 / 2**k) ** 2 / 1e6
        )
        before = widths[-1]
    assert report.loc["all", "weights"] == 14_714_688 + 1026  # the trunk as keras.applications counts it


@pytest.mark.parametrize("training", [True, False])
def test_the_report_changes_nothing(training):
    model = freeze(network().train(training), upto="layer2")
    before, modes = state(model), [m.training for m in model.modules()]
    parameter_report(model)
    assert not moved(model, before) and [m.training for m in model.modules()] == modes
    assert trains(model) == {"layer3", "layer4", "head"}


def test_the_report_of_a_network_for_grey_images():
    report = parameter_report(CourseCNN(1, 2), size=16)
    assert report.loc["stage1", "multiply-adds (millions)"] == pytest.approx(16 * 16 * 16 * 9 / 1e6)


def test_names_and_upto_at_once_are_refused():
    model = CourseCNN(1, 2)
    with pytest.raises(ValueError, match="exclude each other"):
        freeze(model, "stage1", upto="stage2")
    assert not model.frozen


def test_a_network_without_anything_to_train_is_one_sentence():
    model = freeze(CourseCNN(1, 2), "stage1", "stage2", "stage3", "head")
    with pytest.raises(ValueError, match="nothing to train: unfreeze the head"):
        fit(model, (torch.zeros(4, 1, 8, 8), torch.zeros(4).long()), epochs=1)
