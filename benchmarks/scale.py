"""How the cost of training grows: seconds of an epoch and peak memory with more images, larger ones, wider networks.

    python benchmarks/scale.py             # make bench: about two minutes
    python benchmarks/scale.py --full      # twice as far, and VGG16

Each point is a process of its own. It trains an epoch to warm up and three more, of which the fastest counts. Memory is
the most that this process ever held, less what it held before the images were there. The exponent is the slope of a
straight line through the logarithms: 1 means that twice the images cost twice as much. Beside it: phantoms per second.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
import torch
from record import RESULTS, header
from tqdm import tqdm

import medtl_helpers as mtl
from medtl_helpers.methods import backbones

POINT = {"network": "CourseCNN", "n": 1600, "size": 28, "width": 16, "batch": 64}
GROWTH = {"n": [400, 800, 1600, 3200], "size": [28, 56, 112], "width": [16, 32, 64], "batch": [16, 64, 256]}
FURTHER = {"n": [6400, 12800], "size": [224], "width": [128], "batch": [1024]}  # with --full
VGG16 = {"network": "VGG16, frozen to block 4, without a cache", "n": 64, "size": 64, "width": 64, "batch": 16}
VGG16_SIZES = [64, 96, 128, 224]


def point(settings: dict) -> dict:
    """Seconds of an epoch of ``fit`` and peak memory in MB of one setting; called in a process of its own."""
    n, size = settings["n"], settings["size"]
    vgg16 = settings["network"] != "CourseCNN"
    mtl.seed_everything(0)
    model = backbones.vgg16(2) if vgg16 else mtl.CourseCNN(1, 2, width=settings["width"])
    if vgg16:
        mtl.freeze(model, upto="block4")
    before = megabytes()
    x = torch.randint(0, 256, (n, 3 if vgg16 else 1, size, size), dtype=torch.uint8)
    data, seconds = mtl.Split(x, torch.arange(n) % 2), []
    for _ in range(4):
        start = time.perf_counter()
        mtl.fit(model, data, epochs=1, batch_size=settings["batch"], progress=False)
        seconds.append(time.perf_counter() - start)
    return {"seconds": round(min(seconds[1:]), 4), "megabytes": round(megabytes() - before)}


def megabytes() -> float:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most / 1e3


def measured(settings: dict) -> dict:
    command = [sys.executable, __file__, "--point", json.dumps(settings)]
    return settings | json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def exponent(values, costs) -> float:
    """The slope of log cost over log value."""
    return round(float(np.polyfit(np.log(values), np.log(costs), 1)[0]), 2)


def phantoms_per_second(kind: str, classes: int) -> int:
    """Images of 32 px, on one core; the median of three."""
    labels, rates = torch.arange(3000) % classes, []
    for _ in range(3):
        start = time.perf_counter()
        mtl.draw(kind, labels, 32)
        rates.append(len(labels) / (time.perf_counter() - start))
    return round(float(np.median(rates)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--point", type=json.loads, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.point:
        print(json.dumps(point(args.point)))
        return
    start, growth = time.perf_counter(), []
    runs = [(POINT, name, GROWTH[name] + (FURTHER[name] if args.full else [])) for name in GROWTH]
    if args.full:
        runs.append((VGG16, "size", VGG16_SIZES))
    for base, name, values in tqdm(runs):
        points = [measured(base | {name: value}) for value in values]
        seconds, memory = ([p[what] for p in points] for what in ("seconds", "megabytes"))
        growth.append(
            {
                "what": name,
                "network": base["network"],
                "at": base,
                "values": values,
                "seconds": seconds,
                "megabytes": memory,
                "exponent": exponent(values, seconds),
            }
        )
        print(f"{base['network']}, {name} {values}: {seconds} s, {memory} MB; exponent {growth[-1]['exponent']}")
    torch.set_num_threads(1)
    drawn = {kind: phantoms_per_second(kind, classes) for kind, classes in (("smear", 8), ("chest", 2))}
    result = header(seeds=[0], seconds=time.perf_counter() - start) | {
        "growth": growth,
        "phantoms per second, 32 px, one core": drawn,
    }
    (RESULTS / "scale.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
