"""The transformer: torch's own layer with the same weights, padding that says nothing, and what it refuses."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from random_texts import random_texts
from torch import nn

import medtl_helpers as mtl
from medtl_helpers.methods.transformer import Block, TextTransformer, as_tokens

X = random_texts()
Y = torch.arange(12) % 2


def small(classes: int = 2, **options) -> TextTransformer:
    torch.manual_seed(0)
    return TextTransformer(classes, 40, **{"length": 16, "width": 8, "heads": 2} | options)


def of_torch(block: Block) -> nn.TransformerEncoderLayer:
    """torch's layer with the weights of ``block``."""
    width = block.query.in_features
    layer = nn.TransformerEncoderLayer(
        width, block.heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    parts = (block.query, block.key, block.value)
    state = {"self_attn.in_proj_weight": torch.cat([part.weight for part in parts])}
    state["self_attn.in_proj_bias"] = torch.cat([part.bias for part in parts])
    names = {"self_attn.out_proj": "out", "linear1": "up", "linear2": "down", "norm1": "norm1", "norm2": "norm2"}
    for theirs, ours in names.items():
        for name, value in block.get_submodule(ours).named_parameters():
            state[f"{theirs}.{name}"] = value
    layer.load_state_dict(state)
    return layer


def spread(model: nn.Module) -> nn.Module:
    """``model`` with weights far from where they begin: no norm with scale 1, no bias of 0."""
    torch.manual_seed(4)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return model


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("pool", ["centre", "mean"])
def test_it_computes_what_the_layers_of_torch_compute(pool, train):
    model = spread(small(pool=pool, depth=3)).train(train)
    padding = X == 0
    state = F.embedding(X, model.part("embed").token.weight) + model.part("embed").place
    for name in ("block1", "block2", "block3"):
        state = of_torch(model.part(name)).train(train)(state, src_key_padding_mask=padding)
    state = F.layer_norm(state, (8,))
    known = ~padding[..., None]
    pooled = state[:, 8] if pool == "centre" else (state * known).sum(1) / known.sum(1)
    torch.testing.assert_close(model(X), model.head(pooled), rtol=0, atol=1e-5)
    torch.testing.assert_close(model.states(X), state * known, rtol=0, atol=1e-5)


def test_its_attention_is_that_of_torch_and_takes_nothing_from_padding():
    model = spread(small())
    state, block = model.part("embed")(X), model.part("block1")
    layer = of_torch(block).self_attn
    normed = block.norm1(state)
    wanted = layer(normed, normed, normed, key_padding_mask=X == 0, average_attn_weights=False)[1]
    ours = block.attention(state)
    torch.testing.assert_close(ours, wanted, rtol=0, atol=1e-6)
    assert not ours[(X == 0)[:, None, None].expand_as(ours)].any()
    torch.testing.assert_close(ours.sum(3), torch.ones(12, 2, 16))


def test_the_gradient_is_that_of_torch():
    block = spread(Block(8, 2))
    layer, x = of_torch(block), torch.randn(3, 5, 8)
    block(x).square().sum().backward()
    layer(x).square().sum().backward()
    torch.testing.assert_close(block.down.weight.grad, layer.linear2.weight.grad)
    wanted = layer.self_attn.in_proj_weight.grad
    torch.testing.assert_close(torch.cat([p.weight.grad for p in (block.query, block.key, block.value)]), wanted)


def test_padding_is_a_row_of_zeros_after_every_stage_and_more_of_it_changes_nothing():
    model = spread(small(pool="mean"))
    state = X
    for stage in model.stages.values():
        state = stage(state)
        assert not state[X == 0].any() and state[X != 0].any(1).all()
    longer = spread(small(pool="mean", length=20))
    longer.load_state_dict(
        model.state_dict() | {"stages.embed.place": F.pad(model.part("embed").place.data, (0, 0, 0, 4))}
    )
    torch.testing.assert_close(longer(F.pad(X, (0, 4))), model(X))


@pytest.mark.parametrize("pool", ["centre", "mean"])
def test_a_text_of_padding_alone_gives_finite_answers_and_gradients(pool):
    model = small(pool=pool)
    out = model(torch.zeros(2, 16, dtype=torch.int32))
    out.sum().backward()
    assert out.isfinite().all() and all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_where_a_word_stands_matters_and_each_word_that_is_no_padding():
    model = spread(small()).eval()
    swapped = X.clone()
    swapped[:, [7, 9]] = X[:, [9, 7]]
    both = (X[:, 7] > 0) & (X[:, 9] > 0) & (X[:, 7] != X[:, 9])
    assert both.any() and ((model(X) - model(swapped)).abs().amax(1) > 1e-4)[both].all()


@pytest.mark.parametrize("depth, weights", [(2, 167_170), (1, 117_186)])
def test_it_has_as_many_weights_as_the_docstring_says(depth, weights):
    model = TextTransformer(2, 1000, depth=depth)
    block = 4 * (64 * 64 + 64) + 2 * 64 * 256 + 256 + 64 + 4 * 64
    assert sum(p.numel() for p in model.parameters()) == 1000 * 64 + 48 * 64 + depth * block + 130 == weights
    assert list(model.parts()) == ["embed", *(f"block{k}" for k in range(1, depth + 1)), "head"]
    assert small(0)(X).shape == (12, 8) and small(5)(X).shape == (12, 5)


def test_the_same_seed_gives_the_same_network_and_a_copy_answers_alike():
    one, two = small(), small()
    assert torch.equal(one(X), two(X)) and torch.equal(copy.deepcopy(one)(X), one(X))
    assert torch.equal(one.train()(X), one.eval()(X))


def test_a_few_texts_are_learnt_where_one_word_before_the_finding_decides():
    x = random_texts(64, seed=3)
    x[:, 7] = torch.where(torch.arange(64) % 2 == 0, 5, 6).int()
    y, model = torch.arange(64) % 2, small(width=16)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    for _ in range(40):
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (model(x).argmax(1) == y).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"width": 10, "heads": 4}, "width is 10: give a multiple of the 4 heads"),
        ({"pool": "last"}, "pool is 'last': choose one of centre, mean"),
        ({"vocabulary": 5}, "vocabulary is 5: give a whole number of 6"),
        ({"depth": 0}, "depth is 0"),
        ({"heads": 0}, "heads is 0"),
        ({"length": 2.5}, "length is 2.5"),
        ({"classes": -1}, "classes is -1"),
    ],
)
def test_settings_that_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        TextTransformer(**{"classes": 2, "vocabulary": 40} | options)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (X.float(), r"The texts are float32 of shape \(12, 16\): give int32 N×16"),
        (X[:, :9], r"int32 of shape \(12, 9\): give int32 N×16"),
        (X[0], r"int32 of shape \(16,\)"),
        (X + 30, "token 6., and this network knows 40"),
    ],
    ids=["floats", "another length", "one text", "another vocabulary"],
)
def test_texts_that_do_not_fit_are_refused(x, said):
    with pytest.raises(ValueError, match=said):
        small()(x)


def test_as_tokens_takes_arrays_and_refuses_what_is_no_text():
    assert torch.equal(as_tokens(X.numpy()), X) and as_tokens(X) is X
    for given, said in (
        (X.float(), r"The given texts are float32 of shape \(12, 16\): give token numbers"),
        (X.long(), "int64"),
        (np.zeros(3, np.int32), r"of shape \(3,\)"),
        ("no pneumonia", "are 'no pneumonia': give token numbers"),
        (X[:0], "There are no given texts"),
        (X - 1, "go down to -1"),
    ):
        with pytest.raises(ValueError, match=said):
            as_tokens(given)


def test_its_gradients_are_had_for_each_text_alone_as_fisher_and_privacy_need_them():
    model = spread(small())
    ours = mtl.per_example_gradients(model, X, Y)
    loss = F.cross_entropy(model(X[3:4]), Y[3:4])
    loss.backward()
    torch.testing.assert_close(ours["stages.block1.query.weight"][3], model.part("block1").query.weight.grad)
