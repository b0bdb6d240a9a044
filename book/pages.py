"""The pages that are written from records: each function returns the Markdown of one page."""

import ast
import json
from pathlib import Path

from medtl_helpers import course
from medtl_helpers.lessons import LESSONS

DATA = {"none": "no data", "own": "own data", "mixed": "real and twin"}
MARK = {True: "✓ holds", False: "○ does not hold here"}


def table(head: list[str], rows: list[list]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def number(value) -> str:
    """A recorded figure of a check in three digits; an interval as ``0.14 [0.10, 0.19]``; long lists shortened."""
    if isinstance(value, dict) and {"value", "low", "high"} <= set(value):
        return f"{number(value['value'])} [{number(value['low'])}, {number(value['high'])}]"
    if isinstance(value, list):
        shown = [number(v) for v in value[:6]] + (["…"] if len(value) > 6 else [])
        return ", ".join(shown)
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def figures(check: dict) -> str:
    """The numbers behind a check, in words."""
    return "; ".join(f"{name.replace('_', ' ')}: {number(value)}" for name, value in check["figures"].items())


def headline_table(checks: list[dict], link: str) -> str:
    """One row for each notebook; ``link`` is the address of a notebook with ``{}`` for its name."""
    rows = [
        [f"[{check['notebook'][:2]} {LESSONS[check['notebook']][0]}]({link.format(check['notebook'])})",
         check["claim"], figures(check), _where(check)]
        for check in course.headlines(checks)
    ]  # fmt: skip
    return table(["notebook", "what it found", "numbers", "data"], rows)


def _where(check: dict) -> str:
    return DATA.get(check["data"], check["data"])


def results(checks: list[dict]) -> str:
    """Every claim that the notebooks check, with its numbers, as this build executed them."""
    held = sum(check["passed"] for check in checks)
    parts = [
        "# Results",
        f"Every sentence of the course that states a number has a check behind it. This page is written from the "
        f"records of those checks, made when the notebooks of this book were executed: {held} of {len(checks)} hold.",
        "A claim about data (an *effect*) binds where it was established: there the book is not built unless it holds. "
        "On other data it is measured, and may fail. *Twin* data are drawn by code; *real/ImageNet* means real data "
        "and ImageNet's weights; brackets are 95 % intervals.",
        "## In short",
        headline_table(checks, "notebooks/{}.ipynb"),
    ]
    for name in dict.fromkeys(check["notebook"] for check in checks):
        rows = [
            [check["claim"], figures(check), _where(check), MARK[check["passed"]]]
            for check in checks
            if check["notebook"] == name
        ]
        parts += [f"## {name[:2]} {LESSONS[name][0]}", table(["claim", "numbers", "data", "checked"], rows)]
    return "\n\n".join(parts) + "\n"


def timings(record: dict, rows: list[dict]) -> str:
    """Minutes to read and seconds to run: as recorded, and as this build measured them."""
    recorded = [
        [f"[{name[:2]} {title}](notebooks/{name}.ipynb)", f"{minutes} min", *_recorded(record, name)]
        for name, (title, _, minutes) in LESSONS.items()
    ]
    measured = [[r["notebook"], r["seconds"], r["peak_mb"], r["device"], r["data"]] for r in rows]
    return "\n\n".join([
        "# Times",
        "How long the course takes. The recorded seconds are the ones that the notebooks print.",
        "## Recorded",
        table(["notebook", "to read", *(f"seconds ({where}, {cores})" for where, cores in record["machine"].items())],
              recorded),
        "## Measured when this book was made",
        "On whatever machine that was, perhaps a busy one.",
        table(["notebook", "seconds", "peak memory, MB", "device", "data"], measured),
    ]) + "\n"  # fmt: skip


def _recorded(record: dict, name: str) -> list:
    return [record["seconds"].get(name, {}).get(where, "not recorded") for where in record["machine"]]


def data(readme: str, cards: dict[str, dict]) -> str:
    """The data cards, after what ``datasets/README.md`` says about all of them."""
    parts = [readme.strip().replace("# Data sets", "# Data cards", 1)]
    for name, card in cards.items():
        facts = {
            "name in the course": f"`{name}`",
            "licence": f"{card['licence']}. {card['conditions']}",
            "classes": ", ".join(_classes(card)),
            "images": ", ".join(f"{k} {n:,}" for k, n in card.get("splits", {}).items()),
            "**what it is not for**": card["not_for"],
            "cite": "; ".join(card["citation"]),
            "DOI": f"[{card['doi']}](https://doi.org/{card['doi']})",
        }
        rows = [[key, value] for key, value in facts.items() if value]
        parts += [f"## {card['title']}", card["what"], table(["fact", "value"], rows)]
    return "\n\n".join(parts) + "\n"


def _classes(card: dict) -> list[str]:
    """The class names, the disease class marked."""
    return [f"{c} (positive)" if k == card.get("positive") else c for k, c in enumerate(card.get("classes", []))]


def benchmarks(readme: str, records: dict[str, dict]) -> str:
    """What the benchmarks are, and who made each record: command, seeds, device, commit."""
    rows = []
    for name, record in records.items():
        for part, about in _with_command(record).items():
            seeds = about["seeds"]
            spread = f"{seeds[0]} to {seeds[-1]} ({len(seeds)})" if len(seeds) > 1 else str(seeds[0])
            rows.append([f"{{download}}`{name}.json <records/{name}.json>` {part}", f"`{about['command']}`", spread,
                         about["device"], about["seconds"], about["commit"]])  # fmt: skip
    head = ["record", "command", "seeds", "device", "seconds", "commit"]
    return f"{readme.strip()}\n\n## The records\n\n{table(head, rows)}\n"


def _with_command(record: dict) -> dict[str, dict]:
    """The record itself, or its parts, whichever say how they were made."""
    if "command" in record:
        return {"": record}
    return {name: part for name, part in record.items() if isinstance(part, dict) and "command" in part}


def modules(package: Path) -> dict[str, str]:
    """Module name -> first paragraph of its docstring; without the command line and the answers to the exercises."""
    found = {}
    for path in sorted(package.glob("[!_]*.py")):
        if path.stem.startswith("answers"):
            continue
        text = ast.get_docstring(ast.parse(path.read_text("utf-8")))
        found[path.stem] = " ".join(text.split("\n\n")[0].split())
    return found


def api(found: dict[str, str], public: dict[str, tuple]) -> str:
    """The index of the reference: every module, what it holds, and its names in ``import medtl_helpers as mtl``."""
    rows = [
        [f"[{name}](api/{name}.md)", text, ", ".join(f"`{n}`" for n in public.get(name, ()))]
        for name, text in found.items()
    ]
    return "\n\n".join([
        "# Reference of the code",
        "`medtl_helpers` is meant to be read: small modules, one idea each. Every page here ends at the source code "
        "itself, one click away. `import medtl_helpers as mtl` gives the names of the last column; the rest is in its "
        "module, e.g. `mtl.dann.lambda_schedule`.",
        table(["module", "what it holds", "names in `mtl`"], rows),
    ]) + "\n"  # fmt: skip


def api_page(name: str) -> str:
    """The reference of one module."""
    return (
        f"# {name}\n\n```{{eval-rst}}\n.. automodule:: medtl_helpers.{name}\n   :members:\n   :show-inheritance:\n```\n"
    )


def solutions() -> str:
    """The page above the solved exercises."""
    return (
        "# Solutions\n\n"
        "The exercises of each notebook, solved and executed, each with its check. Try them first: in the notebook, "
        "a check under each exercise knows the typical wrong answers and says what is wrong.\n"
    )


def recorded(folder: Path) -> dict[str, dict]:
    """All records by name, without the times, which have a page of their own."""
    paths = [path for path in sorted(folder.glob("*.json")) if path.stem != "timings"]
    return {path.stem: json.loads(path.read_text("utf-8")) for path in paths}
