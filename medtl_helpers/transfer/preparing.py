"""A folder becomes a task: what is left out of it and why, how large its images become, which copies are dropped."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..console import say
from ..data.alike import TooAlike
from ..data.duplicates import without_duplicates
from ..data.folder_layout import Layout, find_layout
from ..data.folders import load_folder
from ..data.image_tasks import ImageTask, looks_closely
from ..data.patients import find_patients
from ..data.tasks import SPLITS
from .looking import Seen, as_folder, look_at
from .page import how_many

SIZES = (32, 64, 128)  # pixels a side, to choose from
ALWAYS = 64  # up to this size any number of images is taken
PER_MINUTE = 250  # images of 64 × 64 px, or as many pixels in larger ones, that a minute is enough for


@dataclass(frozen=True)
class Prepared:
    """A folder and what was found in it; ``task`` holds what is left of it.

    ``seen`` are all image files by name. ``overlapping`` says of each patient in two given splits which these are, and
    ``moved`` which images in the earlier one were left out for it; ``pairs`` are the pictures that stand twice,
    ``dropped`` the files that went for it.
    """

    root: Path
    layout: Layout
    seen: dict[str, Seen]
    size: int
    why_size: str
    task: ImageTask
    before: dict[str, list[int]]  # images of each class in each split, before copies were dropped
    overlapping: dict[str, list[str]]
    moved: dict[str, list[str]]
    pairs: Any
    dropped: dict[str, list[str]]
    notes: list[str] = field(default_factory=list)

    @property
    def files(self) -> dict[str, Any]:
        """The names of the images of each split of the task."""
        return self.task.files or {}

    @property
    def moved_out(self) -> list[str]:
        """The images that were left out since their patient stands in a later split, too."""
        return sorted(file for files in self.moved.values() for file in files)

    @property
    def unusable(self) -> list[Seen]:
        return [one for one in self.seen.values() if one.wrong]

    @property
    def used(self) -> list[Seen]:
        return [one for one in self.seen.values() if not one.wrong]


def prepare(folder, *, positive, patients, seed: int, size: int | None, minutes: float) -> Prepared:
    """Look at every file of ``folder``, say what is wrong, and load the rest as a task; options as in ``load_folder``.

    Raises ValueError, one sentence, where nothing can be learned from the folder.
    """
    root = as_folder(folder, "your class folders, or train, val and test folders with these")
    layout = find_layout(root, np.random.default_rng(seed))
    files = [file for found in layout.files.values() for file, _ in found]
    seen = {one.file: one for one in look_at(root, files)}
    unusable = [one for one in seen.values() if one.wrong]
    for one in unusable:
        say(f"{one.file} {one.wrong}, and is left out.")
    overlapping, moved = _overlap(root, layout, patients, {one.file for one in unusable})
    if overlapping:
        n = sum(map(len, moved.values()))
        say(
            f"Images of {how_many(len(overlapping), 'patient')} stand in two splits "
            f"({', '.join(sorted(overlapping))}), so {how_many(n, 'image')} in the earlier one "
            f"{'is' if n == 1 else 'are'} left out: test stays as it is."
        )
    sides = [one.side for one in seen.values() if not one.wrong]
    if not sides:
        raise ValueError(f"None of the {len(seen)} image files in {root} can be used: export them again.")
    size, why = (size, "it was asked for") if size else choose_size(sides, minutes)
    left_out = {one.file for one in unusable}.union(*moved.values())
    task = load_folder(root, size=size, positive=positive, patients=patients, seed=seed, leave_out=left_out)
    say(f"The images become {size} × {size} px: {why}.")
    before = {split: _per_class(task, split) for split in SPLITS}
    clean, pairs, notes = _without_copies(task)
    named, kept = task.files or {}, clean.files or {}
    dropped = {split: sorted(set(named[split]) - set(kept[split])) for split in SPLITS}
    if any(dropped.values()):
        say(copies_in_words(dropped, pairs))
    for split in SPLITS:
        for name, n in zip(task.classes, _per_class(clean, split), strict=True):
            if not n:
                raise ValueError(
                    f"The class {name!r} has no image left in {split}, after {len(left_out)} unusable or overlapping "
                    f"images and {sum(map(len, dropped.values()))} copies were left out: add images of it."
                )
    return Prepared(root, layout, seen, size, why, clean, before, overlapping, moved, pairs, dropped, notes)


def choose_size(sides: list[int], minutes: float) -> tuple[int, str]:
    """The pixels a side that images with these shorter ``sides`` become, and why, as the end of a sentence.

    The largest of ``SIZES`` that half of the images have, and for which the time is enough. Above 128 px a batch in
    training may need more than 3 GB.
    """
    median = float(np.median(sides))
    fits = [size for size in SIZES if size <= max(median, SIZES[0])]
    quick = [s for s in fits if s <= ALWAYS or len(sides) * (s / 64) ** 2 <= PER_MINUTE * minutes]
    if quick[-1] == fits[-1] == SIZES[-1]:
        return quick[
            -1
        ], f"it is the largest size that stays below 3 GB (half of the images have {median:g} px or more)"
    if quick[-1] == fits[-1]:
        return quick[-1], f"the shorter side of half of the images has fewer than {2 * quick[-1]} px"
    return quick[-1], f"{fits[-1]} px would need more than {minutes:g} minutes for {len(sides)} images (--size decides)"


def copies_in_words(dropped: dict[str, list[str]], pairs) -> str:
    """How many files were dropped since they show the same picture as another, from where, and where that one is."""
    copies: dict[str, set[str]] = {}
    for pair in pairs.to_dict("records"):
        copies.setdefault(pair["file"], set()).add(pair["other split"])
        copies.setdefault(pair["other file"], set()).add(pair["split"])
    parts = []
    for split, gone in dropped.items():
        last = Counter(max(copies[file], key=SPLITS.index) for file in gone)
        where = [f"{last[s]} with a copy {'within' if s == split else 'in'} {s}" for s in reversed(SPLITS) if last[s]]
        if gone:
            parts.append(f"{len(gone)} from {split} ({', '.join(where)})")
    n = sum(map(len, dropped.values()))
    return f"{how_many(n, 'file')} {'was' if n == 1 else 'were'} dropped as copies: {', '.join(parts) or 'none'}."


def _overlap(root: Path, layout: Layout, patients, unusable: set[str]) -> tuple[dict[str, list[str]], dict]:
    """The splits of each patient who stands in two of the given ones, and the images of each in the earlier ones."""
    given = [split for split in SPLITS if split not in layout.drawn]
    if patients is None or len(given) < 2:
        return {}, {}
    files: dict[str, list[str]] = {split: [] for split in given}
    for split in SPLITS:
        names = (file.relative_to(root).as_posix() for file, _ in layout.files[split])
        files[split if split in given else "train"] += [name for name in names if name not in unusable]
    every = [name for split in given for name in files[split]]
    whose = dict(zip(every, find_patients(every, 2, patients), strict=True))
    people = {split: [whose[name] for name in files[split]] for split in given}
    found: dict[str, list[str]] = {}
    moved: dict[str, list[str]] = {}
    for k, split in enumerate(given):
        later = set().union(*(people[other] for other in given[k + 1 :]))
        for file, patient in zip(files[split], people[split], strict=True):
            if patient in later:
                moved.setdefault(patient, []).append(file)
                found.setdefault(patient, [s for s in given if patient in people[s]])
    return found, moved


def _without_copies(task: ImageTask) -> tuple[ImageTask, Any, list[str]]:
    """The task with each picture in one split, the pairs that were found, and what else to know."""
    few = looks_closely(task)
    try:
        found = task.duplicates(0.99 if few else None, report=0.99 if few else None)
    except TooAlike as error:
        return task, None, [f"Copies could not be told from other pictures: {error}"]
    notes = [] if few else ["Of so many images only those that are equal byte by byte were looked for as copies."]
    if not len(found.pairs):
        return task, found.pairs, notes
    return without_duplicates(task, found, drop_from="train"), found.pairs, notes


def _per_class(task: ImageTask, split: str) -> list[int]:
    return np.bincount(np.asarray(getattr(task, split).y), minlength=len(task.classes)).tolist()
