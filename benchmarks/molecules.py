"""What drawn molecules, eight descriptors and other assays are worth for real molecules with few measurements.

    MEDTL_DATA=/folder python benchmarks/molecules.py --stage tuning   # rates, and the strongest opponents
    MEDTL_DATA=/folder python benchmarks/molecules.py                  # the report, seeds from 200 on, rates as given
    MEDTL_DATA=twin python benchmarks/molecules.py                  # the same on drawn molecules, in the same record

Resumable: each cell is a line of ``_run/molecules.jsonl``. No molecule stands in the log or in the record, only
numbers.

Molecules: ``mtl.load`` of "esol" (solubility, 1,113 molecules), "bbbp" (does it pass into the brain, 1,879) and
"tox21" (twelve assays, 7,347), each molecule once, with at most 50 atoms. *Each seed splits them anew* by
``split_molecules``: 80 % train, 10 % validate, 10 % test; by scaffold, so that no Bemis–Murcko scaffold is in two
splits (scaffolds of more than 5 % of all molecules, and molecules without a ring, always train), or at random.
``labels`` are drawn from the training molecules, and with 20 go 20 of the validation molecules, with 100 go 50, with
"all" go all. A regression or a forest chooses its setting on these (five penalties, three forests); a network keeps
the epoch that is best on them.

Scores: RMSE of solubility in log mol/L; AUROC of classes; of a screen also the average precision and the enrichment
in the first 1 %, whose chance is told beside. Intervals are over seeds (split, labels, first weights, order) *and*
scaffolds at once (``over_new_splits``: a scaffold that is drawn twice counts twice in each test that holds it, since
the tests of ten seeds overlap; a molecule without a ring is a group of its own).

Primary comparison
------------------
Written down before the seeds 200 to 209 were run. *ESOL, scaffold split, 20 labels: has the network that first learnt
the eight descriptors of drawn molecules, fine-tuned, a lower error than the same network from scratch?* Rows: the
stronger way to fine-tune on the tuning seeds, "drawn, LP-FT" (the head by a ridge first, then all weights: RMSE
1.168; "drawn, fine-tuned", from a random head: 1.252), and the stronger of "from scratch, 4 × as long" (1.448) and
"from scratch" (1.478): the former. Score: RMSE in log mol/L on the test molecules. Margin: 0.1. The 95 % interval of
the difference is over ten seeds and scaffolds at once. Expected: below −0.1. After the tuning seeds we expect two
things besides: LP-FT stays close to "drawn, probe" (1.168), and the descriptors themselves with a ridge (1.118) are
as good.

Secondary comparisons, scaffold split unless said; settled where the interval lies beyond the margin and Holm's
p-value, for all of these together and against that margin, is below 0.05 (normal, from the interval). Margins: 0.1 in
RMSE, 0.03 in AUROC. "Classical" is the strongest of seven ways without a network on the tuning seeds, with 20 labels:
"descriptors, ridge" of ESOL (1.118; both with a ridge 1.227), "both, ridge" of BBBP (0.827; "descriptors, forest"
0.820, "drawn, LP-FT" 0.82).

1. ESOL, 20 labels: "drawn, LP-FT" − classical: no direction. The descriptors are given to one, and guessed by the
   other.
2. ESOL, 20 labels: "drawn, probe" − "drawn, LP-FT": no direction; within is what we expect.
3. and 4. ESOL, 100 and all labels: "drawn, LP-FT" − "from scratch": below; with all labels within would be a result.
5. ESOL, all labels: "drawn, LP-FT" − classical: no direction.
6. ESOL, all labels: "drawn, LP-FT", random split − scaffold split: below. The plan said that the scaffold split costs
   more than any method gains.
7. BBBP, 20 labels: "drawn, LP-FT" − "from scratch": above.
8. BBBP, 20 labels: "drawn, LP-FT" − classical: no direction.
9. and 10. Tox21, 20 and 100 labels of the target: "eleven assays, LP-FT" − "drawn, LP-FT": above.
11. Tox21, 100 labels: "eleven assays, LP-FT" − classical (that of BBBP; assays had no tuning of their own): no
   direction.
12. Tox21, 100 labels: "eleven assays, LP-FT, leaked" − "eleven assays, LP-FT": above. The leaked source has as many
   molecules, and the target's test molecules, with their other assays, are among them.

Tox21: the target is the assay with the lower median share of hits, over all molecules; the source network has learnt
the eleven others from the training molecules of the same split. Kind "pairs": each of the twelve assays as the source
of each other one, a frozen network of one assay and a ridge on 100 labels of the target. A source is "chosen by
labels" (the highest correlation of both assays over the labelled molecules), "by fingerprints" (hits of the target
like hits of the source), or on validation; "any assay" is the mean of eleven, and the best and worst in hindsight
stand beside it. Negative transfer is a source that is worse than "random features". Kind "runs": as found, ten
networks that differ by their seed alone, the best of them on the test, and what that choice is worth on the other
half of the test.

Settings: the rate of each network that trains, of three (one more where the best was at the edge of these, but for
LP-FT, whose lower rates would end at the probe), by its mean score on the validation molecules that chose no epoch:
for 20 labels on the seeds 0 to 2, for 100 on seed 0; "all" takes those of 100, Tox21 those of BBBP. These are
validation molecules of other splits of the same table, so some are test molecules of reported seeds: for each way the
same ones. The eleven assays have three rates on seed 0. Networks train for 100, 60 or 20 epochs (20, 100, all labels)
with a rate that falls to 0. Ten seeds are reported of ESOL and of BBBP with 20 labels; the rest is a look: three
seeds, five of the random split with 20 labels, one of "pairs", two splits of "runs", two or three of the twin. So few
seeds seldom settle anything. The drawing of molecules and the embedded network were fixed before either met a real
label.

Limits, written down when the results were known
------------------------------------------------
The primary comparison is undecided: −0.28 [−0.53, 0.03]. Nine of ten seeds are not above zero, and on seed 201 LP-FT
is worse by 0.62; Student's t over the ten seeds alone is as wide. LP-FT is hardly more than the probe (−0.00 [−0.05,
0.04]), and the descriptors with a ridge are level with it (LP-FT − descriptors 0.02 [−0.09, 0.15]); what drawn
molecules teach is what the descriptors say. On BBBP both inputs with a ridge are higher (LP-FT − these −0.06 [−0.10,
−0.02]). No secondary comparison is settled beyond its margin after Holm; the probe is within the margin of LP-FT.
Three seeds and some scaffolds make wide intervals, and a crossed bootstrap makes them rather too wide than too
narrow; limits of one way are cut at what its score can be. On Tox21 the answers of eleven assays, averaged, without a
label of the target, have a higher AUROC than all ways with labels: that was no comparison named beforehand, and no
way that starts at these answers was tried. What a leaked source gains was too small to see with three seeds. BBBP
with all labels and assays of the twin were planned and not run, for want of time. Networks had 100 steps with 20
labels, and no other size, shape or pre-training was tried.
"""

import argparse
from functools import cache

import numpy as np
import torch
from record import Log, fill, header, read, rounded, seeded_rows, tidy, total_seconds, write

import medtl_helpers as mtl
from medtl_helpers.lessons.drugs import experiment as drugs
from medtl_helpers.methods.metrics import weighted_auroc
from medtl_helpers.methods.new_splits import OneSplit, over_new_splits
from medtl_helpers.methods.screening import average_precision, enrichment

LOG = Log("molecules")
SEEDS = {"tuning": range(3), "report": range(200, 210)}
RATES = {  # by where the weights come from and what trains; three, and one more where the best was at the edge
    ("random", "all"): (1e-3, 3e-3, 1e-2),
    ("drawn", "all"): (3e-4, 1e-3, 3e-3, 1e-2),
    ("drawn", "head, then all"): (1e-4, 3e-4, 1e-3),
    ("assays", "all"): (1e-3, 3e-3, 1e-2),
}
LOWER = {"bbbp": (3e-4,)}  # rates that were added from scratch, because the lowest one was the best
TUNED = {("esol", 20): 3, ("esol", 100): 1, ("bbbp", 20): 3, ("bbbp", 100): 1}  # seeds of the tuning
KNOWS = ("target", "drawn")  # a cell has the ways that know nothing but the target, or those that know drawn molecules
SCORE = {"esol": "RMSE", "bbbp": "auroc", "tox21": "auroc"}
REPORTED = {  # seeds of the report, of real molecules and of the twin
    ("esol", "scaffold", 20): (10, 3),
    ("bbbp", "scaffold", 20): (10, 2),
    ("esol", "scaffold", "all"): (3, 0),
    ("esol", "random", "all"): (3, 0),
    ("esol", "scaffold", 100): (3, 2),
    ("esol", "random", 20): (5, 2),
    ("bbbp", "scaffold", 100): (3, 0),
}
ASSAYS = {20: (3, 0), 100: (3, 0)}  # the same, by labels of the target assay
PAIRS, PAIR_LABELS = (1, 0), 100
SOURCE = {"lr": 1e-2, "epochs": 8}  # how eleven assays are learnt
ONE = {"lr": 1e-2, "epochs": 4}  # and one alone
RUNS, SPLITS_OF_RUNS = 10, (2, 0)  # networks that differ by their seed alone, and splits on which that is done


# --- what all cells share --------------------------------------------------------------------------------------------


@cache
def whole(name: str):
    return mtl.load(name, quiet=True)


@cache
def task(name: str, split: str, seed: int):
    """The molecules of a set, split anew."""
    return mtl.split_molecules(whole(name), split, seed=seed)


def ways_of(name: str, labels, knows: str = "") -> list[str]:
    """The ways of a cell; with twenty labels of "esol" one is trained four times as long."""
    ways = [way for way in drugs.WAYS if name == "esol" or way != "Delaney's formula"]
    ways = [way for way in ways if (name, labels) == ("esol", 20) or not way.endswith(drugs.LONGER)]
    return [way for way in ways if not knows or way.startswith("drawn") == (knows == "drawn")]


def row_of(way: str, answers, y, **keys) -> dict:
    scores = rounded(drugs.molecule_scores(answers, np.asarray(y)))
    return {"way": way, **keys, "scores": scores, "answers": np.round(answers, 5).tolist()}


# --- tuning ----------------------------------------------------------------------------------------------------------


def tune(name: str, labels, way: str, lr: float, seed: int) -> list[dict]:
    """Scores on the validation molecules that do not choose an epoch or a penalty; no test molecule is looked at."""
    whole_task = task(name, "scaffold", seed)
    few = drugs.few_of(whole_task, labels, seed)
    seen, start = set(few.smiles["val"]), len(whole_task.train.y)
    rest = [start + k for k, smiles in enumerate(whole_task.smiles["val"]) if smiles not in seen]
    apart = whole_task.with_rows({"test": rest})
    ways = [way] if way in drugs.NETWORKS else [*drugs.CLASSICAL, "random features"]
    rows = [row_of(w, drugs.answers_of(w, apart, few, "test", labels, seed, lr), apart.test.y) for w in ways]
    return [{name: row[name] for name in ("way", "scores")} for row in rows]


def tune_source(lr: float, seed: int) -> list[dict]:
    """Eleven assays: the mean AUROC on validation molecules."""
    split = task("tox21", "scaffold", seed)
    names = sources(split)
    model = drugs.assay_network(split, names, seed, lr=lr, epochs=SOURCE["epochs"])
    p = mtl.predict_graphs(model, split.val.x, loss="assays").numpy()
    found = []
    for k, name in enumerate(names):
        y = split.val.y[:, split.classes.index(name)].numpy()
        found.append(drugs.auroc(y[np.isfinite(y)], p[np.isfinite(y), k]))
    return [{"way": "eleven assays", "scores": rounded({"auroc": np.nanmean(found)})}]


def best_rates(rows: list[dict]) -> dict:
    """task → way → labels → (rate, its mean score on validation molecules); None is the rate of what has none."""
    values: dict = {}
    for row in rows:
        sign = -1 if SCORE[row["task"]] == "RMSE" else 1
        score = sign * float(np.mean(row["scores"][SCORE[row["task"]]]))
        values.setdefault((row["task"], row["way"], row.get("labels")), {})[row["lr"]] = score
    found: dict = {}
    for (name, way, labels), rates in values.items():
        best = max(rates, key=rates.get)
        found.setdefault(name, {}).setdefault(way, {})[labels] = (best, round(abs(rates[best]), 4))
    return found


# --- the report ------------------------------------------------------------------------------------------------------


def by_labels(seed: int, task_name: str, split: str, labels, knows: str) -> list[dict]:
    """The ways that know drawn molecules, or the target alone, on the test molecules, with so many labels."""
    whole_task = task(task_name, split, seed)
    few = drugs.few_of(whole_task, labels, seed)
    ways = ways_of(task_name, labels, knows)
    return [row_of(w, drugs.answers_of(w, whole_task, few, "test", labels, seed), whole_task.test.y) for w in ways]


def ten_runs(seed: int) -> list[dict]:
    """As found: networks that differ by their seed alone, on one split; the best of them on test, and what it is worth.

    The test is halved at random: one half chooses among the runs, and the other one says what that choice is worth.
    """
    whole_task = task("esol", "scaffold", seed)
    few, y = drugs.few_of(whole_task, 20, seed), whole_task.test.y.double().numpy()
    half = np.random.default_rng(seed).permutation(len(y)) < len(y) // 2
    rows = []
    for way in ("from scratch", "drawn, fine-tuned"):
        lr, start = drugs.rate_of("esol", way, 20), drugs.NETWORKS[way][0]
        errors, on_validation = [], []
        for run in range(RUNS):
            model = drugs.graph_net(start, 1, 1000 * seed + run)
            drugs.train_all(model, few, 1000 * seed + run, lr=lr, epochs=drugs.EPOCHS[20])
            errors.append(mtl.predict_graphs(model, whole_task.test.x).double().numpy() - y)
            on_validation.append(float(((mtl.predict_graphs(model, few.val.x) - few.val.y) ** 2).mean()))
        whole_rmse, here, there = (
            np.sqrt((np.array(errors)[:, at] ** 2).mean(1)) for at in (half | ~half, half, ~half)
        )
        found = {
            "mean of ten runs": whole_rmse.mean(),
            "best of ten, on the test that chose it": whole_rmse.min(),
            "best of ten, on the half that chose it": here.min(),
            "best of ten, on the other half": there[here.argmin()],
            "mean of ten runs, on the other half": there.mean(),
            "best of ten by validation": whole_rmse[int(np.argmin(on_validation))],
        }
        rows += [{"way": name, "network": way, "scores": rounded({"RMSE": value})} for name, value in found.items()]
    return rows


# --- assays ----------------------------------------------------------------------------------------------------------


def sources(split) -> list[str]:
    """All assays but the target."""
    target = drugs.target_assay(split)
    return [name for name in split.classes if name != target]


def source_network(name: str, seed: int):
    """A network of assays, from the disk where an earlier cell left it: "eleven", "leaked", or one by its name."""
    split = task("tox21", "scaffold", seed)
    names = sources(split) if name in ("eleven", "leaked") else [name]
    path = LOG.path.parent / f"molecules_{name}_{split.provenance}_seed{seed}.pt"
    if path.is_file():
        model = mtl.GraphNet(len(names))
        model.load_state_dict(torch.load(path, weights_only=True))
        return model.eval()
    rows = drugs.leaking_rows(split, seed) if name == "leaked" else None
    model = drugs.assay_network(split, names, seed, rows=rows, **(SOURCE if len(names) > 1 else ONE))
    path.parent.mkdir(exist_ok=True)
    torch.save(model.state_dict(), path)
    return model


def assays(seed: int, labels) -> list[dict]:
    """The target assay with so many labels: all ways, and those that learnt the eleven other assays."""
    split = task("tox21", "scaffold", seed)
    target = split.assay(drugs.target_assay(split))
    few, x, y = drugs.few_of(target, labels, seed), target.test.x, target.test.y
    rows = []
    for way in ways_of("tox21", 100):
        rows.append(row_of(way, drugs.answers_of(way, target, few, "test", labels, seed), y))
    for source, more in (("eleven", ""), ("leaked", ", leaked")):
        model = source_network(source, seed)
        p = mtl.predict_graphs(model, x, loss="assays").double().mean(1).numpy()
        rows.append(row_of("eleven assays, no label" + more, p, y))
        for way, (_, trains) in drugs.OF_ASSAYS.items():
            start = model if trains == "head" else drugs.with_new_head(model, 2, seed)
            how = {"lr": drugs.rate_of("tox21", "drawn, LP-FT", labels), "epochs": drugs.EPOCHS[labels]}
            rows.append(row_of(way + more, drugs.network_answers(trains, start, few, x, seed, how), y))
    return rows


def pairs(seed: int) -> list[dict]:
    """Each assay as the source of each other one: 100 labels of the target, a frozen network of the source, a ridge."""
    split, rows = task("tox21", "scaffold", seed), []
    frozen = {name: source_network(name, seed) for name in split.classes}
    untrained = drugs.graph_net("random", 2, seed)
    for name in split.classes:
        target = split.assay(name)
        few, y = drugs.few_of(target, PAIR_LABELS, seed), target.test.y.numpy()
        found, on_validation = {}, {}
        for source, model in [*frozen.items(), ("", untrained)]:
            if source != name:
                read = [drugs.graph_features(model, part) for part in (few.train.x, few.val.x, target.test.x)]
                learnt = drugs.ridge(read[0], few.train.y.numpy(), read[1], few.val.y.numpy(), classes=True)
                found[source] = drugs.auroc(y, learnt(read[2]))
                on_validation[source] = drugs.loss_on(learnt(read[1]), few.val.y.numpy(), True)
        nothing = found.pop("")
        del on_validation[""]
        alike = drugs.alike_sources(split, name, few)
        chosen = {
            "random features": nothing,
            "descriptors, ridge": drugs.auroc(y, drugs.classical("descriptors, ridge", few, seed)(target, "test")),
            "any assay": np.mean(list(found.values())),
            "best in hindsight": max(found.values()),
            "worst in hindsight": min(found.values()),
            "chosen on validation": found[min(on_validation, key=on_validation.get)],
        } | {f"chosen by {what}": found[max(scores, key=scores.get)] for what, scores in alike.items()}
        rows += [
            {
                "way": "one assay, probe",
                "source": source,
                "target": name,
                "scores": rounded({"auroc": value}),
            }
            for source, value in found.items()
        ]
        rows += [{"way": way, "target": name, "scores": rounded({"auroc": value})} for way, value in chosen.items()]
    return rows


# --- the stages ------------------------------------------------------------------------------------------------------

KINDS = {
    "labels": by_labels,
    "assays": assays,
    "pairs": pairs,
    "runs": ten_runs,
}


def cells(stage: str, data: str, only=None) -> list[dict]:
    """All cells of a stage, the primary comparison first."""
    if stage == "tuning":
        keys = []
        for (name, labels), n in TUNED.items():
            asked = [("others", None), ("drawn, probe", None)]
            for way in ways_of(name, labels):
                found = RATES.get(drugs.NETWORKS.get(way, ("", "")), ())
                asked += [(way, lr) for lr in found + (LOWER.get(name, ()) if way == "from scratch" else ())]
            keys += [({"kind": "labels", "task": name, "labels": labels, "way": way, "lr": lr}, n) for way, lr in asked]
        keys += [({"kind": "source", "task": "tox21", "lr": lr}, 1) for lr in RATES["assays", "all"]]
    else:
        keys = []
        of = int(data == "twin")
        for (name, split, labels), seeds in REPORTED.items():
            about = {"kind": "labels", "task": name, "split": split, "labels": labels}
            keys += [(about | {"knows": knows}, seeds[of]) for knows in KNOWS]
        tox = {"task": "tox21", "split": "scaffold"}
        keys += [({"kind": "assays", **tox, "labels": labels}, seeds[of]) for labels, seeds in ASSAYS.items()]
        keys += [({"kind": "runs", "task": "esol", "split": "scaffold", "labels": 20}, SPLITS_OF_RUNS[of])]
        keys += [({"kind": "pairs", **tox, "labels": PAIR_LABELS}, PAIRS[of])]
    return [
        {"stage": stage, "data": data, **key, "seed": seed}
        for key, n in keys
        if only is None or key["kind"] in only
        for seed in SEEDS[stage][:n]
    ]


def compute(stage: str, data: str, seed: int, kind: str, **keys) -> list[dict]:
    """The rows of one cell."""
    if stage == "tuning":
        if kind == "source":
            return tune_source(keys["lr"], seed)
        return tune(keys["task"], keys["labels"], keys["way"], keys["lr"], seed)
    if kind == "labels":
        return by_labels(seed, keys["task"], keys["split"], keys["labels"], keys["knows"])
    return assays(seed, keys["labels"]) if kind == "assays" else KINDS[kind](seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stage", choices=list(SEEDS), default="report")
    parser.add_argument("--only", nargs="*", help="only these kinds of cells")
    parser.add_argument("--task", nargs="*", help="only cells of these sets")
    parser.add_argument("--way", nargs="*", help="only cells of these ways, or of what knows this")
    parser.add_argument("--backwards", action="store_true", help="the last cells first: for a second process")
    parser.add_argument("--no-intervals", action="store_true", help="fill the log, and write no record")
    args = parser.parse_args()
    torch.set_num_threads(1)
    asked = cells(args.stage, whole("esol").provenance, args.only)
    if args.task:
        asked = [cell for cell in asked if cell["task"] in args.task]
    if args.way:
        asked = [cell for cell in asked if cell.get("way", cell.get("knows")) in args.way]
    fill(LOG, asked[::-1] if args.backwards else asked, compute)
    if args.stage == "tuning":
        for name, ways in best_rates(tidy(LOG.runs(), cells("tuning", whole("esol").provenance))).items():
            print(f'    "{name}": {{')
            for way, found in ways.items():
                print(
                    f'        "{way}": { ({n: lr for n, (lr, _) in found.items()}) },  #',
                    [s for _, s in found.values()],
                )
            print("    },")
    elif not args.no_intervals:
        summarise(LOG.runs())


PRIMARY_ABOUT = {
    "lesson": "11_drug_screening",
    "comparison": "Solubility, new scaffolds, twenty labels: the network that first learnt descriptors of drawn "
    "molecules has a lower error than the same network from scratch, by more than 0.1 log mol/L",
    "ours": "drawn, LP-FT",
    "theirs": "from scratch, 4 × as long",
    "where": {"data": "real", "kind": "labels", "task": "esol", "split": "scaffold", "labels": 20},
    "score": "RMSE",
    "margin": 0.1,
    "written": "2875205",
    "opponent": "descriptors, ridge",
    "over": "cases",
}


def summarise(runs: list[dict]) -> None:
    """``results/molecules.json`` of all that is complete."""
    rows = [
        row
        for stage, seeds in SEEDS.items()
        for data in ("real", "twin")
        for row in seeded_rows(runs, cells(stage, data), seeds)
    ]
    result = header(seeds=list(SEEDS["report"]), seconds=total_seconds(runs)) | {
        "score": "RMSE",
        "data": "mixed",
        "primary": PRIMARY_ABOUT,
        "two_level": [possible(row) for row in over_scaffolds(runs)],
        "settings": {name: {way: {str(n): lr for n, lr in found.items()} for way, found in ways.items()}
                     for name, ways in drugs.SETTINGS.items()},
        "rows": rows,
    }  # fmt: skip
    write("molecules", result)


# --- intervals over seeds, each with a split of its own, and scaffolds -----------------------------------------------


def with_both(score):
    """``score`` of hits, or NaN where all molecules are hits, or none is."""
    return lambda y, answers: score(y, answers) if 0 < y.sum() < len(y) else float("nan")


OVER = {  # functions for over_new_splits: those of y, answers and weights, and those of y and answers
    "RMSE": (lambda y, answers, weights: np.sqrt(weights @ (y - answers) ** 2 / weights.sum(1)), True),
    "auroc": (lambda y, answers, weights: weighted_auroc(y == 1, answers, weights), True),
    "average precision": (with_both(average_precision), False),
    "enrichment": (with_both(enrichment), False),
}


def tested(runs: list[dict], keys: dict) -> dict[str, list[OneSplit]]:
    """way → what each seed of these cells tested, in the order of the seeds; of cells that are all there."""
    found: dict[str, list[OneSplit]] = {}
    asked = [c for c in cells("report", "real") if all(c.get(key) == value for key, value in keys.items())]
    done = [next((r for r in runs if all(r.get(key) == value for key, value in cell.items())), None) for cell in asked]
    for cell, run in zip(asked, done, strict=True) if None not in done else ():
        split = task(cell["task"], cell["split"], cell["seed"])
        if cell["kind"] == "assays":
            split = split.assay(drugs.target_assay(split))
        y, groups = split.test.y.double().numpy(), scaffold_names(cell["task"], split)
        for row in run["rows"]:
            found.setdefault(row["way"], []).append(OneSplit(y, np.array(row["answers"]), groups))
    return found


def scaffold_names(name: str, split) -> np.ndarray:
    """A number for the scaffold of each test molecule, the same in each split of a set.

    Molecules without a ring have no scaffold in common but its absence: each of them is a group of its own.
    """
    ring = (split.test.x[:, :, drugs.ATOM_FEATURES.index("in a ring")] > 0).any(1).numpy()
    alone = [-1 - place_of(name)[smiles] for smiles in split.smiles["test"]]
    return np.where(ring, split.scaffolds["test"], alone)


@cache
def place_of(name: str) -> dict[str, int]:
    """SMILES → number of each molecule of a set."""
    every = whole(name)
    return {smiles: k for k, smiles in enumerate(smiles for part in every.smiles.values() for smiles in part)}


def possible(row: dict) -> dict:
    """The limits of one way, no difference, within what its score can be: the stretch for few seeds may leave that."""
    most = 1.0 if row["score"] in ("auroc", "average precision") else np.inf
    return row if row["theirs"] else row | {"low": max(row["low"], 0.0), "high": min(row["high"], most)}


def over_scaffolds(runs: list[dict]) -> list[dict]:
    """Rows of intervals: of each way, of the pairs that are compared, and of a random split minus one by scaffold."""
    if whole("esol").provenance != "real":
        return read("molecules").get("two_level", [])
    rows = []
    for (name, split, labels), _ in REPORTED.items():
        keys = {"kind": "labels", "task": name, "split": split, "labels": labels}
        rows += intervals(tested(runs, keys), keys, compared(keys), [SCORE[name]])
        if split == "random":
            here, there = tested(runs, keys), tested(runs, keys | {"split": "scaffold"})
            n = min((len(one) for one in [*here.values(), *there.values()]), default=0)
            both = {way: one[:n] for way, one in here.items()} | {
                f"{way}{drugs.BY_SCAFFOLD}": one[:n] for way, one in there.items()
            }
            asked = [(way, way + drugs.BY_SCAFFOLD) for way in SPLIT_PAIRS if way in here and there]
            rows += intervals(both, keys, asked, [SCORE[name]], alone=False)
    for labels in ASSAYS:
        keys = {"kind": "assays", "task": "tox21", "split": "scaffold", "labels": labels}
        rows += intervals(tested(runs, keys), keys, compared(keys), ["auroc"])
        screens = {way: one for way, one in tested(runs, keys).items() if way in SCREENS}
        rows += intervals(screens, keys, [], ["average precision", "enrichment"])
    return rows


SPLIT_PAIRS = ("from scratch", "drawn, fine-tuned", "drawn, LP-FT", "descriptors, ridge", "nearest molecule")
SPLIT_PAIRS += ("both, forest",)
SCREENS = ("mean", "descriptors, ridge", "fingerprints, forest", "both, forest", "drawn, LP-FT",
           "eleven assays, LP-FT", "eleven assays, no label")  # fmt: skip


def intervals(found: dict, keys: dict, pairs, scores, *, alone: bool = True) -> list[dict]:
    """Rows for ``two_level`` of the record: each way alone, and the pairs (ours, theirs) whose ways are there."""
    asked = [(way, None) for way in found if alone] + [pair for pair in pairs if set(pair) <= set(found)]
    rows = []
    for ours, theirs in asked:
        for score in scores:
            other = None if theirs is None else found[theirs]
            function, weighted = OVER[score]
            interval = over_new_splits(found[ours], other, score=function, weighted=weighted)
            limits = rounded({"value": interval.value, "low": interval.low, "high": interval.high})
            facts = {"n": sum(len(one.y) for one in found[ours]), "seeds": len(found[ours])}
            rows.append({"data": "real", **keys, "ours": ours, "theirs": theirs, "score": score} | limits | facts)
    return rows


def compared(keys: dict) -> list[tuple[str, str]]:
    """Pairs (ours, theirs): the primary comparison, the secondary ones, and what else is told with an interval."""
    asked = [(ours, theirs) for ours, theirs, _, _, where in drugs.SECONDARY.values() if where == keys]
    asked = [pair for pair in asked if not pair[1].endswith(drugs.BY_SCAFFOLD)]
    best = drugs.OURS
    others = (
        "drawn, fine-tuned",
        "from scratch",
        "from scratch" + drugs.LONGER,
        "drawn, probe",
        "random features",
        *drugs.CLASSICAL,
        "mean",
    )
    asked += [(best, way) for way in others] + [
        ("drawn, probe", way) for way in ("random features", "descriptors, ridge")
    ]
    asked += [("eleven assays, LP-FT", way) for way in (best, "from scratch", "both, forest", "descriptors, ridge")]
    asked += [(way + ", leaked", way) for way in (*drugs.OF_ASSAYS, "eleven assays, no label")]
    return list(dict.fromkeys(asked))


if __name__ == "__main__":
    main()
