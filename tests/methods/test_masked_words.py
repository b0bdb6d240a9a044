"""Masked words: the loss by hand, what it never asks, and that it learns what can be known."""

import math

import pytest
import torch
from random_texts import random_texts
from torch import nn

from medtl_helpers.methods.masked_words import MASK, hide_words, masked_word_loss, pretrain_masked_words
from medtl_helpers.methods.sequence_nets import SequenceCNN
from medtl_helpers.methods.transformer import TextTransformer

X = random_texts()


def small(**options) -> TextTransformer:
    torch.manual_seed(0)
    return TextTransformer(2, 40, **{"length": 16, "width": 16, "heads": 2} | options)


def test_the_shares_are_those_of_bert_and_specials_are_never_asked_for():
    x = random_texts(3000, vocabulary=1000)
    x[:, 9:11] = torch.tensor([1, 2])  # unknown, and a mask that was there before
    hidden, asked = hide_words(x, 1000, torch.Generator().manual_seed(0))
    words = x >= 5
    assert not asked[~words].any() and torch.equal(hidden[~asked], x[~asked]) and hidden.dtype == torch.int32
    assert asked[words].float().mean().item() == pytest.approx(0.15, abs=0.01)
    masked, kept = (hidden == MASK)[asked], (hidden == x)[asked]
    assert masked.float().mean().item() == pytest.approx(0.8, abs=0.02)
    assert kept.float().mean().item() == pytest.approx(0.1, abs=0.02)
    replaced = hidden[asked][~masked & ~kept]
    assert 5 <= replaced.min() < 30 and 970 < replaced.max() < 1000


def test_the_loss_is_the_cross_entropy_of_the_words_that_are_asked_for():
    hidden, asked = hide_words(X, 40, torch.Generator().manual_seed(5), 0.3)
    table, decoder = torch.randn(12, 16, 7), nn.Linear(7, 40)
    seen = []

    def model(x):
        seen.append(x)
        return table

    value = masked_word_loss(model, decoder, X, 40, torch.Generator().manual_seed(5), share=0.3)
    assert torch.equal(seen[0], hidden)
    wanted = [
        -torch.log_softmax(decoder(table[n, at]), 0)[X[n, at]].item()
        for n in range(12)
        for at in range(16)
        if asked[n, at]
    ]
    assert len(wanted) > 10 and value.item() == pytest.approx(sum(wanted) / len(wanted), rel=1e-5)


def test_where_no_word_is_asked_for_the_loss_is_0_and_so_is_its_gradient():
    states = torch.randn(4, 6, 3, requires_grad=True)
    x = torch.tensor([[0, 3, 4, 1, 2, 0]] * 4, dtype=torch.int32)
    loss = masked_word_loss(lambda _: states, nn.Linear(3, 9), x, 9, torch.Generator().manual_seed(0), 0.9)
    loss.backward()
    assert loss.item() == 0 and not states.grad.any()


def test_words_that_follow_from_their_neighbours_are_learnt_and_random_ones_are_not():
    words = torch.arange(5, 13, dtype=torch.int32).repeat(16)
    known = words[:, None].repeat(1, 16)  # one word throughout
    history = pretrain_masked_words(small(), known, epochs=25, batch_size=16, lr=3e-3)
    assert history.train_loss[-1] < 0.5 < 1.5 < history.train_loss[0] < math.log(40) + 0.5
    random = pretrain_masked_words(small(), random_texts(128), epochs=3, batch_size=16)
    assert min(random.train_loss) > math.log(35) - 0.4


def test_the_head_stays_and_the_same_seed_gives_the_same_stages():
    nets = []
    for _ in range(2):
        model = small()
        before = {name: value.clone() for name, value in model.state_dict().items()}
        pretrain_masked_words(model, X, epochs=2, seed=7)
        changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
        assert changed == {name for name in before if not name.startswith("head")}
        nets.append(model)
    assert all(torch.equal(a, b) for a, b in zip(*(net.state_dict().values() for net in nets), strict=True))
    assert not nets[0].training and all(p.requires_grad for p in nets[0].parameters())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"share": 0}, "share is 0"),
        ({"epochs": 0}, "epochs is 0"),
        ({"lr": 0}, "lr is 0"),
        ({"batch_size": 1.5}, "batch"),
        ({"x": X.float()}, "The given texts are float32"),
        ({"x": X[:, :4]}, "give int32 N×16"),
    ],
)
def test_what_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        pretrain_masked_words(small(), **{"x": X} | options)


def test_another_network_is_refused():
    with pytest.raises(TypeError, match="The model is a SequenceCNN: give a TextTransformer"):
        pretrain_masked_words(SequenceCNN(2, 16), X)
