"""What the two benchmarks of the automatic search share: its setting, its scores, and the intervals of its AUROCs."""

import numpy as np
from record import rounded
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from medtl_helpers.methods import trials
from medtl_helpers.methods.costs import count_costs, training_seconds
from medtl_helpers.methods.metrics import weighted_auroc
from medtl_helpers.methods.plan import make_plan
from medtl_helpers.methods.ways import SCRATCH, Way, as_sources, small_network, ways_for


def setting(task, seed: int, *, sources, minutes: float, defaults: bool = False):
    """All ways for a task, the plan of the search, trials, and the nominal seconds of each way on the last rung."""
    classes = len(task.classes)
    networks = as_sources(sources) | {SCRATCH: small_network(task.train.x.shape[1])}
    costs, _ = count_costs(networks, task.train.x.shape[1:], classes)
    ways = ways_for({name: list(cost.multiply_adds) for name, cost in costs.items() if name != SCRATCH})
    sizes = {"n": len(task.train.y), "n_val": len(task.val.y), "classes": classes}
    plan = make_plan(ways, costs, minutes=minutes, defaults=defaults, **sizes)
    runs = trials.Trials(task.train, task.val, classes, networks, costs, seed=seed, brake=trials.Brake(float("inf")))
    seconds = {way: training_seconds(way, costs[way.source], epochs=plan.rungs[-1], **sizes) for way in ways}
    return ways, plan, runs, seconds


def auroc(y, probability) -> float:
    return float(np.mean([roc_auc_score(y == k, probability[:, k]) for k in range(probability.shape[1])]))


def three_scores(y, probability) -> dict[str, float]:
    """AUROC, log loss and balanced accuracy of probabilities N×K."""
    return {
        "auroc": auroc(y, probability),
        "log loss": float(-np.log(np.clip(probability[np.arange(len(y)), y], 1e-7, None)).mean()),
        "balanced accuracy": float(balanced_accuracy_score(y, probability.argmax(1))),
    }


def row(way: str, scores: dict, chosen: Way, probability=None) -> dict:
    """A row of a cell; what was chosen, and the answers to the test images, stay in the log as its ``answers``."""
    kept = None if probability is None else np.round(np.asarray(probability, dtype=float), 5).tolist()
    return {"way": way, "scores": rounded(scores), "answers": {"chosen": str(chosen), "probability": kept}}


def drawn_aurocs(y, probabilities, rng, resamples: int = 1000) -> np.ndarray:
    """S×B: the AUROC of each seed's answers S×N×K on B sets of test cases, drawn anew within each class."""
    weights = np.zeros((resamples, len(y)))
    for k in np.unique(y):
        n = int((y == k).sum())
        weights[:, y == k] = rng.multinomial(n, np.full(n, 1 / n), resamples)
    classes = range(probabilities.shape[2])
    return np.array([np.mean([weighted_auroc(y == k, p[:, k], weights) for k in classes], 0) for p in probabilities])


def interval_over_tasks(found, *, level: float = 0.95, resamples: int = 1000, seed: int = 0) -> dict:
    """The mean AUROC over tasks, or its difference, with the interval of ``two_level.py`` in each task.

    ``found`` has of each task its test labels, and of one way, or of two, a list of one answer for each seed: a dict of
    the ``probability`` N×K and the ``auroc``. Within each task its own seeds and its own test cases are drawn anew; the
    tasks stay. The log holds answers to five digits, among which a network that is very sure of itself has ties: how
    its AUROC varies with the cases comes from these, and is added to the AUROC that was computed from all digits.
    """
    rng, drawn, values, n = np.random.default_rng(seed), [], [], 0
    for y, *ways in found:
        seeds = len(ways[0])
        state, by_seed, exact = rng.bit_generator.state, 0.0, 0.0
        for runs, sign in zip(ways, (1, -1), strict=False):
            rng.bit_generator.state = state  # the same test cases for both
            probabilities = np.array([run["probability"] for run in runs])
            all_digits = np.array([run["auroc"] for run in runs])
            rounding = all_digits - [auroc(y, p) for p in probabilities]
            by_seed = by_seed + sign * (drawn_aurocs(y, probabilities, rng, resamples) + rounding[:, None])
            exact = exact + sign * all_digits
        means = by_seed.mean(0)
        again = np.array([rng.choice(column, seeds).mean() for column in by_seed.T])
        drawn.append(means + np.sqrt(seeds / (seeds - 1)) * (again - means))
        values.append(exact.mean())
        n += len(y)
    low, high = np.quantile(np.mean(drawn, 0), [(1 - level) / 2, (1 + level) / 2])
    return rounded({"value": np.mean(values), "low": low, "high": high}) | {"n": n, "seeds": seeds}


def verdict(low: float, high: float, margin: float) -> str:
    """What an interval of one way − another says, by the margin."""
    if low > -margin:
        return "better" if low > margin else "level or better"
    return "worse" if high < -margin else "undecided"


def answered(runs) -> dict[tuple, dict]:
    """What stays in the log, by task, seed and way."""
    return {
        (run["task"], run["seed"], one["way"]): one["answers"] | {"auroc": one["scores"]["auroc"]}
        for run in runs
        for one in run["rows"]
    }


def compared(known, tests: dict, seeds, ours: str, others, *, level: float, margin: float, together=None) -> list[dict]:
    """``ours`` − each of the ``others``: of each task at the corrected ``level``, of the mean of the tasks at 95 %.

    ``known`` is what was ``answered``, and ``tests`` holds the test labels by task. The mean is that of the tasks
    ``together``; None: of all.
    """
    rows = []
    for theirs in others:
        for tasks in [[task] for task in tests] + [list(together or tests)]:
            found = [
                (tests[task], *([known[task, seed, way] for seed in seeds] for way in (ours, theirs))) for task in tasks
            ]
            at = level if len(tasks) == 1 else 0.95
            one = interval_over_tasks(found, level=at, resamples=10_000)
            keys = {"task": tasks[0] if len(tasks) == 1 else "mean of the tasks", "ours": ours, "theirs": theirs}
            rows.append(keys | one | {"level": at, "verdict": verdict(one["low"], one["high"], margin)})
    return rows


def level_on(rows: list[dict], tasks, others) -> list[str]:
    """The tasks on which ours is level with, or better than, all of the others."""
    good = {(one["task"], one["theirs"]) for one in rows if one["verdict"] in ("better", "level or better")}
    return [task for task in tasks if all((task, theirs) in good for theirs in others)]
