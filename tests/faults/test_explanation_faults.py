"""Maps, their scores and planted marks, each with every wrong kind of argument: one sentence is said."""

import numpy as np
import pytest
import torch
from rows import Row, of_ours, unclear
from test_argument_faults import WRONG
from torch import nn

import medtl_helpers as mtl

X, C = torch.randint(0, 256, (4, 1, 16, 16), dtype=torch.uint8), torch.arange(4) % 2
MAPS, REGIONS = np.ones((4, 16, 16), "float32"), np.eye(16, dtype=bool)[None].repeat(4, 0)
PLAIN = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def net():
    torch.manual_seed(0)
    return mtl.CourseCNN(1, 2, width=8, norm="batch")


ROWS = [
    ("Grad-CAM: a layer that is not there", lambda: mtl.grad_cam(net(), X, C, "stage9"), "layer is 'stage9': give the"),
    ("Grad-CAM: a plain network, no layer", lambda: mtl.grad_cam(PLAIN, X, C), "layer is None: give the"),
    ("Grad-CAM: a layer without maps", lambda: mtl.grad_cam(net(), X, C, "head"), "The layer head makes no maps"),
    ("Grad-CAM: a class that is not there", lambda: mtl.grad_cam(net(), X, C + 1), "and 2 of other"),
    ("Grad-CAM: one class for all", lambda: mtl.grad_cam(net(), X, 1), "The classes to explain have shape ()"),
    ("Grad-CAM: colour for a grey network", lambda: mtl.grad_cam(net(), X.expand(-1, 3, -1, -1), C), "wants inputs N"),
    ("gradients: one image alone", lambda: mtl.gradient_map(net(), X[0], C), "The images have shape (1, 16, 16)"),
    ("gradients: outputs of another shape", lambda: mtl.gradient_map(PLAIN[:1], X, C), "explain a network of logits"),
    ("occlusion: no window", lambda: mtl.occlusion(net(), X, C, window=0), "window is 0: give a whole number of 1"),
    ("occlusion: another filling", lambda: mtl.occlusion(net(), X, C, fill="noise"), "choose one of mean, black, blur"),
    ("integrated gradients: no steps", lambda: mtl.integrated_gradients(net(), X, C, steps=0), "steps is 0: give a"),
    ("integrated gradients: another baseline", lambda: mtl.integrated_gradients(net(), X, C, baseline="white"),
     "baseline is 'white': choose one of mean, black, blur"),
    ("deletion: maps of other images", lambda: mtl.deletion_curve(net(), X, C, MAPS[:3]), "of the same images"),
    ("deletion: signed maps", lambda: mtl.deletion_curve(net(), X, C, -MAPS), "below 0 or not finite: give maps as"),
    ("deletion: the area under one number", lambda: mtl.deletion_auc(np.ones(4)), "give N×(steps + 1), as"),
    ("random weights: a part that is not there", lambda: mtl.randomised(net(), "stage9"), "There is no stage 'stage9'"),
    ("random weights: a plain network", lambda: mtl.randomised(PLAIN), "is a Sequential without named stages"),
    ("correlation: maps of other images", lambda: mtl.map_correlation(MAPS, MAPS[:2]), "of the same images"),
    ("random map: no image", lambda: mtl.random_map(0, 16), "n is 0: give a whole number of 1 or more"),
    ("edges: a map in place of images", lambda: mtl.edge_map(X[:, 0]), "The images have shape (4, 16, 16)"),
    ("marks: a share of one class alone", lambda: mtl.draw_marked_ultrasound(C, share={0: 0.9}), "the share of both"),
    ("marks: a share above 1", lambda: mtl.draw_marked_ultrasound(C, share={0: 90, 1: 10}), "share of class 0 is 90"),
    ("marks: another corner", lambda: mtl.plant_marks(X, C == 0, at="top"), "at is 'top': choose one of"),
    ("marks: another letter", lambda: mtl.plant_marks(X, C == 0, letter="Q"), "letter is 'Q': choose one of L, R, A"),
    ("marks: larger than the image", lambda: mtl.plant_marks(X, C == 0, mark_size=15), "does not fit into images"),
    ("marks: floats", lambda: mtl.plant_marks(X.float(), C == 0), "give a tensor of at least one, uint8 N×C×H×W"),
    ("marks: of other images", lambda: mtl.plant_marks(X, [True]), "for 4 cases: give one for each case"),
]  # fmt: skip
EXPLAINED = {"model": net(), "x": X, "classes": C, "batch_size": 4, "device": "cpu"}
CALLS = {
    mtl.grad_cam: {"layer": "stage2"} | EXPLAINED,
    mtl.gradient_map: EXPLAINED,
    mtl.occlusion: {"window": 8, "stride": 8, "fill": "mean"} | EXPLAINED,
    mtl.integrated_gradients: {"steps": 2, "baseline": "mean"} | EXPLAINED,
    mtl.deletion_curve: {"maps": MAPS, "steps": 2, "fill": "mean", "seed": 0} | EXPLAINED,
    mtl.deletion_auc: {"curves": MAPS[:, 0]},
    mtl.mass_inside: {"maps": MAPS, "regions": REGIONS},
    mtl.highest_inside: {"maps": MAPS, "regions": REGIONS},
    mtl.map_correlation: {"maps": MAPS, "others": MAPS},
    mtl.randomised: {"model": net(), "seed": 0},
    mtl.centre_map: {"n": 2, "size": 8},
    mtl.random_map: {"n": 2, "size": 8, "cells": 3, "seed": 0},
    mtl.edge_map: {"x": X},
    mtl.draw_marked_ultrasound: {"labels": C, "size": 24, "share": None, "at": "upper left", "letter": "R",
                                 "mark_size": 5, "strength": 1.0, "seed": 0},
    mtl.plant_marks: {"images": X, "which": C == 0, "at": "upper left", "letter": "R", "mark_size": 5,
                      "strength": 1.0, "seed": 0},
}  # fmt: skip


@pytest.mark.parametrize("call, said", [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_what_cannot_be_explained_or_marked(call, said):
    with pytest.raises((ValueError, TypeError)) as info:
        call()
    assert said in of_ours(info.value)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_no_wrong_argument_of_a_map_ends_in_a_traceback_of_a_library(call):
    call(**CALLS[call])  # so that it is the replaced one that is refused
    found = unclear(call, lambda: CALLS[call], WRONG)
    assert not found, found


TABLE = [Row(fault, said, "—") for fault, _, said in ROWS]
