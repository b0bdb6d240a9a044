"""Which source? Eight transferability scores on published MedMNIST tables, beside rules that look at no image.

    MEDTL_DATA=/folder/with/transferability python benchmarks/transfer_tables.py

Nothing is trained here. The tables (``medtl_helpers/data/transfer_tables.py``, card ``transferability``) hold the test
AUROC of a ResNet-18 fine-tuned on 11 targets from 14 sources each, of nine architectures on the same targets, and what
the scores had said beforehand. Each AUROC is one number that was published without its spread. How much of a difference
between two sources is noise cannot be told from the tables. (Of the architectures the authors' README at 29cd31b says
that two readings of the same runs agree in their ranking with a tau of 0.71, in the median.) The best of 14 noisy
numbers is too high, so that every regret is a little too large; of their differences that part cancels.

The ways
--------
Eight scores, each of which takes the candidate it rates highest; "FU and LP", the mean of two ranks, because the
authors of the tables propose the two parts together (how they join them is not in the tables: this mean is ours);
"static ranking": the candidate of the best mean AUROC rank on targets of *other groups*; "always ImageNet" (of
architectures "always ResNet"); "random source", the mean over all candidates. Where a way rates several candidates
equally high, the mean over these counts. Scores of a source for itself are left out, as the AUROC is.

Score: *regret*, the AUROC of the best candidate of a target minus that of the one taken. Secondary: Kendall's tau
between what a way says and the AUROC, weighted as the authors do (``scipy.stats.weightedtau``: exchanges near the top
count more); where all ratings of a target are equal it is 0. ImageNet and chance rank nothing and have no tau.

What varies are the targets. OrganA, OrganC and OrganS are views of the same CT scans, so they are one group, whose
values are the mean over the three: 9 groups of targets. Intervals are Student's t over these groups, paired where two
ways are compared. Nine skewed values are few for Student's t; the record also says in how many groups a way was better.

The comparison
--------------
Written down before it was computed (the lesson's primary comparison is another one, in ``auto_transfer.py``). *Does any
score take a better source than a static ranking, or than always ImageNet?* Regret of each of the eight scores and of
"FU and LP" minus that of the two rules, on all sources: 18 differences. Margin: 0.01 of AUROC. Settled is what lies
beyond the margin with its 95 % interval, and with Holm's p-value for all 18 against the margin below 0.05. We expect
that no score is settled better than either rule. From a trial we knew two mean taus, 0.23 for LogME and 0.45 for the
static ranking, and no regret.

Secondary, each family with Holm's correction of its own:

1. Regret of each score minus that of a random source, margin 0.01 (9 differences). No direction expected.
2. Tau of each score minus that of the static ranking, margin 0.1 (9 differences). Expected: none above +0.1.
3. All of this again without kin: for an organ the other two organ sets are no sources, nor is "medmnist", which was
   trained on both of them.
4. All of this again for architectures (7 scores; no LP).
5. A static ranking that leaves out the target alone and so knows the other two organs: only shown.

Added when these had been computed, so that they are observations and no tests: the two taus that we knew are means over
the 11 targets of Kendall's tau *without* weights, which is now recorded, too; "single sets", the 12 sets of MedMNIST
as the only sources, because most ways owe their tau to the three large ones; and a static ranking in which the organs
count once and not three times, because without kin the static ranking turned from ImageNet to "medmnist", which then
has no organ among its targets. A difference is also called "level" where its 95 % interval lies within the margin; no
correction is made for that.
"""

import time

import numpy as np
import pandas as pd
from record import header, rounded, write
from scipy.stats import kendalltau, weightedtau

from medtl_helpers.data.transfer_tables import ORGANS, SCORES, transfer_tables
from medtl_helpers.methods.intervals import Interval, holm, paired_difference, t_interval, t_test

MARGIN = {"regret": 0.01, "tau": 0.1}
KIND = "t over groups of targets"
USUAL = {"source": ("always ImageNet", "imagenet"), "architecture": ("always ResNet", "resnet")}
STATIC, RANDOM, BOTH = "static ranking", "random source", "FU and LP"
SETTINGS = [  # of what, and which candidates
    ("source", "all"),
    ("source", "without kin"),
    ("source", "single sets"),
    ("architecture", "all"),
]
KNOWN = ("other groups", "other targets", "other groups, each once")  # what the static ranking knows, the first in all


# --- the ways --------------------------------------------------------------------------------------------------------


def candidates(of: str, which: str) -> pd.DataFrame:
    """The rows of the tables that have an AUROC and scores; "without kin" an organ has no source that knows another."""
    frame = transfer_tables(of).rename(columns={of: "candidate"})
    frame = frame[(frame["target"] != "chest") & frame["auroc"].notna()]
    if which == "without kin":
        kin = frame["candidate"].isin([*ORGANS, "medmnist"])
        frame = frame[~((frame["group"] == "organ") & kin)]
    if which == "single sets":
        frame = frame[~frame["candidate"].isin(["imagenet", "radimagenet", "medmnist"])]
    return frame.reset_index(drop=True)


def ratings(frame: pd.DataFrame, of: str) -> pd.DataFrame:
    """What each way says of each row of ``frame``, higher for better: one column a way."""
    said = frame[[score for score in SCORES if frame[score].notna().all()]].copy()
    if "LP" in said:
        said[BOTH] = sum(said[part].groupby(frame["target"]).rank() for part in ("FU", "LP"))
    said[STATIC] = static_ranking(frame, KNOWN[0])
    name, usual = USUAL[of]
    if usual in set(frame["candidate"]):
        said[name] = (frame["candidate"] == usual).astype(float)
    said[RANDOM] = 0.0
    return said


def static_ranking(frame: pd.DataFrame, knows: str) -> pd.Series:
    """The mean rank (a share: 1 is the best) of each row's candidate on the targets that it ``knows``."""
    rank = frame.assign(rank=frame["auroc"].groupby(frame["target"]).rank(pct=True)).pivot(
        index="target", columns="candidate", values="rank"
    )
    group = frame.drop_duplicates("target").set_index("target")["group"][rank.index]
    said = {}
    for target in rank.index:
        known = rank[rank.index != target] if knows == "other targets" else rank[group != group[target]]
        ranks = (known.groupby(group).mean() if knows.endswith("each once") else known).mean()
        said[target] = ranks.round(9)  # equal means are equal, in whatever order they were added up
    return pd.Series([said[target][name] for target, name in zip(frame["target"], frame["candidate"], strict=True)])


# --- what comes of them ----------------------------------------------------------------------------------------------


def regret(auroc: np.ndarray, said: np.ndarray) -> float:
    """What taking the candidate of the highest rating costs; of several such ones the mean."""
    return float(auroc.max() - auroc[said == said.max()].mean())


def tau(auroc: np.ndarray, said: np.ndarray, how=weightedtau) -> float:
    """Kendall's tau, weighted as the authors do; 0 where all ratings are equal."""
    return 0.0 if (said == said[0]).all() else float(how(said, auroc).statistic)


def plain_tau(auroc: np.ndarray, said: np.ndarray) -> float:
    return tau(auroc, said, kendalltau)


HOW = {"regret": regret, "tau": tau, "tau without weights": plain_tau}


def by_target(frame: pd.DataFrame, said: pd.Series, score) -> pd.Series:
    return pd.Series({t: score(rows["auroc"].to_numpy(), said[rows.index].to_numpy()) for t, rows in targets_of(frame)})


def targets_of(frame: pd.DataFrame):
    return frame.groupby("target", sort=True)


def by_group(values: pd.Series) -> pd.Series:
    """One value for each group of targets: the organ sets' is their mean."""
    return values.groupby(["organ" if target in ORGANS else target for target in values.index]).mean()


def taken(frame: pd.DataFrame, said: pd.Series) -> list[str]:
    """The candidate that is taken on each target, or how many share the highest rating."""
    names = []
    for _, rows in targets_of(frame):
        best = rows["candidate"][said[rows.index] == said[rows.index].max()]
        names.append(best.iloc[0] if len(best) == 1 else f"{len(best)} alike")
    return names


def values_of(frame: pd.DataFrame, said: pd.Series) -> dict[str, pd.Series]:
    """Regret and both taus, target by target; a way that only ever names one candidate, or none, has no tau."""
    ranks = said.groupby(frame["target"]).nunique().max() > 2
    return {score: by_target(frame, said, how) for score, how in HOW.items() if ranks or score == "regret"}


def row(frame: pd.DataFrame, way: str, said: pd.Series) -> dict:
    """A row of the record: a list of one value for each group, the intervals over these, and the targets one by one."""
    found = values_of(frame, said)
    groups = {score: by_group(values) for score, values in found.items()}
    return {
        "way": way,
        "scores": {score: [round(value, 4) for value in values] for score, values in groups.items()},
        "intervals": {score: limits(t_interval(values, kind=KIND)) for score, values in groups.items()},
        "mean over targets": rounded({score: values.mean() for score, values in found.items()}),
        "by target": {score: [round(value, 4) for value in values] for score, values in found.items()},
        "taken": taken(frame, said),
    }


def limits(interval: Interval) -> dict[str, float]:
    return rounded({"value": interval.value, "low": interval.low, "high": interval.high})


def compare(values: dict[str, dict[str, pd.Series]], ways: list[str], rules: list[str], score: str) -> list[dict]:
    """One family: each of ``ways`` minus each of ``rules``, with Holm's p-value against the margin."""
    margin, less_is_better = MARGIN[score], score == "regret"
    pairs = [(ours, theirs) for theirs in rules for ours in ways]
    gaps = [values[ours][score] - values[theirs][score] for ours, theirs in pairs]
    p = [
        1.0 if abs(gap.mean()) <= margin else t_test(gap.to_numpy(), float(np.copysign(margin, gap.mean())))
        for gap in gaps
    ]
    rows = []
    for (ours, theirs), gap, one, adjusted in zip(pairs, gaps, p, holm(p), strict=True):
        interval = paired_difference(values[ours][score], values[theirs][score], kind=f"{KIND}, paired")
        good = (gap.mean() < 0) == less_is_better
        verdict = "level" if -margin < interval.low and interval.high < margin else "undecided"
        if adjusted < 0.05:  # then the interval lies beyond the margin, too
            verdict = "better" if good else "worse"
        rows.append(
            {"ours": ours, "theirs": theirs, "score": score}
            | limits(interval)
            | {"p": round(one, 4), "holm": round(adjusted, 4)}
            | {"better in": int((gap < 0 if less_is_better else gap > 0).sum())}
            | {"worse in": int((gap > 0 if less_is_better else gap < 0).sum())}
            | {"verdict": verdict}
        )
    return rows


def report(of: str, which: str) -> tuple[list[dict], list[dict]]:
    """The rows and the comparisons of one of ``SETTINGS``."""
    frame = candidates(of, which)
    said = ratings(frame, of)
    keys = {"of": of, "candidates": which}
    rows = [keys | {"static knows": KNOWN[0]} | row(frame, way, said[way]) for way in said]
    rows += [keys | {"static knows": more} | row(frame, STATIC, static_ranking(frame, more)) for more in KNOWN[1:]]
    values = {way: {k: by_group(v) for k, v in values_of(frame, said[way]).items()} for way in said}
    ways, rules = [way for way in said if way in (*SCORES, BOTH)], [STATIC, USUAL[of][0]]
    families = {
        "rules": compare(values, ways, [rule for rule in rules if rule in said], "regret"),
        "chance": compare(values, ways, [RANDOM], "regret"),
        "tau": compare(values, ways, [STATIC], "tau"),
    }
    return rows, [keys | {"family": family} | one for family, found in families.items() for one in found]


def itself_first(frame: pd.DataFrame) -> dict[str, list[int]]:
    """Of each score that rates a target as its own source: how often it rates it highest, and of how many targets."""
    counts = {}
    for score in SCORES:
        rated = [rows for _, rows in targets_of(frame[frame["target"] != "chest"]) if rows[score].notna().all()]
        first = [rows.loc[rows[score].idxmax(), "source"] == rows["target"].iloc[0] for rows in rated]
        if rated:
            counts[score] = [int(sum(first)), len(rated)]
    return counts


def record() -> dict:
    """All that is recorded, without the header."""
    reports = [report(*setting) for setting in SETTINGS]
    frame = candidates("source", "all")
    return {
        "score": "regret",
        "data": "real",
        "values": "one for each group of targets",
        "targets": sorted(frame["target"].unique()),
        "groups": sorted(frame["group"].unique()),
        "margin": MARGIN,
        "itself first": itself_first(transfer_tables()),
        "rows": [row for rows, _ in reports for row in rows],
        "compared": [one for _, found in reports for one in found],
    }


def main() -> None:
    start = time.perf_counter()
    found = record()
    write("transfer_tables", header(found["groups"], time.perf_counter() - start) | found)  # no seeds: groups are drawn


if __name__ == "__main__":
    main()
