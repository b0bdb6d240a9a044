"""Drawings with masks that nobody can draw: one sentence says why."""

import numpy as np
import pytest
import torch
from rows import NOTHING_RIGHT, Row, of_ours, unclear

import medtl_helpers as mtl

# fault, call, what is said
ROWS = [
    ("an unknown kind", lambda: mtl.draw_nuclei(2, kind="phase"), "The kind of nuclei is 'phase': choose one of fluor"),
    ("half a picture", lambda: mtl.draw_nuclei(1.5), "n is 1.5: give a whole number, like 1"),
    ("half a molecule", lambda: mtl.draw_molecules(1.5), "n is 1.5: give a whole number, like 1"),
    ("no molecule", lambda: mtl.draw_molecules(0), "n is 0: give a whole number of 1 or more"),
    ("molecules of a seed below 0", lambda: mtl.draw_molecules(2, seed=-1), "seed is -1: give a whole number of 0 or"),
    ("fewer than none", lambda: mtl.draw_nuclei(-1), "n is -1: give a whole number of 0 or more"),
    ("a field that is too small", lambda: mtl.draw_nuclei(2, size=8), "size is 8: give a whole number of 16 or more"),
    ("objects as a number", lambda: mtl.draw_nuclei(2, objects=1), "objects is 1: give True for masks that number"),
    ("a seed below 0", lambda: mtl.draw_nuclei(2, seed=-1), "seed is -1: give a whole number of 0 or more"),
    ("an unknown look", lambda: mtl.draw_abdomen(2, look="pet"), "The look is 'pet': choose one of ct, t1, t2, xray"),
    ("an unknown lesion", lambda: mtl.draw_abdomen(2, lesion="big"), "The lesion is 'big': choose one of none, clear,"),
    ("lesions as True", lambda: mtl.draw_abdomen(2, lesion=True), "The lesion is True: choose one of none"),
    ("an unknown window", lambda: mtl.draw_abdomen(2, window="lung"), "The window is 'lung': choose one of abdomen,"),
    ("no patient", lambda: mtl.draw_abdomen(2, patients=0), "patients is 0: give a whole number of 1 or more"),
    (
        "patients of other slices",
        lambda: mtl.draw_abdomen(2, patients=[1, 2, 3]),
        "The patients have shape (3,), for 2",
    ),
    ("patients by name", lambda: mtl.draw_abdomen(2, patients=["a", "b"]), "The patients are a list of text"),
    ("patients below 0", lambda: mtl.draw_abdomen(2, patients=[0, -1]), "The patients are int64, some of them below 0"),
    ("a projection in three dimensions", lambda: mtl.draw_volumes(2, look="xray"), "The look of a volume is 'xray':"),
    ("a volume that is too small", lambda: mtl.draw_volumes(2, size=4), "size is 4: give a whole number of 8 or more"),
]
WRONG = NOTHING_RIGHT | {
    "a tensor": lambda: torch.zeros(2, 3),
    "an array of one number": lambda: np.array(2),
}
CALLS = {
    mtl.draw_molecules: {"n": 1, "seed": 0},
    mtl.draw_nuclei: {"n": 1, "kind": "any", "size": 16, "objects": True, "seed": 0},
    mtl.draw_abdomen: {
        "n": 2, "look": "ct", "size": 16, "lesion": "clear", "patients": [0, 1], "window": "liver", "seed": 0},
    mtl.draw_volumes: {"n": 1, "size": 8, "look": "t1", "lesion": "small", "window": "bone", "seed": 0},
}  # fmt: skip


@pytest.mark.parametrize("call, said", [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_drawing_that_cannot_be_drawn(call, said):
    with pytest.raises(ValueError) as info:
        call()
    assert said in of_ours(info.value)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_no_wrong_argument_of_a_drawing_ends_in_a_traceback_of_a_library(call):
    call(**CALLS[call])
    found = unclear(call, lambda: CALLS[call], WRONG)
    assert not found, found


TABLE = [Row(f"drawings: {fault}", said, "—") for fault, _, said in ROWS]
