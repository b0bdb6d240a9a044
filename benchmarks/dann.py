"""DANN against its neighbours: other scanners, waves, label shift, white cells of two laboratories, hospitals.

    python benchmarks/dann.py --stage rates     # the learning rate of each way, seeds 0 to 2
    python benchmarks/dann.py                   # the report, seeds 200 to 209, settings as committed
    python benchmarks/dann.py --stage tuning    # λ_max and normalisation (done once, seeds 0 to 4, two shifts)

Resumable: each cell is a line of ``_run/dann.jsonl``. No cell sees a target label but those of the row "oracle"
(the epoch chosen on the target's labelled validation images), of the hospitals' "logistic regression, target labels",
and those of the stage ``tuning``, which chose λ_max and batch norm by the target's accuracy: the defaults of
``DANN.fit``, which therefore suit waves on the background and scanner D. Scanners B and C, label shift, the white
cells and the hospitals chose nothing.

Primary comparison
------------------
Written down before the seeds 200 to 209 were run, of which each has training and test images of its own. *Does the
adversarial term add anything to what batch norm does with images of the target?* Rows: AdaBN (source-only training,
then the target's statistics of batch norm) and DANN with its default λ_max. Score: accuracy on the target's test
images, averaged over scanners B and C at strength 0.5. Margin: 0.02. We expect the 95 % t interval over seeds of
AdaBN − DANN to lie above +0.02: AdaBN, which trains nothing, is better. An interval below −0.02 would say that DANN is
better, and any other one that it is undecided. (With untuned rates, the seeds 100 to 109 pointed to AdaBN.)

Secondary comparisons, some on fewer of these seeds (``FEWER``), called settled where the interval lies beyond
0.02 and Holm's p-value, for all of these together and against that margin, is below 0.05:

1. DANN − λ = 0, scanners B and C: the adversary's own share is positive.
2. "DANN, then AdaBN" − AdaBN, scanners B and C: no direction expected.
3. DANN − AdaBN under waves of strength 0.6, which suit DANN and took part in its tuning: positive.
4. DANN − source only in balanced accuracy, waves and label shift together (two of eight types are 80 % of the target,
   other two for each seed): negative.
5. "DANN, source re-sampled" − DANN in balanced accuracy, there: positive. (The source's training images are drawn anew
   with the weights of BBSE, ``label_shift.py``.)
6. Hospitals, balanced accuracy averaged over all six pairs: DANN − "source only, z-scored", no direction expected.

Real white cells of two laboratories are told with their intervals over seeds and test cells, and nothing is called
settled there: 97 cells are few. (Seeds 200 to 202; each cell of the second laboratory is in the test of one of three
folds, and the other two thirds hold the images to adapt with.)

Failures that were predicted earlier, before the seeds 100 to 109 were run: under pure label shift DANN ends below
source only, and under waves and label shift it keeps at most half of its gain over source only with waves alone.

Learning rates: 0.0003, 0.001 or 0.003, for source only, λ = 0 and DANN each the one of the lowest mean log loss on the
*source's* validation data in the stage ``rates`` (seeds 0 to 2; scanner D; of the hospitals one pair for each source).
All networks of a kind train for the same number of steps.
"""

import argparse
import copy
from dataclasses import replace

import numpy as np
import torch
from record import Log, fill, header, over_cases, rounded, tidy, total_seconds, write
from record import answers as logged
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from torch import nn

import medtl_helpers as mtl
from medtl_helpers.assets import card
from medtl_helpers.data import domains
from medtl_helpers.data.white_cells import all_cells, split_by_class
from medtl_helpers.lessons.dann.experiment import class_gap, mmd
from medtl_helpers.methods import adabn, dann, transferability
from medtl_helpers.methods.label_shift import label_shift_weights, reweighted
from medtl_helpers.methods.matching import match_pixels
from medtl_helpers.methods.oracle import oracle
from medtl_helpers.methods.scores import accuracy

LOG = Log("dann")
RATES = (3e-4, 1e-3, 3e-3)
EPOCHS = {"smear": 15, "white": 50}  # white cells: 300 steps of 32 cells
STEPS = 1500  # of a hospital, large or small
BATCH = {"white": 32}  # the second laboratory has 49 cells to adapt with
RATE = {
    "smear": {"source only": 3e-3, "λ = 0": 3e-3, "DANN": 3e-3},
    "hospitals": {"source only": 3e-4, "DANN": 3e-4},
    "white": {"source only": 3e-3, "λ = 0": 3e-3, "DANN": 3e-3},
}
PRIMARY = [("scanner B", 0.5), ("scanner C", 0.5)]
LABELS = [("waves and label shift", 0.8), ("label shift", 0.8)]
OTHER = [("texture", 0.6)]
PAIRS = [(a, b) for a in domains.HOSPITALS for b in domains.HOSPITALS if a != b]
TUNING = [("texture", 0.6), ("scanner D", 0.5)]
SETTINGS = [("batch", 0.1), ("batch", 0.3), ("batch", 1.0), ("group", 0.3)]  # normalisation, λ_max
SEEDS = {"tuning": range(5), "rates": range(3), "report": range(200, 210)}
FEWER = {LABELS[0]: 5, LABELS[1]: 3, OTHER[0]: 5, "hospitals": 6, "white": 3}  # side rows: the first seeds alone


# --- networks --------------------------------------------------------------------------------------------------------


def network(kind: str, data, norm: str = "batch"):
    """A new feature extractor for ``data``, its width, and the number of classes."""
    classes = len(data.classes)
    if kind == "hospitals":  # no batch norm: no AdaBN, and λ = 0 is source only
        layers = [nn.Linear(data.train.x.shape[1], 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU()]
        return nn.Sequential(*layers), 32, classes
    return mtl.CourseCNN(3, 0, norm=norm), 64, classes


def epochs(kind: str, train) -> int:
    """Passes over the training cases."""
    return EPOCHS.get(kind) or round(STEPS / -(-len(train.y) // 64))


def source_only(kind: str, data, seed: int, rate: float | None = None):
    """The network that DANN has, trained on the labelled training part of ``data`` alone, by the same schedule."""
    mtl.seed_everything(seed)
    features, width, classes = network(kind, data)
    model = nn.Sequential(features, nn.Linear(width, classes))
    how = {"epochs": epochs(kind, data.train), "lr": rate or RATE[kind]["source only"], "seed": seed}
    how |= {"batch_size": BATCH.get(kind, 64)}
    mtl.fit(model, data.train, schedule=dann.rate_schedule, progress=False, **how)
    return model


ALONE: dict[int, nn.Module] = {}


def smear_alone(source, seed: int):
    """Source only on smears, trained once: a seed's source is the same under every shift."""
    if seed not in ALONE:
        ALONE[seed] = source_only("smear", source, seed)
    return ALONE[seed]


def adversarial(kind: str, source, target, seed: int, *, rate=None, lam_max=None, norm="batch", **how):
    """DANN with its defaults, or another λ_max, and its history."""
    mtl.seed_everything(seed)
    model = dann.DANN(*network(kind, source, norm))
    settings = {} if lam_max is None else {"lam_max": lam_max}
    settings["lr"] = rate or RATE[kind]["λ = 0" if lam_max == 0 else "DANN"]
    settings |= {"epochs": epochs(kind, source.train), "batch_size": BATCH.get(kind, 64)}
    settings |= {"seed": seed, "progress": False} | how
    history = model.fit(source.train.x, source.train.y, target.train.x, **settings)
    return model, history


def adapted(model, target):
    """A copy of ``model`` with the target's statistics of batch norm."""
    return adabn.adapt_batch_norm(copy.deepcopy(model), target.train.x)


def features_of(model, x):
    """Features N×D of images, in eval mode."""
    features = model.features if isinstance(model, dann.DANN) else model[0]
    with torch.inference_mode():
        return features.eval()(mtl.to_float(x))


def pair(kind: str, shift, seed: int):
    """(source, target); of label shift each seed has two frequent types of its own."""
    if kind == "hospitals":
        return domains.hospital_domains(*shift, seed)
    if kind == "white":
        return domains.white_cell_domains(seed)
    if "label shift" in shift[0]:
        balance = np.full(8, (1 - shift[1]) / 6)
        balance[frequent_types(seed)] = shift[1] / 2
        strength = 0.6 if "waves" in shift[0] else 0.0
        return domains.smear_domains("texture", seed, strength=strength, target_balance=balance)
    return domains.smear_domains(shift[0], seed, strength=shift[1])


def frequent_types(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).choice(8, 2, replace=False)


# --- scores ----------------------------------------------------------------------------------------------------------


def answers(model, x) -> np.ndarray:
    return np.asarray(mtl.predict(model, x), float)


def judged(probability: np.ndarray, y) -> dict[str, float]:
    """Accuracy, balanced accuracy, AUROC (mean over classes, one against the rest) and log loss (nats)."""
    y, said = np.asarray(y), probability.argmax(1)
    classes = range(probability.shape[1])
    return {
        "accuracy": (said == y).mean(),
        "balanced accuracy": balanced_accuracy_score(y, said),
        "auroc": np.mean([roc_auc_score(y == k, probability[:, k]) for k in classes]),
        "log loss": -np.log(np.clip(probability[np.arange(len(y)), y], 1e-7, 1)).mean(),
    }


def distances(source, target, model, adapted) -> dict[str, float]:
    """How far the domains' test images lie apart; the target's are read by the ``adapted`` network."""
    here, there = (features_of(net, part.test.x) for net, part in ((model, source), (adapted, target)))
    return {
        "gap": class_gap(here, there, source.test.y, target.test.y),
        "proxy A-distance": transferability.proxy_a_distance(here, there),
        "MMD": mmd(here, there),
    }


class Rows(list):
    """The rows of one cell."""

    def __init__(self, source, target):
        self.source, self.target = source, target

    def note(self, way: str, probability, **more) -> None:
        scores = rounded(judged(probability, self.target.test.y) | more)
        self.append({"data": self.target.provenance, "way": way, "scores": scores})

    def model(self, way: str, model, *, source: bool = True, **more) -> None:
        """A network's answers to the target's test images, and how often it is right on the source."""
        if source:
            more |= {"accuracy on source": accuracy(model, self.source.test)}
        self.note(way, answers(model, self.target.test.x), **more)


# --- the stages ------------------------------------------------------------------------------------------------------


def tune(kind: str, shift, seed: int) -> list[dict]:
    """Target test accuracy of each λ_max and normalisation, at the default rate."""
    source, target = pair(kind, shift, seed)
    rows = []
    for norm, lam in SETTINGS:
        model, _ = adversarial(kind, source, target, seed, rate=1e-3, lam_max=lam, norm=norm)
        scores = rounded({"accuracy": accuracy(model, target.test)})
        rows.append({"data": target.provenance, "way": f"{norm} norm, λ {lam:g}", "scores": scores})
    return rows


def rates(kind: str, shift, seed: int) -> list[dict]:
    """Log loss and accuracy on the source's validation data, of each way at each rate."""
    source, target = pair(kind, shift, seed)
    rows = []
    for rate in RATES:
        trained = {
            way: adversarial(kind, source, target, seed, rate=rate, lam_max=0.0 if way == "λ = 0" else None)[0]
            for way in RATE[kind]
            if way != "source only"
        }
        trained["source only"] = source_only(kind, source, seed, rate)
        for way, model in trained.items():
            found = judged(answers(model, source.val.x), source.val.y)
            scores = {f"{name} on source validation": found[name] for name in ("accuracy", "log loss")}
            rows.append({"data": source.provenance, "way": way, "rate": rate, "scores": rounded(scores)})
    return rows


def report(kind: str, shift, seed: int) -> list[dict]:
    if kind in ("hospitals", "white"):
        return hospitals(shift, seed) if kind == "hospitals" else white_cells(seed)
    source, target = pair(kind, shift, seed)
    alone, rows = (
        smear_alone(source, seed),
        Rows(source, target),
    )
    label_shift = shift in LABELS
    detail = recalls if label_shift else (lambda *_: {})
    matched = nn.Sequential(match_pixels(source.train.x, target.train.x, covariance=True), alone).eval()
    rows.model("colours matched", matched, source=False)
    trained = {"source only": alone, "AdaBN": adapted(alone, target)}
    if shift != LABELS[1]:
        trained["λ = 0"], _ = adversarial(kind, source, target, seed, lam_max=0.0)
    trained["DANN"], history = adversarial(kind, source, target, seed, val=source.val, keep_states=shift in PRIMARY)
    for way, net in trained.items():
        far = distances(source, target, alone if way == "AdaBN" else net, net) if shift in PRIMARY else {}
        rows.model(way, net, **far, **detail(net, target))
    if label_shift:
        mended(rows, trained, shift, seed)
        return rows
    plain, model = trained["λ = 0"], trained["DANN"]
    rows.model("λ = 0, then AdaBN", adapted(plain, target))
    rows.model("DANN, then AdaBN", adapted(model, target))
    rows.note("majority", np.full((len(target.test.y), len(source.classes)), 1 / len(source.classes)))
    if shift in PRIMARY:
        best = max(range(len(history.val_accuracy)), key=history.val_accuracy.__getitem__)
        model.load_state_dict(history.states[best])
        rows.model("DANN, epoch by source validation", model)
        oracle(model, history, target.val.x, target.val.y)
        rows.model("DANN, oracle epoch", model)
    return rows


def recalls(model, target, probability=None) -> dict[str, float]:
    """Recall of the two frequent types and of the six rare ones, and of the type that is found least."""
    y = np.asarray(target.test.y)
    said = (answers(model, target.test.x) if probability is None else probability).argmax(1)
    recall = np.array([(said[y == k] == k).mean() for k in range(8)])
    often = np.argsort(np.bincount(np.asarray(target.train.y), minlength=8))[-2:]
    rare = np.setdiff1d(range(8), often)
    return {
        "recall, frequent": recall[often].mean(),
        "recall, rare": recall[rare].mean(),
        "recall, least": recall.min(),
    }


def mended(rows: Rows, trained: dict, shift, seed: int) -> None:
    """BBSE: corrected answers of each network, and a DANN whose source is drawn anew by the weights."""
    source, target = rows.source, rows.target
    truth = np.bincount(np.asarray(target.test.y), minlength=8) / len(target.test.y)
    here = np.bincount(np.asarray(source.val.y), minlength=8) / len(source.val.y)
    for way, net in trained.items():
        judge = trained["source only"] if way == "AdaBN" else net  # AdaBN reads the source with the source's statistics
        weights = label_shift_weights(answers(judge, source.val.x), source.val.y, answers(net, target.train.x))
        mended = reweighted(answers(net, target.test.x), weights)
        error = np.abs(weights * here - truth).sum() / 2
        rows.note(f"{way}, corrected", mended, **recalls(net, target, mended), **{"error of the frequencies": error})
        if way == "source only":
            chosen = weights[np.asarray(source.train.y)]
    if shift == LABELS[1]:
        return
    order = np.random.default_rng(seed).choice(len(chosen), len(chosen), p=chosen / chosen.sum())
    drawn = replace(source, train=mtl.Split(source.train.x[order], source.train.y[order]))
    model, _ = adversarial("smear", drawn, target, seed)
    rows.model("DANN, source re-sampled", model, **recalls(model, target))


def hospitals(shift, seed: int) -> list[dict]:
    """Each way on one split of two hospitals; "z-scored": the target by its own mean and deviation, without labels."""
    source, target = pair("hospitals", shift, seed)
    rows = Rows(source, target)
    mean, deviation = target.train.x.mean(0), target.train.x.std(0).clamp_min(1e-6)
    scored = (target.test.x - mean) / deviation
    prior = np.bincount(np.asarray(source.train.y), minlength=2) / len(source.train.y)
    rows.note("majority", np.tile(prior, (len(target.test.y), 1)))
    linear = LogisticRegression(max_iter=1000).fit(source.train.x, source.train.y)
    ceiling = LogisticRegression(max_iter=1000).fit(target.train.x, target.train.y)
    alone, (model, _) = source_only("hospitals", source, seed), adversarial("hospitals", source, target, seed)
    rows.note("logistic regression", linear.predict_proba(target.test.x))
    rows.note("logistic regression, z-scored", linear.predict_proba(scored))
    rows.model("source only", alone)
    rows.note("source only, z-scored", answers(alone, scored))
    rows.model("DANN", model)
    rows.note("logistic regression, target labels", ceiling.predict_proba(target.test.x))
    return rows


def white_cells(seed: int) -> list[dict]:
    """Laboratory 1 to laboratory 2: three folds test each cell of the second once; all answers in the cells' order."""
    cells = all_cells(card("white_cells"), "cellavision", 28)[0]
    found: dict[str, np.ndarray] = {}
    on_source = {}
    for fold in range(3):
        source, target = domains.white_cell_domains(seed, fold=fold)
        if fold == 0:
            alone = source_only("white", source, seed)
        plain, _ = adversarial("white", source, target, seed, lam_max=0.0)
        model, _ = adversarial("white", source, target, seed)
        matched = nn.Sequential(match_pixels(source.train.x, target.train.x, covariance=True), alone).eval()
        nets = {
            "source only": alone,
            "colours matched": matched,
            "AdaBN": adapted(alone, target),
            "λ = 0": plain,
            "DANN": model,
        }
        nets |= {"λ = 0, then AdaBN": adapted(plain, target), "DANN, then AdaBN": adapted(model, target)}
        at = split_by_class(cells.y, seed, fold)[2]
        for way, net in nets.items():
            found.setdefault(way, np.zeros((len(cells.y), len(source.classes))))[at] = answers(net, target.test.x)
            if way != "colours matched":
                said = answers(net, source.test.x).argmax(1)
                on_source.setdefault(way, []).append(balanced_accuracy_score(source.test.y, said))
    prior = np.bincount(np.asarray(source.train.y)) / len(source.train.y)
    found["majority"] = np.tile(prior, (len(cells.y), 1))
    rows = []
    for way, probability in found.items():
        scores = judged(probability, cells.y)
        if way in on_source:
            scores["balanced accuracy on source"] = np.mean(on_source[way])
        row = {"data": source.provenance, "way": way, "scores": rounded(scores)}
        rows.append(row | {"answers": probability.round(4).tolist()})
    return rows


STAGES = {"tuning": tune, "rates": rates, "report": report}
KEYS = {"smear": ("shift", "strength"), "hospitals": ("source", "target"), "white": ()}
SHIFTS = {
    ("tuning", "smear"): TUNING,
    ("rates", "smear"): TUNING[1:],
    ("rates", "hospitals"): [("cleveland", "hungary"), ("hungary", "va"), ("va", "cleveland")],
    ("rates", "white"): [()],
    ("report", "smear"): PRIMARY + LABELS[:1] + OTHER + LABELS[1:],
    ("report", "hospitals"): PAIRS,
    ("report", "white"): [()],
}


def cells(stage: str, kinds=tuple(KEYS), seeds=None) -> list[dict]:
    """All cells of a stage, or those of some kinds and some seeds."""
    return [
        {"stage": stage, "kind": kind, **dict(zip(KEYS[kind], shift, strict=True)), "seed": seed}
        for kind in kinds
        for shift in SHIFTS.get((stage, kind), ())
        for seed in (SEEDS[stage][: FEWER.get(shift, FEWER.get(kind))] if stage == "report" else SEEDS[stage])
        if not seeds or seed in seeds
    ]


def compute(stage: str, kind: str, seed: int, **shift) -> list[dict]:
    """The rows of one cell: ``shift`` are the ``KEYS`` of its kind with their values."""
    return STAGES[stage](kind, tuple(shift.values()), seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stage", choices=list(STAGES), default="report")
    parser.add_argument("--only", nargs="*", default=list(KEYS), choices=list(KEYS))
    parser.add_argument("--seeds", nargs="*", type=int, help="only these, e.g. one process for each half")
    args = parser.parse_args()
    torch.set_num_threads(1)
    fill(LOG, cells(args.stage, args.only, args.seeds), compute)
    summarise(LOG.runs())


PRIMARY_ABOUT = {
    "lesson": "05_dann",
    "comparison": "Under scanners B and C, AdaBN is more accurate on the target than DANN by more than two points",
    "ours": "AdaBN",
    "theirs": "DANN",
    "where": {"kind": "smear", "shift": "scanners B and C", "strength": 0.5},
    "score": "accuracy",
    "margin": 0.02,
    "written": "ae8407d",
    "opponent": "DANN, then AdaBN",
    "over": "seeds",
}
TEST_SHARE = {"hospitals": 0.25 / 0.6}  # n_test / n_train of splits that overlap


def summarise(runs: list[dict]) -> None:
    """``results/dann.json`` of all shifts that are complete; each row says its seeds, since the stages have others."""
    rows = []
    for stage in STAGES:
        for kind in KEYS:
            for shift in SHIFTS.get((stage, kind), ()):
                asked = [cell for cell in cells(stage, [kind]) if tuple(cell[key] for key in KEYS[kind]) == shift]
                facts = {"seeds": [cell["seed"] for cell in asked]}
                if kind in TEST_SHARE:
                    facts["test share"] = round(TEST_SHARE[kind], 4)
                rows += [row | facts for row in tidy(runs, asked)]
    rows += mean_of(
        [row for row in rows if row["stage"] == "report" and row.get("shift") in ("scanner B", "scanner C")]
    )
    result = header(seeds=list(SEEDS["report"]), seconds=total_seconds(runs)) | {
        "score": "accuracy",
        "primary": PRIMARY_ABOUT,
        "two_level": over_white_cells(runs),
        "epochs": EPOCHS,
        "steps of a hospital": STEPS,
        "rates": RATE,
        "rows": rows,
    }
    write("dann", result)


def over_white_cells(runs: list[dict]) -> list[dict]:
    """Intervals over seeds and test cells, of each way alone and of three differences."""
    asked = cells("report", ["white"])
    if len([run for run in runs if run["kind"] == "white" and run["stage"] == "report"]) < len(asked):
        return []
    y = np.asarray(all_cells(card("white_cells"), "cellavision", 28)[0].y)
    ways = [row["way"] for run in runs if run["kind"] == "white" for row in run["rows"] if "answers" in row]
    found = {way: logged(runs, asked, way) for way in dict.fromkeys(ways)}
    pairs = [(way, None) for way in found] + [("DANN", "AdaBN"), ("DANN", "λ = 0"), ("DANN, then AdaBN", "AdaBN")]
    pairs += [("AdaBN", "source only"), ("DANN", "source only")]
    score = {"balanced accuracy": lambda y, p: np.mean([(p[y == k].argmax(1) == k).mean() for k in range(4)])}
    return over_cases(y, found, pairs, score, kind="white", stage="report")


def mean_of(rows: list[dict]) -> list[dict]:
    """For each way the mean of scanners B and C at one strength, seed by seed."""
    found = []
    here = [row for row in rows if row["strength"] == 0.5]
    for row in here:
        other = [two for two in here if two["way"] == row["way"] and two["shift"] == "scanner C"]
        if row["shift"] == "scanner B" and other:
            both = {
                name: [round((a + b) / 2, 5) for a, b in zip(values, other[0]["scores"][name], strict=True)]
                for name, values in row["scores"].items()
            }
            found.append(row | {"shift": "scanners B and C", "scores": both})
    return found


if __name__ == "__main__":
    main()
