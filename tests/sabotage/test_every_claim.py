"""Every claim of the course stands in the tables of this folder."""

import importlib

import nbformat
import pytest
from replay import NOTEBOOKS

LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_claim_has_a_row_that_breaks_it(path):
    rows = importlib.import_module(f"test_sabotage_{path.stem.partition('_')[0]}").ROWS
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and "mtl.check(" in cell.source:
            known = {row.claim for row in rows if row.claim in cell.source}
            assert len(known) >= cell.source.count("mtl.check("), f"add a sabotage for: {cell.source[:80]}"
