"""Lines for people: printed so that every terminal can show them, and no name of a file can stop a program."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PLAIN = {"✓": "[ok]", "▣": "[recorded]", "○": "[not yet]", "✗": "[no]", "−": "-", "→": "->", "×": "x", "·": ".",
         "…": "...", "≤": "<=", "≥": ">=", "λ": "lambda", "“": '"', "”": '"', "’": "'", "–": "-", "—": "-"}  # fmt: skip


_muted = False
_change: Callable[[str], str] = str


def mute() -> None:
    """From now on ``say`` prints nothing in this process: of several that do the same, one speaks."""
    global _muted
    _muted = True


@contextmanager
def worded(change: Callable[[str], str]) -> Iterator[None]:
    """Within it ``say`` prints ``change(text)``: the same line, for readers who see another side of the program."""
    global _change
    before, _change = _change, change
    try:
        yield
    finally:
        _change = before


def say(*texts: str) -> None:
    """``print`` the texts, one a line, whatever the terminal's encoding.

    A character that the terminal does not have is written in plain letters (``−`` as ``-``), or as ``?``. The old
    terminal of Windows (cp1252) has no check mark, and a file name from another system may hold bytes that are no
    character at all: ``print`` would stop there with a UnicodeEncodeError.
    """
    for text in () if _muted else texts:
        print(printable(_change(text), getattr(sys.stdout, "encoding", None) or "utf-8"))


def printable(text: str, encoding: str) -> str:
    """``text`` with only those characters that ``encoding`` has."""

    def has(character: str) -> bool:
        try:
            character.encode(encoding)
        except UnicodeEncodeError:
            return False
        return True

    return "".join(c if has(c) else printable(PLAIN[c], encoding) if c in PLAIN else "?" for c in text)
