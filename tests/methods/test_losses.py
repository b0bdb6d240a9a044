"""Each penalty against arithmetic by hand and torch's autograd."""

from collections import OrderedDict

import pytest
import torch
import torch.nn.functional as F
from small_models import N, gradients, linear, network, same
from torch import nn

from medtl_helpers.methods.losses import EWC, L2SP, FeatureDistillation, SourceReplay, snapshot, transfer_loss


def random_fisher(model, generator):
    return {name: torch.rand(p.shape, generator=generator, dtype=torch.float64) for name, p in model.named_parameters()}


# --- L2-SP and EWC ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beta", [1.0, 0.1, 0.0])
def test_l2_sp_is_half_the_squared_distance_of_the_body_and_half_the_squared_head(beta):
    model, source = network(1), snapshot(network(2))
    value = L2SP(source, head=["head"], beta=beta)(model)
    theta = {name: p.detach().numpy() for name, p in model.named_parameters()}
    body = sum(((theta[k] - source[k].numpy()) ** 2).sum() for k in ("body.weight", "body.bias"))
    head = sum((theta[k] ** 2).sum() for k in ("head.weight", "head.bias"))
    assert value.item() == pytest.approx(body / 2 + beta * head / 2, rel=1e-12)


def test_the_gradient_of_l2_sp_is_the_distance_itself_and_for_the_head_beta_times_the_weight():
    model, source = network(1), snapshot(network(2))
    theta = snapshot(model)
    wanted = {k: theta[k] - source[k] if k.startswith("body") else 0.1 * theta[k] for k in theta}
    same(gradients(L2SP(source, head=["head"], beta=0.1)(model), model), wanted)


def test_ewc_weighs_each_squared_distance_with_the_fisher_information(random):
    model, source = network(1), snapshot(network(2))
    fisher, theta = random_fisher(model, random), snapshot(model)
    value = EWC(source, fisher)(model)
    by_hand = sum((fisher[k] * (theta[k] - source[k]) ** 2).sum() / 2 for k in theta)
    assert value.item() == pytest.approx(by_hand.item(), rel=1e-12)
    same(gradients(value, model), {k: fisher[k] * (theta[k] - source[k]) for k in theta})


@pytest.mark.parametrize("head", [[], ["head"], ["head.weight", "head.bias"]])
def test_ewc_with_a_fisher_of_ones_is_l2_sp(head):
    model, source = network(1), snapshot(network(2))
    ones = {name: torch.ones_like(p) for name, p in source.items()}
    assert EWC(source, ones, head)(model).item() == L2SP(source, head)(model).item()


def test_a_network_given_as_source_is_copied_at_once():
    model = nn.Linear(3, 2)
    penalty = L2SP(model)
    assert penalty(model) == 0
    with torch.no_grad():
        model.bias.add_(1)
    assert penalty(model).item() == 1.0  # ½ · 2 · 1²


def test_at_the_source_the_pull_and_its_gradient_are_exactly_zero(random):
    model = network(1)
    theta0 = snapshot(model)
    for penalty in (L2SP(theta0), EWC(theta0, random_fisher(model, random))):
        value = penalty(model)
        assert value.item() == 0
        assert all((g == 0).all() for g in gradients(value, model).values())


def without_head(model):
    return {name: p for name, p in snapshot(model).items() if name.startswith("body")}


@pytest.mark.parametrize("make", [L2SP, lambda source: EWC(source, source)], ids=["L2SP", "EWC"])
def test_a_forgotten_head_is_named_in_a_sentence(make):
    with pytest.raises(KeyError, match=r"source has no parameter 'head\.weight'.*name it in `head`"):
        make(without_head(network(2)))(network(1))


@pytest.mark.parametrize("make", [L2SP, lambda source: EWC(source, source)], ids=["L2SP", "EWC"])
def test_a_head_of_another_shape_is_named_in_a_sentence(make):
    with pytest.raises(ValueError, match=r"head.weight is \(7, 5\) here and \(4, 5\) in the source"):
        make(snapshot(network(2)))(network(1, head=7))


def test_a_head_is_a_whole_name_part_so_header_is_not_meant_by_head():
    model = nn.Sequential(OrderedDict(header=nn.Linear(2, 2)))
    with pytest.raises(KeyError, match=r"header\.weight"):
        L2SP({}, head=["head"])(model)


def test_a_snapshot_does_not_move_with_the_model():
    model = network(1)
    before = model.body.weight.detach().clone()
    theta0 = snapshot(model)
    with torch.no_grad():
        model.body.weight.add_(1)
    assert torch.equal(theta0["body.weight"], before)
    assert not any(p.requires_grad for p in theta0.values())


# --- replay and distillation -----------------------------------------------------------------------------------------


def test_source_replay_is_the_cross_entropy_on_the_source(data):
    x, y = data
    model = network(1)
    value = SourceReplay(x, y)(model)
    with torch.no_grad():
        by_hand = -model(x).softmax(1)[torch.arange(N), y].log().mean()
    assert value.item() == pytest.approx(by_hand.item(), rel=1e-12)
    same(gradients(value, model), gradients(F.cross_entropy(model(x), y), model))


def body(model, x):
    return model.tanh(model.body(x))


def test_distillation_is_zero_at_the_teacher_and_pulls_nowhere(data):
    model = network(1)
    value = FeatureDistillation(body, model, data[0])(model)
    pulls = torch.autograd.grad(value, model.body.parameters())
    assert value.item() == 0 and all((g == 0).all() for g in pulls)


def test_distillation_of_a_linear_model_is_a_quadratic_form_in_the_weights(data):
    """½ tr((W − W⁰) Σ (W − W⁰)ᵀ) with Σ = XᵀX / n."""
    x, _ = data
    student, teacher = linear(5, bias=False), linear(6, bias=False)
    moved = (student.weight - teacher.weight).detach()
    by_hand = torch.trace(moved @ (x.T @ x / N) @ moved.T) / 2
    value = FeatureDistillation(lambda model, x: model(x), teacher, x)(student)
    assert value.item() == pytest.approx(by_hand.item(), rel=1e-12)


def test_the_teacher_is_read_only_once(data):
    x, _ = data
    teacher, student = network(1), network(2)
    penalty = FeatureDistillation(body, teacher, x)
    before = penalty(student).item()
    with torch.no_grad():
        teacher.body.weight.zero_()
    assert penalty(student).item() == before
    penalty(student).backward()
    assert teacher.body.weight.grad is None


# --- the objective ---------------------------------------------------------------------------------------------------


def test_with_lambda_zero_the_transfer_loss_is_the_cross_entropy_and_r_is_not_even_computed(data):
    x, y = data
    value = transfer_loss(network(1), x, y, lambda model: pytest.fail("R was computed"), 0.0)
    assert value.item() == F.cross_entropy(network(1)(x), y).item()


@pytest.mark.parametrize("lam", [0.01, 3.0])
def test_n_times_the_objective_is_the_summed_loss_plus_n_lambda_r(data, lam):
    """Why a useful λ shrinks like 1/n: what stands in front of R, next to a *sum* of losses, is nλ."""
    x, y = data
    model, penalty = network(1), L2SP(snapshot(network(2)))
    summed = F.cross_entropy(model(x), y, reduction="sum") + N * lam * penalty(model)
    assert N * transfer_loss(model, x, y, penalty, lam).item() == pytest.approx(summed.item(), rel=1e-12)
