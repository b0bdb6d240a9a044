"""The benchmarks of ratios and growth: both sides of a pair do the same work; the arithmetic of what is reported."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import medmnist_way
import pairs
import ratios
import scale
import streams

import medtl_helpers as mtl


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        pairs.batches,
        pairs.loop_on_images,
        pairs.loop_on_features,
        pairs.loop_on_outlines,
        lambda: pairs.torch_probe(1, False),
        lambda: pairs.keras_probe(1, True),
        lambda: pairs.vgg16_of("channels_last", False, 2),
        lambda: pairs.vgg16_of("channels_last", True, 2),
        lambda: pairs.vgg16_of("channels_first", False, 2),
        lambda: pairs.vgg16_of("channels_first", True, 2),
    ],
    ids=[
        "batches",
        "loop",
        "loop on features",
        "loop on outlines",
        "cache, torch",
        "cache, Keras",
        "forward",
        "step",
        "forward, channels first",
        "step, channels first",
    ],
)
def test_both_sides_do_the_same_work(make, monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # as in the benchmark; sums are then added up in one order
    ours, theirs, agree = make()
    a, b = ours(), theirs()
    torch.set_num_threads(before)
    assert agree(a, b)
    assert not agree(a, b * 1.5)


SPLITS = ("train", "val", "test")


def pair(**change):
    calls = []

    def side(name, answer):
        return lambda: calls.append(name) or answer

    made = side("ours", 1), side("theirs", 1), lambda a, b: a == b
    return calls, pairs.Pair("W", "O", "T", True, 10, 1, lambda: made)._replace(**change)


def test_sides_take_turns_and_the_ratio_is_that_of_their_seconds(monkeypatch):
    calls, measured = pair()
    monkeypatch.setattr(pairs, "seconds", lambda side: side() and {"ours": 2.0, "theirs": 5.0}[calls[-1]])
    row = ratios.measure(measured, 3)
    assert calls == ["ours", "theirs", "ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert (row["ratios"], row["median"], row["our seconds"], row["their seconds"]) == ([2.5] * 3, 2.5, 2.0, 5.0)
    assert ratios.measure(measured._replace(speedup=False), 3)["median"] == 0.4
    assert "W: O 2.5 times as fast as T (2.5 to 2.5 in 3 rounds; aim: at least 10)" == ratios.sentence(row)


def test_other_work_is_not_compared():
    _, measured = pair(make=lambda: (lambda: 1, lambda: 2, lambda a, b: a == b))
    with pytest.raises(SystemExit, match="W: the two sides do not do the same work"):
        ratios.measure(measured, 1)


def test_a_loop_at_another_rate_is_other_work(monkeypatch):
    loop = pairs.plain_loop
    monkeypatch.setattr(pairs, "plain_loop", lambda *args, lr, **rest: loop(*args, lr=2 * lr, **rest))
    ours, theirs, agree = pairs.loop_on_features()
    assert not agree(ours(), theirs())


def few(task, n=64):
    return replace(task, **{name: mtl.Split(*(part[:n] for part in getattr(task, name))) for name in SPLITS})


def test_ways_that_keep_the_same_epoch_score_the_same(monkeypatch):
    monkeypatch.setattr(medmnist_way, "EPOCHS", 1)
    found = medmnist_way.accuracies(0, few(mtl.load("pneumonia", quiet=True)))
    assert tuple(found) == medmnist_way.WAYS
    assert found[medmnist_way.LAST] == found[medmnist_way.LOWEST]
    assert found[medmnist_way.THEIRS] == found[medmnist_way.MEANT]


def test_the_authors_way_keeps_the_last_epoch_and_means_the_one_of_the_highest_validation_auroc(monkeypatch):
    task = few(mtl.load("pneumonia", quiet=True), 32)
    aurocs = iter([0.5, 0.6, 0.5, 0.5, 0.9, 0.5, 0.5, 0.9, 0.5])  # of train, val and test in three epochs
    monkeypatch.setattr(pairs, "roc_auc_score", lambda *_: next(aurocs))
    tests = iter([0.25, 0.5, 0.75])

    class Right(torch.nn.Linear):
        """Right about a share of the test images, another in each epoch."""

        def forward(self, x):
            if self.training:
                self.turn = 0
                return super().forward(x.flatten(1))
            self.turn += 1
            right = torch.arange(len(x)) < (round(next(tests) * len(x)) if self.turn == 3 else 0)
            return torch.nn.functional.one_hot(torch.where(right, task.test.y, 1 - task.test.y), 2).float()

    assert pairs.as_the_authors(Right(784, 2), task, 3) == (0.75, 0.5)


def test_differences_are_paired_by_seed():
    runs = []
    for seed in (2, 0, 1):
        accuracies = dict.fromkeys(medmnist_way.WAYS, 0.7 + seed / 100)
        accuracies[medmnist_way.LAST] += 0.1
        rows = [{"way": way, "scores": {"test accuracy": value}} for way, value in accuracies.items()]
        runs.append({"data": "twin", "seed": seed, "rows": rows})
    found = {row["way"]: row for row in medmnist_way.summary(runs)}
    last, theirs = found[medmnist_way.LAST], found[medmnist_way.THEIRS]
    assert (last["seeds"], last["mean"], theirs["mean"], theirs["minus theirs"]) == ([0, 1, 2], 0.81, 0.71, None)
    assert last["minus theirs"].startswith("0.100 [0.100, 0.100]")


def test_the_exponent_is_the_slope_of_the_logarithms():
    assert scale.exponent([1, 2, 4], 3 * np.array([1, 2, 4]) ** 1.5) == 1.5


@pytest.mark.slow
def test_a_point_of_growth_is_measured_in_a_process_of_its_own():
    found = scale.measured(scale.POINT | {"n": 64})
    assert found["n"] == 64 and found["seconds"] > 0 and found["megabytes"] < 2000


def test_a_streamed_folder_is_recorded_as_fast_enough_and_as_saving_memory():
    """At least half of the speed in memory; and twice as many images need no more than a tenth of their pixels more."""
    record = json.loads((Path(streams.__file__).parent / "results" / "streams.json").read_text("utf-8"))
    (fit, _), rows = record["speed"]["pairs"], record["memory"]["peaks"]
    assert fit["aim"] == 0.5 <= fit["median"] and record["speed"]["images in an epoch"] == 14_000
    memory = {(row["n"], row["streamed"]): row["megabytes"] for row in rows}
    pixels = (20_000 - streams.FIRST) * 3 * streams.SIDE**2 / 1e6
    assert memory[20_000, True] < pixels / 10 < pixels < memory[20_000, False]


@pytest.mark.slow
def test_the_streamed_side_does_the_work_of_the_one_in_memory(tmp_path):
    streams.draw(tmp_path, 0, 60)
    memory, streamed = (mtl.load_folder(tmp_path, size=streams.SIDE, stream=stream) for stream in (False, True))
    for side in (streams.train, streams.read):
        assert streams.same(side(streamed), side(memory))
