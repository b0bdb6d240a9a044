"""The commands transfer and predict with something wrong: one sentence, exit status 2, and nothing is lost."""

import errno
import os

import numpy as np
import pytest
import torch
from PIL import Image
from rows import Row, one_sentence

from medtl_helpers import provenance
from medtl_helpers.__main__ import main
from medtl_helpers.methods.nets import CourseCNN
from medtl_helpers.teaching.model_card import model_card, reporting_items
from medtl_helpers.transfer import command, place
from medtl_helpers.transfer.judging import Recipe
from medtl_helpers.transfer.saved import Saved, saved_bytes

RULE = ["--patients", r"^(P\d+)_"]


@pytest.fixture(autouse=True)
def no_search(monkeypatch):
    """None of these faults is met only after ten minutes of search."""

    def never(*_, **__):
        raise AssertionError("the search began")

    monkeypatch.setattr(provenance, "_sources", {})
    monkeypatch.setattr(command, "auto_transfer", never)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Two classes of 24 images in ``mine``, and a thesis beside them."""
    rng = np.random.default_rng(0)
    for label in ("sick", "well"):
        for k in range(24):
            path = tmp_path / "mine" / label / f"P{k // 2:02}_{k}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (16, 16), dtype=np.uint8)).save(path)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def all_files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def last_line(capsys) -> str:
    return one_sentence(capsys.readouterr().out.strip().splitlines()[-1])


def other_run(home):
    place.take_place(home / "report", {"seed": 1})


def empty_all(home):
    for path in (home / "mine").rglob("*.png"):
        path.write_bytes(b"")


def empty_well(home):
    """Given splits, of which one class of test cannot be read."""
    for label in ("sick", "well"):
        for split in ("train", "test"):
            (home / "split" / split / label).mkdir(parents=True)
            for k, path in enumerate(sorted((home / "mine" / label).iterdir())):
                if (k % 2 == 0) == (split == "train"):
                    content = b"" if (split, label) == ("test", "well") else path.read_bytes()
                    (home / "split" / split / label / path.name).write_bytes(content)


def one_nameless(home):
    """Given splits, with one image in test whose name the rule does not match."""
    for split, numbers in (("train", range(12)), ("test", range(12, 24))):
        for label in ("sick", "well"):
            (home / "split" / split / label).mkdir(parents=True)
            for k in numbers:
                path = home / "mine" / label / f"P{k // 2:02}_{k}.png"
                (home / "split" / split / label / path.name).write_bytes(path.read_bytes())
    (home / "split" / "test" / "sick" / "x.png").write_bytes((home / "mine" / "sick" / "P00_0.png").read_bytes())


def half_named(home):
    for label in ("sick", "healthy"):
        (home / "away" / label).mkdir(parents=True)
        (home / "away" / label / "1.png").write_bytes((home / "mine" / "sick" / "P00_0.png").read_bytes())


def without_images(home):
    (home / "away").mkdir()
    (home / "away" / "notes.txt").write_text("x")


def all_copied(home):
    (home / "away").mkdir()
    for k in range(3):
        (home / "away" / f"{k}.png").write_bytes((home / "mine" / "sick" / f"P{k // 2:02}_{k}.png").read_bytes())


# fault, how it is made, arguments of the command, what is said
REFUSED = [
    ("no such folder", None, ["nowhere"], "nowhere is no folder"),
    ("a folder of one class", None, ["mine/sick"], "holds no class folders"),
    ("no image can be used", empty_all, ["mine"], "None of the 48 image files in mine can be used"),
    ("a class is left without an image in test", empty_well, ["split"], "The class 'well' has no image left in test"),
    ("--out is the folder of images", None, ["mine", "--out", "mine"], "--out is the folder of images itself"),
    ("--out inside the images", None, ["mine", "--out", "mine/report"], "lies inside mine"),
    ("--out is a file", None, ["mine", "--out", "thesis/chapter.txt"], "is a file: give a new folder"),
    ("--out with files of somebody else", None, ["mine", "--out", "thesis"], "holds files that are no report"),
    ("--out with another run's report", other_run, ["mine"], "holds the report of another run (minutes,"),
    ("--minutes 0", None, ["mine", "--minutes", "0"], "--minutes is 0: give a number above 0."),
    ("--minutes nan", None, ["mine", "--minutes", "nan"], "--minutes is nan: give a number above 0."),
    ("--size 4", None, ["mine", "--size", "4"], "--size is 4: give 8 to 1024 pixels."),
    ("--size 100000", None, ["mine", "--size", "100000"], "--size is 100000: give 8 to 1024 pixels."),
    ("--seed -1", None, ["mine", "--seed", "-1"], "--seed is -1"),
    ("--positive that is no class", None, ["mine", "--positive", "ill"], "--positive 'ill' is none of the classes"),
    ("--patients that match nothing", None, ["mine", "--patients", "^Q"], "48 of 48 images are not matched"),
    (
        "--patients that misses one image of a given test folder",
        one_nameless,
        ["split", *RULE],
        r"1 of 49 images is not matched by the pattern '^(P\d+)_', namely test/sick/x.png: every image",
    ),
    (
        "--patients that is no pattern",
        None,
        ["mine", "--patients", r"(\d"],
        r"--patients '(\d' is no regular expression",
    ),
    ("--target that is not there", None, ["mine", "--target", "away"], "away is no folder"),
    ("--target is the folder itself", None, ["mine", "--target", "mine"], "--target is mine itself"),
    ("--target with some of the classes", half_named, ["mine", "--target", "away"], "is in none of the classes"),
    ("--target with copies alone", all_copied, ["mine", "--target", "away"], "All images of away are copies of images"),
    ("--target without an image", without_images, ["mine", "--target", "away"], "away holds no image"),
]


@pytest.mark.parametrize(("fault", "make", "arguments", "said"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_cannot_be_done_is_one_sentence_before_the_search(home, capsys, fault, make, arguments, said):
    if make:
        make(home)
    before = all_files(home)
    assert main(["transfer", *arguments]) == 2
    assert said in last_line(capsys)
    assert before == all_files(home)


@pytest.mark.parametrize("kind", [errno.ENOSPC, errno.EACCES, errno.EROFS], ids=errno.errorcode.get)
@pytest.mark.parametrize("call", ["mkdir", "mkstemp"])
def test_a_place_that_cannot_be_written_is_one_sentence(home, capsys, monkeypatch, kind, call):
    def fails(*_, **__):
        raise OSError(kind, os.strerror(kind))

    owner = place.Path if call == "mkdir" else place.tempfile
    monkeypatch.setattr(owner, call, fails)
    before = all_files(home)
    assert main(["transfer", "mine"]) == 2
    assert f"cannot be written ({os.strerror(kind)})" in last_line(capsys)
    assert before == all_files(home)


def saved_model(home):
    saved = Saved(CourseCNN(1, 2).eval(), Recipe(("sick", "well"), 0, 1.0, 0.5), 16, 1, (16, 16, 16), "")
    (home / "model.pt").write_bytes(saved_bytes(saved))


def damaged_model(home):
    saved_model(home)
    content = torch.load(home / "model.pt", weights_only=True)
    torch.save(content | {"state": {}}, home / "model.pt")


def cut_model(home):
    saved_model(home)
    (home / "model.pt").write_bytes((home / "model.pt").read_bytes()[:2000])


class Program:
    def __reduce__(self):
        return (os.mkdir, ("the file ran a program",))


PREDICT = [
    ("no such model", None, ["model.pt", "mine"], "model.pt cannot be read (No such file or directory)"),
    ("a text in place of a model", None, ["thesis/chapter.txt", "mine"], "is no model that the transfer command saved"),
    ("a model cut short", cut_model, ["model.pt", "mine"], "is no model that the transfer command saved"),
    ("a model without its weights", damaged_model, ["model.pt", "mine"], "model.pt is damaged"),
    (
        "a model file that would run a program",
        lambda home: torch.save(Program(), home / "model.pt"),
        ["model.pt", "mine"],
        "is no model that the transfer command saved",
    ),
    ("no such folder", saved_model, ["model.pt", "nowhere"], "nowhere is no folder"),
    ("a folder without an image", saved_model, ["model.pt", "thesis"], "thesis holds no images"),
    (
        "no image can be used",
        lambda home: (saved_model(home), empty_all(home)),
        ["model.pt", "mine"],
        "None of the 48 image files in mine can be used",
    ),
    (
        "--out that is there already",
        saved_model,
        ["model.pt", "mine", "--out", "thesis/chapter.txt"],
        "is there already, and nothing is overwritten",
    ),
    (
        "--out in a folder that is not there",
        saved_model,
        ["model.pt", "mine", "--out", "nowhere/a.csv"],
        "nowhere is no folder: make it",
    ),
]


@pytest.mark.parametrize(("fault", "make", "arguments", "said"), PREDICT, ids=[row[0] for row in PREDICT])
def test_predict_says_in_one_sentence_why_there_are_no_answers(home, capsys, fault, make, arguments, said):
    if make:
        make(home)
    before = all_files(home)
    assert main(["predict", *arguments]) == 2
    assert said in last_line(capsys)
    assert before == all_files(home) and not (home / "the file ran a program").exists()


CARDS = [
    ("a list", ["task"], "give a dict of sentences"),
    ("a fact of another name", {"tasks": "x"}, "There is no fact called 'tasks'"),
    ("a fact that is a number", {"task": 3}, "The fact 'task' is 3"),
]


@pytest.mark.parametrize("call", [model_card, reporting_items])
@pytest.mark.parametrize(("fault", "facts", "said"), CARDS, ids=[row[0] for row in CARDS])
def test_facts_of_a_model_card_are_refused(call, fault, facts, said):
    with pytest.raises(ValueError) as told:
        call(facts)
    assert said in one_sentence(told.value)


TABLE = [Row(f"transfer: {fault}", said, "the images and whatever lies in --out") for fault, _, _, said in REFUSED]
TABLE += [
    Row(
        "transfer: the disk is full, or --out may not be written", "cannot be written (No space left on device)", "all"
    ),
    Row("transfer: Ctrl-C while files are looked at", "Stopped by Ctrl-C: nothing is lost", "all"),
    Row("transfer: Ctrl-C in the search", "The search ended early: Ctrl-C", "what was found, in the report"),
]
TABLE += [Row(f"predict: {fault}", said, "all files; no program runs") for fault, _, _, said in PREDICT]
TABLE += [Row(f"model card: {fault}", said, "—") for fault, _, said in CARDS]
