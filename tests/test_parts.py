"""What a reader hands in besides data: what is right passes unchanged, what is not is one sentence."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from medtl_helpers import parts
from medtl_helpers.methods.augment import augment, wide_augment
from medtl_helpers.methods.train import fit

GENERATOR = torch.Generator().manual_seed(0)
X, Y = torch.randn(40, 4, generator=GENERATOR), torch.arange(40) % 2
BYTES = torch.randint(0, 256, (6, 3, 8, 8), generator=GENERATOR).byte()


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


# --- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3), torch.tensor(3).item()])
def test_whole_numbers_of_every_make_are_whole(value):
    parts.check_whole(value, "epochs", least=3)
    assert fit(network(), (X, Y), epochs=np.int64(1), batch_size=np.int32(8), seed=value, progress=False).train_loss


@pytest.mark.parametrize("value", [3.0, "3", True, None, [3], np.array([3, 4]), np.bool_(True), math.nan])
def test_what_is_no_whole_number_is_told_in_one_line(value):
    with pytest.raises(ValueError, match=r"^seed is [^\n]*: give a whole number, like 1\.$"):
        parts.check_whole(value, "seed")


@pytest.mark.parametrize("value", [0, 0.5, np.float32(0.5), 2])
def test_rates_of_every_make_pass(value):
    parts.check_rate(value, "lr")
    if value:
        parts.check_rate(value, "decay", above=True)


@pytest.mark.parametrize("value", [-1, math.nan, math.inf, "0.1", True, None, [0.1]])
def test_what_is_no_rate_is_told(value):
    with pytest.raises(ValueError, match=r"^lr is .*: give a finite rate, 0 or above\.$"):
        parts.check_rate(value, "lr")
    with pytest.raises(ValueError, match=r"above 0\.$"):
        parts.check_rate(0.0, "decay", above=True)


def test_a_device_may_be_given_by_its_name():
    assert parts.as_device("cpu") == parts.as_device(torch.device("cpu")) == torch.device("cpu")
    assert parts.as_device(None).type in ("cpu", "cuda", "mps")
    for wrong in ("gpu", "cuda:99", 7.5, "xpu:3"):
        with pytest.raises(ValueError, match=r"^device is .*which this machine does not have: give 'cpu'.*\.$"):
            parts.as_device(wrong)


# --- optimisers ------------------------------------------------------------------------------------------------------


def frozen_body():
    model = network()
    model[0].requires_grad_(False)
    return model


RIGHT = {
    "all weights": (network, lambda m: m.parameters()),
    "the head alone": (network, lambda m: m[2].parameters()),
    "frozen ones, too": (frozen_body, lambda m: m.parameters()),
    "more than the model": (network, lambda m: [*m.parameters(), nn.Parameter(torch.zeros(1))]),
    "a larger network": (lambda: frozen_body()[1:], None),
}


@pytest.mark.parametrize("name", RIGHT)
def test_an_optimiser_of_the_models_weights_passes(name):
    make, which = RIGHT[name]
    whole = frozen_body() if which is None else make()
    model = whole[1:] if which is None else whole
    parts.check_optimizer(torch.optim.SGD((which or (lambda m: m.parameters()))(whole), lr=0.1), model)


def test_an_optimiser_that_would_not_move_the_model_is_refused():
    model, other = network(), network()
    with pytest.raises(ValueError, match="holds none of the model's weights that train"):
        parts.check_optimizer(torch.optim.SGD(other.parameters(), lr=0.1), model)
    body = torch.optim.SGD(frozen_body()[0].parameters(), lr=0.1)
    with pytest.raises(ValueError, match="holds none"):
        parts.check_optimizer(body, model)
    before = torch.optim.SGD(model.parameters(), lr=0.1)
    model[2] = nn.Linear(8, 2)
    with pytest.raises(ValueError, match="lacks 2 of the model's weights that train and holds 2 that are not the mod"):
        parts.check_optimizer(before, model)
    for wrong in (torch.optim.SGD, "adam", 0.1):
        with pytest.raises(ValueError, match=r"^optimizer is .*: build one, like torch\.optim\.SGD"):
            parts.check_optimizer(wrong, model)


# --- functions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [1, 0.0, np.float64(0.5), torch.tensor(0.5)])
def test_a_schedule_of_numbers_of_every_make_is_taken(value):
    assert parts.as_schedule(lambda progress: value)(0.3) == float(value)


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, None, "1", torch.ones(2)])
def test_a_factor_that_is_no_rate_is_told_with_its_place(value):
    with pytest.raises(ValueError, match=r"^schedule\(0\.25\) is .*: return a finite factor"):
        parts.as_schedule(lambda progress: value)(0.25)


def test_a_schedule_that_fails_late_leaves_the_best_weights():
    model, seen = network(), []
    watched = lambda m: seen.append(m[0].weight.detach().cpu().clone()) or 0.0  # noqa: E731
    with pytest.raises(ValueError, match=r"schedule\(0\.75\) is nan"):
        fit(model, (X, Y), (X, Y), epochs=4, batch_size=40, progress=False, penalty=watched,
            schedule=lambda progress: 1.0 if progress < 0.7 else math.nan)  # fmt: skip
    assert torch.equal(model[0].weight.cpu(), seen[2])  # those after the second of four epochs


def test_a_schedule_of_no_epochs_trains_nothing():
    assert fit(network(), (X, Y), epochs=0, schedule=lambda progress: 1.0, progress=False).train_loss == []


def as_float(x, generator):
    return x.float() / 127.5 - 1


def smaller(x, generator):
    return x[..., 1:-1, 1:-1]


@pytest.mark.parametrize("change", [augment, wide_augment(), as_float, smaller])
def test_a_batch_that_stays_a_batch_passes_unchanged(change):
    ours = parts.as_augment(change)(BYTES, torch.Generator().manual_seed(3))
    assert torch.equal(ours, change(BYTES, torch.Generator().manual_seed(3)))


WRONG = {
    "one image": (lambda x, g: x[0], "augment made 3 inputs of a batch of 6: return a tensor with one for each"),
    "an array": (lambda x, g: x.numpy(), "augment made a ndarray of a batch of 6"),
    "nothing": (lambda x, g: None, "augment made None of a batch of 6"),
    "whole numbers": (lambda x, g: x.long(), "augment made torch.int64 of torch.uint8: return uint8 images or floats"),
    "floats of 0 to 255": (lambda x, g: x.float(), "augment made floats up to 25"),
    "a factory": (wide_augment, "degrees is a Tensor: give a finite rate"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_batch_that_is_none_any_more_is_told(fault):
    change, said = WRONG[fault]
    with pytest.raises(ValueError) as info:
        parts.as_augment(change)(BYTES if fault != "a factory" else torch.zeros(6, 3, 8, 8), 0)
    assert said in str(info.value)


@pytest.mark.parametrize("value", [0.0, 3, torch.tensor(0.5), np.float64(1)])
def test_a_penalty_of_one_number_passes(value):
    assert parts.as_penalty(lambda model: value)(network()) is value


@pytest.mark.parametrize("value", [None, torch.ones(3), torch.ones(1, 1), "0", [0.5]])
def test_a_penalty_of_anything_else_is_told(value):
    with pytest.raises(ValueError, match=r"^penalty\(model\) is .*: return one number, like the \.sum\(\)"):
        parts.as_penalty(lambda model: value)(network())


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (parts.as_augment, "flip"),
        (parts.as_augment, lambda x: x),  # as torchvision's transforms: without a generator
        (parts.as_schedule, 0.5),
        (parts.as_schedule, lambda: 1.0),
        (parts.as_penalty, 0.1),
        (parts.as_penalty, lambda: 0.0),
    ],
)
def test_what_cannot_be_called_so_is_told_before_anything_is_computed(make, wrong):
    with pytest.raises(ValueError, match=r"^(augment|schedule|penalty) is .*: give a function of .*, like .*\.$"):
        make(wrong)
    assert make(None) is None


def test_a_network_is_one_that_was_built():
    parts.check_network(network())
    with pytest.raises(TypeError, match=r"^The model is the class Linear: build a network of it first, Linear\(…\)\.$"):
        parts.check_network(nn.Linear)
    for wrong in ("resnet18", None, lambda x: x):
        with pytest.raises(TypeError, match=r"^The model is .*: give a network of torch, an nn\.Module\.$"):
            parts.check_network(wrong)
