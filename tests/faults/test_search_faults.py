"""An automatic search that cannot be: what the user reads, and what stays as it was."""

from dataclasses import replace

import pytest
import torch
from rows import Row, of_ours, one_sentence

import medtl_helpers as mtl
from medtl_helpers.data import tables
from medtl_helpers.methods import trials
from medtl_helpers.methods.all_stages import all_stages_regression
from medtl_helpers.methods.halving import halving_schedule, successive_halving

GENERATOR = torch.Generator().manual_seed(0)
X, Y = torch.randint(0, 256, (12, 3, 12, 12), generator=GENERATOR, dtype=torch.uint8), torch.arange(12) % 2
TASK = mtl.ImageTask("tiny", *(mtl.Split(X, Y),) * 3, ("well", "ill"))
NETWORKS = {"mine": mtl.CourseCNN(3, 2, width=8)}


def search(task=TASK, minutes=0.01, **how):
    return mtl.auto_transfer(task, minutes, **{"sources": NETWORKS, "progress": False} | how)


def with_split(split, x=X, y=Y):
    return replace(TASK, **{split: mtl.Split(x, y)})


# fault, call, what is said
FAULTS = [
    ("a split in place of a task", lambda: search((X, Y)), "The task is a tuple: give a task of images"),
    ("a table", lambda: search(tables.heart_twin("cleveland", 30)), "give a task of images"),
    ("images as floats", lambda: search(with_split("train", X / 255)), "training images are torch.float32"),
    ("images of two channels", lambda: search(with_split("train", X[:, :2])), "give uint8 images N×C×H×W, grey or RGB"),
    ("no validation images", lambda: search(with_split("val", X[:0], Y[:0])), "The validation set is empty"),
    ("one class alone", lambda: search(with_split("train", X, 0 * Y)), "All training labels are 0"),
    (
        "a class without a training image",
        lambda: search(replace(TASK, classes=("a", "b", "c"))),
        "0, 1, and the classes",
    ),
    ("labels from 1", lambda: search(replace(with_split("train", X, Y + 1), val=mtl.Split(X, Y + 1))), "are 1, 2, and"),
    (
        "a class in validation alone",
        lambda: search(with_split("val", X, Y + 1)),
        "Class 2 is in the validation set and not in the training set",
    ),
    ("no minutes", lambda: search(minutes=0), "minutes is 0: give a finite rate, above 0"),
    ("minutes as text", lambda: search(minutes="5"), "minutes is '5'"),
    ("a seed below 0", lambda: search(seed=-1), "seed is -1: give a whole number of 0"),
    (
        "a source that nobody knows",
        lambda: search(sources=["imagenet"]),
        "There is no source 'imagenet': choose some of",
    ),
    ("a source without stages", lambda: search(sources={"plain": torch.nn.Linear(2, 2)}), "without named stages"),
    ("a schedule that gives a candidate nothing", lambda: halving_schedule(8, 7), "8 candidates on 3 rungs need 24"),
    (
        "resources that do not grow",
        lambda: list(successive_halving("ab", lambda *_: 0.0, [3, 3])),
        "resources that grow from rung to rung",
    ),
    (
        "a loss that is NaN",
        lambda: list(successive_halving("ab", lambda *_: float("nan"), [1])),
        "The loss of a is NaN",
    ),
    (
        "all stages: a class without an example",
        lambda: all_stages_regression(NETWORKS["mine"], X[:, 0, 0].float(), Y, 3, 1.0),
        "Class 2 has no training example",
    ),
]


@pytest.mark.parametrize(("fault", "call", "said"), FAULTS, ids=[fault for fault, *_ in FAULTS])
def test_it_is_told_in_one_sentence(fault, call, said):
    with pytest.raises((ValueError, TypeError)) as told:
        call()
    assert said in of_ours(told.value)


def another_search(out):
    search(out=out, seed=1)
    return out / "search.jsonl"


def notes(out):
    (out / "search.jsonl").write_text("my notes\n", "utf-8")
    return out / "search.jsonl"


def damaged(out):
    file = another_search(out)
    lines = file.read_text("utf-8").splitlines()
    file.write_text("\n".join([lines[0], lines[1][:20], *lines[2:]]) + "\n", "utf-8")
    return file


# fault, what makes the file, what is said
LOGS = [
    (
        "the log of another search",
        another_search,
        "is the log of another search (other images, seed, minutes or sources)",
    ),
    ("a file that is no log", notes, "is no JSON, so it is not the log of a search, or damaged"),
    ("a log damaged in the middle", damaged, "Line 2 of"),
]


@pytest.mark.parametrize(("fault", "make", "said"), LOGS, ids=[fault for fault, *_ in LOGS])
def test_a_log_that_does_not_fit_is_told_and_left_as_it_is(tmp_path, monkeypatch, fault, make, said):
    monkeypatch.setattr(trials, "clock", lambda: 0.0)
    file = make(tmp_path)
    before = file.read_bytes()
    with pytest.raises(ValueError) as told:
        search(out=tmp_path)
    assert said in of_ours(told.value) and file.read_bytes() == before


def test_a_log_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(ValueError, match="No log can be written at") as told:
        search(out=tmp_path / "file" / "below")
    one_sentence(told.value)
    assert (tmp_path / "file").read_text() == "kept"


def test_when_every_training_diverges_nothing_is_returned(monkeypatch, tmp_path):
    def diverges(self, way, epochs):
        raise FloatingPointError("The loss is nan in epoch 1.")

    monkeypatch.setattr(trials.Trials, "run", diverges)
    with pytest.raises(FloatingPointError, match="No training of any way ended with a loss that is a number"):
        search(out=tmp_path)
    assert len((tmp_path / "search.jsonl").read_text().splitlines()) > 1


TABLE = [
    *(Row(f"search: {fault}", said, "—") for fault, _, said in FAULTS),
    *(Row(f"search: {fault}", said, "the file as it is") for fault, _, said in LOGS),
    Row("search: a log that cannot be written", "No log can be written at", "what stands there"),
    Row("search: every training diverges", "No training of any way ended with a loss that is a number", "the log"),
]
