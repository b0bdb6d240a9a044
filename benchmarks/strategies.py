"""The full grid of notebook 02: nine ways to train, up to 500 labels per class, ten seeds, two test scanners.

    python benchmarks/strategies.py

Resumable. The settings are usual values that stand in ``medtl_helpers/lessons/freezing/experiment.py``; nothing is
tuned. The grid goes to ``results/strategies.json``, cell by cell to ``_run/strategies.jsonl`` on the way.
"""

import argparse

import torch
from record import Log, fill, header, rounded, tidy, total_seconds, write

from medtl_helpers.lessons.freezing import experiment

SIZES, SEEDS = (10, 100, 500), range(100, 110)
LOG = Log("strategies")


def cells(sizes) -> list[dict]:
    """In the order in which they are computed: every way of a seed before the next seed."""
    return [{"n": n, "way": way, "seed": seed} for n in sizes for seed in SEEDS for way in experiment.METHODS]


def compute(n: int, way: str, seed: int) -> list[dict]:
    """One way with ``n`` labels per class: its test accuracy on both scanners."""
    return [{"scores": rounded(experiment.cell(way, n, seed))}]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="*", type=int, default=SIZES, help="only these, e.g. one process for each")
    asked = parser.parse_args().sizes
    torch.set_num_threads(1)  # small images: a second thread mostly waits
    fill(LOG, cells(asked), compute)
    summarise(LOG.runs())  # other processes' cells, too


def summarise(runs: list[dict]) -> None:
    """``results/strategies.json`` of all sizes that are complete."""
    by_way = sorted(cells(SIZES), key=lambda cell: experiment.METHODS.index(cell["way"]))
    rows = tidy(runs, by_way, seconds=True)
    sizes = [n for n in SIZES if sum(row["n"] == n for row in rows) == len(experiment.METHODS)]
    result = header(seeds=list(SEEDS), seconds=total_seconds(runs)) | {
        "score": "accuracy",
        "data": "twin",
        "task": "held-out cells, labels from scanner D, test on scanners D and B, 28 px, phantoms; n is per class",
        "settings": experiment.SETTINGS,
        "steps": experiment.STEPS,
        "sizes": sizes,
        "rows": [row for row in rows if row["n"] in sizes],
    }
    write("strategies", result)


if __name__ == "__main__":
    main()
