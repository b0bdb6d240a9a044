"""The network for sequences: its layers, its stages as all methods use them, and what it refuses."""

import pytest
import torch
from random_dna import letters, one_hot_of
from torch import nn

import medtl_helpers as mtl
from medtl_helpers.methods.sequence_nets import SequenceCNN, as_sequences

X = one_hot_of(letters(24, 60))
Y = torch.arange(24) % 3


@pytest.mark.parametrize("norm", ["group", "batch"])
def test_it_is_a_plain_row_of_layers(norm):
    torch.manual_seed(3)
    norms = {"group": lambda width: nn.GroupNorm(width // 8, width), "batch": nn.BatchNorm1d}
    layers = []
    for before, after in ((4, 32), (32, 64)):
        layers += [nn.Conv1d(before, after, 9, padding=4, bias=False), norms[norm](after), nn.ReLU(), nn.MaxPool1d(2)]
    dense, head = nn.Linear(64 * 15, 64), nn.Linear(64, 3)
    plain = nn.Sequential(*layers, nn.Flatten(), dense, nn.ReLU(), head)
    model = SequenceCNN(3, norm=norm)
    model.load_state_dict(dict(zip(model.state_dict(), plain.state_dict().values(), strict=True)))
    for mode in (True, False):
        torch.testing.assert_close(model.train(mode)(X), plain.train(mode)(X))


@pytest.mark.parametrize("width, weights", [(32, 81_475), (8, 17_107)])
def test_it_has_as_many_weights_as_the_docstring_says(width, weights):
    model = SequenceCNN(3, width=width)
    by_hand = 4 * width * 9 + 2 * width * width * 9 + 2 * 3 * width + 15 * 2 * width * 64 + 64 + 64 * 3 + 3
    assert sum(p.numel() for p in model.parameters()) == by_hand == weights
    assert SequenceCNN(0)(X).shape == (24, 64) and SequenceCNN(2, length=41)(X[:, :, :41]).shape == (24, 2)


def test_where_a_base_stands_matters():
    torch.manual_seed(0)
    model = SequenceCNN(3).eval()
    assert not torch.allclose(model(X), model(X.roll(20, 2)), atol=1e-4)


def test_every_way_to_train_takes_it():
    torch.manual_seed(0)
    model = SequenceCNN(3)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    options = {"epochs": 2, "progress": False}
    mtl.probe(model, (X, Y), **options)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items() if "head" not in name)
    penalty = mtl.L2SP(before, head=["head"])
    mtl.fine_tune(model, (X, Y), frozen_upto="stage1", penalty=penalty, **options)
    assert torch.equal(model.stages["stage1"][0].weight, before["stages.stage1.0.weight"])
    assert not torch.equal(model.stages["stage2"][0].weight, before["stages.stage2.0.weight"])
    history = mtl.lp_ft(model, (X, Y), val=(X, Y), probe_epochs=2, **options)
    assert len(history.val_loss) == 4 and mtl.predict(model, X).shape == (24, 3)


def test_it_learns_what_24_sequences_are_by_heart():
    torch.manual_seed(0)
    model = SequenceCNN(3, width=8)
    mtl.fit(model, (X, Y), epochs=40, batch_size=24, lr=3e-3, progress=False)
    assert (mtl.predict(model, X).argmax(1) == Y).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"width": 12}, "width is 12: give a multiple of 8"),
        ({"norm": "layer"}, "norm is 'layer': choose one of group, batch"),
        ({"length": 3}, "length is 3: give a whole number of 4 or more"),
        ({"width": 4}, "width is 4: give a whole number of 8 or more"),
    ],
)
def test_what_it_refuses(options, said):
    with pytest.raises(ValueError, match=said):
        SequenceCNN(3, **options)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (X[0], "shape .4, 60.: give N×4×L"),
        (X.transpose(1, 2), "shape .24, 60, 4.: give N×4×L"),
        (X[:0], "no sequences: give at least one"),
        (2 * X, "do not add up to 1 everywhere: make x with one_hot"),
        (X - 1, "do not add up to 1"),
        (X * torch.nan, "do not add up to 1"),
    ],
)
def test_what_is_no_sequence(x, said):
    with pytest.raises(ValueError, match=said):
        as_sequences(x)
