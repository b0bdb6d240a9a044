"""Which mask belongs to which image: the layouts of a folder of the reader's own images and masks."""

import unicodedata
from dataclasses import dataclass
from pathlib import Path

from .folder_layout import listed
from .images import SUFFIXES
from .split_names import SPLITS, folders_of_splits, split_called

IMAGES, MASKS = ("images", "image"), ("masks", "mask")
LAYOUT = (
    "put the images into a folder images and their masks, with the same names, into a folder masks beside it, or give "
    "each image a folder of its own with images and masks in it"
)
NAMED = 3  # files without a partner that are named


@dataclass(frozen=True)
class Pair:
    """An image and its mask; or its masks, where each object has one of its own."""

    image: Path
    masks: tuple[Path, ...]


@dataclass(frozen=True)
class Pairs:
    """What was found: the pairs of each split that the folder has, and what was left out."""

    splits: dict[str, list[Pair]]  # "train" alone where the folder makes no splits
    objects: bool  # whether each object has a mask of its own
    depth: int  # folders above an image that every image has: its split, and ``images``
    skipped: list[Path]


def find_pairs(root: Path) -> Pairs:
    """The pairs of image and mask below ``root``.

    Either ``images/`` and ``masks/`` with the same file names (suffixes may differ, and a mask may be called
    ``…_mask``), also in the same folders inside; or for each image a folder with ``images/`` (one image) and ``masks/``
    (one mask an object). Above either there may be ``train``, ``val`` and ``test``, and of the first kind also inside
    ``images/`` and ``masks/``. Raises ValueError, one sentence, for anything else: an image without a mask, a mask
    without an image, two images of one name.
    """
    skipped: list[Path] = []
    given = {"train": root} if _has_both(root) else _given_splits(root, skipped)
    pairs, kinds = {}, set()
    for split, folder in given.items():
        objects = not _has_both(folder)
        pairs[split] = (_by_object if objects else _by_name)(folder, skipped)
        kinds.add(objects)
    if len(kinds) > 1:
        raise ValueError(
            f"{root} has one mask for each object in some splits and one for each image in others: {LAYOUT}."
        )
    objects = kinds.pop()
    inside = _split_inside(pairs["train"], root) if not objects and list(given.values()) == [root] else {}
    depth = (given["train"] != root or bool(inside)) + (not objects)
    return Pairs(inside or pairs, objects, depth, skipped)


def _given_splits(root: Path, skipped: list[Path]) -> dict[str, Path]:
    """The folder of each split, in order; ``root`` itself as train where no folder is called like one."""
    folders, files, others = listed(root)
    given = folders_of_splits(root, folders)
    if not given:
        return {"train": root}
    missing = [split for split in ("train", "test") if split not in given]
    if missing:
        raise ValueError(
            f"{root} has {' and '.join(folder.name for folder in given.values())} and no {missing[0]} folder: add it, "
            "or give images and masks without such folders to have them split for you."
        )
    skipped += [path for path in (*folders, *files, *others) if path not in given.values()]
    return {split: given[split] for split in SPLITS if split in given}


def _part(folder: Path, names: tuple[str, ...]) -> Path | None:
    """The folder of one of the ``names`` in ``folder``, whatever its case."""
    return next((inside for inside in listed(folder)[0] if inside.name.lower() in names), None)


def _has_both(folder: Path) -> bool:
    return bool(_part(folder, IMAGES) and _part(folder, MASKS))


def _by_name(folder: Path, skipped: list[Path]) -> list[Pair]:
    """Images and masks of the same path below ``images`` and ``masks``, sorted by it."""
    folders, files, others = listed(folder)
    images, masks = _part(folder, IMAGES), _part(folder, MASKS)
    assert images and masks
    skipped += [path for path in (*folders, *files, *others) if path not in (images, masks)]
    of_image, of_mask = (_named(part, _files_below(part, skipped)) for part in (images, masks))
    if not of_image:
        raise ValueError(f"{images} holds no images ({', '.join(SUFFIXES)}){_other(images)}: {LAYOUT}.")
    pairs, alone = [], []
    for key, image in sorted(of_image.items()):
        mask = of_mask.pop(key, None) or of_mask.pop(f"{key}_mask", None)
        if mask is None:
            alone.append(image)
        else:
            pairs.append(Pair(image, (mask,)))
    if alone or of_mask:
        raise ValueError(_without_partner(alone, sorted(of_mask.values()), images, masks))
    return pairs


def _other(folder: Path) -> str:
    """The end of a sentence, where a folder holds files of another kind than those that are read."""
    other = [path for path in listed(folder)[2] if not path.name.startswith(".")]
    return f"; {other[0].name} there is of another kind" if other else ""


def _files_below(folder: Path, skipped: list[Path], above: tuple[Path, ...] = ()) -> list[Path]:
    """The image files in a folder and in those inside it; a link back to a folder ``above`` is not followed."""
    if folder.resolve() in above:
        skipped.append(folder)
        return []
    folders, files, others = listed(folder)
    skipped += others
    return files + [file for one in folders for file in _files_below(one, skipped, (*above, folder.resolve()))]


def _named(part: Path, files: list[Path]) -> dict[str, Path]:
    """Path below ``part`` without suffix -> file. Raises ValueError where two files have one such name."""
    found: dict[str, Path] = {}
    for file in files:
        name = file.relative_to(part).as_posix()
        key = name.rpartition(".")[0] if name.lower().endswith(SUFFIXES) else name
        other = found.setdefault(unicodedata.normalize("NFC", key), file)
        if other != file:
            raise ValueError(f"{other} and {file.name} have one name, so that nobody knows which is meant: rename one.")
    return found


def _without_partner(images: list[Path], masks: list[Path], image_folder: Path, mask_folder: Path) -> str:
    parts = [
        f"{len(files)} {what} without {a} ({', '.join(f.relative_to(at).as_posix() for f in files[:NAMED])}"
        f"{', …' if len(files) > NAMED else ''}{_other(mask_folder) if files is images else ''})"
        for files, what, a, at in (
            (images, "image(s)", "a mask", image_folder),
            (masks, "mask(s)", "an image", mask_folder),
        )
        if files
    ]
    return (
        f"{image_folder.parent} has {' and '.join(parts)}: give both the same name, like images/7.png and masks/7.png, "
        "or images/7.png and masks/7_mask.png, and an image that shows nothing an all-black mask."
    )


def _by_object(folder: Path, skipped: list[Path]) -> list[Pair]:
    """A folder for each image, with one image in ``images`` and a mask for each object in ``masks``."""
    folders, files, others = listed(folder)
    pairs, wrong = [], []
    for case in folders:
        images, masks = _part(case, IMAGES), _part(case, MASKS)
        if not (images and masks):
            wrong.append(case)
            continue
        inside, more, rest = listed(case)
        (_, image_files, a), (_, mask_files, b) = listed(images), listed(masks)
        skipped += [path for path in (*inside, *more, *rest) if path not in (images, masks)] + a + b
        if len(image_files) != 1:
            raise ValueError(f"{images} holds {len(image_files)} images and one is needed, beside its masks: {LAYOUT}.")
        if not mask_files:
            raise ValueError(f"{masks} holds no mask: put one in, all black where the image shows nothing.")
        pairs.append(Pair(image_files[0], tuple(mask_files)))
    if not pairs:
        raise ValueError(f"{folder} has no folders images and masks, nor folders that have them: {LAYOUT}.")
    if wrong:
        raise ValueError(
            f"{folder} has {len(wrong)} folder(s) without images and masks in it, like {wrong[0].name}: {LAYOUT}."
        )
    skipped += files + others
    return pairs


def _split_inside(pairs: list[Pair], root: Path) -> dict[str, list[Pair]]:
    """The pairs by split where the first folder in ``images`` is a split for every image; else nothing."""
    found: dict[str, list[Pair]] = {}
    for pair in pairs:
        inside = pair.image.relative_to(root).parts[1:-1]
        found.setdefault((inside and split_called(Path(inside[0]))) or "", []).append(pair)
    if "" in found or not found.keys() >= {"train", "test"}:
        return {}
    return {split: found[split] for split in SPLITS if split in found}
