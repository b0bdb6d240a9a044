"""The full grid of notebook 02: nine ways to train, up to 500 labels per class, ten seeds, two test scanners.

    python benchmarks/strategies.py

Resumable. The settings are usual values that stand in ``medtl_helpers/strategies.py``; nothing is tuned. The grid goes
to ``results/strategies.json``, cell by cell to ``_run/strategies.jsonl`` on the way.
"""

import argparse
import time

import numpy as np
import torch
from record import Log, header, write
from tqdm import tqdm

from medtl_helpers import strategies

SIZES, SEEDS = (10, 100, 500), range(100, 110)
LOG = Log("strategies")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="*", type=int, default=SIZES, help="only these, e.g. one process for each")
    asked = parser.parse_args().sizes
    torch.set_num_threads(1)  # small images: a second thread mostly waits
    known = {(row["method"], row["n"], row["seed"]) for row in LOG.rows()}
    todo = [(m, n, s) for n in asked for s in SEEDS for m in strategies.METHODS if (m, n, s) not in known]
    for method, n, seed in tqdm(todo):
        start = time.perf_counter()
        row = {"method": method, "n": n, "seed": seed} | strategies.cell(method, n, seed)
        LOG.add(row | {"seconds": round(time.perf_counter() - start, 1)})
    summarise(LOG.rows())  # other processes' cells, too


def summarise(done: list[dict]) -> None:
    """``results/strategies.json`` of all sizes that are complete."""
    sizes = [n for n in SIZES if sum(row["n"] == n for row in done) == len(SEEDS) * len(strategies.METHODS)]
    rows = []
    for method in strategies.METHODS:
        for n in sizes:
            cells = sorted((r for r in done if (r["method"], r["n"]) == (method, n)), key=lambda r: r["seed"])
            scores = {key: [round(r[key], 4) for r in cells] for key in ("accuracy", "shifted accuracy")}
            rows.append(
                {"method": method, "n": n, **scores, "seconds": round(np.mean([r["seconds"] for r in cells]), 1)}
            )
    result = header(seeds=list(SEEDS), seconds=sum(r["seconds"] for r in done)) | {
        "task": "held-out cells, labels from scanner D, test on scanners D and B, 28 px, phantoms; n is per class",
        "settings": strategies.SETTINGS,
        "steps": strategies.STEPS,
        "sizes": sizes,
        "rows": rows,
    }  # fmt: skip
    write("strategies", result, row_starts="method")


if __name__ == "__main__":
    main()
