"""Position weights: counts by hand, and scikit-learn's naive Bayes as the oracle of the scores."""

from collections import Counter

import numpy as np
import pytest
import torch
from random_dna import letters, one_hot_of
from sklearn.naive_bayes import CategoricalNB

from medtl_helpers.methods.position_weights import position_scores, position_weights

WORDS = letters(30, 12)
X, Y = one_hot_of(WORDS), torch.arange(30) % 3


def test_the_frequencies_are_counts_with_a_pseudo_count():
    found = position_weights(X, Y, 3, pseudo=2.0)
    for k in range(3):
        for at in range(12):
            counts = Counter(word[at] for word, y in zip(WORDS, Y, strict=True) if y == k)
            wanted = [(counts[base] + 2.0 / 4) / (10 + 2.0) for base in "ACGT"]
            assert found[k, :, at].tolist() == pytest.approx(wanted)


def test_with_a_pseudo_count_of_four_it_is_scikit_learns_naive_bayes():
    """Its alpha is added to each base, ours is shared among the four."""
    codes = X.argmax(1).numpy()
    theirs = CategoricalNB(alpha=1.0, min_categories=4).fit(codes, Y.numpy())
    new = one_hot_of(letters(9, 12, seed=4))
    ours = position_scores(new, position_weights(X, Y, 3, pseudo=4.0)).softmax(1)
    np.testing.assert_allclose(ours, theirs.predict_proba(new.argmax(1).numpy()), rtol=1e-4)


def test_a_prior_is_what_few_labels_are_added_to():
    table = torch.rand(3, 4, 12, generator=torch.Generator().manual_seed(0)) + 0.1
    table /= table.sum(1, keepdim=True)
    counted = position_weights(X, Y, 3, pseudo=1e-6)
    found = position_weights(X, Y, 3, pseudo=10, prior=table)  # ten labels a class: half each
    torch.testing.assert_close(found, (counted + table) / 2, atol=1e-5, rtol=0)
    torch.testing.assert_close(position_weights(X, Y, 3, 1e7, table), table, atol=1e-4, rtol=0)
    assert torch.equal(position_weights(X, Y, 3, 10, table[0])[0], found[0])


def test_a_class_without_a_label_keeps_its_prior_and_an_unknown_letter_the_mean():
    assert torch.equal(position_weights(X, Y, 4)[3], torch.full((4, 12), 0.25))
    frequencies = position_weights(X, Y, 3)
    unknown, last = X[:1].clone(), frequencies.log()[:, :, -1]
    unknown[:, :, -1] = 0.25
    rest = position_scores(X[:1, :, :-1], frequencies[:, :, :-1])
    torch.testing.assert_close(position_scores(unknown, frequencies), rest + last.mean(1))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: position_weights(X, Y, 2), "Labels run from 0 to 2: number the 2 classes"),
        (lambda: position_weights(X, Y[:5], 3), "30 inputs and 5 labels"),
        (lambda: position_weights(X, Y, 3, pseudo=0), "pseudo is 0: give a finite rate, above 0"),
        (lambda: position_weights(X, Y, 3, prior=torch.ones(4, 9)), r"prior has shape \(4, 9\): give \(3, 4, 12\)"),
        (lambda: position_scores(X, torch.ones(3, 4, 9)), "with the same L"),
        (lambda: position_scores(X, torch.zeros(3, 4, 12)), "frequency is 0, which makes a sequence impossible"),
    ],
)
def test_what_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
