"""For all unit tests: where the real data are, for the few tests that read them."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _real_folder() -> Path | None:
    """MEDTL_DATA, as it was when the tests began, or ../shared/data; None without."""
    asked = os.environ.get("MEDTL_DATA", "")
    if asked == "twin":
        return None
    found = [f for f in ((Path(asked), ROOT / asked) if asked else [ROOT / "../shared/data"]) if f.is_dir()]
    return found[0].resolve() if found else None


REAL = _real_folder()


@pytest.fixture
def real_file(monkeypatch):
    """``real_file("heart_disease/processed.va.data")``: its path, with MEDTL_DATA set to its folder; or a skip."""

    def find(path: str) -> Path:
        if REAL is None or not (REAL / path).is_file():
            pytest.skip(f"no real {path} here: set MEDTL_DATA to a folder that has it")
        monkeypatch.setenv("MEDTL_DATA", str(REAL))
        return REAL / path

    return find
