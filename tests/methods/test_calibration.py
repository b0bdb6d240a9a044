"""Calibration error by hand; recalibration against autograd, against scikit-learn and against what it promises."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from medtl_helpers.methods.calibration import calibration_error, recalibrate_intercept, recalibrate_slope


def test_calibration_error_by_hand():
    probability = torch.tensor([[0.95, 0.05], [0.95, 0.05], [0.45, 0.55], [0.65, 0.35]])
    y = torch.tensor([0, 1, 1, 0])  # bins: 0.9-1 has confidence 0.95 and half right; the others are right
    assert calibration_error(probability, y) == pytest.approx((2 * 0.45 + 0.45 + 0.35) / 4, abs=1e-6)
    assert calibration_error(torch.eye(4), torch.arange(4)) == 0


# --- recalibration ---------------------------------------------------------------------------------------------------


def moved_model(n=300, intercept=1.5, slope=0.5, seed=0):
    """The logits of a model, and labels that are drawn with another intercept and another slope."""
    generator = torch.Generator().manual_seed(seed)
    logit = 3 * torch.randn(n, generator=generator, dtype=torch.float64)
    sick = torch.rand(n, generator=generator, dtype=torch.float64) < (intercept + slope * logit).sigmoid()
    return logit, sick.long()


def test_the_intercept_makes_the_mean_probability_the_share_of_the_sick():
    logit, y = moved_model()
    a = recalibrate_intercept(logit, y)
    assert (logit + a).sigmoid().mean().item() == pytest.approx(y.double().mean().item(), abs=1e-6)
    assert abs(logit.sigmoid().mean() - y.double().mean()) > 0.1  # before, it was not


def test_at_the_intercept_the_log_loss_has_no_slope_by_autograd():
    logit, y = moved_model(n=10)
    a = torch.tensor(recalibrate_intercept(logit, y), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(F.binary_cross_entropy_with_logits(logit + a, y.double()), a)
    assert abs(slope) < 1e-6


def test_intercept_and_slope_are_scikit_learns_logistic_regression_of_the_logit():
    logit, y = moved_model()
    theirs = LogisticRegression(C=1e10, tol=1e-10, max_iter=1000).fit(logit[:, None], y)
    ours = recalibrate_slope(logit, y, lam=0)
    assert ours == pytest.approx((theirs.intercept_[0], theirs.coef_[0, 0]), abs=1e-4)


def test_at_intercept_and_slope_the_whole_objective_has_no_slope_by_autograd():
    logit, y = moved_model(n=12)
    line = torch.tensor(recalibrate_slope(logit, y, lam=0.3), dtype=torch.float64, requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(line[0] + line[1] * logit, y.double())
    objective = loss + 0.15 * (line[0] ** 2 + (line[1] - 1) ** 2)
    assert torch.autograd.grad(objective, line)[0].abs().max() < 1e-4


def test_a_large_lambda_gives_the_model_back_and_separated_labels_need_one():
    logit, y = torch.tensor([-2.0, -1.0, 1.0, 2.0]), torch.tensor([0, 0, 1, 1])
    assert recalibrate_slope(logit, y, lam=1e6) == pytest.approx((0, 1), abs=1e-4)
    assert 1 < recalibrate_slope(logit, y, lam=0.1)[1] < 5
    assert recalibrate_slope(logit, y, lam=1e-9)[1] > 10  # without a penalty it would grow for ever


def test_recalibration_lowers_the_log_loss_of_new_patients_and_leaves_their_ranking():
    (logit, y), (new, truth) = moved_model(), moved_model(seed=1)
    a, (c, d) = recalibrate_intercept(logit, y), recalibrate_slope(logit, y, lam=0.01)
    losses = [F.binary_cross_entropy_with_logits(z, truth.double()).item() for z in (new, new + a, c + d * new)]
    assert losses[0] > losses[1] + 0.1 > losses[2] + 0.1
    assert roc_auc_score(truth, new) == roc_auc_score(truth, new + a) == roc_auc_score(truth, c + d * new)


@pytest.mark.parametrize("recalibrate", [recalibrate_intercept, lambda z, y: recalibrate_slope(z, y, 0.1)])
def test_what_cannot_be_recalibrated_is_refused_in_a_sentence(recalibrate):
    with pytest.raises(ValueError, match="of one class, 0 or 1, and both are needed"):
        recalibrate(torch.zeros(3), torch.ones(3))
    with pytest.raises(ValueError, match=r"The labels have shape \(2,\), for 3 cases"):
        recalibrate(torch.zeros(3), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match=r"The logits have shape \(2, 2\): give one number"):
        recalibrate(torch.zeros(2, 2), np.array([0, 1]))
