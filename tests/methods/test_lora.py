"""LoRA against equation 3 of its paper computed in another way, autograd, and the network that it began from."""

import copy
from collections import OrderedDict

import pytest
import torch
import torch.nn.functional as F
from networks import QUIET, data, network
from torch import nn

from medtl_helpers.methods.few_weights import trainable
from medtl_helpers.methods.lora import lora, merge, unmerge
from medtl_helpers.methods.predict import to_float
from medtl_helpers.methods.private import dp_fit
from medtl_helpers.methods.sequence_nets import SequenceCNN
from medtl_helpers.methods.staged import staged
from medtl_helpers.methods.train import fit
from medtl_helpers.methods.transformer import TextTransformer


def of(layer):
    return layer.parametrizations.weight[0]


def learnt(model, **options):
    """LoRA as after training: B is no longer zero."""
    lora(model, **options)
    for name, p in model.named_parameters():
        if name.endswith(".B"):
            nn.init.normal_(p, std=0.05)
    return model.eval()


def texts(n=6, seed=0):
    x = torch.randint(1, 50, (n, 48), generator=torch.Generator().manual_seed(seed), dtype=torch.int32)
    x[:, 40:] = 0
    return x


def like_vgg16():
    """Its three parts, each far smaller."""
    features = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    dense = nn.Sequential(nn.Linear(32, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 3))
    parts = {"features": features, "avgpool": nn.AdaptiveAvgPool2d(2), "flat": nn.Flatten(), "classifier": dense}
    return nn.Sequential(OrderedDict(parts))


EVERY = {
    "a transformer for texts": (lambda: TextTransformer(2, 50), {}, texts),
    "ResNet": (network, {"where": None}, lambda: to_float(data()[0])),
    "linear layers behind convolutions": (lambda: staged(like_vgg16()), {"where": "hidden"},
                                          lambda: torch.rand(2, 3, 32, 32)),
    "sequences": (lambda: SequenceCNN(3, width=8), {"where": None}, lambda: torch.rand(3, 4, 60)),
    "torch's own transformer": (
        lambda: nn.Sequential(nn.TransformerEncoderLayer(16, 2, 32, 0.0, batch_first=True), nn.Linear(16, 2)),
        {"where": ("out_proj", "linear1")},
        lambda: torch.rand(3, 5, 16),
    ),
}  # fmt: skip


@pytest.mark.parametrize("make, options, inputs", EVERY.values(), ids=EVERY)
def test_at_the_start_it_is_the_network_to_the_bit_and_afterwards_it_merges_and_unmerges(make, options, inputs):
    torch.manual_seed(0)
    model, x = make().eval(), inputs()
    with torch.no_grad():
        wanted, names = model(x), set(model.state_dict())
        assert torch.equal(lora(copy.deepcopy(model), **options).eval()(x), wanted)
        changed = learnt(model, **options)
        answer, counts = changed(x), trainable(changed)
        assert not torch.allclose(answer, wanted, atol=1e-4)
        merged = merge(copy.deepcopy(changed))
        assert set(merged.state_dict()) == names  # it is a plain network, and no layer more
        fresh = make().eval()
        fresh.load_state_dict(merged.state_dict())
        for one in (merged, fresh, copy.deepcopy(merged), unmerge(copy.deepcopy(merged))):
            torch.testing.assert_close(one(x), answer, atol=1e-5, rtol=1e-5)
        back = unmerge(merged)
        assert torch.equal(changed(x), answer)  # none of this touched the network that was copied
        twin = copy.deepcopy(changed)
        merge(changed)
        assert torch.equal(twin(x), answer)
        torch.testing.assert_close(unmerge(changed)(x), answer, atol=1e-5, rtol=1e-5)
    assert trainable(back) == counts
    old, new = twin.state_dict(), back.state_dict()
    assert set(new) == set(old)
    for name in old:
        torch.testing.assert_close(new[name], old[name], atol=1e-6, rtol=1e-5)


def test_a_linear_layer_is_equation_3():
    """h = W0 x + (α/r) B A x, one product after the other; and autograd's gradients of A and B are those of that."""
    torch.manual_seed(0)
    model = learnt(nn.Sequential(nn.Linear(7, 5), nn.Linear(5, 2)), rank=3, alpha=12, where="0")
    x, layer = torch.randn(4, 9, 7), model[0]
    a, b = (p.detach().clone().requires_grad_() for p in (of(layer).A, of(layer).B))
    wanted = F.linear(x, layer.parametrizations.weight.original, layer.bias) + 4 * F.linear(F.linear(x, a), b)
    torch.testing.assert_close(layer(x), wanted)
    layer(x).square().sum().backward()
    wanted.square().sum().backward()
    torch.testing.assert_close(of(layer).A.grad, a.grad, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(of(layer).B.grad, b.grad, rtol=1e-4, atol=1e-4)
    assert layer.parametrizations.weight.original.grad is None and layer.bias.grad is None


@torch.no_grad()
@pytest.mark.parametrize("groups", [1, 2])
def test_a_convolution_is_one_with_r_filters_and_one_of_one_pixel_behind_it(groups):
    torch.manual_seed(0)
    kernel = nn.Conv2d(4, 6, (3, 5), stride=2, padding=(1, 2), groups=groups)
    model = learnt(nn.Sequential(kernel, nn.Flatten(), nn.Linear(96, 2)), rank=2, alpha=6, where="0")
    x, w, low = torch.randn(3, 4, 8, 8), kernel.parametrizations.weight.original, of(kernel)
    wanted = F.conv2d(x, w, kernel.bias, 2, (1, 2), groups=groups)
    for group, outputs in enumerate(low.B.chunk(groups)):  # of a group all filters see its own inputs
        seen = x.chunk(groups, 1)[group]
        few = F.conv2d(seen, low.A.view(2, 4 // groups, 3, 5), None, 2, (1, 2))
        wanted[:, group * 6 // groups :][:, : 6 // groups] += 3 * F.conv2d(few, outputs[..., None, None])
    torch.testing.assert_close(model[0](x), wanted, atol=1e-5, rtol=1e-4)


def test_so_many_weights_train_as_the_paper_counts():
    """r (d + k) for each layer, and the head."""
    width, rank = 64, 4
    model = lora(TextTransformer(2, 1000), rank)
    plain = sum(p.numel() for p in TextTransformer(2, 1000).parameters())
    change = 2 * 2 * rank * (width + width)
    assert trainable(model) == (change + 2 * width + 2, plain + change)
    assert trainable(model)[0] < 0.03 * plain


def test_the_change_is_alpha_over_r_and_by_default_one():
    model = nn.Sequential(nn.Linear(7, 5), nn.Linear(5, 2))
    assert of(lora(copy.deepcopy(model), 4, where="0")[0]).scale == 1
    assert of(lora(copy.deepcopy(model), 4, alpha=2, where="0")[0]).scale == 0.5


@pytest.mark.parametrize("make, options, inputs", list(EVERY.values())[:2], ids=list(EVERY)[:2])
def test_training_moves_a_b_and_the_head_alone_and_is_kept_by_a_state_dict(make, options, inputs):
    torch.manual_seed(0)
    model, x = lora(make(), **options), inputs()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    y = torch.arange(len(x)) % 2
    fit(model, (x, y), epochs=3, batch_size=4, lr=1e-2, device="cpu", **QUIET)
    for name, value in model.state_dict().items():
        trained = name.startswith("head") or name.endswith((".A", ".B"))
        assert torch.equal(value, before[name]) is not trained, name
    other = lora(make(), **options).eval()
    other.load_state_dict(model.state_dict())
    with torch.no_grad():
        assert torch.equal(other(x), model.eval()(x))


def test_it_follows_its_network_to_another_precision_merged_or_not():
    model = learnt(nn.Sequential(nn.Linear(7, 5), nn.Linear(5, 2)), where="0", rank=2)
    x = torch.randn(3, 7)
    with torch.no_grad():
        wanted = model(x).double()
        torch.testing.assert_close(copy.deepcopy(model).double()(x.double()), wanted, atol=1e-5, rtol=1e-5)
        there = unmerge(merge(model).double())  # A and B were not part of the network while it moved
        assert {p.dtype for p in there.parameters()} == {torch.float64}
        torch.testing.assert_close(there(x.double()), wanted, atol=1e-5, rtol=1e-5)


def test_after_merging_a_second_lora_begins_from_the_merged_network_and_is_the_one_that_unmerges():
    model = merge(learnt(nn.Sequential(nn.Linear(7, 5), nn.Linear(5, 2)), where="0", rank=2))
    x = torch.randn(3, 7)
    with torch.no_grad():
        first = model(x)
        learnt(lora(copy.deepcopy(model), 3, where="0") and model, where="0", rank=3)
        assert of(model[0]).A.shape == (3, 7)
        with pytest.raises(ValueError, match="nothing to take out"):
            unmerge(model)
        unmerge(merge(model))
        nn.init.zeros_(of(model[0]).B)
        torch.testing.assert_close(model(x), first)


def test_private_training_clips_and_noises_a_and_b_as_well():
    torch.manual_seed(0)
    model = lora(SequenceCNN(3, width=8), where="stage3")
    x, y = torch.eye(4)[torch.randint(4, (16, 60))].transpose(1, 2), torch.arange(16) % 3
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    dp_fit(model, (x, y), steps=3, batch_size=8, noise_multiplier=0.5, clip=1.0, seed=0, device="cpu", **QUIET)
    moved = {name for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    assert moved == {"head.weight", "head.bias", *(n for n in before if n.endswith((".A", ".B")))}
