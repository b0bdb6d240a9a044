"""Networks and training with something wrong: what the user reads, and which weights the model then has."""

import pytest
import torch
from rows import Row, one_sentence
from torch import nn

import medtl_helpers as mtl
from medtl_helpers import guards
from medtl_helpers.methods import backbones

IMAGES = torch.randint(0, 256, (8, 3, 16, 16), generator=torch.Generator().manual_seed(0)).byte()
X, Y = torch.randn(8, 4, generator=torch.Generator().manual_seed(0)), torch.arange(8) % 2


def network(*more, outputs=2):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 16), *more, nn.ReLU(), nn.Linear(16, outputs))


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
]


@pytest.mark.parametrize("make, options, said", [row[1:] for row in SETTINGS], ids=[row[0] for row in SETTINGS])
def test_settings_that_cannot_be_trained_with(make, options, said):
    options, model = {"train": (X, Y), "epochs": 2, "progress": False} | options, make()
    before = weights(model)
    with pytest.raises(ValueError) as info:
        mtl.fit(model, options.pop("train"), **options)
    assert said in one_sentence(info.value)
    assert same(weights(model), before)


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
]
