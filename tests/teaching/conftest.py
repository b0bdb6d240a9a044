"""A new process, as it were, for each test of teaching."""

import pytest

from medtl_helpers import provenance
from medtl_helpers.teaching import claims


@pytest.fixture(autouse=True)
def a_new_process(monkeypatch):
    """No record yet, twins, and exercises that print."""
    monkeypatch.setattr(claims, "_records", [])
    monkeypatch.setattr(provenance, "_sources", {})
    monkeypatch.setattr(provenance, "_weights", {})
    monkeypatch.setenv("MEDTL_DATA", "twin")
    monkeypatch.delenv("MEDTL_STRICT", raising=False)
