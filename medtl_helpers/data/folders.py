"""``load_folder``: the reader's own images, from folders named after the classes, as a task like any other."""

import unicodedata
from collections.abc import Collection
from numbers import Integral
from pathlib import Path

import numpy as np
import torch

from ..console import say
from ..provenance import note_source
from .folder_layout import Layout, find_layout
from .image_tasks import ImageTask, tell_duplicates
from .pixels import MIN_SIDE
from .reading import counted, read_all
from .streams import StreamedImages, check_stream
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
    stream: bool | str | Path | None = None,
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
    stream: whether the pixels stay on the disk instead of in memory (``streams.py``): None decides by the memory and
        says so, True or a folder for the pixels says yes, False no. What is trained on them comes out the same.

    Returns an ImageTask: uint8 N×C×size×size, int64 N, classes sorted by name, provenance ``"own"``, with its files and
    patients. Of a streamed task ``x`` is ``StreamedImages`` in place of a tensor.

    Raises ValueError with one sentence that names the folder or the files and says what to do: a layout that is not
    the above, a class that is missing from a split, one class only, an empty class, too few images or patients to
    split, a patient in two splits, files without a patient, unusable images (all are looked for before it stops), a
    folder that may not be read, too little room in memory or on the disk.
    """
    root = Path(path).expanduser()
    if not root.is_dir():
        raise ValueError(f"{path} is no folder: give the one that holds your train/val/test or class folders.")
    if channels not in (None, 1, 3):
        raise ValueError(f"channels is {channels!r}: give 1 (grey), 3 (RGB), or None to let the images decide.")
    if not isinstance(size, int) or size < MIN_SIDE:
        raise ValueError(f"size is {size!r}: give the pixels per side as a whole number, {MIN_SIDE} or more.")
    check_stream(stream)
    name = root.resolve().name
    layout = find_layout(root, np.random.default_rng(seed), patients, leave_out)
    number = _positive_class(positive, layout.classes)
    x = read_all(root, [file for found in layout.files.values() for file, _ in found], size, channels, stream)
    splits, start = {}, 0
    for split, found in layout.files.items():
        y = torch.tensor([label for _, label in found])
        end = start + len(y)
        part = x.only(torch.arange(start, end)) if isinstance(x, StreamedImages) else x[start:end]
        splits[split], start = Split(part, y), end
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
        lines.append(f"{name}: {counted(layout.nested, root)} lie in folders inside the class folders, and were read.")
    if layout.skipped:
        lines.append(f"{name}: skipped {counted(layout.skipped, root, 'hidden or other files and folders')}.")
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
