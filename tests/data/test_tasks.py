"""Rows of a task drawn anew: splits disjoint, complete and stratified; few shots never twice; one seed, one draw."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from splits import splits

from medtl_helpers.data.catalogue import load
from medtl_helpers.data.tasks import Split, few_shot, split_table


@pytest.fixture
def numbered():
    """A table of 203 rows, a third of them of class 1, whose only column is the row's number."""
    x, y = pd.DataFrame({"row": np.arange(203.0)}), (np.arange(203) % 3 == 0).astype(np.int64)
    task = load("heart", quiet=True)
    return replace(task, train=Split(x, y), val=Split(x[:0], y[:0]), test=Split(x[:0], y[:0]))


def test_a_split_is_disjoint_complete_and_keeps_rows_and_labels_together(numbered):
    task = split_table(numbered, seed=1)
    rows = [part.x["row"].tolist() for part in splits(task).values()]
    assert sorted(row for part in rows for row in part) == list(range(203))
    assert [len(r) for r in rows] == [96, 25, 82]  # test: 40 % of 203; validation: 20 % of the rest
    for x, y in splits(task).values():
        np.testing.assert_array_equal(y, x["row"] % 3 == 0)


@pytest.mark.parametrize("n_train", [None, 10, 60])
def test_a_split_is_stratified(numbered, n_train):
    for _, y in splits(split_table(numbered, seed=1, n_train=n_train)).values():
        assert abs(y.sum() - len(y) / 3) <= 1.01


def test_a_split_is_a_function_of_its_seed_alone(numbered):
    np.random.seed(0)
    first = split_table(numbered, seed=1, n_train=20)
    np.random.seed(1)
    again, other = split_table(numbered, seed=1, n_train=20), split_table(numbered, seed=2, n_train=20)
    for name, part in splits(first).items():
        assert part.x.equals(splits(again)[name].x)
        assert set(part.x["row"]) != set(splits(other)[name].x["row"])


@pytest.mark.parametrize("n_train", [2, 10, 94, 96])
def test_n_train_is_exact_and_leaves_the_test_rows_as_they_are(numbered, n_train):
    few, all_rows = split_table(numbered, seed=3, n_train=n_train), split_table(numbered, seed=3)
    assert len(few.train.y) == len(few.train.x) == n_train
    assert set(few.train.x["row"]) <= set(all_rows.train.x["row"])
    assert few.test.x.equals(all_rows.test.x) and few.val.x.equals(all_rows.val.x)


def test_more_training_rows_than_there_are_is_a_sentence(numbered):
    with pytest.raises(ValueError, match="cleveland has 96 rows left for training, 97 were asked for: take fewer"):
        split_table(numbered, seed=0, n_train=97)


def test_few_shot_draws_from_the_training_split_and_never_twice():
    task = load("pneumonia", quiet=True)
    drawn = few_shot(task, 7, seed=3, val=4)
    assert drawn.train.y.bincount().tolist() == [7, 7] and drawn.val.y.bincount().tolist() == [4, 4]
    assert drawn.test.x is task.test.x
    images = [image.numpy().tobytes() for image in torch.cat([drawn.train.x, drawn.val.x])]
    pool = {image.numpy().tobytes(): int(y) for image, y in zip(*task.train, strict=True)}
    assert len(set(images)) == len(images)
    assert [pool[image] for image in images] == torch.cat([drawn.train.y, drawn.val.y]).tolist()
    assert not torch.equal(drawn.train.x, few_shot(task, 7, seed=4, val=4).train.x)


def test_few_shot_says_how_many_there_are():
    with pytest.raises(ValueError, match=r"pneumonia has \d+ training images of normal, 5000 \+ 10 were asked for"):
        few_shot(load("pneumonia", quiet=True), 5000, seed=0)
