"""Which weights train, which stand still, and which layers a name means; on networks with and without stages."""

import copy

import pytest
import torch
from networks import QUIET, data, network, state
from torch import nn

from medtl_helpers.methods.adapters import bitfit
from medtl_helpers.methods.cache import fit_cached
from medtl_helpers.methods.few_weights import find_layers, head_of, train_few, trainable
from medtl_helpers.methods.finetune import fine_tune, gradual_unfreeze, lp_ft, probe
from medtl_helpers.methods.freezing import freeze, unfreeze
from medtl_helpers.methods.lora import lora, merge
from medtl_helpers.methods.nets import CourseCNN
from medtl_helpers.methods.predict import to_float
from medtl_helpers.methods.train import fit


def plain():
    """A network without named stages, whose batch norm has seen other data."""
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(8)
    norm.running_mean.uniform_(-0.2, 0.2)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=4), norm, nn.ReLU(), nn.Flatten(), nn.Linear(128, 6), nn.Linear(6, 3)
    )


def moved(model, before):
    """The names of the weights and statistics that are no longer what they were, bit for bit."""
    return {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}


def test_the_count_is_that_of_the_formulas():
    model = nn.Sequential(nn.Linear(7, 5), nn.Linear(5, 3))
    assert trainable(model) == (40 + 18, 58)
    model[0].weight.requires_grad_(False)
    assert trainable(model) == (5 + 18, 58)


@pytest.mark.parametrize("make", [network, plain], ids=["with stages", "without"])
def test_training_moves_what_was_chosen_and_nothing_else_bit_for_bit(make):
    """With weight decay and momentum on all that trains, in train mode: batch norm's statistics stand still, too."""
    model = make()
    name, chosen = next(n for n in model.named_parameters() if n[1].ndim == 4)
    train_few(model, [chosen])
    head = [f"{n}.{end}" for n, layer in model.named_modules() for end in ("weight", "bias") if layer is head_of(model)]
    before = state(model)
    sgd = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.01, momentum=0.9, weight_decay=0.1)
    fit(model, data(), epochs=2, batch_size=8, optimizer=sgd, device="cpu", **QUIET)
    assert moved(model, before) == {name, *head}


def test_the_head_is_that_of_the_stages_or_the_last_linear_layer():
    model = plain()
    assert head_of(model) is model[5]
    assert head_of(staged := network()) is staged.head
    assert not list(head_of(nn.Conv2d(1, 1, 1)).parameters())


def test_batch_norm_uses_its_statistics_in_train_mode_also_in_copies_and_follows_again_after_unfreezing():
    model, x = network(), to_float(data()[0])
    with torch.no_grad():
        wanted, drifting = model.eval()(x), model.train()(x)
        model = network()
        held = copy.deepcopy(copy.deepcopy(bitfit(model)))
        assert torch.equal(held.train()(x), wanted) and not torch.equal(drifting, wanted)
        assert torch.equal(unfreeze(held).train()(x), drifting)
        assert torch.equal(model.train()(x), wanted)  # the original is its own


def test_stages_in_which_nothing_trains_are_frozen_and_their_features_computed_once():
    model = freeze(network(), "layer4", "head")  # what was frozen before counts no longer
    lora(model, where="layer4")
    assert model.frozen == {"stem", "layer1", "layer2", "layer3"}
    through, cached = copy.deepcopy(model), copy.deepcopy(model)
    settings = {"epochs": 2, "batch_size": 8, "lr": 1e-2, "device": "cpu"} | QUIET
    fit(through, data(), **settings)
    fit_cached(cached, data(), **settings)
    for one, other in zip(through.parameters(), cached.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_a_stage_with_lora_can_be_frozen_and_the_head_be_probed():
    model = lora(network(), where=["layer3", "layer4"])
    before = state(freeze(model, "layer3"))
    fit(model, data(), epochs=1, lr=1e-2, device="cpu", **QUIET)
    assert {name.split(".")[1] for name in moved(model, before) if "stages" in name} == {"layer4"}
    before = state(model)
    probe(model, data(), epochs=1, device="cpu", **QUIET)
    assert moved(model, before) == {"head.weight", "head.bias"}


def test_what_would_train_the_weights_that_lora_leaves_alone_is_refused_until_it_is_merged():
    model = lora(network(), where="layer4")
    before = trainable(model)
    whole = (fine_tune, gradual_unfreeze, lp_ft)
    calls = [unfreeze, lambda m: unfreeze(m, "stem", "layer4"), *(lambda m, way=way: way(m, data()) for way in whole)]
    for call in calls:
        with pytest.raises(ValueError, match=r"LoRA layers already, and unfreezing .*: train it with fit, or merge"):
            call(model)
        assert trainable(model) == before
    assert trainable(unfreeze(merge(model))) == trainable(network())


def test_a_name_means_a_layer_or_all_layers_of_a_block_and_never_the_head():
    model = network()
    every = [layer for _, _, layer in find_layers(model, None)]
    assert every == [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert [layer for *_, layer in find_layers(model, "conv1")] == [
        block.conv1 for name in ("layer1", "layer2", "layer3", "layer4") for block in model.stages[name]
    ]
    inside = [m for m in model.stages["layer2"].modules() if isinstance(m, nn.Conv2d)]
    assert [layer for *_, layer in find_layers(model, {"layer2", "head"})] == inside
    first = model.stages["layer2"][0].conv1
    for full in ("stages.layer2.0.conv1", "layer2.0.conv1"):  # as named_modules and an error write it
        assert [layer for *_, layer in find_layers(model, full)] == [first]
    for parent, name, layer in find_layers(model, ("stem", "downsample")):
        assert getattr(parent, name) is layer
    linear = plain()
    assert [layer for *_, layer in find_layers(linear, None)] == [linear[0], linear[4]]


def test_layers_that_torch_uses_without_calling_them_are_no_place_for_an_adapter():
    model = nn.Sequential(nn.MultiheadAttention(8, 2), nn.Linear(8, 8), nn.Linear(8, 2))
    assert len(find_layers(model, None)) == 2
    assert len(find_layers(model, None, replaced=True)) == 1
    with pytest.raises(ValueError, match="no linear layer or convolution called 'out_proj' before"):
        find_layers(model, "out_proj", replaced=True)
    encoder = nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), nn.Linear(8, 8), nn.Linear(8, 2))
    assert [layer for *_, layer in find_layers(encoder, None, replaced=True)] == [encoder[1]]


def test_a_network_of_which_nothing_but_the_head_trains_keeps_its_mode():
    for training in (True, False):
        model = train_few(CourseCNN(3, 3).train(training), [])
        assert model.training is training and model.frozen == {"stage1", "stage2", "stage3"}
        assert trainable(model)[0] == sum(p.numel() for p in model.head.parameters())
