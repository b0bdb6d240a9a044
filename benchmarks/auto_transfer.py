"""Lesson 07: the automatic search beside fixed ways, a random search and the best there was, on tasks it never saw.

    MEDTL_DATA=/folder/with/all python benchmarks/auto_transfer.py --stage grid    # what the fixed ways are, seed 0
    MEDTL_DATA=/folder/with/all python benchmarks/auto_transfer.py --stage fixed   # they on the seeds 200 to 209
    MEDTL_DATA=/folder/with/all python benchmarks/auto_transfer.py --stage random  # the random search
    MEDTL_DATA=/folder/with/all python benchmarks/auto_transfer.py --stage growth  # more and fewer validation images
    MEDTL_DATA=/folder/with/all python benchmarks/auto_transfer.py                 # the search, and the record

Resumable: each cell is a line of ``_run/auto_transfer.jsonl``; with ``--tasks`` several processes share them. Images
have 28 pixels a side, so that the sources are the embedded ResNet and its random twin (VGG16 needs 32). 20 training and
20 validation images a class are drawn by the seed, which also draws the weights. The nominal time is ``MINUTES``; the
clock, which could only cut the plan, stands still.

Tasks. Rates, their order, the score that chooses and the plan of ``auto_transfer`` were made up on two drawn tasks, the
*development* tasks: cells of scanner D and textures. Three real tasks are *held out*, and nothing was tried on them
before: BreastMNIST, PneumoniaMNIST (of its test, 300 images), and white cells of the laboratory Jiangxi (four classes,
the rarest with 9 images for training and 9 for validation).

Primary comparison
------------------
Written down before the seeds 200 to 209 were run. *Is the search worth its time?* Rows: ``auto_transfer``, and the best
single fixed way (source, way, depth and rate, trained for as long as the last rung), chosen for each held-out task as
the highest mean test AUROC on the four *other* tasks, leave one task out, with the seed 0: what somebody who had
measured everything on four tasks would always do on the fifth. Score: AUROC on test (mean of one against the rest where
there are more than two classes), averaged over the held-out tasks. Margin: 0.02. We expect the 95 % interval over
seeds and test cases, both drawn anew within each task, of search − fixed way to lie above −0.02: not worse by more than
the margin. An interval below −0.02 says that it is worse, any other one that it is undecided. The tasks
themselves are not drawn anew: the interval says nothing of another task.

Beside it, and secondary: each task; the probe on the embedded ResNet, always; the small network from scratch, 4 times
as long, always; a random search of the same nominal cost, which trains ways in random order for as long as the last
rung and takes the lowest validation log loss (three seeds, run last); and the oracle, the best on *test* among the
networks of the search that got beyond the first rung, which nobody can have: the bound (the first five seeds).

A failure that is expected: with few validation images the search picks noise. On PneumoniaMNIST, with 5, 20 and 100
validation images a class: the regret (oracle − chosen, test AUROC), and the optimism (validation AUROC − test AUROC of
the chosen network), which should shrink as validation grows. (With 5 and 100 the first five seeds.)
"""

import argparse

import numpy as np
import search_parts
import torch
from record import Log, fill, header, rounded, tidy, total_seconds, write
from search_parts import interval_over_tasks, row, three_scores

import medtl_helpers as mtl
from medtl_helpers.data.pretraining import cell_task
from medtl_helpers.data.smears import HELD_OUT_CELLS, SMEAR
from medtl_helpers.methods import auto_transfer as search
from medtl_helpers.methods import trials
from medtl_helpers.methods.ways import SCRATCH, Way

LOG = Log("auto_transfer")
SEEDS, GRID_SEEDS, HALF, FEWER = range(200, 210), (0,), 5, 3
MINUTES, MARGIN, N = 0.4, 0.02, 20
SOURCES = ("resnet, phantoms", "resnet, random")
DEVELOPMENT = ("cells, scanner D", "textures")
HELD_OUT = ("BreastMNIST", "PneumoniaMNIST", "white cells, Jiangxi")
GROWTH = ("PneumoniaMNIST", (5, 20, 100))
ALL = "mean of the held-out tasks"
AUTO, FIXED, PROBE, SMALL = "auto_transfer", "best fixed way", "probe, always", "small network, 4 × as long, always"
RANDOM, ORACLE = "random search of the same cost", "oracle: best on test"
PRIMARY = {
    "lesson": "07_which_source",
    "comparison": "On three tasks that it was not made on, the automatic search is not worse than the best single "
    "fixed way, chosen on the other tasks.",
    "ours": AUTO,
    "theirs": FIXED,
    "where": {"task": ALL, "val": N},
    "score": "auroc",
    "margin": MARGIN,
    "written": "4fb15d6",
    "opponent": SMALL,
    "over": "cases",
}
FIXED_WAYS = {  # by held-out task: `--stage grid` prints them
    "BreastMNIST": Way("small network", "from scratch, 4 × as long", "everything", 0.001),
    "PneumoniaMNIST": Way("resnet, phantoms", "lp_ft", "everything", 0.001),
    "white cells, Jiangxi": Way("resnet, phantoms", "lp_ft", "everything", 0.001),
}


# --- tasks -----------------------------------------------------------------------------------------------------------


def task_of(name: str, seed: int, val: int = N):
    """The task with training and validation images drawn by the seed; test is the same for every seed."""
    if name.startswith("cells"):
        cells = [list(SMEAR).index(cell) for cell in HELD_OUT_CELLS]
        return cell_task(cells, N, seed, size=28, scanner=name[-1], val=val, test=60)
    if name == "textures":
        y = [torch.arange(6).repeat(count) for count in (N, val, 60)]
        x = [mtl.draw("texture", 24 + labels, 28, channels=1, seed=start + k) for k, (labels, start) in
             enumerate(zip(y, (10 * seed, 10 * seed, 777), strict=True))]  # fmt: skip
        return mtl.ImageTask(name, *map(mtl.Split, x, y), tuple("abcdef"), provenance="twin")
    if name == "white cells, Jiangxi":
        return redrawn(mtl.load("white_cells", site="jiangxi", size=28, quiet=True), seed)
    task = mtl.load({"BreastMNIST": "breast", "PneumoniaMNIST": "pneumonia"}[name], quiet=True)
    first = len(task.train.y) + len(task.val.y)
    some = torch.randperm(len(task.test.y), generator=torch.Generator().manual_seed(0))[:300]
    return mtl.few_shot(task.with_rows({"test": first + some.sort().values}), N, seed=seed, val=val)


def redrawn(task, seed: int):
    """Training and validation images drawn anew from both, ``N`` a class, or half of the class each."""
    y = torch.cat([task.train.y, task.val.y])
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    train, val = [], []
    for k in range(len(task.classes)):
        rows = order[y[order] == k]
        most = min(N, len(rows) // 2)
        train.append(rows[:most])
        val.append(rows[most : 2 * most])
    return task.with_rows({"train": torch.cat(train), "val": torch.cat(val)})


# --- training --------------------------------------------------------------------------------------------------------


class Watched(trials.Trials):
    """The trials of a search, and what their networks score on test: for the oracle, unknown to the search.

    Those of the first rung of several are passed over: there are many, and they were trained for a few steps.
    """

    test, seen, first_rung = None, [], 0

    def run(self, way: Way, epochs: int):
        model, validation = super().run(way, epochs)
        if self.test is not None and epochs != self.first_rung:
            scores = three_scores(self.test.y.numpy(), mtl.predict(model, self.test.x).numpy())
            Watched.seen.append((way, scores))
        return model, validation


def setting(task, seed: int):
    """All ways for a task from the two sources, the plan of the search, and trials."""
    return search_parts.setting(task, seed, sources=SOURCES, minutes=MINUTES)


def grid(task: str, seed: int) -> list[dict]:
    """Every way for as long as the last rung, on test: what the fixed ways of the *other* tasks are chosen by."""
    data = task_of(task, seed)
    ways, plan, runs, _ = setting(data, seed)
    rows = []
    for way in ways:
        model, _ = runs.run(way, plan.rungs[-1])
        scores = three_scores(data.test.y.numpy(), mtl.predict(model, data.test.x).numpy())
        rows.append({"way": str(way), "settings": way.record(), "scores": rounded(scores)})
    return rows


def fixed_ways() -> dict[str, Way]:
    """For each held-out task the way of the highest mean AUROC on all other tasks."""
    found: dict[str, dict[str, list[float]]] = {}
    settings = {}
    for run in LOG.runs():
        if run.get("stage") == "grid":
            for row in run["rows"]:
                found.setdefault(row["way"], {}).setdefault(run["task"], []).append(row["scores"]["auroc"])
                settings[row["way"]] = Way(**row["settings"])
    tasks = (*DEVELOPMENT, *HELD_OUT)
    return {
        left_out: settings[
            max(found, key=lambda way: np.mean([np.mean(found[way][task]) for task in tasks if task != left_out]))
        ]
        for left_out in HELD_OUT
    }


def report(task: str, seed: int, val: int) -> list[dict]:
    """The search, with its optimism; what is always done; and for some seeds the oracle, with the regret."""
    data = task_of(task, seed, val)
    y = data.test.y.numpy()
    _, plan, runs, _ = setting(data, seed)
    watched = seed < SEEDS[0] + HALF
    Watched.test, Watched.seen = data.test if watched else None, []
    Watched.first_rung = plan.rungs[0] if len(plan.rungs) > 1 else None
    found = mtl.auto_transfer(data, MINUTES, seed=seed, sources=SOURCES, progress=False)
    scores = three_scores(y, found.test)
    validation = three_scores(data.val.y.numpy(), found.validation)
    more = {
        "optimism": validation["auroc"] - scores["auroc"],
        "optimism in log loss": scores["log loss"] - validation["log loss"],
    }
    rows = [row(AUTO, scores | more, found.way, found.test)]
    if watched:
        last = dict(Watched.seen)  # of each way its longest training
        best = max(last, key=lambda way: last[way]["auroc"])
        regret = {"regret": last[best]["auroc"] - scores["auroc"]}
        rows.append(row(ORACLE, last[best] | regret, best))
    if val == N:
        small = Way(SCRATCH, "from scratch, 4 × as long", "everything", 3e-3)
        for name, way in {PROBE: Way(SOURCES[0], "probe", "head", 1e-2), SMALL: small}.items():
            answer = mtl.predict(runs.run(way, plan.rungs[-1])[0], data.test.x).numpy()
            rows.append(row(name, three_scores(y, answer), way, answer))
    return rows


def random_search(task: str, seed: int) -> list[dict]:
    """Ways in random order, each for as long as the last rung, for the nominal time of the search."""
    data = task_of(task, seed)
    ways, plan, runs, seconds = setting(data, seed)
    spent, results = 0.0, []
    for at in np.random.default_rng(seed).permutation(len(ways)):
        if spent + seconds[ways[at]] <= plan.seconds:
            spent += seconds[ways[at]]
            model, validation = runs.run(ways[at], plan.rungs[-1])
            results.append((float(trials.case_losses(validation, data.val.y).mean()), at, model))
    _, at, model = min(results, key=lambda result: result[:2])
    answer = mtl.predict(model, data.test.x).numpy()
    return [row(RANDOM, three_scores(data.test.y.numpy(), answer), ways[at], answer)]


def fixed(task: str, seed: int) -> list[dict]:
    """The best fixed way of the other tasks, for as long as the last rung."""
    data, way = task_of(task, seed), FIXED_WAYS[task]
    _, plan, runs, _ = setting(data, seed)
    answer = mtl.predict(runs.run(way, plan.rungs[-1])[0], data.test.x).numpy()
    return [row(FIXED, three_scores(data.test.y.numpy(), answer), way, answer)]


# --- the record ------------------------------------------------------------------------------------------------------


def cells(stage: str) -> list[dict]:
    """In the order in which they are computed."""
    seeds = {"grid": GRID_SEEDS, "random": SEEDS[:FEWER], "growth": SEEDS[:HALF]}.get(stage, SEEDS)
    tasks = {"grid": DEVELOPMENT + HELD_OUT, "growth": GROWTH[:1]}.get(stage, HELD_OUT)
    sizes = [val for val in GROWTH[1] if val != N] if stage == "growth" else [N]
    return [
        {"stage": stage, "task": task, "val": val, "seed": seed} for seed in seeds for task in tasks for val in sizes
    ]


def compute(stage: str, task: str, seed: int, val: int) -> list[dict]:
    if stage in ("report", "growth"):
        return report(task, seed, val)
    return {"grid": grid, "fixed": fixed, "random": random_search}[stage](task, seed)


def over_tasks(ours: str, theirs: str | None, tasks, seed: int = 0) -> dict:
    """The mean AUROC over tasks, or its difference, as ``interval_over_tasks`` has it."""
    known, found = answered(), []
    for task in tasks:
        ways = [[known[task, N, one, way] for one in SEEDS] for way in (ours, theirs) if way is not None]
        found.append((task_of(task, SEEDS[0]).test.y.numpy(), *ways))
    keys = {"task": tasks[0] if len(tasks) == 1 else ALL, "val": N, "ours": ours, "theirs": theirs, "score": "auroc"}
    return keys | interval_over_tasks(found, seed=seed)


def answered() -> dict[tuple, dict]:
    """What stays in the log, by task, validation images, seed and way."""
    return {
        (run["task"], run["val"], run["seed"], one["way"]): one["answers"] | {"auroc": one["scores"]["auroc"]}
        for run in LOG.runs()
        for one in run["rows"]
        if run["stage"] != "grid"
    }


def summarise() -> None:
    """``results/auto_transfer.json`` of all rows that are complete."""
    runs, known = LOG.runs(), answered()
    rows = tidy(runs, cells("report") + cells("fixed"), seconds=True)
    for stage, way, n in (("report", ORACLE, HALF), ("random", RANDOM, FEWER), ("growth", None, HALF)):
        some = [cell for cell in cells(stage) if cell["seed"] < SEEDS[0] + n]
        rows += [one | {"seeds": list(SEEDS)[:n]} for one in tidy(runs, some) if way in (None, one["way"])]
    for one in rows:
        del one["stage"]
        seeds = one.get("seeds", SEEDS)
        one["chosen"] = [known[one["task"], one["val"], seed, one["way"]]["chosen"] for seed in seeds]
    for way in dict.fromkeys(one["way"] for one in rows):
        parts = [one for one in rows if one["way"] == way and one["val"] == N]
        if len(parts) == len(HELD_OUT):
            names = [name for name in parts[0]["scores"] if all(name in one["scores"] for one in parts)]
            means = {name: np.mean([one["scores"][name] for one in parts], 0).round(4).tolist() for name in names}
            seeds = {"seeds": parts[0]["seeds"]} if "seeds" in parts[0] else {}
            rows.append({"task": ALL, "val": N, "way": way, "scores": means} | seeds)
    pairs = [(AUTO, FIXED), (AUTO, PROBE), (AUTO, SMALL), (AUTO, None), (FIXED, None)]
    complete = all((task, N, seed, way) in known for task in HELD_OUT for seed in SEEDS for way in (AUTO, FIXED))
    tasks = [list(HELD_OUT), *([task] for task in HELD_OUT)]
    result = header(seeds=list(SEEDS), seconds=total_seconds(LOG.runs())) | {
        "score": "auroc",
        "data": "real",
        "tasks": {"development": DEVELOPMENT, "held out": HELD_OUT},
        "nominal minutes": MINUTES,
        "fixed ways": {task: str(way) for task, way in FIXED_WAYS.items()},
        "grid": {
            run["task"]: {one["way"]: one["scores"]["auroc"] for one in run["rows"]}
            for run in runs
            if run["stage"] == "grid"
        },
        "primary": PRIMARY,
        "two_level": [over_tasks(*pair, some) for pair in pairs for some in tasks] if complete else [],
        "rows": rows,
    }
    write("auto_transfer", result)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stage", choices=("grid", "fixed", "random", "growth", "report"), default="report")
    parser.add_argument("--tasks", nargs="+", help="only these, for several processes")
    asked = parser.parse_args()
    torch.set_num_threads(1)  # small images: a second thread mostly waits
    trials.clock = lambda: 0.0  # a busy machine cuts no plan
    search.Trials = Watched
    fill(LOG, [cell for cell in cells(asked.stage) if cell["task"] in (asked.tasks or [cell["task"]])], compute)
    if asked.tasks:
        return
    if asked.stage == "grid":
        for task, way in fixed_ways().items():
            print(f'    "{task}": Way{tuple(way.record().values())},')
    else:
        summarise()


if __name__ == "__main__":
    main()
