"""Ratios, measured in pairs in one run: the course's way beside the usual one, or beside the least that would do.

    python benchmarks/ratios.py            # make bench: about eight minutes
    python benchmarks/ratios.py --full     # twice as many rounds

Both sides of a pair (``pairs.py``) do the same work: their results are compared before any clock runs. Then they take
turns, and each round begins with the other one. Seconds depend on the machine and are given for orientation; the ratios
are the result.
"""

import argparse
import time

import numpy as np
import pairs
import torch
from record import header, write

import medtl_helpers as mtl

ROUNDS = {"quick": 5, "full": 10}


def measure(pair: pairs.Pair, rounds: int) -> dict:
    """The ratio of each round, after both sides ran once and gave the same."""
    before = torch.get_num_threads()
    torch.set_num_threads(pair.threads or before)
    try:
        ours, theirs, agree = pair.make()
        if not agree(ours(), theirs()):
            raise SystemExit(f"{pair.what}: the two sides do not do the same work.")
        clock = {ours: [], theirs: []}
        for turn in range(rounds):
            for side in (ours, theirs) if turn % 2 == 0 else (theirs, ours):
                clock[side].append(pairs.seconds(side))
    finally:
        torch.set_num_threads(before)
    a, b = np.array(clock[ours]), np.array(clock[theirs])
    ratio = b / a if pair.speedup else a / b
    return {
        "what": pair.what,
        "ours": pair.ours,
        "theirs": pair.theirs,
        "speedup": pair.speedup,
        "aim": pair.aim,
        "ratios": [round(float(r), 3) for r in ratio],
        "median": round(float(np.median(ratio)), 3),
        "our seconds": round(float(np.median(a)), 4),
        "their seconds": round(float(np.median(b)), 4),
        "threads": pair.threads or before,
    }


def sentence(row: dict) -> str:
    """One measured pair in words."""
    spread = f"{min(row['ratios']):.3g} to {max(row['ratios']):.3g} in {len(row['ratios'])} rounds"
    aim = "" if row["aim"] is None else f"; aim: {'at least' if row['speedup'] else 'at most'} {row['aim']:g}"
    times = "times as fast as" if row["speedup"] else "times as long as"
    return f"{row['what']}: {row['ours']} {row['median']:.3g} {times} {row['theirs']} ({spread}{aim})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", default="", help="pairs whose names contain this; nothing is written")
    args = parser.parse_args()
    start, rows = time.perf_counter(), []
    for pair in pairs.PAIRS:
        if args.only in pair.what:
            rows.append(measure(pair, ROUNDS["full" if args.full else "quick"]))
            print(sentence(rows[-1]), flush=True)
    if args.only:
        return
    result = {"data": mtl.load("pneumonia", quiet=True).provenance, "pairs": rows}
    about = header(seeds=[0], seconds=time.perf_counter() - start)
    write("ratios", about | result)


if __name__ == "__main__":
    main()
