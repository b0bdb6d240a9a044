"""The pages that are written from records: each function returns the Markdown of one page."""

import ast
import json
from pathlib import Path

from medtl_helpers.teaching import run as course
from medtl_helpers.teaching.course_map import LESSONS, number_of

DATA = {"none": "no data", "own": "own data", "mixed": "real and twin"}
NOW, RECORDED, NOT_HERE = "✓ holds", "▣ recorded, holds", "○ does not hold here"
MOST_MB = 2000  # of memory, for one lesson


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
        [
            f"[{number_of(check['notebook'])} {LESSONS[check['notebook']].title}]({link.format(check['notebook'])})",
            check["claim"],
            figures(check),
            _where(check),
        ]
        for check in course.headlines(checks)
    ]
    return table(["notebook", "what it found", "numbers", "data"], rows)


def _where(check: dict) -> str:
    return DATA.get(check["data"], check["data"])


def _mark(check: dict) -> str:
    """Computed just now, or read from a record; or neither holds."""
    if not check["passed"]:
        return NOT_HERE
    return RECORDED if check.get("recorded") else NOW


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
            [check["claim"], figures(check), _where(check), _mark(check)]
            for check in checks
            if check["notebook"] == name
        ]
        parts += [f"## {number_of(name)} {LESSONS[name].title}", table(["claim", "numbers", "data", "checked"], rows)]
    return "\n\n".join(parts) + "\n"


def timings(record: dict, rows: list[dict]) -> str:
    """Minutes to read and seconds to run: as recorded, and as this build measured them."""
    recorded = [
        [
            f"[{number_of(name)} {about.title}](notebooks/{name}.ipynb)",
            f"{about.minutes} min",
            f"{about.seconds} s",
            *_recorded(record, name),
        ]
        for name, about in LESSONS.items()
    ]
    recorded.append(["all", f"{sum(about.minutes for about in LESSONS.values())} min", "", *_in_all(record)])
    measured = [[r["notebook"], r["seconds"], r["peak_mb"], r["device"], r["data"]] for r in rows]
    return (
        "\n\n".join(
            [
                "# Times",
                "How long the course takes. The recorded seconds are the ones that the notebooks print. Each lesson "
                f"has a budget of seconds, on twins and a quiet processor of two cores, and of {MOST_MB} MB of memory.",
                "## Recorded",
                table(
                    [
                        "notebook",
                        "to read",
                        "budget",
                        *(f"{where}, {cores}" for where, cores in record["machine"].items()),
                    ],
                    recorded,
                ),
                "## Measured when this book was made",
                "On whatever machine that was, perhaps a busy one.",
                table(["notebook", "seconds", "peak memory, MB", "device", "data"], measured),
            ]
        )
        + "\n"
    )


def _recorded(record: dict, name: str) -> list[str]:
    cells = []
    for where in record["machine"]:
        seconds, peak = (record[what].get(name, {}).get(where) for what in ("seconds", "peak MB"))
        cells.append(f"{seconds} s, {peak} MB" if seconds else "not recorded")
    return cells


def _in_all(record: dict) -> list[str]:
    """Seconds of all notebooks together, and the most memory that one of them takes."""
    cells = []
    for where in record["machine"]:
        seconds, peaks = (
            [entry[where] for entry in record[what].values() if where in entry] for what in ("seconds", "peak MB")
        )
        cells.append(f"{sum(seconds):.0f} s, at most {max(peaks)} MB" if len(seconds) == len(LESSONS) else "—")
    return cells


def data(readme: str, cards: dict[str, dict]) -> str:
    """The data cards, after what ``datasets/README.md`` says about all of them."""
    parts = [readme.strip().replace("# Data sets", "# Data cards", 1)]
    for name, card in cards.items():
        facts = {
            "name in the course": f"`{name}`",
            "licence": f"{card['licence']}. {card['conditions']}",
            "classes": ", ".join(_classes(card)),
            "images": ", ".join(f"{k} {n:,}" for k, n in (card.get("splits") or _of_kinds(card)).items()),
            "sequences": _sequences(card),
            "molecules": f"{card['rows']:,} rows in the file" if card.get("kind") == "molecule" else "",
            "**what it is not for**": card["not_for"],
            "cite": "; ".join(card["citation"]),
            "DOI": f"[{card['doi']}](https://doi.org/{card['doi']})",
        }
        rows = [[key, value] for key, value in facts.items() if value]
        parts += [f"## {card['title']}", card["what"], table(["fact", "value"], rows)]
    return "\n\n".join(parts) + "\n"


def _of_kinds(card: dict) -> dict[str, int]:
    """How many pictures there are of each kind."""
    return {kind: about["pictures"] for kind, about in card.get("kinds", {}).items()}


def _sequences(card: dict) -> str:
    """How many distinct sequences of each class a set of sequences has, and of what length."""
    if card.get("kind") != "sequence":
        return ""
    counts = ", ".join(f"{n:,} {c}" for c, n in zip(card["classes"], card["class_totals"], strict=True))
    return f"{counts}, of {card['length']} bases; {card['rows']:,} rows in the file"


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
            rows.append(
                [
                    f"{{download}}`{name}.json <records/{name}.json>` {part}",
                    f"`{about['command']}`",
                    spread,
                    f"{about['device']}, {about['seconds']} s, {about['commit']}",
                ]
            )
    head = ["record", "command", "seeds", "device, seconds, commit"]
    parts = [readme.strip(), "## The records", table(head, rows)]
    parts += ratios(records["ratios"]) if "ratios" in records else []
    parts += authors(records["medmnist_way"]) if "medmnist_way" in records else []
    parts += growth(records["scale"]) if "scale" in records else []
    parts += streams(records["streams"]) if "streams" in records else []
    return "\n\n".join(parts) + "\n"


def ratios(record: dict) -> list[str]:
    """The pairs of ``benchmarks/ratios.py``: what was aimed at, and whether it is reached."""
    rows = []
    for pair in record["pairs"]:
        times, words = pair["ratios"], "faster" if pair["speedup"] else "as long"
        aim = "—" if pair["aim"] is None else f"{'≥' if pair['speedup'] else '≤'} {pair['aim']:g}"
        reached = pair["aim"] is None or (pair["median"] >= pair["aim"]) == pair["speedup"]
        rows.append(
            [
                f"{pair['what']}: {pair['ours']}, beside {pair['theirs']}",
                f"{pair['median']:.3g} × {words} ({min(times):.3g} to {max(times):.3g})",
                aim if pair["aim"] is None else f"{aim} {'✓' if reached else '✗'}",
            ]
        )
    return [
        "## Ratios",
        f"Measured in pairs in one run (`{record['command']}`, {record['device']}, {record['cores']} cores, images: "
        f"{record['data']}): both sides do the same work and take turns; the median of "
        f"{len(record['pairs'][0]['ratios'])} rounds, with the lowest and the highest. “Faster” counts "
        "how often our way is done while the other runs once, “as long” how much of the other's time ours takes.",
        table(["what", "ratio", "aim"], rows),
    ]


def authors(record: dict) -> list[str]:
    """Test accuracies of ``benchmarks/medmnist_way.py``."""
    rows = [
        [row["data"], row["way"], len(row["seeds"]), f"{row['mean']:.3f}", row["minus theirs"] or "—"]
        for row in record["rows"]
    ]
    return [
        "## Beside the MedMNIST authors' training",
        f"PneumoniaMNIST at 28 px, a small ResNet, {record['epochs']} epochs, the same first weights, batch size and "
        "learning rates (their repository trains for 100 epochs): mean test accuracy, and what it is more than after "
        "the authors' last epoch, in pairs, with its 95 % interval (t over seeds). `mtl.fit` without `val` keeps the "
        "last epoch; with it, the one of the lowest validation loss.",
        table(["data", "way", "seeds", "accuracy", "minus the authors' way"], rows),
    ]


def growth(record: dict) -> list[str]:
    """How seconds and memory grow (``benchmarks/scale.py``)."""
    words = {
        "n": "images",
        "size": "pixels a side",
        "width": "channels of the first stage",
        "batch": "images in a batch",
    }
    rows = [
        [
            f"{entry['network']}: {words[entry['what']]}",
            ", ".join(map(str, entry["values"])),
            ", ".join(f"{seconds:.2g}" for seconds in entry["seconds"]),
            entry["exponent"],
            ", ".join(map(str, entry["megabytes"])),
        ]
        for entry in record["growth"]
    ]
    return [
        "## How cost grows",
        f"Seconds of one epoch and the peak of memory (`{record['command']}`, {record['device']}, {record['cores']} "
        "cores), one thing changed at a time. An exponent of 1 means: twice as much of it takes twice as long.",
        table(["what grows", "values", "seconds", "exponent", "peak MB"], rows),
    ]


def streams(record: dict) -> list[str]:
    """What streaming costs beside memory (``benchmarks/streams.py``)."""
    fast, memory = record["speed"], record["memory"]
    speeds = []
    for pair in fast["pairs"]:
        aim = "—" if pair["aim"] is None else f"≥ {pair['aim']:g} {'✓' if pair['median'] >= pair['aim'] else '✗'}"
        ratio = f"{pair['median']:.2f} ({min(pair['ratios']):.2f} to {max(pair['ratios']):.2f})"
        rate = f"{fast['images in an epoch'] / pair['our seconds']:.0f}"
        speeds.append([pair["what"], ratio, aim, rate])
    numbers = sorted({row["n"] for row in memory["peaks"]})
    more = {(row["n"], row["streamed"]): row["megabytes"] for row in memory["peaks"]}
    filled = [
        [way, *(more[n, streamed] for n in numbers)] for way, streamed in (("in memory", False), ("streamed", True))
    ]
    decoded = "; ".join(
        f"{side}: JPEG {rates['jpg']}, PNG {rates['png']}"
        for side, rates in fast["decoded per second, one core"].items()
    )
    return [
        "## Streamed from the disk",
        f"A folder of {numbers[-1]:,} images of 64 px, streamed, beside the same in memory (`{fast['command']}`, "
        f"{fast['device']}, one thread): how many images a second are read or trained on, as a share of those in "
        f"memory, in pairs of {len(fast['pairs'][0]['ratios'])} rounds.",
        table(["what", "streamed / in memory", "aim", "images a second, streamed"], speeds),
        "Peak of memory in MB, more than for the first 2,000 images, of loading and an epoch of training:",
        table(["images", *(f"{n:,}" for n in numbers)], filled),
        f"The file of their pixels takes {fast['file of pixels, MB']} MB of the disk. To decode and resize the files "
        f"anew in each epoch, one core would manage so many a second — {decoded}.",
    ]


def _with_command(record: dict) -> dict[str, dict]:
    """The record itself, or its parts, whichever say how they were made."""
    if "command" in record:
        return {"": record}
    return {name: part for name, part in record.items() if isinstance(part, dict) and "command" in part}


ROOMS = {
    "": "The ground floor",
    "data": "Data",
    "methods": "Methods",
    "teaching": "Teaching",
    "transfer": "The command transfer",
    "lessons": "Lessons",
}


def modules(package: Path) -> dict[str, str]:
    """Module name, like ``methods.losses`` -> first paragraph of its docstring.

    Without the command line and the answers to the exercises.
    """
    found = {}
    for path in sorted(package.rglob("[!_]*.py")):
        if path.stem != "answers":
            name = ".".join(path.relative_to(package).with_suffix("").parts)
            text = ast.get_docstring(ast.parse(path.read_text("utf-8")))
            found[name] = " ".join(text.split("\n\n")[0].split())
    return found


def public_names(stub: Path) -> dict[str, list[str]]:
    """Module name -> its names in ``import medtl_helpers as mtl``, as the package's stub says."""
    imports = [node for node in ast.parse(stub.read_text("utf-8")).body if isinstance(node, ast.ImportFrom)]
    return {node.module: [alias.name for alias in node.names] for node in imports}


def api(found: dict[str, str], public: dict[str, list[str]]) -> str:
    """The index of the reference: every module, what it holds, and its names in ``import medtl_helpers as mtl``."""
    parts = [
        "# Reference of the code",
        "`medtl_helpers` is meant to be read: small modules, one idea each, in four rooms above a ground floor. Every "
        "page here ends at the source code itself, one click away. `import medtl_helpers as mtl` gives the names of "
        "the last column; the rest is imported from its module, e.g. `from medtl_helpers.methods.dann import DANN`.",
    ]
    for room, title in ROOMS.items():
        rows = [
            [f"[{name}](api/{name}.md)", text, ", ".join(f"`{n}`" for n in public.get(name, ()))]
            for name, text in found.items()
            if name.rpartition(".")[0].split(".")[0] == room
        ]
        parts += [f"## {title}", table(["module", "what it holds", "names in `mtl`"], rows)]
    return "\n\n".join(parts) + "\n"


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
