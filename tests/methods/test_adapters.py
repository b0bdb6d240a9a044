"""BitFit, adapters and soft prompts: what each trains, where it begins, and what the papers' formulas give."""

import pytest
import torch
import torch.nn.functional as F
from networks import QUIET, data, network
from test_lora import texts
from torch import nn
from torchvision.models import vgg16

from medtl_helpers.methods.adapters import Adapter, Prompt, adapters, bitfit, soft_prompt
from medtl_helpers.methods.few_weights import head_of, trainable
from medtl_helpers.methods.nets import CourseCNN
from medtl_helpers.methods.predict import predict, to_float
from medtl_helpers.methods.train import fit
from medtl_helpers.methods.transformer import TextTransformer


def trains(model):
    return {name for name, p in model.named_parameters() if p.requires_grad}


def test_bitfit_trains_every_bias_and_the_head():
    model = bitfit(TextTransformer(2, 50))
    assert trains(model) == {name for name, _ in model.named_parameters() if name.endswith("bias")} | {"head.weight"}
    per_block = 4 * 64 + 2 * 64 + 256 + 64  # of attention, two norms, and the two layers behind
    assert trainable(model)[0] == 2 * per_block + 2 * 64 + 2
    torch_own = bitfit(nn.Sequential(nn.TransformerEncoderLayer(16, 2, 32), nn.Linear(16, 2)))
    assert "0.self_attn.in_proj_bias" in trains(torch_own)
    with torch.device("meta"):  # counted, and not computed
        vgg = bitfit(vgg16(weights=None))
    assert trainable(vgg)[0] == 64 * 2 + 128 * 2 + 256 * 3 + 512 * 6 + 4096 * 2 + 4096 * 1000 + 1000


def test_with_norms_their_scales_train_too():
    scales = {name for name, p in network().named_parameters() if p.ndim == 1 and name.endswith("weight")}
    biases = trains(bitfit(network()))
    assert scales and not biases & scales
    assert trains(bitfit(network(), norms=True)) == biases | scales


@pytest.mark.parametrize("norm", ["group", "batch"])
def test_bitfit_is_the_network_until_it_trains_and_then_only_what_it_chose_has_moved(norm):
    model = CourseCNN(3, 3, width=8, norm=norm)
    start = {name: value.clone() for name, value in bitfit(model, norms=True).state_dict().items()}
    fit(model, data(), epochs=2, batch_size=8, lr=1e-2, device="cpu", **QUIET)
    moved = {name for name, value in model.state_dict().items() if not torch.equal(value, start[name])}
    assert moved == trains(model) and all(start[name].ndim == 1 for name in moved - {"head.weight"})


@pytest.mark.parametrize(
    "make, options, x",
    [
        (lambda: TextTransformer(2, 50), {}, texts()),
        (network, {"where": "conv2"}, to_float(data()[0])),
        (lambda: nn.Sequential(nn.Conv1d(4, 8, 3), nn.Flatten(), nn.Linear(144, 2)), {"where": "0"},
         torch.rand(3, 4, 20)),
    ],
    ids=["texts", "ResNet", "sequences"],
)  # fmt: skip
def test_adapters_begin_as_the_network_to_the_bit_and_training_moves_them_the_norms_and_the_head(make, options, x):
    torch.manual_seed(0)
    model = make().eval()
    with torch.no_grad():
        wanted = model(x)
    adapters(model, **options)
    with torch.no_grad():
        assert torch.equal(model.eval()(x), wanted)
    start = {name: value.clone() for name, value in model.state_dict().items()}
    fit(model, (x, torch.arange(len(x)) % 2), epochs=3, batch_size=4, lr=1e-2, device="cpu", **QUIET)
    moved = {name for name, value in model.state_dict().items() if not torch.equal(value, start[name])}
    few = (Adapter, nn.LayerNorm, nn.BatchNorm2d)
    chosen = {layer for part in model.modules() if isinstance(part, few) for layer in part.modules()}
    chosen |= {head_of(model)}
    assert (
        moved
        == trains(model)
        == {
            f"{name}.{own}"
            for name, layer in model.named_modules()
            if layer in chosen
            for own in vars(layer)["_parameters"]
        }
    )
    copied = adapters(make(), **options).eval()
    copied.load_state_dict(model.state_dict())
    with torch.no_grad():
        assert torch.equal(copied(x), model.eval()(x))


def test_an_adapter_is_the_bottleneck_of_the_paper():
    torch.manual_seed(0)
    adapter, x = Adapter(nn.Linear(9, 6), 2), torch.randn(4, 3, 6)
    assert sum(p.numel() for p in adapter.parameters()) == 2 * 2 * 6 + 6 + 2  # 2md + d + m, section 2.1
    nn.init.normal_(adapter.up.weight)
    hidden = x @ adapter.down.weight.T + adapter.down.bias
    torch.testing.assert_close(adapter(x), x + F.gelu(hidden) @ adapter.up.weight.T + adapter.up.bias)
    pixels = Adapter(nn.Conv2d(9, 6, 3), 2)
    for one, other in zip(pixels.parameters(), adapter.parameters(), strict=True):
        one.data = other.data.view_as(one)
    maps = torch.randn(4, 6, 5, 7)  # each pixel by itself
    torch.testing.assert_close(pixels(maps), adapter(maps.movedim(1, -1)).movedim(-1, 1), atol=1e-5, rtol=1e-5)


def test_in_a_block_of_the_transformer_they_stand_before_the_sum():
    model = adapters(TextTransformer(2, 50), 3, where="down").eval()
    block, x = model.stages["block1"], model.stages["embed"](texts())
    nn.init.normal_(block.down[1].up.weight)
    with torch.no_grad():
        attended = x + block.out(
            (block.attention(x) @ block._split(block.value(block.norm1(x)))).transpose(1, 2).flatten(2)
        )
        linear, adapter = block.down
        wanted = attended + adapter(linear(F.gelu(block.up(block.norm2(attended)))))
        known = (x != 0).any(-1, keepdim=True)
        torch.testing.assert_close(block(x), wanted * known)


def test_a_soft_prompt_gives_every_text_the_same_vectors_behind_its_last_place():
    torch.manual_seed(0)
    model, x = TextTransformer(2, 50), texts()
    table = model.stages["embed"].token.weight.detach().clone()
    plain = model.stages["embed"](x)
    soft_prompt(model, 5)
    assert trains(model) == {"stages.embed.1.vectors", "head.weight", "head.bias"}
    assert trainable(model)[0] == 5 * 64 + 2 * 64 + 2
    out = model.stages["embed"](x)
    assert torch.equal(out[:, :48], plain) and out.shape == (6, 53, 64)
    for vectors in out[:, 48:]:
        assert torch.equal(vectors, model.stages["embed"][1].vectors)
    assert all((table[1:] == vector).all(1).any() for vector in model.stages["embed"][1].vectors)
    before = predict(model, x, device="cpu")
    fit(model, (x, torch.arange(6) % 2), epochs=20, lr=0.05, device="cpu", **QUIET)
    assert (predict(model, x, device="cpu") - before).abs().max() > 0.05
    assert torch.equal(model.stages["embed"][0].token.weight, table)


@pytest.mark.parametrize("pool", ["centre", "mean"])
def test_a_prompt_that_no_token_looks_at_changes_nothing_where_the_finding_stands(pool):
    """Zeros count as padding, so a prompt of zeros is none at all; L // 2 is where it was."""
    torch.manual_seed(0)
    model, x = TextTransformer(2, 50, pool=pool).eval(), texts()
    with torch.no_grad():
        wanted = model(x)
        prompt = soft_prompt(model, 3).stages["embed"][1]
        assert isinstance(prompt, Prompt) and not torch.allclose(model(x), wanted, atol=1e-4)
        prompt.vectors.zero_()
        torch.testing.assert_close(model(x), wanted, atol=1e-5, rtol=1e-5)


def test_what_is_refused_is_left_as_it_was():
    for call, model in (
        (bitfit, nn.Sequential(nn.Conv2d(1, 2, 3, bias=False), nn.Linear(2, 2))),
        (lambda m: adapters(m, where="layer9"), network()),
        (soft_prompt, network()),
    ):
        names, before = list(model.state_dict()), trains(model)
        with pytest.raises(ValueError):
            call(model)
        assert list(model.state_dict()) == names and trains(model) == before
