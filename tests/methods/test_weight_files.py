"""Files of Keras and torch: each layout read bit for bit, written as the same bytes, batch norm folded."""

import numpy as np
import pytest
import torch
from torch import nn
from weight_samples import LAYOUTS, h5, has, keras_arrays, small_resnet, statistics

from medtl_helpers.methods import backbones, weight_files, weights
from medtl_helpers.methods.predict import to_float
from medtl_helpers.methods.weight_files import load_resnet, load_vgg16, read_vgg16, write_vgg16
from medtl_helpers.methods.weights import load_backbone

pytestmark = pytest.mark.usefixtures("nothing_fetched")

# --- VGG16's file ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_that_keras_ever_wrote_is_read_bit_for_bit(layout, tmp_path, convolutions):
    """Though HDF5 sorts conv2d_10 before conv2d_2."""
    path = h5(tmp_path / "trunk.h5", keras_arrays(convolutions, *LAYOUTS[layout]))
    model = backbones.vgg16(2)
    load_vgg16(model, path)
    assert has(model, convolutions)
    for (kernel, bias), (w, b) in zip(read_vgg16(path), convolutions, strict=True):
        assert kernel.dtype == bias.dtype == torch.float32 and torch.equal(kernel, w) and torch.equal(bias, b)


def test_dense_layers_and_an_optimisers_moments_in_the_file_do_no_harm(tmp_path, convolutions):
    """A classifier around VGG16, trained and saved."""
    kernel, bias = LAYOUTS["Keras 3 .weights.h5"]
    arrays = keras_arrays(convolutions, kernel, bias)
    moments = {f"optimizer/vars/{k + 2}": values for k, values in enumerate(arrays.values())}
    dense = {"layers/dense/vars/0": np.zeros((512, 2), "float32"), "layers/dense/vars/1": np.zeros(2, "float32")}
    path = h5(tmp_path / "trained.weights.h5", arrays | moments | dense)
    assert all(torch.equal(ours[0], w) for ours, (w, _) in zip(read_vgg16(path), convolutions, strict=True))


def test_reading_costs_no_random_number(trunk):
    before = torch.get_rng_state()
    read_vgg16(trunk)
    assert torch.equal(torch.get_rng_state(), before)


def test_keras_reads_the_written_file_and_computes_the_same_features(written, keras_vgg16):
    """From the same bytes 0..255: Keras through its preprocess_input, torch through the network's own input."""
    from keras.applications.vgg16 import preprocess_input

    keras_vgg16.load_weights(written)
    x = torch.randint(0, 256, (2, 3, 32, 32), generator=torch.Generator().manual_seed(1)).byte()
    theirs = keras_vgg16(preprocess_input(x.permute(0, 2, 3, 1).numpy().astype("float32")))
    theirs = theirs.detach().cpu().mean((1, 2))
    model = load_backbone("vgg16", 2, weights=written, quiet=True)
    with torch.inference_mode():
        ours = model.features(to_float(x))
    assert ours.std() > 0.1
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3 * ours.abs().max().item())


def test_what_keras_writes_is_read(keras_vgg16, tmp_path):
    path = tmp_path / "keras.weights.h5"
    keras_vgg16.save_weights(path)
    model = backbones.vgg16(2)
    load_vgg16(model, path)
    layers = [layer for layer in keras_vgg16.layers if layer.weights]
    theirs = [[torch.from_numpy(values) for values in layer.get_weights()] for layer in layers]
    assert has(model, [(kernel.permute(3, 2, 0, 1), bias) for kernel, bias in theirs])


@pytest.mark.parametrize("network", ["vgg16", "resnet"])
def test_the_same_weights_are_written_as_the_same_bytes_and_no_unfinished_file_is_left(tmp_path, convolutions, network):
    """So that git sees no change where there is none; the folder is made where it is missing."""
    written = []
    for folder in ("one", "two"):
        path = tmp_path / folder / "deep" / weights.EMBEDDED[network]
        write_vgg16(path, convolutions[:3]) if network == "vgg16" else weight_files.write_resnet(path, small_resnet())
        written.append(path.read_bytes())
        assert list(path.parent.iterdir()) == [path]
    assert written[0] == written[1]


def test_the_file_is_in_half_precision_and_half_the_size(written, convolutions):
    assert all(torch.equal(ours, w) for (ours, _), (w, _) in zip(read_vgg16(written), convolutions, strict=True))
    assert written.stat().st_size < 2.1 * sum(kernel.numel() + bias.numel() for kernel, bias in convolutions)


# --- folding batch norm ----------------------------------------------------------------------------------------------


def normed(double):
    """Three convolutions with batch norm as in vgg16_bn, with statistics and scales that matter, in eval mode."""
    torch.manual_seed(2)
    layers, before = [], 3
    for width in (8, 16, 16):
        layers += [nn.Conv2d(before, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
        before = width
    layers = nn.Sequential(*layers[:6], nn.MaxPool2d(2), *layers[6:])
    statistics(layers)
    return layers.double().eval() if double else layers.eval()


def folded(layers, cast=None):
    """The plain network of the folded convolutions."""
    plain, fused = [], iter(weight_files.fold_batch_norm(layers))
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            kernel, bias = next(fused)
            new = nn.Conv2d(layer.in_channels, layer.out_channels, 3, padding=1, dtype=kernel.dtype)
            cast = cast or kernel.dtype
            new.weight.data, new.bias.data = kernel.to(cast).to(kernel.dtype), bias.to(cast).to(kernel.dtype)
            plain.append(new)
        elif not isinstance(layer, nn.BatchNorm2d):
            plain.append(layer)
    return nn.Sequential(*plain).eval()


def test_folding_batch_norm_changes_nothing_but_rounding():
    layers, x = normed(True), torch.randn(4, 3, 12, 12, dtype=torch.float64)
    before = {name: value.clone() for name, value in layers.state_dict().items()}
    with torch.no_grad():
        torch.testing.assert_close(folded(layers)(x), layers(x), rtol=1e-12, atol=1e-12)
    assert all(torch.equal(value, before[name]) for name, value in layers.state_dict().items())


def test_folding_is_the_formula_of_the_docstring():
    layers = normed(True)
    convolution, norm = layers[3], layers[4]
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    kernel, bias = weight_files.fold_batch_norm(layers)[1]
    torch.testing.assert_close(kernel, (convolution.weight * scale[:, None, None, None]).detach())
    torch.testing.assert_close(bias, ((convolution.bias - norm.running_mean) * scale + norm.bias).detach())
    assert not kernel.requires_grad and len(weight_files.fold_batch_norm(layers)) == 3


def test_half_precision_drifts_by_a_few_of_its_roundings():
    """Its relative rounding is 2⁻¹¹; the outputs may move by a few times that of their size, and do move."""
    layers, x = normed(False), torch.randn(4, 3, 12, 12)
    with torch.no_grad():
        wanted, ours = layers(x), folded(layers, torch.float16)(x)
    drift = ((ours - wanted).abs().mean() / wanted.abs().mean()).item()
    assert 1e-6 < drift < 4 * 2**-11


def test_a_folded_vgg16_computes_the_features_that_it_had_with_batch_norm(tmp_path):
    """The whole way of pre-training: torchvision's vgg16_bn, folded, cast, written and read again."""
    from torchvision.models.vgg import cfgs, make_layers

    torch.manual_seed(3)
    trunk = make_layers(cfgs["D"], batch_norm=True)
    for module in trunk.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    x = to_float(torch.randint(0, 256, (8, 3, 32, 32)).byte())
    model = backbones.vgg16(2).eval()
    with torch.no_grad():
        trunk.train()(model.input(x))  # statistics of real activations
        write_vgg16(tmp_path / "folded.weights.h5", weight_files.fold_batch_norm(trunk))
        load_vgg16(model, tmp_path / "folded.weights.h5")
        wanted = trunk.eval()(model.input(x)).mean((2, 3))
        ours = model.features(x)
    assert ((ours - wanted).norm() / wanted.norm()).item() < 0.01


# --- ResNet's file ---------------------------------------------------------------------------------------------------


def test_a_resnet_comes_back_from_its_file_statistics_and_all(resnet_file):
    """Convolutions to half precision, everything else bit for bit."""
    wrote, model = small_resnet(), backbones.small_resnet(3).eval()
    head = model.head.weight.clone()
    load_resnet(model, resnet_file)
    assert torch.equal(model.head.weight, head)
    for name, value in model.stages.state_dict().items():
        theirs = wrote.stages.state_dict()[name]
        if "num_batches" not in name:
            assert torch.equal(value, theirs.half().float() if value.ndim == 4 else theirs), name
    x = torch.randn(2, 3, 32, 32)
    with torch.inference_mode():
        ours, wanted = model.features(x), wrote.features(x)
    assert ((ours - wanted).norm() / wanted.norm()).item() < 4 * 2**-11


def test_torchvisions_state_dict_gives_torchvisions_features(torchvision_file):
    from torchvision.models import resnet18

    theirs, model = resnet18(num_classes=5).eval(), backbones.resnet18(2).eval()
    theirs.load_state_dict(torch.load(torchvision_file, weights_only=True))
    theirs.fc = nn.Identity()
    load_resnet(model, torchvision_file)
    x = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.inference_mode():
        torch.testing.assert_close(model.features(x), theirs(model.input(x)), rtol=1e-4, atol=1e-4)
