"""``load_masks``: the reader's own images and masks, from a folder, as a task like any other."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from ..console import say
from ..parts import check_whole, shown
from ..provenance import note_source
from .crops import fitting_pairs
from .image_tasks import tell_duplicates
from .mask_files import Pairs, find_pairs
from .mask_numbers import meaning
from .mask_pairs import read_pairs, stacked, to_classes
from .masks import MaskTask
from .patients import check_apart, deal_patients, find_patients
from .pixels import MIN_SIDE
from .reading import counted
from .tasks import SPLITS, Split

SHARE = 0.15  # of the images, for a validation or test split that the folder does not have
MOSTLY = 0.5  # of the pixels: above it in most masks, background and object may have been exchanged
MOST_JOINED = 3000  # images of which each pair is held together at its borders


def load_masks(
    path: str | Path,
    *,
    size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    classes: str | Sequence[str] | Mapping[int, str] | None = None,
    patients: str | Path | None = None,
    seed: int = 0,
) -> MaskTask:
    """Load images and their masks: ``images/7.png`` and ``masks/7.png`` (or ``masks/7_mask.png``), and so on.

    The folder may instead have one folder for each image, ``<any name>/images/*.png`` with one image and
    ``<any name>/masks/*.png`` with one mask for each object; these are joined. Above either there may be the folders
    ``train``, ``val`` and ``test``; without ``val`` 15 % of train become it, and without all three 70/15/15 %.
    **Several images of one patient must not fall into different splits**: say with ``patients`` which belong together.

    Images are PNG, JPEG, TIFF, BMP or DICOM, read by the rules of ``images.read_image``. Masks are PNG, TIFF or BMP:
    0 and 1, 0 and 255, or a number for each class. An empty mask is allowed, and so is a mask in JPEG that holds two
    numbers alone. Nothing leaves this computer.

    Parameters
    ----------
    path: the folder; its name becomes the task's name. Other and hidden files in it are skipped and counted.
    size: None where all images have one size; else the pixels per side, or (height, width), to which images (bilinear
        with antialiasing) and masks (nearest) are resized without keeping the aspect ratio. Nothing is cut or padded.
    channels: 1 or 3; by default 1 if all images are grey, else 3.
    classes: what the numbers in the masks are: names in order, ``("liver", "spleen")`` for 1 and 2; by number,
        ``{63: "liver", 126: "spleen", 255: "background"}``, where two numbers may have one name; or one name,
        ``"nucleus"``, for everything above 0. Without it masks of two numbers have the classes background and object.
    patients: as in ``load_folder``: a regular expression, searched for in the path below ``images`` (below the split,
        where each image has a folder), or the path of a CSV with the columns file and patient.
    seed: of the random splits, where the folder does not make them.

    Returns a MaskTask: uint8 N×C×H×W, masks uint8 N×H×W, provenance ``"own"``, with its files and, where ``patients``
    says them, patients and groups. One line each tells of empty masks, of masks that are mostly object, of pictures
    that stand twice, and of pictures that fit together at a border, as if they had been cut from one.

    Raises ValueError with one sentence that names the folder or the files and says what to do: another layout, an image
    without a mask or a mask without an image, sizes that differ, masks with colours or smoothed edges, numbers without
    a name, files that cannot be read (all are looked for), masks that are all empty, too few images or patients to
    split, a patient in two splits, and more than 2 GB.
    """
    if not isinstance(path, str | Path) or not (root := Path(path).expanduser()).is_dir():
        named = path if isinstance(path, str | Path) else shown(path)
        raise ValueError(f"{named} is no folder: give the one that holds your images and masks.")
    if channels is not None and not (isinstance(channels, int) and channels in (1, 3)):
        raise ValueError(f"channels is {shown(channels)}: give 1 (grey), 3 (RGB), or None to let the images decide.")
    if classes is not None and not isinstance(classes, str | Sequence | Mapping):
        raise ValueError(f"classes is {shown(classes)}: give names in order, or a dict from number to name.")
    sides = None if size is None else _sides(size)
    check_whole(seed, "seed", least=0)
    name = root.resolve().name
    found = find_pairs(root)
    pairs = [pair for some in found.splits.values() for pair in some]
    files = np.array([pair.image.relative_to(root).as_posix() for pair in pairs], object)
    people = None if patients is None else find_patients(list(files), found.depth, patients)
    read = read_pairs(root, pairs, sides)
    names, number_of, lines = meaning(read.numbers, classes, name)
    lines += read.doubts(root, sides)
    x, y = stacked(read.images, channels), to_classes(read.masks, number_of)
    splits = _dealt(root, found, people, (y > 0).flatten(1).any(1).long().numpy(), np.random.default_rng(seed))
    groups = None if people is None else np.unique(people, return_inverse=True)[1].astype(np.int64)
    train, val, test = (Split(x[at], y[at]) for at in splits.values())
    task = MaskTask(
        name,
        train,
        val,
        test,
        classes=names,
        provenance="own",
        licence="yours",
        note="" if sides is None else f"Your own images, resized to {sides[0]} × {sides[1]} px (height × width).",
        files={split: files[at] for split, at in splits.items()},
        patients=None if people is None else {split: people[at] for split, at in splits.items()},
        groups=None if groups is None else {split: groups[at] for split, at in splits.items()},
    )
    say(
        f"{name}: your own images and masks, {x.shape[2]} × {x.shape[3]} px, {'grey' if x.shape[1] == 1 else 'RGB'}; "
        f"train/val/test {'/'.join(str(len(at)) for at in splits.values())}; classes {', '.join(names)}."
    )
    lines += _splitting(root, found, people, splits) + _doubts(task, x, y, files, people)
    say(*(f"{name}: {line}" for line in lines))
    note_source(name, "own")
    tell_duplicates(task)
    return task


def _sides(size) -> tuple[int, int]:
    """(height, width)."""
    pair = tuple(size) if isinstance(size, tuple | list) else (size, size)
    if len(pair) != 2:
        raise ValueError(f"size is {shown(size)} of {len(pair)} numbers: give the pixels per side, or (height, width).")
    height, width = (check_whole(side, "size", least=MIN_SIDE) for side in pair)
    return height, width


def _dealt(root: Path, found: Pairs, people: np.ndarray | None, filled: np.ndarray, rng) -> dict[str, np.ndarray]:
    """The rows of each split: those that the folder makes, and those drawn from train that it does not.

    Of the images whose masks are ``filled`` (1) and of those with empty ones (0) each split gets its share, where there
    are enough. Raises ValueError for too few images or patients, and for a patient in two splits.
    """
    ends = np.cumsum([len(some) for some in found.splits.values()])
    rows = dict(zip(found.splits, np.split(np.arange(ends[-1]), ends[:-1]), strict=True))
    if people is not None:
        check_apart({split: people[at] for split, at in rows.items()}, {split: root / split for split in rows})
    drawn = [split for split in SPLITS if split not in rows]
    pool = rows["train"]
    units = len(pool) if people is None else len(set(people[pool]))
    if units <= len(drawn):
        what = "image(s)" if people is None else "patient(s)"
        raise ValueError(
            f"{root} has {units} {what} with masks to be split into {len(drawn) + 1}: add some, or make the folders "
            "train, val and test yourself."
        )
    who = np.arange(len(pool)) if people is None else people[pool]
    kinds = [len(set(who[filled[pool] == kind])) for kind in (0, 1)]
    y, classes = (
        (filled[pool], ("empty", "filled")) if min(kinds) > len(drawn) else (np.zeros(len(pool), int), ("images",))
    )
    if people is None:
        part = np.zeros(len(pool), int)
        for kind in np.unique(y):
            members = rng.permutation(np.flatnonzero(y == kind))
            count = max(1, round(SHARE * len(members)))
            for k in range(len(drawn)):
                part[members[k * count : (k + 1) * count]] = k + 1
    else:
        part = deal_patients(y, who, [1 - SHARE * len(drawn)] + [SHARE] * len(drawn), rng, classes, str(root))
    for k, split in enumerate(("train", *drawn)):
        rows[split] = pool[part == k]
    return {split: rows[split] for split in SPLITS}


def _splitting(root: Path, found: Pairs, people: np.ndarray | None, splits: dict[str, np.ndarray]) -> list[str]:
    """Lines on what was decided for the reader: splits, patients, joined masks, and files left out."""
    lines, drawn = [], [split for split in SPLITS if split not in found.splits]
    were = "was" if len(drawn) == 1 else "were"
    if people is not None:
        counts = "/".join(str(len(set(people[at]))) for at in splits.values())
        how = f"; {' and '.join(drawn)} {were} drawn at random, patient by patient" if drawn else ""
        lines.append(f"patients in train/val/test {counts}, none of them in two{how}.")
    elif drawn:
        lines.append(
            f"{' and '.join(drawn)} {were} drawn at random, {100 * SHARE:.0f} % each: if a patient has several images, "
            "say with patients=… whose image is whose, to have them drawn by patient."
        )
    if found.objects:
        masks = sum(len(pair.masks) for pairs in found.splits.values() for pair in pairs)
        lines.append(f"the {masks} masks of single objects were joined, so that objects that touch are one.")
    if found.skipped:
        lines.append(f"skipped {counted(found.skipped, root, 'hidden or other files and folders')}.")
    return lines


def _doubts(task: MaskTask, x: Tensor, y: Tensor, files: np.ndarray, people: np.ndarray | None) -> list[str]:
    """Lines on pixels that may not be what was meant, and on pictures that belong together."""
    lines, shares = [], y.count_nonzero((1, 2)).numpy() / y[0].numel()
    constant = (x == x[:, :, :1, :1]).flatten(1).all(1).numpy()
    for which, what in (
        (constant, "image(s) have one value everywhere"),
        (shares == 0, "mask(s) are empty, which says that nothing is there"),
        (shares == 1, "mask(s) are object everywhere"),
    ):
        if which.any():
            lines.append(f"{which.sum()} of {len(which)} {what} (e.g. of {files[which.argmax()]}).")
    if np.median(shares[shares > 0]) > MOSTLY:
        lines.append(
            "most pixels of most masks are object: if background and object were exchanged, save each mask as "
            "255 - mask."
        )
    for split in SPLITS:
        seen = set(getattr(task, split).y.unique().tolist())
        absent = [one for k, one in enumerate(task.classes) if k not in seen]
        if absent:
            lines.append(f"no mask in {split} holds {', '.join(absent)}.")
    pieces = fitting_pairs(x) if len(x) <= MOST_JOINED else np.zeros((0, 2), int)
    apart = [(a, b) for a, b in pieces if people is None or people[a] != people[b]]
    if apart:
        a, b = apart[0]
        lines.append(
            f"{len(apart)} pair(s) of images fit together at a border, as if cut from one picture (e.g. {files[a]} and "
            f"{files[b]}): if they were, say with patients=… what belongs together, so that it stays in one split."
        )
    return lines
