"""The methods for molecules, each with every wrong kind of argument: one sentence is said."""

import pytest
import torch
from rows import Row, of_ours, unclear
from test_argument_faults import WRONG
from torch import nn

import medtl_helpers as mtl

X = torch.zeros(6, 8, 14, dtype=torch.uint8)  # chains of three to eight atoms of carbon
for k, count in enumerate(range(3, 9)):
    X[k, :count, 0] = 1
    X[k, :count, 3] = 4
    for a in range(count - 1):
        X[k, a, 6 + a + 1] = X[k, a + 1, 6 + a] = 1
NUMBER, CLASS = torch.arange(6.0), torch.tensor([0, 1] * 3)
ASSAYS = torch.stack([CLASS.float(), 1 - CLASS.float()], 1)
ASSAYS[0, 0] = torch.nan


def net(outputs=1, **options) -> mtl.GraphNet:
    return mtl.GraphNet(outputs, **{"width": 8, "depth": 1} | options)


def fit(x=X, y=NUMBER, val=None, model=None, **options):
    return mtl.fit_graphs(model or net(), (x, y), val, **{"epochs": 1, "progress": False} | options)


def changed(row: int, column: int, value: int) -> torch.Tensor:
    x = X.clone()
    x[0, row, column] = value
    return x


def broken() -> mtl.GraphNet:
    model = net()
    nn.init.constant_(model.head.bias, float("nan"))
    return model


PACKED = "give packed ones, uint8 N×A×(6 + A)"
ROWS = [
    ("GraphNet: no width", lambda: net(width=0), "width is 0: give a whole number of 1 or more"),
    ("GraphNet: no depth", lambda: net(depth=0), "depth is 0: give a whole number of 1 or more"),
    ("GraphNet: outputs below 0", lambda: net(-1), "outputs is -1: give a whole number of 0 or more"),
    ("GraphNet: features of some stages", lambda: mtl.fine_tune(net(2), (X, CLASS), frozen_upto="atoms"),
     "cannot be kept in a cache: take cache=False"),
    ("molecules: images", lambda: fit(torch.zeros(6, 3, 8, 8)), f"have shape (6, 3, 8, 8): {PACKED}"),
    ("molecules: one alone", lambda: mtl.predict_graphs(net(), X[0]), f"have shape (8, 14): {PACKED}"),
    ("molecules: bonds left out", lambda: fit(X[:, :, :8]), f"have shape (6, 8, 8): {PACKED}"),
    ("molecules: SMILES", lambda: fit(["CCO"] * 6), "that torch cannot read"),
    ("molecules: floats", lambda: fit(X.float()), f"are floats beyond -1 to 1: {PACKED}"),
    ("molecules: none", lambda: fit(X[:0], NUMBER[:0]), "There are no training molecules: give at least one"),
    ("molecules: an unknown element", lambda: fit(changed(0, 0, 14)), "bytes that mean no atom and no bond"),
    ("molecules: an unknown bond", lambda: fit(changed(0, 7, 5)), "bytes that mean no atom and no bond"),
    ("molecules: no atom", lambda: fit(torch.zeros_like(X)), "6 of 6 training molecules have no atom: leave them out"),
    ("molecules: another loss", lambda: fit(loss="mse"), "loss is 'mse': choose one of squared, classes, assays"),
    ("molecules: a task for a pair", lambda: mtl.fit_graphs(net(), mtl.Task), "give a pair (x, y) of molecules and"),
    ("molecules: one label too few", lambda: fit(y=NUMBER[:5]), "has 6 molecules and 5 labels: give one label for"),
    ("molecules: labels that are texts", lambda: fit(y=["low"] * 6), "The training labels are a list: give numbers"),
    ("molecules: nothing measured", lambda: fit(y=NUMBER * torch.nan), "labels hold no number: give molecules of wh"),
    ("molecules: an infinite number", lambda: fit(y=NUMBER / 0), "labels hold infinite numbers: correct them"),
    ("molecules: numbers for assays", lambda: fit(y=NUMBER, loss="assays"), "are not 0, 1 or NaN everywhere"),
    ("molecules: numbers for classes", lambda: fit(y=NUMBER, loss="classes", model=net(2)), "labels are float32"),
    ("molecules: one class", lambda: fit(y=0 * CLASS, loss="classes", model=net(2)), "All training labels are 0"),
    ("molecules: a class for validation alone",
     lambda: fit(y=CLASS, val=(X, CLASS + CLASS), loss="classes", model=net(2)),
     "Class 2 is in the validation set and not in the training set"),
    ("molecules: columns that differ", lambda: fit(y=ASSAYS, val=(X, NUMBER), model=net(2)),
     "Training labels have 2 columns, validation labels 1: both need the same"),
    ("molecules: one output for two assays", lambda: fit(y=ASSAYS, loss="assays"),
     "and the labels need N×2 for loss='assays': give it another number of outputs"),
    ("molecules: one output for two classes", lambda: fit(y=CLASS, loss="classes"), "the labels need N×2 for loss='cl"),
    ("molecules: all is frozen", lambda: fit(model=mtl.freeze(net(), *net().parts())), "Every weight of the model is"),
    ("molecules: a rate that is too high", lambda: fit(lr=1e20, epochs=3), "try a rate ten times lower"),
    ("molecules: patience without validation", lambda: fit(patience=2), "give val, too, or leave patience out"),
    ("molecules: no file", lambda: mtl.load_graph_net(weights="no.pt"),
     "There is no weight file no.pt: correct the path"),
    ("predicted molecules: one output for classes", lambda: mtl.predict_graphs(net(), X, loss="classes"),
     "give it another number of outputs"),
    ("predicted molecules: weights that are NaN", lambda: mtl.predict_graphs(broken(), X),
     "The answers to 6 of 6 molecules are not finite: train the model anew"),
]  # fmt: skip
CALLS = {
    mtl.GraphNet: {"outputs": 1, "width": 8, "depth": 1},
    mtl.fit_graphs: {"model": net(), "train": (X, NUMBER), "val": (X, NUMBER), "loss": "squared", "epochs": 1,
                     "batch_size": 4, "lr": 1e-3, "weight_decay": 0.0, "optimizer": None, "schedule": None,
                     "patience": 2, "seed": 0, "device": "cpu"},
    mtl.load_graph_net: {"outputs": 1, "weights": "random"},
    mtl.predict_graphs: {"model": net(), "x": X, "loss": "squared", "batch_size": 4, "device": "cpu"},
}  # fmt: skip


@pytest.mark.parametrize("call, said", [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_method_for_molecules_that_cannot_do_what_is_asked(call, said):
    with pytest.raises((ValueError, TypeError, FileNotFoundError, FloatingPointError)) as info:
        call()
    assert said in of_ours(info.value)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_no_wrong_argument_of_a_method_for_molecules_ends_in_a_traceback_of_a_library(call):
    call(**CALLS[call])  # so that it is the replaced one that is refused
    found = unclear(call, lambda: CALLS[call], WRONG)
    assert not found, found


TABLE = [Row(fault, said, "—") for fault, _, said in ROWS]
