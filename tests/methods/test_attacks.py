"""Membership inference: a network that remembers everything, one that knows nothing, and LiRA by SciPy."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import stats
from torch import nn

from medtl_helpers.methods.attacks import attack_curve, lira, loss_attack, membership_scores, tpr_at

RNG = np.random.default_rng(0)
N = 400
MEMBER = np.arange(N) < N // 2


class Memory(nn.Module):
    """Knows the labels of the cases it was shown by heart, and says 0.5 to all others; x is the number of the case."""

    def __init__(self, known):
        super().__init__()
        self.known = torch.as_tensor(known)
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        at = x[:, 0].long()
        sure = 5.0 * self.known[at] + 0 * self.weight
        return torch.stack([sure * (at % 2 == 0), sure * (at % 2 == 1)], 1)


X, Y = torch.arange(N)[:, None].float(), torch.arange(N) % 2


def test_the_score_is_the_logit_of_the_true_class_and_the_loss_falls_as_it_rises():
    torch.manual_seed(0)
    model, x = nn.Linear(4, 3), torch.randn(50, 4)
    y = torch.randint(0, 3, (50,))
    p = model(x).softmax(1)[torch.arange(50), y].detach().double()
    found = membership_scores(model, x, y, batch_size=7)
    np.testing.assert_allclose(found, torch.logit(p).numpy(), atol=1e-5)
    loss = F.cross_entropy(model(x), y, reduction="none").detach().numpy()
    np.testing.assert_allclose(np.logaddexp(0, -found), loss, atol=1e-5)
    with torch.no_grad():
        model.weight *= 100  # probabilities of float32 would be 1, and their logit infinite
    assert np.isfinite(membership_scores(model, x, y)).all()


def test_a_network_that_memorises_gives_all_its_members_away():
    scores = membership_scores(Memory(MEMBER), X, Y)
    found = tpr_at(scores, MEMBER)
    assert found.value == 1 and found.low == pytest.approx(0.025 ** (1 / 200))  # Clopper and Pearson, by hand
    assert loss_attack(scores, MEMBER, training_loss=np.log1p(np.exp(-5.0)) + 1e-9) == 1
    false, true = attack_curve(scores, MEMBER)
    assert true[false == 0].max() == 1
    shadows = np.stack([membership_scores(Memory(np.zeros(N, bool)), X, Y) for _ in range(3)])
    assert tpr_at(lira(scores, shadows + 0.1 * RNG.normal(size=shadows.shape)), MEMBER).value == 1


def test_a_network_that_is_independent_of_membership_gives_nothing_away():
    rng = np.random.default_rng(1)
    for fpr in (0.01, 0.1):
        found = [tpr_at(rng.normal(size=2000), np.arange(2000) < 1000, fpr) for _ in range(100)]
        # the threshold is drawn, too, so that a few more than 5 of 100 miss
        assert sum(one.low <= fpr <= one.high for one in found) >= 85
        assert np.mean([one.value for one in found]) == pytest.approx(fpr, rel=0.15)
    scores = rng.normal(size=N)
    assert abs(loss_attack(scores, MEMBER, 0.7)) < 0.15
    false, true = attack_curve(scores, MEMBER)
    assert np.abs(false - true).max() < 0.15 and false[0] == true[0] == 0 and false[-1] == true[-1] == 1


def test_not_more_than_the_share_is_blamed_where_scores_are_equal():
    scores = np.array([1.0] * 50 + [0.0] * 50 + [1.0] * 3 + [0.0] * 97)  # 3 of 100 others look like members
    assert tpr_at(scores, np.arange(200) < 100).value == 0
    assert tpr_at(scores, np.arange(200) < 100, 0.03).value == 0.5


def test_lira_is_the_ratio_of_two_normal_densities():
    scores, shadow = RNG.normal(size=5), RNG.normal(size=(6, 5))
    inside = np.array([[k < 3 for _ in range(5)] for k in range(6)])
    inside[:, 4] = [True, False, True, False, True, True]

    def fitted(taken):
        columns = [shadow[taken[:, n], n] for n in range(5)]
        squares = sum(((column - column.mean()) ** 2).sum() for column in columns)
        return np.array([column.mean() for column in columns]), np.sqrt(squares / (taken.sum() - 5))

    (mean_in, sigma_in), (mean_out, sigma_out) = fitted(inside), fitted(~inside)
    ratio = stats.norm(mean_in, sigma_in).pdf(scores) / stats.norm(mean_out, sigma_out).pdf(scores)
    np.testing.assert_allclose(lira(scores, shadow, inside), np.log(ratio))
    mean, sigma = fitted(np.ones_like(inside))
    np.testing.assert_allclose(np.exp(lira(scores, shadow)), 1 - stats.norm(mean, sigma).sf(scores))


def test_lira_beats_the_loss_where_cases_are_not_equally_hard():
    rng, n, shadows = np.random.default_rng(2), 2000, 16
    hard = rng.normal(scale=5, size=n)  # the same for all networks; a member is 2 higher
    member, inside = rng.random(n) < 0.5, rng.random((shadows, n)) < 0.5
    scores = hard + 2 * member + rng.normal(size=n)
    shadow = hard + 2 * inside + rng.normal(size=(shadows, n))
    kept = inside.any(0) & ~inside.all(0)
    online = tpr_at(lira(scores[kept], shadow[:, kept], inside[:, kept]), member[kept]).value
    out = hard + rng.normal(size=(shadows, n))
    assert tpr_at(scores, member).value < 0.05 < 0.25 < min(online, tpr_at(lira(scores, out), member).value)
