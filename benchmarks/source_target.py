"""Notebook 04: twelve ways from source to target, on drawn cells, real X-rays and real white cells.

    MEDTL_DATA=twin python benchmarks/source_target.py                      # phantoms, of X-rays, too
    MEDTL_DATA=/folder/with/real/data python benchmarks/source_target.py    # real X-rays and real white cells
    MEDTL_DATA=… python benchmarks/source_target.py --tune                  # the learning rates, on validation

Resumable: each cell is a line of ``_run/source_target.jsonl``.

Learning rates: each trained way tried three (``RATES``) on seeds 0 and 1, which are not reported, and the one with the
lowest mean log loss on validation images was taken: images of the source for the ways that see no target label, and
the few labelled target images that are set apart for it for the others. Steps are the same for all ways of a kind. No
target test image chose anything.

Primary comparison. Rows "augmented" (sees nothing of the target) and "AdaBN" (sees the target's images without labels)
of the pair "white cells", real data: trained in the first laboratory, tested in the second. Score: AUROC, the mean
over the four classes. Margin: 0.05. Written down is: "On a real second laboratory, augmenting the source's images is
worth more than AdaBN: its AUROC is higher by more than 0.05." It is settled when the lower end of the 95 % interval
over seeds 200 to 209 and the 97 cells (``two_level``) lies above 0.05. The opponents "pixel matching", "colour
matching" and "augmented + AdaBN" stand beside it. The direction was taken from three seeds (0 to 2) of the opposite
way, from the second laboratory to the first, whose test cells are others; no answer to a cell of the second laboratory
was looked at.

A second comparison was written down later, before its own seeds ran: phantoms as the source for real white cells, with
all weights fine-tuned. Rows "fine-tuned, phantoms" and "fine-tuned, random" of the part "phantoms": the same residual
network, ten labels a class of the first laboratory, 120 steps and three learning rates each. Score: balanced accuracy
in the second laboratory, without any repair. Margin: 0.05. Written down is: "Fine-tuned from phantoms, the network
reads the white cells of a second laboratory better than fine-tuned from random weights, by more than 0.05." It is
settled when the lower end of the 95 % interval over seeds 200 to 209 and the 97 cells lies above 0.05. Only validation
cells of the first laboratory, of the seeds 0 and 1, were looked at; of the frozen features, which the lesson had
already, five of the seeds were known. Named with it, and corrected together (Holm): the same difference in the first
laboratory; fine-tuned phantoms minus the small network of the course from scratch, and minus the same one trained four
times as long; and fine-tuned minus frozen phantoms. In the first laboratory each seed draws other test cells, 58 of
294, so that two seeds share a fifth of them: there the interval is the corrected t with 58 / 236.

Seeds: ten for the ways on white cells, among them the primary comparison; five for the other pairs, and three for the
choice of a source, since two cores were all that there was. Of the ten seeds of the fine-tuned phantoms the last two
did not run: the time was up, and this was decided before any of their values was looked at.

Intervals: blood-cell phantoms are drawn anew for each seed, so Student's t over seeds holds their test cases, too. The
test images of the X-rays, real or drawn, and the cells of the second laboratory are given once: there the interval is
the bootstrap over seeds and test cases, under ``two_level``. A seed splits the second laboratory into three folds,
adapts on others than it tests, and so answers to each of its cells once.
"""

import argparse

import numpy as np
import torch
from record import Log, answers, fill, header, over_cases, read, rounded, tidy, total_seconds, write

import medtl_helpers as mtl
from medtl_helpers.data.domains import white_cell_domains
from medtl_helpers.data.white_cells import all_cells, split_by_class
from medtl_helpers.lessons.source_target import experiment as e
from medtl_helpers.methods.predict import predict
from medtl_helpers.methods.scores import balanced_accuracy

LOG = Log("source_target")
TUNING, SEEDS = (0, 1), range(200, 210)
SCORE = "balanced accuracy"  # the main score
RATES = {  # what each trained way tries
    e.SOURCE_ONLY: (1e-3, 3e-3, 1e-2),
    e.AUGMENTED: (1e-3, 3e-3, 1e-2),
    e.JOINT: (1e-3, 3e-3, 1e-2),
    e.TARGET_ONLY: (1e-3, 3e-3, 1e-2),
    e.LONGER: (1e-3, 3e-3, 1e-2),
    e.FINE_TUNED: (3e-4, 1e-3, 3e-3),
}
RATES_OF_RESNET = (1e-4, 3e-4, 1e-3)


def tune(pair: str, seed: int) -> list[dict]:
    """The log loss on validation images of each trained way with each of its rates."""
    source, target = e.two_domains(pair, seed)
    about = e.OF_PAIR[pair]
    few = mtl.few_shot(target, about["labels"], seed=seed, val=about["labels"])
    start = e.trained_on_source(source, seed, about["rates"][e.SOURCE_ONLY])
    train = {
        e.SOURCE_ONLY: lambda rate: e.trained_on_source(source, seed, rate),
        e.AUGMENTED: lambda rate: e.trained_on_source(source, seed, rate, about["augment"]),
        e.JOINT: lambda rate: e.trained_on_both(source, few, seed, rate),
        e.TARGET_ONLY: lambda rate: e.trained_on_few(few, seed, rate),
        e.LONGER: lambda rate: e.trained_on_few(few, seed, rate, times=e.TIMES),
        e.FINE_TUNED: lambda rate: e.go_on_from(start, few, seed, rate),
    }
    rows = []
    for way, rates in RATES.items():
        val = source.val if e.WAYS[way] == "nothing" else few.val
        for rate in rates:
            found = e.scores_of(val.y, predict(train[way](rate), val.x))
            rows.append({"way": way, "rate": rate, "scores": rounded(found)})
    return rows


def tune_phantoms(seed: int) -> list[dict]:
    """The same for the ways that are trained on ten labels a class of the first laboratory of white cells."""
    few, rows = e.few_white_cells(seed), []
    for way, start in e.RATES_THERE:
        for rate in RATES_OF_RESNET if way == e.FINE_TUNED else RATES[e.TARGET_ONLY]:
            found = e.scores_of(few.val.y, predict(e.trained_there(way, start, few, seed, rate), few.val.x))
            rows.append({"way": f"{way}, {start}", "rate": rate, "scores": rounded(found)})
    return rows


def ways(pair: str, seed: int) -> list[dict]:
    """A row for each way: its scores on the target, and at home for those that see nothing of the target."""
    about = {name: e.OF_PAIR[pair][name] for name in ("labels", "rates")}
    source, target = e.two_domains(pair, seed)
    at_home = e.from_source(source, seed, augment=e.OF_PAIR[pair]["augment"], rates=about["rates"])
    found: dict[str, torch.Tensor] = {}
    if pair == e.WHITE:
        cells = all_cells(mtl.cards()["white_cells"], "cellavision", 28)[0]
        y = cells.y
        for fold in range(3):
            target, tested = e.two_domains(pair, seed, fold=fold)[1], split_by_class(y, seed, fold)[2]
            models = at_home | e.at_target(at_home, source, target, seed, **about)
            for way, model in models.items():
                whole = found.setdefault(way, torch.empty(len(y), len(target.classes)))
                whole[tested] = predict(model, target.test.x)
    else:
        y = target.test.y
        models = at_home | e.at_target(at_home, source, target, seed, **about)
        found = {way: predict(model, target.test.x) for way, model in models.items()}
    rows = []
    for way, probability in found.items():
        scores = e.scores_of(y, probability)
        if way in at_home:
            here = e.scores_of(source.test.y, predict(at_home[way], source.test.x))
            scores |= {f"{name} at home": value for name, value in here.items()}
        row = {"way": way, "scores": rounded(scores)}
        rows.append(row if pair == e.CELLS else row | {"answers": _short(probability)})
    return rows


def sources(pair: str, seed: int) -> list[dict]:
    """A row for each candidate source: what is said of it beforehand, and the gain that it brings."""
    kin, target = e.two_domains(pair, seed)
    labels, rates = e.OF_PAIR[pair]["labels"], e.OF_PAIR[pair]["rates"]
    few = mtl.few_shot(target, labels, seed=seed, val=labels)
    scratch = balanced_accuracy(e.trained_on_few(few, seed, rates[e.TARGET_ONLY]), target.test)
    rows = []
    for kind in (e.KIN, *e.OTHERS):
        source = kin if kind == e.KIN else e.drawn_source(kind, seed)
        model = e.trained_on_source(source, seed, rates[e.SOURCE_ONLY])
        scores = e.scores_beforehand(model, source, target, few)
        tuned = e.go_on_from(model, few, seed, rates[e.FINE_TUNED])
        scores["gain"] = balanced_accuracy(tuned, target.test) - scratch
        rows.append({"way": kind, "scores": rounded(scores)})
    return rows


def phantoms(pair: str, seed: int) -> list[dict]:
    """Rows of the residual network from phantoms and from random weights, and of the small one, in two laboratories.

    Ten labels of each class, all of the first laboratory. ``AdaBN``: with the statistics of each laboratory's images;
    what is trained has those of the first laboratory already.
    """
    few, images = e.few_white_cells(seed), white_cell_domains(seed, size=e.SIDE)[0].train.x
    there = [white_cell_domains(seed, size=e.SIDE, fold=fold)[1] for fold in range(3)]
    models = {
        (e.FROZEN, start, repair): e.frozen(start, few, seed, adapt=adapt)
        for start in (e.PRETRAINED, e.RANDOM)
        for repair, adapt in {"none": None, e.ADABN: images}.items()
    }
    for (way, start), rate in e.RATES_THERE.items():
        model = e.trained_there(way, start, few, seed, rate)
        models |= {(way, start, repair): model for repair in ("none", e.ADABN)}
    return [
        {"way": way, "start": start, "repair": repair} | _in_both(model, few, there, seed, repair)
        for (way, start, repair), model in models.items()
    ]


def _in_both(model, few, there: list, seed: int, repair: str) -> dict:
    """The scores of ``model`` at home and in the second laboratory, and its answers there, fold by fold."""
    y = _labels(e.WHITE)
    whole = torch.empty(len(y), len(few.classes))
    for fold, target in enumerate(there):
        adapted = e.with_statistics_of(target.train.x, model) if repair == e.ADABN else model
        whole[split_by_class(torch.tensor(y), seed, fold)[2]] = predict(adapted, target.test.x)
    at_home = e.scores_of(few.test.y, predict(model, few.test.x))
    scores = e.scores_of(y, whole) | {f"{name} at home": value for name, value in at_home.items()}
    return {"scores": rounded(scores), "answers": _short(whole)}


def _short(probability: torch.Tensor) -> list[list[float]]:
    """The answers as the log keeps them."""
    return [[round(p, 4) for p in one] for one in probability.tolist()]


PARTS = {"ways": ways, "sources": sources, "phantoms": phantoms}
PLAN = {  # what is measured where the data are the twin, and where they are real; and on how many of the seeds
    "twin": [("ways", e.CELLS, 5), ("ways", e.CHESTS, 5), ("sources", e.CELLS, 3)],
    "real": [("ways", e.WHITE, 10), ("ways", e.CHESTS, 5), ("phantoms", e.WHITE, 8)],
}


def cells(data: str) -> list[dict]:
    return [
        {"part": part, "pair": pair, "data": data, "seed": seed} for part, pair, n in PLAN[data] for seed in SEEDS[:n]
    ]


def compute(part: str, pair: str, data: str, seed: int) -> list[dict]:
    """The rows of one part for one seed; which ``data`` there are is for the record to say."""
    return PARTS[part](pair, seed)


def tried(part: str, pair: str, seed: int) -> list[dict]:
    """The rows of the rates that one seed tried."""
    return tune(pair, seed) if pair in e.OF_PAIR else tune_phantoms(seed)


def tuning_cells() -> list[dict]:
    return [{"part": "tuning", "pair": pair, "seed": seed} for pair in (*e.OF_PAIR, "phantoms") for seed in TUNING]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tune", action="store_true", help="try the learning rates on seeds that are not reported")
    parser.add_argument("--only", default="", help="the pair, the part, or the seed to go on with")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    planned = tuning_cells() if asked.tune else cells("real" if _is_real() else "twin")
    wanted = [cell for cell in planned if asked.only in {"", *map(str, cell.values())}]
    fill(LOG, wanted, tried if asked.tune else compute)
    summarise(LOG.runs())


PRIMARY = {
    "lesson": "04_cnn_source_to_target",
    "comparison": "On a real second laboratory, augmenting the source's images is worth more than AdaBN: its AUROC is "
    "higher by more than 0.05.",
    "ours": e.AUGMENTED,
    "theirs": e.ADABN,
    "where": {"part": "ways", "pair": e.WHITE, "data": "real"},
    "score": "AUROC",
    "margin": 0.05,
    "over": "cases",
    "written": "973dfb1",
    "opponent": e.BOTH,
}


MORE = {  # further differences that the lesson shows, beside the primary one and the secondary ones
    e.WHITE: [
        (e.AUGMENTED, e.ADABN, "AUROC"),
        (e.AUGMENTED, e.ADABN, SCORE),
        (e.AUGMENTED, e.SOURCE_ONLY, SCORE),
        (e.AUGMENTED, e.COVARIANCE, "AUROC"),
        (e.BOTH, e.AUGMENTED, "AUROC"),
        (e.JOINT, e.AUGMENTED, SCORE),
        (e.FINE_TUNED, e.LONGER, SCORE),
    ],
    e.CHESTS: [
        (e.PIXELS, e.SOURCE_ONLY, SCORE),
        (e.ADABN, e.PIXELS, SCORE),
        (e.ADABN, e.SOURCE_ONLY, SCORE),
        (e.AUGMENTED, e.ADABN, SCORE),
        (e.FINE_TUNED, e.LONGER, SCORE),
    ],
}

MORE_THERE = [  # (ours, theirs) of the part "phantoms"
    tuple(f"{way}, {start}, {repair}" for start in (e.PRETRAINED, e.RANDOM))
    for way, repair in ((e.FROZEN, "none"), (e.FROZEN, e.ADABN), (e.FINE_TUNED, e.ADABN))
]


def summarise(runs: list[dict]) -> None:
    """``results/source_target.json`` of each part that is complete."""
    planned = cells("twin") + cells("real")
    seeds = {(part, pair, data): list(SEEDS[:n]) for data, plan in PLAN.items() for part, pair, n in plan}
    rows = [row | {"seeds": seeds[row["part"], row["pair"], row["data"]]} for row in tidy(runs, planned)]
    result = header(seeds=list(SEEDS), seconds=total_seconds(runs)) | {
        "score": SCORE,
        "primary": PRIMARY,
        "labels per class": {pair: about["labels"] for pair, about in e.OF_PAIR.items()} | {"phantoms": e.LABELS_THERE},
        "rates": {pair: about["rates"] for pair, about in e.OF_PAIR.items()}
        | {"phantoms": {f"{way}, {start}": rate for (way, start), rate in e.RATES_THERE.items()}},
        "rates tried": [
            {"pair": run["pair"], "seed": run["seed"], "way": row["way"]}
            | {"rate": row["rate"], "log loss": row["scores"]["log loss"]}
            for run in runs
            if run["part"] == "tuning" and "pair" in run
            for row in run["rows"]
        ],
        "rows": rows,
        "two_level": over_given(runs, "real" if _is_real() else "twin"),
    }
    write("source_target", result)


def over_given(runs: list[dict], data: str) -> list[dict]:
    """Intervals over seeds and test cases, where the test cases are given once; they need the labels of ``data``.

    Those of the other data stay as they are recorded.
    """
    kept = [row for row in read("source_target").get("two_level", []) if row["data"] != data]
    pairs = [pair for part, pair, _ in PLAN[data] if part == "ways" and pair != e.CELLS]
    found = [row for pair in pairs for row in given_cases(runs, pair, data)]
    return kept + found + (given_phantoms(runs) if data == "real" else [])


def given_cases(runs: list[dict], pair: str, data: str) -> list[dict]:
    """Intervals over seeds and test cases for each way on one pair, and for the differences that the lesson names."""
    planned = [cell for cell in cells(data) if cell["part"] == "ways" and cell["pair"] == pair]
    if not _complete(runs, planned):
        return []
    y = _labels(pair)
    names = [row["way"] for run in runs if run.get("pair") == pair and run["part"] == "ways" for row in run["rows"]]
    names = [way for way in e.WAYS if way in names]
    found = {way: answers(runs, planned, way) for way in names}
    named = [about[:3] for about in e.SECONDARY.values() if about[3:] == (pair, "real")] + MORE[pair]
    kept = {name: e.SCORES[name] for name in (SCORE, "AUROC")}
    about = {"part": "ways", "pair": pair, "data": data}
    rows = over_cases(y, found, [(way, None) for way in names], kept, **about)
    for ours, theirs, score in named:
        rows += over_cases(y, found, [(ours, theirs)], {score: e.SCORES[score]}, **about)
    return rows


def given_phantoms(runs: list[dict]) -> list[dict]:
    """The same for what learned on ten labels a class; ways are named like "fine-tuned, phantoms, none"."""
    planned = [cell for cell in cells("real") if cell["part"] == "phantoms"]
    if not _complete(runs, planned):
        return []
    known = {run["seed"]: run for run in runs if run["part"] == "phantoms"}
    found: dict[str, list] = {}
    for cell in planned:
        for row in known[cell["seed"]]["rows"]:
            found.setdefault(f"{row['way']}, {row['start']}, {row['repair']}", []).append(row["answers"])
    pairs = [(name, None) for name in found] + [e.WRITTEN_THERE, *e.SECONDARY_THERE.values(), *MORE_THERE]
    arrays = {name: np.array(kept) for name, kept in found.items()}
    about = {"part": "phantoms", "pair": e.WHITE, "data": "real"}
    scores = {name: e.SCORES[name] for name in (SCORE, "AUROC")}
    return over_cases(_labels(e.WHITE), arrays, pairs, scores, **about)


def _labels(pair: str) -> np.ndarray:
    """The classes of the test cases that all seeds share."""
    if pair == e.WHITE:
        return all_cells(mtl.cards()["white_cells"], "cellavision", 28)[0].y.numpy()
    return mtl.load("pneumonia", quiet=True).test.y.numpy()


def _complete(runs: list[dict], planned: list[dict]) -> bool:
    known = [{name: run.get(name) for name in planned[0]} for run in runs]
    return all(cell in known for cell in planned)


def _is_real() -> bool:
    """Whether the real X-rays and the real white cells are on this disk."""
    return {mtl.load(name, quiet=True).provenance for name in ("pneumonia", "white_cells")} == {"real"}


if __name__ == "__main__":
    main()
