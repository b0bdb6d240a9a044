"""Tables as notebooks see them: the file with its marks for missing, and the twin that stands in for it."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

from medtl_helpers.assets import card
from medtl_helpers.data.catalogue import load
from medtl_helpers.data.tables import heart_twin

SITES = list(card("heart")["sites"])


def test_breast_cancer_is_scikit_learns_with_malignant_as_the_positive_class():
    task, theirs = load("breast_cancer", quiet=True), load_breast_cancer(as_frame=True)
    assert (task.provenance, task.classes[task.positive]) == ("real", "malignant")
    assert theirs.target_names[task.positive] == "malignant"
    x, y = task.all_rows
    ours = x.assign(y=y).sort_values(list(x.columns)).to_numpy()
    np.testing.assert_array_equal(ours, theirs.data.assign(y=theirs.target).sort_values(list(x.columns)).to_numpy())


def check_heart(task, site):
    x, y = task.all_rows
    assert task.name == f"heart:{site}" and task.classes[task.positive] == "disease"
    assert list(x.columns) == card("heart")["columns"] and (x.dtypes == "float64").all()
    assert y.dtype == np.int64 and len(x) == len(y) == card("heart")["sites"][site] and set(y) == {0, 1}
    assert not (x[["chol", "trestbps"]] == 0).any(axis=None)


@pytest.mark.parametrize("site", SITES)
def test_the_heart_twin_has_the_cards_columns_rows_and_no_zero_that_means_missing(site):
    task = load("heart", site=site, quiet=True)
    check_heart(task, site)
    assert task.provenance == "twin" and task.note == "for real data: make data ONLY=heart (MEDTL_DATA=twin)"


@pytest.mark.parametrize("site", SITES)
def test_the_real_heart_table_is_the_file_with_its_marks_for_missing(real, real_file, site):
    """Against the file, read line by line."""
    task = real("heart", site, site=site, quiet=True)
    check_heart(task, site)
    columns = card("heart")["columns"]
    rows = [line.split(",") for line in real_file(card("heart")["files"][site]["path"]).read_text().split()]

    def is_missing(column, value):
        return value == "?" or (column in ("chol", "trestbps") and float(value) == 0)

    x, y = task.all_rows
    assert sum(row[13] != "0" for row in rows) == y.sum()
    for i, column in enumerate(columns):
        assert x[column].isna().sum() == sum(is_missing(column, row[i]) for row in rows), column
        there = [float(row[i]) for row in rows if not is_missing(column, row[i])]
        assert sorted(x[column].dropna()) == sorted(there), column
    assert task.provenance == "real"
    if site == "switzerland":
        assert x["chol"].isna().all() and (y == 0).sum() == 8


# --- the twin itself -------------------------------------------------------------------------------------------------


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
