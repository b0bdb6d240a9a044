"""Twins of texts: the rows, shares and copies they are asked for, and neither trivial nor impossible."""

import re

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline

from medtl_helpers.data.text_twins import abstracts_twin, negex_twin, pubmedqa_twin


def held_out_score(texts, y) -> float:
    """Balanced accuracy of TF-IDF and logistic regression on the second half."""
    half = len(texts) // 2
    model = make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression(class_weight="balanced", C=10))
    model.fit(texts[:half], y[:half])
    return balanced_accuracy_score(y[half:], model.predict(texts[half:]))


def test_the_negex_twin_has_the_totals_and_the_copies_it_was_asked_for():
    texts, y = negex_twin((600, 150), copies=100)
    bare = [re.sub(r"\[\[|\]\]", "", text).lower() for text in texts]
    assert np.bincount(y).tolist() == [600, 150] and all(text.count("[[") == 1 for text in texts)
    assert 100 <= len(bare) - len(set(bare)) < 130  # short sentences repeat by chance, too
    assert len(set(texts)) - len(set(bare)) > 30  # one sentence, another finding asked for
    assert negex_twin((600, 150), copies=100)[0] == texts


def test_the_negex_twin_can_be_asked_what_is_historical():
    texts, y = negex_twin((80, 20), copies=0, question="historical")
    assert len(texts) == 100 and y.sum() == 20


def test_words_tell_the_classes_of_the_abstracts_twin_and_not_all_of_it():
    texts, y = abstracts_twin((150, 150, 150, 150, 150))
    assert np.bincount(y).tolist() == [150] * 5 and not any(mark in "".join(texts) for mark in "{}<>")
    assert 0.75 < held_out_score(texts, y) < 0.99


def test_the_conclusion_of_the_pubmedqa_twin_tells_more_than_its_context():
    rows, y = pubmedqa_twin((276, 169, 55))
    assert np.bincount(y).tolist() == [276, 169, 55] and set(rows[0]) == {"question", "context", "conclusion"}
    without, told = (
        held_out_score([" ".join(row[key] for key in keys) for row in rows], y)
        for keys in (("question", "context"), ("context", "conclusion"))
    )
    assert 0.6 < without < 0.95 and told > without + 0.03


@pytest.mark.parametrize("draw", [abstracts_twin, pubmedqa_twin])
def test_a_seed_gives_the_same_twin(draw):
    first, again, other = (draw((9, 9, 9), seed=seed)[0] for seed in (1, 1, 2))
    assert first == again and first != other
