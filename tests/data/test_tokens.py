"""The embedded vocabulary: learnt as its script says, from drawn sentences alone."""

import runpy
from pathlib import Path

import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.data.tokens import report_pieces

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_embedded_vocabulary_is_what_its_script_learns():
    """It was learnt once, and the grammar has grown a little since: the network that reads it must not be made anew."""
    learn = runpy.run_path(str(ROOT / "benchmarks" / "report_pieces.py"))["learn"]
    kept, again = set(report_pieces().pieces), set(learn().pieces)
    assert len(report_pieces()) == len(again) == 1000 and len(kept & again) > 700


def test_tokens_and_texts_use_it():
    x = mtl.tokens(["There is no evidence of [[pneumonia]] or effusion.", "Fever since Monday."])
    assert x.dtype == torch.int32 and x.shape == (2, 48) and x[0, 24] == 4 and x[1, 0] == 3
    assert mtl.texts(x) == ["there is no evidence of [finding] or effusion.", "fever since monday."]
