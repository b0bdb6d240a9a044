"""Words of sequences: against counting letters, scikit-learn's vectoriser, and the kernel's formula on letters."""

from itertools import product

import pytest
import torch
from random_dna import letters, one_hot_of
from sklearn.feature_extraction.text import CountVectorizer

from medtl_helpers.methods.kmers import kmer_counts, weighted_degree_kernel

WORDS = letters(10, 18)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_words_are_counted_as_scikit_learn_counts_them(k):
    names = ["".join(word) for word in product("ACGT", repeat=k)]
    counter = CountVectorizer(analyzer="char", ngram_range=(k, k), lowercase=False, vocabulary=names)
    assert kmer_counts(one_hot_of(WORDS), k).tolist() == counter.transform(WORDS).toarray().tolist()


def test_an_unknown_letter_is_counted_with_its_shares():
    counts = kmer_counts(one_hot_of(["AN"]), 2)[0]
    assert counts[:4].tolist() == [0.25] * 4 and counts[4:].sum() == 0
    assert torch.allclose(kmer_counts(one_hot_of(["ANNGT"]), 3).sum(1), torch.tensor(3.0))


def by_formula(a: str, b: str, degree: int) -> float:
    """Rätsch and Sonnenburg, by comparing pieces of text."""
    beta = [2 * (degree - d + 1) / (degree * (degree + 1)) for d in range(1, degree + 1)]
    places = [sum(a[at : at + d] == b[at : at + d] for at in range(len(a) - d + 1)) for d in range(1, degree + 1)]
    return sum(x * y for x, y in zip(beta, places, strict=True))


@pytest.mark.parametrize("degree", [1, 3, 6])
def test_the_kernel_is_the_authors_formula(degree):
    some, others = WORDS[:4], WORDS[2:]
    near = [word[:9] + "A" * 9 for word in some] + others
    found = weighted_degree_kernel(one_hot_of(some), one_hot_of(near), degree)
    for i, a in enumerate(some):
        for j, b in enumerate(near):
            scale = (by_formula(a, a, degree) * by_formula(b, b, degree)) ** 0.5
            assert found[i, j].item() == pytest.approx(by_formula(a, b, degree) / scale, rel=1e-5)


def test_many_rows_are_the_same_as_one_by_one_and_the_kernel_is_positive():
    x = one_hot_of(letters(130, 12, seed=1))
    kernel = weighted_degree_kernel(x, x)
    assert torch.equal(kernel[100:101], weighted_degree_kernel(x[100:101], x))
    assert torch.allclose(kernel.diagonal(), torch.ones(130)) and torch.linalg.eigvalsh(kernel.double()).min() > -1e-5


@pytest.mark.parametrize("k", [0, 9, 2.5])
def test_a_word_of_no_sensible_length_is_refused(k):
    with pytest.raises(ValueError, match="k is"):
        kmer_counts(one_hot_of(WORDS), k)


def test_a_word_longer_than_the_sequence_and_sequences_of_two_lengths_are_refused():
    x = one_hot_of(WORDS)
    with pytest.raises(ValueError, match="at most 5"):
        kmer_counts(x[:, :, :5], 6)
    with pytest.raises(ValueError, match="18 and 5 bases"):
        weighted_degree_kernel(x, x[:, :, :5])
    with pytest.raises(ValueError, match="degree is 6"):
        weighted_degree_kernel(x[:, :, :5], x[:, :, :5])
