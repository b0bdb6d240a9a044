"""The sections of the report on what was found in the folder, and on what was tried: each is HTML for its heading."""

from collections import Counter

import numpy as np

from ..data.tasks import SPLITS
from . import page
from .facts import how_split, left_out, sizes
from .figures import ways_figure
from .preparing import Prepared, copies_in_words
from .words import way_in_words

MOST_SHOWN = 40  # rows of a list on the page; all of them are in the JSON
BEST = 12  # ways in the figure
COLUMNS = {"log loss": ".4f", "auroc": ".3f", "epochs": ".0f", "rung": ".0f", "seconds": ".1f"}


def the_folder(prepared: Prepared, seed: int) -> str:
    task, used = prepared.task, prepared.used
    sides = [one.side for one in used]
    kinds = Counter((one.width, one.height) for one in used)
    colour = sum(one.colour for one in used)
    rows = []
    for split in SPLITS:
        counts = np.bincount(np.asarray(getattr(task, split).y), minlength=len(task.classes)).tolist()
        people = [len(set(task.patients[split]))] if task.patients else []
        rows.append([split, *counts, sum(counts), *people])
    whole = np.bincount(np.concatenate([np.asarray(getattr(task, s).y) for s in SPLITS]), minlength=len(task.classes))
    rare, n_sizes = int(whole.argmin()), len(kinds)
    common = ", ".join(f"{w} × {h} px ({n})" for (w, h), n in kinds.most_common(3))
    content = [
        page.paragraph(left_out(prepared), sizes(prepared), how_split(prepared, seed)),
        page.table(
            ["split", *task.classes, "images", *(["patients"] if task.patients else [])],
            rows,
            "Images of each class that were used",
        ),
        page.paragraph(
            f"The rarest class is {task.classes[rare]}, with {whole[rare] / whole.sum():.0%} of the images.",
            f"{the_sides(sides)}, in {page.how_many(n_sizes, 'size')}: {common}{', …' if n_sizes > 3 else ''}.",
            f"{colour} of {len(used)} images are in colour.",
            f"Each became {prepared.size} × {prepared.size} px, since {prepared.why_size}; what is finer is lost.",
        ),
        *(page.paragraph(note) for note in prepared.notes),
    ]
    if prepared.unusable:
        bad = [[one.file, one.wrong] for one in prepared.unusable]
        content.append(
            page.table(["file", "why it was left out"], bad, f"{len(bad)} files that cannot be used, all of them")
        )
    suspects = [one.file for one in used if one.suspect]
    if suspects:
        content.append(
            page.folded(
                f"{len(suspects)} files hold varied numbers and become nearly constant pictures: look at them",
                page.bullets(suspects),
            )
        )
    if prepared.overlapping:
        rows = [
            [who, " and ".join(splits), ", ".join(prepared.moved[who])]
            for who, splits in sorted(prepared.overlapping.items())
        ]
        content.append(
            page.table(
                ["patient", "stood in", "images left out"],
                rows,
                "Patients in two splits, whose images in the earlier one were left out",
            )
        )
    if prepared.layout.skipped:
        names = [path.relative_to(prepared.root).as_posix() for path in prepared.layout.skipped]
        content.append(
            page.folded(f"{len(names)} other or hidden files and folders were skipped", page.bullets(_some(names)))
        )
    return "".join([*content, *_copies(prepared)])


def the_sides(sides: list[int]) -> str:
    """How long the shorter sides of the images are, as the beginning of a sentence."""
    if min(sides) == max(sides):
        return f"The shorter sides are all {min(sides)} px"
    return f"The shorter sides run from {min(sides)} to {max(sides)} px (median {np.median(sides):g} px)"


def _copies(prepared: Prepared) -> list[str]:
    pairs = prepared.pairs
    if pairs is None:
        return []
    if not len(pairs):
        return [
            page.paragraph(
                "No picture stands twice, by its bytes or by a correlation above 0.99.",
                "Turned and mirrored copies are not found.",
            )
        ]
    other = int((~pairs["same label"]).sum())
    columns, rows = ["file", "split", "other file", "other split", "correlation"], []
    for row in pairs.sort_values("same label", kind="stable").head(MOST_SHOWN).to_dict("records"):
        kept = {name: _kept_as(prepared, row[name]) for name in ("file", "other file")}
        gone = " and ".join(name for name, label in kept.items() if label is None)
        labels = " and as ".join(label for label in kept.values() if label)
        differ = f"differ, {f'kept as {labels}' if labels else 'none is kept'}"
        rows.append([*(row[name] for name in columns), gone, "" if row["same label"] else differ])
    return [
        page.paragraph(
            f"The same picture stands twice in {page.how_many(len(pairs), 'pair')} of files.",
            f"{copies_in_words(prepared.dropped, pairs)} Test stayed as it was.",
            f"In {page.how_many(other, 'pair')} the two classes differ, so one of them is wrong, and only you can find "
            "out which."
            if other
            else "",
        ),
        page.folded(
            "Which files",
            page.table(
                [*columns, "left out", "classes"],
                rows,
                f"The first {len(rows)} of {len(pairs)} pairs",
            ),
        ),
    ]


def _kept_as(prepared: Prepared, file: str) -> str | None:
    """The class as which a file was used; None where it was left out as a copy."""
    for split, names in prepared.files.items():
        for k in np.flatnonzero(np.asarray(names) == file):
            return prepared.task.classes[int(getattr(prepared.task, split).y[k])]
    return None


def the_search(prepared: Prepared, found, minutes: float) -> str:
    table, y = found.table, np.asarray(prepared.task.val.y)
    train_y = np.asarray(prepared.task.train.y)
    share = np.bincount(train_y, minlength=len(prepared.task.classes)) / len(train_y)
    prior = float(-np.log(share.clip(1e-9))[y].mean())
    chosen_loss = float(-np.log(found.validation[np.arange(len(y)), y].clip(1e-9)).mean())
    best, seconds = table.head(BEST), table["seconds"].sum()
    names = [f"{row.source}: {row.way}, {row.depth}, {row.rate:g}" for row in best.itertuples()]
    head = ["source", "way", "what trains", "rate or C", "log loss", "AUROC", "epochs", "rung", "seconds"]
    rows = [
        [*row[["source", "way", "depth", "rate"]], *(_digits(row, name, form) for name, form in COLUMNS.items())]
        for _, row in table.iterrows()
    ]
    return "".join(
        [
            page.paragraph(
                f"Within {page.how_many(minutes, 'minute')} {page.how_many(len(table), 'way')} could be compared on "
                f"{page.how_many(len(y), 'validation image')}: {found.stopped}.",
                f"The trainings in the table took {page.how_many(round(seconds), 'second')} together.",
                "What is trained epoch by epoch began with few of them, and the better part went on to more, rung by "
                "rung."
                if table["rung"].max() > 0
                else "",
                "A way that was among the best on other folders came first, and was trained to the end."
                if found.plan.get("to the end")
                else "",
                f"The lowest log loss of all was {table['log loss'][0]:.3f}: {way_in_words(found.way)}"
                + (f", after {page.how_many(found.epochs, 'epoch')}." if found.epochs else "."),
                f"The answers are the mean of {len(found.averaged)} networks, the best one of all and the best one of "
                f"each pre-trained source whose loss is not clearly higher, so that less depends on chance in the "
                f"choice: their log loss together is {chosen_loss:.3f}. The others are: "
                f"{'; '.join(map(way_in_words, found.averaged[1:]))}."
                if found.averaged
                else "",
                "These scores are of validation, and the lowest of many flatters itself.",
                "The result is in the next section.",
            ),
            *(page.paragraph(note) for note in found.notes),
            ways_figure(names, best["log loss"].tolist(), prior, 0),
            page.table(head, rows, "All ways and their scores on validation; the best way stands out", 0),
        ]
    )


def _digits(row, name: str, form: str) -> page.Digits:
    """A number of a training; a regression has neither epochs nor rungs."""
    value = row[name]
    if not row["epochs"] and name in ("epochs", "rung"):
        return page.Digits("–")
    return page.Digits("" if value is None or value != value else format(value, form))


def _some(names: list[str]) -> list[str]:
    return names if len(names) <= MOST_SHOWN else [*names[:MOST_SHOWN], f"and {len(names) - MOST_SHOWN} more"]
