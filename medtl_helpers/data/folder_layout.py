"""Which image file is in which split and class: the layout of a folder of the reader's own images."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .images import SUFFIXES

SPLITS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}
SHARE = 0.15  # of each class, for a validation or test split that the folder does not have


@dataclass(frozen=True)
class Layout:
    """What was found: (path, label) of all images of each split, and what had to be decided."""

    files: dict[str, list[tuple[Path, int]]]  # "train", "val", "test"
    classes: tuple[str, ...]
    drawn: tuple[str, ...]  # the splits that the folder does not have, drawn at random from the others
    skipped: int  # hidden and other files and folders


def find_layout(root: Path, rng: np.random.Generator) -> Layout:
    """The layout of ``root``: ``train/val/test/<class>/*``, without ``val``, or ``<class>/*`` alone.

    Raises ValueError, one sentence that names the folder and says what to do, for anything else.
    """
    given, skipped = _split_folders(root)
    found = {}
    for split, folder in given.items():
        found[split], others = _class_files(folder)
        skipped += others
    classes = tuple(found["train"])
    _check_classes(given, found, classes)
    files = {split: [(f, y) for y, name in enumerate(classes) for f in found[split][name]] for split in given}
    drawn = tuple(split for split in ("val", "test") if split not in files)
    parts = _deal(given["train"], files["train"], classes, len(drawn), rng) if drawn else [files["train"]]
    files |= dict(zip(("train", *drawn), parts, strict=True))
    return Layout({split: files[split] for split in SPLITS}, classes, drawn, skipped)


def _split_folders(root: Path) -> tuple[dict[str, Path], int]:
    """The folder of each split that is there, in order (``root`` itself as train where there is none); the others."""
    folders, skipped = _list(root, want_folders=True)
    given: dict[str, Path] = {}
    for folder in folders:
        split = next((split for split, names in SPLITS.items() if folder.name.lower() in names), None)
        if split in given:
            raise ValueError(f"{root} has two folders for {split}, {given[split].name} and {folder.name}: keep one.")
        if split:
            given[split] = folder
    if not given:
        return {"train": root}, 0  # what else ``root`` holds is counted with its class folders
    for split in ("train", "test"):
        if split not in given:
            raise ValueError(
                f"{root} has {' and '.join(f.name for f in given.values())} but no {split} folder: "
                "add it, or give class folders alone to have them split for you."
            )
    return {split: given[split] for split in SPLITS if split in given}, skipped + len(folders) - len(given)


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


def _list(folder: Path, want_folders: bool) -> tuple[list[Path], int]:
    """The sub-folders, or the image files, in ``folder`` (no deeper: no link can lead in circles), and how many
    other things it holds."""
    everything = sorted(folder.iterdir())
    visible = [p for p in everything if not p.name.startswith(".")]
    if want_folders:
        wanted = [p for p in visible if p.is_dir()]
    else:  # a broken link counts as an image: reading it will say so
        wanted = [p for p in visible if p.suffix.lower() in SUFFIXES and not p.is_dir()]
    return wanted, len(everything) - len(wanted)


def _class_files(folder: Path) -> tuple[dict[str, list[Path]], int]:
    """Class name -> its image files, in sorted order, and how many other things were skipped."""
    class_folders, skipped = _list(folder, want_folders=True)
    if not class_folders:
        raise ValueError(f"{folder} holds no class folders: put the images into one folder per class in it.")
    found = {}
    for class_folder in class_folders:
        found[class_folder.name], n = _list(class_folder, want_folders=False)
        skipped += n
        if not found[class_folder.name]:
            raise ValueError(
                f"The class folder {class_folder} holds no images ({', '.join(SUFFIXES)}; folders in it "
                "are not searched): put some there, or remove it."
            )
    return found, skipped


def _deal(folder: Path, files: list, classes: tuple[str, ...], n_parts: int, rng) -> list[list]:
    """``files`` as [the rest, a random 15 % of each class, another 15 %, …]: at least one image of each class each."""
    parts: list[list] = [[] for _ in range(n_parts + 1)]
    for label, name in enumerate(classes):
        members = [item for item in files if item[1] == label]
        share = max(1, round(SHARE * len(members)))
        if len(members) <= n_parts * share:
            raise ValueError(
                f"The class folder {folder / name} holds {len(members)} image(s), too few to be split "
                f"into {n_parts + 1}: add images, or make train/val/test folders yourself."
            )
        order = rng.permutation(len(members))
        for k in range(n_parts):
            parts[k + 1] += [members[i] for i in sorted(order[k * share : (k + 1) * share])]
        parts[0] += [members[i] for i in sorted(order[n_parts * share :])]
    return parts
