"""The twins: the same bytes for a seed, every class drawable and learnable, and a shift that grows with strength."""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.neighbors import KNeighborsClassifier

from medtl_helpers.assets import card
from medtl_helpers.phantoms import SMEAR, draw
from medtl_helpers.scanners import SCANNERS, Scanner
from medtl_helpers.table_twins import assay_shift, heart_twin
from medtl_helpers.tasks import load

ROOT = Path(__file__).resolve().parents[1]
CLASSES = {"smear": 8, "chest": 2, "ultrasound": 2, "texture": 11}
CHANNELS = {"smear": 3, "chest": 1, "ultrasound": 1, "texture": 1}
SITES = ("cleveland", "hungary", "switzerland", "va")


def labels(kind, n=40):
    return torch.arange(n) % CLASSES[kind]


def fingerprint(images):
    return hashlib.sha256(images.numpy().tobytes()).hexdigest()


def distance(a, b):
    return (a.float() - b.float()).abs().mean().item()


# --- images ----------------------------------------------------------------------------------------------------------


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


def test_another_process_with_one_thread_draws_the_same_bytes():
    code = (
        "import hashlib, torch, medtl_helpers as mtl\n"
        f"for kind, classes in {CLASSES}.items():\n"
        "    images = mtl.draw(kind, torch.arange(40) % classes, seed=5)\n"
        "    images = mtl.SCANNERS['B'](images, 0.7, seed=2)\n"
        "    print(hashlib.sha256(images.numpy().tobytes()).hexdigest())\n"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT,
                           env=os.environ | {"OMP_NUM_THREADS": "1"})  # fmt: skip
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
    with pytest.raises(ValueError, match=rf"{kind} phantoms have labels 0 to \d+, not .*{label}"):
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
    print(f"\n{len(images) / (time.perf_counter() - start):.0f} smear phantoms/s at 32 px, "
          f"{torch.get_num_threads()} threads")  # fmt: skip
    assert len(images) == 768


# --- the domain shift ------------------------------------------------------------------------------------------------


@pytest.fixture(params=["smear", "chest"], ids=["colour", "grey"])
def images(request):
    return draw(request.param, labels(request.param), 32, seed=1)


@pytest.mark.parametrize("name", SCANNERS)
def test_strength_0_changes_no_bit_and_gives_a_copy(images, name):
    unchanged = SCANNERS[name](images, 0)
    assert torch.equal(unchanged, images) and unchanged.data_ptr() != images.data_ptr()


def test_scanner_a_is_the_source_and_changes_nothing_at_any_strength(images):
    assert torch.equal(SCANNERS["A"](images, 1.0), images)


@pytest.mark.parametrize("name", ["B", "C", "D"])
def test_the_shift_grows_steadily_with_its_strength(images, name):
    far = [distance(SCANNERS[name](images, s), images) for s in np.linspace(0, 1.25, 11)]
    steps = np.diff(far)
    assert (steps > 0).all() and steps.max() < 4 * steps.min()
    assert far[8] > 8  # at full strength, of 255


@pytest.mark.parametrize("name", ["B", "C", "D"])
def test_a_slider_moves_without_jumps(images, name):
    """From one strength to the next one in a hundred, nothing moves by more than a few of 255 levels."""
    for strength in (0.0, 0.02, 0.3, 0.6, 0.99):
        near = SCANNERS[name](images, strength), SCANNERS[name](images, strength + 0.01)
        assert distance(*near) < 1.5


@pytest.mark.parametrize("name", SCANNERS)
def test_a_scanner_leaves_its_input_alone_and_keeps_shape_and_dtype(images, name):
    before = images.clone()
    shifted = SCANNERS[name](images, 0.8)
    assert torch.equal(images, before)
    assert shifted.dtype == torch.uint8 and shifted.shape == images.shape


def test_a_scanners_noise_comes_from_its_seed(images):
    noisy = SCANNERS["C"]
    torch.manual_seed(0)
    first = noisy(images, seed=4)
    torch.manual_seed(1)
    assert torch.equal(noisy(images, seed=4), first)
    assert not torch.equal(noisy(images, seed=5), first)


@pytest.mark.parametrize("strength", [0, 1.0])
def test_no_images_are_acquired_from_none(strength):
    assert SCANNERS["B"](torch.empty(0, 3, 28, 28, dtype=torch.uint8), strength).shape == (0, 3, 28, 28)


def test_the_tone_curve_and_the_colours_are_the_written_formula():
    image = torch.full((1, 3, 8, 8), 100, dtype=torch.uint8)
    image[:, 1] = 200
    matrix = np.array([[0.5, 0.5, 0], [0, 0.9, 0], [0.2, 0, 0.6]])
    shifted = Scanner("test", tuple(map(tuple, matrix)), gamma=2.0)(image, 1.0)
    wanted = (matrix @ np.array([100, 200, 100]) / 255) ** 2 * 255
    np.testing.assert_allclose(shifted[0, :, 0, 0].numpy(), wanted, atol=0.51)


# --- the table twins -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("site", SITES)
def test_the_heart_twin_has_the_cards_columns_and_the_same_rows_for_the_same_seed(site):
    frame = heart_twin(site, 100)
    assert list(frame.columns) == [*card("heart")["columns"], "num"]
    pd.testing.assert_frame_equal(heart_twin(site, 100), frame)
    assert not heart_twin(site, 100, seed=1).equals(frame)


def test_the_four_twins_are_drawn_independently_of_each_other():
    assert np.corrcoef([heart_twin(site, 300)["age"] for site in SITES])[np.triu_indices(4, 1)].max() < 0.25


@pytest.mark.parametrize("site", SITES)
def test_the_twin_has_the_real_tables_balance_missing_values_and_means(site, real_file, monkeypatch):
    """Share of disease within 1 point, missing within 5, column means within 0.4 real standard deviations."""
    real_data = str(real_file(card("heart")["files"][site]["path"]).parents[1])
    tables = {}
    for kind, folder in (("real", real_data), ("twin", "twin")):
        monkeypatch.setenv("MEDTL_DATA", folder)
        tables[kind] = load("heart", site=site, quiet=True).all_rows
    assert len(tables["twin"].y) == len(tables["real"].y)
    assert tables["twin"].y.mean() == pytest.approx(tables["real"].y.mean(), abs=0.01)
    real, twin = tables["real"].x, tables["twin"].x
    missing = (real.isna().mean() - twin.isna().mean()).abs()
    assert missing.max() < 0.05 if site != "switzerland" else missing.max() < 0.08, missing.round(3).to_dict()
    seen = [c for c in real.columns if real[c].notna().mean() > 0.5]
    off = ((real[seen].mean() - twin[seen].mean()) / real[seen].std()).abs()
    assert off.max() < 0.4, off.round(2).to_dict()


def test_swiss_cholesterol_is_zero_in_the_file_and_missing_once_loaded(monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")
    assert (heart_twin("switzerland", 123)["chol"] == 0).all()
    assert load("heart", site="switzerland", quiet=True).all_rows.x["chol"].isna().all()


@pytest.mark.parametrize("site", SITES)
def test_the_sick_are_older_and_reach_lower_heart_rates_in_the_twin_as_in_the_clinic(site):
    """On average over several drawings: what a model can learn is there."""
    frame = pd.concat([heart_twin(site, 300, seed) for seed in range(20)])
    means = frame.groupby("num")[["thalach", "oldpeak", "exang"]].mean()
    assert means.thalach[1] < means.thalach[0]
    assert means.oldpeak[1] > means.oldpeak[0] and means.exang[1] > means.exang[0]


@pytest.fixture
def table():
    return heart_twin("cleveland", 200).drop(columns="num")


def test_an_assay_shift_of_strength_0_changes_no_value(table):
    pd.testing.assert_frame_equal(assay_shift(table, 0), table)


def test_an_assay_shift_grows_with_its_strength_and_returns_a_new_table(table):
    before = table.copy()
    moved = [((assay_shift(table, s) - table).abs() / table.std()).mean().mean() for s in (0, 0.25, 0.5, 1.0)]
    assert moved == pytest.approx([0, moved[3] / 4, moved[3] / 2, moved[3]]) and moved[3] > 0.3
    pd.testing.assert_frame_equal(table, before)
    pd.testing.assert_frame_equal(assay_shift(table, 0.5), assay_shift(table, 0.5))
    assert (assay_shift(table, 1.0).isna() == table.isna()).all(axis=None)
