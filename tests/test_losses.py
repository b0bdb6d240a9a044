"""Each penalty against arithmetic by hand, torch's autograd, a closed form or scikit-learn."""

from collections import OrderedDict

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from torch import nn

from medtl_helpers.losses import (
    EWC,
    L2SP,
    FeatureDistillation,
    SourceReplay,
    fisher_diagonal,
    minimise,
    snapshot,
    transfer_loss,
)

N, INPUTS, CLASSES = 12, 3, 4


@pytest.fixture
def random():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def data(random):
    x = torch.randn(N, INPUTS, generator=random, dtype=torch.float64)
    return x, torch.arange(N) % CLASSES


def network(seed, head=CLASSES):
    """body (3→5), tanh, head (5→4), in double precision."""
    torch.manual_seed(seed)
    layers = OrderedDict(body=nn.Linear(INPUTS, 5), tanh=nn.Tanh(), head=nn.Linear(5, head))
    return nn.Sequential(layers).double()


def linear(seed, bias=True):
    torch.manual_seed(seed)
    return nn.Linear(INPUTS, CLASSES, bias=bias).double()


def gradients(value, model):
    return dict(zip(dict(model.named_parameters()), torch.autograd.grad(value, model.parameters()), strict=True))


def random_fisher(model, generator):
    return {name: torch.rand(p.shape, generator=generator, dtype=torch.float64) for name, p in model.named_parameters()}


def same(ours, theirs):
    """Dictionaries of tensors that agree to double precision."""
    assert ours.keys() == theirs.keys()
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-9, atol=1e-12)


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


# --- the Fisher information ------------------------------------------------------------------------------------------


def test_the_fisher_of_softmax_regression_has_a_closed_form(data):
    """F of W[k, d] is the mean of p_k (1 − p_k) x_d², of the bias the mean of p_k (1 − p_k)."""
    x, _ = data
    model = linear(3)
    with torch.no_grad():
        p = model(x).softmax(1)
    spread = p * (1 - p)
    same(fisher_diagonal(model, x), {"weight": spread.T @ x.square() / N, "bias": spread.mean(0)})


def squared_gradient(model, one_x, k):
    """Of −log p(k|x) for one example, by plain autograd."""
    return {name: g**2 for name, g in gradients(-model(one_x[None]).log_softmax(1)[0, k], model).items()}


def weighted_mean(model, x, weights):
    """Loop over examples and classes: Σ weights[i, k] (∂ log p(k|x_i))² / N."""
    total = {name: torch.zeros_like(p) for name, p in snapshot(model).items()}
    for i, one_x in enumerate(x):
        for k in range(CLASSES):
            for name, g in squared_gradient(model, one_x, k).items():
                total[name] += weights[i, k] * g / len(x)
    return total


def test_the_empirical_fisher_is_the_mean_of_squared_gradients_at_the_observed_labels(data):
    x, y = data
    same(fisher_diagonal(network(4), x, y), weighted_mean(network(4), x, F.one_hot(y, CLASSES)))


def test_the_models_own_fisher_is_the_expectation_over_the_labels_it_predicts(data):
    x, _ = data
    probability = network(4)(x).softmax(1).detach()
    same(fisher_diagonal(network(4), x), weighted_mean(network(4), x, probability))


def test_the_models_own_fisher_is_what_sampled_labels_give_on_average(data, random):
    x, _ = data
    model = network(4)
    drawn = torch.multinomial(model(x).softmax(1).detach(), 20_000, replacement=True, generator=random)
    share = torch.stack([(drawn == k).double().mean(1) for k in range(CLASSES)], 1)
    sampled, exact = weighted_mean(model, x, share), fisher_diagonal(model, x)
    for name in exact:
        torch.testing.assert_close(sampled[name], exact[name], rtol=0.1, atol=1e-3)


def test_computing_the_fisher_leaves_the_model_as_it_was(data):
    model = network(4)
    before = snapshot(model)
    fisher_diagonal(model, *data)
    same(snapshot(model), before)
    assert all(p.grad is None for p in model.parameters())


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


@pytest.mark.parametrize("n, lam", [(150, 0.02), (60, 0.05), (60, 0.5)])
def test_minimise_finds_scikit_learns_logistic_regression_with_c_one_over_n_lambda(random, n, lam):
    x = torch.randn(n, INPUTS, generator=random, dtype=torch.float64)
    y = (x @ torch.randn(INPUTS, CLASSES, generator=random, dtype=torch.float64)).argmax(1)
    model = linear(7, bias=False)
    plain_l2 = L2SP({"weight": torch.zeros(CLASSES, INPUTS, dtype=torch.float64)})
    value = minimise(lambda: transfer_loss(model, x, y, plain_l2, lam), model.parameters(), steps=500)
    theirs = LogisticRegression(C=1 / (n * lam), fit_intercept=False, tol=1e-10, max_iter=2000).fit(x, y)
    np.testing.assert_allclose(model.weight.detach(), theirs.coef_, atol=1e-4)
    assert value == pytest.approx(transfer_loss(model, x, y, plain_l2, lam).item(), rel=1e-12)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_minimise_says_what_to_look_for_when_the_objective_is_not_a_number(data, bad):
    x, y = data[0].float(), data[1]  # single precision, as in the course
    x[3, 1] = bad
    model = linear(7).float()
    with pytest.raises(FloatingPointError, match=r"The objective is (nan|inf): look for NaN in the inputs"):
        minimise(lambda: transfer_loss(model, x, y, L2SP(snapshot(model)), 0.1), model.parameters())
