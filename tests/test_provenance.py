"""Where data come from: of one task, of several, of everything loaded so far."""

from dataclasses import dataclass

import pytest

from medtl_helpers import provenance
from medtl_helpers.provenance import note_source, provenance_of


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch):
    monkeypatch.setattr(provenance, "_sources", {})


@dataclass
class Data:
    provenance: str


def test_provenance_is_that_of_the_data_or_of_everything_loaded_so_far():
    assert provenance_of() == "none"
    note_source("breast", "twin")
    assert provenance_of() == "twin"
    note_source("wisconsin", "real")
    assert provenance_of() == "mixed"
    assert provenance_of(Data("twin")) == "twin"
    assert provenance_of([Data("real"), Data("real")]) == "real"
    assert provenance_of((Data("real"), Data("own"))) == "mixed"


def test_loading_a_name_again_replaces_where_it_came_from():
    note_source("breast", "twin")
    note_source("breast", "real")
    assert provenance_of() == "real"
