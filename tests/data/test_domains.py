"""Pairs of domains: what the two share and what they do not."""

import torch

from medtl_helpers.data.domains import chest_domains


def test_chest_domains_share_test_images_and_no_others():
    source, target = chest_domains(3, scanner="B", strength=0)
    assert torch.equal(source.test.x, target.test.x) and torch.equal(source.test.y, target.test.y)
    for split, count in (("train", 400), ("val", 100)):
        ours, theirs = getattr(source, split), getattr(target, split)
        assert ours.y.sum() == theirs.y.sum() == count // 2
        images = {x.numpy().tobytes() for x in ours.x}
        assert not images & {x.numpy().tobytes() for x in theirs.x}
