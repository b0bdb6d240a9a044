"""Losses and weights without labels, for whatever numbers come: bounds, symmetries, and what must not count."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medtl_helpers.methods.align import coral, coral_loss, mmd_loss
from medtl_helpers.methods.choosing import effective_cases, mean_entropy, weighted_validation
from medtl_helpers.methods.class_confusion import mcc_loss
from medtl_helpers.methods.pseudo_labels import pseudo_label_loss, pseudo_labels
from medtl_helpers.methods.tent import entropy

FEW = settings(max_examples=40, deadline=None, derandomize=True, database=None)
drawn = st.tuples(st.integers(1, 12), st.integers(2, 7), st.floats(0.01, 300), st.integers(0, 2**31 - 1))


def numbers(n, columns, scale, seed, dtype=torch.float32):
    return scale * torch.randn(n, columns, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@FEW
@given(shape=drawn)
def test_losses_of_answers_stay_in_their_bounds_with_finite_gradients(shape):
    z = numbers(*shape).requires_grad_()
    classes = z.shape[1]
    h = entropy(z)
    assert (h >= -1e-6).all() and (h <= math.log(classes) + 1e-5).all()
    confusion, own = mcc_loss(z), pseudo_label_loss(z, threshold=0.5)
    assert -1e-5 <= confusion <= 1 + 1e-5 and 0 <= own <= math.log(2) + 1e-6
    (gradient,) = torch.autograd.grad(h.mean() + confusion + own, z)
    assert gradient.isfinite().all()
    np.testing.assert_allclose(mean_entropy(z.detach().softmax(1)), h.mean().item(), atol=1e-4)


@FEW
@given(shape=drawn, shift=st.floats(-50, 50), order=st.randoms(use_true_random=False))
def test_neither_a_constant_nor_the_order_of_cases_and_classes_counts(shape, shift, order):
    z = numbers(*shape, dtype=torch.float64)
    rows, columns = (order.sample(range(size), size) for size in z.shape)
    other = z[rows][:, columns] + shift
    for loss in (lambda v: entropy(v).mean(), mcc_loss, lambda v: pseudo_label_loss(v, threshold=0)):
        torch.testing.assert_close(loss(other), loss(z), atol=1e-9, rtol=1e-7)


@FEW
@given(shape=drawn, more=st.integers(1, 9), seed=st.integers(0, 99))
def test_differences_of_domains_are_symmetric_not_below_0_and_do_not_know_the_order(shape, more, seed):
    source = numbers(shape[0] + 1, *shape[1:], dtype=torch.float64)
    target = numbers(more + 1, shape[1], shape[2], seed, dtype=torch.float64) + shape[2]
    shuffled = source[torch.randperm(len(source), generator=torch.Generator().manual_seed(seed))]
    for loss in (coral_loss, mmd_loss):
        value = loss(source, target)
        assert value >= 0
        torch.testing.assert_close(loss(target, source), value)
        torch.testing.assert_close(loss(shuffled, target), value)
        assert loss(source, source) <= 1e-9 * max(1.0, shape[2] ** 4)
    assert mmd_loss(source, target) <= 2


@FEW
@given(shape=drawn, seed=st.integers(0, 99))
def test_one_map_gives_the_targets_mean_always_and_its_covariance_where_the_ridge_is_small(shape, seed):
    columns = shape[1]
    source = numbers(30 + columns, columns, shape[2], shape[3], dtype=torch.float64)
    target = numbers(30 + columns, columns, shape[2], seed, dtype=torch.float64) + 1
    mapped = coral(source, target)
    torch.testing.assert_close(mapped.mean(0), target.mean(0))
    exact = coral(source, target, ridge=0)
    torch.testing.assert_close(torch.cov(exact.T), torch.cov(target.T), rtol=1e-6, atol=1e-9 * shape[2] ** 2)


@FEW
@given(shape=drawn, threshold=st.floats(0, 1))
def test_who_is_taken_is_sure_and_who_is_not_taken_is_not(shape, threshold):
    p = numbers(*shape).softmax(1)
    rows, labels = pseudo_labels(p, threshold=threshold)
    sure = p.double().amax(1) >= threshold
    assert rows.tolist() == sure.nonzero().flatten().tolist() and labels.tolist() == p[rows].argmax(1).tolist()


@FEW
@given(
    pairs=st.lists(st.tuples(st.floats(0, 5), st.floats(1e-3, 20)), min_size=2, max_size=20),
    constant=st.floats(0, 3),
    factor=st.floats(0.1, 10),
)
def test_weighted_means(pairs, constant, factor):
    losses, weights = map(np.array, zip(*pairs, strict=True))
    assert 1 - 1e-9 <= effective_cases(weights) <= len(weights) + 1e-9
    assert effective_cases(factor * weights) == pytest.approx(effective_cases(weights))
    for dev in (False, True):  # linear in the losses
        both = weighted_validation(losses + constant, weights, dev=dev)
        apart = weighted_validation(losses, weights, dev=dev)
        if dev and weights.std() > 1e-6:  # a loss that is the same for all cases is known without any noise
            assert both == pytest.approx(apart + constant, rel=1e-6, abs=1e-6)
        else:
            assert both == pytest.approx(apart + constant * weights.mean(), rel=1e-6, abs=1e-6)
