"""Which folders are called like a split of the data, of images and of images with masks alike."""

from pathlib import Path

SPLITS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}


def folders_of_splits(root: Path, folders: list[Path]) -> dict[str, Path]:
    """Those of the ``folders`` in ``root`` that are called like a split, by split. Raises ValueError for two of one."""
    given: dict[str, Path] = {}
    for folder in folders:
        split = split_called(folder)
        if split in given:
            raise ValueError(f"{root} has two folders for {split}, {given[split].name} and {folder.name}: keep one.")
        if split:
            given[split] = folder
    return given


def split_called(folder: Path) -> str | None:
    """The split that the folder is called like, whatever the case, or None."""
    return next((split for split, names in SPLITS.items() if folder.name.lower() in names), None)
