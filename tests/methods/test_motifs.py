"""Motifs of filters: a filter written by hand is read back, window by window."""

import math

import pytest
import torch
from random_dna import letters, one_hot_of
from torch import nn

from medtl_helpers.methods.motifs import information, motifs_of_filters
from medtl_helpers.methods.sequence_nets import SequenceCNN

WORDS = letters(50, 30)


def a_network(*kernels) -> SequenceCNN:
    model = SequenceCNN(2, length=30, width=8)
    nn.init.zeros_(model.stages["stage1"][0].weight)
    with torch.no_grad():
        for k, kernel in enumerate(kernels):
            model.stages["stage1"][0].weight[k] = kernel
    return model


def test_a_filter_for_one_word_shows_this_word():
    word = "CAGGTAAGT"
    planted = [text[:8] + word + text[17:] for text in WORDS]
    found = motifs_of_filters(a_network(one_hot_of([word])[0]), one_hot_of(planted), share=0.9)
    assert found.windows[0] == sum(text.count(word) for text in planted) >= 50
    assert torch.equal(found.frequencies[0], one_hot_of([word])[0])
    assert not found.windows[1:].any() and (found.frequencies[1:] == 0.25).all()


def test_windows_are_those_of_a_search_letter_by_letter():
    kernel = torch.randn(4, 9, generator=torch.Generator().manual_seed(0))
    windows = [word[at : at + 9] for word in WORDS for at in range(22)]
    answers = [sum(kernel["ACGT".index(base), at].item() for at, base in enumerate(text)) for text in windows]
    kept = [text for text, answer in zip(windows, answers, strict=True) if answer > 0.5 * max(answers)]
    found = motifs_of_filters(a_network(kernel), one_hot_of(WORDS))
    assert found.windows[0] == len(kept)
    wanted = one_hot_of(kept).mean(0)
    torch.testing.assert_close(found.frequencies[0], wanted)


def test_information_is_two_bits_for_one_base_and_none_for_chance():
    columns = torch.tensor([[1.0, 0, 0, 0], [0.25] * 4, [0.5, 0.5, 0, 0], [0.7, 0.1, 0.1, 0.1]]).T
    by_hand = 2 + 0.7 * math.log2(0.7) + 0.3 * math.log2(0.1)
    assert information(columns).tolist() == pytest.approx([2, 0, 1, by_hand], abs=1e-6)


def test_networks_and_sequences_that_have_no_windows_are_refused():
    with pytest.raises(ValueError, match="no convolution over A, C, G and T"):
        motifs_of_filters(nn.Linear(4, 2), one_hot_of(WORDS))
    with pytest.raises(ValueError, match="have 5 bases and a filter 9"):
        motifs_of_filters(a_network(), one_hot_of(WORDS)[:, :, :5])
