"""``load_folder``: the reader's own images, from folders named after the classes, as a task like any other."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from .checks import note_source
from .images import MIN_SIDE, SUFFIXES, UnusableImage, read_image
from .tasks import MAX_BYTES, ImageTask, Split

_SPLIT_NAMES = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val",
                "test": "test", "testing": "test"}  # fmt: skip
SHARE = 0.15  # of each class, for a validation or test split that the folder does not have


def load_folder(path, *, size: int = 64, channels: int | None = None, positive: str | int | None = None,
                seed: int = 0) -> ImageTask:  # fmt: skip
    """Load ``train/val/test/<class>/*.png`` (also jpg, tif, bmp, dcm), or ``<class>/*.png`` alone.

    Without a ``val`` folder a stratified 15 % of train becomes it; with class folders alone, 70/15/15 % of each class
    become train, val and test. **Several images of one patient must not fall into different splits**: only you know
    which belong together, so make the train, val and test folders yourself then, patient by patient.

    Every image is read by the rules of ``images.read_image`` (16-bit and DICOM are windowed to 0..255) and resized,
    bilinear with antialiasing, to a square: the aspect ratio is not kept. Nothing leaves this computer.

    Parameters
    ----------
    path: the folder; its name becomes the task's name. Other and hidden files in it are skipped and counted.
    size: pixels per side, at least 8.
    channels: 1 or 3; by default 1 if all images are grey (also when saved as RGB), else 3. Grey becomes RGB by
        repetition, RGB becomes grey by its luma, 0.299 R + 0.587 G + 0.114 B.
    positive: the disease class, by its name or its number in sorted order; by default 1 of two classes, else None.
    seed: of the random splits, where the folder does not make them.

    Returns an ImageTask: uint8 N×C×size×size, int64 N, classes sorted by name, provenance ``"own"``.

    Raises ValueError with one sentence that names the folder or the files and says what to do: a layout that is not
    the above, a class that is missing from a split, one class only, an empty class, too few images to split,
    unusable images (all are looked for before it stops), more than 2 GB of memory.
    """
    root = Path(path).expanduser()
    if not root.is_dir():
        raise ValueError(f"{path} is no folder: give the one that holds your train/val/test or class folders.")
    if channels not in (None, 1, 3):
        raise ValueError(f"channels is {channels!r}: give 1 (grey), 3 (RGB), or None to let the images decide.")
    if not isinstance(size, int) or size < MIN_SIDE:
        raise ValueError(f"size is {size!r}: give the pixels per side as a whole number, {MIN_SIDE} or more.")
    name = root.resolve().name
    files, classes, lines = _find_images(root, np.random.default_rng(seed))
    positive, line = _positive_class(positive, classes)
    flat = [file for split in ("train", "val", "test") for file, _ in files[split]]
    x = _read_all(root, flat, size, channels)
    splits, start = {}, 0
    for split in ("train", "val", "test"):
        y = torch.tensor([label for _, label in files[split]])
        splits[split], start = Split(torch.from_numpy(x[start : start + len(y)]), y), start + len(y)
    counts = "/".join(str(len(splits[split].y)) for split in splits)
    print(f"{name}: your own images, {size} × {size} px, {'grey' if x.shape[1] == 1 else 'RGB'}; "
          f"train/val/test {counts}; classes {', '.join(classes)}.")  # fmt: skip
    for text in [*lines, line]:
        if text:
            print(f"{name}: {text}")
    note_source(name, "own")
    note = f"Your own images, resized to {size} × {size} px without keeping the aspect ratio."
    return ImageTask(name, **splits, classes=classes, positive=positive, provenance="own", licence="yours", note=note)


# --- which file is in which split ---------------------------------------------------------------------------------


def _find_images(root: Path, rng) -> tuple[dict[str, list], tuple[str, ...], list[str]]:
    """The files of each split as lists of (path, label), the class names, and what the reader should be told."""
    folders, skipped = _list(root, want_folders=True)
    given: dict[str, Path] = {}
    for folder in folders:
        split = _SPLIT_NAMES.get(folder.name.lower())
        if split in given:
            raise ValueError(f"{root} has two folders for {split}, {given[split].name} and {folder.name}: keep one.")
        if split:
            given[split] = folder
    lines = []
    if given:
        for split in ("train", "test"):
            if split not in given:
                raise ValueError(f"{root} has {' and '.join(f.name for f in given.values())} but no {split} folder: "
                                 "add it, or give class folders alone to have them split for you.")  # fmt: skip
        skipped += len(folders) - len(given)
    else:
        given["train"], skipped = root, 0  # counted below
    given = {split: given[split] for split in ("train", "val", "test") if split in given}
    found = {}
    for split, folder in given.items():
        found[split], n = _class_files(folder)
        skipped += n
    classes = tuple(found["train"])
    for split, folder in given.items():
        for name in sorted(set(classes) ^ set(found[split])):
            where, but = (given["train"], folder) if name in classes else (folder, given["train"])
            raise ValueError(f"The class {name!r} is in {where} and not in {but}: every split needs the same class "
                             "folders, so add the missing one, or remove or rename the other.")  # fmt: skip
    if len(classes) == 1:
        raise ValueError(f"{given['train']} holds one class folder only, {classes[0]!r}: at least two are needed, "
                         "directly in train, val and test or in the folder you name.")  # fmt: skip
    files = {split: [(f, y) for y, name in enumerate(classes) for f in found[split][name]] for split in given}
    if "test" not in files:
        files["train"], files["val"], files["test"] = _deal(root, files["train"], classes, 2, rng)
        lines.append("no train and test folders, so 70/15/15 % of each class were drawn at random. If a patient has "
                     "several images, they may now be in different splits and the results too good: make "
                     "train/val/test folders yourself, by patient.")  # fmt: skip
    elif "val" not in files:
        files["train"], files["val"] = _deal(given["train"], files["train"], classes, 1, rng)
        lines.append("no val folder, so 15 % of each class in train were drawn at random for it. If a patient has "
                     "several images, make the val folder yourself, by patient.")  # fmt: skip
    if skipped:
        lines.append(f"skipped {skipped} hidden or other files and folders.")
    return files, classes, lines


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
            raise ValueError(f"The class folder {class_folder} holds no images ({', '.join(SUFFIXES)}; folders in it "
                             "are not searched): put some there, or remove it.")  # fmt: skip
    return found, skipped


def _deal(folder: Path, files: list, classes: tuple[str, ...], n_parts: int, rng) -> list[list]:
    """``files`` as [the rest, a random 15 % of each class, another 15 %, …]: at least one image of each class each."""
    parts: list[list] = [[] for _ in range(n_parts + 1)]
    for label, name in enumerate(classes):
        members = [item for item in files if item[1] == label]
        share = max(1, round(SHARE * len(members)))
        if len(members) <= n_parts * share:
            raise ValueError(f"The class folder {folder / name} holds {len(members)} image(s), too few to be split "
                             f"into {n_parts + 1}: add images, or make train/val/test folders yourself.")  # fmt: skip
        order = rng.permutation(len(members))
        for k in range(n_parts):
            parts[k + 1] += [members[i] for i in sorted(order[k * share : (k + 1) * share])]
        parts[0] += [members[i] for i in sorted(order[n_parts * share :])]
    return parts


def _positive_class(positive: str | int | None, classes: tuple[str, ...]) -> tuple[int | None, str]:
    """The number of the positive class, and the line that says which it is."""
    if positive is None:
        if len(classes) > 2:
            return None, ""
        return 1, f"{classes[1]!r} is taken as the positive class (the disease); if it is not: positive={classes[0]!r}."
    if isinstance(positive, str) and positive in classes:
        positive = classes.index(positive)
    if not isinstance(positive, int) or not 0 <= positive < len(classes):
        raise ValueError(f"positive={positive!r} is none of the classes {', '.join(classes)}: give one of these names.")
    return positive, f"{classes[positive]!r} is the positive class."


# --- reading ------------------------------------------------------------------------------------------------------


def _read_all(root: Path, files: list[Path], size: int, channels: int | None) -> np.ndarray:
    """All images as one uint8 array N×C×size×size; with ``channels=None`` C grows to 3 at the first in colour."""
    x = _allocate(root, len(files), channels or 1, size)
    problems: list[UnusableImage] = []
    for i, file in enumerate(tqdm(files, desc="reading images", delay=2, leave=False)):
        try:
            image = Image.fromarray(read_image(file))
        except UnusableImage as error:
            problems.append(error)
            continue
        if channels is not None:
            image = image.convert("L" if channels == 1 else "RGB")
        image = image.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=3.0)
        pixels = np.atleast_3d(np.asarray(image)).transpose(2, 0, 1)  # C×size×size
        if channels is None and (pixels == pixels[:1]).all():
            pixels = pixels[:1]
        if len(pixels) > x.shape[1]:
            grey, x = x, _allocate(root, len(files), 3, size)
            x[:] = grey
        x[i] = pixels
    if problems:
        shown = "; ".join(f"{p.args[0].relative_to(root)} {p.reason}" for p in problems[:5])
        more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise ValueError(f"{len(problems)} of the {len(files)} images in {root} cannot be used, so repair or remove "
                         f"them: {shown}{more}.") from None  # fmt: skip
    return x


def _allocate(root: Path, n: int, channels: int, size: int) -> np.ndarray:
    needed = n * channels * size**2
    if needed > MAX_BYTES:
        raise ValueError(f"The {n} images in {root} need {needed / 1e9:.1f} GB at {size} px, and this course stops at "
                         f"{MAX_BYTES / 1e9:.0f} GB: choose a smaller size, or fewer images.")  # fmt: skip
    return np.empty((n, channels, size, size), np.uint8)
