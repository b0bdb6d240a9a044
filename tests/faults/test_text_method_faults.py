"""The methods on texts, each with every wrong kind of argument: one sentence is said, and no network is changed."""

import pytest
import torch
from rows import Row, of_ours, unclear
from test_argument_faults import WRONG

import medtl_helpers as mtl

X = torch.arange(96, dtype=torch.int32).view(6, 16) % 20


def small(**options) -> mtl.TextTransformer:
    return mtl.TextTransformer(**{"classes": 2, "vocabulary": 20, "length": 16, "width": 8, "heads": 2} | options)


NET = small()
ROWS = [
    ("TextTransformer: heads that do not share", lambda: small(heads=3), "width is 8: give a multiple of the 3 heads"),
    ("TextTransformer: another pool", lambda: small(pool="last"), "choose one of centre, mean"),
    ("TextTransformer: no word", lambda: small(vocabulary=5), "vocabulary is 5: give a whole number of 6 or more"),
    ("TextTransformer: texts of another length", lambda: NET(X[:, :9]), "give int32 N×16, as tokens(texts, length=16)"),
    ("TextTransformer: another vocabulary", lambda: NET(X + 30), "There is token 49, and this network knows 20"),
    ("TextTransformer: numbers that are no tokens", lambda: NET(X.float()), "The texts are float32 of shape (6, 16)"),
    ("masked words: texts that are no tokens", lambda: mtl.pretrain_masked_words(NET, X.float()), "give token numbers"),
    ("masked words: int64", lambda: mtl.pretrain_masked_words(NET, X.long()), "are int64 of shape (6, 16)"),
    ("masked words: no text", lambda: mtl.pretrain_masked_words(NET, X[:0]), "There are no given texts: give at least"),
    ("masked words: below 0", lambda: mtl.pretrain_masked_words(NET, X - 1), "token numbers go down to -1"),
    ("masked words: all hidden", lambda: mtl.pretrain_masked_words(NET, X, share=1.0), "share is 1.0: give a share"),
    ("masked words: another net", lambda: mtl.pretrain_masked_words(mtl.SequenceCNN(2), X), "give a TextTransformer"),
    ("masked words: a rate that is too high", lambda: mtl.pretrain_masked_words(small(), X, lr=1e20, epochs=5),
     "try a rate ten times lower"),
    ("report encoder: no file", lambda: mtl.load_report_encoder(weights="no.pt"), "There is no weight file no.pt"),
    ("report encoder: no class", lambda: mtl.load_report_encoder(0, weights="random"), "classes is 0: give a whole"),
]  # fmt: skip
CALLS = {
    mtl.TextTransformer: {"classes": 2, "vocabulary": 20, "length": 16, "width": 8, "depth": 1, "heads": 2,
                          "pool": "mean"},
    mtl.pretrain_masked_words: {"model": NET, "x": X, "epochs": 1, "batch_size": 4, "lr": 1e-3, "share": 0.2, "seed": 0,
                                "device": "cpu"},
    mtl.load_report_encoder: {"classes": 2, "weights": "random"},
}  # fmt: skip


@pytest.mark.parametrize("call, said", [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_method_on_texts_that_cannot_do_what_is_asked(call, said):
    with pytest.raises((ValueError, TypeError, FileNotFoundError, FloatingPointError)) as info:
        call()
    assert said in of_ours(info.value)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_no_wrong_argument_of_a_method_on_texts_ends_in_a_traceback_of_a_library(call):
    call(**CALLS[call])  # so that it is the replaced one that is refused
    found = unclear(call, lambda: CALLS[call], WRONG)
    assert not found, found


TABLE = [Row(fault, said, "—") for fault, _, said in ROWS]
