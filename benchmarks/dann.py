"""DANN against its neighbours: phantom smears under six shifts, blended digits, three hospitals, five other pairs.

    python benchmarks/dann.py --tune        # λ_max and normalisation, seeds 0 to 4, two shifts
    python benchmarks/dann.py               # the report, seeds 100 to 109, settings as committed, all shifts

Resumable: each run is a line of ``_run/dann.jsonl``. No run sees a target label but those of the rows "ceiling"
(trained on the target's labelled training split) and "oracle" (the epoch chosen on its labelled validation split).
The settings of the report are the defaults of ``DANN.fit``. The tuning chose batch norm. By its mean it would choose
λ_max 1; the default stays 0.3, because without batch norm λ_max 1 had been seen to collapse. Scanners B and C, the
digits and the hospitals took no part in it, nor did the other pairs, but for their number of steps.
"""

import argparse
import json
import time

import other_shifts
import torch
from record import Log, header, write
from torch import nn
from tqdm import tqdm

import medtl_helpers as mtl
from medtl_helpers import dann, domains

LOG = Log("dann")
EPOCHS = {"smear": 15, "digits": 20, "hospitals": 40}
# Of the other pairs, large and small. With 40 epochs, first tried on the same seeds, networks were poor on their own
# source; the target's scores of that try (DANN and source only alike within their intervals) had been seen, too.
STEPS = 1500
TABLES = ("hospitals", "others")  # a small network without batch norm: no AdaBN, and λ = 0 is source only
TUNING = [("texture", 0.6), ("scanner D", 0.5)]
REPORT = [("texture", 0.6), *((f"scanner {s}", 0.5) for s in "DBC")]
STRENGTHS = [("texture", 0.9), ("texture", 0.3)]
# Where it must fail, said before it was run. The same images, but two of the eight classes are 80 % of the target:
# DANN ends below source only, and at λ_max 1 at least 5 points below it. A whole other colour (scanner C at full
# strength): DANN ends at least 20 points below the ceiling. The first expectation proved wrong (DANN lost nothing,
# AdaBN did), so a second was written down before that was run: label shift together with waves. There DANN keeps at
# most half of the gain over source only that it has with waves alone, and λ_max 1 ends below λ_max 0.3.
FAILURES = [("label shift", 0.8), ("scanner C", 1.0), ("waves and label shift", 0.8)]
TUNE_SEEDS, SEEDS = range(5), range(100, 110)
SETTINGS = [("batch", 0.1), ("batch", 0.3), ("batch", 1.0), ("group", 0.3)]  # normalisation, λ_max


def network(kind: str, data, norm: str = "batch"):
    """A new feature extractor for ``data``, its width, and the number of classes."""
    classes = int(data.y.max()) + 1
    if kind in TABLES:
        layers = [nn.Linear(data.x.shape[1], 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU()]
        return nn.Sequential(*layers), 32, classes
    return mtl.CourseCNN(3, 0, norm=norm), 64, classes


def epochs(kind: str, data) -> int:
    """Passes over the training images."""
    return EPOCHS.get(kind) or round(STEPS / -(-len(data.y) // 64))


def source_only(kind: str, data, seed: int, norm: str = "batch"):
    """The network that DANN has, trained on labelled ``data`` alone, by the same schedule."""
    mtl.seed_everything(seed)
    features, width, classes = network(kind, data, norm)
    model = nn.Sequential(features, nn.Linear(width, classes))
    mtl.fit(model, data, epochs=epochs(kind, data), schedule=dann.rate_schedule, seed=seed, progress=False)
    return model


def adversarial(kind: str, source, target, seed: int, lam_max: float | None = None, norm: str = "batch"):
    """DANN with its defaults, or another λ_max; and its history, with the weights of all epochs."""
    mtl.seed_everything(seed)
    model = dann.DANN(*network(kind, source.train, norm))
    settings = {} if lam_max is None else {"lam_max": lam_max}
    history = model.fit(source.train.x, source.train.y, target.train.x, val=source.val, seed=seed,
                        epochs=epochs(kind, source.train), keep_states=True, progress=False, **settings)  # fmt: skip
    return model, history


def accuracy(model, split) -> float:
    return round((mtl.predict(model, split.x).argmax(1) == split.y).float().mean().item(), 4)


def pair(kind: str, shift, seed: int):
    if kind == "others":
        return other_shifts.pair(*shift, seed)
    if shift and "label shift" in shift[0]:
        balance = [shift[1] / 2] * 2 + [(1 - shift[1]) / 6] * 6
        return domains.smear_domains(
            "texture", seed, strength=0.6 if "waves" in shift[0] else 0.0, target_balance=balance
        )
    if kind == "smear":
        return domains.smear_domains(shift[0], seed, strength=shift[1])
    return domains.digit_domains(seed) if kind == "digits" else domains.hospital_domains(*shift, seed)


def tune(kind: str, shift, seed: int) -> dict:
    """Target test accuracy of each setting."""
    source, target = pair(kind, shift, seed)
    scores = {}
    for norm, lam in SETTINGS:
        model, _ = adversarial(kind, source, target, seed, lam, norm)
        scores[f"{norm} norm, λ {lam:g}"] = accuracy(model, target.test)
    return scores


def report(kind: str, shift, seed: int) -> dict:
    """Target and source test accuracy of each row, and the proxy A-distance of the features."""
    source, target = pair(kind, shift, seed)
    alone, scores = source_only(kind, source.train, seed), {}

    def note(name, model):
        scores[name] = accuracy(model, target.test)
        scores[f"{name}, on source"] = accuracy(model, source.test)

    def distance(features):
        f = [features(mtl.to_float(part.test.x)) for part in (source, target)]
        return round(dann.proxy_a_distance(*f), 3)

    with torch.inference_mode():
        note("source only", alone)
        scores["proxy A-distance, source only"] = distance(alone[0])
    if kind not in TABLES:
        note("AdaBN", dann.adapt_batch_norm(alone, target.train.x))
        model, _ = adversarial(kind, source, target, seed, 0.0)
        note("λ = 0", model)
    model, history = adversarial(kind, source, target, seed)
    note("DANN", model)
    with torch.inference_mode():
        scores["proxy A-distance, DANN"] = distance(model.features)
    best = max(range(len(history.val_accuracy)), key=history.val_accuracy.__getitem__)
    model.load_state_dict(history.states[best])
    note("DANN, epoch by source validation", model)
    dann.oracle(model, history, target.val.x, target.val.y)
    note("DANN, oracle epoch", model)
    if shift and "label shift" in shift[0]:
        note("DANN, λ 1", adversarial(kind, source, target, seed, 1.0)[0])
    note("ceiling", source_only(kind, target.train, seed))
    return scores | {"data": target.provenance}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--only", nargs="*", default=["smear", "digits", "hospitals", "others"])
    parser.add_argument("--seeds", nargs="*", type=int, help="only these, e.g. one process for each half")
    args = parser.parse_args()
    torch.set_num_threads(1)
    stage, run, seeds = ("tuning", tune, TUNE_SEEDS) if args.tune else ("report", report, SEEDS)
    hospitals = [(a, b) for a in domains.HOSPITALS for b in domains.HOSPITALS if a != b]
    shifts = {
        "smear": TUNING if args.tune else REPORT + FAILURES + STRENGTHS,
        "digits": [None],
        "hospitals": hospitals,
        "others": other_shifts.SHIFTS,
    }
    kinds = ["smear"] if args.tune else args.only
    known = {json.dumps([row["stage"], row["kind"], row["shift"], row["seed"]]) for row in LOG.rows()}
    todo = [(kind, shift, seed) for kind in kinds for shift in shifts[kind] for seed in args.seeds or seeds]
    for kind, shift, seed in tqdm(todo):
        if json.dumps([stage, kind, shift, seed]) not in known:
            start = time.perf_counter()
            row = {"stage": stage, "kind": kind, "shift": shift, "seed": seed, "scores": run(kind, shift, seed)}
            LOG.add(row | {"seconds": round(time.perf_counter() - start, 1)})
    summarise(LOG.rows())


def summarise(done: list[dict]) -> None:
    """``results/dann.json``: of all shifts that are complete, for each way a list of one score per seed."""
    rows = {}
    for run in sorted(done, key=lambda run: run["seed"]):
        key = json.dumps([run["stage"], run["kind"], run["shift"]])
        about = {name: run[name] for name in ("stage", "kind", "shift")}
        row = rows.setdefault(key, about | {"seeds": [], "scores": {}})
        row["seeds"].append(run["seed"])
        for name, value in run["scores"].items():
            row["scores"].setdefault(name, []).append(value)
    rows = [row for row in rows.values() if row["seeds"] == list(TUNE_SEEDS if row["stage"] == "tuning" else SEEDS)]
    for row in rows:
        row["data"] = row["scores"].pop("data", ["twin"])[0]
    result = header(seeds=list(SEEDS), seconds=sum(run["seconds"] for run in done)) | {
        "epochs": EPOCHS,
        "rows": rows,
    }
    write("dann", result, row_starts="stage")


if __name__ == "__main__":
    main()
