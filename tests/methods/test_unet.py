"""U-Net against the paper's figure and against the same computed by hand; on other encoders; frozen, and adapted."""

import pytest
import torch
import torch.nn.functional as F
from outlined import discs
from torch import nn

from medtl_helpers.methods.adabn import adapt_batch_norm
from medtl_helpers.methods.backbones import small_resnet, vgg16
from medtl_helpers.methods.freezing import freeze, parameter_groups, parameter_report, unfreeze
from medtl_helpers.methods.mask_training import fit_masks
from medtl_helpers.methods.nets import CourseCNN, StagedNet
from medtl_helpers.methods.predict import to_float
from medtl_helpers.methods.staged import staged
from medtl_helpers.methods.unet import OutlineNet, UNet, unet_on


def images(n=2, channels=3, height=32, width=32):
    return torch.randn(n, channels, height, width, generator=torch.Generator().manual_seed(0))


def small(**options):
    torch.manual_seed(0)
    return UNet(**{"channels": 3, "classes": 2, "width": 4, "depth": 2} | options)


def in_use(model):
    """With statistics of batch norm that are not 0 and 1."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias)
    return model.eval()


def test_the_papers_size_has_the_papers_23_convolutions_and_their_channels():
    with torch.device("meta"):
        convolutions = [m for m in UNet(1, 2, width=64, depth=4).modules() if isinstance(m, nn.Conv2d)]
    of_three = [m for m in convolutions if m.kernel_size == (3, 3)]
    assert len(convolutions) == 23
    assert [m.out_channels for m in of_three[::2]] == [64, 128, 256, 512, 1024, 512, 256, 128, 64]
    assert [m.in_channels for m in of_three[::2]] == [1, 64, 128, 256, 512, 1024, 512, 256, 128]
    assert all(m.in_channels == m.out_channels for m in of_three[1::2])


def by_hand(model, x):
    """The network of depth 2, written out with its weights alone."""
    own = model.state_dict()

    def two(x, place):
        for k in (0, 3):
            x = F.conv2d(x, own[f"{place}.{k}.weight"], padding=1)
            mean, var, weight, bias = (
                own[f"{place}.{k + 1}.{name}"].view(1, -1, 1, 1)
                for name in ("running_mean", "running_var", "weight", "bias")
            )
            x = ((x - mean) / (var + 1e-5).sqrt() * weight + bias).clamp_min(0)
        return x

    def up(x, skip, place):
        x = F.conv2d(x, own[f"{place}.narrow.weight"], own[f"{place}.narrow.bias"])
        x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        return two(torch.cat([skip, x], 1), f"{place}.convolutions")

    one = two(x, "stages.down1")
    half = two(F.max_pool2d(one, 2), "stages.down2.1")
    quarter = two(F.max_pool2d(half, 2), "stages.middle.1")
    return F.conv2d(up(up(quarter, half, "stages.up2"), one, "stages.up1"), own["head.weight"], own["head.bias"])


def test_it_computes_what_is_written_out_by_hand():
    model, x = in_use(small(classes=3)), images()
    with torch.no_grad():
        torch.testing.assert_close(model(x), by_hand(model, x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(31, 33), (8, 50), (1, 3)])
def test_any_size_is_continued_by_its_last_pixels_and_cut_again(height, width):
    model, x = in_use(small()), images(height=height, width=width)
    rows = torch.arange(height + -height % 4).clamp_max(height - 1)
    columns = torch.arange(width + -width % 4).clamp_max(width - 1)
    with torch.no_grad():
        wanted = by_hand(model, x[:, :, rows][:, :, :, columns])[..., :height, :width]
        torch.testing.assert_close(model(x), wanted, rtol=1e-4, atol=1e-4)


def test_its_stages_are_named_in_the_order_of_computation():
    assert list(small(depth=3).parts()) == ["down1", "down2", "down3", "middle", "up3", "up2", "up1", "head"]


def test_the_embedded_size_has_less_than_200_000_weights():
    assert sum(p.numel() for p in UNet(3, 2, width=8, depth=3).parameters()) == 113_122


# --- on other encoders -----------------------------------------------------------------------------------------------


def stages_of_one_size():
    return StagedNet({"a": nn.Conv2d(1, 6, 3, padding=1), "b": nn.Conv2d(6, 5, 1), "c": nn.MaxPool2d(4)}, 5, 2)


def with_hidden_layers():
    torch.manual_seed(0)
    convolutional = nn.Sequential(nn.Conv2d(1, 6, 3, 2, 1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 7, 3, padding=1))
    layers = convolutional, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(7, 9), nn.ReLU(), nn.Linear(9, 2)
    return staged(nn.Sequential(*layers), normalise=None)


ENCODERS = {
    "CourseCNN": (lambda: CourseCNN(1, 2, width=8), ["up2", "up1", "up0"], 8),
    "ResNet": (lambda: small_resnet(2, width=4), ["up4", "up3", "up2", "up1", "up0"], 16),
    "VGG16": (lambda: vgg16(2), ["up4", "up3", "up2", "up1", "up0"], 32),
    "one size": (stages_of_one_size, ["up2", "up1"], 4),
    "hidden layers": (with_hidden_layers, ["up1", "up0"], 4),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_any_network_of_stages_can_be_the_way_down(name):
    make, ups, stride = ENCODERS[name]
    encoder = make()
    model = unet_on(encoder, classes=3)
    x = images(1, next(p for p in encoder.parameters() if p.ndim == 4).shape[1], 40, 33)
    maps = [stage for stage in encoder.stages if stage != "hidden"]
    assert list(model.stages) == [*maps, *ups] and model.stride == stride
    assert model(x).shape == (1, 3, 40, 33)
    assert all(model.stages[stage] is encoder.stages[stage] for stage in maps)


def test_what_is_frozen_in_the_encoder_stays_frozen_and_its_input_is_taken_over():
    encoder = freeze(small_resnet(2, width=4), upto="layer2")
    model = unet_on(encoder)
    assert model.frozen == {"stem", "layer1", "layer2"} and model.input is encoder.input
    assert not model.train().stages["layer1"].training and model.stages["up1"].training


def test_every_map_of_the_encoder_reaches_the_output_past_the_deepest():
    model = unet_on(CourseCNN(1, 2, width=8).eval()).eval()
    nn.init.zeros_(model.stages["up2"].narrow.weight)  # nothing of the deepest map passes on
    for name in ("stage1", "stage2"):
        seen = []
        model.stages[name].register_forward_hook(lambda *args, seen=seen: args[2].retain_grad() or seen.append(args[2]))
        model(images(1, 1))[0, 0, 16, 16].backward()
        assert seen[0].grad.abs().sum() > 0, name


def test_looking_at_an_encoder_changes_nothing_of_it():
    encoder = small_resnet(2, width=4).train()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    assert unet_on(encoder).training and encoder.training
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


# --- frozen, and adapted ---------------------------------------------------------------------------------------------


def trained(model, **options):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fit_masks(model, discs(8, 16, 3), discs(4, 16, 3, seed=1), epochs=2, lr=0.01, progress=False, **options)
    return {name.split(".")[1] if name.startswith("stages") else "head" for name, value in model.state_dict().items()
            if not torch.equal(value, before[name])}  # fmt: skip


def test_frozen_stages_are_bit_identical_after_training_with_their_batch_norm():
    assert trained(freeze(small(), upto="middle")) == {"up2", "up1", "head"}
    assert trained(freeze(small(), "down1", "up2")) == {"down2", "middle", "up1", "head"}
    assert trained(unfreeze(freeze(small()), "head")) == {"head"}
    assert trained(small()) == {"down1", "down2", "middle", "up2", "up1", "head"}


def test_stages_have_rates_of_their_own():
    model = freeze(small(), "down1")
    groups = parameter_groups(model, 0.01, 0.5)
    assert [group["name"] for group in groups] == ["head", "up1", "up2", "middle", "down2"]
    assert groups[-1]["lr"] == 0.01 * 0.5**4
    assert trained(model, optimizer=torch.optim.SGD(groups)) == {"down2", "middle", "up2", "up1", "head"}


def test_adabn_gives_its_first_batch_norm_the_statistics_of_the_target():
    model, (x, _) = small(), discs(8, 16, 3)
    before = {name: p.clone() for name, p in model.named_parameters()}
    adapt_batch_norm(model, 255 - x, batch_size=8)
    with torch.no_grad():
        maps = model.stages["down1"][0](to_float(255 - x))
    norm = model.stages["down1"][1]
    torch.testing.assert_close(norm.running_mean, maps.mean((0, 2, 3)))
    torch.testing.assert_close(norm.running_var, maps.var((0, 2, 3), unbiased=True))
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())


def test_a_u_net_is_no_encoder_and_neither_is_a_network_of_sequences():
    for other in (small(), StagedNet({"a": nn.Conv1d(4, 8, 3)}, 8, 2)):
        with pytest.raises(ValueError, match="give a network that names images, like CourseCNN"):
            unet_on(other)
    assert isinstance(small(), OutlineNet)


def test_the_report_has_a_row_for_each_stage_with_multiply_adds_counted_by_hand():
    report = parameter_report(freeze(small(), upto="middle"), size=32)
    three = 9 * 32**2 * (3 * 4 + 4 * 4)
    up = 8 * 4 * 16**2 + 9 * 32**2 * (8 * 4 + 4 * 4)  # narrowed at half the size, then two convolutions
    million = report["multiply-adds (millions)"]
    assert million["down1"] == pytest.approx(three / 1e6) and million["up1"] == pytest.approx(up / 1e6)
    assert million["head"] == pytest.approx(4 * 2 * 32**2 / 1e6)
    assert report.loc["middle", "trainable"] == 0 < report.loc["up2", "trainable"] == report.loc["up2", "weights"]
