"""White cells of two laboratories: what is read and left out, how they are split, and phantoms without the files."""

import csv
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from medtl_helpers.assets import card, listing
from medtl_helpers.data import white_cells
from medtl_helpers.data.catalogue import load
from medtl_helpers.data.domains import white_cell_domains

ABOUT = card("white_cells")
SITES = list(ABOUT["sites"])


@pytest.fixture
def real_folder(real_file):
    return real_file("white_cells/Class Labels of Dataset 1.csv").parent


def rows(task):
    return torch.cat([task.train.x, task.val.x, task.test.x]), torch.cat([task.train.y, task.val.y, task.test.y])


@pytest.mark.parametrize("site", SITES)
def test_the_twin_has_the_cards_classes_and_counts(site):
    task = load("white_cells", site=site, quiet=True)
    x, y = rows(task)
    assert (task.name, task.provenance) == (f"white_cells:{site}", "twin")
    assert x.dtype == torch.uint8 and x.shape[1:] == (3, 28, 28) and task.classes == tuple(ABOUT["classes"])
    assert y.bincount().tolist() == ABOUT["sites"][site]["class_counts"]
    assert task.note == "for real data: make data ONLY=white_cells (MEDTL_DATA=twin)"
    again = load("white_cells", site=site, quiet=True)
    assert torch.equal(again.train.x, task.train.x)


@pytest.mark.parametrize("site", SITES)
def test_the_real_cells_are_the_files_without_basophils_and_second_images(site, real_folder):
    task, place = load("white_cells", site=site, quiet=True), ABOUT["sites"][site]
    with open(real_folder / f"Class Labels of Dataset {place['number']}.csv") as file:
        labels = [row[1] for row in list(csv.reader(file))[1:]]
    found = np.bincount([int(label) - 1 for label in labels], minlength=5)
    left_out = {"jiangxi": [3, 1, 1, 0], "cellavision": [0, 0, 0, 0]}[site]
    assert rows(task)[1].bincount().tolist() == place["class_counts"] == (found[:4] - left_out).tolist()
    assert task.provenance == "real" and f"{found[4]} basophil(s) and {sum(left_out)} second image(s)" in task.note


def test_one_real_image_is_the_middle_of_its_file(real_folder):
    """The 17th file of the second laboratory, read by Pillow alone and cut by hand."""
    image = np.asarray(Image.open(real_folder / "Dataset 2" / "017.bmp").convert("RGB"))[25:275, 25:275]
    cells, _, _ = white_cells.all_cells(ABOUT, "cellavision", 250)
    assert (cells.x[16] == torch.tensor(image).permute(2, 0, 1)).all() and cells.y[16] == 2


def test_a_small_image_grows_by_repeating_its_border_and_a_large_one_is_cut():
    image = np.random.default_rng(0).integers(0, 256, (10, 13, 3), dtype=np.uint8)
    grown = white_cells._middle(image, 16)
    assert grown.shape == (3, 16, 16)
    wanted = np.pad(image, ((3, 3), (1, 2), (0, 0)), mode="edge").transpose(2, 0, 1)
    assert (grown.numpy() == wanted).all()
    assert (white_cells._middle(image, 8).numpy() == image[1:9, 2:10].transpose(2, 0, 1)).all()
    assert (white_cells._middle(image, 12).numpy()[:, 1:11] == image[:, :12].transpose(2, 0, 1)).all()


def test_the_same_cell_is_found_whatever_its_brightness_and_others_are_not():
    x = torch.randint(30, 200, (4, 3, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    both = torch.cat([x, x[2:3] + 20])
    assert white_cells.same_cell(both).tolist() == [False] * 4 + [True]


@pytest.mark.parametrize("fold", [None, 0, 1, 2])
def test_splits_are_disjoint_complete_and_hold_every_class(fold):
    y = torch.tensor([0] * 33 + [1] * 37 + [2] * 15 + [3] * 12)
    parts = white_cells.split_by_class(y, 7, fold)
    assert sorted(torch.cat(parts).tolist()) == list(range(len(y)))
    shares = (0.6, 0.2, 0.2) if fold is None else (1 / 2, 1 / 6, 1 / 3)
    for part, share in zip(parts, shares, strict=True):
        counts = y[part].bincount(minlength=4)
        assert ((counts - share * y.bincount()).abs() <= 1.01).all(), counts
    assert not torch.equal(parts[2], white_cells.split_by_class(y, 8, fold)[2])


def test_three_folds_test_each_cell_once():
    y = torch.tensor([0] * 33 + [1] * 37 + [2] * 15 + [3] * 12)
    tested = torch.cat([white_cells.split_by_class(y, 3, fold)[2] for fold in range(3)])
    assert sorted(tested.tolist()) == list(range(len(y)))
    with pytest.raises(ValueError, match="fold is 3: give 0, 1 or 2"):
        white_cells.split_by_class(y, 3, 3)


def test_domains_are_the_two_laboratories_and_the_folds_of_a_seed_fit_together():
    source, target = white_cell_domains(3)
    assert (source.name, target.name) == ("white_cells:jiangxi", "white_cells:cellavision")
    assert source.classes == target.classes
    others = [white_cell_domains(3, fold=fold)[1].test.x for fold in (1, 2)]
    images = [x.numpy().tobytes() for x in torch.cat([target.test.x, *others])]
    assert len(set(images)) == len(images) == 97
    back, there = white_cell_domains(3, source="cellavision", target="jiangxi")
    assert back.name == target.name and len(there.test.y) > 80


def test_the_two_cameras_differ_in_colour():
    """Yellow against pink: the twin's first laboratory has far less blue for its red, as the real one has."""
    blue = [load("white_cells", site=site, quiet=True).train.x.float().mean((0, 2, 3)) for site in SITES]
    assert blue[0][2] / blue[0][0] < 0.7 < 0.8 < blue[1][2] / blue[1][0]


# --- files that are missing or wrong ---------------------------------------------------------------------------------


@pytest.fixture
def copy(real_folder, tmp_path, monkeypatch):
    shutil.copytree(real_folder, tmp_path / "white_cells")
    monkeypatch.setenv("MEDTL_DATA", str(tmp_path))
    return tmp_path / "white_cells"


def test_a_folder_without_the_files_gives_the_twin_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", str(tmp_path))
    task = load("white_cells", quiet=True)
    assert task.provenance == "twin" and task.note.endswith("(not fetched yet)")


def test_a_missing_file_gives_the_twin_and_one_sentence(copy):
    (copy / "Dataset 2" / "050.bmp").unlink()
    task = load("white_cells", quiet=True)
    assert task.provenance == "twin" and "1 of 402 files are missing" in task.note and "050.bmp" in task.note


def test_a_damaged_file_gives_the_twin_and_one_sentence(copy):
    path = copy / "Dataset 1" / "003.bmp"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    task = load("white_cells", quiet=True)
    assert task.provenance == "twin" and "003.bmp has the wrong checksum" in task.note


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"site": "zurich"}, "no site 'zurich': choose one of jiangxi, cellavision"), ({"size": 7}, "no size 7")],
)
def test_what_cannot_be_loaded_is_refused_in_a_sentence(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        load("white_cells", **options)


def test_the_listing_names_each_file_once_below_its_folder():
    files = listing(ABOUT)
    assert len(files) == 402 and all(name.startswith(ABOUT["folder"]) for name in files)
    assert all(len(bytes.fromhex(checksum.removeprefix("sha256:"))) == 32 for checksum in files.values())
