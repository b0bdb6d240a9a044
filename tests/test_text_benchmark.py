"""The benchmark of lesson 10: its rules and ways, what its tuning chose, and one recorded cell computed again."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.lessons.text import experiment as text

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import text as benchmark

REPORT = mtl.Record("text", stage="report", data="real")
SCRATCH = ("from scratch", "small, from scratch", "from scratch, 4 × as long")


def tuned() -> list[dict]:
    """The rows of the tuning, in the form of the log."""
    return [row for row in REPORT.about["rows"] if row["stage"] == "tuning" and row["data"] == "real"]


# --- the ways --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "negated"),
    [
        ("there is no evidence of [finding] or effusion.", True),
        ("no fever, chills or [finding]", True),
        ("patient denies chest pain but has [finding]", False),  # the scope has ended
        ("no increase in [finding]", False),  # a pseudo-negation
        ("no fever and no increase in [finding]", False),  # which ends the scope of the one before it
        ("not only [finding] but cough", False),
        ("[finding] was ruled out.", True),
        ("[finding] must be ruled out", False),  # possible is not negated
        ("[finding] and four more long words here is ruled out", False),  # more than five words away
        ("he has no fever. [finding] is seen", False),  # another sentence
        ("no cause of [finding]", True),  # "cause of" alone would end the scope
        ("[finding] in no acute distress", False),  # after the finding "no" says nothing of it
    ],
)
def test_the_rule_is_negex(sentence, negated):
    assert text.negation_rule(sentence) is negated


@pytest.mark.parametrize(
    ("sentence", "historical"),
    [
        ("history of [finding]", True),
        ("status post [finding]", True),
        ("status post repair of [finding]", False),  # "status post" reaches one word far
        ("history of cough, now presents with [finding]", False),
        ("three day history of [finding]", False),
    ],
)
def test_the_rule_for_history_is_context(sentence, historical):
    assert text.history_rule(sentence) is historical


def test_few_labels_are_those_of_few_shot_and_a_rare_class_gives_what_it_has():
    y = torch.tensor([1] * 30 + [0] * 200)
    part = mtl.Split(torch.arange(230, dtype=torch.int32).view(-1, 1).expand(-1, 2).contiguous(), y)
    task = mtl.Task("t", part, part, part, ("no", "yes"), 1)
    twenty = text.few_labels(task, 20, 3)
    shot = mtl.few_shot(task, 10, seed=3, val=0).train
    assert torch.equal(twenty.x, shot.x) and torch.equal(twenty.y, shot.y)
    many = text.few_labels(task, 100, 3)
    assert many.y.bincount().tolist() == [70, 30] and len(many.x.unique()) == 100


def test_words_are_marked_with_their_side_and_the_window_is_around_the_finding():
    sentence = "she has no [finding] , and no cough today ."
    assert text.near(sentence, 2) == "has no finding and no"
    assert text.by_side(sentence, 1) == "no_before and_after"


def test_masked_words_and_the_grammar_start_what_is_trained_and_another_question_gets_a_new_head():
    known = {name: text.untrained(k) for k, name in enumerate(("grammar", "masked words"))}.__getitem__
    kept = text.text_network("grammar", 5, known, new_head=False)
    anew = text.text_network("grammar", 5, known, new_head=True)
    weights = known("grammar").state_dict()
    assert all(torch.equal(w, weights[name]) for name, w in kept.state_dict().items())
    assert not torch.equal(anew.head.weight, kept.head.weight)
    assert torch.equal(anew.part("embed").token.weight, kept.part("embed").token.weight)
    assert kept is not known("grammar")


# --- what was chosen -------------------------------------------------------------------------------------------------


def test_the_settings_are_those_that_did_best_on_validation_rows():
    best = benchmark.best_settings(tuned())
    chosen = {
        question: {way: {n: how for n, (how, _) in found.items()} for way, found in ways.items()}
        for question, ways in best.items()
    }
    assert chosen == text.SETTINGS
    for question, ways in text.SETTINGS.items():
        assert {*ways} == {*benchmark.ways_of(question)}


def test_the_opponents_are_the_strongest_of_their_kind_on_the_tuning_seeds():
    best = {way: found[20][1][0] for way, found in benchmark.best_settings(tuned())["negated"].items()}
    assert max(SCRATCH, key=best.get) == benchmark.PRIMARY_ABOUT["theirs"]
    assert max(text.CLASSICAL, key=best.get) == text.SECONDARY["TF-IDF"][1] == benchmark.PRIMARY_ABOUT["opponent"]


def test_the_record_is_that_of_the_script_and_its_reported_seeds_chose_nothing():
    assert REPORT.about["primary"] == benchmark.PRIMARY_ABOUT
    assert not {*benchmark.SEEDS["tuning"]} & {*benchmark.SEEDS["report"]}
    found = mtl.Record("text").primary
    ours, theirs = (
        REPORT.scores(benchmark.PRIMARY_ABOUT[who], kind="labels", question="negated", labels=20).mean()
        for who in ("ours", "theirs")
    )
    assert found.value == pytest.approx(ours - theirs, abs=2e-4)
    asked = text.text_comparisons(mtl.Record("text", stage="report"))
    assert {*asked} == {*text.SECONDARY, "forgetting"} and all(one.raw <= one.p for one in asked.values())


def test_no_text_stands_in_the_record():
    strings = {value for row in REPORT.about["rows"] for value in row.values() if isinstance(value, str)}
    ways = {*text.CLASSICAL, *text.NETWORKS, "majority", "rule", "grammar, zero-shot", "grammar, TF-IDF", "before"}
    keys = {"tuning", "report", "real", "twin", "negated", "historical", "abstracts", "test", "all", *benchmark.KINDS}
    assert strings <= ways | keys | {*benchmark.KNOWS}
    assert "[finding]" not in json.dumps(REPORT.about)


def test_a_recorded_cell_is_what_it_is_again(monkeypatch):
    """On the twin, the ways without a network: the same digits."""
    monkeypatch.setenv("MEDTL_DATA", "twin")
    benchmark.task.cache_clear()
    record = mtl.Record("text", stage="report", data="twin", kind="labels", labels=20)
    (x, y), few = benchmark.task().test, text.few_labels(benchmark.task(), 20, 200)
    found = benchmark.without_labels(x, "negated", "target")
    for way in text.CLASSICAL:
        found[way] = benchmark.answer(way, few, x, 200, text.text_settings("negated", way, 20))
    for way, p in found.items():
        for score in ("balanced accuracy", "auroc", "log loss"):
            recorded = record.scores(way, score)[0]
            assert np.isclose(text.text_scores(p, y)[score], recorded, atol=2e-3), (way, score)
    benchmark.task.cache_clear()
