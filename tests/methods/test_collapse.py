"""The watch on a stream: its figures by hand, a collapse that it notices and mends, a stream that it leaves alone."""

import copy

import numpy as np
import pytest
import torch
from clouds import cloud
from torch import nn

import medtl_helpers as mtl
from medtl_helpers.methods.collapse import CollapseWatch
from medtl_helpers.methods.tent import tent


@pytest.fixture(scope="module")
def trained():
    mtl.seed_everything(0)
    model = nn.Sequential(nn.Linear(6, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 2))
    mtl.fit(model, cloud(400), epochs=8, lr=1e-2, progress=False)
    return model


class Says(nn.Module):
    """Its logits are its inputs."""

    def forward(self, x):
        return x


def test_its_figures_by_hand():
    watch = CollapseWatch(Says(), [0.5, 0.25, 0.25], window=4, mix=0.6, agreement=0.4)
    p = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.5, 0.4, 0.1]])
    inputs = torch.tensor([[9.0, 0, 0], [0, 0, 9], [0, 9, 0]])
    assert watch(inputs, p) is False
    look = watch.looks[0]
    assert look.mix == pytest.approx((abs(2 / 3 - 0.5) + abs(1 / 3 - 0.25) + 0.25) / 2)
    assert look.agreement == pytest.approx(1 / 3) and not look.alarm  # one input more is needed
    assert look.entropy == pytest.approx(-(p * np.log(p)).sum(1).mean())
    assert watch(inputs[:2], p[:2]) is True  # the last four: classes 1, 0, 0, 1, of which the third agrees
    assert watch.looks[1].mix == pytest.approx(0.25) and watch.looks[1].agreement == 0.25


def test_an_alarm_empties_the_window():
    watch = CollapseWatch(Says(), [0.5, 0.5], window=4, mix=0.4, agreement=0)
    one = torch.tensor([[9.0, 0]] * 2)
    answers = [watch(one, one.softmax(1)) for _ in range(6)]
    assert answers == [False, True, False, True, False, True] and watch.alarms == [1, 3, 5]


def test_the_untouched_network_takes_the_statistics_of_the_batch_and_is_a_copy(trained):
    model, x = copy.deepcopy(trained), 3 * cloud(40, 3, seed=1)[0] + 5
    watch = CollapseWatch(model, [0.5, 0.5], window=40)
    p = tent(copy.deepcopy(model), x, batch_size=40, lr=0)
    assert (mtl.predict(model, x).argmax(1) == p.argmax(1)).float().mean() < 0.9  # its own statistics say otherwise
    with torch.no_grad():
        model[3].weight.mul_(-1)
    watch(x, p)
    assert watch.looks[0].agreement == 1
    assert model[1].running_mean is not None and model[3].weight.requires_grad


def collapsing(model, watch):
    """TENT with a rate at which it ends in one answer for everyone."""
    x, y = cloud(1280, 1, seed=1)
    x[:, 0] -= y  # the classes overlap
    p = tent(model, x, batch_size=16, lr=0.3, steps=3, watch=watch)
    return (p.argmax(1) == y).float().view(-1, 16).mean(1)


def test_a_collapse_is_noticed_without_a_label_and_a_reset_mends_it(trained):
    watch = CollapseWatch(trained, [0.5, 0.5], window=64)
    left_alone = collapsing(copy.deepcopy(trained), None)
    watched = collapsing(copy.deepcopy(trained), watch)
    assert left_alone[-40:].mean() < 0.7
    assert watch.alarms and watched.mean() > left_alone.mean() + 0.05


def test_a_stream_in_random_order_at_a_sensible_rate_gives_no_alarm(trained):
    watch = CollapseWatch(trained, [0.5, 0.5])
    x, _ = cloud(1000, 2, seed=1)
    order = torch.randperm(1000, generator=torch.Generator().manual_seed(0))
    tent(copy.deepcopy(trained), x[order], watch=watch)
    assert len(watch.looks) == 16 and watch.alarms == []


def test_a_stream_sorted_by_class_is_noticed_beside_statistics_of_earlier_inputs_alone(trained):
    """Batches of one class mislead the untouched network, too, where it takes their statistics."""
    (earlier, _), (x, y) = cloud(400, 2, seed=2), cloud(600, 2, seed=1)
    stream, wanted = torch.cat([x[y == 0], x[y == 1]]), y.sort().values
    watches = {
        kind: CollapseWatch(
            mtl.adapt_batch_norm(copy.deepcopy(trained), earlier), [0.5, 0.5], window=60, agreement=0.8, statistics=kind
        )
        for kind in ("batch", "own")
    }
    for watch in watches.values():
        answers = tent(copy.deepcopy(trained), stream, batch_size=20, watch=watch)
    assert (answers.argmax(1) == wanted).float().mean() < 0.7
    assert watches["batch"].alarms == [] and watches["own"].alarms[0] == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"expected": [0.5, 0.6]}, "give one for each class, 1 in all"),
        ({"expected": [1.0]}, "give one for each class"),
        ({"window": 0}, "window is 0"),
        ({"mix": 2}, "mix is 2"),
        ({"statistics": "source"}, "choose one of batch, own"),
    ],
)
def test_a_watch_that_cannot_be_is_told(trained, change, words):
    with pytest.raises(ValueError, match=words):
        CollapseWatch(**{"model": trained, "expected": [0.5, 0.5]} | change)


def test_answers_of_other_classes_or_of_another_number_are_told(trained):
    watch = CollapseWatch(trained, [0.5, 0.5])
    for p in (np.full((3, 3), 1 / 3), np.full((2, 2), 0.5)):
        with pytest.raises(ValueError, match="give one row of probabilities for each input"):
            watch(torch.zeros(3, 6), p)
