"""The full grid of notebook 01: target error against λ for four R, two target hospitals, four n, many seeds.

    python benchmarks/loss_formulation.py --seeds 30

writes ``benchmarks/results/loss_formulation.json`` with one entry per provenance (the twin always; the real table
where it is found). Every seed draws another split, so seeds vary the patients; the fits themselves are convex.
"""

import argparse
import json
import time

import numpy as np
import torch
from record import RESULTS, header
from tqdm import tqdm

import medtl_helpers as mtl
from medtl_helpers import hospitals

TARGETS = ("hungary", "va")
SIZES = (10, 20, 40, 80)
SCORES = ("log loss", "balanced accuracy", "auroc")


def grid(seeds: int) -> tuple[str, list[dict]]:
    """All cells for the data that ``mtl.load`` finds; one row per target, n, method and λ, scores listed by seed."""
    source_task = mtl.load("heart", site="cleveland")
    source = hospitals.train_source(source_task)
    cells: dict[tuple, dict] = {}
    for site in TARGETS:
        target = mtl.load("heart", site=site)
        for n in SIZES:
            for seed in tqdm(range(seeds), desc=f"{source_task.provenance} {site} n={n}"):
                for row in hospitals.sweep(source, target, n, seed):
                    keys = [(site, n, row["method"], row["lam"])]
                    if row["chosen"] and row["lam"] is not None:
                        keys.append((site, n, row["method"], "chosen"))
                    for key in keys:
                        cell = cells.setdefault(key, {"chosen_lam": []} | {score: [] for score in SCORES})
                        cell["chosen_lam"].append(row["lam"])
                        for score in SCORES:
                            cell[score].append(round(row[score], 5))
    rows = []
    for (site, n, method, lam), cell in cells.items():
        chosen = cell.pop("chosen_lam")
        extra = {"chosen_lam": chosen} if lam == "chosen" else {}
        rows.append({"target": site, "n": n, "method": method, "lam": lam, **cell, **extra})
    return source_task.provenance, rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=30)
    seeds = parser.parse_args().seeds
    torch.set_num_threads(1)  # 22 weights: more threads only wait for each other
    path = RESULTS / "loss_formulation.json"
    result = json.loads(path.read_text()) if path.exists() else {}
    start = time.perf_counter()
    provenance, rows = grid(seeds)
    result[provenance] = header(seeds=list(range(seeds)), seconds=time.perf_counter() - start) | {
        "lambdas": hospitals.LAMBDAS,
        "sizes": SIZES,
        "rows": rows,
    }
    path.write_text(json.dumps(result, indent=None, separators=(",", ":")).replace('{"target"', '\n{"target"') + "\n")
    best = [r for r in rows if r["lam"] == "chosen" and r["n"] == SIZES[0]]
    for row in best:
        print(row["target"], row["method"], f"log loss at n = {SIZES[0]}:", np.mean(row["log loss"]).round(3))


if __name__ == "__main__":
    main()
