"""The course's own network: its layers, its size, and what its normalisation does."""

import pytest
import torch
from torch import nn

from medtl_helpers.methods.nets import CourseCNN
from medtl_helpers.methods.predict import to_float


def images(n=2, channels=3, size=32, seed=0):
    return torch.randint(0, 256, (n, channels, size, size), generator=torch.Generator().manual_seed(seed)).byte()


@pytest.mark.parametrize("norm", ["group", "batch"])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_course_network_is_a_plain_row_of_layers(norm, channels):
    """From the same seed the same start, logits and gradients as a plain Sequential."""
    norms = {"group": lambda width: nn.GroupNorm(width // 8, width), "batch": nn.BatchNorm2d}
    torch.manual_seed(5)
    layers = []
    for before, after in ((channels, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), norms[norm](after), nn.ReLU(), nn.MaxPool2d(2)]
    plain = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 3))
    torch.manual_seed(5)
    model = CourseCNN(channels, 3, norm=norm)
    x = to_float(images(6, channels, size=16))
    for mode in (True, False):
        ours, wanted = model.train(mode)(x), plain.train(mode)(x)
        torch.testing.assert_close(ours, wanted)  # to rounding: its memory format is another
    for logits in (ours, wanted):
        logits.square().sum().backward()
    for mine, theirs in zip(model.parameters(), plain.parameters(), strict=True):
        assert torch.equal(mine, theirs)
        torch.testing.assert_close(mine.grad, theirs.grad)


@pytest.mark.parametrize("norm", ["group", "batch"])
@pytest.mark.parametrize("channels, classes, width", [(1, 2, 16), (3, 8, 8)])
def test_the_network_maps_images_to_logits_with_the_expected_number_of_weights(norm, channels, classes, width):
    model = CourseCNN(channels, classes, width, norm)
    assert model(torch.zeros(2, channels, 28, 20)).shape == (2, classes)
    convolutions = 9 * (channels * width + 2 * width**2 + 8 * width**2)
    norms, head = 2 * (width + 2 * width + 4 * width), (4 * width + 1) * classes
    assert sum(p.numel() for p in model.parameters()) == convolutions + norms + head


@pytest.mark.parametrize("norm, agrees", [("group", True), ("batch", False)])
def test_group_norm_computes_the_same_in_train_and_eval_mode_and_batch_norm_does_not(norm, agrees):
    torch.manual_seed(0)
    model, x = CourseCNN(3, 4, norm=norm), to_float(images(12, size=16))
    with torch.no_grad():
        training, evaluating = model.train()(x), model.eval()(x)
        alone = torch.cat([model(one[None]) for one in x])
    assert torch.equal(training, evaluating) is agrees
    torch.testing.assert_close(alone, evaluating)  # in eval mode an image's logits do not depend on its batch


def test_an_unknown_normalisation_is_named():
    with pytest.raises(ValueError, match="no normalisation 'layer' here: choose 'group' or 'batch'"):
        CourseCNN(1, 2, norm="layer")
