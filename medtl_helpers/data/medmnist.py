"""MedMNIST: the published files where they are on this disk, else phantoms with the same classes and balance."""

import numpy as np
import torch

from ..assets import MAX_BYTES, find
from .archives import read_npz
from .image_tasks import ImageTask
from .phantoms import draw
from .pixels import resized
from .tasks import Split

TWIN_IMAGES = {"train": 1600, "val": 400, "test": 600}  # a twin never has more images than this, nor than its card


def load_images(name: str, about: dict, size: int) -> ImageTask:
    """The images of the data set ``name``, whose card is ``about``, as uint8 N×C×size×size; real or twin.

    Raises ValueError for a size that the card does not have, and for data that would need more than 2 GB.
    """
    if size not in [int(key) for key in about["files"]]:
        raise ValueError(f"{about['title']} has no size {size!r}: choose one of {', '.join(about['files'])}.")
    size = int(size)
    needed = sum(about["splits"].values()) * about["channels"] * size**2
    if needed > MAX_BYTES:
        raise ValueError(
            f"{about['title']} at {size} px needs {needed / 1e9:.1f} GB of memory, and this course stops "
            f"at {MAX_BYTES / 1e9:.0f} GB: choose a smaller size."
        )
    found, side, note = find(about, str(size)), size, ""
    if found.path is None and size != 28 and not found.twin_wanted:
        note = f"enlarged from 28 to {size} px; native: make data ONLY={name}:{size} ({found.why_not})"
        found, side = find(about, "28"), 28
    if found.path is not None:
        read = _read_medmnist(found.path, about, side)
        splits, provenance = {part: Split(resized(x, size), y) for part, (x, y) in read.items()}, "real"
    else:
        splits, provenance = _draw_twin(about, size), "twin"
        note = f"for real data: make data ONLY={name} ({found.why_not})"
    return ImageTask(
        name,
        splits["train"],
        splits["val"],
        splits["test"],
        classes=tuple(about["classes"]),
        positive=about.get("positive"),
        provenance=provenance,
        licence=about["licence"],
        note=note,
    )


def _read_medmnist(path, about: dict, side: int) -> dict[str, Split]:
    """The splits of a file of images of ``side`` pixels. Raises ValueError when it holds anything else."""
    import torch

    parts, n_classes = ("train", "val", "test"), len(about["classes"])
    arrays = read_npz(path, [f"{part}_{what}" for part in parts for what in ("images", "labels")])
    splits = {}
    for part in parts:
        x, y = arrays[f"{part}_images"], arrays[f"{part}_labels"].reshape(-1)  # uint8 N×S×S or N×S×S×3; integers N×1
        shape = (len(y), side, side) if about["channels"] == 1 else (len(y), side, side, 3)
        if x.dtype != np.uint8 or x.shape != shape:
            raise ValueError(
                f"{path} holds {x.dtype} {part} images of shape {x.shape} where uint8 {shape} is wanted: "
                "delete it and fetch it again."
            )
        if y.dtype.kind not in "iu" or not np.isin(y, range(n_classes)).all():
            raise ValueError(
                f"{path} holds {part} labels other than 0 to {n_classes - 1}: delete it and fetch it again."
            )
        images = torch.from_numpy(x)
        images = images.unsqueeze(1) if x.ndim == 3 else images.permute(0, 3, 1, 2).contiguous()
        splits[part] = Split(images, torch.from_numpy(y.astype(np.int64)))
    return splits


def _draw_twin(about: dict, size: int) -> dict[str, Split]:
    """Phantoms with the classes, channels and class balance of the card, in at most ``TWIN_IMAGES`` images."""

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
