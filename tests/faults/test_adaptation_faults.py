"""DANN, AdaBN and computed features with something wrong: what the user reads, and what the network then is."""

import pytest
import torch
from rows import Row, one_sentence
from test_training_faults import BEST, IMAGES, NOW, Limited, interrupt, no_memory, same, too_much, weights
from torch import nn

import medtl_helpers as mtl
from medtl_helpers.methods import backbones, nets
from medtl_helpers.methods.adabn import adapt_batch_norm
from medtl_helpers.methods.dann import DANN

GENERATOR = torch.Generator().manual_seed(0)
X, Y = torch.randn(20, 6, generator=GENERATOR), torch.arange(20) % 2
TARGET = torch.randn(30, 6, generator=GENERATOR) + 1


def model(*more):
    mtl.seed_everything(0)
    return DANN(nn.Sequential(*more, nn.Linear(6, 16), nn.ReLU()), 16, 2)


# fault, arguments of DANN.fit, what is said
UNFIT = [
    ("a source label missing", {"source_y": Y[:19]}, "The source set has 20 inputs and 19 labels"),
    ("no source", {"source_x": X[:0], "source_y": Y[:0]}, "The source set is empty"),
    ("no target", {"target_x": TARGET[:0]}, "There are no target inputs, and DANN adapts to them"),
    ("a target of other columns", {"target_x": torch.zeros(5, 7)}, "both must be alike"),
    ("a target of another type", {"target_x": torch.zeros(5, 6).byte()}, "both must be alike"),
    (
        "both of other columns than the network",
        {"source_x": X[:, :5], "target_x": TARGET[:, :5]},
        "wants inputs N×6 and got a batch of shape (84, 5)",
    ),
    ("source labels as one-hot rows", {"source_y": nn.functional.one_hot(Y)}, "The source labels have shape (20, 2)"),
    ("source labels that are NaN", {"source_y": Y * torch.nan}, "source labels are float32, 20 of them NaN"),
    ("a source label that is no class", {"source_y": Y + 1}, "number them from 0"),
    ("validation labels missing", {"val": (X, Y[:7])}, "The validation set has 20 inputs and 7 labels"),
    ("no such rule", {"select": "best"}, "There is no rule 'best' for the epoch"),
    ("the rule without validation", {"select": "source validation"}, "fit needs val=(x, y) of the source"),
    ("a source of one class", {"source_y": Y * 0 + 1}, "All training labels are 1, so there is nothing to tell apart"),
    ("validation labels that are no class", {"val": (X, Y + 3)}, "The validation labels run from 3 to 4"),
    ("a λ below 0", {"lam_max": -0.1}, "lam_max is -0.1: give a finite rate"),
    ("a seed that is no whole number", {"seed": 0.5}, "seed is 0.5: give a whole number"),
    ("a device that is not there", {"device": "abacus"}, "device is 'abacus', which this machine does not have"),
    ("batches of 0", {"batch_size": 0}, "batch_size is 0 and epochs is 2"),
    ("an infinite rate", {"lr": float("inf")}, "lr is inf: give a finite rate"),
]


@pytest.mark.parametrize("change, said", [row[1:] for row in UNFIT], ids=[row[0] for row in UNFIT])
def test_what_dann_cannot_be_trained_with(change, said):
    dann = model()
    before = weights(dann)
    with pytest.raises(ValueError) as info:
        dann.fit(**{"source_x": X, "source_y": Y, "target_x": TARGET, "epochs": 2, "progress": False} | change)
    assert said in one_sentence(info.value)
    assert same(weights(dann), before)


# fault, features, width, what is said
FEATURES = [
    (
        "another width than its features",
        nn.Linear(6, 16),
        32,
        "The features are (45, 16), not N×32: pool maps, and build",
    ),
    ("features that are maps", nn.Unflatten(1, (1, 6)), 6, "The features are (45, 1, 6), not N×6: pool maps"),
    ("frozen features", nn.Linear(6, 16).requires_grad_(False), 16, "All weights of the features are frozen"),
]


@pytest.mark.parametrize("features, width, said", [row[1:] for row in FEATURES], ids=[row[0] for row in FEATURES])
def test_features_that_dann_cannot_adapt(features, width, said):
    network = DANN(nn.Sequential(features), width, 2)
    if not any(True for _ in network.features.parameters()):
        network.features.append(nn.LayerNorm(6))
    before = weights(network)
    with pytest.raises(ValueError) as info:
        network.fit(X, Y, TARGET, epochs=1, batch_size=25, progress=False)
    assert said in one_sentence(info.value) and same(weights(network), before)


def test_dann_of_no_epochs_trains_nothing_and_says_so():
    network = model()
    before = weights(network)
    history = network.fit(X, Y, TARGET, epochs=0, progress=False)
    assert history.class_loss == [] and history.epoch is None and same(weights(network), before)


def test_adabn_of_nan_keeps_the_old_statistics():
    network = backbones.small_resnet(2, 8)
    before = weights(network)
    images = IMAGES.float() / 255
    images[1, 0, 0, 0] = torch.nan
    with pytest.raises(ValueError, match="look for NaN in the target inputs"):
        adapt_batch_norm(network, images)
    assert same(weights(network), before)


# fault, in which epoch, what happens to a source batch there, error, what is said
ENDS = [
    ("Ctrl-C", 3, interrupt, None, "Training interrupted in epoch 3: the model keeps the weights of epoch"),
    ("Ctrl-C in the first epoch", 1, interrupt, None, "in epoch 1: the model keeps the weights of this moment"),
    (
        "NaN in the inputs",
        3,
        lambda x: x * torch.nan,
        FloatingPointError,
        "The loss is nan in epoch 3 at learning rate "
        "0.001 and λ 0.3: try a rate ten times lower, and look for NaN in the inputs",
    ),
    (
        "memory of the GPU",
        3,
        no_memory("CUDA out of memory. Tried to allocate 2.00 GiB."),
        MemoryError,
        "Out of memory in epoch 3, training on batches of 10: try batch_size=5",
    ),
    ("memory of the processor", 1, too_much, MemoryError, "Out of memory in epoch 1"),
]


@pytest.mark.parametrize("select", ["last", "source validation"])
@pytest.mark.parametrize("at, happens, error, said", [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_dann_that_ends_early_says_why_and_keeps_what_it_has(capsys, at, happens, error, said, select):
    seen = []

    def train(dann, epochs, happens):
        def augment(batch, generator):
            if generator.initial_seed() == 7:  # the source's batch comes before the target's
                seen.append(weights(dann))
                return happens(batch) if len(seen) == 2 * at else batch
            return batch

        seen.clear()
        val = (X, Y) if select == "source validation" else None
        return dann.fit(
            X,
            Y,
            TARGET,
            val=val,
            select=select,
            epochs=epochs,
            batch_size=10,
            augment=augment,
            seed=7,
            progress=False,
            keep_states=True,
        )

    dann = model()
    if error is None:
        history = train(dann, 5, happens)
        assert said in one_sentence(capsys.readouterr().out.strip())
        assert len(history.class_loss) == at - 1 and history.stopped == f"interrupted in epoch {at}"
    else:
        with pytest.raises(error) as info:
            train(dann, 5, happens)
        assert said in one_sentence(info.value)
        assert error is not MemoryError or info.value.__context__ is None
    assert not dann.training
    if at > 1:
        undisturbed = train(model(), 5, lambda batch: batch)
        accuracy = undisturbed.val_accuracy[: at - 1] or range(at - 1)
        assert same(weights(dann), undisturbed.states[max(range(at - 1), key=accuracy.__getitem__)])
    else:
        assert same(weights(dann), seen[-1])


VALIDATING = "Out of memory in epoch 1, training on batches of 10: try batch_size=5"

# --- features and statistics -----------------------------------------------------------------------------------------


def features(compute):
    return lambda x, **options: compute(mtl.freeze(backbones.small_resnet(2, 8)), x, **options)


COMPUTED = {
    "frozen prefix": features(mtl.prefix_features),
    "all stages": features(mtl.stage_features),
    "AdaBN": lambda x, **options: adapt_batch_norm(backbones.small_resnet(2, 8), x, **options),
}
MISFITS = {
    "two channels": (IMAGES[:, :2], "wants inputs N×3×H×W and got a batch of shape"),
    "no channels": (IMAGES[:, 0], "wants inputs N×3×H×W and got a batch of shape"),
    "no images": (IMAGES[:0], "give at least one"),
    "whole numbers, not bytes": (IMAGES.long(), "inputs are int64: give images as uint8"),
}


@pytest.mark.parametrize("fault", MISFITS)
@pytest.mark.parametrize("what", COMPUTED)
def test_images_of_which_nothing_can_be_computed(what, fault):
    x, said = MISFITS[fault]
    with pytest.raises(ValueError) as info:
        COMPUTED[what](x)
    assert said in one_sentence(info.value)


ALONE = "Out of memory computing features of one example at a time: take smaller images or a smaller network"


def hungry(most):
    """A network of one stage that asks for more memory than there is for a batch of more than ``most``."""
    return nets.StagedNet({"stage": nn.Sequential(nn.BatchNorm2d(3), Limited(most))}, 3, 2)


@pytest.mark.parametrize(
    "compute, doing",
    [
        (lambda m, **o: mtl.prefix_features(mtl.freeze(m), IMAGES, **o), "computing features of"),
        (lambda m, **o: mtl.stage_features(m, IMAGES, **o), "computing features of"),
        (lambda m, **o: adapt_batch_norm(m, IMAGES, **o), "taking statistics of"),
    ],
    ids=COMPUTED,
)
def test_a_batch_that_does_not_fit(compute, doing):
    network = hungry(2)
    before = weights(network)
    with pytest.raises(MemoryError) as info:
        compute(network, batch_size=4)
    assert f"Out of memory {doing} batches of 4: try batch_size=2" in one_sentence(info.value)
    assert same(weights(network), before) and not network.training and network.stages["stage"][0].momentum == 0.1
    compute(network, batch_size=2)


def test_an_image_that_does_not_fit():
    with pytest.raises(MemoryError) as info:
        mtl.prefix_features(mtl.freeze(hungry(0)), IMAGES)
    assert ALONE in one_sentence(info.value)


def test_validation_of_dann_that_does_not_fit_names_the_batch_size_of_training():
    def train(dann, batch_size):
        return dann.fit(
            X, Y, TARGET, val=(X.repeat(3, 1), Y.repeat(3)), epochs=1, batch_size=batch_size, progress=False
        )

    with pytest.raises(MemoryError) as info:
        train(model(Limited(20)), 10)
    assert VALIDATING in one_sentence(info.value)
    assert len(train(model(Limited(20)), 5).val_accuracy) == 1


def test_adabn_needs_batch_norm():
    with pytest.raises(ValueError) as info:
        adapt_batch_norm(mtl.CourseCNN(3, 2, norm="group"), IMAGES)
    assert "this network has none" in one_sentence(info.value)


TABLE = [
    *(Row(f"DANN: {fault}", said, "the model's weights") for fault, _, said in UNFIT),
    *(Row(f"DANN: {fault}", said, BEST if at > 1 else NOW) for fault, at, _, _, said in ENDS),
    *(Row(f"{what}: {fault}", said, "the network") for what in COMPUTED for fault, (_, said) in MISFITS.items()),
    *(Row(f"{what}: memory", "try batch_size=2", "the network's weights and statistics") for what in COMPUTED),
    *(Row(f"DANN: {fault}", said, "the model's weights") for fault, _, _, said in FEATURES),
    Row("DANN: memory while validating", VALIDATING, NOW),
    Row("frozen prefix: memory for one image", ALONE, "the network"),
    Row("AdaBN: no batch norm", "this network has none", "the network"),
]
