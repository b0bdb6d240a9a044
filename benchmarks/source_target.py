"""Notebook 04 on ten seeds: seven ways from source to target, a shift of growing strength, three candidate sources.

    MEDTL_DATA=twin python benchmarks/source_target.py
    MEDTL_DATA=/folder/with/medmnist python benchmarks/source_target.py     # adds the ways on real X-rays

Resumable: each run is a line of ``_run/source_target.jsonl``. Epochs and rates are those of
``medtl_helpers/source_target.py``, usual values that were set while seeds 0 and 1 were looked at, and not tuned. No
target test image chooses anything. Scores are balanced accuracies on the target's test images.
"""

import time

import torch
from record import Log, header, write
from tqdm import tqdm

import medtl_helpers as mtl
from medtl_helpers import source_target as st

LOG = Log("source_target")
SEEDS = range(100, 110)


def ways(pair: str, seed: int) -> dict:
    make, labels = st.PAIRS[pair]
    source, target = make(seed)
    models = st.all_ways(source, target, seed, n=labels)
    scores = {way: st.balanced_accuracy(model, target.test) for way, model in models.items()}
    return scores | {"at home": st.balanced_accuracy(models[st.SOURCE_ONLY], source.test)}


def shift(pair: str, seed: int) -> dict:
    make, labels = st.PAIRS[pair]
    source, _ = make(seed)
    return st.sweep_shift(st.train_source(source, seed), "scanner D", seed, n=labels)


def sources(pair: str, seed: int) -> dict:
    make, labels = st.PAIRS[pair]
    source, target = make(seed)
    candidates = {st.KIN: (source, st.train_source(source, seed))}
    for kind in ("chest", "texture"):
        data = st.candidate(kind, seed)
        candidates[kind] = (data, st.train_source(data, seed))
    rows = st.rank_sources(candidates, target, seed, n=labels)
    return {f"{row['source']}: {score}": row[score] for row in rows for score in ("LogME", "proxy A-distance", "gain")}


def main() -> None:
    torch.set_num_threads(1)
    chests = mtl.load("pneumonia", quiet=True).provenance
    parts = [(ways, "X-rays", chests)]
    if chests == "twin":
        parts += [(part, "blood cells", "twin") for part in (ways, shift, sources)]
    known = {(row["part"], row["pair"], row["data"], row["seed"]) for row in LOG.rows()}
    for part, pair, data in parts:
        for seed in tqdm(SEEDS, desc=f"{part.__name__}, {pair}, {data}"):
            about = {"part": part.__name__, "pair": pair, "data": data, "seed": seed}
            if tuple(about.values()) not in known:
                start = time.perf_counter()
                scores = part(pair, seed)
                LOG.add(about | {"scores": scores, "seconds": round(time.perf_counter() - start, 1)})
    summarise(LOG.rows())


def summarise(done: list[dict]) -> None:
    """``results/source_target.json``: of each part that is complete, for each score a list of one value per seed."""
    rows = {}
    for run in sorted(done, key=lambda run: run["seed"]):
        about = {name: run[name] for name in ("part", "pair", "data")}
        row = rows.setdefault(tuple(about.values()), about | {"seeds": [], "scores": {}})
        row["seeds"].append(run["seed"])
        for name, value in run["scores"].items():
            rounded = [round(v, 4) for v in value] if isinstance(value, list) else round(value, 4)
            row["scores"].setdefault(name, []).append(rounded)
    complete = [row for row in rows.values() if row.pop("seeds") == list(SEEDS)]
    result = header(seeds=list(SEEDS), seconds=sum(run["seconds"] for run in done)) | {
        "labels per class": {pair: labels for pair, (_, labels) in st.PAIRS.items()},
        "strengths": st.STRENGTHS,
        "rows": complete,
    }
    write("source_target", result, row_starts="part")


if __name__ == "__main__":
    main()
