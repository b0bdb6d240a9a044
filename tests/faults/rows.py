"""What one row of the table of faults is, and what "one sentence" means."""

from typing import NamedTuple


class Row(NamedTuple):
    """One fault that a test tries; the test holds ``sees`` against what the user reads, and looks for ``kept``."""

    fault: str
    sees: str
    kept: str


def one_sentence(error) -> str:
    """The text of ``error``, which must be one sentence in one line."""
    text = str(error)
    assert text.endswith(".") and ". " not in text and "\n" not in text, text
    return text
