"""Tasks of masks: what fits together, what goes with an image, and a few masks of different groups."""

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.data.image_tasks import tell_duplicates
from medtl_helpers.data.masks import MaskTask, few_masks
from medtl_helpers.data.tasks import Split


def task_of(sizes=(12, 6, 4), grouped=True, seed=0, **changes) -> MaskTask:
    """Noise whose first pixel is the number of the image, with the mask of its bright pixels."""
    rng, start, parts, who = np.random.default_rng(seed), 0, {}, {}
    for split, n in zip(("train", "val", "test"), sizes, strict=True):
        x = torch.from_numpy(rng.integers(0, 256, (n, 1, 16, 12), np.uint8))
        x[:, 0, 0, 0] = torch.arange(start, start + n)
        parts[split] = Split(x, (x[:, 0] > 127).to(torch.uint8))
        who[split] = np.arange(start, start + n) // 3
        start += n
    fields = {"name": "mine", **parts, "classes": ("background", "bright"), "groups": who if grouped else None}
    return MaskTask(**(fields | changes))


def numbers(split) -> list[int]:
    return split.x[:, 0, 0, 0].tolist()


def test_masks_and_groups_go_with_their_images():
    task = task_of(files={"train": np.array([f"{k}.png" for k in range(12)], object), **{s: np.array(["z"] * n, object)
                   for s, n in (("val", 6), ("test", 4))}})  # fmt: skip
    other = task.with_rows({"train": [3, 20, 1]})
    assert numbers(other.train) == [3, 20, 1] and other.groups["train"].tolist() == [1, 6, 0]
    assert (
        torch.equal(other.train.y, (other.train.x[:, 0] > 127).to(torch.uint8)) and other.train.y.dtype == torch.uint8
    )
    assert other.files["train"].tolist() == ["3.png", "z", "1.png"] and torch.equal(other.val.x, task.val.x)
    assert other.where("train", 0) == "3.png" and task_of().where("val", 2) == "val row 2"


@pytest.mark.parametrize("seed", range(5))
def test_few_masks_are_of_different_groups_and_the_fewer_are_among_the_more(seed):
    task = task_of()
    draws = {n: few_masks(task, n, seed=seed) for n in (1, 3, 4, 7, 12)}
    for n, few in draws.items():
        counts = np.bincount(few.groups["train"], minlength=4)
        assert len(few.train.y) == n and counts.max() - counts.min() <= 1 and counts[4:].sum() == 0
        assert torch.equal(few.test.x, task.test.x) and torch.equal(few.val.y, task.val.y)
        assert set(numbers(few.train)) <= set(numbers(draws[12].train)) and len(set(numbers(few.train))) == n
    assert numbers(draws[7].train)[:3] == numbers(draws[3].train)
    assert numbers(few_masks(task, 3, seed=seed).train) == numbers(draws[3].train)


def test_another_seed_draws_others_and_validation_is_drawn_where_that_is_asked_for():
    task = task_of()
    assert len({tuple(numbers(few_masks(task, 3, seed=seed).train)) for seed in range(8)}) > 5
    few = few_masks(task, 5, seed=0, val=2)
    assert len(set(few.groups["val"].tolist())) == 2 and set(few.groups["val"]) <= {4, 5}
    assert len(few_masks(task, 5, seed=0, val=0).val.y) == 0
    assert len(few_masks(task_of(grouped=False), 12, seed=1).train.y) == 12


def test_pictures_that_stand_twice_are_told_and_dropped(capsys):
    task = task_of()
    task.train.x[2], task.train.y[2] = task.test.x[1], task.test.y[1]
    task.train.x[5] = task.test.x[3]
    tell_duplicates(task)
    said = capsys.readouterr().out
    assert "2 of 4 test images also in train, 1 pairs with two masks; e.g. train row 5 and test row 3" in said
    clean = task.without_duplicates()
    assert len(clean.train.y) == len(clean.groups["train"]) == 10 and not len(clean.duplicates().pairs)


GOOD = task_of()
FAULTS = [
    (
        "float images",
        {"train": Split(GOOD.train.x / 255, GOOD.train.y)},
        "The images of the train split of mine are tor",
    ),
    ("masks with a channel", {"val": Split(GOOD.val.x, GOOD.val.y[:, None])}, "of shape (6, 1, 16, 12): give a uint8"),
    (
        "labels in place of masks",
        {"test": Split(GOOD.test.x, torch.zeros(4).long())},
        "masks of the test split of mine",
    ),
    ("no masks", {"test": Split(GOOD.test.x, None)}, "masks of the test split of mine are None: give a uint8 tensor"),
    ("turned masks", {"train": Split(GOOD.train.x, GOOD.train.y.mT)}, "masks of shape (12, 12, 16): give one mask of"),
    ("masks of 0 and 255", {"train": Split(GOOD.train.x, GOOD.train.y * 255)}, "hold the number 255, and there are 2"),
    (
        "no background",
        {"classes": ("nucleus", "other")},
        "The classes of mine are nucleus, other: give two or more, 'ba",
    ),
    ("one class", {"classes": ("background",)}, "The classes of mine are background: give two or more"),
    ("a group too few", {"groups": {"train": np.arange(11)}}, "The train split of mine has 12 images and 11 groups"),
]


@pytest.mark.parametrize("changes, said", [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_what_does_not_fit_together_is_refused(changes, said):
    with pytest.raises(ValueError) as info:
        task_of(**changes)
    assert said in str(info.value)


CALLS = [
    (lambda: few_masks(GOOD, 13, seed=0), "mine has 12 masks for train, and 13 were asked for: take fewer."),
    (lambda: few_masks(GOOD, 3, seed=0, val=7), "mine has 6 masks for val, and 7 were asked for"),
    (lambda: few_masks(GOOD, 0, seed=0), "n is 0: give a whole number of 1 or more"),
    (
        lambda: mtl.few_shot(GOOD, 3, seed=0),
        "mine holds masks, and few_shot draws images of each class: use few_masks.",
    ),
    (
        lambda: mtl.split_by_patient(GOOD, list(range(22)), seed=0),
        "mine holds masks, and split_by_patient heeds classes",
    ),
    (lambda: mtl.split_table(GOOD, seed=0), "mine holds images, whose patients split_table does not heed"),
    (lambda: few_masks(mtl.load("breast", quiet=True), 3, seed=0), "few_masks was given a ImageTask: give a MaskTask"),
]


@pytest.mark.parametrize("call, said", CALLS)
def test_what_cannot_be_drawn_is_refused(call, said):
    with pytest.raises((ValueError, TypeError)) as info:
        call()
    assert said in str(info.value)
