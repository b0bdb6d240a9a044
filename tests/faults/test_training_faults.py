"""Networks and training with something wrong: what the user reads, and which weights the model then has."""

import math

import pytest
import torch
from rows import Row, one_sentence
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

import medtl_helpers as mtl
from medtl_helpers import guards
from medtl_helpers.methods import backbones
from medtl_helpers.methods.augment import wide_augment
from medtl_helpers.methods.staged import staged

IMAGES = torch.randint(0, 256, (8, 3, 16, 16), generator=torch.Generator().manual_seed(0)).byte()
X, Y = torch.randn(8, 4, generator=torch.Generator().manual_seed(0)), torch.arange(8) % 2


GENERATOR = torch.Generator().manual_seed(0)
LOADER = DataLoader(TensorDataset(X, Y), batch_size=4)


class Lazy(Dataset):
    def __getitem__(self, k):
        return X[k], Y[k]


class Pair(nn.Module):
    def forward(self, x):
        return x, x


class Doubled(nn.Sequential):
    """Its one layer counts twice, which no child shows."""

    def __init__(self):
        super().__init__(nn.Conv2d(3, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))

    def forward(self, x):
        return 2 * super().forward(x)


def flat(channels=3):
    return nn.Sequential(nn.Conv2d(channels, 2, 1), nn.Flatten(), nn.Linear(2 * 8 * 8, 2))


def network(*more, outputs=2, end=()):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 16), *more, nn.ReLU(), nn.Linear(16, outputs), *end)


def wide_head():
    model = mtl.CourseCNN(3, 2)
    model.head = nn.Linear(20, 2)
    return model


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.1)


def replaced(model):
    optimizer = sgd(model)
    model[2] = nn.Linear(16, 2)
    return optimizer


def frozen():
    return network().requires_grad_(False)


def weights(model):
    return {name: value.cpu().clone() for name, value in model.state_dict().items()}


def same(ours, theirs):
    return all(torch.equal(ours[name], theirs[name]) for name in theirs)


# --- what does not fit the network -----------------------------------------------------------------------------------

# fault, network, images, what is said
MISFITS = [
    ("RGB images, a grey network", lambda: mtl.CourseCNN(1, 2), IMAGES, "wants inputs N×1×H×W and got a batch"),
    ("grey images, an RGB network", lambda: mtl.CourseCNN(3, 2), IMAGES[:, :1], "wants inputs N×3×H×W and got"),
    ("four channels", lambda: backbones.small_resnet(2, 8), IMAGES[:, [0, 1, 2, 0]], "wants inputs N×3×H×W and got"),
    ("two channels", lambda: backbones.small_resnet(2, 8), IMAGES[:, :2], "wants inputs N×3×H×W and got"),
    ("channels last", lambda: mtl.CourseCNN(3, 2), IMAGES.permute(0, 2, 3, 1), "channels come before height and width"),
    ("no channels", lambda: mtl.CourseCNN(1, 2), IMAGES[:, 0], "N×1×H×W and got a batch of shape (8, 16, 16)"),
    ("too small images", lambda: mtl.CourseCNN(3, 2), IMAGES[..., :4, :4], "Images of 4 × 4 px are too small"),
    ("columns missing", network, X[:, :3], "wants inputs N×4 and got a batch of shape (8, 3)"),
    ("numbers as text", network, [list("abcd")] * 8, "inputs are a list that torch cannot read"),
    ("whole numbers, not bytes", lambda: mtl.CourseCNN(3, 2), IMAGES.long(), "inputs are int64: give images as uint8"),
]


@pytest.mark.parametrize("how", ["fit", "predict"])
@pytest.mark.parametrize("make, x, said", [row[1:] for row in MISFITS], ids=[row[0] for row in MISFITS])
def test_inputs_that_do_not_fit_the_network(make, x, said, how):
    model = make()
    before = weights(model)
    with pytest.raises(ValueError) as info:
        mtl.predict(model, x) if how == "predict" else mtl.fit(model, (x, Y), epochs=1, progress=False)
    assert said in one_sentence(info.value)
    assert same(weights(model), before)


# fault, network, arguments of fit, what is said
SETTINGS = [
    ("head with too few classes", network, {"train": (X, torch.arange(8) % 3)}, "Labels run from 0 to 2, but"),
    ("head with one class", lambda: network(outputs=1), {}, "Labels run from 0 to 1, but"),
    ("no head", lambda: nn.Conv2d(3, 2, 3), {"train": (IMAGES, Y)}, "should be N×K, one number per class"),
    ("everything frozen", frozen, {}, "there is nothing to train: unfreeze the head"),
    ("no examples", network, {"train": (X[:0], Y[:0])}, "The training set is empty: give at least one example"),
    ("no validation examples", network, {"val": (X[:0], Y[:0])}, "The validation set is empty"),
    ("batches of 0", network, {"batch_size": 0}, "batch_size is 0 and epochs is 2"),
    ("-1 epochs", network, {"epochs": -1}, "batch_size is 64 and epochs is -1"),
    ("a learning rate below 0", network, {"lr": -1.0}, "lr is -1.0: give a finite rate, 0 or above"),
    ("patience without validation", network, {"patience": 2}, "patience=2 watches the validation loss"),
    ("a class weight missing", network, {"class_weight": torch.ones(3)}, "class_weight has shape (3,)"),
    ("a class weight of 0", network, {"class_weight": [1, 0]}, "class_weight is [1.0, 0.0]: give"),
    ("a NaN class weight", network, {"class_weight": [1, torch.nan]}, "class_weight is [1.0, nan]"),
    ("class weights by another name", network, {"class_weight": "equal"}, "class_weight is 'equal': give one number"),
    ("class weights of other classes", network, {"class_weight": {1: 1.0, 2: 2.0}}, "class_weight is for 1, 2: give"),
    ("a DataLoader", network, {"train": LOADER}, "is a DataLoader, and batches are made here, of batch_size: give"),
    ("a Dataset that loads", network, {"train": Lazy()}, "is a Lazy, whose examples are not in memory yet"),
    (
        "a whole task",
        network,
        {"train": mtl.Task("", *[(X, Y)] * 3, ("a", "b"))},
        "of which task.train is a pair: give",
    ),
    ("inputs without labels", network, {"train": X}, "The training set is a Tensor: give a pair (x, y)"),
    ("validation of other columns", network, {"val": (X[:, :3], Y)}, "both need the same columns or channels"),
    (
        "outputs without logits",
        lambda: network(end=[Pair()]),
        {},
        "The model returns a tuple without logits in it: wrap",
    ),
    ("a class in place of a network", lambda: nn.Linear, {}, "The model is the class Linear: build a network of it"),
    (
        "a head of another width",
        lambda: wide_head(),
        {"train": (IMAGES, Y)},
        "wants 20 numbers and the layers before it",
    ),
    ("weights of double precision", lambda: network().double(), {}, "weights are float64 and its inputs float32: call"),
    ("epochs as a fraction", network, {"epochs": 2.5}, "epochs is 2.5: give a whole number"),
    ("a batch size as text", network, {"batch_size": "8"}, "batch_size is '8': give a whole number"),
    ("a seed as a fraction", network, {"seed": 0.5}, "seed is 0.5: give a whole number"),
    ("a rate as text", network, {"lr": "1e-3"}, "lr is '1e-3': give a finite rate"),
    ("a rate of True", network, {"lr": True}, "lr is True: give a finite rate"),
    ("a weight decay below 0", network, {"weight_decay": -0.1}, "weight_decay is -0.1: give a finite rate"),
    ("no patience", network, {"patience": 0, "val": (X, Y)}, "patience is 0: give a whole number of 1 or more"),
    ("a device of another machine", network, {"device": "cuda:77"}, "device is 'cuda:77', which this machine does not"),
    ("an optimiser by name", network, {"optimizer": lambda m: "adam"}, "optimizer is 'adam': build one"),
    (
        "an optimiser of another model",
        network,
        {"optimizer": lambda m: sgd(network())},
        "holds none of the model's weights",
    ),
    (
        "an optimiser from before the new head",
        network,
        {"optimizer": replaced},
        "lacks 2 of the model's weights that train",
    ),
    (
        "a weight decay beside an optimiser",
        network,
        {"optimizer": sgd, "weight_decay": 0.1},
        "would have no effect: give",
    ),
    ("a schedule that is a number", network, {"schedule": 0.5}, "schedule is 0.5: give a function of progress"),
    ("a schedule of NaN", network, {"schedule": lambda p: math.nan}, "schedule(0) is nan: return a finite factor"),
    ("a schedule below 0", network, {"schedule": lambda p: -1.0}, "schedule(0) is -1.0: return a finite factor"),
    (
        "a penalty of many numbers",
        network,
        {"penalty": lambda m: m[0].weight},
        "penalty(model) is of shape (16, 4): return",
    ),
    (
        "a penalty that returns nothing",
        network,
        {"penalty": lambda m: None},
        "penalty(model) is None: return one number",
    ),
    (
        "an augmentation by name",
        network,
        {"augment": "flip"},
        "augment is 'flip': give a function of a batch and a generator",
    ),
    ("one without a generator", network, {"augment": lambda x: x}, "give a function of a batch and a generator"),
    (
        "one that loses examples",
        network,
        {"augment": lambda x, g: x[:3]},
        "augment made 3 inputs of a batch of 8: return",
    ),
    ("one that makes whole numbers", network, {"augment": lambda x, g: x.long()}, "return uint8 images or floats"),
    (
        "one that makes floats up to 255",
        lambda: mtl.CourseCNN(3, 2),
        {"train": (IMAGES, Y), "augment": lambda x, g: x.float()},
        "of uint8 images: return uint8, or floats of -1 to 1",
    ),
]


@pytest.mark.parametrize("make, options, said", [row[1:] for row in SETTINGS], ids=[row[0] for row in SETTINGS])
def test_settings_that_cannot_be_trained_with(make, options, said):
    options, model = {"train": (X, Y), "epochs": 2, "progress": False} | options, make()
    if callable(options.get("optimizer")):
        options["optimizer"] = options["optimizer"](model)
    before = {} if isinstance(model, type) else weights(model)
    with pytest.raises((ValueError, TypeError)) as info:
        mtl.fit(model, options.pop("train"), **options)
    assert said in one_sentence(info.value)
    assert not before or same(weights(model), before)


# --- what needs stages -----------------------------------------------------------------------------------------------

NO_STAGES = "is a Sequential without named stages: make them with staged(model)"
STAGED = {
    "freeze": lambda m: mtl.freeze(m),
    "unfreeze": lambda m: mtl.unfreeze(m),
    "probe": lambda m: mtl.probe(m, (X, Y), epochs=1),
    "fine_tune": lambda m: mtl.fine_tune(m, (X, Y), epochs=1),
    "lp_ft": lambda m: mtl.lp_ft(m, (X, Y), epochs=1),
    "gradual_unfreeze": lambda m: mtl.gradual_unfreeze(m, (X, Y), epochs=1),
    "fit_cached": lambda m: mtl.fit_cached(m, (X, Y), epochs=1),
    "parameter_groups": lambda m: mtl.parameter_groups(m, 0.1),
    "parameter_report": lambda m: mtl.parameter_report(m),
    "stage_features": lambda m: mtl.stage_features(m, IMAGES),
    "prefix_features": lambda m: mtl.prefix_features(m, IMAGES),
}


@pytest.mark.parametrize("call", STAGED)
def test_a_plain_network_is_told_how_to_get_stages(call):
    model = network()
    before = weights(model)
    with pytest.raises(TypeError) as info:
        STAGED[call](model)
    assert NO_STAGES in one_sentence(info.value)
    assert same(weights(model), before) and all(p.requires_grad for p in model.parameters())


# fault, what is called with a CourseCNN and with images, what is said
CALLS = [
    (
        "stages: a hidden connection",
        lambda m: staged(Doubled()),
        "cannot be cut into stages here, because its children",
    ),
    (
        "stages: no linear end",
        lambda m: staged(nn.Sequential(nn.Conv2d(3, 2, 3))),
        "does not begin with a convolution and",
    ),
    (
        "stages: images of another size",
        lambda m: staged(flat(), size=20),
        "does not take images of 20 × 20 px: give its",
    ),
    ("stages: grey images", lambda m: staged(flat(1), size=8), "takes 1 channels and normalise has 3: give"),
    (
        "predict: batches of 0",
        lambda m: mtl.predict(m, IMAGES, batch_size=0),
        "batch_size is 0: give a whole number of 1",
    ),
    ("predict: one output", lambda m: mtl.predict(mtl.CourseCNN(3, 1), IMAGES), "give the model one output per class"),
    (
        "predict: another library's model",
        lambda m: mtl.predict("vgg16", IMAGES),
        "The model is 'vgg16': give a network",
    ),
    ("rates: a decay of 0", lambda m: mtl.parameter_groups(m, 0.1, 0.0), "decay is 0.0: give a finite rate, above 0"),
    (
        "rates: no weights that train",
        lambda m: mtl.parameter_groups(mtl.freeze(mtl.CourseCNN(3, 0)), 1),
        "without weights",
    ),
    ("report: a head of another width", lambda m: mtl.parameter_report(wide_head()), "wants 20 numbers and the layers"),
    (
        "cache: no copies",
        lambda m: mtl.fit_cached(m, (IMAGES, Y), augment=mtl.augment, copies=0),
        "copies is 0: give a",
    ),
    (
        "augment: no image",
        lambda m: mtl.augment(X, GENERATOR),
        "The images to augment are a tensor of shape (8, 4): give",
    ),
    ("augment: half a pixel", lambda m: mtl.augment(IMAGES, GENERATOR, shift=0.5), "shift is 0.5: give a whole number"),
    ("wide_augment: floats", lambda m: wide_augment()(IMAGES.float(), GENERATOR), "give them as uint8, 0 to 255"),
    (
        "wide_augment: all of the side",
        lambda m: wide_augment(zoom=1.0),
        "zoom is 1, a share of the side: give less than 1",
    ),
    ("minimise: nothing to move", lambda m: mtl.minimise(lambda: X.sum(), [X]), "so there is nothing to minimise over"),
    (
        "minimise: many numbers",
        lambda m: mtl.minimise(lambda: m.head.weight, m.parameters()),
        "objective() is of shape",
    ),
    ("network: half a class", lambda m: mtl.CourseCNN(3, 2.5), "classes is 2.5: give a whole number"),
]


@pytest.mark.parametrize("call, said", [row[1:] for row in CALLS], ids=[row[0] for row in CALLS])
def test_what_else_is_handed_in_and_cannot_be_used(call, said):
    model = mtl.CourseCNN(3, 2)
    before = weights(model)
    with pytest.raises((ValueError, TypeError)) as info:
        call(model)
    assert said in one_sentence(info.value)
    assert same(weights(model), before)


# fault, network, images, what is printed
TOLD = [
    (
        "a softmax at its end",
        lambda: nn.Sequential(mtl.CourseCNN(3, 2), nn.Softmax(1)),
        IMAGES,
        "The model ends in a soft",
    ),
    ("float images up to 255", lambda: mtl.CourseCNN(3, 2), IMAGES.float(), "are used as they are: give them as uint8"),
]


@pytest.mark.parametrize("make, x, said", [row[1:] for row in TOLD], ids=[row[0] for row in TOLD])
def test_another_scale_than_expected_is_told_in_one_line(capsys, make, x, said):
    mtl.predict(make(), x)
    assert said in one_sentence(capsys.readouterr().out.strip())


# --- training that ends early ----------------------------------------------------------------------------------------


def no_memory(words):
    """What raises torch's error on a device; each device has its own words."""

    def fail(x):
        raise torch.OutOfMemoryError(words) if "CUDA" in words else RuntimeError(words)

    return fail


def interrupt(x):
    raise KeyboardInterrupt


def too_much(x):
    """This one is real: a request of four exabytes to the allocator of the processor."""
    return torch.empty(2**60)


BEST, NOW = "the weights of the best epoch", "the weights of that moment"
# fault, in which epoch, what happens to a batch there, error (None: fit returns), what is said, what is kept
ENDS = [
    ("Ctrl-C", 3, interrupt, None, "interrupted in epoch 3: the model keeps the weights of epoch", BEST),
    ("Ctrl-C in the first epoch", 1, interrupt, None, "in epoch 1: the model keeps the weights of this moment", NOW),
    (
        "NaN in the inputs",
        3,
        lambda x: x * torch.nan,
        FloatingPointError,
        "The loss is nan in epoch 3 at learning rate 0.01: try a rate ten times lower, and look for NaN in the inputs",
        BEST,
    ),
    ("infinite inputs", 1, lambda x: x * torch.inf, FloatingPointError, "The loss is nan in epoch 1", NOW),
    (
        "memory of the GPU",
        3,
        no_memory("CUDA out of memory. Tried to allocate 2.00 GiB."),
        MemoryError,
        "Out of memory in epoch 3, training on batches of 10: try batch_size=5",
        BEST,
    ),
    (
        "memory of a Mac's GPU",
        3,
        no_memory("MPS backend out of memory (MPS allocated: 9 GB)"),
        MemoryError,
        "try batch_size=5",
        BEST,
    ),
    (
        "memory of cuBLAS",
        3,
        no_memory("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
        MemoryError,
        "try batch_size=5",
        BEST,
    ),
    ("memory of the processor", 3, too_much, MemoryError, "try batch_size=5", BEST),
    ("memory in the first epoch", 1, too_much, MemoryError, "Out of memory in epoch 1", NOW),
]


def trained(epochs, at=None, happens=None, **options):
    """A run on 40 examples in batches of 10; in the third batch of epoch ``at`` (from 1) something ``happens``."""
    torch.manual_seed(3)
    model, seen, generator = network(), [], torch.Generator().manual_seed(1)
    y = torch.arange(40) % 2
    x = (2 * y[:, None] - 1) + torch.randn(40, 4, generator=generator)

    def augment(batch, _):
        seen.append(weights(model))
        return happens(batch) if len(seen) == 4 * ((at or 99) - 1) + 3 else batch

    run = {"epochs": epochs, "batch_size": 10, "lr": 0.01, "augment": augment, "progress": False} | options
    return model, seen, lambda: mtl.fit(model, (x, y), (x, y), **run)


@pytest.mark.parametrize("at, happens, error, said, kept", [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_training_that_ends_early_says_why_and_keeps_what_it_has(capsys, at, happens, error, said, kept):
    model, seen, run = trained(5, at, happens)
    if error is None:
        history = run()
        assert said in one_sentence(capsys.readouterr().out.strip())
        assert len(history.train_loss) == len(history.val_loss) == at - 1 and f"epoch {at}" in history.stopped
    else:
        with pytest.raises(error) as info:
            run()
        assert said in one_sentence(info.value)
    until_then, _, run = trained(at - 1)
    if at > 1:
        run()
        assert same(weights(model), weights(until_then)) and not model.training
    elif error is not FloatingPointError:  # the first epoch is told to the end of what was possible
        assert same(weights(model), seen[-1]) and not model.training


def test_out_of_memory_in_the_validation_is_told_like_any_other():
    """It goes in larger batches than training, so a smaller batch size helps there, too."""
    model, _, _ = trained(1)
    sizes = []
    model.register_forward_hook(lambda module, inputs, _: sizes.append((module.training, len(inputs[0]))))
    x, y = torch.randn(200, 4), torch.arange(200) % 2
    mtl.fit(model, (x[:20], y[:20]), (x, y), epochs=1, batch_size=10, progress=False)
    assert [n for training, n in sizes if not training] == [40] * 5

    class Hungry(nn.Module):
        def forward(self, logits):
            return logits if self.training else torch.empty(2**60)

    with pytest.raises(MemoryError, match="Out of memory in epoch 1, training on batches of 10: try batch_size=5"):
        mtl.fit(nn.Sequential(network(), Hungry()), (x, y), (x, y), epochs=1, batch_size=10, progress=False)


class Limited(nn.Module):
    """Asks for more memory than there is whenever a batch holds more than ``most`` examples."""

    def __init__(self, most):
        super().__init__()
        self.most = most

    def forward(self, x):
        return torch.empty(2**60) if len(x) > self.most else x


@pytest.mark.parametrize("most", [1, 5, 20])
@pytest.mark.parametrize(
    "do",
    [
        lambda m, n: mtl.predict(m, torch.zeros(64, 2, 2), batch_size=n),
        lambda m, n: mtl.fit(m, (torch.zeros(64, 2, 2), torch.arange(64) % 2), epochs=1, batch_size=n, progress=False),
    ],
    ids=["predict", "fit"],
)
def test_whoever_takes_the_advice_again_and_again_gets_there(do, most):
    model, n = nn.Sequential(Limited(most), nn.Flatten(), network()), 64
    while n > most:
        with pytest.raises(MemoryError) as info:
            do(model, n)
        text = one_sentence(info.value)
        assert f"try batch_size={n // 2}" in text
        assert info.value.__context__ is None  # nothing holds on to the batch, so its memory is free again
        n //= 2
    do(model, n)


def test_not_even_one_example_fits():
    with pytest.raises(MemoryError) as info:
        mtl.predict(nn.Sequential(Limited(0), network()), X, batch_size=1)
    assert "one example at a time: take smaller images or a smaller network" in one_sentence(info.value)


def test_another_error_of_torch_is_not_dressed_up():
    class Broken(nn.Module):
        def forward(self, x):
            raise RuntimeError("a mistake in somebody's own layer")

    for call in (lambda m: mtl.predict(m, X), lambda m: mtl.fit(m, (X, Y), epochs=1, progress=False)):
        with pytest.raises(RuntimeError, match="somebody's own layer"):
            call(nn.Sequential(network(), Broken()))


def test_predictions_that_are_nan_are_not_handed_on():
    x = X.clone()
    x[2:4] = torch.nan
    with pytest.raises(FloatingPointError) as info:
        mtl.predict(network(), x)
    assert ANSWERS[0].sees in one_sentence(info.value)
    broken = network()
    nn.init.constant_(broken[0].weight, torch.nan)
    with pytest.raises(FloatingPointError, match="answers to 8 of 8 inputs"):
        mtl.predict(broken, X)


def test_batch_norm_with_one_example_left_over():
    with pytest.raises(ValueError) as info:
        mtl.fit(network(nn.BatchNorm1d(16)), (X, Y), epochs=1, batch_size=7, progress=False)
    assert ANSWERS[2].sees in one_sentence(info.value)


def test_a_network_with_fewer_than_no_classes():
    with pytest.raises(ValueError) as info:
        mtl.CourseCNN(3, -1)
    assert ANSWERS[3].sees in one_sentence(info.value)


def test_a_diverging_run():
    model = network()
    sgd = torch.optim.SGD(model.parameters(), lr=1e30)
    with pytest.raises(FloatingPointError) as info:
        mtl.fit(model, (X, Y), (X, Y), epochs=5, optimizer=sgd, progress=False)
    assert ANSWERS[1].sees in one_sentence(info.value)
    assert not model.training


def test_the_words_for_no_memory_are_torchs():
    with pytest.raises(RuntimeError) as info:
        torch.empty(2**60)
    assert guards.out_of_memory(info.value) and not guards.out_of_memory(RuntimeError("CUDA error: unknown"))


ANSWERS = [
    Row("NaN answers", "answers to 2 of 8 inputs are not finite numbers: look for NaN in these inputs", "—"),
    Row("training: a rate of 1e30", "at learning rate 1e+30: try a rate ten times lower", NOW),
    Row("training: batch norm, and one example left over", "take another batch_size, or leave one example out", NOW),
    Row("network: fewer than no classes", "classes is -1: give the number of classes", "—"),
]
TABLE = [
    *(Row(f"network: {fault}", said, "the model's weights") for fault, _, _, said in MISFITS),
    *(Row(f"training: {fault}", said, "the model's weights") for fault, _, _, said in SETTINGS),
    *(Row(f"training: {fault}", said, kept) for fault, _, _, _, said, kept in ENDS),
    *ANSWERS,
    Row("a plain network where stages are needed (11 functions)", NO_STAGES, "the model's weights"),
    *(Row(fault, said, "the model's weights") for fault, _, said in CALLS),
    *(Row(f"told: {fault}", said, "—") for fault, _, _, said in TOLD),
]
