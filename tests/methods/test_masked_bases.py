"""Masked bases: the loss by hand, what it never asks, and that it learns what can be known."""

import math

import pytest
import torch
from random_dna import letters, one_hot_of

from medtl_helpers.methods.masked_bases import masked_base_loss, pretrain_masked
from medtl_helpers.methods.sequence_nets import SequenceCNN

X = one_hot_of(letters(40, 16))


def test_the_loss_is_the_cross_entropy_of_the_hidden_bases_alone():
    seen = []
    table = torch.randn(40, 4 * 16, generator=torch.Generator().manual_seed(1))

    def model(x):
        seen.append(x)
        return table

    value = masked_base_loss(model, X, torch.Generator().manual_seed(5), share=0.3)
    hidden = torch.rand(40, 16, generator=torch.Generator().manual_seed(5)) < 0.3
    wanted = []
    for n in range(40):
        for at in range(16):
            if hidden[n, at]:
                assert seen[0][n, :, at].tolist() == [0.25] * 4
                logits = table[n].view(4, 16)[:, at]
                wanted.append(-torch.log_softmax(logits, 0)[X[n, :, at].argmax()].item())
            else:
                assert torch.equal(seen[0][n, :, at], X[n, :, at])
    assert value.item() == pytest.approx(sum(wanted) / len(wanted), rel=1e-5)


def test_letters_that_are_not_known_are_never_asked_for():
    x = one_hot_of(["N" * 16] * 8)
    logits = torch.randn(8, 64, requires_grad=True)
    loss = masked_base_loss(lambda _: logits, x, torch.Generator().manual_seed(0), share=0.9)
    loss.backward()
    assert loss.item() == 0 and not logits.grad.any()


def test_bases_that_follow_from_their_neighbours_are_learnt_and_random_ones_are_not():
    torch.manual_seed(0)
    known = one_hot_of([word[:1] * 16 for word in letters(64, 1, seed=2)])  # AAAA…, CCCC…
    model = SequenceCNN(0, length=16, width=8)
    history = pretrain_masked(model, known, epochs=30, batch_size=16, lr=3e-3)
    assert history.train_loss[-1] < 0.3 < 1.0 < history.train_loss[0] < math.log(4) + 0.1
    torch.manual_seed(0)
    random = pretrain_masked(SequenceCNN(0, length=16, width=8), X, epochs=3, batch_size=16)
    assert min(random.train_loss) > 1.25


def test_the_head_stays_and_the_same_seed_gives_the_same_stages():
    nets = []
    for _ in range(2):
        torch.manual_seed(0)
        model = SequenceCNN(3, length=16, width=8)
        head, first = model.head.weight.clone(), model.stages["stage1"][0].weight.clone()
        pretrain_masked(model, X, epochs=2, seed=7)
        assert torch.equal(model.head.weight, head) and not torch.equal(model.stages["stage1"][0].weight, first)
        nets.append(model)
    assert all(torch.equal(a, b) for a, b in zip(*(net.state_dict().values() for net in nets), strict=True))
    assert not nets[0].training


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"share": 0}, "share is 0"),
        ({"epochs": 0}, "epochs is 0"),
        ({"lr": 0}, "lr is 0"),
        ({"batch_size": 1.5}, "batch"),
    ],
)
def test_what_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        pretrain_masked(SequenceCNN(0, length=16), X, **options)
