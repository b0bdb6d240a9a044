"""Every claim of the course stands in the tables of this folder."""

import importlib

import nbformat
import pytest
from replay import NOTEBOOKS, changed_claims

LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_claim_has_a_row_that_breaks_it(path):
    rows = importlib.import_module(f"test_sabotage_{path.stem.partition('_')[0]}").ROWS
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and "mtl.check(" in cell.source:
            known = {row.claim for row in rows if row.claim in cell.source}
            assert len(known) >= cell.source.count("mtl.check("), f"add a sabotage for: {cell.source[:80]}"


def test_a_claim_that_says_something_else_the_second_time_is_told():
    """And one that is made once, or thrice; but not one in which only a clock differs."""

    def made(claim: str, passed: bool = True, **figures: float) -> dict:
        return {"claim": claim, "passed": passed, "figures": figures}

    same = [made("the same", auroc=0.9), made("the same", auroc=0.9)]
    timed = [made("timed", seconds=1.0), made("timed", seconds=2.0)]
    assert changed_claims(same + timed) == ""
    for changed in (
        [made("moved", auroc=0.9), made("moved", auroc=0.8)],
        [made("moved"), made("moved", passed=False)],
        [made("moved")],
        3 * [made("moved")],
    ):
        told = changed_claims(same + changed)
        assert "moved" in told and "the same" not in told
