"""Matching of pixels: moments counted by hand, the authors' formula by SciPy, and what it refuses."""

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import nn

from medtl_helpers.methods.matching import match_pixels
from medtl_helpers.methods.predict import to_float


@pytest.fixture
def domains():
    """Correlated colours, and the same seen by a camera that mixes them; another number and size of images."""
    generator = torch.Generator().manual_seed(0)
    here = torch.randint(40, 200, (6, 3, 8, 8), generator=generator, dtype=torch.uint8)
    here[:, 1] = here[:, 0] // 2 + 60
    here[:, 1, ::2] += 9
    mixed = torch.tensor([[0.5, 0.3, 0.1], [0.2, 0.4, 0.1], [0.1, 0.0, 0.6]])
    there = (
        torch.einsum("dc,nchw->ndhw", mixed, here[:4, :, 1:].float()) + torch.tensor([30.0, 5.0, 60.0])[:, None, None]
    )
    return here, there.round().to(torch.uint8)


def colours(images):
    """N×C×H×W to M×C: one row per pixel."""
    return images.double().permute(0, 2, 3, 1).reshape(-1, images.shape[1]).numpy()


@pytest.mark.parametrize("covariance", [False, True])
def test_the_targets_pixels_get_the_sources_moments(domains, covariance):
    here, there = (to_float(images) for images in domains)
    mapped = colours(match_pixels(here, there, covariance=covariance)(there).detach())
    np.testing.assert_allclose(mapped.mean(0), colours(here).mean(0), atol=1e-5)
    np.testing.assert_allclose(mapped.std(0, ddof=1), colours(here).std(0, ddof=1), rtol=1e-4)
    gap = np.abs(np.cov(mapped.T) - np.cov(colours(here).T)).max()
    assert gap < 1e-4 if covariance else gap > 1e-3


def test_the_map_is_the_formula_of_the_authors(domains):
    """Sun, Feng and Saenko: whiten with C_T^(-1/2), colour with C_S^(1/2), here by SciPy's matrix functions."""
    here, there = (colours(to_float(images)) for images in domains)
    mix = scipy.linalg.sqrtm(np.cov(here.T)) @ scipy.linalg.inv(scipy.linalg.sqrtm(np.cov(there.T)))
    layer = match_pixels(*domains, covariance=True)
    np.testing.assert_allclose(layer.weight[:, :, 0, 0].detach().numpy(), mix, atol=1e-4)
    np.testing.assert_allclose(layer.bias.detach().numpy(), here.mean(0) - mix @ there.mean(0), atol=1e-4)


def test_the_map_of_each_channel_alone_is_reinhards(domains):
    here, there = (colours(to_float(images)) for images in domains)
    wanted = (there - there.mean(0)) / there.std(0, ddof=1) * here.std(0, ddof=1) + here.mean(0)
    mapped = colours(match_pixels(*domains)(to_float(domains[1])).detach())
    np.testing.assert_allclose(mapped, wanted, atol=1e-4)


def test_a_gain_and_an_offset_are_undone_before_a_network_of_grey_images():
    here = torch.rand(9, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    repaired = nn.Sequential(match_pixels(here, 0.3 * here - 0.4), network)
    torch.testing.assert_close(repaired(0.3 * here - 0.4), network(here), atol=1e-4, rtol=1e-4)
    assert not any(parameter.requires_grad for parameter in repaired[0].parameters())


@pytest.mark.parametrize(
    ("source", "target", "sentence"),
    [
        (torch.rand(2, 3, 8, 8), torch.rand(2, 1, 8, 8), "The source has 3 channels, the target 1"),
        (torch.rand(2, 3, 8, 8), torch.ones(2, 3, 8, 8), "do not vary in each of their channels"),
        (torch.rand(2, 3), torch.rand(2, 3, 8, 8), "The source is \\(2, 3\\): give at least one image"),
    ],
)
def test_what_cannot_be_matched_is_refused_in_a_sentence(source, target, sentence):
    with pytest.raises(ValueError, match=sentence):
        match_pixels(source, target)
