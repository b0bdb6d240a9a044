"""AdaBN: the target's statistics, and no weight moved."""

import copy

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


def test_adabn_of_batch_norm_that_few_weights_let_stand_still():
    mtl.seed_everything(0)
    plain = mtl.CourseCNN(3, 2, width=8, norm="batch")
    few = mtl.bitfit(copy.deepcopy(plain))
    images = torch.randint(0, 256, (20, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    ours, theirs = (adapt_batch_norm(model, images).state_dict() for model in (few, plain))
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())
    few.train()
    mtl.fit(few, (images, torch.arange(20) % 2), epochs=1, progress=False)
    assert torch.equal(few.stages["stage1"][1].running_mean, plain.stages["stage1"][1].running_mean)  # held again


def test_adabn_needs_batch_norm():
    with pytest.raises(ValueError, match="has none"):
        adapt_batch_norm(mtl.CourseCNN(3, 2, norm="group"), torch.zeros(4, 3, 8, 8))
