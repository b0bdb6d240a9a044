"""The second hospital's images before any network sees them: their labels, their patients, and copies of home images.

An image that stands at home, too, is left out: most are of training, and the network knows them. What stands twice in
the rest is told, and stays.
"""

import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from ..console import say
from ..data.alike import TooAlike, alike, digests_of, same_bytes
from ..data.folder_layout import SPLITS, listed
from ..data.image_tasks import MOST_COMPARED, ImageTask, looks_closely
from ..data.patients import find_patients
from ..data.reading import read_all
from ..data.streams import StreamedImages
from .looking import Seen, as_folder, images_below, look_at
from .page import how_many

SAME = 0.99  # the correlation above which two pictures are the same, as at home
NAMED = 5  # patients


def find_labels(root: Path, classes: tuple[str, ...]) -> list[tuple[Path, int]] | None:
    """(file, class) of all images in folders called like ``classes``, also inside train, val and test; None where no
    folder is called so. Raises ValueError where only some are: the others would be lost."""
    folders, images, _ = listed(root)
    split_names = {name for names in SPLITS.values() for name in names}
    if folders and all(folder.name.lower() in split_names for folder in folders):
        folders = [inside for folder in folders for inside in listed(folder)[0]]
    named = {folder: unicodedata.normalize("NFC", folder.name) for folder in folders}
    known = [folder for folder in folders if named[folder] in classes]
    if not known:
        return None
    if other := [folder for folder in folders if folder not in known] + images:
        raise ValueError(
            f"{other[0]} is in none of the classes {', '.join(classes)}, and other folders of {root} are: rename it as "
            "the first folder calls its class, or move it away."
        )
    return [(file, classes.index(named[folder])) for folder in known for file in images_below(folder)[0]]


@dataclass(frozen=True)
class There:
    """The second hospital's images before any network sees them: ``y`` are the classes of the usable ones, ``x``, and
    ``patients`` theirs, where these are known. ``seen`` says of each file why it is left out."""

    root: Path
    seen: list[Seen]
    x: torch.Tensor | StreamedImages
    y: np.ndarray | None
    patients: np.ndarray | None
    notes: list[str]


def look_there(folder, home: ImageTask, patients=None) -> There:
    """Look at every file of ``folder``, and leave out the images that are copies of one at ``home``.

    ``patients`` is the rule by which those at home were found. Raises ValueError, one sentence, where no image is left.
    """
    root = as_folder(folder, "the second hospital's images")
    labelled = find_labels(root, home.classes)
    files = images_below(root)[0] if labelled is None else [file for file, _ in labelled]
    seen = look_at(root, files)
    for one in seen:
        if one.wrong:
            say(f"{one.file} {one.wrong}, and is left out.")
    keep = [k for k, one in enumerate(seen) if not one.wrong]
    if not keep:
        raise ValueError(f"{root} holds no image that can be used: give the folder of the second hospital's images.")
    x = read_all(root, [files[k] for k in keep], int(home.train.x.shape[-1]), int(home.train.x.shape[1]), None)
    y = None if labelled is None else np.array([labelled[k][1] for k in keep])
    copies, notes = _copies(x, y, home)
    for row, where in copies.items():
        seen[keep[row]] = replace(seen[keep[row]], wrong=f"shows the same picture as {where} at home")
    rows = [row for row in range(len(keep)) if row not in copies]
    if not rows:
        raise ValueError(f"All images of {root} are copies of images at home: give the folder of another hospital.")
    keep, y = [keep[row] for row in rows], None if y is None else y[rows]
    if copies:
        x = read_all(root, [files[k] for k in keep], int(x.shape[-1]), int(x.shape[1]), None)
    who = _patients(root, [files[k] for k in keep], patients, y is not None, notes)
    if who is not None and home.patients:
        notes += _in_both(set(who), {split: set(names) for split, names in home.patients.items()})
    say(f"{root.name}: {len(x)} images of a second hospital, {'without' if y is None else 'with'} labels.", *notes)
    return There(root, seen, x, y, who, notes)


def _copies(
    x: torch.Tensor | StreamedImages, y: np.ndarray | None, home: ImageTask
) -> tuple[dict[int, str], list[str]]:
    """The rows of ``x`` that show the same picture as an image at home, with the place of the first of these, and in
    sentences how many they are, and how many pictures stand twice in the rest."""
    parts = [getattr(home, split) for split in SPLITS]
    at_home = [(split, row) for split, part in zip(SPLITS, parts, strict=True) for row in range(len(part.y))]
    images, n = [*(part.x for part in parts), x], len(at_home)
    try:
        pairs = set(same_bytes(digests_of(images)))
        if isinstance(x, torch.Tensor) and looks_closely(home) and n + len(x) <= MOST_COMPARED:
            pairs |= alike(images, SAME, 1024).keys()
    except TooAlike as error:
        return {}, [f"Copies of images at home could not be told from other pictures: {error}"]
    twins: dict[int, list[int]] = {}
    for later, earlier in sorted(pairs):
        if later >= n > earlier:
            twins.setdefault(later - n, []).append(earlier)
    labels = np.concatenate([np.asarray(part.y) for part in parts])
    notes = []
    if twins:
        one, trained = len(twins) == 1, sum(at_home[found[0]][0] == "train" for found in twins.values())
        other = 0 if y is None else sum(any(labels[at] != y[row] for at in found) for row, found in twins.items())
        notes.append(
            f"{how_many(len(twins), 'image')} there {'is a copy of an image' if one else 'are copies of images'} at "
            f"home ({trained} of training) and {'is' if one else 'are'} left out"
            f"{f'; {other} of them with another class there' if other else ''}."
        )
    again = [(a - n, b - n) for a, b in pairs if b >= n and not {a - n, b - n} & twins.keys()]
    if again:
        two = 0 if y is None else sum(y[a] != y[b] for a, b in again)
        notes.append(
            f"{how_many(len(again), 'pair')} of images there {'shows' if len(again) == 1 else 'show'} the same picture"
            f"{f', {two} of them with two classes' if two else ''}; nothing of that was left out."
        )
    return {row: home.where(*at_home[found[0]]) for row, found in twins.items()}, notes


def _in_both(there: set[str], home: dict[str, set[str]]) -> list[str]:
    both = sorted(there & set().union(*home.values()))
    if not both:
        return []
    named = ", ".join(map(str, both[:NAMED])) + (", …" if len(both) > NAMED else "")
    return [
        f"{how_many(len(both), 'patient name')} {'stands' if len(both) == 1 else 'stand'} in both folders "
        f"({len(there & home['train'])} in training): {named}; if these are the same people, the result there is "
        "partly one of people whom the network knows."
    ]


def _patients(root: Path, files: list[Path], rule, labelled: bool, notes: list[str]) -> np.ndarray | None:
    if rule is None or not labelled:
        return None
    try:
        names = [file.relative_to(root).as_posix() for file in files]
        depth = 2 if len({name.count("/") for name in names}) == 1 and names[0].count("/") > 1 else 1
        return find_patients(names, depth, rule)
    except ValueError as error:
        notes.append(f"The patients of the second hospital are not known, so images are the units there: {error}")
        return None
