"""The mean of probabilities: by hand, through ``predict``, and refused where it has no meaning."""

import numpy as np
import pytest
import torch
from scipy.special import softmax
from torch import nn

from medtl_helpers.methods.averaged import Averaged, members
from medtl_helpers.methods.nets import CourseCNN
from medtl_helpers.methods.predict import predict, to_float

X = torch.randint(0, 256, (7, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def networks(n=3, classes=3):
    torch.manual_seed(0)
    return [CourseCNN(3, classes, width=8).eval() for _ in range(n)]


def test_the_answer_is_the_mean_of_the_probabilities_and_not_of_the_logits():
    models = networks()
    for model in models:
        nn.init.constant_(model.head.bias, 0)
        model.head.weight.data *= 9  # sure of themselves, so that the two means differ
    with torch.no_grad():
        logits = np.stack([model(to_float(X)).double().numpy() for model in models])
    expected = softmax(logits, 2).mean(0)
    found = predict(Averaged(models).eval(), X).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert abs(softmax(logits.mean(0), 1) - expected).max() > 0.01


def test_a_network_by_itself_stays_what_it_is():
    (model,) = networks(1)
    torch.testing.assert_close(predict(Averaged([model]).eval(), X), predict(model, X))
    assert members(model) == [model] and members(Averaged([model])) == [model]


def test_a_sure_and_wrong_network_leaves_no_infinite_loss():
    class Sure(nn.Module):
        def __init__(self, k):
            super().__init__()
            self.k = k

        def forward(self, x):
            return 1e4 * torch.eye(2)[[self.k] * len(x)]

    found = predict(Averaged([Sure(0), Sure(1)]).eval(), X)
    torch.testing.assert_close(found, torch.full((7, 2), 0.5))


@pytest.mark.parametrize(
    ("models", "error", "words"),
    [
        ([], ValueError, "no network to average: give at least one"),
        ([1], TypeError, "network"),
        (networks(1, 2) + networks(1, 3), ValueError, "N×2, N×3: average networks of the same classes"),
    ],
)
def test_what_has_no_mean_is_refused(models, error, words):
    with pytest.raises(error, match=words):
        Averaged(models)(to_float(X))
