"""What one row of the table of faults is, and what "one sentence" means."""

import traceback
from pathlib import Path
from typing import NamedTuple


class Row(NamedTuple):
    """One fault that a test tries; the test holds ``sees`` against what the user reads, and looks for ``kept``."""

    fault: str
    sees: str
    kept: str


def of_ours(error: BaseException) -> str:
    """The text of ``error``, which must be one sentence that this package says, and no library that it calls.

    Its last frame is one of ours, and what Python itself says there (of None, say) is no sentence.
    """
    assert isinstance(error, ValueError | TypeError | KeyError | FileNotFoundError | FloatingPointError), repr(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    assert "medtl_helpers" in Path(last.filename).parts, f"{error!r} of {last.filename}"
    return one_sentence(error.args[0])


def one_sentence(error) -> str:
    """The text of ``error``, which must be one sentence in one line."""
    text = str(error)
    assert text.endswith(".") and ". " not in text and "\n" not in text, text
    return text
