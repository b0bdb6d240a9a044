"""The losses of outlines against their formulas in NumPy, against autograd's differences, and at their ends."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from medtl_helpers.methods.mask_losses import LOSSES, soft_dice_loss
from medtl_helpers.methods.mask_scores import dice


def given(n=3, classes=3, size=5):
    random = torch.Generator().manual_seed(0)
    masks = torch.randint(classes, (n, size, size), generator=random).to(torch.uint8)
    masks[0] = 0  # of one image the mask is empty
    return torch.randn(n, classes, size, size, generator=random, dtype=torch.float64), masks


def test_soft_dice_is_its_formula_image_by_image_and_class_by_class():
    logits, masks = given()
    p, y = np.exp(logits.numpy()), masks.numpy()
    p /= p.sum(1, keepdims=True)
    terms = [
        (2 * p[i, k][y[i] == k].sum() + 1) / (p[i, k].sum() + (y[i] == k).sum() + 1) for i in range(3) for k in (1, 2)
    ]
    assert soft_dice_loss(logits, masks).item() == pytest.approx(1 - np.mean(terms), rel=1e-12)


def test_the_gradients_are_those_of_small_differences():
    logits, masks = given(2, 3, 3)
    for loss in LOSSES.values():
        assert torch.autograd.gradcheck(lambda x, loss=loss: loss(x, masks), logits.requires_grad_())


def test_cross_entropy_is_torchs_own_and_both_are_added():
    logits, masks = given()
    wanted = F.cross_entropy(logits, masks.long())
    torch.testing.assert_close(LOSSES["cross-entropy"](logits, masks), wanted)
    torch.testing.assert_close(LOSSES["both"](logits, masks), wanted + soft_dice_loss(logits, masks))


def test_sure_answers_cost_one_minus_the_score():
    """Of large objects, to the pixel that is added above and below."""
    masks, guess = torch.zeros(1, 40, 40, dtype=torch.uint8), torch.zeros(1, 40, 40, dtype=torch.uint8)
    masks[:, 5:35, 5:35], guess[:, 10:40, 5:35] = 1, 1
    sure = 100.0 * F.one_hot(guess.long(), 2).movedim(-1, 1)
    assert soft_dice_loss(sure, masks).item() == pytest.approx(1 - dice(guess, masks)[0], abs=1e-3)
    assert soft_dice_loss(sure, guess).item() == pytest.approx(0, abs=1e-6)


def test_an_empty_mask_has_a_gradient_that_takes_the_object_away():
    logits = torch.zeros(1, 2, 4, 4, requires_grad=True)
    soft_dice_loss(logits, torch.zeros(1, 4, 4, dtype=torch.uint8)).backward()
    assert (logits.grad[:, 1] > 0).all()  # a step against it lowers the object's logit


def test_a_small_object_weighs_as_much_as_a_large_one_in_dice_alone():
    def price(side, loss):
        masks = torch.zeros(1, 64, 64, dtype=torch.uint8)
        masks[:, :side, :side] = 1
        none = torch.stack([torch.full((1, 64, 64), 5.0), torch.full((1, 64, 64), -5.0)], 1)
        return LOSSES[loss](none, masks).item()

    assert price(40, "dice") == pytest.approx(price(8, "dice"), abs=0.02)
    assert price(40, "cross-entropy") > 20 * price(8, "cross-entropy")
