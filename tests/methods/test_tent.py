"""TENT: the entropy by loops, the authors' loop written anew, what moves and what does not, and a stream's end."""

import copy
import functools
import math

import numpy as np
import pytest
import scipy.stats
import torch
from clouds import cloud
from torch import nn

import medtl_helpers as mtl
from medtl_helpers.methods.few_weights import train_few
from medtl_helpers.methods.tent import entropy, tent

IMAGES = torch.randint(0, 256, (50, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def network():
    """A network with batch norm and dropout that knows two clouds."""
    return copy.deepcopy(trained())


@functools.cache
def trained():
    mtl.seed_everything(0)
    model = nn.Sequential(nn.Linear(6, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.5), nn.Linear(12, 2))
    mtl.fit(model, cloud(200), epochs=5, lr=1e-2, progress=False)
    return model


def course_net(seed=0):
    mtl.seed_everything(seed)
    return mtl.CourseCNN(3, 4, width=8, norm="batch")


# --- the entropy -----------------------------------------------------------------------------------------------------


def test_the_entropy_is_scipys_and_a_loops():
    logits = 4 * torch.randn(40, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    p = logits.softmax(1).numpy()
    np.testing.assert_allclose(entropy(logits), scipy.stats.entropy(p, axis=1), rtol=1e-12)
    np.testing.assert_allclose(entropy(logits), [-sum(a * math.log(a) for a in row) for row in p], rtol=1e-12)


def test_its_gradient_is_the_one_on_paper():
    """∂H/∂z_k = −p_k (log p_k + H)."""
    z = torch.randn(7, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True)
    h = entropy(z)
    (gradient,) = torch.autograd.grad(h.sum(), z)
    p = z.detach().softmax(1)
    torch.testing.assert_close(gradient, -p * (p.log() + h.detach()[:, None]))


def test_the_surest_and_the_most_doubtful_answer():
    assert entropy([[0.0, 0.0, 0.0]]).item() == pytest.approx(math.log(3))
    assert entropy([[900.0, 0.0, -900.0]]).item() == 0


# --- one batch after the other ---------------------------------------------------------------------------------------


def authors(model, x, batch_size, lr, steps, episodic):
    """Adapt and answer as the paper says, with batch norm computed by hand and its running statistics thrown away."""
    model = copy.deepcopy(model).eval()
    first, norm, last = model[0], model[1], model[4]
    start = (norm.weight.detach().clone(), norm.bias.detach().clone())
    gamma, beta = (t.clone().requires_grad_() for t in start)
    optimizer, answers = torch.optim.Adam([gamma, beta], lr), []
    for batch in x.split(batch_size):
        if episodic:
            gamma, beta = (t.clone().requires_grad_() for t in start)
            optimizer = torch.optim.Adam([gamma, beta], lr)
        for _ in range(steps):
            h = batch @ first.weight.T + first.bias
            h = (h - h.mean(0)) / (h.var(0, unbiased=False) + norm.eps).sqrt() * gamma + beta
            p = (h.clamp_min(0) @ last.weight.T + last.bias).softmax(1)
            loss = -(p * p.log()).sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        answers.append(p.detach())
    return torch.cat(answers), gamma.detach(), beta.detach()


@pytest.mark.parametrize(("steps", "episodic"), [(1, False), (3, False), (2, True)])
def test_a_stream_is_answered_as_the_papers_loop_answers_it(steps, episodic):
    model, (x, _) = network(), cloud(90, 2, seed=1)
    wanted, gamma, beta = authors(model, x, 20, 0.01, steps, episodic)
    start = copy.deepcopy(model.state_dict())
    answers = tent(model, x, batch_size=20, lr=0.01, steps=steps, episodic=episodic)
    torch.testing.assert_close(answers, wanted, atol=1e-5, rtol=1e-4)
    if episodic:
        assert all(torch.equal(value, start[name]) for name, value in model.state_dict().items())
    else:
        torch.testing.assert_close(model[1].weight.detach(), gamma, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(model[1].bias.detach(), beta, atol=1e-5, rtol=1e-4)
        assert (model[1].weight - start["1.weight"]).abs().max() > 0.01


def test_the_answers_are_given_before_the_batch_moves_anything():
    model, (x, _) = network(), cloud(40, 2, seed=1)
    slow, fast = (tent(copy.deepcopy(model), x, batch_size=20, lr=lr) for lr in (1e-4, 0.3))
    assert torch.equal(slow[:20], fast[:20]) and not torch.allclose(slow[20:], fast[20:], atol=0.02)


def test_only_scale_and_shift_move_and_all_other_weights_stay_to_the_last_bit():
    model = course_net()
    model.stages["stage1"][0].weight.requires_grad_(False)
    wanted = {name: p.requires_grad for name, p in model.named_parameters()}
    before = copy.deepcopy(model.state_dict())
    tent(model, IMAGES, batch_size=16, lr=0.01)
    norms = {f"{name}." for name, m in model.named_modules() if isinstance(m, nn.BatchNorm2d)}
    assert len(norms) == 3
    for name, p in model.named_parameters():
        assert torch.equal(p, before[name]) == (not name.startswith(tuple(norms))), name
        assert p.grad is None and p.requires_grad == wanted[name]
    assert not model.training and all(m.momentum == 0.1 for m in model.modules() if isinstance(m, nn.BatchNorm2d))


def test_the_sources_statistics_are_not_used():
    model, (x, _) = network(), cloud(60, 2, seed=1)
    other = copy.deepcopy(model)
    other[1].running_mean += 100
    other[1].running_var *= 100
    assert torch.equal(tent(model, x, batch_size=20), tent(other, x, batch_size=20))


def test_a_rate_of_0_is_adabn_batch_by_batch_and_leaves_the_targets_statistics():
    model, (x, _) = network(), cloud(60, 2, seed=1)
    wanted = [mtl.predict(mtl.adapt_batch_norm(copy.deepcopy(model), batch), batch) for batch in x.split(20)]
    h = model[0](x).detach().split(20)
    answers = tent(model, x, batch_size=20, lr=0)
    # AdaBN divides by the variance with N − 1, as all running statistics are, and the batch's own has N
    torch.testing.assert_close(answers, torch.cat(wanted), atol=0.05, rtol=0.1)
    torch.testing.assert_close(model[1].running_mean, torch.stack([b.mean(0) for b in h]).mean(0))
    torch.testing.assert_close(model[1].running_var, torch.stack([b.var(0) for b in h]).mean(0))


def test_the_entropy_falls_on_the_way():
    x = cloud(400, 1, seed=1)[0]
    moved, still = (tent(network(), x, batch_size=40, lr=lr) for lr in (0.03, 0))
    h, before = (-(p * p.clamp_min(1e-12).log()).sum(1) for p in (moved, still))
    torch.testing.assert_close(h[:40], before[:40])
    assert h[-80:].mean() < 0.9 * before[-80:].mean()


def test_it_gives_the_same_twice_and_without_gradients_around():
    x, model = cloud(60, 2, seed=1)[0], network()
    with torch.no_grad():
        first = tent(model, x, batch_size=25)
    assert torch.equal(first, tent(network(), x, batch_size=25)) and not first.requires_grad


# --- which layers ----------------------------------------------------------------------------------------------------


def test_batch_norm_in_frozen_stages_adapts_too_and_stays_frozen():
    free, frozen = course_net(), mtl.freeze(course_net())
    assert torch.equal(tent(free, IMAGES, batch_size=25, lr=0.01), tent(frozen, IMAGES, batch_size=25, lr=0.01))
    assert frozen.frozen == {"stage1", "stage2", "stage3"}
    assert not any(p.requires_grad for p in frozen.stages.parameters())


def test_batch_norm_that_few_weights_let_stand_still_adapts_and_then_stands_still_again():
    model = network()
    few = train_few(copy.deepcopy(model), [])
    x = cloud(60, 2, seed=1)[0]
    assert torch.equal(tent(model, x, batch_size=20), tent(few, x, batch_size=20))
    assert few[1].held is True and not hasattr(model[1], "held")


def test_batch_norm_without_statistics_of_its_own_adapts():
    model = nn.Sequential(nn.BatchNorm1d(6, track_running_stats=False), nn.Linear(6, 2))
    before = model[0].weight.detach().clone()
    assert tent(model, cloud(40)[0], batch_size=20).shape == (40, 2)
    assert not torch.equal(model[0].weight, before)


def test_a_network_that_ends_in_a_softmax_answers_with_its_probabilities():
    model = network()
    soft = nn.Sequential(*copy.deepcopy(model), nn.Softmax(1))
    x = cloud(40, 2, seed=1)[0]
    torch.testing.assert_close(tent(soft, x, batch_size=20), tent(model, x, batch_size=20))


def test_one_image_has_statistics_and_one_row_of_numbers_has_none():
    assert tent(course_net(), IMAGES[:3], batch_size=1).shape == (3, 4)
    model = network()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ValueError, match="take another batch_size"):
        tent(model, cloud(21)[0], batch_size=20)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not model.training and model[1].momentum == 0.1


# --- a watch ---------------------------------------------------------------------------------------------------------


def test_what_a_watch_asks_for_is_a_fresh_start_before_the_next_batch():
    model, (x, _) = network(), cloud(80, 2, seed=1)
    seen = []

    def after_the_second(inputs, probability):
        seen.append((inputs, probability))
        return len(seen) == 2

    answers = tent(model, x, batch_size=20, lr=0.05, watch=after_the_second)
    again = network()
    parts = [tent(again, x[40:], batch_size=20, lr=0.05), tent(network(), x[:40], batch_size=20, lr=0.05)]
    assert torch.equal(answers, torch.cat(parts[::-1]))
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.cat([inputs for inputs, _ in seen]), x)
    assert torch.equal(torch.cat([probability for _, probability in seen]), answers)


@pytest.mark.parametrize(
    ("model", "x", "words"),
    [
        (mtl.CourseCNN(3, 2, norm="group"), IMAGES, "this network has no batch norm"),
        (nn.Sequential(nn.BatchNorm1d(6, affine=False), nn.Linear(6, 2)), cloud(9)[0], "affine=False"),
        (nn.Sequential(nn.BatchNorm1d(6), nn.Linear(6, 1)), cloud(9)[0], "give floats, a row for each"),
        (nn.Sequential(nn.BatchNorm1d(6), nn.Linear(6, 2)), cloud(9)[0][:0], "give at least one"),
    ],
)
def test_what_cannot_adapt_is_told(model, x, words):
    with pytest.raises(ValueError, match=words):
        tent(model, x)


def test_nan_in_a_stream_is_told_and_the_network_is_as_it_was():
    model, x = network(), cloud(60)[0]
    x[45] = torch.nan
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(FloatingPointError, match="entropy of batch 3 is nan"):
        tent(model, x, batch_size=20)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
