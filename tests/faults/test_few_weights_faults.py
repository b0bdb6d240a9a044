"""LoRA, BitFit, adapters and prompts that cannot be: one sentence is said, and the network is what it was."""

import pytest
import torch
from rows import Row, of_ours, unclear
from test_argument_faults import WRONG
from torch import nn

import medtl_helpers as mtl


def text():
    return mtl.TextTransformer(2, 30, length=8, width=8, depth=1, heads=2)


def cnn():
    return mtl.CourseCNN(3, 2, width=8)


def bare():
    return nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.Flatten(), nn.Linear(4, 2))


X, Y = torch.ones(4, 8, dtype=torch.int32), torch.arange(4) % 2
# fault, network, call, what is said
ROWS = [
    ("LoRA: no layer of that name", cnn, mtl.lora, "no linear layer or convolution called 'query' or 'value' before"),
    ("LoRA: no layer but the head", lambda: nn.Linear(3, 2), lambda m: mtl.lora(m, where=None),
     "This Linear has no linear layer or convolution before its head: name a layer or block"),
    ("LoRA: no name", text, lambda m: mtl.lora(m, where=()), "where is a tuple: give names of layers or blocks"),
    ("LoRA: one of the names is none", text, lambda m: mtl.lora(m, where=("query", "vlaue")),
     "This TextTransformer has no layer or block called 'vlaue': correct the name in where"),
    ("LoRA: a rank that a layer does not have", text, lambda m: mtl.lora(m, 9),
     "rank is 9, and the weights of the layer stages.block1.query have rank 8 at most: give a"),
    ("LoRA: rank 0", text, lambda m: mtl.lora(m, 0), "rank is 0: give a whole number of 1 or more"),
    ("LoRA: an α of 0", text, lambda m: mtl.lora(m, alpha=0), "alpha is 0: give a finite rate, above 0"),
    ("LoRA: twice", lambda: mtl.lora(text()), mtl.lora, "has LoRA layers already, and they would stand still: merge"),
    ("LoRA: behind adapters", lambda: mtl.adapters(text()), mtl.lora, "has adapters already, and they would stand"),
    ("LoRA: then fine-tuned whole", lambda: mtl.lora(text()), lambda m: mtl.fine_tune(m, (X, Y)),
     "unfreezing would train what they leave as it is: train it with fit, or merge them first"),
    ("merging what has no LoRA", text, mtl.merge, "There is no LoRA layer to merge: call lora(model) first"),
    ("merging twice", lambda: mtl.merge(mtl.lora(text())), mtl.merge, "There is no LoRA layer to merge: call lora"),
    ("taking out what was not merged", lambda: mtl.lora(text()), mtl.unmerge, "There is nothing to take out: unmerge"),
    ("BitFit: no bias", bare, mtl.bitfit, "has no bias before its head, so only the head would train: take lora"),
    ("BitFit: after LoRA", lambda: mtl.lora(text()), mtl.bitfit, "has LoRA layers already, and they would stand still"),
    ("adapters: no layer of that name", cnn, mtl.adapters, "no linear layer or convolution called 'out' or 'down'"),
    ("adapters: twice", lambda: mtl.adapters(text()), mtl.adapters, "has adapters already, and they would stand still"),
    ("adapters: no width", text, lambda m: mtl.adapters(m, 0), "width is 0: give a whole number of 1 or more"),
    ("soft prompt: no tokens", cnn, mtl.soft_prompt, "The stage stage1 of this CourseCNN embeds no tokens, and a"),
    ("soft prompt: no vector", text, lambda m: mtl.soft_prompt(m, 0), "n is 0: give a whole number of 1 or more"),
    ("soft prompt: twice", lambda: mtl.soft_prompt(text()), mtl.soft_prompt,
     "has the vectors of a soft prompt already, and"),
]  # fmt: skip
CALLS = {
    mtl.lora: {"model": text, "rank": 2, "alpha": 1.0, "where": ["query"]},
    mtl.merge: {"model": lambda: mtl.lora(text())},
    mtl.unmerge: {"model": lambda: mtl.merge(mtl.lora(text()))},
    mtl.bitfit: {"model": text},
    mtl.adapters: {"model": text, "width": 2, "where": ["down"]},
    mtl.soft_prompt: {"model": text, "n": 2},
    mtl.trainable: {"model": text},
}


@pytest.mark.parametrize("make, call, said", [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_what_cannot_be_done_leaves_the_network_as_it_was(make, call, said):
    model = make()
    names, trains = list(model.state_dict()), [p.requires_grad for p in model.parameters()]
    with pytest.raises(ValueError) as info:
        call(model)
    assert said in of_ours(info.value)
    assert list(model.state_dict()) == names and [p.requires_grad for p in model.parameters()] == trains


def test_a_prompt_needs_a_network_with_named_stages():
    with pytest.raises(TypeError) as info:
        mtl.soft_prompt(nn.Sequential(nn.Embedding(5, 4), nn.Flatten(), nn.Linear(4, 2)))
    assert "without named stages" in of_ours(info.value)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_no_wrong_argument_ends_in_a_traceback_of_a_library(call):
    found = unclear(call, lambda: CALLS[call] | {"model": CALLS[call]["model"]()}, WRONG)
    assert not found, found


TABLE = [Row(fault, said, "the network is as it was") for fault, _, _, said in ROWS]
