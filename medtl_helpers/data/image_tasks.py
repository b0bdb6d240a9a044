"""``ImageTask``: a task of pictures, which knows its files and patients and finds the pictures that stand twice."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from ..console import say
from ..guards import is_streamed
from .alike import TooAlike
from .duplicates import Duplicates, find_duplicates, without_duplicates
from .tasks import SPLITS, Task

MOST_COMPARED = 30_000  # images: of more, the rest takes many seconds, and of streamed ones the memory of all


@dataclass(frozen=True)
class ImageTask(Task):
    """A ``Task`` whose ``x`` are uint8 images N×C×H×W, and what else is known of each image.

    ``files`` and ``patients`` are None, or have for each split an array of one text for each of its images: the path
    below the folder that was loaded, and the patient. Raises ValueError where there are more or fewer.
    """

    files: dict[str, Any] | None = None
    patients: dict[str, Any] | None = None
    OF_IMAGES: ClassVar[tuple[str, ...]] = ("files", "patients")  # what goes with each image

    def __post_init__(self):
        for what in self.OF_IMAGES:
            for split, texts in (getattr(self, what) or {}).items():
                if len(texts) != (n := len(getattr(self, split).y)):
                    raise ValueError(
                        f"The {split} split of {self.name} has {n} images and {len(texts)} {what}: give one for each, "
                        f"or {what}=None."
                    )

    def with_rows(self, rows: dict[str, Any], **changes) -> Self:
        """As ``Task.with_rows``; files, patients and groups go with their images."""
        for what in self.OF_IMAGES:
            texts = getattr(self, what)
            if texts is not None:
                everything = np.concatenate([texts[split] for split in SPLITS])
                changes[what] = texts | {split: everything[np.asarray(at)] for split, at in rows.items()}
        return super().with_rows(rows, **changes)

    def duplicates(self, threshold: float | None = 0.99, *, report: float | None = None) -> Duplicates:
        """The pictures that stand twice, as ``find_duplicates`` finds them; ``.pairs`` lists them.

        Where the files are known, the table has their names in two more columns, ``file`` and ``other file``.
        """
        found = find_duplicates(self, threshold, report=report)
        if self.files is not None:
            for which in ("", "other "):
                places = zip(found.pairs[f"{which}split"], found.pairs[f"{which}row"], strict=True)
                found.pairs[f"{which}file"] = [self.files[split][row] for split, row in places]
        return found

    def without_duplicates(self, drop_from: str = "train", *, threshold: float | None = None) -> "ImageTask":
        """The task with each picture in one split only, as ``without_duplicates`` makes it.

        By default copies are dropped from train (and from validation what stands in test), so that test stays as it
        was published.
        """
        return without_duplicates(self, threshold=threshold, drop_from=drop_from)

    def where(self, split: str, row: int) -> str:
        """Where a picture is, for people: its file, or its split, row and class."""
        if self.files is not None:
            return self.files[split][row]
        return f"{split} row {row} ({self.classes[int(getattr(self, split).y[row])]})"


def looks_closely(task: ImageTask) -> bool:
    """Whether all pictures are compared by their pixels when they are loaded: they are in memory, and not too many."""
    return not is_streamed(task.train.x) and sum(len(getattr(task, split).y) for split in SPLITS) <= MOST_COMPARED


def tell_duplicates(task: ImageTask) -> None:
    """Print one line where pictures stand twice in a task, with counts and an example; nothing where none does."""
    few = looks_closely(task)
    try:
        found = find_duplicates(task, 0.99, report=0.99) if few else find_duplicates(task, None)
    except TooAlike as error:
        say(f"{task.name}: {error}")
        return
    if not len(found.pairs):
        return
    pairs, sizes, other = found.pairs, found.sizes, found.other_label
    counts = [
        (len(found.rows("test", "train")), f"of {sizes['test']} test images also in train"),
        (len(found.rows("test", "val")), "of the test images also in val"),
        (len(found.rows("val", "train")), f"of {sizes['val']} val images also in train"),
        *((len(found.rows(split, split)), f"within {split}") for split in SPLITS),
        (len(other), f"pairs with two {'classes as labels' if task.train.y.ndim == 1 else 'masks'}"),
    ]
    across = pairs[pairs["split"] != pairs["other split"]]
    pair = next(table for table in (other, across, pairs) if len(table)).iloc[0]
    one, two = task.where(pair["other split"], pair["other row"]), task.where(pair["split"], pair["row"])
    nearly = len(pairs) - (identical := int(pairs["identical"].sum()))
    or_so = f"{nearly} nearly so (correlation above {found.threshold:g})" if few else "nearly so: not looked for here"
    say(
        f"{task.name}: the same picture stands twice: {identical} pairs identical, {or_so}; "
        f"{', '.join(f'{n} {what}' for n, what in counts if n)}; e.g. {one} and {two}. "
        "task.duplicates() lists them, task.without_duplicates() drops them from train."
    )
