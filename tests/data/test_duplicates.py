"""The same picture twice: found as brute force finds it, told, and taken out of the later place."""

import numpy as np
import pytest
import torch

from medtl_helpers.data.catalogue import load
from medtl_helpers.data.duplicates import SPLITS, Duplicates, find_duplicates, without_duplicates
from medtl_helpers.data.tasks import Split, Task


def task_of(parts: dict, labels: dict | None = None) -> Task:
    labels = labels or {split: [0] * len(x) for split, x in parts.items()}
    splits = {split: Split(torch.as_tensor(x), torch.tensor(labels[split])) for split, x in parts.items()}
    return Task("t", **splits, classes=("a", "b"))


def noise(n: int, channels: int = 1, side: int = 12, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, channels, side, side), np.uint8)


def with_copies(seed: int = 0, channels: int = 1) -> dict[str, np.ndarray]:
    """Random pictures in three splits, of which some are blends of two pictures, so that all likenesses occur."""
    rng = np.random.default_rng(seed)
    x = noise(60, channels, seed=seed).astype(float)
    for at in range(20, 60):
        share = rng.uniform(0.7, 1)
        x[at] = share * x[rng.integers(20)] + (1 - share) * x[at]
    x = x.round().astype(np.uint8)[rng.permutation(60)]
    return {"train": x[:30], "val": x[30:40], "test": x[40:]}


def by_brute_force(parts: dict, least: float) -> set:
    """(split, row, other split, other row) of all pairs, later first, one correlation after the other."""
    places = [(split, row) for split in SPLITS for row in range(len(parts[split]))]
    pictures = [parts[split][row].astype(float) for split, row in places]
    centred = [(picture - picture.mean((1, 2), keepdims=True)).ravel() for picture in pictures]
    return {
        (*places[i], *places[j])
        for i in range(len(places))
        for j in range(i)
        if np.corrcoef(centred[i], centred[j])[0, 1] > least
    }


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("chunk", [7, 1024])
def test_the_pairs_are_those_of_brute_force(channels, chunk):
    parts = with_copies(channels=channels)
    found = find_duplicates(task_of(parts), 0.95, report=0.9, chunk=chunk)
    for least, pairs in ((0.9, found.pairs), (0.95, found.pairs[found.pairs["correlation"] > 0.95])):
        expected = by_brute_force(parts, least)
        assert len(expected) > 5
        assert set(pairs[["split", "row", "other split", "other row"]].itertuples(index=False, name=None)) == expected


def test_the_correlation_is_that_of_numpy():
    parts = with_copies(seed=1)
    for pair in find_duplicates(task_of(parts)).pairs.to_dict("records"):
        one, other = parts[pair["split"]][pair["row"]], parts[pair["other split"]][pair["other row"]]
        assert pair["correlation"] == pytest.approx(np.corrcoef(one.ravel(), other.ravel())[0, 1], abs=1e-5)


def test_equal_bytes_are_found_without_any_correlation_and_also_where_a_picture_has_no_contrast():
    x = noise(6)
    x[4], x[5] = 7, 7  # two grey pictures
    parts = {"train": x[[0, 1, 4]], "val": x[[2]], "test": x[[3, 0, 5]]}
    for threshold in (None, 0.99):
        found = find_duplicates(task_of(parts), threshold)
        assert found.pairs["identical"].all()
        assert list(found.rows("test", "train")) == [1, 2]
    different_greys = {"train": np.full((1, 1, 8, 8), 7, np.uint8), "val": noise(1, side=8), "test": noise(1, side=8)}
    different_greys["test"] = np.full((1, 1, 8, 8), 8, np.uint8)
    assert not len(find_duplicates(task_of(different_greys)).pairs)


def test_a_brighter_copy_with_more_contrast_is_the_same_picture_and_a_common_colour_is_not():
    x = noise(4) // 2
    brighter = (x[:1] * 1.6 + 40).round().astype(np.uint8)
    found = find_duplicates(task_of({"train": x[:2], "val": x[2:3], "test": brighter}))
    assert list(found.rows("test", "train")) == [0] and not found.pairs["identical"].any()
    pink = noise(3, 3) // 8 + np.array([200, 20, 120], np.uint8)[:, None, None]
    assert np.corrcoef(pink[0].ravel(), pink[1].ravel())[0, 1] > 0.97
    assert not len(find_duplicates(task_of({"train": pink[:1], "val": pink[1:2], "test": pink[2:]})).pairs)


def test_a_picture_stays_in_the_first_place_where_it_stands():
    x = noise(7)
    parts = {"train": x[[0, 1, 0, 2]], "val": x[[3, 1, 3]], "test": x[[4, 2, 5, 3, 4, 6]]}
    labels = {"train": [0, 1, 0, 1], "val": [0, 1, 0], "test": [0, 0, 1, 0, 0, 1]}
    task = task_of(parts, labels)
    found = find_duplicates(task)
    clean = without_duplicates(task, found)
    for split, rows in {"train": [0, 1, 3], "val": [0], "test": [0, 2, 5]}.items():
        assert np.array_equal(getattr(clean, split).x, parts[split][rows])
        assert getattr(clean, split).y.tolist() == [labels[split][row] for row in rows]
    assert [tuple(pair) for pair in found.other_label[["split", "row", "other row"]].to_numpy()] == [("test", 1, 3)]
    assert str(found).startswith("2 of 6 test images stand in train or validation")
    assert "copies within train, validation, test: 1, 1, 1; pairs with different labels: 1" in str(found)
    assert not len(find_duplicates(clean).pairs)
    assert len(task.test.y) == 6  # the task itself is as it was


def test_what_was_found_at_one_size_is_taken_out_at_another_and_a_higher_threshold_takes_out_less():
    parts = with_copies()
    larger = {split: x.repeat(2, -1).repeat(2, -2) for split, x in parts.items()}
    found = find_duplicates(task_of(parts), 0.95, report=0.9)
    assert isinstance(found, Duplicates)
    left = {t: len(without_duplicates(task_of(larger), found, threshold=t).test.y) for t in (0.9, 0.95, 0.999)}
    assert left[0.9] < left[0.95] < left[0.999]


def test_large_pictures_are_compared_at_28_pixels():
    small = noise(3, side=28)
    large = np.repeat(np.repeat(small, 8, -1), 8, -2)
    large = (large + np.random.default_rng(1).integers(-30, 30, large.shape)).clip(0, 255).astype(np.uint8)
    parts = {"train": large[:1], "val": large[1:2], "test": np.repeat(np.repeat(small[:1], 8, -1), 8, -2)}
    assert list(find_duplicates(task_of(parts)).rows("test", "train")) == [0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"threshold": 1.2}, "0 < report ≤ threshold < 1"),
        ({"threshold": 0.9, "report": 0.95}, "0 < report ≤ threshold < 1"),
    ],
)
def test_thresholds_that_are_none_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        find_duplicates(task_of(with_copies()), **change)


def test_what_is_no_task_of_pictures_is_refused():
    floats = task_of({split: np.zeros((2, 5), "float32") for split in SPLITS})
    with pytest.raises(ValueError, match="no task of uint8 images"):
        find_duplicates(floats)


def test_pairs_that_were_not_looked_for_and_other_images_are_refused(monkeypatch):
    task = task_of(with_copies())
    found = find_duplicates(task)
    with pytest.raises(ValueError, match=r"not above 0\.9"):
        found.rows("test", "train", threshold=0.9)
    with pytest.raises(ValueError, match="look again"):
        without_duplicates(task_of({split: noise(2) for split in SPLITS}), found)
    same = noise(1)
    with pytest.raises(ValueError, match="nothing would be left"):
        without_duplicates(task_of({split: same for split in SPLITS}))
    monkeypatch.setattr("medtl_helpers.data.alike.MOST_PAIRS", 10)
    with pytest.raises(ValueError, match="More than 10 pairs"):
        find_duplicates(task_of({split: np.zeros((4, 1, 8, 8), np.uint8) for split in SPLITS}))


@pytest.mark.parametrize("name", ["breast", "pneumonia", "blood"])
def test_the_twins_have_no_picture_twice(name):
    found = find_duplicates(load(name, quiet=True))
    assert not any(len(found.repeated(split)) for split in SPLITS)


@pytest.mark.parametrize(
    ("name", "in_test", "nearly", "in_val", "within"),
    [("breast", 42, 59, 22, (66, 0, 2)), ("pneumonia", 0, 0, 8, (18, 0, 3))],
)
def test_what_stands_twice_in_two_public_data_sets(name, in_test, nearly, in_val, within, real):
    found = find_duplicates(real(name, quiet=True))
    assert len(found.rows("test", "train", "val")) == in_test
    assert len(found.rows("test", "train", "val", threshold=0.97)) == nearly
    assert len(found.rows("val", "train")) == in_val
    assert tuple(len(found.rows(split, split)) for split in SPLITS) == within
    identical = found.pairs[found.pairs["identical"]]
    if name == "breast":  # the one pair of equal bytes across splits has two labels
        assert identical[["split", "other split", "same label"]].to_numpy().tolist() == [["test", "train", False]]
    else:
        assert identical["same label"].all() and len(identical) == 31
