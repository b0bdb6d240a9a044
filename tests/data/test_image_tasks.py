"""Image tasks: what is known of an image goes with it, copies leave the split that is asked for, and one line tells."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from splits import splits

from medtl_helpers.data import image_tasks
from medtl_helpers.data.catalogue import load
from medtl_helpers.data.domains import chest_domains, smear_domains
from medtl_helpers.data.image_tasks import ImageTask, tell_duplicates
from medtl_helpers.data.pretraining import held_out_task
from medtl_helpers.data.tasks import Split


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 1, 12, 12), np.uint8)


def task_of(rows: dict, labels: dict | None = None, *, x=None, files: bool = True) -> ImageTask:
    """The pictures ``rows`` of some noise in three splits; files are called after split, row and picture."""
    x = noise(12) if x is None else x
    labels = labels or {split: [at % 2 for at in numbers] for split, numbers in rows.items()}
    parts = {split: Split(torch.tensor(x[at]), torch.tensor(labels[split])) for split, at in rows.items()}
    names = {split: np.array([f"{split}/{k}-{n}.png" for k, n in enumerate(at)], object) for split, at in rows.items()}
    return ImageTask("mine", **parts, classes=("ill", "well"), files=names if files else None)


def heard(task, capsys) -> str:
    tell_duplicates(task)
    return capsys.readouterr().out


ROWS = {"train": [0, 1, 0, 2, 3, 4], "val": [5, 1, 5, 6], "test": [7, 2, 8, 6, 7, 9]}


def test_copies_leave_train_and_test_stays_as_it_was_published():
    task = task_of(ROWS)
    clean = task.without_duplicates()
    kept = {"train": [0, 4, 5], "val": [0, 1], "test": [0, 1, 2, 3, 4, 5]}  # 1 is in val, 2 in test, 6 in test
    for split, at in kept.items():
        wanted = getattr(task, split)
        assert torch.equal(getattr(clean, split).x, wanted.x[at]) and torch.equal(getattr(clean, split).y, wanted.y[at])
        assert clean.files[split].tolist() == task.files[split][at].tolist()
    found = clean.duplicates()
    assert set(found.pairs["split"]) == set(found.pairs["other split"]) == {"test"}


def test_copies_leave_test_where_that_is_asked_for():
    clean = task_of(ROWS).without_duplicates(drop_from="test")
    assert [name.rpartition("-")[2] for name in clean.files["test"]] == ["7.png", "8.png", "9.png"]
    assert clean.files["train"].tolist() == [f"train/{k}-{n}.png" for k, n in enumerate(ROWS["train"]) if k != 2]
    assert clean.files["val"].tolist() == ["val/0-5.png", "val/3-6.png"] and not len(clean.duplicates().pairs)
    with pytest.raises(ValueError, match="drop_from is 'val': give 'test' or 'train'"):
        task_of(ROWS).without_duplicates(drop_from="val")


def test_the_list_of_duplicates_names_the_files():
    pairs = task_of(ROWS).duplicates().pairs
    assert {(pair["file"], pair["other file"]) for pair in pairs.to_dict("records")} == {
        ("train/2-0.png", "train/0-0.png"),
        ("val/1-1.png", "train/1-1.png"),
        ("val/2-5.png", "val/0-5.png"),
        ("test/1-2.png", "train/3-2.png"),
        ("test/3-6.png", "val/3-6.png"),
        ("test/4-7.png", "test/0-7.png"),
    }


def test_one_line_tells_of_copies_with_counts_and_an_example(capsys):
    line = heard(task_of(ROWS), capsys)
    assert line.count("\n") == 1
    for words in (
        "6 pairs identical, 0 nearly so",
        "1 of 6 test images also in train",
        "1 of the test images also in val",
        "1 of 4 val images also in train",
        "1 within train, 1 within val, 1 within test",
        "task.duplicates()",
    ):
        assert words in line, line
    assert "two classes" not in line
    assert heard(task_of({"train": [0, 1], "val": [2, 3], "test": [4, 5]}), capsys) == ""


def test_the_example_is_a_pair_with_two_labels_else_one_across_splits(capsys):
    rows = {"train": [0, 1, 1], "val": [2, 3], "test": [4, 3]}
    assert "e.g. val/1-3.png and test/1-3.png." in heard(task_of(rows), capsys)
    labels = {"train": [0, 1, 0], "val": [0, 1], "test": [0, 1]}
    line = heard(task_of(rows, labels, files=False), capsys)
    assert "1 pairs with two classes" in line and "e.g. train row 1 (well) and train row 2 (ill)." in line


@pytest.mark.parametrize("order", ["train first", "test first"])
def test_nearly_the_same_is_told_in_either_order(capsys, order):
    x = noise(8)
    x[7] = np.clip(x[0].astype(int) + np.random.default_rng(1).integers(-9, 10, x[0].shape), 0, 255)
    one, other = (0, 7) if order == "train first" else (7, 0)
    line = heard(task_of({"train": [one, 1], "val": [2, 3], "test": [4, other]}, x=x), capsys)
    assert "0 pairs identical, 1 nearly so (correlation above 0.99)" in line and "1 of 2 test images" in line


def test_many_images_are_looked_at_byte_by_byte_and_that_is_told(capsys, monkeypatch):
    monkeypatch.setattr(image_tasks, "MOST_COMPARED", 5)
    assert "1 pairs identical, nearly so: not looked for here" in heard(
        task_of({"train": [0, 1], "val": [2, 3], "test": [4, 0]}), capsys
    )


def test_too_many_pairs_are_told_and_stop_no_loader(capsys, monkeypatch):
    monkeypatch.setattr("medtl_helpers.data.alike.MOST_PAIRS", 4)
    line = heard(task_of({"train": [0, 0, 0], "val": [0], "test": [0]}), capsys)
    assert line == "mine: More than 4 pairs of pictures are alike: look for empty ones and remove them.\n"


def test_names_that_do_not_fit_the_images_are_refused():
    task = task_of(ROWS)
    for what in ("files", "patients"):
        with pytest.raises(ValueError, match=f"The val split of t has 4 images and 1 {what}: give one for each"):
            ImageTask("t", *splits(task).values(), classes=task.classes, **{what: {"val": ["x"]}})


def test_what_is_loaded_or_drawn_as_images_is_an_image_task():
    found = [load("breast", quiet=True), load("white_cells", quiet=True), held_out_task(2, 0, size=16, val=1, test=1)]
    found += [*smear_domains("texture", 0, n=8), *chest_domains(0, n=8)]
    assert {type(task) for task in found} == {ImageTask}
    assert all(task.files is None and task.patients is None for task in found)


def test_real_images_are_told_of_twice_and_twins_are_not_looked_at(real, capsys, monkeypatch):
    load("breast")
    assert capsys.readouterr().out.count("\n") == 1
    real("pneumonia")
    assert "8 of 524 val images also in train, 18 within train, 3 within test" in capsys.readouterr().out


MEASURED = """
import resource, sys, time, torch
from medtl_helpers.data.image_tasks import ImageTask, tell_duplicates
from medtl_helpers.data.patients import split_by_patient
from medtl_helpers.data.phantoms import draw
from medtl_helpers.data.tasks import Split
def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
def task(n):
    y = torch.arange(n) % 2
    x = torch.cat([draw("chest", part, 64, seed=k) for k, part in enumerate(y.split(1000))])
    x[-1] = x[0]
    at = (n * 7 // 10, n * 85 // 100)
    return ImageTask("x", *map(Split, x.tensor_split(at), y.tensor_split(at)), ("a", "b"))
tell_duplicates(task(500))  # what is loaded once
many = task(10_000)
before, start = megabytes(), time.perf_counter()
tell_duplicates(many)
found = time.perf_counter()
split_by_patient(many, [str(k // 4) for k in range(10_000)], seed=0)
print(found - start, time.perf_counter() - found, megabytes() - before)
"""


@pytest.mark.slow
def test_ten_thousand_images_are_compared_and_split_by_patient_with_flat_memory():
    """All correlations at once would need 400 MB. The seconds are shown (``-s``) and bind nothing."""
    done = subprocess.run([sys.executable, "-c", MEASURED], check=True, capture_output=True, text=True).stdout
    duplicates, patients, megabytes = map(float, done.splitlines()[-1].split())
    print(f"duplicates {duplicates:.1f} s, patients {patients:.1f} s, {megabytes:.0f} MB more")
    assert "of 1500 test images also in train" in done and "1 pairs identical" in done
    assert megabytes < 150
