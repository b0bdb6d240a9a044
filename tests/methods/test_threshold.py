"""The threshold re-set without labels: against the quantile by hand and the odds by hand."""

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from medtl_helpers.methods.predict import predict
from medtl_helpers.methods.threshold import reset_threshold


class Answers(nn.Module):
    """A "network" whose log odds of class 1 are its input."""

    def forward(self, x):
        return torch.cat([torch.zeros_like(x), x], 1)


@pytest.fixture
def odds():
    return torch.randn(101, 1, generator=torch.Generator().manual_seed(0)) + 3  # nearly all are called sick


@pytest.mark.parametrize("share", [0.2, 0.5, 0.75])
def test_the_wanted_share_is_answered_with_class_one(odds, share):
    before = (predict(Answers(), odds).argmax(1) == 1).float().mean()
    after = predict(reset_threshold(Answers(), odds, share), odds)
    assert before > 0.95 and (after.argmax(1) == 1).float().mean() == pytest.approx(share, abs=1.01 / len(odds))


def test_the_odds_are_multiplied_by_one_number_and_the_ranking_stays(odds):
    before, after = predict(Answers(), odds), predict(reset_threshold(Answers(), odds, 0.5), odds)
    factor = (after[:, 1] / after[:, 0]) / (before[:, 1] / before[:, 0])
    assert factor.std() < 1e-4 and factor[0].log() == pytest.approx(-odds.median().item(), abs=1e-4)
    y = (odds[:, 0] + torch.randn(101, generator=torch.Generator().manual_seed(1)) > 3).int()
    assert roc_auc_score(y, before[:, 1]) == roc_auc_score(y, after[:, 1])


def test_the_network_stays_as_it_is(odds):
    model = nn.Linear(1, 2)
    before = predict(model, odds)
    reset_threshold(model, odds, 0.5)
    assert torch.equal(before, predict(model, odds))


def test_what_has_no_threshold_is_refused_in_a_sentence(odds):
    with pytest.raises(ValueError, match="The network has 3 classes, and a threshold is for two"):
        reset_threshold(nn.Linear(1, 3), odds, 0.5)
    with pytest.raises(ValueError, match=r"share is 1\.0: give a share between 0 and 1"):
        reset_threshold(Answers(), odds, 1.0)
