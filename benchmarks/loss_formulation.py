"""The full grid of notebook 01b: target error against λ for four R, two target hospitals, four n, many seeds.

    python benchmarks/loss_formulation.py --seeds 30

writes ``benchmarks/results/loss_formulation.json`` with one part per provenance (the twin always; the real table
where it is found). Resumable: each cell is a line of ``_run/loss_formulation.jsonl``. Every seed draws another split,
so seeds vary the patients; the fits themselves are convex.
"""

import argparse
from functools import cache

import numpy as np
import torch
from record import Log, fill, header, read, rounded, tidy, total_seconds, write

import medtl_helpers as mtl
from medtl_helpers.lessons.hospitals import experiment as hospitals

LOG = Log("loss_formulation")
TARGETS = ("hungary", "va")
SIZES = (10, 20, 40, 80)
SCORES = ("log loss", "balanced accuracy", "auroc")


def cells(data: str, seeds) -> list[dict]:
    """All cells on ``data``, which is what ``mtl.load`` finds: "real" or "twin"."""
    return [{"data": data, "target": site, "n": n, "seed": seed} for site in TARGETS for n in SIZES for seed in seeds]


hospital = cache(lambda site: mtl.load("heart", site=site))
cleveland = cache(lambda: hospitals.train_source(hospital("cleveland")))


def compute(data: str, target: str, n: int, seed: int) -> list[dict]:
    """A row for each method at each λ, and once more with the λ "chosen" by cross-validation.

    For "source only" there is nothing to choose: it has the row "chosen" alone.
    """
    rows = []
    for row in hospitals.sweep(cleveland(), hospital(target), n, seed):
        way, lam, scores = row["method"], row["lam"], rounded({name: row[name] for name in SCORES}, 5)
        if lam is not None:
            rows.append({"lam": lam, "way": way, "scores": scores})
        if row["chosen"]:
            rows.append({"lam": "chosen", "way": way, "scores": scores | ({} if lam is None else {"chosen λ": lam})})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=30)
    seeds = range(parser.parse_args().seeds)
    torch.set_num_threads(1)  # 22 weights: more threads only wait for each other
    data = hospital("cleveland").provenance
    fill(LOG, cells(data, seeds), compute)
    summarise(LOG.runs(), data, seeds)


def summarise(runs: list[dict], data: str, seeds) -> None:
    """The part ``data`` of ``results/loss_formulation.json``; the other part stays as it is."""
    wanted = cells(data, seeds)
    here = [run for run in runs if run["data"] == data and run["seed"] in seeds]
    rows = [{name: value for name, value in row.items() if name != "data"} for row in tidy(here, wanted)]
    part = header(seeds=list(seeds), seconds=total_seconds(here)) | {
        "score": "balanced accuracy",
        "data": data,
        "lambdas": hospitals.LAMBDAS,
        "sizes": SIZES,
        "rows": rows,
    }
    write("loss_formulation", read("loss_formulation") | {data: part})
    for row in rows:
        if row["lam"] == "chosen" and row["n"] == SIZES[0]:
            loss = np.mean(row["scores"]["log loss"]).round(3)
            print(row["target"], row["way"], f"log loss at n = {SIZES[0]}:", loss)


if __name__ == "__main__":
    main()
