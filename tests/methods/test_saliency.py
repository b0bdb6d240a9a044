"""Saliency maps beside captum, and beside what can be computed by hand for a linear network."""

import numpy as np
import pytest
import torch
from networks import data, network
from torch import nn

from medtl_helpers.methods.explaining import EMPTY
from medtl_helpers.methods.grad_cam import grad_cam
from medtl_helpers.methods.predict import to_float
from medtl_helpers.methods.saliency import gradient_map, integrated_gradients, occlusion

NAMES = ("CourseCNN", "CourseCNN, batch norm", "small_resnet")


def case(name, n=4):
    model = network(name).eval()
    torch.manual_seed(1)
    x = torch.randint(0, 256, (n, 3, 16, 16), dtype=torch.uint8)
    return model, x, torch.arange(n) % 3


@pytest.fixture(scope="module")
def attr():
    return pytest.importorskip("captum.attr")


@pytest.mark.parametrize("name", NAMES)
def test_grad_cam_is_captums(attr, name):
    model, x, c = case(name)
    stage = list(model.stages)[1]
    theirs = attr.LayerGradCam(model, model.stages[stage]).attribute(to_float(x), c, relu_attributions=True)[:, 0]
    theirs = theirs / theirs.amax((1, 2), keepdim=True).clamp_min(1e-12)
    ours = grad_cam(model, x, c, stage)
    assert ours.dtype == np.float32 and ours.min() >= 0 and ours.max() == pytest.approx(1)
    np.testing.assert_allclose(ours, theirs.detach(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_captums(attr, name):
    model, x, c = case(name)
    theirs = attr.Saliency(model).attribute(to_float(x), c).amax(1)
    np.testing.assert_allclose(gradient_map(model, x, c), theirs, rtol=1e-4, atol=1e-7)


@pytest.mark.filterwarnings("ignore:Setting backward hooks")
@pytest.mark.parametrize("name", NAMES[:2])  # captum's refuses a ReLU that is used twice, as in a residual block
def test_guided_gradients_are_captums(attr, name):
    model, x, c = case(name)
    theirs = attr.GuidedBackprop(model).attribute(to_float(x), c).abs().amax(1)
    ours = gradient_map(model, x, c, guided=True)
    np.testing.assert_allclose(ours, theirs.detach(), rtol=1e-4, atol=1e-7)
    assert not np.allclose(ours, gradient_map(model, x, c))


def test_after_guided_gradients_the_network_is_what_it_was():
    model, x, c = case("small_resnet")
    before = gradient_map(model, x, c)
    inplace = [layer.inplace for layer in model.modules() if isinstance(layer, nn.ReLU)]
    gradient_map(model, x, c, guided=True)
    assert inplace == [layer.inplace for layer in model.modules() if isinstance(layer, nn.ReLU)] and any(inplace)
    np.testing.assert_array_equal(before, gradient_map(model, x, c))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("baseline", EMPTY)
def test_integrated_gradients_are_captums(attr, name, baseline):
    model, x, c = case(name)
    images = to_float(x)
    theirs = attr.IntegratedGradients(model).attribute(
        images, EMPTY[baseline](images).contiguous(), c, n_steps=8, method="riemann_middle"
    )
    ours = integrated_gradients(model, x, c, steps=8, baseline=baseline, signed=True)
    np.testing.assert_allclose(ours, theirs.sum(1).detach(), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", NAMES[1:])  # group norm has no gradient in an image that is the same everywhere
def test_integrated_gradients_are_complete(name):
    model, x, c = case(name)
    images = to_float(x)
    maps = integrated_gradients(model, x, c, steps=60, signed=True)
    with torch.no_grad():
        difference = (model(images) - model(EMPTY["mean"](images))).gather(1, c[:, None])[:, 0]
    np.testing.assert_allclose(maps.sum((1, 2)), difference, atol=0.05 * difference.abs().max().item())
    assert (integrated_gradients(model, x, c, steps=4) >= 0).all()


@pytest.mark.parametrize("window, stride", [(4, 4), (5, 3), (3, 2)])
def test_occlusion_is_what_the_logit_loses(window, stride):
    model, x, c = case("CourseCNN")
    images, total, times = to_float(x), np.zeros((4, 16, 16)), np.zeros((16, 16))
    mean = images.mean((2, 3))
    places = [*range(0, 16 - window, stride), 16 - window]
    with torch.no_grad():
        whole = model(images)
        for top in places:
            for left in places:
                for k in range(4):
                    covered = images[k : k + 1].clone()
                    covered[0, :, top : top + window, left : left + window] = mean[k][:, None, None]
                    total[k, top : top + window, left : left + window] += (whole[k] - model(covered)[0])[c[k]].item()
                times[top : top + window, left : left + window] += 1
    found = occlusion(model, x, c, window=window, stride=stride, signed=True)
    np.testing.assert_allclose(found, total / times, rtol=1e-3, atol=1e-5)
    assert times.min() >= 1


def test_occlusion_without_overlap_is_captums(attr):
    model, x, c = case("small_resnet")
    theirs = attr.Occlusion(model).attribute(
        to_float(x), sliding_window_shapes=(3, 4, 4), strides=(3, 4, 4), baselines=-1.0, target=c
    )
    ours = occlusion(model, x, c, window=4, stride=4, fill="black", signed=True)
    np.testing.assert_allclose(ours, theirs[:, 0], rtol=1e-3, atol=1e-5)


def test_before_black_a_black_lesion_gets_nothing():
    model, x, c = case("CourseCNN")
    x[:, :, 4:9, 4:9] = 0
    assert np.abs(integrated_gradients(model, x, c, baseline="black", signed=True)[:, 4:9, 4:9]).max() == 0
    assert np.abs(integrated_gradients(model, x, c, signed=True)[:, 4:9, 4:9]).max() > 0


@pytest.mark.parametrize("explain", [grad_cam, gradient_map, occlusion, integrated_gradients])
def test_batches_and_frozen_weights_change_nothing_nor_do_the_images_change(explain):
    model, x, c = case("CourseCNN, batch norm", 5)
    images = to_float(x)
    kept = images.clone()
    whole = explain(model.train(), images, c)
    assert not model.training and torch.equal(images, kept) and not images.requires_grad
    model.requires_grad_(False)
    np.testing.assert_allclose(explain(model, x, c, batch_size=2), whole, rtol=1e-4, atol=1e-6)


def test_a_plain_network_of_torch_is_explained_by_the_name_of_a_layer():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    x, y = data(6)
    with torch.no_grad():
        a = model[:2](to_float(x))
    expected = (model[4].weight[y][:, :, None, None] * a).sum(1).relu().detach()  # the class activation map
    expected = expected / expected.amax((1, 2), keepdim=True).clamp_min(1e-12)
    np.testing.assert_allclose(grad_cam(model, x, y, "1"), expected, rtol=1e-4, atol=1e-6)
    with pytest.raises(
        ValueError, match="layer is None: give the name of a layer of this network, which ends in 2, 3, 4"
    ):
        grad_cam(model, x, y)
    with pytest.raises(ValueError, match="The layer 3 makes no maps"):
        grad_cam(model, x, y, "3")
