"""Scores of outlines against scikit-learn, and lesions against counting by hand."""

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, jaccard_score

from medtl_helpers.methods.mask_scores import dice, iou, lesion_counts, lesion_sensitivity


def pairs(n=20, classes=3, size=6):
    random = np.random.default_rng(0)
    return (random.integers(0, classes, (n, size, size)).astype(np.uint8) for _ in range(2))


@pytest.mark.parametrize("of", [0, 1, 2])
def test_dice_and_iou_are_scikit_learns_image_by_image(of):
    ours, theirs = pairs()
    flat = [(b.ravel() == of, a.ravel() == of) for a, b in zip(ours, theirs, strict=True)]
    assert dice(ours, theirs, of=of) == pytest.approx([f1_score(*one) for one in flat])
    assert iou(ours, theirs, of=of) == pytest.approx([jaccard_score(*one) for one in flat])


def test_one_follows_from_the_other():
    d, j = (score(*pairs()) for score in (dice, iou))
    assert j == pytest.approx(d / (2 - d)) and d.dtype == np.float64


def test_where_nothing_was_there_the_rule_that_was_asked_for_holds():
    none, some = torch.zeros(1, 4, 4, dtype=torch.uint8), torch.ones(1, 4, 4, dtype=torch.uint8)
    for score in (dice, iou):
        assert score(none, none)[0] == 1 and np.isnan(score(none, none, empty="nan")[0])
        for rule in ("one", "nan"):
            assert score(some, none, empty=rule)[0] == score(none, some, empty=rule)[0] == 0
            assert score(some, some, empty=rule)[0] == 1


def test_large_masks_do_not_overflow():
    whole, half = torch.ones(1, 300, 300, dtype=torch.uint8), torch.ones(1, 300, 300, dtype=torch.uint8)
    half[:, :150] = 0
    assert dice(whole, half)[0] == pytest.approx(2 / 3) and iou(whole, half)[0] == 0.5


MASK = """
aa...
aa..b
...b.
.....
cc..d
"""
GUESS = """
aa...
.....
....x
cc..x
c....
"""


def drawn(text):
    return np.array([[[symbol != "." for symbol in row] for row in text.split()]]).astype(np.uint8)


@pytest.mark.parametrize(("share", "found"), [(0, 2), (0.25, 2), (0.5, 2), (0.6, 0), (1.0, 0)])
def test_lesions_are_counted_as_by_hand(share, found):
    """Four in the mask, of which two over a corner are one; half of the pixels of a and c are predicted."""
    counts = lesion_counts(drawn(GUESS), drawn(MASK), share=share)
    assert [int(part[0]) for part in counts] == [found, 4, 1]
    assert lesion_sensitivity(drawn(GUESS), drawn(MASK), share=share) == found / 4


def test_lesions_of_several_images_are_counted_together_and_by_class():
    masks = np.concatenate([drawn(MASK), 2 * drawn(MASK), np.zeros_like(drawn(MASK))])
    guess = np.concatenate([drawn(MASK), 2 * drawn(GUESS), drawn(GUESS)])
    one, two = (lesion_counts(guess, masks, of=k) for k in (1, 2))
    assert [part.tolist() for part in one] == [[4, 0, 0], [4, 0, 0], [0, 0, 3]]
    assert [part.tolist() for part in two] == [[0, 2, 0], [0, 4, 0], [0, 1, 0]]
    assert lesion_sensitivity(guess, masks, of=2) == 0.5 and np.isnan(lesion_sensitivity(guess, masks, of=3))
    assert lesion_sensitivity(np.ones_like(masks), masks) == 1
