"""What is given to networks: pairs of every make, weights of classes, outputs and scales not as they seem."""

from collections import namedtuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from medtl_helpers import guards
from medtl_helpers.methods.features import prefix_features, stage_features
from medtl_helpers.methods.fisher import fisher_diagonal
from medtl_helpers.methods.losses import SourceReplay, transfer_loss
from medtl_helpers.methods.nets import CourseCNN
from medtl_helpers.methods.predict import predict
from medtl_helpers.methods.train import fit

GENERATOR = torch.Generator().manual_seed(0)
X, Y = torch.randn(30, 4, generator=GENERATOR), torch.arange(30) % 3
QUIET = {"epochs": 2, "batch_size": 8, "progress": False}


def network(*end, outputs=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, outputs), *end)


def losses(train=(X, Y), make=network, **options):
    return fit(make(), train, **QUIET, **options).train_loss


# --- pairs -----------------------------------------------------------------------------------------------------------


def test_a_pair_of_every_make_trains_alike():
    wanted = losses()
    pairs = [[X, Y], (X.numpy(), Y.tolist()), (X.tolist(), Y.to(torch.uint8)), TensorDataset(X, Y)]
    pairs += [(np.flip(np.flip(X.numpy(), 0), 0), np.flip(np.flip(Y.numpy()))), (X.numpy().astype(">f4"), Y)]
    assert all(losses(pair) == wanted for pair in pairs)


def test_a_read_only_array_is_copied_and_not_written_to():
    x = X.numpy().copy()
    x.flags.writeable = False
    assert losses((x, Y)) == losses()


class Lazy(Dataset):
    def __len__(self):
        return 30

    def __getitem__(self, k):
        return X[k], Y[k]


Whole = namedtuple("Whole", ("train", "val", "test"))
NO_PAIRS = {
    "a loader": (DataLoader(TensorDataset(X, Y)), "is a DataLoader, and batches are made here, of batch_size: give"),
    "a data set": (Lazy(), "is a Lazy, whose examples are not in memory yet"),
    "a task": (Whole((X, Y), (X, Y), (X, Y)), "is a Whole, a whole task, of which task.train is a pair"),
    "inputs alone": (X, "is a Tensor: give a pair (x, y)"),
    "two rows": (X[:2].numpy(), "is a ndarray: give a pair (x, y)"),
    "three parts": ((X, Y, Y), "is a tuple of 3 parts: give a pair (x, y)"),
    "a dict": ({"x": X, "y": Y}, "is a dict: give a pair (x, y)"),
}


@pytest.mark.parametrize("name", NO_PAIRS)
def test_what_is_no_pair_is_told_with_where_the_pair_is(name):
    given, said = NO_PAIRS[name]
    for call in (lambda: fit(network(), given), lambda: fit(network(), (X, Y), given)):
        with pytest.raises(ValueError) as info:
            call()
        assert said in str(info.value) and "\n" not in str(info.value)


# --- weights of classes ----------------------------------------------------------------------------------------------

UNEVEN = torch.tensor([0] * 15 + [1] * 10 + [2] * 5)


def test_balanced_weights_are_n_over_k_n_k():
    found = guards.as_class_weight("balanced", UNEVEN, "cpu")
    torch.testing.assert_close(found, torch.tensor([30 / 45, 30 / 30, 30 / 15]))
    assert losses((X, UNEVEN), class_weight="balanced") == losses((X, UNEVEN), class_weight=[30 / 45, 1.0, 2.0])


def test_weights_by_class_in_any_order_are_weights_in_order():
    assert losses(class_weight={2: 5.0, 0: 1, 1: 2}) == losses(class_weight=torch.tensor([1.0, 2.0, 5.0]))


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        ({0: 1.0, 2: 3.0}, "class_weight is for 0, 2: give one weight per class from 0 on"),
        ({"ill": 1.0, "well": 2.0}, "class_weight is for ill, well: give one weight per class"),
        ("equal", "class_weight is 'equal': give one number above zero per class, or 'balanced'"),
        ({0: 1, 1: 2}, "class_weight has shape (2,), but the model has 3 outputs"),
        ({0: 1, 1: -1, 2: 2}, "class_weight is [1.0, -1.0, 2.0]: give one finite number above zero"),
    ],
)
def test_weights_that_are_not_one_a_class_are_told(weight, said):
    with pytest.raises(ValueError) as info:
        losses(class_weight=weight)
    assert said in str(info.value)


def test_a_class_without_examples_has_no_balance():
    with pytest.raises(ValueError, match=r"^class_weight is \[0\.66\d*, inf, 0\.66\d*\]: give one finite number"):
        losses((X[:20], torch.tensor([0, 2] * 10)), class_weight="balanced")


# --- outputs ---------------------------------------------------------------------------------------------------------

Both = namedtuple("Both", ("logits", "aux_logits"))


class Wraps(nn.Module):
    def __init__(self, how):
        super().__init__()
        self.inner, self.how = network(), how

    def forward(self, x):
        return self.how(self.inner(x))


@pytest.mark.parametrize(
    "how", [lambda z: {"loss": z.sum(), "logits": z}, lambda z: Both(z, -z)], ids=["dict", "tuple"]
)
def test_logits_in_a_dict_or_a_named_tuple_are_the_logits(how):
    model = Wraps(how)
    assert losses(make=lambda: Wraps(how)) == losses()
    assert torch.equal(predict(model, X), predict(model.inner, X))
    fisher = fisher_diagonal(model.cpu(), X)
    assert torch.equal(fisher["inner.0.weight"], fisher_diagonal(model.inner, X)["0.weight"])
    plain = transfer_loss(model.inner, X, Y, SourceReplay(X, Y), 0.5)
    assert torch.equal(transfer_loss(model, X, Y, SourceReplay(X, Y), 0.5), plain)


@pytest.mark.parametrize("how", [lambda z: (z, z), lambda z: [z], lambda z: {"scores": z}, lambda z: None])
def test_outputs_without_logits_are_refused(how):
    for call in (lambda: losses(make=lambda: Wraps(how)), lambda: predict(Wraps(how), X)):
        with pytest.raises(ValueError, match=r"^The model returns .* without logits in it: wrap the model, .*N×K\.$"):
            call()


def test_one_output_alone_is_no_probability():
    for model in (network(outputs=1), nn.Sequential(network(outputs=1), nn.Flatten(0))):
        with pytest.raises(ValueError, match=r"one number for each input, .*give the model one output per class\.$"):
            predict(model, X)


@pytest.mark.parametrize("end", [nn.Softmax(1), nn.Softmax(-1)])
@pytest.mark.parametrize("batch_size", [1, 256])
def test_predict_takes_the_answers_of_a_softmax_as_they_are_and_says_so_once(capsys, end, batch_size):
    model = network(end)
    probability = predict(model, X, batch_size=batch_size)
    torch.testing.assert_close(probability, F.softmax(model[:3](X), 1), rtol=1e-5, atol=1e-6)
    assert capsys.readouterr().out.count("The model ends in a softmax") == 1
    predict(model, X)
    assert not capsys.readouterr().out
    predict(network(end), X[:1])
    assert capsys.readouterr().out.count("The model ends in a softmax") == 1


def test_fit_of_a_softmax_says_in_one_line_what_the_second_one_does(capsys):
    fit(network(nn.Softmax(1)), (X, Y), **QUIET)
    assert capsys.readouterr().out.count("ends in a softmax and the loss applies another one") == 1


@pytest.mark.parametrize("end", [nn.ReLU(), nn.Sigmoid(), nn.LogSoftmax(1), nn.Identity()])
def test_logits_that_only_look_a_little_like_probabilities_are_logits(capsys, end):
    model = network(end)
    torch.testing.assert_close(predict(model, X), model(X).softmax(1))
    assert losses(make=lambda: network(end))[0] > 0 and not capsys.readouterr().out


# --- scales ----------------------------------------------------------------------------------------------------------

IMAGES = torch.randint(0, 256, (8, 3, 16, 16), generator=GENERATOR, dtype=torch.uint8)
LABELS = torch.arange(8) % 2
VALID = {
    "bytes": IMAGES,
    "-1 to 1": IMAGES / 127.5 - 1,
    "0 to 1": IMAGES / 255,
    "standardised": (IMAGES - IMAGES.float().mean()) / 4,  # -30 to 30
    "maps of features": None,
}
CALLS = {
    "predict": lambda model, x: predict(model, x),
    "fit": lambda model, x: fit(model, (x, LABELS), epochs=1, progress=False),
    "validation": lambda model, x: fit(model, (IMAGES, LABELS), (x, LABELS), epochs=1, progress=False),
    "prefix_features": lambda model, x: prefix_features(model, x),
    "stage_features": lambda model, x: stage_features(model, x),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("scale", [1, 1 / 3, 16], ids=["255", "85", "4080"])
def test_grey_values_as_floats_are_told_once_with_what_to_do(capsys, call, scale):
    model, x = CourseCNN(3, 2), IMAGES.double() * scale
    for times in (1, 0):
        CALLS[call](model, x)
        assert capsys.readouterr().out.count("give them as uint8") == times


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", VALID)
def test_images_and_features_on_their_own_scale_are_not_disturbed(capsys, call, name):
    model, x = CourseCNN(3, 2), VALID[name]
    if x is None:
        if call == "validation":
            return
        model, x = CourseCNN(16, 2), 100 * torch.rand(8, 16, 16, 16)
    CALLS[call](model, x)
    assert not capsys.readouterr().out


def test_numbers_of_a_table_may_be_large(capsys):
    fit(network(outputs=2), (1000 * X.abs(), Y % 2), **QUIET)
    predict(network(), 1000 * X.abs())
    assert not capsys.readouterr().out


# --- shapes ----------------------------------------------------------------------------------------------------------


def test_a_linear_layer_of_another_width_is_told_with_both_numbers():
    model = CourseCNN(3, 2, width=8)
    model.head = nn.Linear(20, 2)
    flat = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 26 * 26, 2))
    for net, wants, gives in ((model, 20, 32), (flat, 2704, 784)):
        with pytest.raises(ValueError, match=f"wants {wants} numbers and the layers before it give {gives}: build"):
            predict(net, IMAGES)


def test_weights_of_double_precision_are_told():
    with pytest.raises(ValueError, match=r"weights are float64 and its inputs float32: call model\.float\(\) first"):
        predict(network().double(), X)


def test_validation_inputs_of_another_width_are_told_before_training():
    model = network()
    before = model[0].weight.detach().cpu().clone()
    for other in (X[:, :3], X[:, None]):
        with pytest.raises(ValueError, match="both need the same columns or channels"):
            fit(model, (X, Y), (other, Y), **QUIET)
    assert torch.equal(model[0].weight.cpu(), before)
