"""Networks with trained weights: inputs, features and stages against Keras' and torchvision's own."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from medtl_helpers.methods import backbones, nets
from medtl_helpers.methods.backbones import CaffeInput, ImageNetInput, resnet18, small_resnet, vgg16
from medtl_helpers.methods.nets import CourseCNN
from medtl_helpers.methods.predict import to_float

NETWORKS = {
    "CourseCNN": lambda classes: CourseCNN(3, classes, width=8),
    "vgg16": vgg16,
    "small_resnet": lambda classes: small_resnet(classes, width=8),
    "resnet18": resnet18,
}

STAGES = {
    "CourseCNN": ["stage1", "stage2", "stage3"],
    "vgg16": ["block1", "block2", "block3", "block4", "block5"],
    "small_resnet": ["stem", "layer1", "layer2", "layer3", "layer4"],
    "resnet18": ["stem", "layer1", "layer2", "layer3", "layer4"],
}
made = {}


def network(name):
    """One of each, with fresh statistics in its batch norm and in eval mode; a copy costs less than drawing anew."""
    if name not in made:
        torch.manual_seed(0)
        made[name] = NETWORKS[name](4).eval()
        for module in made[name].modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
    return copy.deepcopy(made[name])


def images(n=2, channels=3, size=32, seed=0):
    return torch.randint(0, 256, (n, channels, size, size), generator=torch.Generator().manual_seed(seed)).byte()


# --- inputs ----------------------------------------------------------------------------------------------------------


def test_the_input_of_vgg16_is_keras_preprocess_input_of_bytes():
    from keras.applications.vgg16 import preprocess_input

    x = images(5, size=9)
    wanted = preprocess_input(x.permute(0, 2, 3, 1).numpy().astype("float32"))
    ours = CaffeInput()(to_float(x)).permute(0, 2, 3, 1)
    np.testing.assert_allclose(ours, wanted, atol=1e-4)


def test_the_input_of_resnet_is_torchvisions_own_normalisation():
    from torchvision.models import ResNet18_Weights
    from torchvision.transforms.functional import normalize

    theirs = ResNet18_Weights.DEFAULT.transforms()
    x = images(5, size=9)
    wanted = normalize(x.float() / 255, theirs.mean, theirs.std)
    torch.testing.assert_close(ImageNetInput()(to_float(x)), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["vgg16", "small_resnet", "resnet18"])
def test_a_grey_image_is_three_equal_channels(name):
    model, grey = network(name), to_float(images(channels=1))
    with torch.inference_mode():
        assert torch.equal(model(grey), model(grey.repeat(1, 3, 1, 1)))


@pytest.mark.parametrize("make", [CaffeInput, ImageNetInput])
def test_an_input_leaves_its_images_alone_and_has_nothing_to_save(make):
    """Its constants are no weights: they are neither trained nor written to a file, but move to the device."""
    x = to_float(images())
    before, module = x.clone(), make()
    module(x)
    assert torch.equal(x, before)
    assert not module.state_dict() and not list(module.parameters()) and list(module.buffers())


# --- against torchvision ---------------------------------------------------------------------------------------------


def copy_in_order(ours: nn.Module, theirs: nn.Module) -> None:
    """Weights and statistics from one network to another, one after the other as they stand, whatever their names."""
    mine, other = list(ours.state_dict().values()), list(theirs.state_dict().values())
    assert [value.shape for value in mine] == [value.shape for value in other]
    for target, source in zip(mine, other, strict=True):
        target.copy_(source)


def test_vgg16_computes_the_features_of_torchvisions():
    """``make_layers`` is what torchvision's vgg16().features is made by, without the 124 million weights behind it."""
    from torchvision.models.vgg import cfgs, make_layers

    torch.manual_seed(1)
    theirs = make_layers(cfgs["D"]).eval()
    ours = network("vgg16")
    copy_in_order(ours.stages, theirs)
    x = to_float(images(size=40))
    with torch.inference_mode():
        wanted = theirs(CaffeInput()(x)).mean((2, 3))
        torch.testing.assert_close(ours.features(x), wanted, rtol=1e-4, atol=1e-4)


def test_resnet18_computes_the_logits_of_torchvisions():
    from torchvision.models import resnet18 as torchvisions

    torch.manual_seed(1)
    theirs, ours = torchvisions(num_classes=4).eval(), network("resnet18")
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    copy_in_order(ours, theirs)
    x = to_float(images(size=64))
    with torch.inference_mode():
        torch.testing.assert_close(ours(x), theirs(ImageNetInput()(x)), rtol=1e-4, atol=1e-4)


def test_the_small_resnet_is_resnet18_at_half_the_width_behind_a_smaller_stem():
    """Behind the stem the same layers: torchvision's, built from its own blocks, with the weights copied over."""
    from torchvision.models.resnet import BasicBlock, ResNet

    theirs = ResNet(BasicBlock, [2, 2, 2, 2])
    half = [tuple(s // 2 if s > 3 else s for s in p.shape) for n, p in theirs.named_parameters() if "layer" in n]
    ours = small_resnet(7)
    assert [tuple(p.shape) for n, p in ours.named_parameters() if "layer" in n] == half
    with torch.inference_mode():
        assert ours.stages["stem"](torch.zeros(1, 3, 32, 32)).shape == (1, 32, 16, 16)
    assert sum(p.numel() for p in ours.stages.parameters()) == pytest.approx(2.8e6, rel=0.02)


@pytest.mark.parametrize("name", ["vgg16", "small_resnet", "resnet18"])
def test_convolutions_start_after_he_et_al(name):
    """Normal with variance 2 / (outputs × kernel area), and no bias; all large enough to measure it within 10 %."""
    torch.manual_seed(3)
    for module in NETWORKS[name](2).modules():
        if isinstance(module, nn.Conv2d):
            wanted = (2 / (module.out_channels * module.kernel_size[0] ** 2)) ** 0.5
            if module.weight.numel() > 1000:
                assert module.weight.std().item() == pytest.approx(wanted, rel=0.1)
            assert module.bias is None or not module.bias.any()


# --- stages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_the_stages_have_the_names_of_the_docstring_and_the_head_comes_last(name):
    model = network(name)
    assert list(model.stages) == STAGES[name] and list(model.parts()) == [*STAGES[name], "head"]
    documented = (nets.__doc__ + backbones.__doc__).splitlines()
    listed = next(line for line in documented if line.startswith(f"``{name}``"))
    assert STAGES[name][0] in listed and STAGES[name][-1] in listed
    assert model.part("head") is model.head and model.part(STAGES[name][1]) is model.stages[STAGES[name][1]]


@pytest.mark.parametrize("name", NETWORKS)
def test_logits_are_the_head_of_the_pooled_features_of_the_stages_in_their_order(name):
    model, x = network(name), to_float(images())
    with torch.inference_mode():
        y = model.input(x)
        for stage in STAGES[name]:
            y = model.stages[stage](y)
        features = y.mean((2, 3))
        torch.testing.assert_close(model.features(x), features, rtol=1e-4, atol=1e-5)
        assert features.shape == (2, model.head.in_features) and model(x).shape == (2, 4)
        torch.testing.assert_close(model(x), features @ model.head.weight.T + model.head.bias, rtol=1e-4, atol=1e-5)


def test_a_stage_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(ValueError) as caught:
        network("vgg16").part("block6")
    sentence = "There is no stage 'block6'; this network has block1, block2, block3, block4, block5, head."
    assert str(caught.value) == sentence
