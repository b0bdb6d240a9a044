"""DP-SGD: gradients against autograd and Opacus, clipping by hand, noise and sampling as measured, what is refused."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import medtl_helpers as mtl
from medtl_helpers.methods.per_example import clipped_sum, per_example_gradients
from medtl_helpers.methods.private import PrivateHistory, dp_fit

GENERATOR = torch.Generator().manual_seed(0)
X, Y = torch.randn(40, 6, generator=GENERATOR), torch.arange(40) % 2
QUIET = {"progress": False}


def small(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2))


def sequences(n=12):
    base = torch.randint(4, (n, 20), generator=torch.Generator().manual_seed(1))
    return F.one_hot(base, 4).transpose(1, 2).float(), torch.arange(n) % 3


def sequence_net():
    torch.manual_seed(0)
    return mtl.SequenceCNN(3, length=20, width=8)


CASES = {
    "dense": lambda: (small(), X[:12], Y[:12]),
    "convolutions and group norm": lambda: (sequence_net(), *sequences()),
    "bytes": lambda: (mtl.CourseCNN(1, 2, width=8), torch.randint(256, (6, 1, 8, 8)).byte(), torch.arange(6) % 2),
}


@pytest.mark.parametrize("case", CASES)
def test_gradients_are_those_of_one_example_after_the_other(case):
    model, x, y = CASES[case]()
    found = per_example_gradients(model, x, y)
    for k in range(len(x)):
        model.zero_grad()
        F.cross_entropy(model(mtl.to_float(x[k : k + 1])), y[k : k + 1]).backward()
        for name, p in model.named_parameters():
            torch.testing.assert_close(found[name][k], p.grad, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("case", ["dense", "convolutions and group norm"])
def test_gradients_are_those_of_opacus(case):
    opacus = pytest.importorskip("opacus")
    model, x, y = CASES[case]()
    found = per_example_gradients(model, x, y)
    theirs = opacus.GradSampleModule(model, loss_reduction="sum")
    F.cross_entropy(theirs(x), y, reduction="sum").backward()
    for name, p in model.named_parameters():
        torch.testing.assert_close(found[name], p.grad_sample, rtol=1e-3, atol=1e-5)


def test_frozen_weights_have_no_gradient_and_count_for_no_length():
    model = sequence_net()
    mtl.unfreeze(mtl.freeze(model), "head")
    assert set(per_example_gradients(model, *sequences())) == {"head.weight", "head.bias"}


def test_clipping_by_hand():
    """Lengths 5 (over two weights), 0.5 and 0: only the first is shortened, to 1."""
    gradients = {"a": torch.tensor([[3.0, 0.0], [0.3, 0.0], [0.0, 0.0]]), "b": torch.tensor([[4.0], [0.4], [0.0]])}
    found = clipped_sum(gradients, 1.0)
    torch.testing.assert_close(found["a"], torch.tensor([0.6 + 0.3, 0.0]))
    torch.testing.assert_close(found["b"], torch.tensor([0.8 + 0.4]))


@pytest.mark.parametrize("clip", [0.01, 0.1, 10.0])
def test_one_patient_more_changes_the_sum_by_at_most_the_clip(clip):
    gradients = per_example_gradients(small(), 100 * X, Y)
    whole = clipped_sum(gradients, clip)
    for k in (0, 7):
        rest = clipped_sum({name: torch.cat([part[:k], part[k + 1 :]]) for name, part in gradients.items()}, clip)
        change = torch.cat([(whole[name] - rest[name]).flatten() for name in whole]).norm()
        assert change <= clip * (1 + 1e-3)


def one_step(model=None, n=None, batch_size=8, seed=0, **options):
    """The weights' change by one step of plain gradient descent at rate 1."""
    model = model or small()
    before = torch.cat([p.detach().flatten().clone() for p in model.parameters()])
    sgd = torch.optim.SGD(model.parameters(), lr=1.0)
    options = {"noise_multiplier": 0.0} | options
    dp_fit(model, (X[:n], Y[:n]), steps=1, batch_size=batch_size, optimizer=sgd, seed=seed, **QUIET, **options)
    return torch.cat([p.detach().flatten() for p in model.parameters()]) - before


def test_without_noise_and_clipping_a_step_on_everybody_is_gradient_descent():
    model = small()
    F.cross_entropy(model(X), Y).backward()
    wanted = -torch.cat([p.grad.flatten() for p in model.parameters()])
    torch.testing.assert_close(one_step(batch_size=40, clip=1e6), wanted, rtol=1e-3, atol=1e-6)


def test_chunks_do_not_change_a_step(monkeypatch):
    whole = one_step(batch_size=40, clip=0.5)
    monkeypatch.setattr("medtl_helpers.methods.private.AT_ONCE", 7)
    torch.testing.assert_close(one_step(batch_size=40, clip=0.5), whole, rtol=1e-3, atol=1e-6)


def test_the_noise_has_the_deviation_that_was_asked_for():
    """σ · C / batch_size, measured on 100 · 47 numbers; the gradients of both are the same patients'."""
    quiet = {seed: one_step(seed=seed, clip=0.5) for seed in range(100)}
    noise = [one_step(seed=seed, clip=0.5, noise_multiplier=4.0) - step for seed, step in quiet.items()]
    noise = torch.stack(noise)
    assert noise.std() == pytest.approx(4.0 * 0.5 / 8, rel=0.05)
    assert abs(noise.mean()) < 4 * noise.std() / math.sqrt(noise.numel())


def test_each_patient_is_in_a_batch_by_chance_of_its_own(monkeypatch):
    """A binomial number of the 40: mean 8, variance 40 · 0.2 · 0.8, and not 8 each time."""
    sizes = []

    def counted(model, x, y):
        sizes.append(len(x))
        return per_example_gradients(model, x, y)

    monkeypatch.setattr("medtl_helpers.methods.private.per_example_gradients", counted)
    dp_fit(small(), (X, Y), steps=400, batch_size=8, noise_multiplier=1.0, lr=1e-3, **QUIET)
    sizes = torch.tensor(sizes).float()
    assert sizes.mean() == pytest.approx(8, abs=4 * math.sqrt(6.4 / 400))
    assert sizes.var() == pytest.approx(6.4, rel=0.35)


def test_an_empty_batch_is_a_step_of_noise_alone():
    x, y = sequences(2)
    for seed in range(12):  # one of two sequences: a quarter of all batches are empty
        model = sequence_net()
        before = model.head.weight.detach().clone()
        history = dp_fit(model, (x, y), steps=1, batch_size=1, noise_multiplier=1.0, seed=seed, **QUIET)
        assert history.steps == 1 and not torch.equal(model.head.weight, before)


def test_a_seed_gives_the_same_weights_and_another_seed_others():
    def trained(seed):
        model = small()
        dp_fit(model, (X, Y), steps=3, batch_size=8, noise_multiplier=1.0, seed=seed, **QUIET)
        return torch.cat([p.detach().flatten() for p in model.parameters()])

    assert torch.equal(trained(0), trained(0)) and not torch.equal(trained(0), trained(1))


@pytest.mark.parametrize("norm", ["group", "batch"])
def test_a_private_probe_trains_the_head_alone(norm):
    """The frozen body may have batch norm: it stays in eval mode, so that nothing of a patient is kept in it."""
    torch.manual_seed(0)
    model = mtl.SequenceCNN(3, length=20, width=8, norm=norm)
    mtl.unfreeze(mtl.freeze(model), "head")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    dp_fit(model, sequences(), steps=2, batch_size=6, noise_multiplier=1.0, **QUIET)
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"head.weight", "head.bias"} and not model.training


def test_noise_costs_accuracy_and_less_of_it_returns_it():
    generator = torch.Generator().manual_seed(3)
    y = torch.arange(400) % 2
    x = torch.randn(400, 6, generator=generator) + 1.5 * (2 * y[:, None] - 1)

    def right(noise):
        model = small()
        dp_fit(model, (x, y), steps=40, batch_size=100, noise_multiplier=noise, lr=0.05, **QUIET)
        return float((mtl.predict(model, x).argmax(1) == y).float().mean())

    assert right(0.5) > 0.95 and right(500.0) < 0.9


def test_the_history_says_what_was_spent():
    history = dp_fit(small(), (X, Y), steps=5, batch_size=8, noise_multiplier=2.0, **QUIET)
    assert (history.patients, history.sampling_rate, history.steps) == (40, 0.2, 5)
    assert history.epsilon(1 / 400) == mtl.epsilon(2.0, 0.2, 5, 1 / 400)
    assert PrivateHistory(40, 0.2, 2.0).epsilon(1 / 400) == 0  # no step: nothing was looked at
    with pytest.raises(ValueError, match=r"one over the 40 patients is 0\.025"):
        history.epsilon(1 / 40)


def test_ctrl_c_keeps_the_count_of_the_steps_that_were_made(monkeypatch):
    calls = []

    def stopped(*given):
        calls.append(given)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return clipped_sum(*given)

    monkeypatch.setattr("medtl_helpers.methods.private.clipped_sum", stopped)
    history = dp_fit(small(), (X, Y), steps=9, batch_size=30, noise_multiplier=1.0, **QUIET)
    assert history.steps == 2 and history.stopped == "interrupted in step 3"


def test_a_gradient_that_is_no_number_is_told():
    x = X.clone()
    x[0, 0] = math.nan
    with pytest.raises(FloatingPointError, match="step 1"):
        dp_fit(small(), (x, Y), steps=2, batch_size=40, noise_multiplier=1.0, **QUIET)
