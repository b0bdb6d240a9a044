"""Federated averaging: gradient descent on the pooled patients, each paper's update by hand, and what is refused."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import medtl_helpers as mtl
from medtl_helpers.methods.federated import federated_average
from medtl_helpers.methods.server_steps import FedAdam

GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(60, 5, generator=GENERATOR, dtype=torch.float64)
Y = (X[:, 0] + 0.3 * torch.randn(60, generator=GENERATOR, dtype=torch.float64) > 0).long()
HOSPITALS = {"large": (X[:40], Y[:40]), "small": (X[40:], Y[40:])}


class Double(nn.Module):
    """A linear layer in float64, so that equal means equal to the last digits."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(5, 2, dtype=torch.float64)

    def forward(self, x):
        return self.linear(x.double())


def make():
    mtl.seed_everything(3)
    return Double()


def data(hospitals=HOSPITALS):
    """As float32 would be: to_float makes float32 of everything."""
    return {name: (x.float(), y) for name, (x, y) in hospitals.items()}


def descended(x, y, steps, lr, model=None):
    """Plain gradient descent on the mean cross-entropy, by autograd and a loop of its own."""
    model = copy.deepcopy(model or make())
    for _ in range(steps):
        model.zero_grad()
        F.cross_entropy(model(x.float()), y).backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= lr * p.grad
    return model


def vector(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_one_hospital_with_one_step_is_gradient_descent():
    found = federated_average(make, data({"only": HOSPITALS["large"]}), 7, lr=0.3)
    torch.testing.assert_close(vector(found), vector(descended(X[:40], Y[:40], 7, 0.3)), rtol=1e-12, atol=1e-12)
    assert not found.training


def test_whole_hospitals_and_one_step_are_gradient_descent_on_all_patients():
    found = federated_average(make, data(), 9, lr=0.3)
    torch.testing.assert_close(vector(found), vector(descended(X, Y, 9, 0.3)), rtol=1e-12, atol=1e-12)
    unweighted = [vector(descended(*HOSPITALS[name], 1, 0.3)) for name in HOSPITALS]
    assert not torch.allclose(sum(unweighted) / 2, vector(descended(X, Y, 1, 0.3)), atol=1e-4)  # 40 and 20 patients


def test_what_is_sent_is_the_change_and_the_number_of_patients():
    seen = []
    federated_average(make, data(), 1, epochs=3, lr=0.2, watch=lambda *sent: seen.append(sent))
    (number, model, updates), start = seen[0], vector(make())
    assert (
        number == 0
        and [u.hospital for u in updates] == ["large", "small"]
        and [u.patients for u in updates]
        == [
            40,
            20,
        ]
    )
    for update in updates:
        there = vector(descended(*HOSPITALS[update.hospital], 3, 0.2))
        change = torch.cat([value.flatten() for value in update.change.values()])
        torch.testing.assert_close(change, there - start, rtol=1e-12, atol=1e-12)
    changes = [torch.cat([value.flatten() for value in u.change.values()]) for u in updates]
    torch.testing.assert_close(vector(model), start + (40 * changes[0] + 20 * changes[1]) / 60)


def test_fedprox_adds_the_gradient_of_its_pull_and_nothing_at_0():
    plain = federated_average(make, data(), 3, epochs=4, lr=0.2)
    torch.testing.assert_close(
        vector(federated_average(make, data(), 3, epochs=4, lr=0.2, proximal=0.0)), vector(plain)
    )
    # one hospital, two steps, by hand: at the first step u = w, so the pull is 0; at the second it is mu (u - w)
    lr, mu, (x, y) = 0.2, 1.5, HOSPITALS["small"]
    start, first = vector(make()), descended(x, y, 1, lr)
    second = vector(descended(x, y, 1, lr, first)) - lr * mu * (vector(first) - start)
    found = federated_average(make, data({"small": (x, y)}), 1, epochs=2, lr=lr, proximal=mu)
    torch.testing.assert_close(vector(found), second, rtol=1e-10, atol=1e-12)
    far = [
        float((vector(federated_average(make, data(), 1, epochs=20, lr=lr, proximal=m)) - start).norm())
        for m in (0, 1, 4)
    ]
    assert far[0] > far[1] > far[2]


def test_fedadam_is_algorithm_2_by_hand():
    changes = [0.5, -0.2, 0.1]
    server, w, m, v = FedAdam(0.3, (0.8, 0.95), 0.01), 1.0, 0.0, 0.01**2
    weights = {"w": torch.tensor([1.0], dtype=torch.float64)}
    for delta in changes:
        m = 0.8 * m + 0.2 * delta
        v = 0.95 * v + 0.05 * delta**2
        w = w + 0.3 * m / (v**0.5 + 0.01)
        weights = server(weights, {"w": torch.tensor([delta], dtype=torch.float64)})
        assert float(weights["w"]) == pytest.approx(w, rel=1e-12)
    found = federated_average(make, data(), 2, lr=0.1, server=FedAdam(0.05))
    assert vector(found).isfinite().all() and not torch.allclose(vector(found), vector(descended(X, Y, 2, 0.1)))


def test_batches_are_whole_passes_in_a_seeded_order():
    same = [vector(federated_average(make, data(), 2, epochs=2, batch_size=8, lr=0.1, seed=5)) for _ in range(2)]
    other = vector(federated_average(make, data(), 2, epochs=2, batch_size=8, lr=0.1, seed=6))
    assert torch.equal(*same) and not torch.equal(same[0], other)


def test_only_what_trains_is_sent_and_a_frozen_batch_norm_is_no_fault():
    def probe():
        mtl.seed_everything(0)
        model = mtl.CourseCNN(1, 2, norm="batch")
        mtl.unfreeze(mtl.freeze(model), "head")
        return model

    x, y = torch.randint(0, 256, (12, 1, 16, 16), generator=GENERATOR, dtype=torch.uint8), torch.arange(12) % 2
    seen, start = [], probe()
    found = federated_average(probe, {"a": (x, y)}, 2, watch=lambda *sent: seen.append(sent))
    assert set(seen[0][2][0].change) == {"head.weight", "head.bias"}
    for name, value in start.state_dict().items():
        assert torch.equal(value, found.state_dict()[name]) != name.startswith("head")
