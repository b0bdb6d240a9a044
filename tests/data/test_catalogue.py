"""``load``: one line that says what was loaded, one note for the report, and one sentence for what cannot be."""

import pytest

from medtl_helpers import provenance
from medtl_helpers.data.catalogue import load


def test_the_line_says_twin_how_many_and_how_to_get_the_real_one(capsys):
    load("breast")
    line = capsys.readouterr().out
    assert line == (
        "breast: TWIN (drawn by code); train/val/test 546/78/156; "
        "for real data: make data ONLY=breast (MEDTL_DATA=twin)\n"
    )
    load("breast", quiet=True)
    assert capsys.readouterr().out == ""


def test_loading_is_remembered_for_the_report():
    load("breast", quiet=True)
    load("heart", site="va", quiet=True)
    load("breast_cancer", quiet=True)
    assert provenance._sources == {"breast": "twin", "heart:va": "twin", "breast_cancer": "real"}


def test_the_real_line_says_real(real, capsys):
    real("breast")
    first, second = capsys.readouterr().out.splitlines()
    assert first == "breast: real data; train/val/test 546/78/156"
    for told in (
        "same picture",
        "39 of 156 test images also in train",
        "22 of 78 val images",
        "5 pairs with two classes",
    ):
        assert told in second


def test_duplicates_are_counted_in_the_pixels_that_were_published(real, capsys):
    at_28, at_64 = (real("breast", size=size) and capsys.readouterr().out.splitlines()[1] for size in (28, 64))
    assert at_28 == at_64


@pytest.mark.parametrize(
    "name, options, sentence",
    [
        ("pneumona", {}, "no data set called 'pneumona'; known are"),
        ("chest", {}, "several labels per image"),
        ("breast", {"size": 32}, "BreastMNIST has no size 32: choose one of 28, 64, 128, 224"),
        ("heart", {"site": "zurich"}, "no site 'zurich': choose one of cleveland, hungary, switzerland, va"),
        ("vgg16", {}, "vgg16 is a set of weights, not of data: use load_backbone"),
        ("resnet18", {"size": 64}, "resnet18 is a set of weights, not of data: use load_backbone"),
        ("path", {"size": 224}, "PathMNIST at 224 px needs 16.1 GB of memory, and this course stops at 2 GB"),
    ],
)
def test_what_cannot_be_loaded_is_refused_in_a_sentence(name, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        load(name, **options)


def test_a_data_folder_that_is_none_is_named_by_load(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDTL_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match="nowhere, which is no folder: correct it, or unset MEDTL_DATA"):
        load("breast")
