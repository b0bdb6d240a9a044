"""Drawn nuclei: the same bytes for a seed, the same nuclei under every microscope, and masks that are exact."""

import hashlib
import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage

from medtl_helpers.data import drawn_nuclei
from medtl_helpers.data.drawn_nuclei import LOOKS, MACENKO, RUIFROK, draw_nuclei
from medtl_helpers.data.nuclear_scenes import MOST, cloud, scene, softened

ROOT = Path(__file__).resolve().parents[2]


@cache
def drawn(kind, n=16, objects=False):
    return draw_nuclei(n, kind=kind, size=96, objects=objects, seed=1)


@pytest.mark.parametrize("kind", LOOKS)
@pytest.mark.parametrize("size", [16, 64, 75])
def test_pictures_and_masks_are_bytes_of_the_asked_shape(kind, size):
    x, masks = draw_nuclei(4, kind=kind, size=size)
    assert x.dtype == masks.dtype == torch.uint8
    assert x.shape == (4, 3, size, size) and masks.shape == (4, size, size) and masks.max() <= 1


def test_nothing_can_be_drawn_too():
    x, masks = draw_nuclei(0, size=32)
    assert x.shape == (0, 3, 32, 32) and masks.shape == (0, 32, 32)


@pytest.mark.parametrize("kind", LOOKS)
def test_picture_k_depends_on_the_seed_and_k_alone(kind):
    torch.manual_seed(0)
    np.random.seed(0)
    x, masks = draw_nuclei(5, kind=kind, size=48, seed=3)
    torch.rand(3), np.random.rand(3)
    fewer, their_masks = draw_nuclei(2, kind=kind, size=48, seed=3)
    assert torch.equal(x[:2], fewer) and torch.equal(masks[:2], their_masks)
    other, _ = draw_nuclei(5, kind=kind, size=48, seed=4)
    assert not (x == other).flatten(1).all(1).any()


@pytest.mark.parametrize("kind", LOOKS)
def test_the_same_nuclei_get_other_light_with_each_seed_and_picture(kind, monkeypatch):
    nuclei = scene(np.random.default_rng(0), 32)
    monkeypatch.setattr(drawn_nuclei, "scene", lambda rng, size: nuclei)
    x = torch.cat([draw_nuclei(2, kind=kind, size=32, seed=seed)[0] for seed in (0, 1)])
    assert len(x.unique(dim=0)) == 4


def test_the_global_random_states_are_left_alone():
    torch.manual_seed(3), np.random.seed(3)
    wanted = torch.rand(1), np.random.rand()
    torch.manual_seed(3), np.random.seed(3)
    draw_nuclei(2, size=32)
    assert (torch.rand(1), np.random.rand()) == wanted


def test_another_kind_with_the_same_seed_shows_the_same_nuclei():
    masks = [drawn(kind)[1] for kind in LOOKS]
    assert all(torch.equal(m, masks[0]) for m in masks[1:])
    pictures = [drawn(kind)[0] for kind in LOOKS]
    assert all(not torch.equal(a, b) for k, a in enumerate(pictures) for b in pictures[:k])


def test_objects_number_the_nuclei_and_their_union_is_the_mask():
    _, numbers = drawn("fluorescence", objects=True)
    _, masks = drawn("fluorescence")
    assert torch.equal(numbers > 0, masks > 0)
    counts = [len(picture.unique()) - 1 for picture in numbers]
    assert max(counts) <= MOST and min(counts) >= 1 and np.median(counts) > 5
    touching = [ndimage.label(m)[1] for m in masks.numpy()]
    assert sum(counts) > 1.1 * sum(touching)  # some nuclei touch, so that the mask joins them


def test_pictures_differ_widely_in_size_density_and_clumping():
    _, numbers = draw_nuclei(40, size=96, objects=True, seed=2)
    share = (numbers > 0).float().mean((1, 2))
    assert share.min() < 0.06 and share.max() > 0.35
    area = torch.stack([(n > 0).sum() / (len(n.unique()) - 1) for n in numbers])
    assert area.max() > 10 * area.min()


def test_nuclei_shine_in_fluorescence_and_are_dark_in_the_others():
    for kind, sign in {"fluorescence": 1, "histology": -1, "bright": -1}.items():
        x, masks = drawn(kind)
        grey = x.float().mean(1)
        inside = torch.stack([g[m > 0].mean() for g, m in zip(grey, masks, strict=True)])
        outside = torch.stack([g[m == 0].mean() for g, m in zip(grey, masks, strict=True)])
        assert (sign * (inside - outside) > 0).all(), kind
    signs = [
        torch.sign(g[m > 0].mean() - g[m == 0].mean())
        for g, m in zip(drawn("any")[0].float().mean(1), masks, strict=True)
    ]
    assert 3 < sum(s > 0 for s in signs) < 13  # bright or dark, by chance


def test_grey_kinds_are_grey_and_stained_ones_coloured():
    x, _ = drawn("bright")
    assert torch.equal(x[:, 0], x[:, 1]) and torch.equal(x[:, 0], x[:, 2])
    x, _ = drawn("histology")
    red, green, blue = x.float().mean((2, 3)).T
    assert (green < red).all() and (green < blue).float().mean() > 0.6  # from pink to purple


def test_stains_are_the_published_unit_vectors():
    for vector in (*RUIFROK.values(), *MACENKO.values()):
        assert abs(np.linalg.norm(vector) - 1) < 0.01
    skimage = {"haematoxylin": (0.65, 0.70, 0.29), "eosin": (0.07, 0.99, 0.11)}  # of Ruifrok and Johnston, rounded
    assert all(np.allclose(RUIFROK[name], skimage[name], atol=0.01) for name in skimage)


def test_haematoxylin_lies_in_the_nuclei():
    """Colour deconvolution, as Ruifrok and Johnston do it, finds more haematoxylin in the nuclei than beside them."""
    x, masks = drawn("histology")
    density = -torch.log10((x.float() + 1) / 256)
    third = np.cross(RUIFROK["haematoxylin"], RUIFROK["eosin"])
    unmix = np.linalg.inv(np.array([RUIFROK["haematoxylin"], RUIFROK["eosin"], third / np.linalg.norm(third)]))
    stains = torch.einsum("nchw,cs->nshw", density, torch.tensor(unmix, dtype=torch.float32))[:, 0]
    more = [s[m > 0].mean() > s[m == 0].mean() for s, m in zip(stains, masks, strict=True)]
    assert all(more)


def test_clouds_and_blur_are_what_they_say():
    rng = np.random.default_rng(0)
    field = cloud(rng, 64, 3.0)
    assert abs(field.mean()) < 1e-5 and abs(field.std() - 1) < 1e-4 and field.dtype == np.float32
    again = softened(field, 1.5)
    assert np.allclose(again, ndimage.gaussian_filter(field, 1.5, mode="wrap", truncate=6), atol=1e-3)
    long = cloud(rng, 64, 1.0, 6.0, 0.0)  # stretched along x
    assert np.abs(np.diff(long, axis=1)).mean() < 0.5 * np.abs(np.diff(long, axis=0)).mean()


def test_every_quantity_of_a_scene_is_finite_and_fits_the_masks():
    for k in range(20):
        s = scene(np.random.default_rng(k), 64)
        assert all(np.isfinite(field).all() for field in s[1:6])
        assert s.cover.min() >= 0 and s.cover.max() <= 1 and s.tissue.min() >= 0 and s.tissue.max() <= 1
        assert ((s.cover > 0.5) == (s.objects > 0)).mean() > 0.99  # half a pixel inside the border


@pytest.mark.slow
def test_the_same_bytes_come_in_another_process_with_other_threads():
    code = (
        "import hashlib, torch, medtl_helpers as mtl;"
        "x, m = mtl.draw_nuclei(6, kind='any', size=64, seed=9);"
        "print(hashlib.sha256(x.numpy().tobytes() + m.numpy().tobytes()).hexdigest())"
    )
    environment = os.environ | {"OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "5"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    x, m = draw_nuclei(6, kind="any", size=64, seed=9)
    assert done.stdout.strip() == hashlib.sha256(x.numpy().tobytes() + m.numpy().tobytes()).hexdigest(), done.stderr


def test_hundreds_of_pictures_take_seconds():
    start = time.process_time()
    draw_nuclei(20, kind="histology", size=128)
    assert time.process_time() - start < 20 * 0.15  # about 0.01 s each on a free core
