"""Phantoms: the same bytes for a seed, and every class drawable and learnable."""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.neighbors import KNeighborsClassifier

from medtl_helpers.data.phantoms import draw, draw_ultrasound
from medtl_helpers.data.shifts import SCANNERS
from medtl_helpers.data.smears import SMEAR

ROOT = Path(__file__).resolve().parents[2]

CLASSES = {"smear": 8, "chest": 2, "ultrasound": 2, "texture": 11}

CHANNELS = {"smear": 3, "chest": 1, "ultrasound": 1, "texture": 1}


def labels(kind, n=40):
    return torch.arange(n) % CLASSES[kind]


def fingerprint(images):
    return hashlib.sha256(images.numpy().tobytes()).hexdigest()


def distance(a, b):
    return (a.float() - b.float()).abs().mean().item()


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("size, channels", [(28, None), (64, 1), (32, 3)])
def test_each_kind_draws_each_class_as_bytes_in_the_asked_shape(kind, size, channels):
    images = draw(kind, labels(kind), size, channels=channels)
    assert images.dtype == torch.uint8 and images.shape == (40, channels or CHANNELS[kind], size, size)
    assert images.flatten(1).float().std(1).min() > 5  # none is blank
    assert len(images.unique(dim=0)) == 40  # none is a copy of another


@pytest.mark.parametrize("kind", CLASSES)
def test_a_seed_gives_the_same_bytes_whatever_the_global_seeds_are(kind):
    torch.manual_seed(0)
    first = draw(kind, labels(kind), seed=5)
    torch.manual_seed(1)
    torch.rand(3)
    assert torch.equal(draw(kind, labels(kind), seed=5), first)
    assert distance(draw(kind, labels(kind), seed=6), first) > 3


def test_drawing_leaves_the_global_random_state_alone():
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    draw("smear", labels("smear"))
    SCANNERS["B"](draw("chest", labels("chest")))
    assert torch.equal(torch.rand(1), wanted)


@pytest.mark.slow
def test_another_process_with_one_thread_draws_the_same_bytes():
    code = (
        "import hashlib, torch, medtl_helpers as mtl\n"
        f"for kind, classes in {CLASSES}.items():\n"
        "    images = mtl.draw(kind, torch.arange(40) % classes, seed=5)\n"
        "    images = mtl.SCANNERS['B'](images, 0.7, seed=2)\n"
        "    print(hashlib.sha256(images.numpy().tobytes()).hexdigest())\n"
    )
    there = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    here = [fingerprint(SCANNERS["B"](draw(kind, labels(kind), seed=5), 0.7, seed=2)) for kind in CLASSES]
    assert there.stdout.split() == here


def test_a_grey_smear_is_the_mean_of_its_channels_and_a_coloured_chest_repeats_its_one():
    smear, grey = draw("smear", labels("smear")), draw("smear", labels("smear"), channels=1)
    assert (smear.float().mean(1, keepdim=True) - grey.float()).abs().max() <= 8  # bytes are clamped one by one
    assert distance(smear.float().mean(1, keepdim=True), grey) < 0.5
    chest, colour = draw("chest", labels("chest")), draw("chest", labels("chest"), channels=3)
    assert torch.equal(colour, chest.expand(-1, 3, -1, -1))


@pytest.mark.parametrize("kind, label", [("smear", 8), ("chest", 2), ("ultrasound", -1), ("texture", 64)])
def test_a_label_that_cannot_be_drawn_is_named(kind, label):
    with pytest.raises(ValueError, match=rf"{kind} phantoms have labels 0 to \d+, not .*{label}|some of them below 0"):
        draw(kind, torch.tensor([0, label]))


def test_an_unknown_kind_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match="no phantom called 'brain': choose one of smear, chest, ultrasound, texture"):
        draw("brain", torch.zeros(1, dtype=torch.int64))


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("none", [torch.empty(0, dtype=torch.int64), []], ids=["tensor", "list"])
def test_no_labels_give_no_images(kind, none):
    assert draw(kind, none, 32).shape == (0, CHANNELS[kind], 32, 32)


def probe_score(kind, probe, coarse):
    """Accuracy on new phantoms of a simple classifier on pixels, averaged over ``coarse`` × ``coarse`` blocks."""
    y = torch.arange(600) % CLASSES[kind]
    train, test = (F.avg_pool2d(draw(kind, y, seed=s) / 255, coarse).flatten(1).numpy() for s in (1, 2))
    return probe.fit(train, y).score(test, y)


@pytest.mark.parametrize(
    "kind, probe, coarse, at_least",
    [
        ("smear", LinearDiscriminantAnalysis(), 4, 0.8),
        ("chest", LinearDiscriminantAnalysis(), 4, 0.65),
        ("ultrasound", LinearDiscriminantAnalysis(), 4, 0.65),
        ("texture", KNeighborsClassifier(5), 1, 0.45),
    ],
)
def test_the_classes_can_be_told_apart_but_not_perfectly_by_a_simple_probe(kind, probe, coarse, at_least):
    assert at_least < probe_score(kind, probe, coarse) < 0.99


@pytest.mark.parametrize("cell", SMEAR)
def test_every_white_cell_has_a_dark_nucleus_and_a_platelet_has_none(cell):
    images = draw("smear", torch.full((60,), list(SMEAR).index(cell)), 56, seed=3)
    dark = (images[:, 0] < 140).float().mean().item()  # the nucleus is the only thing that absorbs so much red
    assert dark < 0.005 if cell == "platelet" else 0.03 < dark < 0.2


def test_the_speed_is_printed():
    """A figure for the reader, never a gate: machines differ."""
    start = time.perf_counter()
    images = draw("smear", torch.arange(768) % 8, 32)
    print(
        f"\n{len(images) / (time.perf_counter() - start):.0f} smear phantoms/s at 32 px, "
        f"{torch.get_num_threads()} threads"
    )
    assert len(images) == 768


def test_a_drawn_ultrasound_knows_where_its_lesion_is():
    labels = torch.arange(150) % 2
    images, lesions = draw_ultrasound(labels, 48, seed=4)
    assert torch.equal(images, draw("ultrasound", labels, 48, seed=4))
    assert lesions.shape == (150, 48, 48) and lesions.dtype == torch.bool
    inside, outside = (
        torch.stack([image[0][mask].float().mean() for image, mask in zip(images, masks, strict=True)])
        for masks in (lesions, ~lesions)
    )
    assert (inside < outside).float().mean() > 0.9  # a lesion gives back less sound than the tissue around it
