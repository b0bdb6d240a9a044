"""The full grid of notebook 02: thirteen ways to train, few and more labels per class, ten seeds, two test scanners.

    python benchmarks/pretrain.py resnet --seed 1   # the second pre-training, for _run/pretrain
    python benchmarks/strategies.py tune            # prints the settings that experiment.py then holds
    python benchmarks/strategies.py

Primary comparison. With ten labels per class, the accuracy on scanner B, which gave no labels, of L2-SP from the
pre-trained ResNet minus that of the small network of this course from scratch, trained four times as long, is above
2 points. The margin is 0.02; the seeds are 200 to 209, each with its own training, validation and test images, so that
Student's t over the seeds covers labels, initialisation and test cases; settled means that the lower end of the 95 %
interval lies above the margin. The same comparison with a second pre-training stands beside it, and so do the same test
images with their colours matched to scanner D, which is the cheapest repair of the shift.

Computing time was short. So the first five of these seeds carry what stands beside it: full fine-tuning, LP-FT, and 100
labels per class for L2-SP, the probe and the small network; gradual unfreezing and the frozen depths have the first
three, and nothing is claimed of them.

Secondary comparisons are ``SECONDARY``, corrected together after Holm, each against the same margin of 0.02.

Two ways came later, when all others had run: LoRA on all convolutions (rank 4, α/r = 1) and the norms alone, each with
the head, while all other weights and batch norm's statistics stand still. They have ten labels per class and all ten
seeds, with the same tuning, steps and images. Their comparisons are a family of their own, ``FEW_WEIGHTS``, so that no
p-value of ``SECONDARY`` changes: accuracy, the seeds that both have in pairs (five with full fine-tuning, else ten),
Student's t, Holm over the family. To lie beyond the margin of 0.02 is one question. To lie within it is another, which
is answered with yes where the whole 95 % interval does. This was written down before any of these runs; the scores of
their opponents were known. A hundred labels were planned, too, and dropped unseen, since computing time was short.

Tuning. Each way gets three learning rates with ten labels per class, and L2-SP and the small networks get three values
of a second setting for each number of labels: λ and the weight decay. The lowest mean log loss on 300 images of scanner
D, drawn for the seeds 0 and 1, chooses; these seeds are not reported, and images of scanner B choose nothing.

Resumable. The record goes to ``results/strategies.json``, cell by cell to ``_run/strategies*.jsonl`` on the way.
"""

import argparse
import json
from functools import lru_cache

import numpy as np
import torch
from record import RESULTS, Log, fill, header, rounded, tidy, total_seconds, write

import medtl_helpers as mtl
from medtl_helpers.lessons.freezing import experiment
from medtl_helpers.lessons.freezing.experiment import (
    FROM_SCRATCH,
    FULL,
    GRADUAL,
    L2_SP,
    LORA,
    LP_FT,
    METHODS,
    NORMS,
    PRIOR,
    PROBE,
    SCRATCH,
    SMALL,
    SMALL_LONGER,
)
from medtl_helpers.methods.intervals import holm, paired_difference, t_test

SEEDS, TUNING_SEEDS, SIZES, MARGIN = range(200, 210), (0, 1), (10, 100), 0.02
FEWER, FEWEST = range(200, 205), range(200, 203)  # of what stands beside the primary comparison
WEIGHTS = {1: "embedded", 2: RESULTS.parent.parent / "_run" / "pretrain" / "resnet_seed1_weights.pt"}
LOG, TUNING = Log("strategies"), Log("strategies_tuning")
RATES = {
    **dict.fromkeys(METHODS, (3e-4, 1e-3, 3e-3)),
    **dict.fromkeys((SMALL, SMALL_LONGER, PROBE, LORA, NORMS), (1e-3, 3e-3, 1e-2)),
    **dict.fromkeys((FULL, LP_FT), (1e-4, 3e-4, 1e-3)),
}
SECOND = {"lam": (0.01, 0.1, 1.0), "weight_decay": (0.0, 0.1, 1.0)}
PRIMARY = {
    "lesson": "02_freezing_vs_finetuning",
    "comparison": "With ten labels per class, L2-SP is more accurate on scanner B, which gave no labels, than a small "
    "network from scratch that is trained four times as long.",
    "ours": L2_SP,
    "theirs": SMALL_LONGER,
    "where": {"n": 10, "scanner": "B", "pretraining": 1},
    "score": "accuracy",
    "margin": MARGIN,
    "written": "d05a2c4",
    "opponent": SMALL_LONGER,
    "over": "seeds",
}
SECONDARY = [  # (ours, theirs, scanner, n)
    (L2_SP, SMALL_LONGER, "D", 10),
    (L2_SP, SCRATCH, "D", 10),
    (L2_SP, SCRATCH, "B", 10),
    (SMALL_LONGER, SCRATCH, "D", 10),
    (PROBE, SMALL_LONGER, "D", 10),
    (PROBE, SMALL_LONGER, "B", 10),
    (LP_FT, FULL, "B", 10),
    (L2_SP, SMALL_LONGER, "B, colours matched", 10),
    (L2_SP, SMALL_LONGER, "D", 100),
    (L2_SP, SMALL_LONGER, "B", 100),
]
FEW_WEIGHTS = [  # the same, a family of its own
    (ours, theirs, scanner, 10)
    for ours in (LORA, NORMS)
    for theirs, scanner in ((FULL, "D"), (FULL, "B"), (PROBE, "D"), (SMALL_LONGER, "D"))
]


def cells() -> list[dict]:
    """In the order in which they are computed: what the lesson rests on comes first."""
    depths = ("frozen to layer3", "frozen to layer2", "frozen to layer1")
    plan = [
        (10, (L2_SP, SMALL_LONGER, SMALL, PROBE, SCRATCH), 1, SEEDS),
        (10, (L2_SP, PROBE), 2, SEEDS),
        (10, [PRIOR], 1, SEEDS),
        (10, (FULL, LP_FT), 1, FEWER),
        (100, (L2_SP, SMALL_LONGER, PROBE), 1, FEWER),
        (10, (*depths, GRADUAL), 1, FEWEST),
        (100, [PRIOR], 1, FEWER),
        (10, (LORA, NORMS), 1, SEEDS),
    ]
    return [
        {"n": n, "way": way, "pretraining": pretraining, "seed": seed}
        for n, ways, pretraining, seeds in plan
        for seed in seeds
        for way in ways
    ]


drawn = lru_cache(maxsize=1)(experiment.tasks)  # all ways of a seed see the same images


def compute(n: int, way: str, seed: int, pretraining: int) -> list[dict]:
    """One way with ``n`` labels per class: its test scores on each scanner."""
    found = experiment.cell(way, *drawn(n, seed), seed, weights=WEIGHTS[pretraining])
    return [{"scanner": scanner, "scores": rounded(scores)} for scanner, scores in found.items()]


def on_validation(n: int, way: str, seed: int, **settings) -> list[dict]:
    """The log loss on 300 images of scanner D of a seed that is not reported: they are its validation set."""
    task, _ = drawn(n, seed)
    model = experiment.train_one(way, task, seed, **settings)
    return [{"scores": rounded(experiment.three_scores(task.test.y, mtl.predict(model, task.test.x)))}]


def tune() -> dict[str, dict]:
    """Try all settings that were not tried yet; returns the chosen ones in the form of ``experiment.py``."""
    usual = {L2_SP: {"lam": 0.1}, SMALL: {"weight_decay": 0.0}, SMALL_LONGER: {"weight_decay": 0.0}}
    rates = [
        {"n": 10, "way": way, "lr": lr, **usual.get(way, {}), "seed": seed}
        for seed in TUNING_SEEDS
        for way in METHODS
        for lr in RATES[way]
    ]
    fill(TUNING, rates, on_validation)
    chosen = {way: best([c for c in rates if c["way"] == way])["lr"] for way in METHODS}
    seconds = {}
    for way, (name, _) in experiment.SECOND.items():
        tried = [
            {"n": n, "way": way, "lr": chosen[way], name: value, "seed": seed}
            for n in SIZES
            for seed in TUNING_SEEDS
            for value in SECOND[name]
        ]
        fill(TUNING, tried, on_validation)
        seconds[way] = {n: best([c for c in tried if c["n"] == n])[name] for n in SIZES}
    return {"rates": chosen, "second": seconds}


def best(tried: list[dict]) -> dict:
    """The cell, without its seed, whose settings have the lowest mean log loss on the validation images."""
    found = tried_scores()
    settings = [{key: value for key, value in c.items() if key != "seed"} for c in tried]
    return min(settings, key=lambda one: np.mean(found[tuple(one.items())]))


def tried_scores() -> dict[tuple, list[float]]:
    """Log loss on scanner D's validation images by n, way and settings, a value for each tuning seed."""
    found: dict[tuple, list[float]] = {}
    for run in TUNING.runs():
        key = tuple((name, value) for name, value in run.items() if name not in ("seed", "rows", "seconds"))
        found.setdefault(key, []).append(run["rows"][0]["scores"]["log loss"])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", choices=("tune",), help="choose the settings; else: the reported seeds")
    torch.set_num_threads(1)  # small images: a second thread mostly waits
    if parser.parse_args().what == "tune":
        for name, chosen in tune().items():
            print(name, chosen)
        return
    fill(LOG, cells(), compute)
    summarise(LOG.runs())


def summarise(runs: list[dict]) -> None:
    """``results/strategies.json`` of all rows that are complete."""
    order = sorted(cells(), key=lambda cell: (cell["pretraining"], SIZES.index(cell["n"])))
    rows = tidy(runs, order, seconds=True)
    for row in rows:
        if (n := len(row["scores"]["accuracy"])) < len(SEEDS):
            row["seeds"] = list(SEEDS)[:n]
    rows += [row | {"pretraining": 2} for row in rows if row["way"] in (*FROM_SCRATCH, PRIOR) and row["n"] == 10]
    result = header(seeds=list(SEEDS), seconds=total_seconds(runs + TUNING.runs())) | {
        "score": "accuracy",
        "data": "twin",
        "task": "held-out cells, labels from scanner D, 28 px, phantoms; n is per class; each seed has its own images",
        "steps": experiment.STEPS,
        "settings": {way: {str(n): experiment.settings_for(way, n) for n in SIZES} for way in METHODS},
        "pretrainings": pretrainings(),
        "tuning": [dict(key) | {"log loss": losses} for key, losses in tried_scores().items()],
        "primary": PRIMARY,
        "secondary": secondary(rows, SECONDARY),
        "few weights": secondary(rows, FEW_WEIGHTS),
        "rows": rows,
    }
    write("strategies", result)


def pretrainings() -> dict[str, dict]:
    """The seed of each pre-training, and its loss and accuracy over the last 50 steps."""
    logs = {1: RESULTS / "pretraining_resnet.json", 2: WEIGHTS[2].with_name("pretraining_resnet_seed1.json")}
    about = {key: json.loads(path.read_text("utf-8")) for key, path in logs.items()}
    last = "log [step, loss, accuracy]"
    return {str(key): {"seed": log["seeds"][0], f"last {last}": log[last][-1]} for key, log in about.items()}


def secondary(rows: list[dict], family: list[tuple]) -> list[dict]:
    """Each comparison of a family: its interval, and its p-value against the margin on its own side, after Holm.

    Where one side has fewer seeds, which are then the first ones, the comparison has these.
    """

    def values(way, scanner, n):
        wanted = {"way": way, "scanner": scanner, "n": n, "pretraining": 1}
        (row,) = [row for row in rows if wanted.items() <= row.items()]
        return np.array(row["scores"]["accuracy"])

    found, p_values = [], []
    for ours, theirs, scanner, n in family:
        pairs = zip(values(ours, scanner, n), values(theirs, scanner, n), strict=False)
        differences = np.array([a - b for a, b in pairs])
        mean = differences.mean()
        beyond = abs(mean) > MARGIN
        p_values.append(t_test(differences, float(np.copysign(MARGIN, mean))) if beyond else 1.0)
        interval = paired_difference(differences, 0 * differences)
        keys = {"ours": ours, "theirs": theirs, "scanner": scanner, "n": n}
        found.append(keys | rounded({"value": interval.value, "low": interval.low, "high": interval.high}))
    return [row | {"p": round(p, 5)} for row, p in zip(found, holm(p_values), strict=True)]


if __name__ == "__main__":
    main()
