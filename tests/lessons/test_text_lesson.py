"""The figures of lesson 10 draw what they say, its exercises have their right answers, and its rule is one rule."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.lessons.text import answers, experiment, figures
from medtl_helpers.teaching import plots

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "10_medical_text.ipynb"


@pytest.fixture
def alts(monkeypatch):
    """The figures and alt texts that were shown; nothing is displayed."""
    told = []
    for module in (figures, plots):
        monkeypatch.setattr(module, "show", lambda figure, alt, **where: told.append((figure, alt, where)))
    yield told
    for figure, _, _ in told:
        figures.plt.close(figure)


def cell_with(text: str) -> str:
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    (source,) = [
        "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code" and text in "".join(cell["source"])
    ]
    return source


def test_the_notebook_shows_the_rule_of_the_record():
    """The same answers as the rule of the record, on drawn sentences of both hospitals."""
    names = {"re": re} | {name: getattr(experiment, name) for name in ("BEFORE", "AFTER", "PSEUDO", "ENDS")}
    exec(cell_with("def negated(text)").split("\n\n\n")[0], names)
    for hospital in "AB":
        drawn, _ = mtl.draw_reports(300, hospital=hospital, seed=3)
        decoded = mtl.texts(mtl.tokens(drawn))
        said = [names["negated"](text) for text in decoded]
        assert said == [experiment.negation_rule(text) for text in decoded] and 20 < sum(said) < 280


@pytest.mark.parametrize(
    "text, negated",
    [
        ("no evidence of [finding].", True),
        ("the patient denies fever, chills or [finding].", True),
        ("no fever, but [finding] is seen.", False),
        ("there was no increase in [finding].", False),
        ("[finding] was ruled out.", True),
        ("[finding] has been stable for a year.", False),
    ],
)
def test_the_rule_reads_sentences_of_the_textbook(text, negated):
    assert experiment.negation_rule(text) is negated


# --- figures ---------------------------------------------------------------------------------------------------------


def test_drawn_sentences_stand_around_their_finding_and_are_told_in_full(alts):
    sentences = ["No evidence of [[effusion]] today.", "x" * 90 + " [[cough]] " + "y" * 90]
    figures.show_reports(sentences, torch.tensor([1, 0]))
    figure, alt, where = alts[0]
    words = [text.get_text() for text in figure.axes[0].texts]
    assert words[:3] == ["No evidence of ", "effusion", " today."] and words[3][0] == "…" and words[5][-1] == "…"
    assert "negated: No evidence of effusion today." in alt and "affirmed: xxx" in alt and "twin" in where["provenance"]


def test_each_draw_is_a_dot_and_the_range_is_told(alts):
    figures.show_seeds({"a": [0.5, 0.7], "b": [0.6, 0.65]}, {"rule": 0.9})
    assert "a from 0.50 to 0.70; b from 0.60 to 0.65; rule, without a label, 0.90" in alts[0][1]
    assert [len(line.get_xdata()) for line in alts[0][0].axes[0].lines] == [2, 2, 2]


def test_attention_is_told_by_the_word_that_gets_most(alts):
    x = mtl.tokens(["no [[effusion]] is seen"])
    look = torch.zeros(x.shape)
    look[0, 23], look[0, 24] = 0.8, 0.2
    figures.show_attention(x, [look, look.roll(1, 1)])
    assert "no [finding] is seen (in block 1 most to no, in block 2 most to [finding])" in alts[0][1]


def test_what_is_found_of_each_class_is_told(alts):
    truth = np.array([0, 0, 0, 0, 1, 1])
    figures.show_found({"way": np.array([0, 0, 0, 1, 1, 0])}, truth, ("affirmed", "negated"))
    assert "way 0.75 of affirmed and 0.50 of negated" in alts[0][1]


def test_the_share_of_a_rank_is_that_of_its_singular_values(alts):
    u, _ = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(0)))
    change = (u * torch.tensor([3.0, 2, 1, 0, 0, 0])) @ u.T
    assert figures.share_of_rank(change) == pytest.approx([9 / 14, 13 / 14, 1, 1, 1, 1], abs=1e-6)
    figures.show_rank(change, 2)
    assert "rank 2, which holds 93% of the squared change with 24 of 36 numbers" in alts[0][1]
    left = alts[0][0].axes[2].images[0].get_array()
    assert np.square(left).sum() == pytest.approx(1, abs=1e-5)
    figures.show_ranks({"one": change})
    assert "Rank 4 holds of one 100%" in alts[1][1]


def test_ways_beside_each_other_are_told(alts):
    figures.show_values({"scratch": 0.512, "rule (no label)": 0.9}, "balanced accuracy", line=0.5)
    assert alts[0][1] == "balanced accuracy: scratch 0.51; rule (no label) 0.90."


# --- exercises -------------------------------------------------------------------------------------------------------


def test_the_exercises_have_the_answers_of_their_definitions():
    whole, low = torch.nn.Linear(768, 768, bias=False), torch.nn.Module()
    low.A, low.B = torch.nn.Linear(768, 8, bias=False), torch.nn.Linear(8, 768, bias=False)
    share = sum(p.numel() for p in low.parameters()) / whole.weight.numel()
    assert answers.EXERCISES["10.1"]().right == pytest.approx(share)
    exercise = answers.EXERCISES["10.3"]()
    q, k, v = (torch.randn(5, 4, generator=torch.Generator().manual_seed(s)) for s in range(3))
    theirs = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    assert exercise.right(q, k, v).numpy() == pytest.approx(theirs.numpy(), abs=1e-6)
