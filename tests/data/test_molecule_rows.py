"""Rows become molecules: each once, with one value, and a line says what was left out."""

from typing import NamedTuple

import numpy as np

from medtl_helpers.data.molecule_rows import kept_molecules


class Read(NamedTuple):
    smiles: str
    fault: str = ""
    salt: bool = False
    stereo: bool = False


def kept(reads, values, kind, **options):
    values = np.asarray(values, dtype=float)
    return kept_molecules(reads, values if values.ndim == 2 else values[:, None], kind, 50, **options)


def test_numbers_of_one_molecule_become_their_mean_unless_they_are_far_apart():
    found = kept([Read(s) for s in "aabbc"], [1.0, 1.2, 1.0, 3.0, 2.0], "number", numbers=range(2, 7))
    assert found.smiles == ["a", "c"] and np.allclose(found.values[:, 0], [1.1, 2.0]) and found.places == [[0, 1], [4]]
    assert found.lines == [
        "1 row(s) (3) repeat a molecule: the mean of their numbers was taken.",
        "2 row(s) (4 and 5) whose molecule has values that contradict each other were left out.",
    ]


def test_two_classes_of_one_molecule_leave_it_out():
    found = kept([Read(s) for s in "aabbc"], [1, 1, 0, 1, 0], "classes")
    assert found.smiles == ["a", "c"] and found.values[:, 0].tolist() == [1, 0]
    assert found.lines[0] == "1 row(s) repeat a molecule: each was kept once."


def test_results_of_assays_that_contradict_each_other_count_as_not_measured():
    gap = np.nan
    values = [[1, 0, gap], [1, 1, 0], [gap, 1, gap], [0, gap, gap], [1, gap, gap]]
    found = kept([Read(s) for s in "aabcc"], values, "assays")
    assert found.smiles == ["a", "b"]  # of c nothing is left, so that its results count with the row
    assert np.array_equal(found.values, [[1, gap, 0], [gap, 1, gap]], equal_nan=True)
    assert found.lines[1] == "2 row(s) whose molecule has values that contradict each other were left out."
    assert found.lines[-1] == "1 result(s) of assays that contradict each other count as not measured."


def test_every_row_that_is_left_out_is_told_with_its_number():
    faults = ["", "invalid", "mixture", "no carbon", "large", "invalid", "", "", *[""] * 5]
    reads = [Read(f"m{k}", fault, salt=k == 0, stereo=k > 5) for k, fault in enumerate(faults)]
    values = np.arange(13.0)
    values[6] = np.nan
    found = kept(reads, values, "number", numbers=range(2, 15))
    assert found.lines == [
        "2 row(s) (3 and 7) whose SMILES is not valid were left out.",
        "1 row(s) (5) without a carbon atom were left out.",
        "1 row(s) (4) that are mixtures of two molecules, of which nobody can say which one was measured, were left "
        "out.",
        "1 row(s) (6) with a molecule of more than 50 atoms (without hydrogen) were left out.",
        "1 row(s) (8) without a value were left out.",
        "1 row(s) (2) hold several parts, like a salt: the largest was kept, without its charge.",
        "6 row(s) (9, 10, 11 and 3 more) name a stereo form, which neither the graph nor the fingerprint holds.",
    ]
    assert found.smiles == ["m0", *[f"m{k}" for k in range(7, 13)]]


def test_nothing_that_can_be_used_is_no_error_here():
    found = kept([Read("", "invalid")], [1.0], "number")
    assert found.smiles == [] and found.values.shape[0] == 0 and len(found.lines) == 1
