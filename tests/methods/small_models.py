"""Small networks in double precision, on which each penalty can be computed by hand."""

from collections import OrderedDict

import torch
from torch import nn

N, INPUTS, CLASSES = 12, 3, 4


def network(seed, head=CLASSES):
    """body (3→5), tanh, head (5→4), in double precision."""
    torch.manual_seed(seed)
    layers = OrderedDict(body=nn.Linear(INPUTS, 5), tanh=nn.Tanh(), head=nn.Linear(5, head))
    return nn.Sequential(layers).double()


def linear(seed, bias=True):
    torch.manual_seed(seed)
    return nn.Linear(INPUTS, CLASSES, bias=bias).double()


def gradients(value, model):
    return dict(zip(dict(model.named_parameters()), torch.autograd.grad(value, model.parameters()), strict=True))


def same(ours, theirs):
    """Dictionaries of tensors that agree to double precision."""
    assert ours.keys() == theirs.keys()
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-9, atol=1e-12)
