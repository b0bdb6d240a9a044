"""Four hospitals that train together or apart, and what an attack learns of who was trained on.

    MEDTL_DATA=/folder python benchmarks/federated.py --stage tuning   # settings, seeds 0 and 1
    MEDTL_DATA=/folder python benchmarks/federated.py --stage tuning --only fine-tuning   # then of its fine-tuning
    MEDTL_DATA=/folder python benchmarks/federated.py                  # the report, settings as committed

Resumable: each cell is a line of ``_run/federated.jsonl``. ``MEDTL_DATA=twin`` adds the rows of the twins.

What is compared
----------------
Written down before the reported seeds were run. All of it is secondary: the primary comparison of lesson 14 stands in
``benchmarks/private.py``.

*Hospitals.* Seeds 200 to 219. Each draws a new split of the same real patients (40 % of each hospital for the test, a
fifth of the rest for validation), so that intervals are Nadeau and Bengio's corrected t over the splits, with n_test /
n_train = 0.4 / 0.6. One model, softmax regression on ten columns, is trained in batches of 32 by plain gradient
descent, so that "pooled" and "alone" are federations of one hospital; nine settings for each way, chosen by the mean
log loss of validation patients on the seeds 0 and 1. Score: the mean over Cleveland, Hungary and VA. Of Switzerland's
123 patients eight are healthy, so that a test has three; its rows are recorded and decide nothing. Called settled where
the mean lies beyond a margin of 0.02, and Holm's p-value against that margin, for all eight together, is below 0.05:

1. FedAvg − own patients alone, AUROC: no direction.
2. FedAvg − Cleveland alone, AUROC: no direction.
3. FedAvg without this hospital − own patients alone, AUROC: no direction.
4. to 6. The same in balanced accuracy at one half.
7. FedAvg, then fine-tuned − FedAvg, log loss: below.
8. FedAvg, own intercept − FedAvg, log loss: below (the cheapest repair, the fair opponent of 7).

Not part of Holm's family, since its interval has to lie *within* the margin: FedAvg − pooled in AUROC. Seeds 0 to 5
were looked at: there the ways lay within 0.02 of each other in AUROC, and "hungary alone" was not below FedAvg.

*Attacks.* Seeds 210 to 214. Each deals the real splice junctions anew: 5, 30 or 100 members a class, 167 others of each
class, and the rest for the attacker, who trains four shadow networks for LiRA (offline). The public network,
pre-trained on drawn sites, keeps its drawn head; "before" it has seen no real sequence. Rates were chosen among three
by accuracy on the others, on the seeds 0 and 1. A run on the seeds 200 to 204 was thrown away: its members had as many
of each class and its others had not, so that even the untouched network told them apart (AUROC 0.45). Score: the true
positive rate at 1 % false positives (five of 501 others); t intervals over seeds. Holm for all five together, margin
0.02:

1. LiRA on "fine-tuned", 5 members a class, minus the loss threshold on "public, before": above.
2. The same with 100 members a class: no direction.
3. LiRA on "fine-tuned" minus LiRA on "probe", 5 members a class: above.
4. LiRA on "from scratch" minus LiRA on "fine-tuned", 100 members a class: no direction.
5. LiRA on "probe, ε = 1" minus the loss threshold on "public, before", 5 members a class: no direction. Any attack on
   it is bound by e^ε · 0.01 + δ, whatever we measure.
"""

import argparse
from functools import cache

import numpy as np
import torch
from record import Log, fill, header, rounded, tidy, total_seconds, write

import medtl_helpers as mtl
from medtl_helpers.lessons.private import experiment as private

LOG = Log("federated")
SEEDS = {
    ("tuning", "hospitals"): range(2),
    ("tuning", "fine-tuning"): range(2),  # of the federation with its chosen settings
    ("tuning", "attacks"): range(2),
    ("report", "hospitals"): range(200, 220),
    ("report", "attacks"): range(210, 215),
}
RATES, ROUNDS, PULLS, SERVER_RATES = (0.01, 0.03, 0.1), (3, 10, 30), (0.01, 0.1, 1.0), (0.03, 0.1, 0.3)
GRIDS = {
    way: [{"lr": lr, "rounds": rounds} for lr in RATES for rounds in ROUNDS]
    for way in (private.OWN, private.POOLED, private.FEDAVG, private.OWN_SCALES)
}
GRIDS[private.FEDPROX] = [{"lr": lr, "proximal": pull, "rounds": 10} for lr in RATES for pull in PULLS]
GRIDS[private.FEDADAM] = [{"lr": lr, "server": rate, "rounds": 30} for lr in RATES for rate in SERVER_RATES]
FURTHER = {private.TUNED: [{"lr": lr / 10, "rounds": rounds} for lr in RATES for rounds in (1, 3, 10)]}
LEARNT = {
    private.PROBED: (3e-3, 1e-2, 3e-2),
    private.ALL_WEIGHTS: (3e-4, 1e-3, 3e-3),
    private.FROM_SCRATCH: (1e-3, 3e-3, 1e-2),
    private.NOISED: (0.03, 0.1, 0.3),
}
splice = cache(lambda: mtl.load("splice", quiet=True))


def tuning(kind: str, seed: int, labels: int | None = None) -> list[dict]:
    """The validation log loss of each setting at the three hospitals; the accuracy on others of each rate."""
    if kind == "attacks":
        deal, rows = private.deal_sequences(splice(), labels, seed), []
        for way, rates in LEARNT.items():
            for lr in rates:
                model = private.trained_by(way, deal.members, labels, seed, lr=lr)
                right = mtl.predict(model, deal.others[0]).argmax(1) == deal.others[1]
                rows.append({"way": way, "lr": lr, "scores": {"accuracy": float(right.float().mean())}})
        return rows
    here, rows = private.wards(seed), []
    for way, grid in (GRIDS if kind == "hospitals" else FURTHER).items():
        for setting in grid:
            models = private.models_of(way, here, seed, {way: setting})
            losses = [
                private.hospital_scores(models[site].logit(here[site].val[0]), here[site].val[1], 0.0)["log loss"]
                for site in private.JUDGED
            ]
            rows.append({"way": way, **setting, "scores": rounded({"log loss": np.mean(losses)})})
    return rows


def hospitals(seed: int) -> list[dict]:
    """Each way at each hospital, and the mean of three; the threshold is of the hospital's own validation patients."""
    here, found = private.wards(seed), {}
    for (way, site), model in private.hospital_models(here, seed).items():
        (val, val_y), (x, y) = here[site].val, here[site].test
        threshold = private.own_threshold(model.logit(val), val_y)
        found[way, site] = private.hospital_scores(model.logit(x), y, threshold)
    for way in dict.fromkeys(way for way, _ in found):
        three = [found[way, site] for site in private.JUDGED]
        found[way, private.THREE] = {name: np.mean([one[name] for one in three]) for name in three[0]}
    return [{"way": way, "site": site, "scores": rounded(scores)} for (way, site), scores in found.items()]


def attacks(seed: int, labels: int) -> list[dict]:
    """Each attack on each way to train."""
    deal = private.deal_sequences(splice(), labels, seed)
    return [
        {"way": way, "attack": attack, "scores": rounded(scores)}
        for way in (private.BEFORE, *private.TRAINING)
        for attack, scores in private.attacked(way, deal, labels, seed).items()
    ]


def cells(stage: str, kinds=("hospitals", "attacks"), data: str = "real", seeds=None) -> list[dict]:
    found = []
    for kind in kinds:
        asked = [seed for seed in SEEDS[stage, kind] if not seeds or seed in seeds]
        keys = [{"labels": n} for n in private.PER_CLASS] if kind == "attacks" else [{}]
        found += [{"stage": stage, "kind": kind, "data": data, **key, "seed": seed} for key in keys for seed in asked]
    return found


def compute(stage: str, kind: str, data: str, seed: int, **keys) -> list[dict]:
    """The rows of one cell."""
    if stage == "tuning":
        return tuning(kind, seed, **keys)
    return hospitals(seed) if kind == "hospitals" else attacks(seed, **keys)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stage", choices=("tuning", "report"), default="report")
    parser.add_argument(
        "--only", nargs="*", default=["hospitals", "attacks"], choices=["hospitals", "fine-tuning", "attacks"]
    )
    parser.add_argument("--seeds", nargs="*", type=int, help="only these, e.g. one process for each half")
    args = parser.parse_args()
    torch.set_num_threads(1)  # small models: more threads only wait for each other
    data = mtl.load("heart", site="cleveland", quiet=True).provenance
    fill(LOG, cells(args.stage, args.only, data, args.seeds), compute)
    summarise(LOG.runs())


def summarise(runs: list[dict]) -> None:
    """``results/federated.json`` of all that is complete."""
    rows = []
    for stage, kind in SEEDS:
        for data in ("real", "twin"):
            facts = {"seeds": list(SEEDS[stage, kind])}
            facts |= {"test share": private.SHARE_OF_TEST} if kind == "hospitals" else {}
            rows += [row | facts for row in tidy(runs, cells(stage, [kind], data))]
    result = header(seeds=list(SEEDS["report", "hospitals"]), seconds=total_seconds(runs)) | {
        "score": "auroc",
        "data": "mixed",
        "test share": private.SHARE_OF_TEST,
        "settings": private.SETTINGS | private.TRAINING,
        "rows": rows,
    }
    write("federated", result)


if __name__ == "__main__":
    main()
