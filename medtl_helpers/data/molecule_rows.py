"""Rows of a table of molecules become molecules: each once, with one value, and a line on whatever was left out."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

NAMED = 3  # rows that a line names; it counts the others
APART = 0.5  # of the standard deviation of all numbers: duplicates that differ by more contradict each other
FAULTS = {  # of molecule_chemistry.ReadSmiles, and what a line says of them
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
        value, apart = _merged(values[places], kind)
        if np.isnan(value).all() or (kind == "number" and apart.max() > spread):
            torn += places
            continue
        again += places[1:]
        blanked += int((apart > 0).sum()) if kind == "assays" else 0
        merged[smiles] = value
    if again:
        what = "the mean of their numbers was taken" if kind == "number" else "each was kept once"
        lines.append(f"{_counted(rows[sorted(again)], named)} repeat a molecule: {what}.")
    lines += _left_out(rows[sorted(torn)], "whose molecule has values that contradict each other", named)
    if blanked:
        lines.append(f"{blanked} result(s) of assays that contradict each other count as not measured.")
    table = np.array(list(merged.values())).reshape(len(merged), values.shape[1])
    return Kept(list(merged), table, [groups[smiles] for smiles in merged], lines)


def _merged(values: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """One value for each column of M×T, and by how much the M differ; NaN where none is known, or classes differ."""
    known = ~np.isnan(values)
    apart = np.where(known, values, -np.inf).max(0) - np.where(known, values, np.inf).min(0)
    mean = np.where(known, values, 0).sum(0) / np.maximum(known.sum(0), 1)
    return np.where(known.any(0) & ((kind == "number") | (apart == 0)), mean, np.nan), apart


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
