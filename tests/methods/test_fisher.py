"""The diagonal of the Fisher information against loops by hand, a closed form, and labels that are sampled."""

import torch
import torch.nn.functional as F
from small_models import CLASSES, N, gradients, linear, network, same

from medtl_helpers.methods.fisher import fisher_diagonal
from medtl_helpers.methods.losses import snapshot


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
