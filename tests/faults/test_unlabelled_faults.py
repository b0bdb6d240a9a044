"""Adapting without labels, each with every wrong kind of argument: one sentence is said, and the network stays."""

import copy

import pytest
import torch
from rows import Row, of_ours, unclear
from test_argument_faults import WRONG
from test_training_faults import Limited, same, weights
from torch import nn

import medtl_helpers as mtl

GENERATOR = torch.Generator().manual_seed(0)
X, Y, T = torch.randn(24, 6, generator=GENERATOR), torch.arange(24) % 2, torch.randn(20, 6, generator=GENERATOR) + 1
LOGITS = torch.randn(8, 3, generator=GENERATOR)
P = LOGITS.softmax(1)


def net(*more):
    mtl.seed_everything(0)
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), *more, nn.Linear(8, 2))


def aligned(**changed):
    arguments = {"model": net(), "source_x": X, "source_y": Y, "target_x": T, "loss": mtl.coral_loss, "epochs": 1}
    return mtl.fit_aligned(**arguments | changed, progress=False)


def trained_anew(**changed):
    return mtl.self_train(**{"model": net(), "source_x": X, "source_y": Y, "target_x": T, "progress": False} | changed)


def with_nan():
    x = T.clone()
    x[15] = torch.nan
    return x


# fault, the network, what is done with it, what is said
KEPT = [
    ("TENT: no batch norm", nn.Linear(6, 2), lambda m: mtl.tent(m, T), "TENT moves the scale and shift of batch norm"),
    ("TENT: batch norm without scale and shift", nn.Sequential(nn.BatchNorm1d(6, affine=False), nn.Linear(6, 2)),
     lambda m: mtl.tent(m, T), "has none with them (affine=False)"),
    ("TENT: no inputs", net(), lambda m: mtl.tent(m, T[:0]), "There are no target inputs to answer"),
    ("TENT: other columns", net(), lambda m: mtl.tent(m, T[:, :5]), "wants inputs N×6 and got a batch"),
    ("TENT: a last batch of one row", net(), lambda m: mtl.tent(m, T, batch_size=19), "take another batch_size"),
    ("TENT: NaN in the second batch", net(), lambda m: mtl.tent(m, with_nan(), batch_size=10),
     "The entropy of batch 2 is nan at learning rate 0.001"),
    ("TENT: a watch that is none", net(), lambda m: mtl.tent(m, T, watch=0.5), "watch is 0.5: give a CollapseWatch"),
    ("TENT: one output", nn.Sequential(nn.BatchNorm1d(6), nn.Linear(6, 1)), lambda m: mtl.tent(m, T),
     "The logits are float32 of shape (20, 1)"),
    ("aligning: a name in place of a loss", net(), lambda m: aligned(model=m, loss="coral"), "loss is 'coral': give a"),
    ("aligning: batches of one", net(), lambda m: aligned(model=m, batch_size=1), "give a whole number of 2 or more"),
    ("aligning: no target", net(), lambda m: aligned(model=m, target_x=T[:0]), "the source is aligned with them"),
    ("aligning: a target of other columns", net(), lambda m: aligned(model=m, target_x=T[:, :5]), "must be alike"),
    ("aligning: a source of one class", net(), lambda m: aligned(model=m, source_y=0 * Y), "nothing to tell apart"),
    ("aligning: no linear head", nn.Sequential(nn.BatchNorm1d(6)), lambda m: aligned(model=m), "has no linear head"),
    ("aligning: all is frozen", net().requires_grad_(False), lambda m: aligned(model=m), "Every weight of the model"),
    ("aligning: no such rule", net(), lambda m: aligned(model=m, select="target"), "choose one of last, source"),
    ("aligning: the rule without validation", net(), lambda m: aligned(model=m, select="source validation"),
     "fit_aligned needs val=(x, y) of the source"),
    ("self-training: no target", net(), lambda m: trained_anew(model=m, target_x=T[:0]), "target inputs to answer"),
    ("self-training: no rounds", net(), lambda m: trained_anew(model=m, rounds=0), "rounds is 0: give a whole number"),
]  # fmt: skip
ROWS = [
    ("entropy: whole numbers", lambda: mtl.entropy([[1, 2]]), "The logits are int64 of shape (1, 2): give floats"),
    ("MCC: a temperature of 0", lambda: mtl.mcc_loss(LOGITS, temperature=0), "temperature is 0: give a finite rate"),
    ("aligning: a loss that returns a number", lambda: aligned(loss=lambda s, t: 1.0), "The loss returned 1.0"),
    ("CORAL: other columns", lambda: mtl.coral(X, T[:, :4]), "The source has 6 features, the target 4"),
    ("CORAL: one example", lambda: mtl.coral_loss(X[:1], T), "a row for each of 2 or more examples"),
    ("CORAL: columns that depend on each other", lambda: mtl.coral(X[:, [0, 0]], T[:, :2], ridge=0), "give a ridge"),
    ("MMD: maps in place of features", lambda: mtl.mmd_loss(X[:, :, None], T), "float32 of shape (24, 6, 1)"),
    ("MMD: a width of 0", lambda: mtl.mmd_loss(X, T, widths=[0.0]), "give numbers above 0, factors of the median"),
    ("pseudo-labels: logits", lambda: mtl.pseudo_labels(LOGITS), "give numbers from 0 to 1, the softmax of logits"),
    ("pseudo-labels: a threshold in percent", lambda: mtl.pseudo_labels(P, threshold=90), "threshold is 90"),
    ("weights: cases with other columns", lambda: mtl.importance_weights(X, T, X[:, :2]), "and the cases to weigh 2"),
    ("weights: one missing", lambda: mtl.weighted_validation([0.1, 0.2], [1.0]), "2 losses and 1 weights: give one"),
    ("weights: below 0", lambda: mtl.weighted_validation([0.1], [-2.0]), "1 are below 0: give 0 or more"),
    ("watch: shares that are not 1 in all", lambda: mtl.CollapseWatch(net(), [1, 1]), "give one for each class"),
    ("watch: answers of other classes", lambda: mtl.CollapseWatch(net(), [0.5, 0.5])(X[:8], P), "2 classes are"),
]
PAIR = {"source": X, "target": T}
STREAM = {"model": net(), "x": T, "batch_size": 10, "lr": 1e-3, "steps": 1, "watch": None, "device": "cpu"}
TRAINING = {"source_x": X, "source_y": Y, "target_x": T, "epochs": 1, "batch_size": 12, "lr": 1e-3, "weight_decay": 0.0,
            "augment": None, "seed": 0, "device": "cpu"}  # fmt: skip
WATCH = {"model": net(), "expected": [0.5, 0.5], "window": 8, "mix": 0.4, "agreement": 0.5, "statistics": "batch"}
CALLS = {
    mtl.entropy: {"logits": LOGITS},
    mtl.tent: STREAM,
    mtl.coral: PAIR | {"ridge": 1.0},
    mtl.coral_loss: PAIR,
    mtl.mmd_loss: PAIR | {"widths": [0.5, 1.0]},
    mtl.fit_aligned: TRAINING | {"model": net(), "loss": mtl.mmd_loss, "weight": 1.0, "at": "features",
                                 "val": (X, Y), "select": "last"},
    mtl.mcc_loss: {"logits": LOGITS, "temperature": 2.0},
    mtl.pseudo_label_loss: {"logits": LOGITS, "threshold": 0.9},
    mtl.pseudo_labels: {"probability": P, "threshold": 0.9},
    mtl.self_train: TRAINING | {"model": net(), "rounds": 1, "threshold": 0.9},
    mtl.mean_entropy: {"probability": P},
    mtl.importance_weights: {"source": X, "target": T, "at": X[:4], "strength": 1.0},
    mtl.weighted_validation: {"losses": [0.1, 0.3], "weights": [1.0, 2.0]},
    mtl.effective_cases: {"weights": [1.0, 2.0]},
    mtl.CollapseWatch: WATCH,
    mtl.CollapseWatch(**WATCH).__call__: {"inputs": X[:8], "probability": P[:, :2] / P[:, :2].sum(1, keepdim=True)},
}  # fmt: skip


@pytest.mark.parametrize("model, does, said", [row[1:] for row in KEPT], ids=[row[0] for row in KEPT])
def test_what_cannot_adapt_is_told_and_the_network_stays(model, does, said):
    model = copy.deepcopy(model)
    before = weights(model)
    with pytest.raises((ValueError, FloatingPointError)) as info:
        does(model)
    assert said in of_ours(info.value)
    assert same(weights(model), before)


@pytest.mark.parametrize("call, said", [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_what_cannot_be_computed_without_labels(call, said):
    with pytest.raises(ValueError) as info:
        call()
    assert said in of_ours(info.value)


MEMORY = "Out of memory adapting to batches of 4: try batch_size=2"


def test_a_stream_whose_batches_do_not_fit():
    model = net(Limited(2))
    before = weights(model)
    with pytest.raises(MemoryError) as info:
        mtl.tent(model, T, batch_size=4)
    assert MEMORY in str(info.value) and same(weights(model), before)
    assert mtl.tent(model, T, batch_size=2).shape == (20, 2)


def test_ctrl_c_in_a_stream_leaves_the_network_as_it_was():
    model = net()
    before = weights(model)

    def watch(inputs, probability):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mtl.tent(model, T, batch_size=5, lr=0.1, watch=watch)
    assert same(weights(model), before) and not model.training


@pytest.mark.parametrize("call", CALLS, ids=lambda call: getattr(call, "__qualname__", str(call)))
@pytest.mark.filterwarnings("ignore")
def test_no_wrong_argument_without_labels_ends_in_a_traceback_of_a_library(call):
    call(**CALLS[call])  # so that it is the replaced one that is refused
    found = unclear(call, lambda: copy.deepcopy(CALLS[call]), WRONG)
    assert not found, found


TABLE = [
    *(Row(fault, said, "the network's weights and statistics") for fault, _, _, said in KEPT),
    *(Row(fault, said, "—") for fault, _, said in ROWS),
    Row("TENT: memory", MEMORY, "the network's weights and statistics"),
]
