"""The reversed gradient and the domain loss, against plain autograd and by hand."""

import math

import pytest
import torch
import torch.nn.functional as F

from medtl_helpers.methods.gradient_reversal import domain_loss, reverse_gradient


@pytest.mark.parametrize("lam", [0.0, 0.1, 0.3, 1.0, 2.5])
@pytest.mark.parametrize("autocast", [False, True])
def test_the_gradient_comes_back_times_minus_lambda(lam, autocast):
    torch.manual_seed(0)
    x, weight = torch.randn(8, 5, requires_grad=True), torch.randn(3, 5)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        plain = torch.autograd.grad(F.linear(x, weight).float().square().sum(), x)[0]
        reversed_ = torch.autograd.grad(F.linear(reverse_gradient(x, lam), weight).float().square().sum(), x)[0]
        assert torch.equal(reverse_gradient(x, lam), x)
    assert plain.abs().max() > 0
    torch.testing.assert_close(reversed_, -lam * plain, rtol=0, atol=0)


def test_the_domain_loss_is_the_mean_of_two_means_with_the_right_labels():
    source, target = torch.tensor([[2.0], [0.5], [-1.0]]), torch.tensor([[3.0]])
    labels = [
        F.binary_cross_entropy_with_logits(part, torch.full_like(part, label))
        for part, label in ((source, 0.0), (target, 1.0))
    ]
    assert domain_loss(source, target).item() == pytest.approx((labels[0] + labels[1]).item() / 2)
    assert domain_loss(torch.zeros(5, 1), torch.zeros(2, 1)).item() == pytest.approx(math.log(2))


def test_lambda_of_the_paper_counts_twice_here():
    """Ganin et al. add the two domains' means: the features' gradient at λ there is the one at 2λ here."""
    torch.manual_seed(0)
    f, classifier = torch.randn(6, 4, requires_grad=True), torch.nn.Linear(4, 1)
    (ours,) = torch.autograd.grad(domain_loss(*classifier(reverse_gradient(f, 2 * 0.3)).tensor_split([4])), f)
    here, there = classifier(f).tensor_split([4])
    (theirs,) = torch.autograd.grad(-0.3 * (F.softplus(here).mean() + F.softplus(-there).mean()), f)
    torch.testing.assert_close(ours, theirs)
