"""Pseudo-labels: the loss by loops, who is taken, and rounds of self-training that are the loop one would write."""

import copy
import inspect
import math

import pytest
import torch
from clouds import cloud
from torch import nn

import medtl_helpers as mtl
from medtl_helpers.methods.pseudo_labels import pseudo_label_loss, pseudo_labels, self_train


@pytest.fixture
def model():
    mtl.seed_everything(0)
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
    mtl.fit(model, cloud(200), epochs=5, lr=1e-2, progress=False)
    return model


@pytest.mark.parametrize("threshold", [0, 0.7, 1.0])
def test_the_loss_is_that_of_the_most_probable_class_where_it_is_probable_enough(threshold):
    z = 2 * torch.randn(20, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    wanted = 0.0
    for row in z.tolist():
        p = [math.exp(v) / sum(map(math.exp, row)) for v in row]
        wanted += -math.log(max(p)) if max(p) >= threshold else 0
    assert pseudo_label_loss(z, threshold=threshold).item() == pytest.approx(wanted / 20, rel=1e-12)


def test_its_gradient_is_that_of_labels_which_do_not_move():
    z = torch.tensor([[2.0, 0.0], [0.1, 0.0]], requires_grad=True)
    (found,) = torch.autograd.grad(pseudo_label_loss(z, threshold=0.8), z)
    p = z.detach().softmax(1)
    torch.testing.assert_close(found[0], (p[0] - torch.tensor([1.0, 0.0])) / 2)
    assert (found[1] == 0).all()


def test_who_is_taken():
    rows, labels = pseudo_labels([[0.95, 0.05], [0.5, 0.5], [0.1, 0.9], [0.2, 0.8]], threshold=0.9)
    assert rows.tolist() == [0, 2] and labels.tolist() == [0, 1]
    assert len(pseudo_labels([[0.6, 0.4]], threshold=1)[0]) == 0


def test_rounds_are_the_loop_that_one_would_write(model):
    (x, y), (t, _) = cloud(60), cloud(50, 1, seed=1)
    by_hand, counts = copy.deepcopy(model), []
    for k in range(2):
        p = by_hand(t).detach().softmax(1)
        sure = p.max(1).values >= 0.8
        both = torch.cat([x, t[sure]]), torch.cat([y, p[sure].argmax(1)])
        mtl.fit(by_hand, both, epochs=2, seed=3 + k, progress=False)
        counts.append(int(sure.sum()))
    taken = self_train(model, x, y, t, rounds=2, threshold=0.8, epochs=2, seed=3, progress=False)
    assert taken == counts and 0 < taken[0] < 50
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), by_hand.parameters(), strict=True))


def test_where_nobody_is_sure_the_source_alone_trains(model):
    (x, y), (t, _) = cloud(60), cloud(50, 1, seed=1)
    nn.init.zeros_(model[2].weight)
    alone = copy.deepcopy(model)
    mtl.fit(alone, (x, y), epochs=1, progress=False)
    assert self_train(model, x, y, t, rounds=1, epochs=1, progress=False) == [0]
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), alone.parameters(), strict=True))


def test_there_is_no_argument_for_target_labels():
    names = list(inspect.signature(self_train).parameters)
    assert not [name for name in names if "target" in name and name != "target_x"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"target_x": torch.zeros(0, 6)}, "There are no target inputs"),
        ({"target_x": torch.zeros(3, 5)}, "both must be alike"),
        ({"rounds": 0}, "rounds is 0"),
        ({"threshold": 1.5}, "threshold is 1.5"),
        ({"source_y": torch.arange(60)}, "but there are 2 classes"),
    ],
)
def test_what_cannot_be_trained_on_is_told(model, change, words):
    x, y = cloud(60)
    with pytest.raises(ValueError, match=words):
        self_train(**{"model": model, "source_x": x, "source_y": y, "target_x": x, "progress": False} | change)
