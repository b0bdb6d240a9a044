"""Slices of the abdomen: one anatomy for all looks, patients whose slices are alike, lesions that nobody can see."""

import time
from functools import cache

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.data.abdomen import ABDOMEN_LOOKS, draw_abdomen
from medtl_helpers.data.abdomen_anatomy import ABDOMEN_CLASSES

LIVER, LESION = (ABDOMEN_CLASSES.index(name) for name in ("liver", "lesion"))


@cache
def drawn(look, lesion="clear", n=5):
    return draw_abdomen(n, look=look, lesion=lesion, seed=2)


@pytest.mark.parametrize("look", ABDOMEN_LOOKS)
@pytest.mark.parametrize("size", [16, 48])
def test_slices_and_labels_are_bytes_of_the_asked_shape(look, size):
    x, labels = draw_abdomen(3, look=look, size=size)
    assert x.dtype == labels.dtype == torch.uint8
    assert x.shape == (3, 1, size, size) and labels.shape == (3, size, size)
    assert labels.max() < len(ABDOMEN_CLASSES) and x.flatten(1).float().std(1).min() > 10
    none = draw_abdomen(0, look=look, size=size)
    assert none[0].shape == (0, 1, size, size) and none[1].shape == (0, size, size)


def test_learners_find_both_names():
    assert mtl.draw_abdomen is draw_abdomen and mtl.ABDOMEN_CLASSES is ABDOMEN_CLASSES


@pytest.mark.parametrize("look", ABDOMEN_LOOKS)
def test_slice_k_depends_on_the_seed_and_k_alone(look):
    torch.manual_seed(0)
    x, labels = draw_abdomen(4, look=look, size=32, seed=7)
    np.random.seed(1)
    fewer, their_labels = draw_abdomen(2, look=look, size=32, seed=7)
    assert torch.equal(x[:2], fewer) and torch.equal(labels[:2], their_labels)
    other, _ = draw_abdomen(4, look=look, size=32, seed=8)
    assert not (x == other).flatten(1).all(1).any()


def test_another_look_has_the_same_labels_and_other_pixels():
    pictures, labels = zip(*(drawn(look) for look in ABDOMEN_LOOKS), strict=True)
    assert all(torch.equal(y, labels[0]) for y in labels[1:])
    assert all((a.float() - b.float()).abs().mean() > 5 for k, a in enumerate(pictures) for b in pictures[:k])


@pytest.mark.parametrize("look", ABDOMEN_LOOKS)
def test_an_equal_lesion_has_no_contrast_at_all(look):
    x, labels = drawn(look, "equal")
    without, no_labels = drawn(look, "none")
    assert torch.equal(x, without) and not torch.equal(labels, no_labels)
    _, clear = drawn(look, "clear")
    assert torch.equal(labels, clear) and (labels == LESION).flatten(1).any(1).all()


@pytest.mark.parametrize("look, sign", [("ct", -1), ("t1", -1), ("t2", 1), ("xray", -1)])
def test_a_clear_lesion_is_darker_than_the_liver_but_on_t2(look, sign):
    x, labels = drawn(look)
    without, _ = drawn(look, "none")
    change = (x.float() - without.float())[:, 0]
    seen = torch.stack([c[y == LESION].mean() for c, y in zip(change, labels, strict=True)])
    assert (sign * seen > 0).all(), seen


def test_small_lesions_are_there_and_small():
    shares = [(drawn("ct", lesion)[1] == LESION).flatten(1).sum(1) for lesion in ("small", "clear")]
    assert (shares[0] > 0).all() and shares[0].float().mean() < 0.4 * shares[1].float().mean()


def test_slices_of_a_patient_resemble_each_other():
    x, labels = draw_abdomen(12, patients=4, lesion="clear", seed=3)
    owners = torch.arange(12) % 4
    by_name, their_labels = draw_abdomen(12, patients=owners, lesion="clear", seed=3)
    assert torch.equal(x, by_name) and torch.equal(labels, their_labels)
    assert len(x.unique(dim=0)) == 12  # none is a copy
    differ = (labels[:, None] != labels[None]).flatten(2).float().mean(2)
    same = owners[:, None] == owners[None]
    off = ~torch.eye(12, dtype=torch.bool)
    assert differ[same & off].mean() < 0.7 * differ[~same].mean()


def test_a_slice_shows_its_patient_whatever_the_others_are():
    _, labels = draw_abdomen(3, patients=[5, 9, 5], size=32, seed=1)
    _, alone = draw_abdomen(3, patients=[5, 1, 2], size=32, seed=1)
    assert torch.equal(labels[0], alone[0])


def test_the_window_changes_ct_alone():
    seen = [draw_abdomen(2, window=window, size=32)[0] for window in ("abdomen", "liver", "bone")]
    assert not torch.equal(seen[0], seen[1]) and not torch.equal(seen[0], seen[2])
    assert torch.equal(*(draw_abdomen(2, look="t2", window=window, size=32)[0] for window in ("abdomen", "liver")))


def test_slices_take_milliseconds():
    start = time.process_time()
    draw_abdomen(20, look="t2")
    assert time.process_time() - start < 20 * 0.15  # about 0.01 s each on a free core
