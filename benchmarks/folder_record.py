"""What the two benchmarks of the command on folders share: their command line, and the record that they write."""

import argparse
import os
from collections.abc import Callable

from folder_search import remember_features
from record import Log, fill, header, tidy, total_seconds, write
from search_parts import answered, compared, level_on


def write_record(
    log: Log,
    cells,
    tests: dict,
    ours: str,
    others,
    *,
    fixed: dict,
    margin: float,
    level: float,
    about: dict,
    together=None,
) -> None:
    """``results/<name of the log>.json``, once all ``cells`` are there: what is told ``about`` them, intervals, rows.

    ``tests`` holds the test labels by task. ``ours`` is compared with each of the ``others``: by task at the ``level``,
    and on the mean of the tasks ``together`` (None: of all). The sentence counts the tasks on which it is level with
    every ``fixed`` way.
    """
    runs = log.runs()
    seeds = sorted({cell["seed"] for cell in cells})
    known, rows = answered(runs), tidy(runs, cells, seconds=True)
    for one in rows:
        one["chosen"] = [known[one["task"], seed, one["way"]]["chosen"] for seed in seeds]
    intervals = compared(known, tests, seeds, ours, others, level=level, margin=margin, together=together)
    result = header(seeds=seeds, seconds=total_seconds(runs)) | about
    result |= {
        "score": "auroc",
        "tasks": list(tests),
        "margin": margin,
        "fixed ways": {name: str(way) for name, way in fixed.items()},
        "level or better on": level_on(intervals, tests, fixed),
        "compared": intervals,
        "rows": rows,
    }
    write(log.path.stem, result)


def main(doc: str, log: Log, cells: list[dict], compute: Callable, summarise: Callable[[], None]) -> None:
    """Compute the cells, or those of the tasks that the command line names; when all are there, ``summarise``."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", help="only these, for several processes")
    asked = parser.parse_args()
    if not os.environ.get("MEDTL_VGG16"):
        parser.error("MEDTL_VGG16 is not set: the general source is one of the rows.")
    remember_features()
    fill(log, [cell for cell in cells if cell["task"] in (asked.tasks or [cell["task"]])], compute)
    if not asked.tasks:
        summarise()
