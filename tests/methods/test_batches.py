"""Batches of a tensor and of a Dataset that stands for one."""

import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

from medtl_helpers.methods.batches import batches, in_order, placed
from medtl_helpers.methods.predict import predict
from medtl_helpers.methods.train import fit

CPU = torch.device("cpu")


class Rows(Dataset):
    """A reader's own: it reads when it is asked, and remembers what was read."""

    def __init__(self, x):
        self.x, self.shape, self.dtype, self.asked = x, x.shape, x.dtype, []

    def __len__(self):
        return len(self.x)

    def __getitem__(self, rows):
        self.asked.append(rows)
        return self.x[rows]


X = torch.arange(22, dtype=torch.uint8).view(11, 2)


@pytest.mark.parametrize("make", [lambda: X, lambda: Rows(X)], ids=["tensor", "dataset"])
def test_batches_are_the_rows_asked_for_in_that_order_and_use_up_no_random_number(make):
    torch.manual_seed(0)
    before, order = torch.get_rng_state(), torch.randperm(11, generator=torch.Generator().manual_seed(1)).split(4)
    x = placed(make(), CPU)
    found = list(batches(x, order, CPU))
    assert [len(rows) for rows, _ in found] == [4, 4, 3]
    for (rows, inputs), wanted in zip(found, order, strict=True):
        assert torch.equal(rows, wanted) and torch.equal(inputs, X[wanted])
    assert torch.equal(torch.cat(list(in_order(x, 4, CPU))), X)
    assert torch.equal(torch.get_rng_state(), before)


def test_fit_takes_a_readers_own_dataset_in_place_of_the_inputs():
    """It needs a length, ``shape``, ``dtype`` and rows; then the weights are those of the tensor."""
    x, y, weights = torch.randn(30, 4, generator=torch.Generator().manual_seed(0)), torch.arange(30) % 2, []
    for given in (x, Rows(x)):
        torch.manual_seed(0)
        model = nn.Linear(4, 2)
        fit(model, (given, y), (given, y), epochs=2, batch_size=8, progress=False)
        weights.append(torch.cat([model.weight.flatten(), predict(model, given).flatten()]))
    assert torch.equal(*weights)


def test_a_dataset_is_asked_for_one_batch_at_a_time_and_for_no_more_than_it_gives():
    x = Rows(X)
    reading = batches(x, torch.arange(11).split(4), CPU)
    assert x.asked == []
    next(reading)
    assert len(x.asked) == 1 and len(x.asked[0]) == 4
