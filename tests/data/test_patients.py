"""Patients: found by a pattern or a CSV, never in two splits, and dealt whole by a seed; each refusal is a sentence."""

from collections import Counter
from dataclasses import replace
from itertools import chain, pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import save
from splits import splits

from medtl_helpers.data.folders import load_folder
from medtl_helpers.data.image_tasks import ImageTask
from medtl_helpers.data.patients import deal_patients, find_patients, split_by_patient
from medtl_helpers.data.tasks import Split, Task, few_shot

RNG = np.random.default_rng(5)
FILES = ["ill/P1_a.png", "ill/P1_b.png", "ill/deep/P2.png", "well/P3_a.tif"]


# --- whose image is whose --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        (r"(P\d)", ["P1", "P1", "P2", "P3"]),
        (r"\d", ["1", "1", "2", "3"]),  # no group: the whole match
        (r"^(?:deep/)?P(\d)(_a)?", ["1", "1", "2", "3"]),  # the first group of two
        (r"^[^/.]+", ["P1_a", "P1_b", "deep", "P3_a"]),  # below the class folder: no class comes into it
    ],
)
def test_a_pattern_is_searched_for_below_the_class_folder(rule, wanted):
    assert find_patients(FILES, 1, rule).tolist() == wanted
    assert find_patients([f"train/{file}" for file in FILES], 2, rule).tolist() == wanted


@pytest.mark.parametrize(
    "text",
    [
        "file,patient\nill/P1_a.png,7\nill/P1_b.png,7\nill/deep/P2.png,8\nwell/P3_a.tif,9\nelse.png,1\n",
        "\ufeffPatient ID;Image Index\n7;P1_a.png\n7;P1_b.png\n8;deep/P2.png\n9;P3_a.tif\n",  # as Excel writes it
        "image_id\tage\tsubject\nP1_a\t3\t7\nP1_b\t3\t7\nP2\t3\t8\nP3_a\t3\t9\n",
        'path,patient\nill\\P1_a.png,7\n"./ill/P1_b.png",7\ndeep/P2.png,8\nP3_a.tif,9\n',
    ],
)
def test_a_csv_in_the_ways_that_people_write_it(tmp_path, text):
    path = tmp_path / "who.csv"
    path.write_text(text, "utf-8")
    for rule in (path, str(path)):
        assert find_patients(FILES, 1, rule).tolist() == ["7", "7", "8", "9"]


def test_a_name_in_another_unicode_form_is_the_same_name(tmp_path):
    (tmp_path / "who.csv").write_text("file,patient\nMu\u0308ller.png,7\n", "utf-8")
    assert find_patients(["ill/M\u00fcller.png"], 1, tmp_path / "who.csv").tolist() == ["7"]
    assert find_patients(["ill/Mu\u0308ller.png"], 1, "(M\u00fc)")[0] == "M\u00fc"


# --- dealt -----------------------------------------------------------------------------------------------------------

properties = settings(derandomize=True, deadline=None, max_examples=60, database=None)


@st.composite
def cohorts(draw):
    """(labels, patients): two or three classes with at least four patients of their own, and some with all classes."""
    n_classes = draw(st.integers(2, 3))
    y, who = [], []
    for k in range(n_classes):
        for p, n in enumerate(draw(st.lists(st.integers(1, 9), min_size=4, max_size=15))):
            y += [k] * n
            who += [f"{k}-{p}"] * n
    for p in range(draw(st.integers(0, 5))):
        y += list(range(n_classes))
        who += [f"both-{p}"] * n_classes
    order = np.random.default_rng(draw(st.integers(0, 99))).permutation(len(y))
    return np.array(y)[order], np.array(who, object)[order]


def numbered(y, who, n_train=None) -> ImageTask:
    """Images whose pixels say which they are, all of one split or cut in three."""
    x = torch.stack([torch.arange(len(y)) % 256, torch.arange(len(y)) // 256], 1).view(-1, 1, 1, 2).to(torch.uint8)
    edges = (0, *((len(y) // 2, len(y) * 3 // 4) if n_train is None else (n_train, n_train)), len(y))
    cut = [slice(a, b) for a, b in pairwise(edges)]
    names = dict(zip(("train", "val", "test"), cut, strict=True))
    parts = {split: Split(x[at], torch.as_tensor(y)[at]) for split, at in names.items()}
    texts = {split: who[at] for split, at in names.items()}
    files = {split: np.array([f"{k}.png" for k in range(len(y))], object)[at] for split, at in names.items()}
    return ImageTask("t", **parts, classes=tuple("abc"[: max(y) + 1]), patients=texts, files=files)


@properties
@given(cohorts(), st.integers(0, 2**31), st.sampled_from([(0.15, 0.15), (0.2, 0.3)]))
def test_every_image_is_in_one_split_no_patient_in_two_and_a_seed_is_a_split(cohort, seed, shares):
    y, who = cohort
    task = split_by_patient(numbered(y, who), seed=seed, val=shares[0], test=shares[1])
    numbers = {
        split: (part.x.long() @ torch.tensor([1, 256])).flatten().tolist() for split, part in splits(task).items()
    }
    assert sorted(chain(*numbers.values())) == list(range(len(y)))
    everyone = [set(task.patients[split]) for split in numbers]
    assert sum(map(len, everyone)) == len(set(who))
    for split, rows in numbers.items():  # labels, patients and files went with their images
        assert getattr(task, split).y.tolist() == y[rows].tolist() and set(y[rows]) == set(y)
        assert task.patients[split].tolist() == who[rows].tolist()
        assert task.files[split].tolist() == [f"{row}.png" for row in rows]
    again = split_by_patient(numbered(y, who), seed=seed, val=shares[0], test=shares[1])
    assert all(torch.equal(part.x, getattr(again, split).x) for split, part in splits(task).items())


def test_classes_are_shared_out_about_as_asked_and_another_seed_is_another_split():
    y = np.repeat([0, 1], [800, 200])
    who = np.concatenate([RNG.integers(0, 160, 800), 1000 + RNG.integers(0, 40, 200)]).astype(str).astype(object)
    seen = []
    for seed in range(3):
        part = deal_patients(y, who, (0.7, 0.15, 0.15), np.random.default_rng(seed), ("a", "b"), "x")
        for k, share in enumerate((0.7, 0.15, 0.15)):
            assert abs((part[y == 0] == k).mean() - share) < 0.02 and abs((part[y == 1] == k).mean() - share) < 0.05
        seen.append(part.tolist())
    assert seen[0] != seen[1] != seen[2]


def test_three_patients_of_a_class_are_enough_and_large_ones_do_not_all_go_to_train():
    y, who = np.array([0] * 6 + [1] * 3), np.array(list("aaaabc" + "def"), object)
    where = set()
    for seed in range(40):
        part = deal_patients(y, who, (0.7, 0.15, 0.15), np.random.default_rng(seed), ("x", "y"), "n")
        assert set(part[y == 0]) == set(part[y == 1]) == {0, 1, 2}
        where.add(part[0])
    assert where == {0, 1, 2}


def test_few_shot_validates_on_other_patients_than_it_trains_on():
    y, who = np.tile([0, 1], 30), np.repeat(list("abcdefghij"), 6).astype(object)
    for seed in range(5):
        few = few_shot(numbered(y, who, n_train=60), 3, seed=seed, val=2)
        assert not set(few.patients["train"]) & set(few.patients["val"])
        assert Counter(few.train.y.tolist()) == {0: 3, 1: 3} and Counter(few.val.y.tolist()) == {0: 2, 1: 2}
    with pytest.raises(ValueError, match="from patients that were not drawn for training"):
        few_shot(numbered(y, np.array(["one"] * 60, object), n_train=60), 3, seed=0, val=2)


# --- with a folder ---------------------------------------------------------------------------------------------------


def cohort_folder(root, *, split="", patients=range(9), classes=("ill", "well")):
    """Two images of each patient; the even ones are ill."""
    for p in patients:
        for side in "LR":
            noise = RNG.integers(0, 256, (9, 9), dtype=np.uint8)
            save(root / split / classes[p % 2] / f"P{p}_{side}.png", noise)
    return root


def test_a_folder_without_splits_is_drawn_by_patient(tmp_path, capsys):
    task = load_folder(cohort_folder(tmp_path / "mine"), size=8, patients=r"^(P\d)_", seed=3)
    out = capsys.readouterr().out
    assert "patient by patient" in out and "none of them in two" in out and "by patient." not in out.splitlines()[0]
    counts = Counter(name for names in task.patients.values() for name in set(names))
    assert counts == {f"P{p}": 1 for p in range(9)}
    for split in splits(task):
        assert [file.rpartition("/")[2][:2] for file in task.files[split]] == task.patients[split].tolist()
        assert set(getattr(task, split).y.tolist()) == {0, 1}
    assert load_folder(tmp_path / "mine", size=8, patients=r"^(P\d)_", seed=3).files["test"].tolist() == (
        task.files["test"].tolist()
    )


def test_only_val_is_drawn_where_train_and_test_are_given(tmp_path):
    cohort_folder(tmp_path, split="train", patients=range(14))
    cohort_folder(tmp_path, split="test", patients=range(20, 24))
    task = load_folder(tmp_path, size=8, patients=r"P\d+")
    assert set(task.patients["test"]) == {f"P{p}" for p in range(20, 24)}
    assert not set(task.patients["train"]) & set(task.patients["val"])
    assert len(task.val.y) == 4 and len(task.train.y) == 24  # 15 % of 28, patient by patient


def test_folders_of_patients(tmp_path):
    for p in range(8):
        for k in range(3):
            noise = RNG.integers(0, 256, (9, 9), dtype=np.uint8)
            save(tmp_path / "ab"[p % 2] / f"patient {p}" / "left" / f"{k}.png", noise)
    task = load_folder(tmp_path, size=8, patients="^[^/]+")
    assert {name for names in task.patients.values() for name in names} == {f"patient {p}" for p in range(8)}
    other = split_by_patient(task, seed=1, val=0.25, test=0.25)
    assert [len(getattr(other, split).y) for split in splits(other)] == [12, 6, 6]


# --- what is refused -------------------------------------------------------------------------------------------------


def test_a_task_whose_patients_are_not_known_is_refused_and_patients_can_be_given():
    y, who = np.tile([0, 1], 20), np.repeat(np.arange(10), 4).astype(str).astype(object)
    task = replace(numbered(y, who), patients=None)
    with pytest.raises(ValueError, match="Nobody knows the patients of t: load it"):
        split_by_patient(task, seed=0)
    given_here, known = (split_by_patient(one, who_, seed=4) for one, who_ in ((task, who), (numbered(y, who), None)))
    assert torch.equal(given_here.test.x, known.test.x) and given_here.patients["val"].tolist() == (
        known.patients["val"].tolist()
    )
    with pytest.raises(ValueError, match=r"40 images and patients \(39,\): give one for each"):
        split_by_patient(task, who[:39], seed=0)
    with pytest.raises(ValueError, match=r"val is 0\.5 and test is 0\.5: give shares"):
        split_by_patient(task, who, seed=0, val=0.5, test=0.5)
    with pytest.raises(TypeError, match="was given a Task: give the ImageTask"):
        split_by_patient(Task("t", task.train, task.val, task.test, ("a", "b")), who, seed=0)


def test_a_class_of_two_patients_cannot_be_in_three_splits():
    y, who = np.array([0] * 6 + [1] * 8), np.array(list("abcdef" + "gggghhhh"), object)
    with pytest.raises(
        ValueError, match=r"t has 2 patient\(s\) with the class 'b', too few for 3 splits: add patients"
    ):
        split_by_patient(numbered(y, who), seed=0)


def test_a_class_that_only_patients_of_all_classes_have_is_dealt_or_refused():
    """Each of three patients has both classes: one for each split is the only way."""
    y, who = np.tile([0, 1], 6), np.repeat(list("abc"), 4).astype(object)
    task = split_by_patient(numbered(y, who), seed=2)
    assert [len(set(names)) for names in task.patients.values()] == [1, 1, 1]
