"""Data as every notebook sees them: ``load(name)`` gives a task with train, validation and test, real or twin.

``ImageTask`` holds uint8 tensors, ``TableTask`` a pandas table; both have ``train``, ``val``, ``test`` (each a
``Split`` of x and y), ``classes``, ``positive``, ``provenance``, ``licence`` and ``note``.
"""

from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, NamedTuple

from .assets import card, find
from .checks import note_source

MAX_BYTES = 2 * 10**9  # more than this in memory is refused
TWIN_IMAGES = {"train": 1600, "val": 400, "test": 600}  # a twin never has more images than this, nor than its card


class Split(NamedTuple):
    """Inputs and labels of one split: for images uint8 N×C×H×W and int64 N; for tables a DataFrame and int64 N."""

    x: Any
    y: Any


@dataclass(frozen=True)
class ImageTask:
    """A classification task on images. ``x`` is a uint8 tensor N×C×H×W (0–255), ``y`` an int64 tensor N."""

    name: str
    train: Split
    val: Split
    test: Split
    classes: tuple[str, ...]
    positive: int | None  # the disease class of a two-class task
    provenance: str  # "real", "twin" or "own"
    licence: str
    note: str  # what else to know, in one sentence


@dataclass(frozen=True)
class TableTask:
    """A classification task on a table. ``x`` is a DataFrame (NaN = missing), ``y`` an int64 array."""

    name: str
    train: Split
    val: Split
    test: Split
    classes: tuple[str, ...]
    positive: int
    provenance: str
    licence: str
    note: str

    @property
    def all_rows(self) -> Split:
        """The three splits put together again, e.g. to split them otherwise with ``split_table``."""
        import numpy as np
        import pandas as pd

        parts = (self.train, self.val, self.test)
        return Split(pd.concat([p.x for p in parts], ignore_index=True), np.concatenate([p.y for p in parts]))


def load(name: str, *, size: int = 28, site: str = "cleveland", quiet: bool = False) -> ImageTask | TableTask:
    """Load a data set from this disk: the real one where it is, else its embedded twin, and say which.

    Parameters
    ----------
    name: ``"pneumonia"``, ``"breast"``, ``"blood"``, … (MedMNIST), ``"heart"`` or ``"breast_cancer"``.
    size: pixels per side of images: 28, or 64, 128, 224. Where no file of that size was fetched, the 28 px images
        are enlarged (bilinear) and ``note`` says so.
    site: the hospital of ``heart``: cleveland, hungary, switzerland or va.
    quiet: do not print the line that says what was loaded.

    Raises ValueError for an unknown name, size or site, for a set of weights, and for data of more than 2 GB.
    """
    kind = card(name)["kind"]
    if kind == "weights":
        raise ValueError(f"{name} is a set of weights, not of data: use load_backbone.")
    if kind == "image":
        task = _load_images(name, size)
    else:
        task = _load_breast_cancer() if name == "breast_cancer" else _load_heart(site)
    note_source(task.name, task.provenance)
    if not quiet:
        print(_summary(task))
    return task


def _summary(task) -> str:
    counts = "/".join(str(len(split.y)) for split in (task.train, task.val, task.test))
    label = {"real": "real data", "twin": "TWIN (drawn by code)"}[task.provenance]
    return f"{task.name}: {label}; train/val/test {counts}; {task.note}".removesuffix("; ")


def few_shot(task: ImageTask, n: int, *, seed: int, val: int = 10) -> ImageTask:
    """``n`` training and ``val`` validation images per class, drawn from the training split; test stays as it is.

    Real life with few labels has few for validation, too. Raises ValueError when a class has fewer than that, or when
    ``n`` is not 1 or more and ``val`` not 0 or more.
    """
    import torch

    if isinstance(task, TableTask):
        raise ValueError(f"{task.name} is a table, and few_shot draws images: use split_table with n_train.")
    if not (isinstance(n, Integral) and isinstance(val, Integral) and n >= 1 and val >= 0):
        raise ValueError(f"{n!r} training and {val!r} validation images per class were asked for: give whole numbers, "
                         "at least 1 and 0.")  # fmt: skip

    order = torch.randperm(len(task.train.y), generator=torch.Generator().manual_seed(seed))
    chosen = {"train": [], "val": []}
    for k, name in enumerate(task.classes):
        images = order[task.train.y[order] == k]
        if len(images) < n + val:
            raise ValueError(f"{task.name} has {len(images)} training images of {name}, {n} + {val} were asked for: "
                             "take fewer.")  # fmt: skip
        chosen["train"].append(images[:n])
        chosen["val"].append(images[n : n + val])
    splits = {split: torch.cat(parts) for split, parts in chosen.items()}
    return replace(task, **{split: Split(task.train.x[at], task.train.y[at]) for split, at in splits.items()})


# --- images ----------------------------------------------------------------------------------------------------


def _load_images(name: str, size: int) -> ImageTask:
    about = card(name)
    if size not in [int(key) for key in about["files"]]:
        raise ValueError(f"{about['title']} has no size {size!r}: choose one of {', '.join(about['files'])}.")
    size = int(size)
    needed = sum(about["splits"].values()) * about["channels"] * size**2
    if needed > MAX_BYTES:
        raise ValueError(f"{about['title']} at {size} px needs {needed / 1e9:.1f} GB of memory, and this course stops "
                         f"at {MAX_BYTES / 1e9:.0f} GB: choose a smaller size.")  # fmt: skip
    path, why_not = find(name, str(size))
    side, note = size, ""
    if path is None and size != 28 and why_not != "MEDTL_DATA=twin":
        note = f"enlarged from 28 to {size} px; native: make data ONLY={name}:{size} ({why_not})"
        path, why_not = find(name, "28")
        side = 28
    if path is not None:
        splits = {part: Split(_resize(x, size), y) for part, (x, y) in _read_medmnist(path, about, side).items()}
        provenance = "real"
    else:
        splits, provenance = _draw_twin(name, size), "twin"
        note = f"for real data: make data ONLY={name} ({why_not})"
    return ImageTask(name, **splits, classes=tuple(about["classes"]), positive=about.get("positive"),
                     provenance=provenance, licence=about["licence"], note=note)  # fmt: skip


def _read_medmnist(path, about: dict, side: int) -> dict[str, Split]:
    """The splits of a file of images of ``side`` pixels. Raises ValueError when it holds anything else."""
    import numpy as np
    import torch

    from .archives import read_npz

    parts, n_classes = ("train", "val", "test"), len(about["classes"])
    arrays = read_npz(path, [f"{part}_{what}" for part in parts for what in ("images", "labels")])
    splits = {}
    for part in parts:
        x, y = arrays[f"{part}_images"], arrays[f"{part}_labels"].reshape(-1)  # uint8 N×S×S or N×S×S×3; integers N×1
        shape = (len(y), side, side) if about["channels"] == 1 else (len(y), side, side, 3)
        if x.dtype != np.uint8 or x.shape != shape:
            raise ValueError(f"{path} holds {x.dtype} {part} images of shape {x.shape} where uint8 {shape} is wanted: "
                             "delete it and fetch it again.")  # fmt: skip
        if y.dtype.kind not in "iu" or not np.isin(y, range(n_classes)).all():
            raise ValueError(f"{path} holds {part} labels other than 0 to {n_classes - 1}: delete it and fetch it "
                             "again.")  # fmt: skip
        x = torch.from_numpy(x)
        x = x.unsqueeze(1) if x.ndim == 3 else x.permute(0, 3, 1, 2).contiguous()
        splits[part] = Split(x, torch.from_numpy(y.astype(np.int64)))
    return splits


def _resize(x, size: int):
    """uint8 N×C×H×W to N×C×size×size, bilinear with antialiasing."""
    from torchvision.transforms.v2.functional import resize

    return x if x.shape[-1] == size else resize(x, [size, size], antialias=True)


def _draw_twin(name: str, size: int) -> dict[str, Split]:
    """Phantoms with the classes, channels and class balance of the card, in at most ``TWIN_IMAGES`` images."""
    import torch

    from .phantoms import draw

    about = card(name)
    n_classes = len(about["classes"])
    splits = {}
    for stream, (split, most) in enumerate(TWIN_IMAGES.items()):
        counts = about.get("class_counts", {}).get(split) or about.get("class_totals") or [1] * n_classes
        share = torch.tensor(counts, dtype=torch.float64) / sum(counts)
        n = min(most, about["splits"][split])
        edges = (share.cumsum(0) * n).round().long()
        y = torch.bucketize(torch.arange(n), edges, right=True).clamp(max=n_classes - 1)
        y = y[torch.randperm(n, generator=torch.Generator().manual_seed(1000 + stream))]
        splits[split] = Split(draw(about["twin"], y, size, channels=about["channels"], seed=stream), y)
    return splits


# --- tables ----------------------------------------------------------------------------------------------------


def _load_breast_cancer() -> TableTask:
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True, as_frame=True)
    return _table("breast_cancer", "breast_cancer", x, y.to_numpy("int64"), "real", "one hospital: no domains")


def _load_heart(site: str) -> TableTask:
    import numpy as np

    about = card("heart")
    if site not in about["sites"]:
        raise ValueError(f"heart has no site {site!r}: choose one of {', '.join(about['sites'])}.")
    columns = [*about["columns"], "num"]
    path, why_not = find("heart", site)
    if path is not None:
        frame, provenance, note = _read_heart(path, columns), "real", ""
    else:
        from .table_twins import heart_twin

        frame, provenance = heart_twin(site, about["sites"][site]), "twin"
        note = f"for real data: make data ONLY=heart ({why_not})"
    for column in about["zero_means_missing"]:
        frame[column] = frame[column].where(frame[column] != 0, np.nan)
    y = (frame.pop("num") > 0).to_numpy("int64")
    return _table(f"heart:{site}", "heart", frame.astype("float64"), y, provenance, note)


def _read_heart(path, columns: list[str]):
    """The numbers of a heart-disease file, NaN for its ``?``. Raises ValueError when it holds anything else."""
    import pandas as pd

    try:
        frame = pd.read_csv(path, names=columns, na_values="?", index_col=False, on_bad_lines="error", dtype="float64")
    except ValueError:  # pandas' own are its subclasses
        frame = None
    if frame is None or frame.empty:
        raise ValueError(f"{path} is no table of numbers with {len(columns)} columns: delete it and fetch it again.")
    if not frame["num"].isin(range(5)).all():
        raise ValueError(f"{path} has rows whose last column is no diagnosis (0 to 4): delete it and fetch it again.")
    return frame


def _table(name: str, card_name: str, x, y, provenance: str, note: str) -> TableTask:
    about = card(card_name)
    task = TableTask(name, Split(x, y), Split(x[:0], y[:0]), Split(x[:0], y[:0]), tuple(about["classes"]),
                     about["positive"], provenance, about["licence"], note)  # fmt: skip
    return split_table(task, seed=0, test=0.4, val=0.2)


def split_table(task: TableTask, *, seed: int, test: float = 0.4, val: float = 0.2, n_train: int | None = None):
    """The same rows split anew, stratified by class.

    ``test`` is a share of all rows and ``val`` a share of the rest. With ``n_train`` only so many of the rows left
    for training are kept (few-shot), again stratified. Raises ValueError when there are fewer than that or less than
    one per class, for shares outside 0..1, labels other than those of ``classes``, and where a class is too rare to
    be in every split.
    """
    import numpy as np

    x, y = task.all_rows
    n_classes = len(task.classes)
    if not (0 < test < 1 and 0 < val < 1):
        raise ValueError(f"test is {test} and val is {val}: give shares between 0 and 1.")
    if len(x) != len(y) or y.dtype.kind not in "iu" or not np.isin(y, range(n_classes)).all():
        raise ValueError(f"{task.name} has {len(x)} rows and {len(y)} labels, which must be whole numbers from 0 to "
                         f"{n_classes - 1}, one for each row: correct the labels.")  # fmt: skip
    if n_train is not None and n_train < n_classes:
        raise ValueError(f"n_train is {n_train}, for {n_classes} classes: ask for at least one row of each.")
    x_rest, x_test, y_rest, y_test = _stratified(task, x, y, seed, test_size=test)
    x_train, x_val, y_train, y_val = _stratified(task, x_rest, y_rest, seed, test_size=val)
    if n_train is not None and n_train > len(y_train):
        raise ValueError(f"{task.name} has {len(y_train)} rows left for training, {n_train} were asked for: "
                         "take fewer, or a smaller test share.")  # fmt: skip
    if n_train is not None and n_train < len(y_train):
        x_train, _, y_train, _ = _stratified(task, x_train, y_train, seed, train_size=n_train)
    return replace(task, train=Split(x_train, y_train), val=Split(x_val, y_val), test=Split(x_test, y_test))


def _stratified(task: TableTask, x, y, seed: int, **share) -> list:
    """scikit-learn's stratified split in two. Raises ValueError where a class would be missing from one of them."""
    import numpy as np
    from sklearn.model_selection import train_test_split

    n_classes = len(task.classes)
    try:
        parts = train_test_split(x, y, stratify=y, random_state=seed, **share)
    except ValueError:  # too few rows, in scikit-learn's words
        parts = None
    if parts is None or any(len(np.unique(labels)) < n_classes for labels in parts[2:]):
        counts = np.bincount(y, minlength=n_classes).tolist()
        raise ValueError(f"{task.name} has {counts} rows of {', '.join(task.classes)} here, too few for each part of "
                         "the split to have some: give more rows, or other shares.")  # fmt: skip
    return parts
