"""What one row of the table of faults is, and what "one sentence" means."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Row(NamedTuple):
    """One fault that a test tries; the test holds ``sees`` against what the user reads, and looks for ``kept``."""

    fault: str
    sees: str
    kept: str


NOTHING_RIGHT: dict[str, Callable] = {  # made anew each time: values that hardly any argument takes
    "None": lambda: None,
    "text": lambda: "wrong",
    "True": lambda: True,
    "NaN": lambda: float("nan"),
    "below 0": lambda: -1,
    "a fraction": lambda: 0.5,
    "an empty list": list,
    "texts": lambda: ["a", "b"],
    "rows of unequal length": lambda: [[1, 2], [3]],
    "a dict": dict,
    "a generator": lambda: (k for k in range(3)),
    "an object": object,
}


def of_ours(error: BaseException) -> str:
    """The text of ``error``, which must be one sentence that this package says, and no library that it calls.

    Its last frame is one of ours, and what Python itself says there (of None, say) is no sentence.
    """
    assert isinstance(error, ValueError | TypeError | KeyError | FileNotFoundError | FloatingPointError), repr(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    assert "medtl_helpers" in Path(last.filename).parts, f"{error!r} of {last.filename}"
    return one_sentence(error.args[0])


def unclear(call: Callable, arguments: Callable[[], dict], wrong: dict[str, Callable], parameters=None) -> str:
    """Where ``call`` ends in anything else than one sentence of ours, a line each: "" where it never does.

    Each of the ``parameters`` (None: all) in turn gets each of the values that the functions of ``wrong`` make;
    ``arguments`` makes the right ones anew each time, since a call may change them.
    """
    found = []
    for parameter in arguments() if parameters is None else parameters:
        for kind, make in wrong.items():
            try:
                call(**arguments() | {parameter: make()})
            except Exception as error:
                try:
                    of_ours(error)
                except AssertionError as why:
                    found.append(f"{parameter} = {kind}: {why}")
    return "\n".join(found)


def one_sentence(error) -> str:
    """The text of ``error``, which must be one sentence in one line."""
    text = str(error)
    assert text.endswith(".") and ". " not in text and "\n" not in text, text
    return text
