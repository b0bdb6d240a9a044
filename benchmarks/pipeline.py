"""Images per second, measured in pairs in one run: our batches against a DataLoader with per-sample PIL transforms.

    python benchmarks/pipeline.py

Both shuffle, mirror, move by up to two pixels and normalise PneumoniaMNIST (or its twin), in batches of 64 on the
processor, with one worker process less than there are cores for the DataLoader, or none, whichever is faster.
"""

import json
import time

import numpy as np
import torch
from PIL import Image
from record import RESULTS, header
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

import medtl_helpers as mtl

BATCH, PAIRS = 64, 5


class PILImages(Dataset):
    """The usual way: one PIL image at a time, one transform at a time."""

    def __init__(self, x, y):
        self.images = [Image.fromarray(image[0].numpy()) for image in x]
        self.y = y
        self.transform = transforms.Compose([
            transforms.RandomHorizontalFlip(),
            transforms.RandomCrop(x.shape[-1], padding=2, padding_mode="edge"),
            transforms.ToTensor(),
            transforms.Normalize([0.5], [0.5]),
        ])  # fmt: skip

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.transform(self.images[i]), self.y[i]


def ours(x, y) -> int:
    """One epoch of batches as ``fit`` makes them."""
    generator, seen = torch.Generator().manual_seed(0), 0
    for batch in torch.randperm(len(x), generator=generator).split(BATCH):
        inputs, labels = mtl.to_float(mtl.augment(x[batch], generator)), y[batch]
        seen += len(inputs) * (len(labels) == len(inputs))
    return seen


def theirs(loader) -> int:
    """One epoch of batches of the DataLoader."""
    return sum(len(x) for x, _ in loader)


def rate(epoch, *args) -> float:
    """Images per second of one epoch."""
    start = time.perf_counter()
    return epoch(*args) / (time.perf_counter() - start)


def main() -> None:
    """Measure in pairs, print, and write ``results/pipeline.json``."""
    start = time.perf_counter()
    task = mtl.load("pneumonia")
    x, y = task.train
    images = PILImages(x, y)
    loaders = {workers: DataLoader(images, BATCH, shuffle=True, num_workers=workers) for workers in (0, 1)}
    rate(ours, x, y)  # warm-up
    pairs = []
    for _ in range(PAIRS):
        fast = rate(ours, x, y)
        slow = max(rate(theirs, loader) for loader in loaders.values())
        pairs.append((fast, slow, fast / slow))
    median = np.median(pairs, axis=0)
    drawn = {}
    torch.set_num_threads(1)
    for kind, classes in (("smear", 8), ("chest", 2)):
        labels = torch.arange(3000) % classes
        drawn[kind] = round(float(np.median([_phantoms_per_second(kind, labels) for _ in range(3)])))
    result = header(seeds=[0], seconds=time.perf_counter() - start) | {
        "data": task.provenance,
        "images": len(x),
        "ours_images_per_second": round(median[0]),
        "dataloader_images_per_second": round(median[1]),
        "ratio": [round(p[2], 1) for p in pairs],
        "phantoms_per_second_32px_one_core": drawn,
    }
    (RESULTS / "pipeline.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def _phantoms_per_second(kind: str, labels) -> float:
    start = time.perf_counter()
    mtl.draw(kind, labels, 32)
    return len(labels) / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
