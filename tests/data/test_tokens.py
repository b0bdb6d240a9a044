"""The embedded vocabulary: learnt as its script says, from drawn sentences alone."""

import runpy
from pathlib import Path

import torch

import medtl_helpers as mtl
from medtl_helpers.data.tokens import report_pieces

ROOT = Path(__file__).resolve().parents[2]


def test_the_embedded_vocabulary_is_what_its_script_learns():
    learn = runpy.run_path(str(ROOT / "benchmarks" / "report_pieces.py"))["learn"]
    assert learn().pieces == report_pieces().pieces and len(report_pieces()) == 1000


def test_tokens_and_texts_use_it():
    x = mtl.tokens(["There is no evidence of [[pneumonia]] or effusion.", "Fever since Monday."])
    assert x.dtype == torch.int32 and x.shape == (2, 48) and x[0, 24] == 4 and x[1, 0] == 3
    assert mtl.texts(x) == ["there is no evidence of [finding] or effusion.", "fever since monday."]


def test_rows_of_one_sentence_are_one_group_whatever_its_numbers():
    rows = ["No fever, 38 C, on day 2.", "no  fever 37 c on day 14", "Fever.", "No fever, 38 C, on day 2."]
    assert mtl.sentence_groups(mtl.tokens(rows)).tolist() == [1, 1, 0, 1]
