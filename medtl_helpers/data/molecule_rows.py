"""Rows of a table of molecules become molecules: each once, with one value, and a line on whatever was left out."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

NAMED = 3  # rows that a line names; it counts the others
APART = 0.5  # of the standard deviation of all numbers: duplicates that differ by more contradict each other
FAULTS = {  # of molecule_chemistry.Read, and what a line says of them
    "invalid": "whose SMILES is not valid",
    "no carbon": "without a carbon atom",
    "mixture": "that are mixtures of two molecules, of which nobody can say which one was measured,",
    "large": "with a molecule of more than {atoms} atoms (without hydrogen)",
}


class Kept(NamedTuple):
    """The molecules that are left: SMILES, values float64 N×T (NaN: not measured), and for each its rows' places."""

    smiles: list[str]
    values: np.ndarray
    places: list[list[int]]
    lines: list[str]


def kept_molecules(
    reads: Sequence, values: np.ndarray, kind: str, atoms: int, numbers: Sequence[int] | None = None
) -> Kept:
    """Each molecule once, of those that can be used, and lines on the others.

    Parameters
    ----------
    reads: what ``molecule_chemistry.read_smiles`` made of each row.
    values: float64 N×T, T = 1 for a number and for two classes (0 and 1).
    kind: of numbers that stand for one molecule the mean is taken, unless they differ by more than half a standard
        deviation of all numbers; a molecule with two classes is left out; an assay with two results for one molecule
        counts as not measured.
    atoms: the largest molecule, for the lines.
    numbers: of the rows, which the lines name, the first of each kind; with None they count alone.
    """
    lines, rows = [], np.arange(len(reads)) if numbers is None else np.asarray(numbers)
    named = 0 if numbers is None else NAMED
    faults = np.array([read.fault for read in reads])
    good = faults == ""
    for fault, why in FAULTS.items():
        lines += _left_out(rows[faults == fault], why.format(atoms=atoms), named)
    empty = good & ~np.isfinite(values).any(1)
    lines += _left_out(rows[empty], "without a value", named)
    good &= ~empty
    salts = rows[[ok and read.salt for ok, read in zip(good, reads, strict=True)]]
    if len(salts):
        lines.append(
            f"{_counted(salts, named)} hold several parts, like a salt: the largest was kept, without its charge."
        )
    stereo = rows[[ok and read.stereo for ok, read in zip(good, reads, strict=True)]]
    if len(stereo):
        lines.append(
            f"{_counted(stereo, named)} name a stereo form, which neither the graph nor the fingerprint holds."
        )
    groups: dict[str, list[int]] = {}
    for place in np.flatnonzero(good).tolist():
        groups.setdefault(reads[place].smiles, []).append(place)
    spread = APART * float(np.std(values[good])) if kind == "number" and good.any() else 0.0
    merged: dict[str, np.ndarray] = {}
    torn, again, blanked = [], [], 0
    for smiles, places in groups.items():
        mine = values[places]
        apart = np.nanmax(np.where(np.isnan(mine), -np.inf, mine), 0) - np.min(
            np.where(np.isnan(mine), np.inf, mine), 0
        )
        if kind == "assays":
            blanked += int((apart > 0).sum())
            mine = np.where(apart > 0, np.nan, mine)
        if (kind != "assays" and apart[0] > spread) or np.isnan(mine).all():
            torn += places
            continue
        again += places[1:]
        counts = (~np.isnan(mine)).sum(0)
        merged[smiles] = np.where(counts > 0, np.nansum(mine, 0) / np.maximum(counts, 1), np.nan)
    what = {"number": "the mean of their numbers was taken", "classes": "each was kept once"}
    lines += (
        [f"{_counted(rows[sorted(again)], named)} repeat a molecule: {what.get(kind, what['classes'])}."]
        if again
        else []
    )
    lines += _left_out(rows[sorted(torn)], "whose molecule has values that contradict each other", named)
    if blanked:
        lines.append(f"{blanked} result(s) of assays that contradict each other count as not measured.")
    return Kept(
        list(merged), np.array(list(merged.values())).reshape(len(merged), -1), [groups[s] for s in merged], lines
    )


def _left_out(rows: np.ndarray, why: str, named: int) -> list[str]:
    return [f"{_counted(rows, named)} {why} were left out."] if len(rows) else []


def _counted(rows: np.ndarray, named: int) -> str:
    """``3 row(s) (2, 5 and 9)``, or ``40 row(s) (2, 5, 9 and 37 more)``; ``3 row(s)`` where none are named."""
    texts = [str(row) for row in rows[:named]]
    if len(rows) > named:
        texts = [", ".join(texts), f"{len(rows) - named} more"]
    elif len(texts) > 1:
        texts = [", ".join(texts[:-1]), texts[-1]]
    return f"{len(rows)} row(s)" + (f" ({' and '.join(texts)})" if named else "")
