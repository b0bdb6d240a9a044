"""What must hold whatever the data are: splits, metrics, penalties and readers, on inputs that hypothesis makes up."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from sklearn import metrics as sk
from torch import nn

from medtl_helpers import provenance
from medtl_helpers.data.folders import load_folder
from medtl_helpers.data.images import read_image
from medtl_helpers.data.pixels import UnusableImage
from medtl_helpers.data.tasks import Split, Task, few_shot, split_table
from medtl_helpers.methods.fisher import fisher_diagonal
from medtl_helpers.methods.losses import EWC, L2SP, snapshot, transfer_loss
from medtl_helpers.methods.metrics import bootstrap_metrics, weighted_auroc

same_every_time = settings(derandomize=True, deadline=None, max_examples=40, database=None)
seeds = st.integers(0, 2**31 - 1)


@pytest.fixture(autouse=True)
def forget_sources(monkeypatch):
    """What is loaded here is not what other tests are about."""
    monkeypatch.setattr(provenance, "_sources", {})


# --- splits ----------------------------------------------------------------------------------------------------------


def table(counts):
    """A table with so many rows of each class, whose only column is the row's number."""
    y = np.repeat(np.arange(len(counts)), counts)
    x = pd.DataFrame({"row": np.arange(len(y))})
    names = tuple(f"class {k}" for k in range(len(counts)))
    return Task("made up", Split(x, y), Split(x[:0], y[:0]), Split(x[:0], y[:0]), names, 1, "twin", "", "")


@same_every_time
@given(
    counts=st.lists(st.integers(0, 60), min_size=2, max_size=4),
    seed=seeds,
    test=st.floats(0.05, 0.95),
    val=st.floats(0.05, 0.95),
    n_train=st.none() | st.integers(0, 60),
)
def test_a_split_keeps_every_row_once_and_every_class_everywhere_or_says_why_not(counts, seed, test, val, n_train):
    whole = table(counts)
    try:
        task = split_table(whole, seed=seed, test=test, val=val, n_train=n_train)
    except ValueError as error:
        assert str(error).endswith(".") and "\n" not in str(error) and ": " in str(error)
        return
    rows = [part.x["row"].to_numpy() for part in (task.train, task.val, task.test)]
    assert len(set(np.concatenate(rows))) == sum(map(len, rows))
    assert sum(map(len, rows)) == sum(counts) if n_train is None else len(rows[0]) == n_train
    for part in (task.train, task.val, task.test):
        assert np.array_equal(part.y, whole.train.y[part.x["row"]])  # each row still has its own label
        assert set(part.y) == set(range(len(counts)))


@same_every_time
@given(
    counts=st.lists(st.integers(1, 90), min_size=2, max_size=4), seed=seeds, n=st.integers(1, 9), val=st.integers(0, 9)
)
def test_few_shots_are_so_many_of_each_class_and_no_image_is_drawn_twice(counts, seed, n, val):
    y = torch.tensor(np.repeat(np.arange(len(counts)), counts))
    x = torch.arange(len(y))[:, None]
    names = tuple(f"class {k}" for k in range(len(counts)))
    task = Task("made up", Split(x, y), Split(x[:0], y[:0]), Split(x, y), names, None, "twin", "", "")
    if min(counts) < n + val:
        with pytest.raises(ValueError, match="take fewer"):
            few_shot(task, n, seed=seed, val=val)
        return
    few = few_shot(task, n, seed=seed, val=val)
    assert torch.bincount(few.train.y, minlength=len(counts)).tolist() == [n] * len(counts)
    assert torch.bincount(few.val.y, minlength=len(counts)).tolist() == [val] * len(counts)
    drawn = torch.cat([few.train.x, few.val.x]).flatten()
    assert len(drawn.unique()) == len(drawn) and few.test is task.test
    assert torch.equal(y[drawn], torch.cat([few.train.y, few.val.y]))


# --- metrics ---------------------------------------------------------------------------------------------------------

coarse = st.integers(0, 8).map(lambda k: k / 8)  # many ties


@st.composite
def answers(draw):
    """True classes, some of which may never occur, and probabilities with many ties."""
    n, k = draw(st.integers(1, 25)), draw(st.integers(2, 4))
    y = draw(hnp.arrays(np.int64, n, elements=st.integers(0, k - 1)))
    y = np.r_[y, np.arange(k)] if draw(st.booleans()) else y
    return y, draw(hnp.arrays(float, (len(y), k), elements=coarse))


@same_every_time
@given(data=answers(), seed=seeds)
def test_metrics_are_scikit_learns_and_say_so_where_they_are_not_defined(data, seed):
    y, probability = data
    n_classes = probability.shape[1]
    if len(set(y)) < n_classes:
        with pytest.raises(ValueError, match="at least one case of each"):
            bootstrap_metrics(y, probability, resamples=20, seed=seed)
        return
    found = bootstrap_metrics(y, probability, resamples=20, seed=seed)
    predicted = probability.argmax(1)
    auroc = np.mean([sk.roc_auc_score(y == k, probability[:, k]) for k in range(n_classes)])
    assert found["balanced accuracy"].value == pytest.approx(sk.balanced_accuracy_score(y, predicted))
    assert found["accuracy"].value == pytest.approx(sk.accuracy_score(y, predicted))
    assert found["F1"].value == pytest.approx(sk.f1_score(y, predicted, average="macro", zero_division=0))
    assert found["auroc"].value == pytest.approx(auroc)
    for interval in found.values():
        assert 0 <= interval.low <= interval.high <= 1 + 1e-12


@same_every_time
@given(
    data=st.integers(2, 30).flatmap(
        lambda n: st.tuples(
            hnp.arrays(bool, n),
            hnp.arrays(float, n, elements=coarse),
            hnp.arrays(np.int64, (3, n), elements=st.integers(1, 4)),
        )
    )
)
def test_our_auroc_is_scikit_learns_with_ties_and_weights_and_turns_around_with_the_score(data):
    positive, score, weights = data
    if positive.all() or not positive.any():
        return
    ours = weighted_auroc(positive, score, weights)
    theirs = [sk.roc_auc_score(positive, score, sample_weight=w) for w in weights]
    np.testing.assert_allclose(ours, theirs, atol=1e-12)
    np.testing.assert_allclose(weighted_auroc(positive, -score, weights), 1 - ours, atol=1e-12)


# --- penalties -------------------------------------------------------------------------------------------------------


@st.composite
def models(draw):
    """A small network, the weights of another, and labelled examples, in double precision."""
    torch.manual_seed(draw(seeds))
    inputs, classes, n = draw(st.integers(1, 4)), draw(st.integers(2, 4)), draw(st.integers(1, 12))
    scale = draw(st.sampled_from([0.1, 1.0, 10.0]))
    make = lambda: nn.Sequential(nn.Linear(inputs, 3), nn.Tanh(), nn.Linear(3, classes)).double()  # noqa: E731
    x = scale * torch.randn(n, inputs, dtype=torch.float64)
    return make(), snapshot(make()), x, torch.randint(classes, (n,))


@same_every_time
@given(case=models(), lam=st.floats(0, 100))
def test_the_objective_is_a_mean_and_n_times_it_the_sum_with_n_lambda(case, lam):
    model, source, x, y = case
    penalty = L2SP(source)
    value = transfer_loss(model, x, y, penalty, lam)
    summed = F.cross_entropy(model(x), y, reduction="sum") + len(x) * lam * penalty(model)
    torch.testing.assert_close(len(x) * value, summed)
    twice = transfer_loss(model, torch.cat([x, x]), torch.cat([y, y]), penalty, lam)
    torch.testing.assert_close(twice, value)  # the same examples twice: R counts once


@same_every_time
@given(case=models())
def test_penalties_are_never_negative_and_zero_at_the_source_and_fisher_is_never_negative(case):
    model, source, x, y = case
    for fisher in (fisher_diagonal(model, x), fisher_diagonal(model, x, y)):
        assert fisher.keys() == source.keys()
        assert all((f >= 0).all() and f.isfinite().all() for f in fisher.values())
        assert EWC(source, fisher)(model) >= 0 and EWC(snapshot(model), fisher)(model) == 0
    assert L2SP(source)(model) > 0 and L2SP(snapshot(model))(model) == 0


# --- readers ---------------------------------------------------------------------------------------------------------

SAVED = {
    "png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "tif": ("1", "L", "RGB", "RGBA", "CMYK", "I;16", "F"),
    "bmp": ("1", "L", "P", "RGB"),
    "jpg": ("L", "RGB", "CMYK"),
}


@st.composite
def pictures(draw, smallest=1):
    """An image of any mode and size, and the suffix to save it with."""
    suffix = draw(st.sampled_from(sorted(SAVED)))
    mode = draw(st.sampled_from(SAVED[suffix]))
    side = st.integers(smallest, 9) | st.integers(8, 40)
    shape = draw(side), draw(side)
    rng = np.random.default_rng(draw(seeds))
    if mode in ("I;16", "F"):
        return suffix, Image.fromarray(rng.integers(0, 2**16, shape).astype("uint16" if mode == "I;16" else "float32"))
    return suffix, Image.fromarray(rng.integers(0, 256, (*shape, 3), dtype=np.uint8)).convert(mode)


@same_every_time
@given(picture=pictures())
def test_an_image_of_any_mode_and_size_is_bytes_of_its_shape_or_a_sentence(picture):
    suffix, image = picture
    width, height = image.size
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        path = Path(folder) / f"x.{suffix}"
        image.save(path)
        try:
            pixels = read_image(path)
        except UnusableImage as error:
            assert min(width, height) < 8 and str(error).startswith(f"{path} is {width} × {height} px and each side")
            return
    assert min(width, height) >= 8 and pixels.dtype == np.uint8
    grey = image.mode in ("1", "L", "LA", "I;16", "F")
    assert pixels.shape == ((height, width) if grey else (height, width, 3))


@settings(same_every_time, max_examples=25)
@given(
    made=st.sampled_from([7, 8, 8]).flatmap(lambda low: st.lists(pictures(low), min_size=6, max_size=10)),
    size=st.integers(8, 24),
    channels=st.sampled_from([None, 1, 3]),
    seed=seeds,
)
def test_a_folder_of_any_images_is_a_task_of_one_shape_in_which_each_image_is_once_or_a_sentence(
    made, size, channels, seed
):
    with tempfile.TemporaryDirectory() as folder:
        for k, (suffix, image) in enumerate(made):
            path = Path(folder) / "ab"[k % 2] / f"{k}.{suffix}"
            path.parent.mkdir(exist_ok=True)
            image.save(path)
        small = sum(min(image.size) < 8 for _, image in made)
        try:
            task = load_folder(folder, size=size, channels=channels, seed=seed)
        except ValueError as error:
            assert small and f"{small} of the {len(made)} images" in str(error) and "\n" not in str(error)
            return
    assert not small
    splits = (task.train, task.val, task.test)
    for part in splits:
        assert part.x.dtype == torch.uint8 and part.x.shape[1:] == (part.x.shape[1], size, size)
        assert part.x.shape[1] in ((1, 3) if channels is None else (channels,)) and len(part.x) == len(part.y)
        assert set(part.y.tolist()) == {0, 1}
    assert torch.cat([part.y for part in splits]).bincount().tolist() == [(len(made) + 1) // 2, len(made) // 2]
