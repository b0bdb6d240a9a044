"""The methods on sequences, each with every wrong kind of argument: one sentence is said, and no network is changed."""

import pytest
import torch
from rows import Row, of_ours, unclear
from test_argument_faults import WRONG

import medtl_helpers as mtl
from medtl_helpers.methods.motifs import information

X, Y = torch.eye(4).repeat(6, 1, 15).roll(1, 2)[:, :, :60], torch.arange(6) % 3
FREQUENCIES = torch.full((3, 4, 60), 0.25)
ROWS = [
    ("SequenceCNN: no multiple of 8", lambda: mtl.SequenceCNN(3, width=12), "width is 12: give a multiple of 8"),
    ("SequenceCNN: another norm", lambda: mtl.SequenceCNN(3, norm="layer"), "choose one of group, batch"),
    ("SequenceCNN: too short", lambda: mtl.SequenceCNN(3, length=3), "length is 3: give a whole number of 4 or more"),
    ("k-mers: positions before bases", lambda: mtl.kmer_counts(X.transpose(1, 2), 2), "give N×4×L, with rows for A"),
    ("k-mers: images", lambda: mtl.kmer_counts(torch.ones(2, 3, 8, 8), 2), "give N×4×L, with rows for A"),
    ("k-mers: no sequence", lambda: mtl.kmer_counts(X[:0], 2), "There are no sequences: give at least one"),
    ("k-mers: not one-hot", lambda: mtl.kmer_counts(2 * X, 2), "do not add up to 1 everywhere: make x with one_hot"),
    ("k-mers: words of 9", lambda: mtl.kmer_counts(X, 9), "k is 9: give a whole number of at most 8"),
    ("kernel: two lengths", lambda: mtl.weighted_degree_kernel(X, X[:, :, :9]), "have 60 and 9 bases"),
    ("kernel: long words", lambda: mtl.weighted_degree_kernel(X, X, 61), "degree is 61, and the sequences have 60"),
    ("position weights: no count for what is unseen", lambda: mtl.position_weights(X, Y, 3, 0), "pseudo is 0: give a"),
    ("position weights: too few classes", lambda: mtl.position_weights(X, Y, 2), "number the 2 classes from 0"),
    ("position weights: a prior of another length", lambda: mtl.position_weights(X, Y, 3, prior=torch.ones(4, 9)),
     "The prior has shape (4, 9): give (3, 4, 60)"),
    ("position scores: of 0", lambda: mtl.position_scores(X, 0 * FREQUENCIES), "A frequency is 0, which makes"),
    ("position scores: another length", lambda: mtl.position_scores(X, FREQUENCIES[:, :, 1:]), "with the same L"),
    ("masked bases: all hidden", lambda: mtl.pretrain_masked(mtl.SequenceCNN(3), X, share=1.0), "share is 1.0: give"),
    ("motifs: another network", lambda: mtl.motifs_of_filters(torch.nn.Linear(4, 2), X), "no convolution over A, C"),
    ("motifs: sequences too short", lambda: mtl.motifs_of_filters(mtl.SequenceCNN(3), X[:, :, :5]), "5 bases and a"),
    ("splice weights: no file", lambda: mtl.load_splice_cnn(weights="no.pt"), "There is no weight file no.pt: correct"),
]  # fmt: skip
CALLS = {
    mtl.SequenceCNN: {"classes": 3, "length": 60, "width": 8, "norm": "group"},
    mtl.kmer_counts: {"x": X, "k": 2},
    mtl.weighted_degree_kernel: {"x": X, "other": X, "degree": 3},
    mtl.position_weights: {"x": X, "y": Y, "classes": 3, "pseudo": 1.0, "prior": FREQUENCIES},
    mtl.position_scores: {"x": X, "frequencies": FREQUENCIES},
    mtl.pretrain_masked: {"model": mtl.SequenceCNN(3, width=8), "x": X, "epochs": 1, "batch_size": 4, "lr": 1e-3,
                          "share": 0.2, "seed": 0, "device": "cpu"},
    mtl.motifs_of_filters: {"model": mtl.SequenceCNN(3, width=8), "x": X, "share": 0.5},
    information: {"frequencies": FREQUENCIES},
    mtl.load_splice_cnn: {"classes": 2, "weights": "random"},
}  # fmt: skip


@pytest.mark.parametrize("call, said", [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_sequence_method_that_cannot_do_what_is_asked(call, said):
    with pytest.raises((ValueError, FileNotFoundError)) as info:
        call()
    assert said in of_ours(info.value)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_no_wrong_argument_of_a_sequence_method_ends_in_a_traceback_of_a_library(call):
    call(**CALLS[call])  # so that it is the replaced one that is refused
    found = unclear(call, lambda: CALLS[call], WRONG)
    assert not found, found


TABLE = [Row(fault, said, "—") for fault, _, said in ROWS]
