"""DANN against its neighbours: phantom smears under six shifts, blended digits, three hospitals, five other pairs.

    python benchmarks/dann.py --tune        # λ_max and normalisation, seeds 0 to 4, two shifts
    python benchmarks/dann.py               # the report, seeds 100 to 109, settings as committed, all shifts

Resumable: each cell is a line of ``_run/dann.jsonl``. No cell sees a target label but those of the rows "ceiling"
(trained on the target's labelled training split) and "oracle" (the epoch chosen on its labelled validation split).
The settings of the report are the defaults of ``DANN.fit``. The tuning chose batch norm. By its mean it would choose
λ_max 1; the default stays 0.3, because without batch norm λ_max 1 had been seen to collapse. Scanners B and C, the
digits and the hospitals took no part in it, nor did the other pairs, but for their number of steps.
"""

import argparse

import other_shifts
import torch
from record import Log, fill, header, rounded, tidy, total_seconds, write
from torch import nn

import medtl_helpers as mtl
from medtl_helpers.data import domains
from medtl_helpers.methods import adabn, dann, transferability
from medtl_helpers.methods.oracle import oracle
from medtl_helpers.methods.scores import accuracy

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
    history = model.fit(
        source.train.x,
        source.train.y,
        target.train.x,
        val=source.val,
        seed=seed,
        epochs=epochs(kind, source.train),
        keep_states=True,
        progress=False,
        **settings,
    )
    return model, history


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


def tune(kind: str, shift, seed: int) -> list[dict]:
    """Target test accuracy of each setting."""
    source, target = pair(kind, shift, seed)
    rows = []
    for norm, lam in SETTINGS:
        model, _ = adversarial(kind, source, target, seed, lam, norm)
        scores = rounded({"accuracy": accuracy(model, target.test)})
        rows.append({"data": target.provenance, "way": f"{norm} norm, λ {lam:g}", "scores": scores})
    return rows


def report(kind: str, shift, seed: int) -> list[dict]:
    """Target and source test accuracy of each way, and for two of them the proxy A-distance of the features."""
    source, target = pair(kind, shift, seed)
    alone, rows = source_only(kind, source.train, seed), []

    def note(way, model, features=None):
        scores = rounded({"accuracy": accuracy(model, target.test), "accuracy on source": accuracy(model, source.test)})
        if features is not None:  # in eval mode, as predicting has left them
            with torch.inference_mode():
                f = [features(mtl.to_float(part.test.x)) for part in (source, target)]
            scores["proxy A-distance"] = round(transferability.proxy_a_distance(*f), 3)
        rows.append({"data": target.provenance, "way": way, "scores": scores})

    note("source only", alone, alone[0])
    if kind not in TABLES:
        note("AdaBN", adabn.adapt_batch_norm(alone, target.train.x))
        model, _ = adversarial(kind, source, target, seed, 0.0)
        note("λ = 0", model)
    model, history = adversarial(kind, source, target, seed)
    note("DANN", model, model.features)
    best = max(range(len(history.val_accuracy)), key=history.val_accuracy.__getitem__)
    model.load_state_dict(history.states[best])
    note("DANN, epoch by source validation", model)
    oracle(model, history, target.val.x, target.val.y)
    note("DANN, oracle epoch", model)
    if shift and "label shift" in shift[0]:
        note("DANN, λ 1", adversarial(kind, source, target, seed, 1.0)[0])
    note("ceiling", source_only(kind, target.train, seed))
    return rows


STAGES = {"tuning": (tune, TUNE_SEEDS), "report": (report, SEEDS)}
KEYS = {  # kind -> what the two parts of its shift are called in the record
    "smear": ("shift", "strength"),
    "digits": (),
    "hospitals": ("source", "target"),
    "others": ("pair", "strength"),
}


def cells(stage: str, kinds=tuple(KEYS), seeds=None) -> list[dict]:
    """All cells of a stage, or those of some kinds and some seeds."""
    shifts = {
        "smear": TUNING if stage == "tuning" else REPORT + FAILURES + STRENGTHS,
        "digits": [()],
        "hospitals": [(a, b) for a in domains.HOSPITALS for b in domains.HOSPITALS if a != b],
        "others": other_shifts.SHIFTS,
    }
    return [
        {"stage": stage, "kind": kind, **dict(zip(KEYS[kind], shift, strict=True)), "seed": seed}
        for kind in (["smear"] if stage == "tuning" else kinds)
        for shift in shifts[kind]
        for seed in seeds or STAGES[stage][1]
    ]


def compute(stage: str, kind: str, seed: int, **shift) -> list[dict]:
    """The rows of one cell: ``shift`` are the ``KEYS`` of its kind with their values."""
    return STAGES[stage][0](kind, tuple(shift.values()), seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--only", nargs="*", default=list(KEYS), choices=list(KEYS))
    parser.add_argument("--seeds", nargs="*", type=int, help="only these, e.g. one process for each half")
    args = parser.parse_args()
    torch.set_num_threads(1)
    fill(LOG, cells("tuning" if args.tune else "report", args.only, args.seeds), compute)
    summarise(LOG.runs())


def summarise(runs: list[dict]) -> None:
    """``results/dann.json`` of all shifts that are complete; each row says its seeds, since the tuning has others."""
    rows = []
    for stage, (_, seeds) in STAGES.items():
        rows += [row | {"seeds": list(seeds)} for row in tidy(runs, cells(stage))]
    result = header(seeds=list(SEEDS), seconds=total_seconds(runs)) | {
        "score": "accuracy",
        "epochs": EPOCHS,
        "rows": rows,
    }
    write("dann", result)


if __name__ == "__main__":
    main()
