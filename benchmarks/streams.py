"""A folder that is streamed from the disk beside the same folder in memory: images a second, memory, disk.

    python benchmarks/streams.py             # about fifteen minutes; make bench FULL=1
    python benchmarks/streams.py --stage memory

The 20,000 images of 64 px, half of them JPEG and half PNG, are written by this script into a temporary folder and
deleted afterwards. *Memory* is the most that a process ever held while it loaded 10,000 or 20,000 of them and trained
an epoch, less what the first 2,000 and three epochs of them had taken before, in the same process. What the system
keeps of a file, in memory that nobody else wants, is not counted. *Images a second* are measured in pairs, as in
``ratios.py``: after both sides ended with the same weights, they take turns, on one thread. The aim is half of the
speed in memory. Beside it: batches that are read and not used, and what it would cost to decode the files anew in each
epoch, in place of the file of their pixels.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from pairs import Pair, seeded, weights
from PIL import Image
from ratios import measure, sentence
from record import header, write
from record import read as read_record
from scale import megabytes
from tqdm import tqdm

import medtl_helpers as mtl
from medtl_helpers.data.images import read_image
from medtl_helpers.methods.batches import batches

FIRST, NUMBERS, SIDE, ROUNDS = 2000, [10_000, 20_000], 64, 5
DECODED = [64, 300]  # pixels a side, of 200 files each


def draw(folder: Path, first: int, end: int, side: int = SIDE) -> None:
    """Smooth noise in colour, brighter in class b; images of even pairs are JPEG, of odd ones PNG."""
    for k in range(first, end):
        rng = np.random.default_rng(k)
        coarse = rng.integers(20 * (k % 2), 200 + 20 * (k % 2), (8, 8, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
        path = folder / "ab"[k % 2] / f"{k}.{('jpg', 'png')[k // 2 % 2]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)


def train(task) -> torch.Tensor:
    """A narrow network: the faster the training, the more of its time is reading."""
    model = seeded(lambda: mtl.CourseCNN(3, 2, width=8))
    mtl.fit(model, task.train, task.val, epochs=1, seed=0, progress=False)
    return weights(model)


def point(folder: str, stream: bool) -> dict:
    """Peak of memory in MB and seconds of loading a folder; called in a process of its own."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as small:
        draw(Path(small), 0, FIRST)
        task = mtl.load_folder(small, size=SIDE, stream=stream)
        for _ in range(3):  # until torch has what it keeps for itself
            train(task)
    before, start = megabytes(), time.perf_counter()
    task = mtl.load_folder(folder, size=SIDE, stream=stream)
    loading = time.perf_counter() - start
    train(task)
    return {"megabytes": round(megabytes() - before), "seconds of loading": round(loading, 1)}


def measured(folder: Path, stream: bool) -> dict:
    command = [sys.executable, __file__, "--point", json.dumps([str(folder), stream])]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def read(task) -> np.ndarray:
    """An epoch of shuffled batches that nobody trains on: the sum of each."""
    order = torch.randperm(len(task.train.x), generator=torch.Generator().manual_seed(0)).split(64)
    return np.array([int(inputs[:, 0, 0, 0].sum()) for _, inputs in batches(task.train.x, order, torch.device("cpu"))])


def decoded_per_second(folder: Path, side: int) -> dict[str, int]:
    """Files that are decoded and resized in a second, on one core."""
    draw(folder, 0, 200, side)
    found = {}
    for suffix in ("jpg", "png"):
        files, start = list(folder.glob(f"*/*.{suffix}")), time.perf_counter()
        for file in files:
            Image.fromarray(read_image(file)).resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=3.0)
        found[suffix] = round(len(files) / (time.perf_counter() - start))
    return found


def memory(folder: Path) -> dict:
    rows = []
    for n in tqdm(NUMBERS):
        draw(folder, 0, n)
        for stream in (False, True):
            rows.append({"n": n, "streamed": stream} | measured(folder, stream))
            print(rows[-1], flush=True)
    return {"peaks": rows}


def speed(folder: Path) -> dict:
    draw(folder, 0, NUMBERS[-1])
    in_memory, streamed = (mtl.load_folder(folder, size=SIDE, stream=stream) for stream in (False, True))
    n, rows = len(in_memory.train.y), []
    for words, aim, side in (("an epoch of `fit`", 0.5, train), ("batches alone", None, read)):
        sides = partial(side, streamed), partial(side, in_memory), same
        what = f"{words}, {n} images of {SIDE} px"
        rows.append(measure(Pair(what, "streamed", "in memory", True, aim, 1, lambda sides=sides: sides), ROUNDS))
        print(sentence(rows[-1]), flush=True)
    torch.set_num_threads(1)
    decoded = {f"{side} px": decoded_per_second(folder.with_name(str(side)), side) for side in DECODED}
    on_disk = round(streamed.train.x.file.path.stat().st_size / 1e6)
    facts = {"images in an epoch": n, "file of pixels, MB": on_disk, "decoded per second, one core": decoded}
    print(facts)
    return facts | {"pairs": rows}


STAGES = {"memory": memory, "speed": speed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--point", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--stage", choices=STAGES, help="one of the two parts of the record, made anew")
    args = parser.parse_args()
    if args.point:
        print(json.dumps(point(*args.point)))
        return
    for stage in [args.stage] if args.stage else STAGES:
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as temporary:
            found = STAGES[stage](Path(temporary) / "images")
        about = header(seeds=[0], seconds=time.perf_counter() - start)
        write("streams", read_record("streams") | {stage: about | found})


def same(a, b) -> bool:
    return bool((a == b).all())


if __name__ == "__main__":
    main()
