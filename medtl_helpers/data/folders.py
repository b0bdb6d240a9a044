"""``load_folder``: the reader's own images, from folders named after the classes, as a task like any other."""

import unicodedata
import warnings
from collections.abc import Collection
from numbers import Integral
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from ..assets import MAX_BYTES
from ..console import say
from ..provenance import note_source
from .folder_layout import Layout, find_layout
from .image_tasks import ImageTask, tell_duplicates
from .images import read_image
from .pixels import MIN_SIDE, SuspectImage, UnusableImage
from .tasks import Split


def load_folder(
    path: str | Path,
    *,
    size: int = 64,
    channels: int | None = None,
    positive: str | int | None = None,
    patients: str | Path | None = None,
    seed: int = 0,
    leave_out: Collection[str] = (),
) -> ImageTask:
    """Load ``train/val/test/<class>/*.png`` (also jpg, tif, bmp, dcm), or ``<class>/*.png`` alone.

    Without a ``val`` folder a stratified 15 % of train becomes it; with class folders alone, 70/15/15 % of each class
    become train, val and test. **Several images of one patient must not fall into different splits**: say with
    ``patients`` which belong together, and the splits are drawn patient by patient.

    Every image is read by the rules of ``images.read_image`` (16-bit and DICOM are windowed to 0..255) and resized,
    bilinear with antialiasing, to a square: the aspect ratio is not kept. Nothing leaves this computer. A file without
    a known suffix is read where its first bytes are those of an image, and a class may have folders of its own, e.g.
    one for each patient. What is the same picture twice is told.

    Parameters
    ----------
    path: the folder; its name becomes the task's name. Other and hidden files in it are skipped and counted.
    size: pixels per side, at least 8.
    channels: 1 or 3; by default 1 if all images are grey (also when saved as RGB), else 3. Grey becomes RGB by
        repetition, RGB becomes grey by its luma, 0.299 R + 0.587 G + 0.114 B.
    positive: the disease class, by its name, or else its number in sorted order; by default 1 of two classes, else
        None.
    patients: a regular expression, searched for in the path below the class folder, whose group 1 (or whole match) is
        the patient, e.g. ``r"^(P\\d+)_"`` for ``P12_left.png`` and ``"^[^/]+"`` for a folder a patient; or the path of
        a CSV with the columns file and patient. The same name is the same patient, whatever the class.
    seed: of the random splits, where the folder does not make them.
    leave_out: images that are not read, as paths below the folder with ``/``.

    Returns an ImageTask: uint8 N×C×size×size, int64 N, classes sorted by name, provenance ``"own"``, with its files and
    patients.

    Raises ValueError with one sentence that names the folder or the files and says what to do: a layout that is not
    the above, a class that is missing from a split, one class only, an empty class, too few images or patients to
    split, a patient in two splits, files without a patient, unusable images (all are looked for before it stops), a
    folder that may not be read, more than 2 GB of memory.
    """
    root = Path(path).expanduser()
    if not root.is_dir():
        raise ValueError(f"{path} is no folder: give the one that holds your train/val/test or class folders.")
    if channels not in (None, 1, 3):
        raise ValueError(f"channels is {channels!r}: give 1 (grey), 3 (RGB), or None to let the images decide.")
    if not isinstance(size, int) or size < MIN_SIDE:
        raise ValueError(f"size is {size!r}: give the pixels per side as a whole number, {MIN_SIDE} or more.")
    name = root.resolve().name
    layout = find_layout(root, np.random.default_rng(seed), patients, leave_out)
    number = _positive_class(positive, layout.classes)
    x = _read_all(root, [file for found in layout.files.values() for file, _ in found], size, channels)
    splits, start = {}, 0
    for split, found in layout.files.items():
        y = torch.tensor([label for _, label in found])
        splits[split], start = Split(torch.from_numpy(x[start : start + len(y)]), y), start + len(y)
    counts = "/".join(str(len(splits[split].y)) for split in splits)
    say(
        f"{name}: your own images, {size} × {size} px, {'grey' if x.shape[1] == 1 else 'RGB'}; "
        f"train/val/test {counts}; classes {', '.join(layout.classes)}."
    )
    say(*_decisions(root, name, layout, number, positive))
    note_source(name, "own")
    task = ImageTask(
        name,
        **splits,
        classes=layout.classes,
        positive=number,
        provenance="own",
        licence="yours",
        note=f"Your own images, resized to {size} × {size} px without keeping the aspect ratio.",
        files={
            split: np.array([file.relative_to(root).as_posix() for file, _ in found], object)
            for split, found in layout.files.items()
        },
        patients=layout.patients,
    )
    tell_duplicates(task)
    return task


def _decisions(root: Path, name: str, layout: Layout, positive: int | None, asked: str | int | None) -> list[str]:
    """Lines on what was decided for the reader: splits, patients, files deep inside or left out, the positive class."""
    lines = []
    if layout.patients is not None:
        counts = "/".join(str(len(set(names))) for names in layout.patients.values())
        drawn = f"; {' and '.join(layout.drawn)} were drawn at random, patient by patient" if layout.drawn else ""
        lines.append(f"{name}: patients in train/val/test {counts}, none of them in two{drawn}.")
    elif layout.drawn == ("val", "test"):
        lines.append(
            f"{name}: no train and test folders, so 70/15/15 % of each class were drawn at random. If a patient has "
            "several images, they may now be in different splits and the results too good: say with patients=… whose "
            "image is whose, to have them drawn by patient."
        )
    elif layout.drawn:
        lines.append(
            f"{name}: no val folder, so 15 % of each class in train were drawn at random for it. If a patient has "
            "several images, say with patients=… whose image is whose, to have it drawn by patient."
        )
    if layout.nested:
        lines.append(f"{name}: {_counted(layout.nested, root)} lie in folders inside the class folders, and were read.")
    if layout.skipped:
        lines.append(f"{name}: skipped {_counted(layout.skipped, root, 'hidden or other files and folders')}.")
    if positive is None:
        return lines
    positive_class = layout.classes[positive]
    if asked is None:
        lines.append(
            f"{name}: {positive_class!r} is taken as the positive class (the disease); if it is not: "
            f"positive={layout.classes[1 - positive]!r}."
        )
    elif isinstance(asked, Integral) and str(asked) != positive_class:
        lines.append(
            f"{name}: {positive_class!r} is the positive class, by its position: no class is called {asked}, and in "
            f"sorted order, from 0, it has this number."
        )
    else:
        lines.append(f"{name}: {positive_class!r} is the positive class.")
    return lines


def _counted(paths: list[Path], root: Path, what: str = "images") -> str:
    return f"{len(paths)} {what} (e.g. {paths[0].relative_to(root).as_posix()})"


def _positive_class(positive: str | int | None, classes: tuple[str, ...]) -> int | None:
    """The number of the positive class: the one asked for, else the second of two, else None."""
    if positive is None:
        return 1 if len(classes) == 2 else None
    name = unicodedata.normalize("NFC", str(positive))
    if name in classes:
        return classes.index(name)
    if not isinstance(positive, Integral) or isinstance(positive, bool) or not 0 <= positive < len(classes):
        raise ValueError(f"positive={positive!r} is none of the classes {', '.join(classes)}: give one of these names.")
    return int(positive)


def _read_all(root: Path, files: list[Path], size: int, channels: int | None) -> np.ndarray:
    """All images as one uint8 array N×C×size×size; with ``channels=None`` C grows to 3 at the first in colour."""
    x = _allocate(root, len(files), channels or 1, size)
    problems: list[UnusableImage] = []
    suspects: list[Path] = []
    for i, file in enumerate(tqdm(files, desc="reading images", delay=2, leave=False)):
        try:
            image = Image.fromarray(_read(file, suspects))
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
        raise ValueError(
            f"{len(problems)} of the {len(files)} images in {root} cannot be used, so repair or remove "
            f"them: {shown}{more}."
        ) from None
    if suspects:
        say(
            f"{root.resolve().name}: {_counted(suspects, root)} hold varied numbers and become nearly constant "
            "pictures: look at them in a viewer, and export them again with another window."
        )
    return x


def _read(file: Path, suspects: list[Path]) -> np.ndarray:
    """``read_image``, whose doubt about the file goes to ``suspects`` instead of one warning for each file."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", SuspectImage)
        try:
            return read_image(file)
        except SuspectImage:
            suspects.append(file)
        warnings.simplefilter("ignore", SuspectImage)
        return read_image(file)


def _allocate(root: Path, n: int, channels: int, size: int) -> np.ndarray:
    needed = n * channels * size**2
    if needed > MAX_BYTES:
        raise ValueError(
            f"The {n} images in {root} need {needed / 1e9:.1f} GB at {size} px, and this course stops at "
            f"{MAX_BYTES / 1e9:.0f} GB: choose a smaller size, or fewer images."
        )
    return np.empty((n, channels, size, size), np.uint8)
