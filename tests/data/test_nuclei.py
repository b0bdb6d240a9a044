"""Nuclei with outlines: the splits of the real pictures and of the drawn ones, whose pieces stand in one split."""

import numpy as np
import pytest
import torch

from medtl_helpers.assets import card
from medtl_helpers.data.catalogue import load
from medtl_helpers.data.crops import fitting_pairs
from medtl_helpers.data.masks import few_masks

KINDS = card("nuclei")["kinds"]
SPLITS = ("train", "val", "test")


def together(task) -> torch.Tensor:
    return torch.cat([getattr(task, split).x for split in SPLITS])


@pytest.mark.parametrize("kind", KINDS)
def test_the_twin_is_drawn_nuclei_of_that_kind(kind):
    task = load("nuclei", kind=kind, quiet=True)
    assert (task.name, task.provenance, task.classes) == (f"nuclei:{kind}", "twin", ("background", "nucleus"))
    x = together(task)
    assert x.shape == (KINDS[kind]["twin"], 3, 128, 128) and x.dtype == torch.uint8
    for split in SPLITS:
        assert 0.005 < (getattr(task, split).y == 1).float().mean() < 0.5
    again = load("nuclei", kind=kind, quiet=True)
    assert torch.equal(again.train.x, task.train.x) and torch.equal(again.test.y, task.test.y)


@pytest.mark.parametrize("kind", KINDS)
def test_the_real_pictures_are_all_there_and_no_group_is_in_two_splits(kind, real_file):
    arrays = np.load(real_file("nuclei/dsb2018_128.npz"))
    task = load("nuclei", kind=kind, quiet=True)
    at = arrays["k"] == list(KINDS).index(kind)
    assert task.provenance == "real" and at.sum() == KINDS[kind]["pictures"]
    wanted = {picture.tobytes(): mask for picture, mask in zip(arrays["x"][at], arrays["m"][at], strict=True)}
    for split in SPLITS:
        x, y = getattr(task, split)
        for picture, mask in zip(x, y, strict=True):
            assert (wanted.pop(picture.permute(1, 2, 0).numpy().tobytes()) == mask.numpy()).all()
    assert not wanted
    held = [set(task.groups[split]) for split in SPLITS]
    assert not (held[0] & held[1] or held[0] & held[2] or held[1] & held[2])


@pytest.fixture
def histology(real_file):
    real_file("nuclei/dsb2018_128.npz")
    return load("nuclei", kind="histology", quiet=True)


def test_there_are_fifty_tissues_for_the_test_and_forty_masks_to_learn_from(histology):
    assert len(histology.test.y) >= 50 and len(few_masks(histology, 40, seed=0).train.y) == 40
    assert len(set(few_masks(histology, 10, seed=3).groups["train"])) == 10


def test_the_pieces_of_a_slide_fit_within_a_split_and_never_across(histology):
    x = together(histology)
    where = np.repeat(range(3), [len(histology.train.y), len(histology.val.y), len(histology.test.y)])
    pairs = fitting_pairs(x)
    assert len(pairs) > 90 and (where[pairs[:, 0]] == where[pairs[:, 1]]).all()
    assert sum(len(set(histology.groups[split])) for split in SPLITS) == 30


def test_the_line_says_how_many_larger_pictures_there_are(real_file, capsys):
    real_file("nuclei/dsb2018_128.npz")
    load("nuclei", kind="histology")
    assert capsys.readouterr().out == (
        "nuclei:histology: real data; train/val/test 42/12/53; cut from 30 larger pictures or so, none of which is in "
        "two splits\n"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "ct"}, "kind is 'ct': choose one of fluorescence, histology, bright"),
        ({"size": 64}, "The nuclei have 128 px per side, and size is 64: leave it out"),
    ],
)
def test_what_is_not_there_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        load("nuclei", **options)


def test_other_data_have_no_kind():
    with pytest.raises(ValueError, match="breast is of one kind alone: leave kind out, which is for nuclei"):
        load("breast", kind="bright")
