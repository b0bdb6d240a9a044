"""What a number is worth: at a second site, for new patients, by cross-validation, in a group, with missing values.

    python benchmarks/trust.py --stage tuning   # settings of the ways that learn from few labels, seeds 0 to 2
    python benchmarks/trust.py                  # the report, seeds 200 to 209, settings as committed

Resumable: each cell is a line of ``_run/trust.jsonl``. A case is always a patient, whose images are averaged (the mean
logit), except in the kind ``split``, which asks what a split by image does to a score of images.

Primary comparison
------------------
Written down before the seeds 200 to 209 were run, each of which draws new patients at both sites, a new home model and
20 new labelled patients of the second site. *Does recalibration on 20 labels mend the probabilities there?* Rows:
"slope and intercept" (shrunk, λ = 0.001, on 20 labelled patients) and "untouched", the model that was recalibrated on
validation patients at home. Score: log loss over 700 new patients of the second site. Margin: 0.05. We expect the 95 %
t interval over seeds of slope and intercept − untouched to lie below −0.05.

Secondary comparisons, called settled where the interval lies beyond the margin and Holm's p-value, for all of these
together and against that margin, is below 0.05:

1. slope and intercept − "prior alone" (the share of the sick among the 20 labels), log loss, margin 0.02: below. The
   fair opponent: a model that cannot beat one share of 20 patients is not worth its scanner.
2. slope and intercept − "AdaBN" (unlabelled images of the second site, no label), log loss, margin 0.02: no direction.
3. "AdaBN, then slope and intercept" − slope and intercept, log loss, margin 0.02: below.
4. slope and intercept − "home, fine-tuned" (on the same 20 patients), log loss, margin 0.02: no direction.
5. AUROC of "untouched", away − at home, margin 0.05: no difference beyond the margin. (Not part of Holm's family: its
   interval has to lie within the margins.)
6. AUROC of the test images, estimate − truth on 1,000 new patients, split by image − split by patient, margin 0.02:
   above. Each split is judged against the truth of the network that *it* trained.
7. Calibration slope of "untouched", away − at home, margin 0.05: below.

Settings were chosen by the mean log loss of the seeds 0 to 2 on 100 *validation* patients of the second site, who are
neither of the 20 nor of the 700: rates and epochs of the two ways that train on the 20 patients, and λ. The strength of
the device (``data/cohorts.AWAY``) was set on the seeds 1 and 2, so that the ranking falls little.

All others (groups, cross-validation, missing values, hospitals, laboratories) are described with their intervals.
"""

import argparse
from dataclasses import replace

import numpy as np
import torch
from record import Log, fill, header, over_cases, rounded, tidy, total_seconds, write
from record import answers as logged
from scipy.stats import rankdata
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import medtl_helpers as mtl
from medtl_helpers.assets import card
from medtl_helpers.data.tables import COLUMNS
from medtl_helpers.data.white_cells import all_cells
from medtl_helpers.lessons.trust import experiment as trust
from medtl_helpers.methods.calibration import recalibrate_intercept, recalibrate_slope

LOG = Log("trust")
SEEDS = {"tuning": range(3), "report": range(200, 210)}
RATES = {"home, fine-tuned": (1e-5, 3e-5, 1e-4, 3e-4), "the few labels alone": (3e-4, 1e-3, 3e-3)}
LENGTHS = (5, 20, 60)  # epochs of both
SHRINKAGES = (0.001, 0.003, 0.01, 0.03, 0.1)
SPLIT_PATIENTS, SPLIT_EPOCHS = 300, 12
CV_PATIENTS, CV_DRAWS = 60, 4
SOLVER = "newton-cholesky"  # exact, and fast where features are few
PAIRS = [("cleveland", "va"), ("hungary", "va"), ("va", "cleveland")]
TARGETS = ("hungary", "switzerland", "va")
FRESH = 300_000  # first seed of the patients that only judge


# --- phantoms --------------------------------------------------------------------------------------------------------


def home(seed: int):
    """The home cohort, its network, and the line of its recalibration on validation patients."""
    task = mtl.draw_cohort(trust.PATIENTS, seed=seed)
    model = trust.trained(task, seed, val=task.val, **trust.HOME)
    val = trust.people(model, task, "val")
    return task, model, recalibrate_slope(val.logit, val.y, 0.01)


def away_of(seed: int):
    """A cohort of the second site, and the same with 20 patients in training."""
    task = mtl.draw_cohort(1000, site="away", seed=seed, val=0.1, test=0.7)
    return task, trust.some_patients(task, trust.LABELS, seed)


def moved(found: trust.People, line) -> trust.People:
    return found._replace(logit=line[0] + line[1] * found.logit)


def tune(kind: str, seed: int) -> list[dict]:
    """Log loss on the second site's validation patients of each setting."""
    _, model, line = home(seed)
    away, few = away_of(seed)
    away = replace(away, test=away.val, patients=away.patients | {"test": away.patients["val"]},
                   groups=away.groups | {"test": away.groups["val"]})  # fmt: skip
    rows = []
    for way, rates in RATES.items():
        for rate in rates:
            for length in LENGTHS:
                how = {"epochs": length, "lr": rate, "batch_size": 16}
                start = None if way == "the few labels alone" else trust.copy.deepcopy(model)
                found = trust.people(trust.trained(few, seed, model=start, **how), away)
                rows.append({"way": way, "rate": rate, "epochs": length, "scores": scored(found)})
    here, there = (moved(trust.people(model, few, "train"), line), moved(trust.people(model, away), line))
    for lam in SHRINKAGES:
        a, b = recalibrate_slope(here.logit, here.y, lam)
        rows.append({"way": "slope and intercept", "λ": lam, "scores": scored(moved(there, (a, b)))})
    intercept = recalibrate_intercept(here.logit, here.y)
    rows.append({"way": "intercept", "scores": scored(moved(there, (intercept, 1.0)))})
    rows.append({"way": "untouched", "scores": scored(there)})
    return [{"data": "twin", **row} for row in rows]


def scored(found: trust.People) -> dict[str, float]:
    return rounded(trust.judged(found.logit, found.y))


def sites(seed: int) -> list[dict]:
    """The home model at home and away, and its repairs; the hidden group at home."""
    _, model, line = home(seed)
    fresh = mtl.draw_cohort(1000, seed=FRESH + seed, val=0.1, test=0.7)
    at_home = moved(trust.people(model, fresh), line)
    rows = [{"data": "twin", "site": "home", "way": "untouched", "scores": scored(at_home)}]
    rows.append({"data": "twin", "site": "home", "way": "groups", "scores": rounded(trust.group_scores(at_home))})
    away, few = away_of(seed)
    y = trust.people(model, away).y
    for way, logit in trust.second_site(model, line, away, few, seed).items():
        rows.append({"data": "twin", "site": "away", "way": way, "scores": rounded(trust.judged(logit, y))})
    return rows


def split(seed: int) -> list[dict]:
    """What a split says of its own network, by AUROC of images, and the truth of that network on new patients."""
    task = mtl.draw_cohort(SPLIT_PATIENTS, seed=seed)
    fresh = mtl.draw_cohort(1000, seed=FRESH + seed, val=0.005, test=0.99)
    rows = []
    for way, dealt in (("by patient", task), ("by image", mtl.split_by_image(task, seed=seed))):
        how = trust.HOME | {"epochs": SPLIT_EPOCHS}
        model = trust.trained(dealt, seed, val=dealt.val, **how)
        estimate, truth = (trust.auroc_of_images(model, part.test) for part in (dealt, fresh))
        scores = rounded({"estimate": estimate, "truth": truth, "optimism": estimate - truth})
        rows.append({"data": "twin", "way": way, "scores": scores})
    return rows


def features(model, task, part: str):
    """float N×64, the mean features of each patient's images, and the labels."""
    with torch.inference_mode():
        found = model.features(mtl.to_float(getattr(task, part).x)).numpy()
    _, first, who = np.unique(task.patients[part], return_index=True, return_inverse=True)
    mean = np.stack([np.bincount(who, column) / np.bincount(who) for column in found.T], 1)
    return mean, np.asarray(getattr(task, part).y)[first]


def cross_validation(seed: int) -> list[dict]:
    """Bias and spread of five ways to tell the AUROC of a small model on 60 patients, against the truth on new ones.

    The features are those of a network without training, so that a choice among settings is noisy, as it is in life.
    Each draw has new patients. The truth is that of the model that the way would hand over: trained on all 60.
    """
    mtl.seed_everything(seed)
    model = mtl.CourseCNN(1, 2, norm="batch").eval()
    pool = mtl.draw_cohort(1500, seed=FRESH + seed, images=2, val=0.01, test=0.5)
    (x, y), (new, new_y) = (features(model, pool, part) for part in ("train", "test"))
    alive = (x > 0).mean(0) > 0.5  # without training, some are 0 for nearly everybody
    x, new = x[:, alive], new[:, alive]
    order = np.random.default_rng(seed).permutation(len(y))
    errors: dict[str, list[float]] = {}
    for k in range(CV_DRAWS):
        at = order[k * CV_PATIENTS : (k + 1) * CV_PATIENTS]
        for way, (estimate, model_of) in told(x[at], y[at], seed + k).items():
            truth = roc_auc_score(new_y, model_of.predict_proba(new)[:, 1])
            errors.setdefault(way, []).append(estimate - truth)
    return [
        {"data": "twin", "way": way, "scores": rounded({"bias": np.mean(found), "spread": np.std(found, ddof=1)})}
        for way, found in errors.items()
    ]


def told(x, y, seed: int) -> dict:
    """Way → the AUROC that it tells, and the model on all cases that it would hand over."""
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    inner = StratifiedKFold(5, shuffle=True, random_state=seed + 1)
    plain = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, solver=SOLVER))
    steps = make_pipeline(StandardScaler(), PCA(), LogisticRegression(solver=SOLVER))
    grid = {"pca__n_components": [2, 5, 10, 15], "logisticregression__C": [0.001, 0.01, 0.1, 1.0]}
    searched = GridSearchCV(steps, grid, scoring="roc_auc", cv=inner).fit(x, y)
    here, there, y_here, y_there = train_test_split(x, y, test_size=0.3, stratify=y, random_state=seed)
    held_out = roc_auc_score(y_there, plain.fit(here, y_here).predict_proba(there)[:, 1])
    chosen = SelectKBest(f_classif, k=5)
    after = cross_val_score(plain, chosen.fit_transform(x, y), y, cv=folds, scoring="roc_auc").mean()
    return {
        "hold-out": (held_out, plain.fit(x, y)),
        "cross-validation": (cross_val_score(plain, x, y, cv=folds, scoring="roc_auc").mean(), plain.fit(x, y)),
        "best of 16 settings, its own cross-validation": (searched.best_score_, searched),
        "best of 16 settings, nested": (cross_val_score(searched, x, y, cv=folds, scoring="roc_auc").mean(), searched),
        "features chosen before": (after, make_pipeline(chosen, clone(plain)).fit(x, y)),
    }


# --- real data, or their twins ---------------------------------------------------------------------------------------


def hospital(site: str):
    task = mtl.load("heart", site=site, quiet=True)
    x, y = task.all_rows
    return x[COLUMNS], np.asarray(y), task.provenance


def half(y):
    """Rows of the patients that may be labelled, and of those that judge; the same for every seed."""
    return train_test_split(np.arange(len(y)), test_size=0.5, stratify=y, random_state=0)


def missing(seed: int, source: str, target: str) -> list[dict]:
    """Where a value is missing: on the patients of ``target``, by a model of drawn patients of ``source``."""
    (x, y, data), (new, new_y, _) = hospital(source), hospital(target)
    at = np.random.default_rng(seed).integers(len(y), size=len(y))  # the seeds vary the training patients
    x, y = x.iloc[at], y[at]
    prior = np.log(y.mean() / (1 - y.mean()))
    last = [StandardScaler(), LogisticRegression(max_iter=2000)]
    whole, answered = x.notna().all(axis=1), new.notna().all(axis=1).to_numpy()
    found = {"prior alone": np.full(len(new), prior), "complete case": np.full(len(new), prior)}
    found["complete case"][answered] = make_pipeline(*last).fit(x[whole], y[whole]).decision_function(new[answered])
    imputers = {
        "median": SimpleImputer(strategy="median", keep_empty_features=True),
        "median and indicator": SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
    }
    for way, imputer in imputers.items():
        found[way] = make_pipeline(imputer, *last).fit(x, y).decision_function(new)
    return rows_of_tables(data, found, new_y, {"complete case": {"answered": answered.mean()}})


def external(seed: int, target: str) -> list[dict]:
    """A logistic regression of Cleveland at another hospital: untouched, and recalibrated on 20 patients there."""
    (x, y, data), (new, new_y, _) = hospital("cleveland"), hospital(target)
    pool, test = half(new_y)
    rng = np.random.default_rng(seed)
    at = rng.integers(len(y), size=len(y))
    model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(max_iter=2000))
    logit = model.fit(x.iloc[at], y[at]).decision_function(new)
    while len(set(new_y[few := rng.choice(pool, trust.LABELS, replace=False)])) < 2:
        pass
    share = (new_y[few].sum() + 0.5) / (trust.LABELS + 1)
    a, b = recalibrate_slope(logit[few], new_y[few], trust.SHRINKAGE)
    found = {
        "untouched": logit[test],
        "intercept": logit[test] + recalibrate_intercept(logit[few], new_y[few]),
        "slope and intercept": a + b * logit[test],
        "prior alone": np.full(len(test), np.log(share / (1 - share))),
    }
    return rows_of_tables(data, found, new_y[test], {})


def rows_of_tables(data: str, found: dict, y, more: dict) -> list[dict]:
    return [
        {
            "data": data,
            "way": way,
            "scores": rounded(trust.judged(logit, y) | more.get(way, {})),
            "answers": logit.round(4).tolist(),
        }
        for way, logit in found.items()
    ]


def laboratories(seed: int) -> list[dict]:
    """A small network of the first laboratory's white cells: on test cells of its own, and on all of the second."""
    source = mtl.white_cell_domains(seed)[0]
    cells = all_cells(card("white_cells"), "cellavision", 28)[0]
    mtl.seed_everything(seed)
    model = nn.Sequential(mtl.CourseCNN(3, 0, norm="batch"), nn.Linear(64, len(source.classes)))
    mtl.fit(model, source.train, val=source.val, epochs=30, batch_size=32, lr=3e-3, seed=seed, progress=False)
    rows = []
    for place, part in (("home", source.test), ("away", cells)):
        p, y = np.asarray(mtl.predict(model, part.x), float), np.asarray(part.y)
        scores = {
            "balanced accuracy": balanced_accuracy_score(y, p.argmax(1)),
            "log loss": -np.log(p[np.arange(len(y)), y].clip(1e-7)).mean(),
            "confidence − accuracy": p.max(1).mean() - (p.argmax(1) == y).mean(),
        }
        row = {"data": source.provenance, "site": place, "way": "untouched", "scores": rounded(scores)}
        rows.append(row | ({"answers": p.round(4).tolist()} if place == "away" else {}))
    return rows


# --- the stages ------------------------------------------------------------------------------------------------------

KINDS = {"sites": sites, "split": split, "cross-validation": cross_validation, "laboratories": laboratories}
TABLES = {
    "missing values": (missing, [{"source": a, "target": b} for a, b in PAIRS]),
    "hospitals": (external, [{"target": b} for b in TARGETS]),
}


def cells(stage: str, kinds=(*KINDS, *TABLES), seeds=None) -> list[dict]:
    asked = [seed for seed in SEEDS[stage] if not seeds or seed in seeds]
    if stage == "tuning":
        return [{"stage": stage, "kind": "sites", "seed": seed} for seed in asked]
    where = {kind: TABLES[kind][1] if kind in TABLES else [{}] for kind in kinds}
    return [
        {"stage": stage, "kind": kind, **keys, "seed": seed} for kind in kinds for keys in where[kind] for seed in asked
    ]


def compute(stage: str, kind: str, seed: int, **keys) -> list[dict]:
    """The rows of one cell."""
    if stage == "tuning":
        return tune(kind, seed)
    return TABLES[kind][0](seed, **keys) if kind in TABLES else KINDS[kind](seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stage", choices=list(SEEDS), default="report")
    parser.add_argument("--only", nargs="*", default=[*KINDS, *TABLES], choices=[*KINDS, *TABLES])
    parser.add_argument("--seeds", nargs="*", type=int, help="only these, e.g. one process for each half")
    args = parser.parse_args()
    torch.set_num_threads(1)
    fill(LOG, cells(args.stage, args.only, args.seeds), compute)
    summarise(LOG.runs())


PRIMARY_ABOUT = {
    "lesson": "06_can_i_trust_this_number",
    "comparison": "At the second site, recalibration on 20 labels lowers the log loss by more than 0.05",
    "ours": "slope and intercept",
    "theirs": "untouched",
    "where": {"kind": "sites", "site": "away"},
    "score": "log loss",
    "margin": 0.05,
    "written": "7c27bcf",
    "opponent": "AdaBN, then intercept",
    "over": "seeds",
}


def summarise(runs: list[dict]) -> None:
    """``results/trust.json`` of all that is complete."""
    rows = []
    for stage in SEEDS:
        rows += [row | {"seeds": list(SEEDS[stage])} for row in tidy(runs, cells(stage))]
    result = header(seeds=list(SEEDS["report"]), seconds=total_seconds(runs)) | {
        "score": "log loss",
        "data": "mixed",
        "primary": PRIMARY_ABOUT,
        "two_level": over_patients(runs),
        "settings": {"labels": trust.LABELS, "home": trust.HOME, "few": trust.FEW, "λ": trust.SHRINKAGE},
        "rows": rows,
    }
    write("trust", result)


def auroc(y, z) -> float:
    """By ranks (Mann and Whitney), many times faster than scikit-learn's, which it equals."""
    sick = y.sum()
    return float((rankdata(z)[y == 1].sum() - sick * (sick + 1) / 2) / (sick * (len(y) - sick)))


def over_patients(runs: list[dict]) -> list[dict]:
    """Intervals over seeds and test cases of the real data, which are given once."""
    scores = {
        "log loss": lambda y, z: np.logaddexp(0, (1 - 2 * y) * z).mean(),
        "auroc": auroc,
    }
    rows = []
    for kind, base in (("missing values", "median"), ("hospitals", "untouched")):
        for keys in TABLES[kind][1]:
            asked = cells("report", [kind])
            asked = [cell for cell in asked if all(cell[key] == value for key, value in keys.items())]
            here = [run for run in runs if run["kind"] == kind and all(run[k] == v for k, v in keys.items())]
            if len(here) < len(asked):
                continue
            y = hospital(keys["target"])[1]
            y = y[half(y)[1]] if kind == "hospitals" else y
            ways = [row["way"] for row in here[0]["rows"]]
            found = {way: logged(runs, asked, way) for way in ways}
            pairs = [(way, None) for way in ways] + [(way, base) for way in ways if way != base]
            rows += over_cases(y, found, pairs, scores, kind=kind, **keys)
    asked = cells("report", ["laboratories"])
    if len([run for run in runs if run["kind"] == "laboratories"]) == len(asked):
        y = np.asarray(all_cells(card("white_cells"), "cellavision", 28)[0].y)
        said = logged(
            [one | {"rows": one["rows"][1:]} for one in runs if one["kind"] == "laboratories"], asked, "untouched"
        )
        score = {"balanced accuracy": lambda y, p: np.mean([(p[y == k].argmax(1) == k).mean() for k in np.unique(y)])}
        rows += over_cases(y, {"untouched": said}, [("untouched", None)], score, kind="laboratories", site="away")
    return rows


if __name__ == "__main__":
    main()
