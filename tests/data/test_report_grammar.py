"""Drawn reports: labels are right by construction, each clause is sound, what is held out is drawn nowhere else."""

import re

import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.data import report_grammar as grammar

BOTH = grammar.HOSPITALS
ASKED = re.compile(r"\[\[(.+?)\]\]")


def test_a_draw_is_texts_with_one_finding_in_brackets_and_their_answers():
    texts, y = mtl.draw_reports(500, share=0.3, seed=4)
    assert y.dtype == torch.int64 and y.sum() == 150 and len(texts) == 500
    assert all(len(ASKED.findall(text)) == 1 and text.count("[[") == 1 and "<" not in text for text in texts)
    assert not any(mark in text for text in texts for mark in "{}<>\n\t")


def test_a_seed_gives_the_same_reports_and_another_seed_others():
    first, again, other = (mtl.draw_reports(200, seed=seed)[0] for seed in (1, 1, 2))
    assert first == again and len(set(first) & set(other)) < 10


@pytest.mark.parametrize(
    "wrong", [{"n": 0}, {"seed": -1}, {"hospital": "C"}, {"question": "now"}, {"share": 1.1}, {"share": float("nan")}]
)
def test_other_settings_are_refused_in_one_sentence(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        mtl.draw_reports(**{"n": 5} | wrong)
