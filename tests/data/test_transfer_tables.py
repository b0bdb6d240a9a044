"""The published transferability tables: each number where its file has it, and words without the files."""

import csv
import shutil

import pandas as pd
import pytest

import medtl_helpers as mtl
from medtl_helpers.assets import card, listing
from medtl_helpers.data.transfer_tables import FILES, ORGANS, SCORES, transfer_tables

SIZES = {"source": (12, 15), "architecture": (11, 9)}


@pytest.fixture
def real_folder(real_file):
    return real_file("transferability/AUCs_dataset.csv").parent


@pytest.mark.parametrize("of", FILES)
def test_every_published_number_stands_in_its_row_and_column(of, real_folder):
    """The files are read once more with the csv module alone."""
    frame = transfer_tables(of)
    assert len(frame) == SIZES[of][0] * SIZES[of][1] and not frame.duplicated(["target", of]).any()
    found = frame.set_index(["target", of])
    seen = 0
    for column, file in {"auroc": "AUCs", **SCORES}.items():
        path = real_folder / f"{file}_{FILES[of]}.csv"
        if not path.is_file():  # LP of architectures
            assert found[column].isna().all()
            continue
        with open(path, encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        scale = 100 if (of, column) == ("architecture", "auroc") else 1
        for row in rows:
            for target in set(row) - {"", "source"}:
                name = row["source"] if row["source"] == "medmnist" else row["source"].replace("mnist", "")
                ours = found.loc[(target.replace("mnist", ""), name)]
                theirs = float(row[target]) / scale if row[target] else float("nan")
                assert ours[column] == pytest.approx(theirs, nan_ok=True)
                seen += row[target] != ""
    assert seen == frame.drop(columns=["target", of, "group"]).notna().sum().sum()


def test_no_set_is_its_own_source_and_the_organs_are_one_group(real_folder):
    frame = transfer_tables()
    own = frame["target"] == frame["source"]
    assert own.sum() == 12 and frame["auroc"].isna().equals(own)
    assert frame["auroc"].dropna().between(0.5, 1).all()
    groups = frame.drop_duplicates("target").set_index("target")["group"]
    assert set(groups[list(ORGANS)]) == {"organ"} and groups.nunique() == 10
    assert (groups.drop(list(ORGANS)) == groups.drop(list(ORGANS)).index).all()


def test_the_two_tables_share_the_network_that_stands_in_both(real_folder):
    """ResNet-18 from ImageNet is a row of both: the same AUROCs, once as shares and once in per cent."""
    sources = transfer_tables().query("source == 'imagenet' and target != 'chest'").set_index("target")["auroc"]
    networks = transfer_tables("architecture").query("architecture == 'resnet'").set_index("target")["auroc"]
    pd.testing.assert_series_equal(sources, networks, check_exact=False, rtol=1e-9)


@pytest.mark.parametrize("there", ["twin", "none", "one missing", "one damaged"])
def test_without_the_files_one_sentence_says_how_to_get_them(there, tmp_path, monkeypatch, request):
    why = {"twin": "MEDTL_DATA=twin", "none": "not fetched yet", "one missing": "1 of 17 files are missing"}
    if there.startswith("one"):
        shutil.copytree(request.getfixturevalue("real_folder"), tmp_path / "transferability")
        broken = tmp_path / "transferability" / "lp_dataset.csv"
        broken.unlink() if there == "one missing" else broken.write_text("a,b\n")
    monkeypatch.setenv("MEDTL_DATA", "twin" if there == "twin" else str(tmp_path))
    with pytest.raises(FileNotFoundError, match="make data ONLY=transferability") as info:
        transfer_tables()
    assert why.get(there, "has the wrong checksum") in str(info.value)


def test_they_are_no_data_to_train_on():
    with pytest.raises(ValueError, match="holds published results, and nothing to train on: use transfer_tables"):
        mtl.load("transferability")


def test_the_card_lists_what_is_read():
    names = {f"{file}_{FILES[of]}.csv" for of in FILES for file in ["AUCs", *SCORES.values()]} - {"lp_model.csv"}
    assert set(listing(card("transferability"))) == {f"transferability/{name}" for name in names}
