"""VGG16 on the whole of BreastMNIST and PneumoniaMNIST at 64 px: probe, top block and cheaper opponents.

    MEDTL_DATA=/folder/with/medmnist python benchmarks/vgg16_medmnist.py --tune     # breast, seeds 0 and 1: three rates
    MEDTL_DATA=/folder/with/medmnist python benchmarks/vgg16_medmnist.py            # the reported seeds
    MEDTL_VGG16=/path/to/weights.h5 …        # other weights than ImageNet's, labelled "stand-in"

Resumable: each cell is a line of ``_run/vgg16_medmnist.jsonl``, with the probabilities of all test images.

Primary comparison
------------------
Lesson 03. On BreastMNIST, in AUROC on the test images of which no copy stands in train or validation and no other copy
in test (``data/duplicates.py``: equal bytes, or pixels of the native 28 px that correlate above 0.99), VGG16 whose top
block was trained after its head ("top block") minus VGG16 whose head alone was trained ("probe"). Margin 0.02,
direction: above it. Seeds 200 to 202, none of which was looked at; the interval holds seeds and test images
(``two_level``). Both ways have the same budget: three learning rates, by mean AUROC on those validation images that do
not stand in train, on seeds 0 and 1 (the top block, which takes longer, on seed 0 alone). Each of the two got a fourth
rate, since of the probe's first three the lowest was the best, and of the top block's the highest (that one was tried
after the seeds of BreastMNIST had run, and nothing changed). The strongest opponent besides is expected to be a small
network trained from scratch on the 28 px images: on the tuning seeds it ranked the validation images better than VGG16
did.

Secondary: the same on the native test set (MedMNIST's own protocol), without what correlates above 0.97, and on
PneumoniaMNIST with the rates of BreastMNIST in every row; the opponents, at a level that is corrected for their number;
and balanced accuracy at the threshold that validation chose minus that at one half. Added after the results were seen,
to understand them: the same on the duplicates alone. Added when BreastMNIST was known, and before any seed of
PneumoniaMNIST ran: the small network once more for four times as many epochs, with three rates on the seeds 0 and 1 of
BreastMNIST as the others (the best was the highest). On PneumoniaMNIST the top block (about six minutes of one core for
each seed) and this patient small network came last: they were added, with the rates of BreastMNIST, when the other rows
of PneumoniaMNIST were known and before any seed of these two ran. The comparisons there are those of the top block, as
on BreastMNIST. The features of PneumoniaMNIST were computed beforehand in fifteen minutes, which are in no row's
seconds.

Training and validation are the native ones in every row, so that a network has one test result with copies and one
without. The epoch, and the threshold, are chosen on validation; nothing is chosen on test. The images are 28 px
enlarged to 64 px, where the published table of MedMNIST+ (Doerrich et al., Scientific Reports 2025) uses native 64 px.
Fine-tuning all 13 convolutions takes twenty times as long as the top block, so it could not get the same budget. The
older rows (``earlier`` in the header: seeds 0 to 2, rates that were set and not tuned, the native test set alone, with
"full" among them) stand apart, because no row of another protocol is comparable with these.
"""

import argparse
from functools import cache, partial
from itertools import product

import numpy as np
import torch
from record import Log, answers, fill, header, over_cases, read, rounded, tidy, total_seconds, write
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, log_loss, roc_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import medtl_helpers as mtl
from medtl_helpers.data.duplicates import find_duplicates
from medtl_helpers.methods.cache import after_prefix, one_copy_each
from medtl_helpers.methods.two_level import two_level

LOG, TUNING = Log("vgg16_medmnist"), Log("vgg16_medmnist_tuning")
SEEDS = {"breast": [200, 201, 202], "pneumonia": [200, 201, 202]}
SMALL, LONGER = "small network, from scratch", "small network, from scratch, 4 × as long"
TUNING_SEEDS = {"probe": (0, 1), "top block": (0,), SMALL: (0, 1), LONGER: (0, 1)}
EPOCHS = {
    "probe": {"breast": 60, "pneumonia": 20},
    "top block": {"breast": 12, "pneumonia": 4},
    SMALL: {"breast": 60, "pneumonia": 10},
    LONGER: {"breast": 240, "pneumonia": 40},
}
RATES = {  # tried on validation, on the tuning seeds
    "probe": (3e-4, 1e-3, 3e-3, 1e-2),  # the best of the last three was the lowest, so it got a fourth
    "top block": (3e-5, 1e-4, 3e-4, 1e-3),  # the best of the first three was the highest, so it got a fourth, too
    SMALL: (3e-4, 1e-3, 3e-3),
    LONGER: (3e-4, 1e-3, 3e-3),
}
CHOSEN = {"probe": 1e-3, "top block": 3e-4, SMALL: 1e-3, LONGER: 3e-3}
WEIGHT_DECAY = {"probe": 0.1, "top block": 1e-2, SMALL: 1e-2, LONGER: 1e-2}
REGRESSIONS = {"logistic regression": "last block", "logistic regression, all stages": "all stages"}
C = (1e-4, 1e-3, 1e-2)  # of these the best on validation
WAYS, OURS = [*EPOCHS, *REGRESSIONS], "top block"
COPIES = 2  # of each training image for the top block: as it is, and augmented once
TESTS = {"native": None, "without duplicates": 0.99, "without duplicates (0.97)": 0.97}
MARGIN = 0.02


def augment(task):
    """Moves by up to a sixteenth of the side; X-rays are not mirrored (the heart is on the left)."""
    return partial(mtl.augment, shift=task.train.x.shape[-1] // 16, flip=task.name != "pneumonia")


@cache
def real(name: str, size: int = 64):
    """The task with images of ``size`` px. Exits where the data set is not on this disk."""
    task = mtl.load(name, size=size)
    if task.provenance != "real":
        raise SystemExit(f"{name} is not on this disk, and a twin is nothing to compare with a published table.")
    return task


@cache
def duplicates(name: str):
    return find_duplicates(real(name, 28))


@cache
def kept(name: str, split: str, threshold: float | None) -> np.ndarray:
    """Which images of a split are left when those are taken out that stand earlier in it, or in an earlier split."""
    rows = np.ones(len(getattr(real(name), split).y), bool)
    if threshold is not None:
        rows[duplicates(name).repeated(split, threshold=threshold)] = False
    return rows


@cache
def block4(name: str) -> dict:
    """What blocks 1 to 4 make of the images: train N×COPIES×512×h×w, val and test N×512×h×w, and the ``weights``.

    Computed once and kept in ``_run``.
    """
    path = LOG.path.with_name(f"vgg16_block4_{name}.pt")
    if path.is_file():
        return torch.load(path)
    task = real(name)
    model = mtl.freeze(mtl.load_backbone("vgg16", 2, quiet=True), upto="block4")
    copy = augment(task)(task.train.x, torch.Generator().manual_seed(0))
    features = {split: mtl.prefix_features(model, getattr(task, split).x) for split in ("train", "val", "test")}
    features["train"] = torch.stack([features["train"], mtl.prefix_features(model, copy)], 1)
    path.parent.mkdir(exist_ok=True)
    torch.save(features, path)
    return features


def probabilities(task: str, way: str, seed: int, lr: float) -> tuple[np.ndarray, np.ndarray]:
    """Train once; the probability of the disease of all validation and of all test images."""
    if way in REGRESSIONS:
        return by_regression(task, REGRESSIONS[way])
    images = real(task, 28 if way in (SMALL, LONGER) else 64)
    mtl.seed_everything(seed)
    counts = images.train.y.bincount().float()
    options = {
        "seed": seed,
        "progress": False,
        "class_weight": counts.sum() / (2 * counts),
        "epochs": EPOCHS[way][task],
    }
    if way in (SMALL, LONGER):
        model = mtl.CourseCNN(1, 2, norm="batch")
        mtl.fit(
            model, images.train, images.val, lr=lr, weight_decay=WEIGHT_DECAY[way], augment=augment(images), **options
        )
        return tuple(mtl.predict(model, x)[:, images.positive].numpy() for x in (images.val.x, images.test.x))
    features = block4(task)
    rest = after_prefix(mtl.freeze(mtl.load_backbone("vgg16", 2, quiet=True), upto="block4"))
    as_it_is, val = (features["train"][:, 0], images.train.y), (features["val"], images.val.y)
    probe = {"lr": lr if way == "probe" else CHOSEN["probe"], "weight_decay": WEIGHT_DECAY["probe"]}
    mtl.probe(rest, as_it_is, val, **probe, **options | {"epochs": EPOCHS["probe"][task]})
    if way == "top block":
        mtl.unfreeze(rest)
        optimizer = torch.optim.AdamW(mtl.parameter_groups(rest, lr), weight_decay=WEIGHT_DECAY[way])
        train = (features["train"], images.train.y)
        mtl.fit(rest, train, val, optimizer=optimizer, augment=one_copy_each, **options)
    return tuple(mtl.predict(rest, features[split])[:, images.positive].numpy() for split in ("val", "test"))


@cache
def by_regression(task: str, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Logistic regression on features of the frozen network, with the C of the best validation AUROC: no seed."""
    images, splits = real(task), ("train", "val", "test")
    model = mtl.load_backbone("vgg16", 2, quiet=True)
    if what == "all stages":
        x = [mtl.stage_features(model, getattr(images, split).x).numpy() for split in splits]
    else:
        features = block4(task)
        rest = mtl.freeze(after_prefix(mtl.freeze(model, upto="block4")))
        inputs = [features["train"][:, 0], features["val"], features["test"]]
        x = [mtl.prefix_features(rest, part).numpy() for part in inputs]
    y = [(getattr(images, split).y == images.positive).numpy() for split in splits]
    fits = [make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=3000)).fit(x[0], y[0]) for c in C]
    good = kept(task, "val", 0.99)
    best = max(fits, key=lambda fit: auroc(y[1][good], fit.decision_function(x[1][good])))
    return tuple(best.predict_proba(part)[:, 1] for part in x[1:])


def auroc(y, score) -> float:
    """Area under the ROC curve of ``score`` N for the bool N ``y``, by ranks: quick enough for a bootstrap."""
    y = np.asarray(y, bool)
    n = y.sum()
    return float((rankdata(score)[y].sum() - n * (n + 1) / 2) / (n * (len(y) - n)))


def truth(task: str, split: str) -> np.ndarray:
    return (getattr(real(task), split).y == real(task).positive).numpy()


def tune(task: str, way: str, lr: float, seed: int) -> list[dict]:
    """AUROC on the validation images that do not stand in train."""
    rows = kept(task, "val", 0.99)
    score = auroc(truth(task, "val")[rows], probabilities(task, way, seed, lr)[0][rows])
    return [{"scores": {"val auroc": round(score, 4)}}]


def compute(task: str, way: str, seed: int) -> list[dict]:
    """One row for each way to take duplicates out of the test set; the first also has all probabilities."""
    val, test = probabilities(task, way, seed, CHOSEN.get(way, 0.0))
    false_alarms, hits, thresholds = roc_curve(truth(task, "val"), val)
    chosen = float(np.clip(thresholds[np.argmax(hits - false_alarms)], 0, 1))
    rows = []
    for name, threshold in TESTS.items():
        there = kept(task, "test", threshold)
        scores = score(truth(task, "test")[there], test[there], chosen) | {"val auroc": auroc(truth(task, "val"), val)}
        said = test[there].astype(float).round(5).tolist()
        rows.append({"test": name, "scores": rounded(scores | {"threshold": chosen}), "answers": said})
    return rows


def score(y, probability, chosen: float) -> dict:
    """AUROC, log loss, and (balanced) accuracy at one half and at the threshold that validation chose."""
    scores = {"auroc": auroc(y, probability), "log loss": log_loss(y, probability.astype(float))}
    for name, threshold in (("", 0.5), (" at the chosen threshold", chosen)):
        scores[f"accuracy{name}"] = ((probability >= threshold) == y).mean()
        scores[f"balanced accuracy{name}"] = balanced_accuracy_score(y, probability >= threshold)
    return scores


def balanced(y, answer) -> float:
    """Balanced accuracy of the answers 0 and 1."""
    y, answer = np.asarray(y, bool), np.asarray(answer) > 0.5
    return float((answer[y].mean() + (~answer[~y]).mean()) / 2)


def with_test_images(runs: list[dict]) -> list[dict]:
    """The comparisons over seeds and test images, of the tasks that are complete."""
    found, known = [], {(run["task"], run["way"], run["seed"]) for run in runs}
    for task, test in product(SEEDS, TESTS):
        mine = [cell for cell in cells() if cell["task"] == task]
        if any((task, cell["way"], cell["seed"]) not in known for cell in mine):
            continue
        of_test = [run | {"rows": [row for row in run["rows"] if row["test"] == test]} for run in runs]
        said = {way: answers(of_test, mine, way) for way in WAYS}
        y = truth(task, "test")[kept(task, "test", TESTS[test])]
        pairs = [(way, None) for way in said] + [(OURS, way) for way in said if way != OURS]
        found += over_cases(y, said, pairs, {"auroc": auroc}, task=task, test=test)
        if test == "without duplicates":
            found += against_opponents(y, said, task=task, test=test)
        if (task, test) == ("breast", "native"):
            again = ~kept(task, "test", 0.99)
            only = {way: one[:, again] for way, one in said.items()}
            found += over_cases(y[again], only, pairs, {"auroc": auroc}, task=task, test="duplicates alone")
        for way in (OURS, "probe"):
            cut = {run["seed"]: run["rows"][0]["scores"]["threshold"] for run in of_test if is_of(run, task, way)}
            cuts = np.array([[cut[seed]] for seed in SEEDS[task]])
            called = {f"{way}, threshold from validation": said[way] >= cuts, f"{way}, one half": said[way] >= 0.5}
            found += over_cases(y, called, [tuple(called)], {"balanced accuracy": balanced}, task=task, test=test)
    return found


def against_opponents(y, said: dict, **keys) -> list[dict]:
    """The top block minus each opponent of VGG16, at the level 1 − 0.05/n for n of them: stricter than Holm's steps."""
    rows, opponents = [], [way for way in said if way not in (OURS, "probe")]
    for way in opponents:
        level = 1 - 0.05 / len(opponents)
        interval = two_level(y, said[OURS], said[way], score=auroc, level=level, resamples=2000)
        limits = rounded({"value": interval.value, "low": interval.low, "high": interval.high})
        row = keys | {"ours": OURS, "theirs": way, "score": "auroc, corrected"} | limits
        rows.append(row | {"n": len(y), "seeds": len(said[way]), "level": round(level, 4)})
    return rows


def is_of(run: dict, task: str, way: str) -> bool:
    return (run["task"], run["way"]) == (task, way)


def cells() -> list[dict]:
    return [{"task": task, "way": way, "seed": seed} for task in SEEDS for way in WAYS for seed in SEEDS[task]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--data", nargs="*", default=list(SEEDS))
    args = parser.parse_args()
    trials = [
        {"task": "breast", "way": way, "lr": lr, "seed": seed}
        for way, rates in RATES.items()
        for lr in rates
        for seed in TUNING_SEEDS[way]
    ]
    if args.tune:
        fill(TUNING, trials, tune)
        for row in tidy(TUNING.runs(), trials):
            print(row["way"], row["lr"], row["scores"]["val auroc"], np.mean(row["scores"]["val auroc"]).round(4))
        return
    fill(LOG, [cell for cell in cells() if cell["task"] in args.data], compute)
    runs, model = LOG.runs(), mtl.load_backbone("vgg16", 2, quiet=True)
    rows = [row | {"seeds": SEEDS[row["task"]]} for row in tidy(runs, cells(), seconds=True)]
    before = read("vgg16_medmnist")
    earlier = {"seeds": before["seeds"], "commit": before["commit"], "test": "native", "rows": before["rows"]}
    result = header(seeds=SEEDS["breast"], seconds=total_seconds(runs) + total_seconds(TUNING.runs())) | {
        "score": "auroc",
        "data": "real",
        "weights": model.weights.provenance,
        "images": "28 px enlarged to 64 px",
        "primary": {
            "lesson": "03_vgg16_keras_recipe",
            "comparison": "On BreastMNIST without duplicates, VGG16 whose top block was trained minus VGG16 whose head "
            "alone was trained, in AUROC.",
            "ours": "top block",
            "theirs": "probe",
            "where": {"task": "breast", "test": "without duplicates"},
            "score": "auroc",
            "margin": MARGIN,
            "over": "cases",
            "written": WRITTEN,
            "opponent": "logistic regression, all stages",
        },
        "epochs": EPOCHS,
        "settings": {"rates": CHOSEN, "weight decay": WEIGHT_DECAY, "copies for the top block": COPIES},
        "duplicates": {name: str(duplicates(name)) for name in SEEDS},
        "tuning": {
            "seeds": TUNING_SEEDS,
            "rates tried": RATES,
            "rows": tidy(TUNING.runs(), trials),
        },
        "earlier": before.get("earlier", earlier),
        "two_level": with_test_images(runs),
        "rows": rows,
    }
    write("vgg16_medmnist", result)


WRITTEN = "c5fe77b"  # the last change of it before the reported seeds; first a11e6a9

if __name__ == "__main__":
    main()
