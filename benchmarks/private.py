"""What privacy costs: DP-SGD from scratch and from public knowledge on splice sites, by ε, and on heart patients.

    MEDTL_DATA=/folder python benchmarks/private.py --stage tuning   # settings, seeds from 0 on
    MEDTL_DATA=/folder python benchmarks/private.py                  # the report, settings as committed

Resumable: each cell is a line of ``_run/private.jsonl``. ``MEDTL_DATA=twin`` adds the rows of the twins.

The real splice junctions without copies: 1,604 rows train, 1,000 test, 400 were looked at for the settings. One row is
one sequence; several may come from one gene or person, and the guarantee is not for these. δ = 1 / (10 n). With a
budget everything trains by ``dp_fit``: 30 steps with an expected batch of a
quarter of the rows, and the best of six settings (three rates × clip 1 or 0.1) by accuracy on the 400 rows at ε = 1,
seeds 0 and 1 (0 alone where all weights of the large network train; heart: 0 to 4), which are used at every ε. Without
a budget it is ``fit``: 20 epochs at the best of three rates. Of both networks from scratch, of random features, and of
heart patients without noise, the rates that were tried first lay at an edge, and the grid was moved once. **That
choice itself looked at patients, and is not in ε**: a hospital would have to pay for six looks, or to choose on public
(drawn) sequences.

The number of steps and the share of rows in a batch were not tuned. Three sources of knowledge look at no row of ours:
the network that was trained on drawn sites, the published frequencies that these were drawn from, and the rule of two
letters (GT after the junction, AG before it). We write ε = 0 beside them, as if the published counts had been made
without our rows; that is sure for the rule alone. (These three sentences, and what a row is, were put right later.)

Primary comparison
------------------
Written down before the seeds 200 to 209 were run, each of which draws initial weights, batches and noise. *At ε = 1 on
real splice junctions, is a private probe on public drawn features better than DP training from scratch?* Rows: "probe"
(a new head on the frozen network of drawn sites) and "linear model, from scratch" (on one-hot letters), the strongest
of the three ways from scratch on the tuning seeds. Score: accuracy on the 1,000 test rows. Margin: 0.1, over seeds and
test rows. We had planned on +0.2, with a network from scratch in mind. On the tuning seeds networks from scratch
stayed far below 0.8, but the linear model reached 0.88 and the probe 0.935: we expect +0.06, which is *within* the
margin.

Secondary comparisons at ε = 1, settled where the 99 % interval over seeds and test rows (five together, Bonferroni)
lies beyond the margin, or within it:

1. probe − zero-shot (the same network, no patient, ε = 0), margin 0.02: no direction.
2. probe − published table (no network, no patient), margin 0.02: below.
3. linear model, from scratch − two-letter rule (no patient), margin 0.02: no direction.
4. probe − small network, from scratch, margin 0.1: above.
5. all weights, fine-tuned − zero-shot, margin 0.02: no direction.

All else is described with its intervals: other budgets, the small group (donors cut to a tenth in training), and a
logistic regression on Cleveland's heart patients with columns on a scale that was known before (``KNOWN_SCALE``), where
women are the smaller group. The seeds split these patients anew: corrected t, n_test / n_train = 0.4 / 0.6.
"""

import argparse
from functools import cache

import numpy as np
import torch
from record import Log, fill, header, over_cases, rounded, tidy, total_seconds, write
from record import answers as logged
from sklearn.metrics import balanced_accuracy_score

import medtl_helpers as mtl
from medtl_helpers.lessons.private import experiment as private
from medtl_helpers.lessons.sequences import experiment as sequences
from medtl_helpers.methods.two_level import two_level

LOG = Log("private")
PRIMARY_ABOUT = {
    "lesson": "14_private_transfer",
    "comparison": "At ε = 1 a private probe on public drawn features beats DP training from scratch by more than 0.1",
    "ours": private.PRIVATE_PROBE,
    "theirs": private.LINEAR,
    "where": {"stage": "report", "kind": "splice", "data": "real", "epsilon": 1},
    "score": "accuracy",
    "margin": 0.1,
    "written": "f10c682",
    "opponent": private.TABLE_REGRESSION,
    "over": "cases",
}
SECONDARY = [  # ours, theirs, margin
    (private.PRIVATE_PROBE, private.ZERO_SHOT, 0.02),
    (private.PRIVATE_PROBE, private.TABLE, 0.02),
    (private.LINEAR, private.TWO_LETTERS, 0.02),
    (private.PRIVATE_PROBE, private.SMALL, 0.1),
    (private.EVERYTHING, private.ZERO_SHOT, 0.02),
]
LEVEL = 1 - 0.05 / len(SECONDARY)
REPORTED, OTHER_BUDGETS = range(200, 210), range(200, 205)  # at ε = 1 and on heart; at all others, and where slow
TUNING = {"splice": range(2), "heart": range(5)}
TRAINED = (*private.SCRATCH, *private.PUBLIC_START)
FREE = (private.ZERO_SHOT, private.TABLE, private.TWO_LETTERS, private.MAJORITY)
SLOW = (private.NETWORK, private.EVERYTHING)  # all 81,475 weights
RATES = {
    private.LINEAR: (0.01, 0.03, 0.1),
    private.SMALL: (0.01, 0.03, 0.1),
    private.NETWORK: (0.01, 0.03, 0.1),
    private.PRIVATE_PROBE: (0.01, 0.03, 0.1),
    private.DRAWN_HEAD: (0.003, 0.01, 0.03),
    private.RANDOM_FEATURES: (0.1, 0.3, 1.0),
    private.EVERYTHING: (0.0001, 0.0003, 0.001),
    private.TABLE_REGRESSION: (0.03, 0.1, 0.3),
    private.LOGISTIC: (0.01, 0.03, 0.1),
}
LENGTHS = ({"steps": 30, "clip": 1.0}, {"steps": 30, "clip": 0.1})


def settings(way: str, epsilon) -> list[dict]:
    """Six at ε = 1, of ``dp_fit``, and three of ``fit`` without privacy, which makes more steps of a lower rate."""
    if epsilon is None:
        lower = 1 if way == private.LOGISTIC else 10  # of 145 patients there are three batches in an epoch
        return [{"lr": rate / lower, "epochs": 20} for rate in RATES[way]]
    return [{"lr": rate, **length} for rate in RATES[way] for length in LENGTHS]


@cache
def splice():
    return mtl.load("splice", quiet=True)


@cache
def wards(seed: int):
    return private.wards(seed)


def patients(ward_part):
    """Columns on the known scale, labels, and sex (1: male) of one part of a hospital."""
    x, y = ward_part
    return private.known_scale(x), y, x[:, private.COLUMNS.index("sex")]


# --- one cell each ---------------------------------------------------------------------------------------------------


def tune_splice(seed: int, way: str, epsilon) -> list[dict]:
    rows = []
    for how in settings(way, epsilon):
        model = private.privately(way, tuple(splice().train), epsilon, seed, how)
        answer = mtl.predict(model, splice().val.x).argmax(1)
        rows.append({**how, "scores": rounded(private.class_scores(answer, splice().val.y, splice().classes))})
    return rows


def tune_heart(seed: int, way: str, epsilon) -> list[dict]:
    ward = wards(seed)["cleveland"]
    x, y, _ = patients(ward.train)
    new, new_y, _ = patients(ward.val)
    rows = []
    for how in settings(way, epsilon):
        model = private.privately(way, (x, y), epsilon, seed, how)
        scores = {"balanced accuracy": balanced_accuracy_score(new_y, logit_of(model, new) > 0)}
        rows.append({**how, "scores": rounded(scores)})
    return rows


def logit_of(model, x) -> np.ndarray:
    with torch.no_grad():
        logits = model(x).double()
    return (logits[:, 1] - logits[:, 0]).numpy()


def report_splice(seed: int, way: str, epsilon) -> list[dict]:
    """What one model of ``way`` says of the test rows; the classes that it answers are kept for the intervals."""
    if way in FREE:
        return report_free(way)
    return [answered(private.privately(way, tuple(splice().train), epsilon, seed))]


def report_small(seed: int, way: str, epsilon) -> list[dict]:
    return [answered(private.privately(way, private.small_group(splice().train), epsilon, seed))]


def answered(model) -> dict:
    return said(mtl.predict(model, splice().test.x).argmax(1))


def said(answer) -> dict:
    scores = rounded(private.class_scores(answer, splice().test.y, splice().classes))
    return {"scores": scores, "answers": np.asarray(answer).tolist()}


def report_free(way: str) -> list[dict]:
    """What is said without one patient; every seed says the same."""
    x = splice().test.x
    if way == private.ZERO_SHOT:
        return [answered(mtl.load_splice_cnn(quiet=True))]
    if way == private.TABLE:
        return [said(sequences.with_prior(sequences.table_scores(x)).argmax(1))]
    if way == private.TWO_LETTERS:
        return [said(sequences.two_letter_rule(x).argmax(1))]
    return [said(np.full(len(x), 2))]  # most positions of a genome are neither: known without these rows


def report_heart(seed: int, way: str, epsilon) -> list[dict]:
    """Cleveland's patients, split anew by each seed."""
    ward = wards(seed)["cleveland"]
    x, y, _ = patients(ward.train)
    model = private.privately(way, (x, y), epsilon, seed)
    new, new_y, sex = patients(ward.test)
    return [{"scores": rounded(private.heart_scores(logit_of(model, new), np.asarray(new_y), sex))}]


COMPUTE = {
    ("tuning", "splice"): tune_splice,
    ("tuning", "heart"): tune_heart,
    ("report", "splice"): report_splice,
    ("report", "small group"): report_small,
    ("report", "heart"): report_heart,
}


def cells(stage: str, data: str, ways=None, only=None) -> list[dict]:
    asked: list[tuple] = []  # kind, way, ε, seeds
    if stage == "tuning" and data == "real":
        for way in TRAINED:
            seeds = TUNING["splice"][:1] if way in SLOW else TUNING["splice"]
            asked += [("splice", way, epsilon, seeds) for epsilon in (1, None)]
        asked += [("heart", private.LOGISTIC, epsilon, TUNING["heart"]) for epsilon in (1, None)]
    elif stage == "report":
        fast, both = [way for way in TRAINED if way not in SLOW], (private.LINEAR, private.PRIVATE_PROBE)
        asked += [("splice", way, 0, REPORTED) for way in FREE]
        asked += [("splice", way, 1, REPORTED) for way in fast]
        asked += [("heart", private.LOGISTIC, epsilon, REPORTED) for epsilon in (*private.BUDGETS, None)]
        if data == "real":
            asked += [("splice", way, 1, OTHER_BUDGETS) for way in SLOW]
            asked += [("small group", way, epsilon, REPORTED) for way in both for epsilon in (1, 8, None)]
            asked += [("splice", way, epsilon, OTHER_BUDGETS) for way in fast for epsilon in (0.5, 3, 8, None)]
            asked += [("splice", way, None, OTHER_BUDGETS) for way in SLOW]
            asked += [("splice", private.EVERYTHING, 8, OTHER_BUDGETS)]
    return [
        {"stage": stage, "kind": kind, "data": data, "way": way, "epsilon": epsilon, "seed": seed}
        for kind, way, epsilon, row_seeds in asked
        for seed in row_seeds
        if (not ways or way in ways) and (not only or seed in only)
    ]


def compute(stage: str, kind: str, data: str, way: str, epsilon, seed: int) -> list[dict]:
    """The rows of one cell; the ``data`` are those that ``MEDTL_DATA`` names."""
    return COMPUTE[stage, kind](seed, way, epsilon)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stage", choices=["tuning", "report"], default="report")
    parser.add_argument("--only", nargs="*", choices=[*TRAINED, *FREE, private.LOGISTIC])
    parser.add_argument("--seeds", nargs="*", type=int, help="only these, e.g. one process for each half")
    args = parser.parse_args()
    torch.set_num_threads(1)
    fill(LOG, cells(args.stage, splice().provenance, args.only, args.seeds), compute)
    if args.stage == "report":
        summarise(LOG.runs())


def summarise(runs: list[dict]) -> None:
    """``results/private.json`` of all that is complete."""
    rows = []
    for stage, data in (("tuning", "real"), ("report", "real"), ("report", "twin")):
        asked = cells(stage, data)
        for here in grouped(asked).values():
            facts = {"seeds": [cell["seed"] for cell in here]}
            if here[0]["kind"] == "heart":
                facts["test share"] = private.SHARE_OF_TEST
            rows += [row | facts for row in tidy(runs, here)]
    result = header(seeds=list(REPORTED), seconds=total_seconds(runs)) | {
        "score": "accuracy",
        "data": "mixed",
        "primary": PRIMARY_ABOUT,
        "two_level": over_test_rows(runs),
        "settings": {"at ε = 1": private.NOISY, "without noise": private.NOISELESS, "δ": "1 / (10 n)"},
        "rows": rows,
    }
    write("private", result)


def grouped(asked: list[dict]) -> dict[tuple, list[dict]]:
    """(kind, way, ε) → its cells, one for each seed."""
    found: dict[tuple, list[dict]] = {}
    for cell in asked:
        found.setdefault((cell["kind"], cell["way"], cell["epsilon"]), []).append(cell)
    return found


def over_test_rows(runs: list[dict]) -> list[dict]:
    """Intervals over seeds and the 1,000 test rows: of every way and ε, and of the comparisons above."""
    data, y = splice().provenance, np.asarray(splice().test.y)
    score = {"accuracy": lambda y, answer: float((answer == y).mean())}
    donors = {"recall, EI": lambda y, answer: float((answer[y == 0] == 0).mean())}
    at_one, rows = {}, []
    for (kind, way, epsilon), here in grouped(cells("report", data)).items():
        if kind == "heart" or len(tidy(runs, here)) == 0:
            continue
        keys = {"stage": "report", "kind": kind, "data": data, "epsilon": epsilon}
        said_by = logged(runs, here, way)
        rows += over_cases(y, {way: said_by}, [(way, None)], score | (donors if kind == "small group" else {}), **keys)
        if kind == "splice" and epsilon in (0, 1):
            at_one[way] = said_by
    keys = {"stage": "report", "kind": "splice", "data": data, "epsilon": 1}
    ours, theirs = PRIMARY_ABOUT["ours"], PRIMARY_ABOUT["theirs"]
    if ours in at_one and theirs in at_one:
        rows += over_cases(y, at_one, [(ours, theirs)], score, **keys)
    for ours, theirs, margin in SECONDARY:
        if ours in at_one and theirs in at_one:
            n = min(len(at_one[ours]), len(at_one[theirs]))  # the seeds that both have
            interval = two_level(y, at_one[ours][:n], at_one[theirs][:n], score=score["accuracy"], level=LEVEL)
            limits = rounded({"value": interval.value, "low": interval.low, "high": interval.high})
            facts = {"n": len(y), "seeds": n, "level": LEVEL, "margin": margin}
            rows.append(keys | {"ours": ours, "theirs": theirs, "score": "accuracy"} | limits | facts)
    return rows


if __name__ == "__main__":
    main()
