"""The page "How this course counts": its words are in ``counting.md``, its table comes from the benchmarks' records.

A record that names a primary comparison (``medtl_helpers/teaching/records.py`` says how) gets one row. The day on which
it was written down is asked of git, where there is one.
"""

import subprocess
from pathlib import Path

from pages import table

from medtl_helpers.methods.intervals import Interval
from medtl_helpers.teaching.course_map import LESSONS, number_of
from medtl_helpers.teaching.records import Record

HERE, FIELD = Path(__file__).parent, "{{ primary comparisons }}"
HEAD = ["lesson", "primary comparison", "margin", "written down", "result", "strongest opponent"]


def page(template: str, records: dict[str, dict]) -> str:
    """``template`` with the table of all primary comparisons in the place of its field."""
    if FIELD not in template:
        raise LookupError(f"counting.md has no line {FIELD}, where the table of primary comparisons belongs.")
    found = [Record(file, part) for file, part in primaries(records)]
    rows = [_row(record) for record in sorted(found, key=lambda record: record.about["primary"]["lesson"])]
    return template.replace(FIELD, table(HEAD, rows))


def primaries(records: dict[str, dict]) -> list[tuple[str, str | None]]:
    """The file, and the part, of each record that names a primary comparison."""
    found = []
    for file, about in records.items():
        parts = {None: about} | {name: part for name, part in about.items() if isinstance(part, dict)}
        found += [(file, name) for name, part in parts.items() if "primary" in part]
    return found


def verdict(interval: Interval, margin: float, *, less_is_better: bool = False) -> str:
    """What the interval says of a difference that matters from ``margin`` on: settled in one direction, or not."""
    above, below = ("worse", "better") if less_is_better else ("better", "worse")
    if interval.low > margin:
        return f"settled: {above} by more than the margin"
    if interval.high < -margin:
        return f"settled: {below} by more than the margin"
    if -margin < interval.low and interval.high < margin:
        return "settled: no difference beyond the margin"
    return "undecided"


def is_error(score: str) -> bool:
    """Whether less of this score is better."""
    return "loss" in score or score == "RMSE"


def _row(record: Record) -> list:
    about, interval = record.about["primary"], record.primary
    name = about["lesson"]
    ours, opponent = (
        record.scores(about[way], about["score"], **about["where"]).mean() for way in ("ours", "opponent")
    )
    return [
        f"[{number_of(name)} {LESSONS[name].title}](notebooks/{name}.ipynb)",
        about["comparison"],
        f"{about['margin']:g} in {about['score']}",
        written(about["written"]),
        f"{interval}: {verdict(interval, about['margin'], less_is_better=is_error(about['score']))}",
        f"{about['opponent']}: {opponent:.3f} ({about['ours']}: {ours:.3f})",
    ]


def written(commit: str) -> str:
    """A commit with its day, where git knows it."""
    asked = ["git", "show", "--no-patch", "--format=%cs", commit]
    day = subprocess.run(asked, capture_output=True, text=True, cwd=HERE).stdout.strip()
    return f"{day} (`{commit}`)" if day else f"`{commit}`"
