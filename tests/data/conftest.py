"""Twins unless real data are asked for, which is what most tests of data want."""

import pytest

from medtl_helpers import provenance
from medtl_helpers.assets import card
from medtl_helpers.data.catalogue import load


@pytest.fixture(autouse=True)
def twins_unless_asked(monkeypatch):
    """Twins by default, and what is loaded here is not what other tests are about."""
    monkeypatch.setenv("MEDTL_DATA", "twin")
    monkeypatch.setattr(provenance, "_sources", {})


@pytest.fixture
def real(real_file):
    """``load`` of the real data, or a skip that says why."""

    def load_real(name, key="28", **options):
        real_file(card(name)["files"][key]["path"])
        return load(name, **options)

    return load_real
