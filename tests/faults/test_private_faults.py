"""Private training with something wrong: what the user reads, and that the model then has the weights that it had."""

import inspect

import pytest
import torch
from rows import Row, one_sentence, unclear
from test_argument_faults import WRONG
from torch import nn

import medtl_helpers as mtl
from medtl_helpers.methods.private import PrivateHistory

X, Y = torch.randn(20, 4, generator=torch.Generator().manual_seed(0)), torch.arange(20) % 2
GOOD = {"train": (X, Y), "steps": 2, "batch_size": 5, "noise_multiplier": 1.0, "progress": False}


def network(*more):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), *more, nn.Linear(8, 2))


def frozen():
    return network().requires_grad_(False)


# fault, network, arguments of dp_fit, what is said
TRAININGS = [
    ("batch norm that trains", lambda: network(nn.BatchNorm1d(8)), {}, "The layer '1' (BatchNorm1d) mixes patients"),
    ("batch norm without statistics", lambda: network(nn.BatchNorm1d(8, track_running_stats=False)), {}, "mixes"),
    (
        "instance norm with statistics",
        lambda: network(nn.Unflatten(1, (2, 4)), nn.InstanceNorm1d(2, track_running_stats=True), nn.Flatten()),
        {},
        "keeps statistics of them without noise: freeze its stage, or build the model with group norm",
    ),
    ("everything frozen", frozen, {}, "there is nothing to train: unfreeze the head"),
    ("batches larger than the data", network, {"batch_size": 21}, "batch_size is 21 and there are 20 patients: give"),
    ("batches of 0", network, {"batch_size": 0}, "batch_size is 0 and epochs is 1"),
    ("no steps", network, {"steps": 0}, "steps is 0: give a whole number of 1 or more"),
    ("a clip of 0", network, {"clip": 0}, "clip is 0: give a finite rate, above 0"),
    ("noise below 0", network, {"noise_multiplier": -1.0}, "noise_multiplier is -1.0: give a finite rate, 0 or above"),
    ("one class", network, {"train": (X, 0 * Y)}, "All training labels are 0, so there is nothing to tell apart"),
    ("labels that the head does not have", network, {"train": (X, Y + 1)}, "Labels run from 1 to 2, but"),
    ("columns missing", network, {"train": (X[:, :3], Y)}, "wants inputs N×4 and got a batch of shape"),
    ("an optimiser of another model", network, {"optimizer": torch.optim.SGD(network().parameters())}, "holds none"),
]


@pytest.mark.parametrize("make, options, said", [row[1:] for row in TRAININGS], ids=[row[0] for row in TRAININGS])
def test_what_cannot_be_trained_privately(make, options, said):
    model = make()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError) as info:
        mtl.dp_fit(model, **GOOD | options)
    assert said in one_sentence(info.value)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


# fault, call, what is said
BUDGETS = [
    ("delta of one over the patients", lambda: PrivateHistory(100, 0.1, 1.0, 5).epsilon(0.01), "give one well below"),
    ("delta of 0", lambda: mtl.epsilon(1.0, 0.1, 5, 0), "delta is 0: give a share between 0 and 1"),
    ("a sampling rate of 0", lambda: mtl.epsilon(1.0, 0, 5, 1e-5), "sampling_rate is 0: give batch_size / n"),
    ("a sampling rate above 1", lambda: mtl.epsilon(1.0, 32, 5, 1e-5), "sampling_rate is 32: give a share"),
    ("a budget of 0", lambda: mtl.noise_for(0, 0.1, 5, 1e-5), "epsilon is 0: give a finite rate, above 0"),
    ("a budget that no noise keeps", lambda: mtl.noise_for(1e-9, 1.0, 10**6, 1e-12), "No noise is enough for epsilon"),
]


@pytest.mark.parametrize("call, said", [row[1:] for row in BUDGETS], ids=[row[0] for row in BUDGETS])
def test_budgets_that_are_none(call, said):
    with pytest.raises(ValueError) as info:
        call()
    assert said in one_sentence(info.value)


CALLS = {
    mtl.epsilon: {"noise_multiplier": 1.0, "sampling_rate": 0.5, "steps": 3, "delta": 1e-3},
    mtl.noise_for: {"epsilon": 2.0, "sampling_rate": 0.5, "steps": 3, "delta": 1e-3},
    mtl.dp_fit: {"model": network(), "clip": 1.0, "lr": 0.01, "optimizer": None, "seed": 0, "device": "cpu"} | GOOD,
}


@pytest.mark.slow
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_no_wrong_argument_ends_in_a_traceback_of_a_library(call):
    assert set(CALLS[call]) == set(inspect.signature(call).parameters)
    found = unclear(call, lambda: CALLS[call], WRONG, set(CALLS[call]) - {"progress"})
    assert not found, found


TABLE = [
    *(Row(f"private training: {fault}", said, "the model's weights") for fault, _, _, said in TRAININGS),
    *(Row(f"private budget: {fault}", said, "—") for fault, _, said in BUDGETS),
]
