"""The command from end to end on small folders: four files, the same again, and what it chose is what it says."""

import csv
import json

import numpy as np
import pytest
import torch
from small_images import pixels, write_image

from medtl_helpers.__main__ import main
from medtl_helpers.console import say
from medtl_helpers.data.folders import load_folder
from medtl_helpers.methods import auto_transfer as searching
from medtl_helpers.transfer import command
from medtl_helpers.transfer.saved import load_saved

FILES = {"run.json", "search.jsonl", "report.html", "report.json", "test_answers.csv", "model.pt"}


def transfer(folder, out, *more):
    return main(["transfer", str(folder), "--out", str(out), "--size", "16", "--minutes", "0.1", *more])


def test_it_writes_a_report_a_json_the_test_answers_and_the_model(make_folder, without_search, tmp_path, capsys):
    assert transfer(make_folder(), tmp_path / "report", "--patients", r"^(P\d+)_", "--positive", "sick") == 0
    assert {path.name for path in (tmp_path / "report").iterdir()} == FILES
    content = json.loads((tmp_path / "report" / "report.json").read_text())
    assert content["positive"] == "sick" and len(content["files"]) == 48
    assert all(len(one["sha256"]) == 64 for one in content["files"])
    with open(tmp_path / "report" / "test_answers.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == content["splits"]["test"]
    assert [row["class"] == row["file"].split("/")[0] for row in rows] and rows[0]["patient"].startswith("P")
    saved = load_saved(tmp_path / "report" / "model.pt")
    assert (saved.size, saved.channels, saved.recipe.classes, saved.recipe.positive) == (16, 1, ("sick", "well"), 0)
    right = np.mean([row["class"] == row["answer"] for row in rows])
    confusion = np.array(content["test"]["confusion"])
    assert right == pytest.approx(confusion.trace() / confusion.sum())
    assert "not for diagnosis" in capsys.readouterr().out


def test_predict_gives_the_test_images_the_answers_of_the_report(make_folder, without_search, tmp_path):
    folder = make_folder()
    assert transfer(folder, tmp_path / "report") == 0
    model, out = tmp_path / "report" / "model.pt", tmp_path / "answers.csv"
    assert main(["predict", str(model), str(folder), "--out", str(out)]) == 0
    with open(tmp_path / "report" / "test_answers.csv", newline="") as file:
        told = {row["file"]: row for row in csv.DictReader(file)}
    with open(out, newline="") as file:
        answers = {row["file"]: row for row in csv.DictReader(file)}
    for name, row in told.items():
        assert answers[name]["answer"] == row["answer"]
        assert float(answers[name]["probability of well"]) == pytest.approx(float(row["probability of well"]), abs=1e-4)


def test_the_same_command_gives_the_same_report_and_another_seed_is_refused(make_folder, without_search, tmp_path):
    folder = make_folder()
    assert transfer(folder, tmp_path / "report") == 0
    first = {name: (tmp_path / "report" / name).read_bytes() for name in FILES - {"model.pt"}}
    assert transfer(folder, tmp_path / "report") == 0
    assert first == {name: (tmp_path / "report" / name).read_bytes() for name in FILES - {"model.pt"}}
    assert transfer(folder, tmp_path / "report", "--seed", "1") == 2
    (folder / "sick" / "P000_0.png").write_bytes((folder / "sick" / "P001_0.png").read_bytes())
    assert transfer(folder, tmp_path / "report") == 2  # other images
    assert first == {name: (tmp_path / "report" / name).read_bytes() for name in FILES - {"model.pt"}}


def test_a_second_hospital_is_told_and_chooses_nothing(make_folder, without_search, tmp_path):
    home, away = make_folder("home"), make_folder("away", seed=1)
    assert transfer(home, tmp_path / "alone") == 0
    assert transfer(home, tmp_path / "both", "--target", str(away)) == 0
    alone, both = (json.loads((tmp_path / out / "report.json").read_text()) for out in ("alone", "both"))
    assert both["second hospital"]["test"] and alone["second hospital"] is None
    assert alone["recipe"] == both["recipe"] and alone["test"] == both["test"]


def test_three_classes_need_no_positive_one(make_folder, without_search, tmp_path):
    assert transfer(make_folder(classes=("a", "b", "c"), patients=10), tmp_path / "report") == 0
    content = json.loads((tmp_path / "report" / "report.json").read_text())
    assert content["positive"] is None and not content["test"]["operating points by prevalence"]
    assert "Saying yes from a threshold on" not in (tmp_path / "report" / "report.html").read_text()


def test_test_images_are_looked_at_after_everything_was_chosen(make_folder, monkeypatch, tmp_path):
    """With all test labels turned round, the same way, temperature and threshold are chosen."""
    from fake_search import fake_search

    folder, found = make_folder(), []

    def turned(task, *args, **options):
        turned_round = task.test._replace(y=1 - task.test.y)
        object.__setattr__(task, "test", turned_round)
        return fake_search(task, *args, **options)

    for search in (fake_search, turned):
        monkeypatch.setattr(command, "auto_transfer", search)
        assert transfer(folder, tmp_path / search.__name__) == 0
        found.append(json.loads((tmp_path / search.__name__ / "report.json").read_text()))
    assert found[0]["recipe"] == found[1]["recipe"] and found[0]["test"] != found[1]["test"]


def test_ctrl_c_before_anything_is_one_sentence(make_folder, monkeypatch, tmp_path, capsys):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "prepare", stop)
    assert transfer(make_folder(), tmp_path / "report") == 130
    assert "Stopped by Ctrl-C" in capsys.readouterr().out and not (tmp_path / "report").exists()


@pytest.mark.slow
def test_the_real_search_ends_by_ctrl_c_with_a_report_and_then_goes_on(make_folder, monkeypatch, tmp_path, capsys):
    """Ctrl-C after the second training: the report is of what was found, and the next call searches to the end."""
    monkeypatch.setattr("medtl_helpers.methods.trials.clock", lambda: 0.0)  # no time goes by on a busy machine
    real, after = searching.auto_transfer, {"left": 2}

    def search(*args, **options):
        return real(*args, **options, sources=())

    from medtl_helpers.methods.trials import Trials

    run = Trials.run

    def interrupted(self, *args):
        if after["left"] == 0:
            raise KeyboardInterrupt
        after["left"] -= 1
        return run(self, *args)

    monkeypatch.setattr(command, "auto_transfer", search)
    monkeypatch.setattr(Trials, "run", interrupted)
    folder = make_folder(patients=20)
    assert transfer(folder, tmp_path / "report") == 0
    assert "Ctrl-C" in json.loads((tmp_path / "report" / "report.json").read_text())["search"]["stopped"]
    after["left"] = 10**6
    assert transfer(folder, tmp_path / "report") == 0
    content = json.loads((tmp_path / "report" / "report.json").read_text())
    assert content["search"]["stopped"] == "search complete"
    torch.manual_seed(5)  # whatever the state of the generator
    assert transfer(folder, tmp_path / "fresh") == 0
    fresh = json.loads((tmp_path / "fresh" / "report.json").read_text())
    assert fresh["search"] == content["search"] and fresh["test"] == content["test"]


def test_the_command_line_is_told_its_options_and_no_python(make_folder, without_search, tmp_path, capsys):
    folder = make_folder()
    (folder / "well" / "P150_0.png").write_bytes((folder / "well" / "P100_0.png").read_bytes())
    assert transfer(folder, tmp_path / "report") == 0
    told = capsys.readouterr().out
    assert "say with --patients whose image" in told and "if it is not: --positive 'sick'." in told
    assert "the same picture stands twice" in told and "task." not in told
    assert "patients=" not in told and "positive=" not in told
    assert command.in_options("name a folder with stream='…', or") == "name a folder by TMPDIR=…, or"
    say("say with patients=… whose")  # outside of the command, Python is spoken again
    assert capsys.readouterr().out == "say with patients=… whose\n"


def test_the_model_knows_the_light_of_its_training_images(make_folder, without_search, tmp_path):
    folder = make_folder()
    assert transfer(folder, tmp_path / "report") == 0
    task = load_folder(folder, size=16)
    mean = task.train.x.numpy().mean((1, 2, 3))
    assert load_saved(tmp_path / "report" / "model.pt").light[:2] == pytest.approx((mean.min(), mean.max()))


def test_the_line_that_repeats_the_run_is_the_one_that_was_given(tmp_path):
    settings = {"minutes": 10.0, "positive": None, "patients": r"^(P\d+)_", "seed": 0, "size": None, "target": "b c"}
    line = command.as_command("my images", tmp_path / "r", settings)
    assert line == (
        f"python -m medtl_helpers transfer 'my images' --target 'b c' --minutes 10 --out {tmp_path / 'r'} "
        r"--patients '^(P\d+)_' --seed 0"
    )


def test_dicom_is_taken_like_any_picture_and_no_name_leaves_it(without_search, tmp_path):
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    rng = np.random.default_rng(0)
    for k, label in enumerate(("sick", "well")):
        for n in range(12):
            ds = Dataset()
            ds.file_meta = FileMetaDataset()
            ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
            ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = "1.2.3"
            ds.PatientName = "SECRET^NAME"
            ds.Rows = ds.Columns = 16
            ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
            ds.BitsAllocated = ds.BitsStored = 8
            ds.HighBit, ds.PixelRepresentation = 7, 0
            ds.PixelData = pixels(k, rng).tobytes()
            path = tmp_path / "mine" / label / f"{n}.dcm"
            path.parent.mkdir(parents=True, exist_ok=True)
            ds.save_as(path, enforce_file_format=True)
    assert transfer(tmp_path / "mine", tmp_path / "report") == 0
    assert all(b"SECRET" not in path.read_bytes() for path in (tmp_path / "report").iterdir())


def test_a_png_beside_is_left_where_it_was(make_folder, without_search, tmp_path):
    folder = make_folder()
    write_image(folder / "loose.png", pixels(0, np.random.default_rng(0)))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert transfer(folder, tmp_path / "report") == 0
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
