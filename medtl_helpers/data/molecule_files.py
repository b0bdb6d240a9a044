"""What a CSV file of molecules holds: SMILES, and a number, one of two classes, or results of several assays."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..parts import shown
from .tasks import SPLITS
from .text_files import cell_text, file_text, table_rows

WANTS = "a column of SMILES and one of what was measured"


class MoleculeTable(NamedTuple):
    """All rows of a file: their numbers, as a spreadsheet counts, SMILES, values float64 N×T (NaN: empty), splits.

    ``classes`` are the names of two classes, of the number, or of the T assays. ``splits`` is empty where the file has
    no such column.
    """

    rows: list[int]
    smiles: list[str]
    values: np.ndarray
    kind: str
    classes: tuple[str, ...]
    splits: list[str]
    lines: list[str]


def read_molecule_file(path: Path, smiles: str, target: str | Sequence[str], own: bool) -> MoleculeTable:
    """The rows of a CSV file; ``smiles`` and ``target`` are names of its columns, and several targets are assays.

    One target with two different values is a pair of classes, and with more of them it is a number. With ``own`` the
    column split of the file must say train, val or test in each row. Raises ValueError, one sentence that names the
    file and the row, for what is no CSV with these columns, a single value everywhere, a cell that is no number among
    numbers, results of assays other than 0 and 1, and another split.
    """
    targets = _names(smiles, target)
    content, lines = file_text(path, WANTS)
    rows, names = table_rows(path, content, [smiles, *targets])
    if not rows:
        raise ValueError(f"{path} has no row below its header: give {WANTS}.")
    at, numbers = names.index(smiles), [row for row, _ in rows]
    columns = {name: [cell_text(cells[names.index(name)]) for _, cells in rows] for name in targets}
    if isinstance(target, str):
        kind, classes, values = _single(path, numbers, target, columns[target])
    else:
        kind, classes = "assays", tuple(targets)
        values = np.array([_results(path, numbers, name, columns[name]) for name in targets]).T
    splits = [place for place, name in enumerate(names) if name.lower() == "split"]
    if own and len(splits) != 1:
        raise ValueError(
            f"{path} has {len(splits)} columns called split: write one, or split it by scaffold or at random."
        )
    given = [cells[splits[0]].strip().lower() for _, cells in rows] if splits else []
    for row, one in zip(numbers, given, strict=False):
        if own and one not in SPLITS:
            raise ValueError(f"{path} has another split than train, val and test in row {row}: write one of these.")
    return MoleculeTable(numbers, [cells[at].strip() for _, cells in rows], values, kind, classes, given, lines)


def _names(smiles, target) -> list[str]:
    """The names of the targets. Raises ValueError where one of all names is no text, or stands twice."""
    if not isinstance(smiles, str) or not smiles:
        raise ValueError(f"smiles is {shown(smiles)}: give the name of the column with the SMILES.")
    names = [target] if isinstance(target, str) else target
    if not isinstance(names, list | tuple) or not names or not all(isinstance(name, str) and name for name in names):
        raise ValueError(f"target is {shown(target)}: give the name of a column, or a list of names of assays.")
    if len({smiles, *names}) <= len(names):
        raise ValueError("A column is named twice among smiles and target: give each its own.")
    return list(names)


def _single(path: Path, rows: list[int], name: str, cells: list[str]) -> tuple[str, tuple[str, ...], np.ndarray]:
    """Kind, classes and values N×1 of one target."""
    if all(math.isfinite(_number(cell)) for cell in cells if cell):
        cells = [f"{_number(cell):g}" if cell else "" for cell in cells] if _two(cells) else cells  # 1 and 1.0 are one
    distinct = sorted({cell for cell in cells if cell}, key=lambda cell: (_number(cell), cell))
    if len(distinct) < 2:
        raise ValueError(
            f"{path} has {len(distinct)} different value(s) in the column {name!r}: give two classes, or numbers."
        )
    if len(distinct) == 2:
        values = [distinct.index(cell) if cell else math.nan for cell in cells]
        return "classes", tuple(distinct), np.array(values, dtype=np.float64)[:, None]
    bad = [(row, cell) for row, cell in zip(rows, cells, strict=True) if cell and not math.isfinite(_number(cell))]
    if len(bad) > len(cells) / 2:
        raise ValueError(
            f"{path} has {len(distinct)} different values in the column {name!r}, most of them no numbers: give two "
            "classes, or numbers."
        )
    if bad:
        raise ValueError(
            f"{path} has {len(bad)} cell(s) of the column {name!r} that are no number, {shown(bad[0][1])} in row "
            f"{bad[0][0]} the first: write numbers with a decimal point, and leave a cell empty where there is none."
        )
    return "number", (name,), np.array([_number(cell) if cell else math.nan for cell in cells])[:, None]


def _results(path: Path, rows: list[int], name: str, cells: list[str]) -> list[float]:
    """The results of one assay: 0, 1, or NaN for an empty cell."""
    found = [_number(cell) if cell else math.nan for cell in cells]
    for row, cell, value in zip(rows, cells, found, strict=True):
        if cell and value not in (0, 1):
            raise ValueError(
                f"{path} has {shown(cell)} in row {row} of the assay {name!r}: write 0, 1, or nothing where it was not "
                "measured."
            )
    if not any(cells):
        raise ValueError(f"{path} has no result of the assay {name!r}: leave it out of target.")
    return found


def _two(cells: list[str]) -> bool:
    return len({_number(cell) for cell in cells if cell}) <= 2


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.inf
