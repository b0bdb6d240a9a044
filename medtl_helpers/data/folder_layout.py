"""Which image file is in which split and class: the layout of a folder of the reader's own images."""

import os
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .dicom import is_dicom
from .images import SUFFIXES
from .patients import check_apart, deal_patients, find_patients
from .split_names import SPLITS, folders_of_splits, split_called

SHARE = 0.15  # of each class, for a validation or test split that the folder does not have
STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*")  # of PNG, JPEG and TIFF files


@dataclass(frozen=True)
class Layout:
    """What was found: (path, label) of all images of each split, and what had to be decided."""

    files: dict[str, list[tuple[Path, int]]]  # "train", "val", "test"
    patients: dict[str, np.ndarray] | None  # of each split, one name for each file
    classes: tuple[str, ...]
    drawn: tuple[str, ...]  # the splits that the folder does not have, drawn at random from the others
    nested: list[Path]  # the images that lie in folders inside a class folder
    skipped: list[Path]  # hidden and other files and folders


def find_layout(
    root: Path, rng: np.random.Generator, patients: str | Path | None = None, leave_out: Collection[str] = ()
) -> Layout:
    """The layout of ``root``: ``train/val/test/<class>/*``, without ``val``, or ``<class>/*`` alone.

    ``patients`` says whose image is whose (``patients.find_patients``). Images of ``leave_out``, paths below ``root``
    with ``/``, are not there. Raises ValueError, one sentence that names the
    folder and says what to do, for anything else, and where a patient stands in two of the given splits.
    """
    given, skipped = _split_folders(root)
    found = {split: _class_files(folder, skipped) for split, folder in given.items()}
    classes = tuple(sorted(found["train"]))
    _check_classes(given, found, classes)
    files = {
        split: [
            (f, y) for y, name in enumerate(classes) for f in found[split][name] if _below(root, f) not in leave_out
        ]
        for split in given
    }
    depth = 1 if given["train"] == root else 2  # folders above an image that no folder of the class is
    nested = [f for items in files.values() for f, _ in items if len(f.relative_to(root).parts) > depth + 1]
    people = {}
    if patients is not None:
        below = [_below(root, f) for items in files.values() for f, _ in items]
        names, start = find_patients(below, depth, patients), 0
        for split, items in files.items():
            people[split], start = names[start : start + len(items)], start + len(items)
        check_apart(people, given)
    drawn = tuple(split for split in ("val", "test") if split not in files)
    if drawn:
        pool, everyone, folder = files["train"], people.get("train"), given["train"]
        labels = np.array([y for _, y in pool])
        if everyone is None:
            part = _deal(folder, labels, classes, len(drawn), rng)
        else:
            shares = [1 - SHARE * len(drawn)] + [SHARE] * len(drawn)
            part = deal_patients(labels, everyone, shares, rng, classes, str(folder))
        for k, split in enumerate(("train", *drawn)):
            files[split] = [pool[i] for i in np.flatnonzero(part == k)]
            if everyone is not None:
                people[split] = everyone[part == k]
    files = {split: files[split] for split in SPLITS}
    return Layout(
        files, {split: people[split] for split in SPLITS} if people else None, classes, drawn, nested, skipped
    )


def _below(root: Path, file: Path) -> str:
    return file.relative_to(root).as_posix()


def _split_folders(root: Path) -> tuple[dict[str, Path], list[Path]]:
    """The folder of each split that is there, in order (``root`` itself as train where there is none); the others."""
    folders, images, others = listed(root)
    given = folders_of_splits(root, folders)
    beside = [folder for folder in folders if folder not in given.values()]
    missing = [split for split in ("train", "test") if split not in given]
    if not given or (missing and beside and all(listed(folder)[1] for folder in given.values())):
        return {"train": root}, []  # class folders; what else ``root`` holds is counted with them
    if missing:
        names = " and ".join(folder.name for folder in given.values())
        by = f" beside {beside[0].name}" if beside else ""
        raise ValueError(
            f"{root} has {names}{by} but no {missing[0]} folder: add it, or give class folders alone to have "
            f"them split for you (rename {names} if it stands for a class, since it is the name of a split)."
        )
    return {split: given[split] for split in SPLITS if split in given}, images + others + beside


def _check_classes(given: dict[str, Path], found: dict[str, dict], classes: tuple[str, ...]) -> None:
    for split, folder in given.items():
        for name in sorted(set(classes) ^ set(found[split])):
            where, but = (given["train"], folder) if name in classes else (folder, given["train"])
            raise ValueError(
                f"The class {name!r} is in {where} and not in {but}: every split needs the same class "
                "folders, so add the missing one, or remove or rename the other."
            )
    if len(classes) == 1:
        raise ValueError(
            f"{given['train']} holds one class folder only, {classes[0]!r}: at least two are needed, "
            "directly in train, val and test or in the folder you name."
        )


def listed(folder: Path) -> tuple[list[Path], list[Path], list[Path]]:
    """The sub-folders, the image files and the other things (also all that is hidden) in ``folder``, each sorted."""
    folders: list[Path] = []
    images: list[Path] = []
    others: list[Path] = []
    try:
        for path in sorted(folder.iterdir()):
            hidden = path.name.startswith(".")
            (others if hidden else folders if path.is_dir() else images if _is_image(path) else others).append(path)
    except OSError as error:
        why = "may not be read by you" if isinstance(error, PermissionError) else f"cannot be listed ({error.strerror})"
        raise ValueError(f"The folder {folder} {why}: change its permissions, or remove it.") from None
    return folders, images, others


def _is_image(path: Path) -> bool:
    """By its suffix, or else, since scanners write none, by its first bytes. What cannot be opened counts as one:
    reading it will say why not."""
    if path.suffix.lower() in SUFFIXES:
        return True
    if not path.is_file() or path.name == "DICOMDIR":  # the table of contents of a disc of DICOM files
        return False
    try:
        with open(path, "rb") as file:
            start = file.read(132)
    except OSError:
        return True
    bitmap = start[:2] == b"BM" and start[6:10] == bytes(4) and start[15:18] == bytes(3)
    return bitmap or start.startswith(STARTS) or is_dicom(start)


def _class_files(folder: Path, skipped: list[Path]) -> dict[str, list[Path]]:
    """Class name -> its image files, at any depth, in sorted order; what was skipped is added to ``skipped``."""
    class_folders, images, others = listed(folder)
    skipped += images + others
    if not class_folders:
        raise ValueError(f"{folder} holds no class folders: put the images into one folder per class in it.")
    found: dict[str, list[Path]] = {}
    above = {folder.resolve(), *folder.resolve().parents}
    for class_folder in class_folders:
        files = _images_below(class_folder, above, skipped)
        if not files:
            raise ValueError(
                f"The class folder {class_folder} holds no images ({', '.join(SUFFIXES)}, or such files without a "
                "suffix): put some there, or remove it."
            )
        found.setdefault(_readable(class_folder.name), []).extend(files)
    return found


def _images_below(class_folder: Path, above: set[Path], skipped: list[Path]) -> list[Path]:
    """The images in a class folder and in the folders inside it; a link to a folder that was seen is not followed."""
    found, seen, waiting = [], set(above), [class_folder]
    while waiting:
        here = waiting.pop()
        real = here.resolve()
        if real in seen:
            skipped.append(here)
            continue
        seen.add(real)
        folders, images, others = listed(here)
        if here == class_folder and {"train", "test"} <= {split_called(inside) for inside in folders}:
            raise ValueError(f"{here} holds train and test folders of its own: load it by itself, or rename them.")
        found += images
        skipped += others
        waiting += reversed(folders)
    return found


def _readable(name: str) -> str:
    """A folder's name as text in one form: letters composed, and bytes that are no UTF-8 read as Latin-1."""
    raw = os.fsencode(name)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return unicodedata.normalize("NFC", text)


def _deal(folder: Path, labels: np.ndarray, classes: tuple[str, ...], n_parts: int, rng) -> np.ndarray:
    """The part of each image, 0 for the rest and 1, 2, … for a random 15 % of each class: at least one image each."""
    part = np.zeros(len(labels), int)
    for label, name in enumerate(classes):
        members = np.flatnonzero(labels == label)
        share = max(1, round(SHARE * len(members)))
        if len(members) <= n_parts * share:
            raise ValueError(
                f"The class folder {folder / name} holds {len(members)} image(s), too few to be split "
                f"into {n_parts + 1}: add images, or make train/val/test folders yourself."
            )
        order = rng.permutation(len(members))
        for k in range(n_parts):
            part[members[order[k * share : (k + 1) * share]]] = k + 1
    return part
