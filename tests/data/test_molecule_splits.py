"""Splits of molecules: no scaffold in two of them, the promised sizes, one split of one seed; and a few molecules."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from molecules_by_hand import task

import medtl_helpers as mtl
from medtl_helpers.data.molecule_splits import random_parts, scaffold_parts
from medtl_helpers.data.tasks import SPLITS


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(60, 400), st.integers(1, 40))
def test_no_scaffold_is_in_two_splits_and_the_sizes_are_near_to_what_is_wanted(seed, n, spread):
    groups = np.random.default_rng(seed).integers(0, max(30, n // spread), n)
    parts = scaffold_parts(groups, seed, "these")
    assert sorted(torch.cat(parts).tolist()) == list(range(n))
    held = [set(groups[part.numpy()]) for part in parts]
    assert not (held[0] & held[1] or held[0] & held[2] or held[1] & held[2])
    largest = np.bincount(groups).max()
    for part in parts[1:]:  # each end of a split lies in the middle of some scaffold
        assert 0 < len(part) and abs(len(part) - n / 10) <= largest


def test_a_scaffold_of_many_molecules_stays_in_training_whatever_the_seed():
    groups = np.concatenate([np.zeros(30, int), np.ones(7, int), np.arange(2, 65)])  # 100 molecules
    for seed in range(20):
        train, val, test = scaffold_parts(groups, seed, "these")
        assert {0, 1} <= set(groups[train.numpy()]) and (len(val), len(test)) == (10, 10)


def test_too_few_scaffolds_are_told():
    with pytest.raises(
        ValueError, match="these has 100 molecules on 2 scaffolds, 0 of them on scaffolds that are rare"
    ):
        scaffold_parts(np.arange(100) % 2, 0, "these")
    with pytest.raises(ValueError, match="these has 9 molecules, too few to split"):
        random_parts(np.arange(9), 0, "these")


def test_the_split_is_that_of_its_seed_and_knows_how_it_was_made():
    whole = task(100)
    for how in ("scaffold", "random"):
        one, again, other = (mtl.split_molecules(whole, how, seed=seed) for seed in (3, 3, 4))
        assert one.dealt == how and torch.equal(one.test.y, again.test.y)
        assert not torch.equal(one.test.y, other.test.y)
        assert [len(getattr(one, split).y) for split in SPLITS] == [80, 10, 10]
        assert sorted(torch.cat([getattr(one, split).y for split in SPLITS]).tolist()) == list(range(100))
        for split in SPLITS:  # what goes with a molecule went with it
            for k, label in enumerate(getattr(one, split).y.tolist()):
                assert one.smiles[split][k].endswith(f".{int(label)}") and one.scaffolds[split][k] == label // 2
    shared = set(mtl.split_molecules(whole, "random").scaffolds["test"]) & set(whole.scaffolds["train"])
    assert shared  # a random split does not look at scaffolds


def test_a_class_that_a_split_lacks_is_told():
    rare = task(100, "classes")
    rare.train.y[:], rare.val.y[:], rare.test.y[:] = 0, 0, 0
    rare.train.y[0] = 1
    with pytest.raises(ValueError, match="chains has no molecule of the class yes in"):
        mtl.split_molecules(rare, "random", seed=0)


def test_few_molecules_are_nested_and_of_the_splits_that_were_asked_for():
    whole = task(100)
    small, large = (mtl.few_molecules(whole, n, seed=5, val=4) for n in (5, 20))
    assert small.train.y.tolist() == large.train.y[:5].tolist() and small.val.y.tolist() == large.val.y.tolist()
    assert len(set(large.train.y.tolist())) == 20 and set(large.train.y.tolist()) <= set(whole.train.y.tolist())
    assert len(small.val.y) == 4 and set(small.val.y.tolist()) <= set(whole.val.y.tolist())
    assert torch.equal(small.test.y, whole.test.y) and small.smiles["test"] == whole.smiles["test"]
    assert torch.equal(mtl.few_molecules(whole, 5, seed=5).val.y, whole.val.y)
    assert len(mtl.few_molecules(whole, 5, seed=5, val=0).val.y) == 0
    assert mtl.few_molecules(whole, 5, seed=6).train.y.tolist() != small.train.y.tolist()


def test_few_molecules_of_two_classes_keep_their_shares():
    whole = task(100, "classes")  # one in five is "yes"
    for n, positives in ((2, 1), (10, 2), (20, 4), (40, 8)):
        counts = [int(mtl.few_molecules(whole, n, seed=seed).train.y.sum()) for seed in range(5)]
        assert all(abs(count - positives) <= 1 for count in counts) and min(counts) >= 1


def test_more_molecules_than_there_are_and_another_task_are_refused():
    with pytest.raises(ValueError, match="chains has 10 molecules for val, 11 were asked for: take fewer"):
        mtl.few_molecules(task(100), 5, seed=0, val=11)
    for function in (mtl.split_molecules, lambda given: mtl.few_molecules(given, 3, seed=0)):
        with pytest.raises(TypeError, match="give a MoleculeTask, like"):
            function(3)
