"""The folder of a report: one run's own, never another's; every file is whole or not there."""

import json
import os
import tempfile
from pathlib import Path

MARK = "run.json"  # says whose report the folder holds; written first
MADE_BY = "python -m medtl_helpers transfer"


class Unwritable(ValueError):
    """A file or folder that cannot be written; ``str()`` is one sentence."""

    def __init__(self, path: Path, error: OSError):
        super().__init__(
            f"{path} cannot be written ({error.strerror}): make room or give another --out, and run the command again "
            "(a search goes on where it stopped)."
        )


def check_place(out: Path, *roots: Path | None) -> None:
    """Raises ValueError where ``out`` is a file, lies inside a folder of images, or holds files of somebody else."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file: give a new folder as --out.")
    for root in roots:
        if root is not None and out.resolve() == root.resolve():
            raise ValueError("--out is the folder of images itself: give another.")
        if root is not None and out.resolve().is_relative_to(root.resolve()):
            raise ValueError(f"{out} lies inside {root}, where it would be taken for images: give another --out.")
    try:
        foreign = out.is_dir() and any(out.iterdir()) and read_mark(out) is None
    except OSError as error:
        raise Unwritable(out, error) from None
    if foreign:
        raise ValueError(f"{out} holds files that are no report of this command: give a new folder as --out.")


def read_mark(out: Path) -> dict | None:
    """The settings of the run whose report is in ``out``; None where there is none."""
    try:
        found = json.loads((out / MARK).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found["settings"] if isinstance(found, dict) and found.get("made by") == MADE_BY else None


def take_place(out: Path, settings: dict) -> bool:
    """Make ``out`` the folder of the run with these ``settings``; whether it was already.

    Raises ValueError, which names what differs, where it is that of another run, and where it cannot be written.
    """
    before, settings = read_mark(out), json.loads(json.dumps(settings))
    if before == settings:
        return True
    if before is not None:
        other = [name for name in settings if before.get(name) != settings[name]]
        raise ValueError(
            f"{out} holds the report of another run ({', '.join(other)} differ): give another --out, or run it as then."
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unwritable(out, error) from None
    write(out / MARK, json.dumps({"made by": MADE_BY, "settings": settings}, indent=1))
    return False


def write(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all: beside it first, then under its name. Raises ``Unwritable``."""
    data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    beside = None
    try:
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(beside, 0o666 & ~_umask())
        os.replace(beside, path)
    except OSError as error:
        raise Unwritable(path, error) from None
    finally:
        if beside is not None:
            Path(beside).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
