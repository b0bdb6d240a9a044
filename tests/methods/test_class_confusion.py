"""Minimum class confusion: the paper's equations by loops, a case by hand, and what does and does not lower it."""

import math

import numpy as np
import pytest
import torch

from medtl_helpers.methods.class_confusion import mcc_loss


def by_loops(z, temperature):
    """Equations 1 to 7, one number at a time."""
    n, k = z.shape
    y = np.array([[math.exp(v / temperature) for v in row] for row in z])
    y = y / y.sum(1, keepdims=True)
    h = [-sum(p * math.log(p) for p in row) for row in y]
    w = [n * (1 + math.exp(-one)) / sum(1 + math.exp(-other) for other in h) for one in h]
    c = [[sum(y[i, a] * w[i] * y[i, b] for i in range(n)) for b in range(k)] for a in range(k)]
    c = [[value / sum(row) for value in row] for row in c]
    return sum(c[a][b] for a in range(k) for b in range(k) if a != b) / k


@pytest.mark.parametrize("temperature", [1.0, 2.5])
@pytest.mark.parametrize("shape", [(12, 3), (5, 6), (1, 2)])
def test_the_loss_is_the_papers(shape, temperature):
    z = 3 * torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert mcc_loss(z, temperature=temperature).item() == pytest.approx(by_loops(z.numpy(), temperature), rel=1e-12)


def test_by_hand():
    """One case, p = (0.8, 0.2): C is the outer product, each row of which is (0.8, 0.2) again."""
    z = torch.tensor([[0.8, 0.2]]).log()
    assert mcc_loss(z, temperature=1).item() == pytest.approx((0.2 + 0.8) / 2, rel=1e-6)


def test_the_weights_are_constants_in_the_gradient():
    z = torch.randn(6, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(mcc_loss(z, temperature=2.0), z)
    p = (z.detach() / 2).softmax(1)
    w = 1 + (p * p.log()).sum(1).exp()
    w = len(z) * w / w.sum()

    def with_fixed_weights(v):
        y = (v / 2).softmax(1)
        c = torch.einsum("ia,i,ib->ab", y, w, y)
        c = c / c.sum(1, keepdim=True)
        return (c.sum() - c.diagonal().sum()) / 3

    step = torch.eye(18, dtype=torch.float64).view(18, 6, 3) * 1e-6
    wanted = [(with_fixed_weights(z.detach() + s) - with_fixed_weights(z.detach() - s)) / 2e-6 for s in step]
    torch.testing.assert_close(found.flatten(), torch.stack(wanted), atol=1e-8, rtol=1e-5)


def test_sure_answers_of_all_classes_have_none_and_doubt_has_the_most():
    sure = 80 * torch.eye(4).repeat(3, 1)
    assert mcc_loss(sure).item() == pytest.approx(0, abs=1e-6)
    assert mcc_loss(torch.zeros(6, 4)).item() == pytest.approx(3 / 4)


def test_one_answer_for_everyone_is_confused_unlike_for_the_entropy():
    """The loss is not lowest where all get one class and the others keep a trace: these rows are scaled to 1."""
    collapsed = torch.tensor([[9.0, 0.0, 0.0]]).repeat(6, 1)
    assert mcc_loss(collapsed, temperature=1) > 0.6


def test_classes_that_nobody_has_and_huge_logits_give_finite_gradients():
    z = torch.tensor([[1e4, 0.0, -1e4]]).repeat(4, 1).requires_grad_()
    value = mcc_loss(z)
    value.backward()
    assert value.isfinite() and z.grad.isfinite().all()


@pytest.mark.parametrize("bad", [torch.zeros(4), torch.zeros(4, 1), torch.zeros(4, 3).long(), torch.zeros(0, 3)])
def test_what_are_no_logits_is_told(bad):
    with pytest.raises(ValueError, match="give floats, a row for each"):
        mcc_loss(bad)
