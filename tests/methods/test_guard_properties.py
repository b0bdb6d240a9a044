"""Labels and probabilities as arrays and float32 arithmetic make them: every make of the same numbers trains alike."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from medtl_helpers import guards
from medtl_helpers.methods.predict import predict
from medtl_helpers.methods.train import fit

pytestmark = pytest.mark.usefixtures("one_processor_thread")

same_every_time = settings(derandomize=True, deadline=None, max_examples=60, database=None)
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", ">i2", ">i8", "bool")


def written(y: list[int], dtype: str, stride: int, backwards: bool, read_only: bool) -> np.ndarray:
    """The labels as an array of that type in which only every ``stride``-th number is theirs, perhaps from the end."""
    array = np.full(len(y) * stride, 1, dtype)
    view = array[::stride][::-1] if backwards else array[::stride]
    view[:] = y
    view.flags.writeable = not read_only
    return view


arrays = st.tuples(st.sampled_from(INTEGERS), st.integers(1, 3), st.booleans(), st.booleans())
kinds = st.one_of(arrays, st.sampled_from(["list", "tuple", "scalars", *(f"torch {d}" for d in INTEGERS[:8])]))


def as_kind(y: list[int], kind):
    if isinstance(kind, tuple):
        return written(y, *kind)
    if kind.startswith("torch"):
        return torch.tensor(y).repeat_interleave(2).to(getattr(torch, kind.split()[1]))[::2]
    return {"list": list(y), "tuple": tuple(y), "scalars": [np.int16(k) for k in y]}[kind]


@same_every_time
@given(y=st.lists(st.integers(0, 1), min_size=1, max_size=30), kind=kinds)
def test_labels_of_every_make_are_the_same_whole_numbers(y, kind):
    x = torch.zeros(len(y), 2)
    _, found = guards.as_examples((x, as_kind(y, kind)), "training")
    assert found.dtype == torch.int64 and found.tolist() == y


@settings(same_every_time, max_examples=15)
@given(kind=kinds, weight=st.sampled_from([None, "balanced", {1: 2.0, 0: 1.0}]))
def test_training_does_not_depend_on_how_labels_are_written(kind, weight):
    y = [0, 1, 1, 0, 1, 1, 1, 0]
    x = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))

    def weights(labels):
        torch.manual_seed(0)
        model = nn.Linear(3, 2)
        fit(model, (x, labels), (x, labels), epochs=2, batch_size=3, class_weight=weight, progress=False)
        return model.weight

    assert torch.equal(weights(as_kind(y, kind)), weights(torch.tensor(y)))


@same_every_time
@given(y=st.lists(st.integers(-3, 9), min_size=2, max_size=20), outputs=st.integers(2, 6))
def test_labels_are_classes_of_the_network_or_one_sentence_says_which_are_not(y, outputs):
    logits = torch.zeros(len(y), outputs)
    if min(y) >= 0 and max(y) < outputs:
        guards.check_outputs(torch.nn.Identity(), logits, torch.tensor(y), None)
        return
    with pytest.raises(ValueError) as info:
        guards.check_outputs(torch.nn.Identity(), logits, torch.tensor(y), None)
    text = str(info.value)
    assert f"from {min(y)} to {max(y)}" in text and text.endswith(".") and "\n" not in text


logits = st.tuples(st.integers(1, 40), st.integers(2, 12), st.floats(0.01, 200), st.integers(0, 2**31 - 1))


def drawn(n, classes, scale, seed):
    return scale * torch.randn(n, classes, generator=torch.Generator().manual_seed(seed))


@same_every_time
@given(shape=logits, how=st.sampled_from(["softmax", "exp", "half sum", "from the end", "rounded"]))
def test_what_float32_makes_of_probabilities_is_known_as_such_and_handed_on(shape, how):
    """Softmax, exponentials over their sum, added in another order, or read from six decimals."""
    z = drawn(*shape)
    p = {
        "softmax": lambda: z.softmax(1),
        "exp": lambda: (e := (z - z.amax(1, keepdim=True)).exp()) / e.sum(1, keepdim=True),
        "half sum": lambda: (e := (z - z.amax(1, keepdim=True)).exp()) / (e[:, :1].sum(1) + e[:, 1:].sum(1))[:, None],
        "from the end": lambda: z.log_softmax(1).exp().flip(1),
        "rounded": lambda: torch.from_numpy(np.round(z.double().softmax(1).numpy(), 7)).float(),
    }[how]()
    assert ((p.double().sum(1) - 1).abs() < 1e-5).all() and guards.are_probabilities(p)
    assert torch.equal(predict(nn.Identity(), p), p)


@same_every_time
@given(shape=logits)
def test_logits_are_never_taken_for_probabilities(shape):
    z = drawn(*shape)
    assert not any(map(guards.are_probabilities, (z, z.relu(), z.log_softmax(1))))
    torch.testing.assert_close(predict(nn.Identity(), z), z.softmax(1))


@same_every_time
@given(shape=logits)
def test_a_row_that_does_not_add_up_makes_all_of_them_logits(shape):
    p = drawn(*shape).softmax(1)
    p[-1, 0] += 1e-3
    assert not guards.are_probabilities(p)
    p[-1, 0] = torch.nan
    assert not guards.are_probabilities(p)
