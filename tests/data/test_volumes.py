"""Volumes: the same anatomy in three dimensions, which a small network learns in seconds."""

import pytest
import torch
from torch import nn

from medtl_helpers.data.abdomen_anatomy import ABDOMEN_CLASSES
from medtl_helpers.data.volumes import VOLUME_LOOKS, draw_volumes

LESION = ABDOMEN_CLASSES.index("lesion")


@pytest.mark.parametrize("look", VOLUME_LOOKS)
def test_volumes_and_labels_are_bytes_of_the_asked_shape(look):
    x, labels = draw_volumes(2, size=12, look=look)
    assert x.dtype == labels.dtype == torch.uint8
    assert x.shape == (2, 1, 12, 12, 12) and labels.shape == (2, 12, 12, 12)
    assert len(draw_volumes(0, size=12, look=look)[0]) == 0


def test_volume_k_depends_on_the_seed_and_k_alone_and_its_labels_not_on_the_look():
    x, labels = draw_volumes(3, size=16, seed=4)
    fewer, _ = draw_volumes(1, size=16, seed=4)
    assert torch.equal(x[:1], fewer)
    others = [draw_volumes(3, size=16, look=look, seed=4) for look in ("t1", "t2")]
    assert all(torch.equal(labels, y) and not torch.equal(x, z) for z, y in others)


def test_all_organs_are_in_a_volume_and_an_equal_lesion_is_not_seen():
    x, labels = draw_volumes(3, lesion="equal")
    without, no_labels = draw_volumes(3, lesion="none")
    assert torch.equal(x, without)
    assert (labels == LESION).flatten(1).any(1).all() and not (no_labels == LESION).any()
    assert all(len(y.unique()) == len(ABDOMEN_CLASSES) for y in labels)


def test_neighbouring_slices_are_alike():
    _, labels = draw_volumes(4)
    near = (labels[:, 1:] != labels[:, :-1]).float().mean()
    far = (labels[:, 12:] != labels[:, :-12]).float().mean()
    assert near < 0.6 * far


@pytest.mark.slow
def test_a_small_network_learns_the_body_and_the_liver_in_seconds():
    x, labels = draw_volumes(20, size=16, seed=1)
    inputs, y = x.float() / 127.5 - 1, (labels == 2).long() + (labels > 0).long()
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv3d(1, 12, 3, padding=1),
        nn.ReLU(),
        nn.Conv3d(12, 12, 3, padding=2, dilation=2),
        nn.ReLU(),
        nn.Conv3d(12, 3, 1),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for step in range(40):
        rows = torch.arange(step * 4, step * 4 + 4) % 16
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs[rows]), y[rows]).backward()
        optimizer.step()
    found = model(inputs[16:]).argmax(1)
    for k, least in ((1, 0.8), (2, 0.4)):
        overlap = 2 * ((found == k) & (y[16:] == k)).sum() / ((found == k).sum() + (y[16:] == k).sum())
        assert overlap > least, (k, overlap)
