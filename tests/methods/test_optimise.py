"""The minimiser for small problems against scikit-learn, and what it says of numbers that are none."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from small_models import CLASSES, INPUTS, linear

from medtl_helpers.methods.losses import L2SP, snapshot, transfer_loss
from medtl_helpers.methods.optimise import minimise


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
