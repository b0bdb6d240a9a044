"""The statistics policy of the book: its table, and that what a record calls primary was written down before it ran."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from medtl_helpers.methods.intervals import Interval
from medtl_helpers.teaching import records
from medtl_helpers.teaching.course_map import LESSONS

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "book"))

import counting  # noqa: E402
import pages  # noqa: E402

RESULTS = pages.recorded(ROOT / "benchmarks" / "results")
PRIMARY = counting.primaries(RESULTS)


def git(*asked: str) -> subprocess.CompletedProcess:
    return subprocess.run(["git", *asked], capture_output=True, text=True, cwd=ROOT)


def about(file: str, part: str | None) -> dict:
    return RESULTS[file] if part is None else RESULTS[file][part]


def test_the_table_says_what_was_asked_when_and_what_came_out(monkeypatch):
    primary = {
        "lesson": "05_dann",
        "comparison": "a | b",
        "ours": "a",
        "theirs": "b",
        "where": {},
        "score": "accuracy",
        "margin": 0.02,
        "written": "0000000",
        "opponent": "c",
    }
    rows = [{"way": way, "scores": {"accuracy": values}} for way, values in (("a", [0.9, 0.8]), ("b", [0.8, 0.7]))]
    rows.append({"way": "c", "scores": {"accuracy": [0.7, 0.9]}})
    header = {"command": "x", "seeds": [1, 2], "commit": "abc", "score": "accuracy", "rows": rows, "primary": primary}
    monkeypatch.setattr(records, "recorded", lambda file: {"real": header})
    page = counting.page("# Title\n\n{{ primary comparisons }}\n", {"x": {"real": header}})
    assert r"| a \| b | 0.02 in accuracy | `0000000` | 0.100 [0.100, 0.100]" in page
    assert "c: 0.800 (a: 0.850)" in page and "(notebooks/05_dann.ipynb)" in page
    with pytest.raises(LookupError, match="no line"):
        counting.page("# Title", {})


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.03, 0.09, "better by more"),
        (0.01, 0.09, "undecided"),
        (-0.09, -0.03, "worse by more"),
        (-0.09, -0.01, "undecided"),
        (-0.01, 0.01, "no difference"),
        (-0.09, 0.09, "undecided"),
    ],
)
def test_a_difference_is_settled_only_beyond_the_margin(low, high, said):
    interval = Interval((low + high) / 2, low, high, "t over seeds", 10)
    assert said in counting.verdict(interval, 0.02)
    turned = {"better by more": "worse by more", "worse by more": "better by more"}.get(said, said)
    assert turned in counting.verdict(interval, 0.02, less_is_better=True)  # as of a loss


def test_no_lesson_has_two_primary_comparisons():
    lessons = [about(*found)["primary"]["lesson"] for found in PRIMARY]
    assert len(set(lessons)) == len(lessons) and set(lessons) <= set(LESSONS)


@pytest.mark.parametrize("found", PRIMARY, ids=lambda found: "/".join(filter(None, found)))
def test_a_primary_comparison_was_committed_before_its_seeds_ran(found):
    if git("rev-parse", "--is-inside-work-tree").returncode:
        pytest.skip("This is no checkout, so nothing can be asked about its history.")
    header = about(*found)
    primary, script = header["primary"], re.search(r"benchmarks/\w+\.py", header["command"]).group()
    if git("cat-file", "-e", primary["written"]).returncode and (ROOT / ".git" / "shallow").is_file():
        pytest.skip("This checkout is shallow: the commit is not in it.")
    text = git("show", f"{primary['written']}:{script}").stdout
    assert "Primary comparison" in text, f"{script} did not name it in {primary['written']}"
    before = git("merge-base", "--is-ancestor", primary["written"], header["commit"])
    assert before.returncode == 0, (
        f"{primary['written']} is not before {header['commit']}, at which the record was made"
    )
    old = json.loads(git("show", f"{primary['written']}:benchmarks/results/{found[0]}.json").stdout or "{}")
    old = old if found[1] is None else old.get(found[1], {})
    assert "primary" not in old, "the record was there already when the comparison was written down"
