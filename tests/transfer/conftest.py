"""Folders as readers bring them, small, and a search that trains nothing."""

import pytest
from fake_search import fake_search
from small_images import class_folders

from medtl_helpers import provenance
from medtl_helpers.transfer import command


@pytest.fixture(autouse=True)
def forget_sources(monkeypatch):
    """What is loaded here is not what other tests are about."""
    monkeypatch.setattr(provenance, "_sources", {})


@pytest.fixture
def make_folder(tmp_path):
    """``make_folder(name, **options)``: ``class_folders`` in the folder of the test."""
    return lambda name="mine", **options: class_folders(tmp_path / name, **options)


@pytest.fixture
def without_search(monkeypatch):
    monkeypatch.setattr(command, "auto_transfer", fake_search)
