"""The sections of the report on what was found in the folder, and on what was tried: each is HTML for its heading."""

from collections import Counter

import numpy as np

from ..data.tasks import SPLITS
from . import page
from .facts import how_split, left_out, sizes, way_in_words
from .figures import ways_figure
from .preparing import Prepared

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
            f"The shorter sides run from {min(sides)} to {max(sides)} px (half are below {np.median(sides):.0f} px), "
            f"in {n_sizes} size(s): {common}{', …' if n_sizes > 3 else ''}.",
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
        rows = [[who, " and ".join(splits)] for who, splits in sorted(prepared.overlapping.items())]
        content.append(
            page.table(
                ["patient", "stood in"],
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
    rows = [
        [
            row["file"],
            row["split"],
            row["other file"],
            row["other split"],
            float(row["correlation"]),
            "" if row["same label"] else "differ",
        ]
        for row in pairs.head(MOST_SHOWN).to_dict("records")
    ]
    dropped = sum(map(len, prepared.dropped.values()))
    return [
        page.paragraph(
            f"{len(pairs)} pair(s) of files show the same picture, and {dropped} files were dropped for it, from train "
            "where a copy stands in a later split, so that test stayed as it was.",
            f"{other} pair(s) have two different classes, so one of the two is wrong, and only you can find out which."
            if other
            else "",
        ),
        page.folded(
            "Which files",
            page.table(
                ["file", "split", "other file", "its split", "correlation", "classes"],
                rows,
                f"The first {len(rows)} of {len(pairs)} pairs",
            ),
        ),
    ]


def the_search(prepared: Prepared, found, minutes: float) -> str:
    table, y = found.table, np.asarray(prepared.task.val.y)
    train_y = np.asarray(prepared.task.train.y)
    share = np.bincount(train_y, minlength=len(prepared.task.classes)) / len(train_y)
    prior = float(-np.log(share.clip(1e-9))[y].mean())
    chosen_loss = float(-np.log(found.validation[np.arange(len(y)), y].clip(1e-9)).mean())
    settings = ["source", "way", "depth", "rate"]
    same = (table[settings] == [found.way.record()[name] for name in settings]).all(axis=1)
    chosen = int(np.flatnonzero(same)[0]) if same.any() else None
    best = table.head(BEST)
    names = [f"{row.source}: {row.way}, {row.depth}, {row.rate:g}" for row in best.itertuples()]
    head = ["source", "way", "what trains", "rate", "log loss", "AUROC", "epochs", "rung", "seconds"]
    rows = [
        [*row[settings], *(_digits(row[name], form) for name, form in COLUMNS.items())] for _, row in table.iterrows()
    ]
    return "".join(
        [
            page.paragraph(
                f"{len(table)} ways were tried on {len(y)} validation images in {minutes:g} minutes: {found.stopped}.",
                "All began with few epochs, and the better part of them went on to more, rung by rung.",
                f"Chosen was the training with the lowest log loss of all, {chosen_loss:.3f}: "
                f"{way_in_words(found.way)}, after {found.epochs} epoch(s)."
                if found.epochs
                else f"Chosen was the lowest log loss of all, {chosen_loss:.3f}: {way_in_words(found.way)}.",
                "These scores are of validation, and the lowest of many flatters itself.",
                "The result is in the next section.",
            ),
            *(page.paragraph(note) for note in found.notes),
            ways_figure(names, best["log loss"].tolist(), prior, chosen),
            page.table(head, rows, "All ways and their scores on validation; the chosen way stands out", chosen),
        ]
    )


def _digits(value: float, form: str) -> page.Digits:
    return page.Digits("" if value is None or value != value else format(value, form))


def _some(names: list[str]) -> list[str]:
    return names if len(names) <= MOST_SHOWN else [*names[:MOST_SHOWN], f"and {len(names) - MOST_SHOWN} more"]
