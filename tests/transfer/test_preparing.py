"""A messy folder becomes a clean task: everything that is left out is named, and nothing else is lost."""

import shutil

import numpy as np
import pytest
from small_images import pixels, write_image

from medtl_helpers.data.tasks import SPLITS
from medtl_helpers.transfer.data_sections import the_folder
from medtl_helpers.transfer.preparing import choose_size, copies_in_words, prepare

OPTIONS = {"positive": None, "patients": None, "seed": 0, "size": 16, "minutes": 1.0}


@pytest.fixture
def messy(tmp_path):
    """train and test of two classes, with a damaged file, an empty one, copies, and a patient in both."""
    rng, root = np.random.default_rng(0), tmp_path / "messy"
    for split, patients in (("train", range(10)), ("test", range(10, 16))):
        for k, label in enumerate(("sick", "well")):
            for patient in patients:
                write_image(root / split / label / f"P{k}{patient:02}_a.png", pixels(k, rng, 16 + patient))
    write_image(root / "train" / "sick" / "P012_b.png", pixels(0, rng))  # of a patient of test
    shutil.copy(root / "test" / "well" / "P111_a.png", root / "train" / "well" / "P150_a.png")
    (root / "train" / "sick" / "P030_a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (root / "test" / "well" / "no_patient.png").write_bytes(b"")
    (root / "notes.txt").write_text("x")
    return root


def test_a_messy_folder_is_told_and_the_rest_of_it_used(messy, capsys):
    found = prepare(messy, **OPTIONS | {"patients": r"^(P\d+)_"})
    told = capsys.readouterr().out
    assert {one.file for one in found.unusable} == {"train/sick/P030_a.png", "test/well/no_patient.png"}
    assert all(one.file in told and one.wrong in told for one in found.unusable)
    assert found.overlapping == {"P012": ["train", "test"]} and found.moved_out == ["train/sick/P012_b.png"]
    assert "P012" in told and "test stays as it is" in told
    assert sum(map(len, found.dropped.values())) == 1 and "dropped" in told
    assert [path.name for path in found.layout.skipped] == ["notes.txt"]
    used = [file for split in SPLITS for file in found.task.files[split]]
    gone = {one.file for one in found.unusable} | set(found.moved_out) | {f for d in found.dropped.values() for f in d}
    every = {p.relative_to(messy).as_posix() for p in messy.rglob("*.png")}
    assert len(used) == len(set(used)) and set(used) | gone == every and not set(used) & gone
    people = [set(found.task.patients[split]) for split in SPLITS]
    assert not (people[0] & people[2] or people[1] & people[2] or people[0] & people[1])


def test_a_copy_is_dropped_before_test_and_the_pair_is_listed(messy):
    found = prepare(messy, **OPTIONS)
    [pair] = found.pairs[["file", "other file"]].to_numpy().tolist()
    assert set(pair) == {"train/well/P150_a.png", "test/well/P111_a.png"}
    assert [*found.dropped["train"], *found.dropped["val"]] == ["train/well/P150_a.png"] and not found.dropped["test"]


def test_copies_are_counted_by_the_split_they_left_and_by_that_of_their_copy(messy):
    for k, (split, label, new) in enumerate([("train", "well", "P151_a"), ("train", "sick", "P051_a")]):
        shutil.copy(messy / "train" / "well" / f"P10{k}_a.png", messy / split / label / f"{new}.png")
    (messy / "val").mkdir()
    for label, k in (("sick", 0), ("well", 1)):
        for patient in ("40", "41"):
            name = f"P{k}{patient}_a.png"
            write_image(messy / "val" / label / name, pixels(k, np.random.default_rng(10 * int(patient) + k)))
    shutil.copy(messy / "test" / "sick" / "P011_a.png", messy / "val" / "sick" / "P042_a.png")
    shutil.copy(messy / "test" / "well" / "P111_a.png", messy / "train" / "well" / "P152_a.png")  # as P150_a is
    found = prepare(messy, **OPTIONS)
    assert copies_in_words(found.dropped, found.pairs) == (
        "5 files were dropped as copies: 4 from train (2 with a copy in test, 2 with a copy within train), "
        "1 from val (1 with a copy in test)."
    )
    page = the_folder(found, 0)
    differ = next(row for row in page.split("<tr>") if "P051_a" in row)
    assert "train/well/P101_a.png" in differ and "differ, kept as" in differ
    [gone] = {"train/sick/P051_a.png", "train/well/P101_a.png"} & set(found.dropped["train"])
    assert ("kept as well" in differ) == (gone == "train/sick/P051_a.png")
    same = next(row for row in page.split("<tr>") if "P150_a" in row)
    assert "differ" not in same and "file" in same and page.index(differ) < page.index(same)


def test_the_images_that_left_for_their_patient_are_named_on_the_page(messy):
    (messy / "test" / "well" / "no_patient.png").unlink()
    found = prepare(messy, **OPTIONS | {"patients": r"^(P\d+)_"})
    row = next(row for row in the_folder(found, 0).split("<tr>") if "train and test" in row)
    assert "P012" in row and "train/sick/P012_b.png" in row


def test_images_without_a_patient_are_counted_over_all_splits_and_five_are_named(messy):
    for split, n in (("train", 4), ("test", 3)):
        for k in range(n):
            write_image(messy / split / "sick" / f"x{k}.png", pixels(0, np.random.default_rng(k)))
    with pytest.raises(ValueError) as told:
        prepare(messy, **OPTIONS | {"patients": r"^(P\d+)_"})
    assert str(told.value) == (
        r"7 of 41 images are not matched by the pattern '^(P\d+)_', for example train/sick/x0.png, train/sick/x1.png, "
        "train/sick/x2.png, train/sick/x3.png, test/sick/x0.png: every image needs a patient, so correct one or the "
        "other."
    )


def test_a_clean_folder_loses_nothing(make_folder):
    found = prepare(make_folder(), **OPTIONS)
    assert not found.unusable and not found.moved_out and not any(found.dropped.values())
    assert sum(len(getattr(found.task, split).y) for split in SPLITS) == 48
    assert found.task.patients is None and found.layout.drawn == ("val", "test")


def test_a_class_that_is_left_without_an_image_is_an_error(messy):
    for file in (messy / "test" / "sick").iterdir():
        file.write_bytes(b"")
    with pytest.raises(ValueError, match=r"The class 'sick' has no image left in test, after 8 unusable .*\.$"):
        prepare(messy, **OPTIONS)


@pytest.mark.parametrize(
    ("sides", "minutes", "wanted", "why"),
    [
        ([20] * 100, 10, 32, "fewer than 64 px"),
        ([40] * 100, 10, 32, "fewer than 64 px"),
        ([64, 200, 512] * 333, 10, 64, "128 px would need more than 10 minutes for 999 images"),
        ([64, 200, 512] * 333, 20, 128, "below 3 GB"),
        ([512] * 100, 10, 128, "below 3 GB"),
        ([100] * 100_000, 1, 64, "fewer than 128 px"),
    ],
)
def test_the_size_follows_from_the_images_and_the_time(sides, minutes, wanted, why):
    size, told = choose_size(sides, minutes)
    assert size == wanted and why in told
