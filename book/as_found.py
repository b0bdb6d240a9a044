"""The page "What the web gets wrong": its words are in ``as_found.md``, its numbers come from the checks' records.

A line ``{{ effect 04: claim | key, key }}`` in the template becomes what the check with that claim recorded in notebook
04: the figures of these keys, or all of them. ``effect`` also names the data on which it was measured; ``fact`` does
not (a gradient, a count, an error message, or data that the page names itself); ``recorded NAME`` names the record of
the benchmarks instead, with its seeds. A claim or a key that no record has raises LookupError, so that the page cannot
drift from the notebooks.

``python book/as_found.py [_run/checks.json]`` prints the page.
"""

import json
import re
import sys
from pathlib import Path

import pages

from medtl_helpers.teaching.course_map import number_of

FIELD = re.compile(r"^\{\{ (effect|fact|recorded \S+) (\d\d\w?): (.+?)(?: \| (.+?))? \}\}$", re.MULTILINE)


def page(template: str, checks: list[dict], records: dict[str, dict]) -> str:
    """``template`` with every field filled from ``checks`` (``_run/checks.json``) and ``records`` (the benchmarks)."""

    def fill(field: re.Match) -> str:
        kind, notebook, claim, keys = field.groups()
        check = _find(checks, notebook, claim)
        missing = set(keys.split(", ") if keys else ()) - set(check["figures"])
        if missing:
            raise LookupError(f"The check {claim!r} of notebook {notebook} has no figure {', '.join(sorted(missing))}.")
        shown = {key: check["figures"][key] for key in (keys.split(", ") if keys else check["figures"])}
        numbers = "; ".join(f"{key.replace('_', ' ')} {number(value)}" for key, value in shown.items())
        holds = "" if check["passed"] else "does not hold on these data: "
        return f"- {holds}{claim}: *{numbers}* ({_source(kind, check, records)})"

    filled = FIELD.sub(fill, template)
    left = re.search(r"\{\{.*", filled)
    if left:
        raise LookupError(f"This field of the page is not understood: {left[0]}")
    return filled


def number(value) -> str:
    """A figure in three digits; an interval with its name."""
    if isinstance(value, dict):
        return f"{pages.number(value)} ({value['level']:.0%} {value['kind']}, n = {value['n']})"
    return pages.number(value)


def _find(checks: list[dict], notebook: str, claim: str) -> dict:
    for check in checks:
        if number_of(check["notebook"]) == notebook and check["claim"] == claim:
            return check
    raise LookupError(f"No check of notebook {notebook} claims {claim!r}: change as_found.md with the notebook.")


def _source(kind: str, check: dict, records: dict[str, dict]) -> str:
    notebook = f"notebook {number_of(check['notebook'])}"
    if kind == "fact":
        return notebook
    if kind == "effect":
        return f"{notebook}, data: {pages.DATA.get(check['data'], check['data'])}"
    name, *parts = kind.removeprefix("recorded ").split("/")
    record = records[name]
    for part in parts:
        record = record[part]
    seeds = record["seeds"]
    return f"{notebook}, recorded in `{name}.json`, seeds {seeds[0]} to {seeds[-1]}, commit {record['commit']}"


def main(root: Path = Path(__file__).parent.parent) -> None:
    """Print the page."""
    checks = json.loads(Path(sys.argv[1] if sys.argv[1:] else root / "_run" / "checks.json").read_text("utf-8"))
    template = (root / "book" / "as_found.md").read_text("utf-8")
    print(page(template, checks, pages.recorded(root / "benchmarks" / "results")))


if __name__ == "__main__":
    main()
