"""The reader's sequences, as a FASTA or a CSV file holds them: names, letters as they are written, labels, splits."""

import csv
import gzip
import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from .tasks import SPLITS


class Sequence(NamedTuple):
    """One sequence of a file: its name, its letters as they are written, its label, and its split, or ""."""

    name: str
    text: str
    label: str
    split: str = ""


def read_sequences(path: Path, labels: str | Path | Mapping | None = None) -> tuple[list[Sequence], list[str]]:
    """The sequences of a file and lines for the reader; see ``load_sequences`` for what the file may be.

    Raises ValueError for a file that is neither, and for a record without a label.
    """
    text = _text(path)
    if text.lstrip().startswith(">"):
        given = None if labels is None else _labels(labels)
        found = _fasta(path, text, given)
        idle = set(given or ()) - {sequence.name for sequence in found}
        return found, [f"{len(idle)} name(s) in labels are not in the file, like {min(idle)}."] if idle else []
    if labels is not None:
        raise ValueError(f"{path} is no FASTA file, and labels are for one: put the labels into a column called label.")
    return _table(path, text), []


def _text(path: Path) -> str:
    """The file as text, unpacked where it is gzip, every end of line ``\\n``."""
    if not path.is_file():
        raise ValueError(f"{path} is no file: give a FASTA or CSV file of sequences.")
    content = path.read_bytes()
    try:
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        text = io.TextIOWrapper(io.BytesIO(content), "utf-8-sig", newline=None).read()
    except (OSError, EOFError, zlib.error):
        raise ValueError(f"{path} is a damaged gzip file: pack it again, or give it unpacked.") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text file: give sequences as FASTA or CSV, in UTF-8.") from None
    if not text.strip():
        raise ValueError(f"{path} is empty: give a file with sequences.")
    return text


def _fasta(path: Path, text: str, given: dict[str, str] | None) -> list[Sequence]:
    """The records of a FASTA file, with the labels ``given`` or those of its headers.

    Raises ValueError for a record without a label, and for a name that stands twice where labels were given by name.
    """
    found, without = [], []
    for number, record in enumerate(text.lstrip()[1:].split("\n>"), 1):
        header, _, lines = record.partition("\n")
        name, cut, label = header.strip().rpartition("|") if "|" in header else header.strip().partition(" ")
        name, label = (name.strip(), label.strip()) if cut else (header.strip(), "")
        if given is not None:
            name = header.split()[0] if header.split() else ""
            label = given.get(name, "")
        name = name or f"record {number}"
        if not label:
            without.append(name)
        found.append(Sequence(name, "".join(lines.split()), label))
    if without:
        where = "after its name, like '>name label'" if given is None else "in labels, under its name"
        raise ValueError(
            f"{path} has {len(without)} record(s) without a label, {without[0]} the first: write it {where}."
        )
    if given is not None and len({sequence.name for sequence in found}) < len(found):
        raise ValueError(f"{path} has a name twice, so that labels cannot say which it means: make the names differ.")
    return found


def _labels(labels) -> dict[str, str]:
    """The label of each name, from a dict or a CSV with the columns name and label."""
    if isinstance(labels, Mapping):
        return {str(name): str(label).strip() for name, label in labels.items()}
    path = Path(labels).expanduser()
    rows = _rows(path, _text(path), ("name", "label"))
    given = {row["name"]: row["label"] for row in rows}
    if len(given) < len(rows):
        raise ValueError(f"{path} has {len(rows) - len(given)} name(s) twice: give one label for each name.")
    return given


def _table(path: Path, text: str) -> list[Sequence]:
    """The rows of a CSV. Raises ValueError for one without a label or with another split."""
    found = []
    for line, row in enumerate(_rows(path, text, ("sequence", "label")), 2):
        name, split = row.get("name") or f"row {line}", row.get("split", "")
        if not row["label"]:
            raise ValueError(f"{path} has no label for {name}: write one, or leave the row out.")
        if "split" in row and split not in SPLITS:
            raise ValueError(f"{path} has the split {split!r} for {name}: write train, val or test.")
        found.append(Sequence(name, "".join(row["sequence"].split()), row["label"], split))
    return found


def _rows(path: Path, text: str, columns: tuple[str, str]) -> list[dict[str, str]]:
    """The rows of a CSV by the names of its columns, in lower case; a row that is blank is skipped."""
    reader = csv.reader(io.StringIO(text))
    names = [name.strip().lower() for name in next(reader)]
    if not set(columns) <= set(names) or len(set(names)) < len(names):
        raise ValueError(
            f"{path} starts neither with '>' nor with the columns {' and '.join(columns)}, each once: add them."
        )
    rows = [[cell.strip() for cell in row] for row in reader if any(cell.strip() for cell in row)]
    for row in rows:
        if len(row) != len(names):
            raise ValueError(
                f"{path} has a row of {len(row)} cells under {len(names)} columns, {row[0][:20]!r}: mend it."
            )
    return [dict(zip(names, row, strict=True)) for row in rows]
