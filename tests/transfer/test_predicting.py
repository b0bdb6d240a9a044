"""The answers to a folder: one row for each file, the same numbers as by hand, and nothing overwritten."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_images import pixels, write_image

from medtl_helpers.data.folders import load_folder
from medtl_helpers.methods.nets import CourseCNN
from medtl_helpers.methods.predict import predict
from medtl_helpers.transfer import predicting
from medtl_helpers.transfer.judging import Recipe
from medtl_helpers.transfer.predicting import predict_folder
from medtl_helpers.transfer.saved import Saved, load_saved, saved_bytes


@pytest.fixture
def model_file(tmp_path):
    torch.manual_seed(0)
    saved = Saved(
        CourseCNN(1, 2).eval(), Recipe(("sick", "well"), 0, 1.5, 0.5), 16, 1, (16, 16, 20), "It tells sick from well."
    )
    (tmp_path / "model.pt").write_bytes(saved_bytes(saved))
    return tmp_path / "model.pt"


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_each_file_has_its_row_and_the_numbers_are_those_of_the_network(model_file, make_folder, tmp_path, capsys):
    folder = make_folder(patients=8)
    predict_folder(model_file, folder, tmp_path / "answers.csv")
    rows = {row["file"]: row for row in rows_of(tmp_path / "answers.csv")}
    task = load_folder(folder, size=16)
    torch.manual_seed(0)
    model = CourseCNN(1, 2).eval()
    assert len(rows) == 32
    for split in ("train", "val", "test"):
        raw = predict(model, getattr(task, split).x).numpy() ** (1 / 1.5)
        for file, p in zip(task.files[split], raw / raw.sum(1, keepdims=True), strict=True):
            assert float(rows[file]["probability of sick"]) == pytest.approx(p[0], abs=1e-5)
            assert rows[file]["answer"] == ("sick" if p[0] >= 0.5 else "well")
    assert "not for diagnosis" in capsys.readouterr().out


def test_what_cannot_be_read_is_named_and_keeps_its_row(model_file, tmp_path, capsys):
    rng = np.random.default_rng(0)
    write_image(tmp_path / "flat" / "b.png", pixels(0, rng))
    (tmp_path / "flat" / "a.png").write_bytes(b"")
    (tmp_path / "flat" / "notes.txt").write_text("x")
    predict_folder(model_file, tmp_path / "flat", tmp_path / "answers.csv")
    empty, good = rows_of(tmp_path / "answers.csv")
    assert empty["file"] == "a.png" and empty["answer"] == "" and "empty" in empty["note"]
    assert good["answer"] in ("sick", "well") and good["note"] == ""
    told = capsys.readouterr().out
    assert "a.png is empty" in told and "1 of them without an answer" in told and "1 other or hidden" in told


def test_images_that_differ_from_the_recipe_are_told(model_file, tmp_path, capsys):
    rng = np.random.default_rng(0)
    for k in range(3):
        write_image(tmp_path / "other" / f"{k}.png", rng.integers(0, 256, (12, 12, 3), dtype=np.uint8))
    write_image(tmp_path / "other" / "large.png", pixels(0, rng, 40))
    predict_folder(model_file, tmp_path / "other", tmp_path / "answers.csv")
    told = capsys.readouterr().out
    assert "3 of 4 images are in colour" in told and "3 of 4 images have a side below 16 px" in told
    assert "4 of 4 images have a shorter side outside 16 to 20 px" in told


def test_an_unusual_image_gets_its_answer_and_a_note(model_file, tmp_path, capsys):
    rng = np.random.default_rng(0)
    saved = load_saved(model_file)
    model_file.write_bytes(saved_bytes(replace(saved, light=(60.0, 100.0, 30.0, 40.0))))
    grey = rng.integers(30, 131, (16, 16))
    pictures = {
        "black": (grey * 0, "nearly constant picture; darker than any training image; less contrast than any"),
        "colour": (rng.integers(30, 131, (16, 16, 3)), "made grey"),
        "dark": (grey * 0.6, "darker than any training image"),
        "bright": (grey + 30, "brighter than any training image"),
        "noise": (rng.integers(0, 2, (16, 16)) * 160, "more contrast than any training image"),
        "small": (rng.integers(30, 131, (8, 8)), "side 8 px, enlarged"),
        "usual": (grey, ""),
        "wide": (rng.integers(30, 131, (20, 200)), "aspect ratio 10:1, squeezed to a square"),
    }
    for name, (picture, _) in pictures.items():
        write_image(tmp_path / "odd" / f"{name}.png", picture.astype(np.uint8))
    predict_folder(model_file, tmp_path / "odd", tmp_path / "answers.csv")
    rows = {row["file"].removesuffix(".png"): row for row in rows_of(tmp_path / "answers.csv")}
    assert all(rows[name]["answer"] for name in pictures) and rows["usual"]["note"] == ""
    for name, (_, wanted) in pictures.items():
        assert wanted in rows[name]["note"], (name, rows[name]["note"])
    told = capsys.readouterr().out
    assert "The answer is sick from the probability 0.500 on." in told and "unusual in 7 of 8 images" in told


def test_many_images_are_answered_in_parts(model_file, make_folder, tmp_path, monkeypatch):
    folder = make_folder(patients=5)
    predict_folder(model_file, folder, tmp_path / "whole.csv")
    monkeypatch.setattr(predicting, "AT_ONCE", 3)
    predict_folder(model_file, folder, tmp_path / "parts.csv")
    whole, parts = rows_of(tmp_path / "whole.csv"), rows_of(tmp_path / "parts.csv")
    assert [row["answer"] for row in whole] == [row["answer"] for row in parts] and len(whole) == 20
