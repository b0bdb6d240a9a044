"""AdaBN: the target's statistics, and no weight moved."""

import numpy as np
import pytest
import torch
from clouds import cloud
from torch import nn

import medtl_helpers as mtl
from medtl_helpers.methods.adabn import adapt_batch_norm


def test_adabn_takes_the_statistics_of_the_target_and_moves_no_weight():
    model = nn.Sequential(nn.BatchNorm1d(6), nn.Linear(6, 2))
    (x, y), (t, _) = cloud(300), cloud(300, 7, seed=1)
    mtl.fit(model, (x, y), epochs=1, progress=False)
    weights = [p.detach().clone() for p in model.parameters()]
    adapt_batch_norm(model, t, batch_size=100)
    np.testing.assert_allclose(model[0].running_mean, t.mean(0), atol=1e-5)
    assert all(torch.equal(a, b) for a, b in zip(weights, model.parameters(), strict=True))
    assert model[0].momentum == 0.1 and not model.training


def test_adabn_needs_batch_norm():
    with pytest.raises(ValueError, match="has none"):
        adapt_batch_norm(mtl.CourseCNN(3, 2, norm="group"), torch.zeros(4, 3, 8, 8))
