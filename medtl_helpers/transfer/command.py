"""``python -m medtl_helpers transfer FOLDER``: from a folder of images to a report, in one call.

The order keeps the test honest: look at the files, choose a way on validation (``auto_transfer``), find temperature and
threshold on validation, and only then look at the answers to the test images, once.
"""

import hashlib
import math
import re
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from ..console import say, worded
from ..data.pixels import MIN_SIDE
from ..methods import distributed
from ..methods.auto_transfer import auto_transfer
from ..parts import check_whole
from . import report
from .elsewhere import look_elsewhere
from .judging import judge, make_recipe
from .looking import Seen, as_folder
from .place import check_place, take_place, write
from .predicting import predict_folder
from .preparing import prepare
from .there import look_there

LOG = "search.jsonl"
MAX_SIDE = 1024  # pixels
IN_OPTIONS = {  # what a caller in Python is told, and what stands there for the command line
    r"\bpatients=…": "--patients",
    r"\bwith stream='…'": "by TMPDIR=…",
    r"\b(positive|patients)=(?=')": r"--\1 ",
    r" task\.duplicates\(\) lists them.*": "",
}
FILES: dict[str, Callable[[report.Run], str | bytes]] = {
    "report.html": report.as_page,
    "report.json": report.as_json,
    "test_answers.csv": report.as_csv,
    "model.pt": report.as_model,
}


def transfer(
    folder,
    *,
    target=None,
    minutes: float = 10,
    out="report",
    positive: str | None = None,
    patients: str | None = None,
    seed: int = 0,
    size: int | None = None,
) -> report.Run:
    """Describe the images in ``folder``, choose a way to transfer within some ``minutes``, test it once, and write a
    report into the folder ``out``: ``report.html``, ``report.json``, ``test_answers.csv`` and ``model.pt``.

    Parameters
    ----------
    folder, positive, patients, seed: as in ``load_folder``. Unlike there, unusable files are named and left out, and
        so are the images, in the earlier split, of patients who stand in two given splits.
    target: a folder with images of a second hospital. They are its labels where its folders are called like the
        classes; nothing is chosen on them.
    size: pixels a side; None: ``choose_size`` says.

    The same folder and options go on where an earlier run in the same ``out`` stopped, and give the same report. Ctrl-C
    during the search ends it, and the report is of what it had found. Raises ValueError, one sentence, for what cannot
    be done, and where ``out`` is another run's or holds files of somebody else.
    """
    if not 0 < minutes < math.inf:
        raise ValueError(f"--minutes is {minutes:g}: give a number above 0.")
    seed = check_whole(seed, "--seed", least=0)
    if size is not None and not MIN_SIDE <= check_whole(size, "--size") <= MAX_SIDE:
        raise ValueError(f"--size is {size}: give {MIN_SIDE} to {MAX_SIDE} pixels.")
    root = as_folder(folder, "your class folders, or train, val and test folders with these")
    out = Path(out).expanduser()
    elsewhere_root = None if target is None else as_folder(target, "the second hospital's images")
    if distributed.is_main():
        check_place(out, root, elsewhere_root)
    if elsewhere_root is not None and root.resolve() == elsewhere_root.resolve():
        raise ValueError(f"--target is {root} itself: give the folder of another hospital, or leave it out.")
    prepared = prepare(root, positive=positive, patients=patients, seed=seed, size=size, minutes=minutes)
    there = None if target is None else look_there(target, prepared.task, patients)
    settings = {
        "minutes": minutes,
        "positive": positive,
        "patients": patients,
        "seed": seed,
        "size": size,
        "target": None if target is None else str(target),
        "images": digest(prepared.seen.values()),
        "images there": None if there is None else digest(there.seen),
    }
    if distributed.agree(distributed.is_main() and take_place(out, settings)):
        say(f"{out} holds an earlier run of this command on these images: it goes on from there.")
    task = prepared.task
    found = auto_transfer(task, minutes, seed=seed, out=out / LOG, defaults=True, average=True)
    recipe = make_recipe(task.classes, task.positive, np.asarray(task.val.y), found.validation)
    people = None if task.patients is None else task.patients["test"]
    judged = judge(recipe, task.test.y, found.test, people, seed=seed)
    elsewhere = None
    if there is not None:
        elsewhere = look_elsewhere(there, found.model, recipe, task, seed=seed)
    run = report.Run(settings, as_command(folder, out, settings), prepared, found, recipe, judged, elsewhere)
    if distributed.is_main():
        for name, make in FILES.items():
            write(out / name, make(run))
    say(run.facts["metrics"], f"The report is {out / 'report.html'}. {report.WARNING}")
    return run


def run_command(command: str, **options) -> int:
    """``transfer`` or ``predict`` for people: what cannot be done is one sentence; returns the exit status."""
    with worded(in_options):
        return _run_command(command, **options)


def _run_command(command: str, **options) -> int:
    try:
        with distributed.started():
            if command == "transfer":
                transfer(**options)
            elif distributed.is_main():
                predict_folder(**options)
    except KeyboardInterrupt:
        say("Stopped by Ctrl-C: nothing is lost, and the same command goes on where it stopped.")
        return 130
    except (ValueError, FloatingPointError, MemoryError) as error:
        say(str(error))
        return 2
    except OSError as error:
        say(f"{error.filename or 'A file'} cannot be used ({error.strerror}): look at its path and rights.")
        return 2
    return 0


def in_options(text: str) -> str:
    """A line of the library, with the options of the command line in place of arguments and calls of Python."""
    for python, option in IN_OPTIONS.items():
        text = re.sub(python, option, text)
    return text


def digest(seen: Iterable[Seen]) -> str:
    """One hash of the names and contents of all image files."""
    found = hashlib.sha256()
    for file, content in sorted((one.file, one.sha256) for one in seen):
        found.update(f"{file}\0{content}\n".encode("utf-8", "surrogateescape"))
    return found.hexdigest()


def as_command(folder, out: Path, settings: dict) -> str:
    """The line that repeats the run."""
    words = ["python", "-m", "medtl_helpers", "transfer", str(folder)]
    for name in ("target", "minutes", "out", "positive", "patients", "seed", "size"):
        value = out if name == "out" else settings[name]
        if value is not None:
            words += [f"--{name}", f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join(words)
