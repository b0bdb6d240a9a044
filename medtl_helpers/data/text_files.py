"""The reader's texts, as a CSV file holds them. No sentence that is said here shows a text, only its row's number."""

import csv
import io
import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

from ..parts import shown
from .tasks import SPLITS

LONGEST_NAME = 30  # characters of a column's name that is shown: what is longer may be a text
LONGEST_LABEL = 60
MOST_CHARACTERS = 2**31 - 1
MARKS = {",": "a comma", ";": "a semicolon", "\t": "a tabulator"}  # between cells


class Text(NamedTuple):
    """One row of a file: its number, as a spreadsheet counts, its text as it is written, and what else it says."""

    row: int
    text: str
    label: str
    finding: str = ""
    patient: str = ""
    split: str = ""


def read_texts(path: Path, columns: dict[str, str | None]) -> tuple[list[Text], list[str]]:
    """The rows of a CSV and lines for the reader; ``columns`` says how text, label, finding and patient are called.

    A cell that says nan, as pandas may write a missing value, is empty. Raises ValueError for what is no CSV with these
    columns, and for a row with other cells, without a label, or with another split.
    """
    wanted: dict[str, str] = {}  # column -> what it holds
    for what, name in columns.items():
        if name is None and what not in ("text", "label"):
            continue
        if not isinstance(name, str):
            raise ValueError(f"{what} is {shown(name)}: give the name of a column of the file.")
        if name in wanted:
            raise ValueError(f"The column {name!r} is to be {wanted[name]} and {what} at once: give each its own.")
        wanted[name] = what
    content, lines = file_text(path)
    rows, names = table_rows(path, content, list(wanted))
    at = {what: names.index(name) for name, what in wanted.items()}
    splits = [place for place, name in enumerate(names) if name.lower() == "split"]
    if len(splits) > 1:
        raise ValueError(f"{path} has {len(splits)} columns called split: leave one of them.")
    if splits:
        at["split"] = splits[0]
    found = [Text(row, **{what: cell_text(cells[place]) for what, place in at.items()}) for row, cells in rows]
    without = [text.row for text in found if not text.label]
    if without:
        raise ValueError(
            f"{path} has {len(without)} row(s) without a label, row {without[0]} the first: write it, or leave the row "
            "out."
        )
    for text in found:
        if len(text.label) > LONGEST_LABEL:
            raise ValueError(
                f"{path} has a label of {len(text.label)} characters in row {text.row}: say with label= which column "
                "holds the labels."
            )
        if "split" in at and text.split not in SPLITS:
            raise ValueError(
                f"{path} has another split than train, val and test in row {text.row}: write one of these."
            )
    return found, lines


def file_text(path: Path, wants: str = "a column of texts and one of labels") -> tuple[str, list[str]]:
    """The file as text, every end of line ``\\n``; a line says so where its encoding had to be guessed.

    ``wants`` says what the table should hold, for the sentences on what is none. A letter and its accent become one
    character, as they are typed: macOS may write them as two.
    """
    if not path.is_file():
        raise ValueError(f"{path} is no file: give a CSV file with {wants}.")
    content, lines = path.read_bytes(), []
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace").replace("\ufffd", "\0")
        lines.append("the file is not in UTF-8 and is read as Windows-1252: look whether its accents are right.")
    if "\0" in text:
        raise ValueError(f"{path} is no text file: save it as CSV in UTF-8.")
    if "\ufffd" in text:
        lines.append("letters of the file were lost when it was written (they are U+FFFD now): export it again.")
    if not text.strip():
        raise ValueError(f"{path} is empty: give a CSV file with {wants}.")
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")), lines


def table_rows(path: Path, content: str, wanted: list[str]) -> tuple[list[tuple[int, list[str]]], list[str]]:
    """The rows below the header, each with its number, and the columns' names; a row that is blank is skipped.

    Cells are parted by comma, semicolon or tabulator: by the one under which the header has the columns ``wanted``.
    Excel's first line, which only names that sign, is no row.
    """
    content = re.sub(r"\A\"?sep=.?\"?\n", "", content)
    start = len(content) - len(content := content.lstrip("\n")) + 1  # the row of the header
    header = content.partition("\n")[0]
    parted = {mark: [name.strip() for name in next(csv.reader([header], delimiter=mark))] for mark in MARKS}
    mark = max(parted, key=lambda mark: (set(wanted) <= set(parted[mark]), len(parted[mark])))
    names = parted[mark]
    if not {name.lower() for name in names} & {name.lower() for name in wanted}:  # no header, perhaps: none is shown
        raise ValueError(
            f"{path} has no column {' or '.join(map(repr, wanted))} in its first row: write the names of the columns "
            "there, or say what they are called."
        )
    for name in wanted:
        if name not in names:
            raise ValueError(f"{path} has no column {name!r}, and has {_shown(names)}: say which column it is.")
        if names.count(name) > 1:
            raise ValueError(f"{path} has {names.count(name)} columns {name!r}: leave one of them.")
    limit = csv.field_size_limit(MOST_CHARACTERS)
    rows = []
    try:
        for row, cells in enumerate(csv.reader(io.StringIO(content), delimiter=mark, strict=True), start):
            if row > start and any(cell.strip() for cell in cells):
                rows.append((row, cells))
    except csv.Error:
        raise ValueError(
            f"{path} has a quotation mark that is not closed, or not doubled, in row {len(rows) + 2} or below: mend it."
        ) from None
    finally:
        csv.field_size_limit(limit)
    for row, cells in rows:
        if len(cells) != len(names):
            raise ValueError(
                f"{path} has {len(cells)} cells in row {row} and {len(names)} columns: give each row as many, and put "
                f"texts that hold {MARKS[mark]} in quotation marks."
            )
    return rows, names


def cell_text(content: str) -> str:
    """What a cell says, without spaces around it; nothing where it says nan, as pandas may write a missing value."""
    content = content.strip()
    return "" if content.lower() == "nan" else content


def _shown(names: list[str]) -> str:
    """The columns' names; of a long one, which may be a text of a file without a header, the length alone."""
    return ", ".join(
        (name if len(name) <= LONGEST_NAME else f"one of {len(name)} characters") or "one without a name"
        for name in names
    )
