"""Plain networks cut into stages answer what they answered, and freeze, train and cache like the course's own."""

import copy

import pytest
import torch
import torchvision.models as tv
from networks import QUIET, agree, data, moved, sgd, state
from torch import nn

from medtl_helpers.methods.cache import fit_cached
from medtl_helpers.methods.features import prefix_features, stage_features
from medtl_helpers.methods.finetune import fine_tune, gradual_unfreeze, lp_ft, probe
from medtl_helpers.methods.freezing import freeze, parameter_groups, parameter_report
from medtl_helpers.methods.nets import StagedNet
from medtl_helpers.methods.staged import staged
from medtl_helpers.methods.train import fit

pytestmark = pytest.mark.usefixtures("one_processor_thread")

MEAN, STD = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


def narrow_vgg(make):
    """torchvision's VGG with narrow hidden layers: the real ones are 120 million weights."""
    with torch.device("meta"):
        model = make(weights=None, init_weights=False)
        model.classifier[0], model.classifier[3], model.classifier[6] = (
            nn.Linear(512 * 49, 20), nn.Linear(20, 12), nn.Linear(12, 5))  # fmt: skip
    model.to_empty(device="cpu")
    for module in model.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return model


class Small(nn.Module):
    """Like VGG: blocks of single layers, a hidden layer, dropout before the head."""

    def __init__(self, channels=3):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(inplace=True), nn.MaxPool2d(2))  # fmt: skip
        self.avgpool = nn.AdaptiveAvgPool2d(2)
        self.classifier = nn.Sequential(nn.Linear(64, 10), nn.ReLU(), nn.Dropout(0.3), nn.Linear(10, 3))

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def small(channels=3):
    torch.manual_seed(2)
    return Small(channels)


def numbered(name, n, *more):
    return [f"{name}{k}" for k in range(n)] + [*more, "head"]


LAYERS = ["stem", "layer1", "layer2", "layer3", "layer4", "head"]
BLOCKS = ["block1", "block2", "block3", "block4", "block5", "hidden", "head"]
DENSE = ["stem", "denseblock1", "transition1", "denseblock2", "transition2", "denseblock3", "transition3",
         "denseblock4", "head"]  # fmt: skip
NETWORKS = {
    "resnet18": (lambda: tv.resnet18(weights=None), LAYERS),
    "resnet50": (lambda: tv.resnet50(weights=None), LAYERS),
    "densenet121": (lambda: tv.densenet121(weights=None), DENSE),
    "vgg11": (lambda: narrow_vgg(tv.vgg11), BLOCKS),
    "vgg16": (lambda: narrow_vgg(tv.vgg16), BLOCKS),
    "vgg16_bn": (lambda: narrow_vgg(tv.vgg16_bn), BLOCKS),
    "efficientnet_b0": (lambda: tv.efficientnet_b0(weights=None), numbered("features", 9)),
    "mobilenet_v2": (lambda: tv.mobilenet_v2(weights=None), numbered("features", 19)),
    "mobilenet_v3_small": (lambda: tv.mobilenet_v3_small(weights=None), numbered("features", 13, "hidden")),
    "convnext_tiny": (lambda: tv.convnext_tiny(weights=None), numbered("features", 8, "hidden")),
    "shufflenet": (
        lambda: tv.shufflenet_v2_x0_5(weights=None),
        ["conv1", "stage2", "stage3", "stage4", "conv5", "head"],
    ),
    "regnet": (lambda: tv.regnet_y_400mf(weights=None), ["stem", "trunk_output", "head"]),
    "like VGG": (small, ["block1", "block2", "hidden", "head"]),
    "a Sequential": (
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)),
        ["stem", "head"],
    ),
}


# --- the same network ------------------------------------------------------------------------------------------------


SLOW = {"resnet50", "vgg16", "regnet", "shufflenet"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow if n in SLOW else ()) for n in NETWORKS])
def test_the_stages_answer_what_the_plain_network_answers_and_share_its_layers(name):
    make, parts = NETWORKS[name]
    torch.manual_seed(1)
    plain = make()
    net = staged(plain)
    assert [*net.parts()] == parts and net.training is plain.training is True
    assert {id(p) for p in net.parameters()} == {id(p) for p in plain.parameters()}
    x = 2 * torch.rand(3, 3, 80, 80, generator=torch.Generator().manual_seed(5)) - 1
    with torch.no_grad():
        wanted = plain.eval()(((x + 1) / 2 - MEAN) / STD)
        found = net.eval()(x)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-3 * float(wanted.std(0).max()))
    assert net.head(net.features(x)).shape == wanted.shape and net.features(x).shape == (3, net.width)
    report = parameter_report(net)
    assert report.loc["all", "weights"] == sum(p.numel() for p in plain.parameters())


def test_a_new_head_stands_behind_the_old_ones_dropout_and_is_drawn_from_the_seed():
    plain = small()
    old = state(plain)
    torch.manual_seed(4)
    net = staged(plain, classes=7)
    torch.manual_seed(4)
    wanted = nn.Linear(10, 7)
    dropout, new = net.head
    assert torch.equal(new.weight, wanted.weight) and torch.equal(new.bias, wanted.bias)
    assert isinstance(dropout, nn.Dropout) and dropout.p == 0.3
    assert all(torch.equal(value, old[name]) for name, value in plain.state_dict().items())


def test_what_becomes_of_the_images_is_said_by_normalise():
    x = 2 * torch.rand(2, 3, 20, 20) - 1
    plain = small().eval()
    torch.testing.assert_close(staged(plain, normalise=None)(x), plain(x))
    halves = staged(plain, normalise=((0.5,) * 3, (0.25,) * 3))
    torch.testing.assert_close(halves(x), plain(2 * x))
    torch.testing.assert_close(staged(plain)(x[:, :1]), staged(plain)(x[:, :1].expand(-1, 3, -1, -1)))
    grey = small(channels=1).eval()
    torch.testing.assert_close(staged(grey, normalise=((0.5,), (0.5,)))(x[:, :1]), grey(x[:, :1]))


def test_nothing_of_the_plain_network_moves_and_no_seed_is_used_up():
    plain = small()
    before = state(plain)
    torch.manual_seed(9)
    wanted = torch.rand(3)
    torch.manual_seed(9)
    staged(plain)
    assert torch.equal(torch.rand(3), wanted)
    assert all(torch.equal(value, before[name]) for name, value in plain.state_dict().items())


# --- freezing and training -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how, frozen", [({"upto": "layer2"}, LAYERS[:3]), ({}, LAYERS[:5])], ids=["layer2", "all"])
def test_frozen_stages_of_a_plain_resnet_are_bit_identical_after_training(how, frozen):
    """Weights and batch-norm statistics, in train mode with momentum and weight decay on all weights."""
    torch.manual_seed(0)
    net = freeze(staged(tv.resnet18(weights=None), classes=3), **how)
    before = state(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=0.1)
    fit(net, data(16, size=32), epochs=2, batch_size=8, optimizer=optimizer, **QUIET)
    assert moved(net, before) == set(LAYERS) - set(frozen)


@pytest.mark.parametrize("upto", ["block1", "block2", "hidden"])
def test_training_on_cached_features_is_training_through_the_network(upto):
    """With a hidden layer, batch norm, and dropout that the seed draws."""
    through = freeze(staged(small()), upto=upto)
    cached = copy.deepcopy(through)
    for model, train in ((through, fit), (cached, fit_cached)):
        torch.manual_seed(8)
        train(model, data(), epochs=2, batch_size=8, optimizer=sgd(model), **QUIET)
    agree(cached, through, 1e-4)


WAYS = {
    "probe": (lambda m: probe(m, data(), epochs=1, **QUIET), {"head"}),
    "fine_tune": (
        lambda m: fine_tune(m, data(), frozen_upto="block1", epochs=1, **QUIET),
        {"block2", "hidden", "head"},
    ),
    "lp_ft": (lambda m: lp_ft(m, data(), probe_epochs=1, epochs=1, **QUIET), {"block1", "block2", "hidden", "head"}),
    "gradual_unfreeze": (
        lambda m: gradual_unfreeze(m, data(), epochs=1, **QUIET),
        {"block1", "block2", "hidden", "head"},
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_train_moves_what_it_says(way):
    train, moves = WAYS[way]
    model = staged(small(), classes=3)
    before = state(model)
    train(model)
    assert moved(model, before) == moves


def test_features_rates_and_report_know_the_stages():
    model = staged(small())
    x, _ = data(5)
    assert prefix_features(freeze(model, upto="block1"), x).shape == (5, 8, 8, 8)
    assert prefix_features(freeze(model), x).shape == (5, 10)
    features = stage_features(model, x)
    assert features.shape == (5, 2 * 8 + 2 * 16 + 10)
    torch.testing.assert_close(features[:, -10:], prefix_features(model, x))
    assert [group["name"] for group in parameter_groups(staged(small()), 0.1)] == ["head", "hidden", "block2", "block1"]
    assert parameter_report(model).loc["hidden", "weights"] == 64 * 10 + 10


# --- networks that are no row ----------------------------------------------------------------------------------------


class Skips(nn.Module):
    """A connection that no child shows."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.fc = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1), nn.Linear(3, 2)

    def forward(self, x):
        x = x + self.one(x)
        return self.fc((x + self.two(x)).mean((2, 3)))


class Faint(Skips):
    """The same, so faint that only a careful comparison sees it."""

    def forward(self, x):
        return self.fc((self.two(self.one(x)) + 0.002 * x).mean((2, 3)))


def transformer():
    return tv.VisionTransformer(64, 16, num_layers=1, num_heads=1, hidden_dim=8, mlp_dim=8, num_classes=2)


def channels_last():
    return tv.SwinTransformer([4, 4], 8, [1, 1], [1, 1], [2, 2], num_classes=2)


CHILDREN, ENDS = "its children one after the other do not give", "does not begin with a convolution and end in a linear"
REFUSED = {
    "a hidden connection": (Skips, {}, CHILDREN),
    "a faint one": (Faint, {}, CHILDREN),
    "a transformer": (transformer, {}, CHILDREN),
    "channels last inside": (channels_last, {}, CHILDREN),
    "a convolution at its end": (lambda: tv.squeezenet1_1(weights=None), {}, ENDS),
    "a softmax at its end": (lambda: nn.Sequential(small(), nn.Softmax(1)), {}, ENDS),
    "no convolution": (lambda: nn.Sequential(nn.Linear(4, 2)), {}, ENDS),
    "another size": (transformer, {"size": 48}, "VisionTransformer does not take images of 48 × 48 px: give its own"),
    "grey images": (lambda: small(1), {}, "takes 1 channels and normalise has 3: give"),
    "no classes": (small, {"classes": 0}, "classes is 0: give a whole number of 1 or more"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_network_that_is_no_row_is_refused_in_one_sentence(fault):
    make, options, said = REFUSED[fault]
    model = make()
    before = state(model)
    with pytest.raises(ValueError) as info:
        staged(model, **options)
    assert said in str(info.value) and str(info.value).endswith(".") and "\n" not in str(info.value)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_block_called_head_stays_a_stage():
    layers = {
        "head": nn.Sequential(nn.Conv2d(3, 4, 3)),
        "more": nn.Sequential(nn.Conv2d(4, 4, 3)),
        "fc": nn.Linear(4, 2),
    }

    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            for name, layer in layers.items():
                self.add_module(name, layer)

        def forward(self, x):
            return self.fc(self.more(self.head(x)).mean((2, 3)))

    net = staged(Named())
    assert isinstance(net, StagedNet) and [*net.parts()] == ["stagehead", "more", "head"] and net.head is layers["fc"]
