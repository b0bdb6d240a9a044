"""The search of ``auto_transfer``, which answers with one network, beside single fixed ways, on folders of images.

    MEDTL_DATA=… MEDTL_VGG16=… python benchmarks/folder_search.py --stage grid    # what the fixed ways are, seed 0
    MEDTL_DATA=… MEDTL_VGG16=… python benchmarks/folder_search.py                 # the search and they, and the record

Resumable: each cell is a line of ``_run/folder_search.jsonl``; with ``--tasks`` several processes share them. A task is
a folder of PNG files, which ``transfer.prepare`` reads as the command does: the test is given and fixed, and the seed
draws 15 % of the other images for validation, and the weights. Sources are all that the command takes. The nominal time
is ``MINUTES``; the clock, which could only cut the plan, stands still. Features of frozen stages are remembered from
seed to seed, and a fixed way that the search trained to its last rung is not trained again: neither changes a number
by more than float rounding.

Tasks, on none of which anything of the search was tuned: PneumoniaMNIST, enlarged from 28 px (580 images of its
training part; its 624 test images); the white cells of both laboratories in one folder (391 images of four classes,
30 % for the test); and two drawn ones: ultrasound of patients with and without dense tissue, one image each, and chest
X-rays taken with scanner B (580 labelled images and 800 for the test each). With 580 labelled images, a folder of 1,000
has 420 for the test; larger tests only make the intervals narrower. BreastMNIST is left out: without its copies it has
a test of some 230 images, which cannot tell a difference of 0.02. (The first benchmark of the search,
``auto_transfer.py``, had images of the first two sources, at 28 px.) Number of tasks, ways and minutes were chosen by
what they cost. With the seed 0 the top block of the general source died at the rate 0.001 on the first three tasks,
with an AUROC of 0.5; the rate 0.0001 took its place then.

Comparison
----------
Written down before the reported seeds were run. *Is the search better than or level with the best single fixed way on
at least three tasks that it was not tuned on?* Rows: the search, and the best fixed way of ``CANDIDATES``, each trained
for as long as the last rung of the search's plan, chosen for each task as the highest mean test AUROC on the three
*other* tasks with the seed 0: what somebody who had measured eight ways on three tasks would always do on the fourth.
Score: AUROC on test (mean of one against the rest where there are more than two classes). Margin: 0.02. Six seeds. For
each task the interval of search − fixed way over seeds and test cases, at the level 1 − 0.05/4 (Bonferroni for four
tasks): level or better means that it lies above −0.02, better that it lies above 0.02, worse that it lies below −0.02;
any other one is undecided. The sentence holds if three or more tasks are level or better. We expect it to hold.

Beside it, and secondary: the mean over the tasks (95 %); the best fixed way in hindsight, the highest mean over all
four tasks with the seed 0, the task itself included, which nobody could know; and the habit, a logistic regression on
all stages of the general source, always.
"""

import argparse
import hashlib
import os
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from record import Log, fill, header, rounded, tidy, total_seconds, write
from search_parts import answered, compared, level_on, row, setting, three_scores

import medtl_helpers as mtl
from medtl_helpers.data.shifts import SCANNERS
from medtl_helpers.methods import auto_transfer as search
from medtl_helpers.methods import trials
from medtl_helpers.methods.all_stages import AllStages
from medtl_helpers.methods.averaged import Averaged
from medtl_helpers.methods.cache import after_prefix
from medtl_helpers.methods.features import frozen_prefix, prefix_features, stage_features
from medtl_helpers.methods.ways import SCRATCH, Way
from medtl_helpers.transfer.preparing import prepare

LOG = Log("folder_search")
SEEDS, GRID_SEED = range(200, 206), 0
MINUTES, MARGIN, SIZE = 4, 0.02, 64
LABELLED, TEST = 580, 800
TASKS = ("PneumoniaMNIST", "white cells", "drawn patients", "drawn X-rays")
LEVEL = 1 - 0.05 / len(TASKS)
AUTO, HABIT = "search", "all stages of the general source, always"
FIXED, HINDSIGHT = "best fixed way of other tasks", "best fixed way in hindsight"
GENERAL, PHANTOMS = "vgg16, stand-in", "resnet, phantoms"
CANDIDATES = (
    Way(GENERAL, "all stages", "head", 0.1),
    Way(GENERAL, "all stages", "head", 0.01),
    Way(GENERAL, "probe", "head", 1e-2),
    Way(GENERAL, "fine_tune", "above block4", 1e-4),
    Way(PHANTOMS, "all stages", "head", 0.1),
    Way(PHANTOMS, "lp_ft", "everything", 1e-3),
    Way(SCRATCH, "from scratch, 4 × as long", "everything", 1e-3),
    Way(SCRATCH, "from scratch, 4 × as long", "everything", 3e-3),
)


# --- tasks -----------------------------------------------------------------------------------------------------------


def parted(x, y, n_test: int) -> tuple[mtl.Split, mtl.Split]:
    """Some images for the labelled part, and ``n_test`` for the test, drawn once."""
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(0))
    return mtl.Split(x[order[n_test:]], y[order[n_test:]]), mtl.Split(x[order[:n_test]], y[order[:n_test]])


def all_images(*tasks) -> tuple[torch.Tensor, torch.Tensor]:
    splits = [split for task in tasks for split in (task.train, task.val, task.test)]
    return torch.cat([split.x for split in splits]), torch.cat([split.y for split in splits])


def both_parts(name: str) -> tuple[mtl.Split, mtl.Split]:
    """The labelled images of a task, and its test."""
    if name == "PneumoniaMNIST":
        task = mtl.load("pneumonia", size=SIZE, quiet=True)
        return parted(task.train.x, task.train.y, len(task.train.y) - LABELLED)[0], task.test
    if name == "white cells":
        sites = (mtl.load("white_cells", site=site, size=SIZE, quiet=True) for site in ("jiangxi", "cellavision"))
        x, y = all_images(*sites)
        return parted(x, y, round(0.3 * len(y)))
    if name == "drawn patients":
        n = LABELLED + TEST
        both = mtl.draw_cohort(n, images=1, size=SIZE, val=0.1, test=TEST / n)
        return mtl.Split(*(torch.cat(pair) for pair in zip(both.train, both.val, strict=True))), both.test
    labels = [torch.arange(n) % 2 for n in (LABELLED, TEST)]
    return tuple(mtl.Split(SCANNERS["B"](mtl.draw("chest", y, SIZE, seed=len(y)), seed=len(y)), y) for y in labels)


@lru_cache(1)
def task_of(name: str, seed: int) -> mtl.ImageTask:
    return folder_task(both_parts(name), seed, MINUTES)


def folder_task(parts: tuple[mtl.Split, mtl.Split], seed: int, minutes: float) -> mtl.ImageTask:
    """The task as the command makes it of a folder of labelled images and of a test: the seed draws which of the
    labelled images are for validation."""
    with tempfile.TemporaryDirectory() as root:
        for part, split in zip(("train", "test"), parts, strict=True):
            for k, (image, label) in enumerate(zip(split.x.numpy(), split.y.tolist(), strict=True)):
                folder = Path(root, part, f"class {label}")
                folder.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)).save(folder / f"{k}.png")
        return prepare(root, positive=None, patients=None, seed=seed, size=None, minutes=minutes).task


# --- training --------------------------------------------------------------------------------------------------------


def remembering(compute, known: dict, stages):
    """``compute``, which computes features of the ``stages(model)``, such that it meets each image only once."""

    def remembered(model, x, **how):
        names, weights = stages(model), hashlib.sha256(stages.__name__.encode())
        for name in names:
            for value in model.stages[name].state_dict().values():
                weights.update(value.numpy().tobytes())
        keys = [(weights.digest(), image.tobytes()) for image in x.numpy()]
        new = [k for k, key in enumerate(keys) if key not in known]
        if new:
            known.update(zip([keys[k] for k in new], compute(model, x[new], **how).unbind(), strict=True))
        return torch.stack([known[key] for key in keys])

    return remembered


def all_stages(model) -> list[str]:
    return list(model.stages)


def answer(model, x, **how) -> torch.Tensor:
    """What ``predict`` says, N×K, from remembered features."""
    if isinstance(model, Averaged):
        return torch.stack([answer(one, x, **how) for one in model.models]).mean(0)
    frozen = frozen_prefix(model)
    if isinstance(model, AllStages):
        return model.head(trials.stage_features(model, x, **how)).softmax(1).detach()
    if len(frozen) == len(model.stages):  # a probe reads what the pool gives, which is among the features of all stages
        averaged = trials.stage_features(model, x, **how)[:, -2 * model.width : -model.width]
        return model.head(averaged).softmax(1).detach()
    if frozen:
        return mtl.predict(after_prefix(model), trials.prefix_features(model, x, **how), **how)
    return mtl.predict(model, x, **how)


class Remembered(trials.Trials):
    """Trials that keep what was trained for as long as the last rung, for the fixed ways after the search."""

    last, kept = 0, {}

    def run(self, way: Way, epochs: int):
        if epochs != self.last:
            return super().run(way, epochs)
        if way not in self.kept:
            self.kept[way] = super().run(way, epochs)
        return self.kept[way]


def remember_features() -> None:
    """Let the search work as described above: a clock that stands still, and features that are computed once."""
    torch.set_num_threads(1)
    trials.clock = lambda: 0.0  # a busy machine cuts no plan
    known: dict = {}
    trials.stage_features = remembering(stage_features, known, all_stages)
    trials.prefix_features = remembering(prefix_features, known, frozen_prefix)
    search.Trials, trials.Trials, search.predict = Remembered, Remembered, answer


def start(task: str, seed: int) -> tuple:
    """The task, and what trains a way for as long as the last rung and answers to the test images."""
    return started(task_of(task, seed), seed, MINUTES)


def started(data: mtl.ImageTask, seed: int, minutes: float, defaults: bool = False) -> tuple:
    _, plan, runs, _ = setting(data, seed, sources=None, minutes=minutes, defaults=defaults)
    Remembered.last, Remembered.kept = plan.rungs[-1], {}

    def fixed(way: Way) -> np.ndarray:
        return answer(runs.run(way, plan.rungs[-1])[0], data.test.x).numpy()

    return data, fixed


def grid(task: str, seed: int, way: str) -> list[dict]:
    """A fixed way on test: what those of the *other* tasks are chosen by."""
    data, fixed = start(task, seed)
    (one,) = (one for one in CANDIDATES if str(one) == way)
    return [{"scores": rounded(three_scores(data.test.y.numpy(), fixed(one)))}]


def report(task: str, seed: int) -> list[dict]:
    """The search, the two fixed ways, and the habit."""
    data, fixed = start(task, seed)
    y = data.test.y.numpy()
    found = mtl.auto_transfer(data, MINUTES, seed=seed, progress=False)
    scores, validation = (three_scores(split.y.numpy(), p) for split, p in
                          ((data.test, found.test), (data.val, found.validation)))  # fmt: skip
    rows = [row(AUTO, scores | {"optimism": validation["auroc"] - scores["auroc"]}, found.way, found.test)]
    best = chosen(measured())
    ways = {FIXED: best[task], HINDSIGHT: best[HINDSIGHT], HABIT: CANDIDATES[0]}
    for name, way in ways.items():
        rows.append(row(name, three_scores(y, answers := fixed(way)), way, answers))
    return rows


# --- the record ------------------------------------------------------------------------------------------------------


def cells(stage: str) -> list[dict]:
    """In the order in which they are computed."""
    if stage == "report":
        return [{"stage": stage, "task": task, "seed": seed} for seed in SEEDS for task in TASKS]
    return [{"stage": stage, "task": task, "seed": GRID_SEED, "way": str(way)} for task in TASKS for way in CANDIDATES]


def compute(stage: str, task: str, seed: int, **way: str) -> list[dict]:
    return {"grid": grid, "report": report}[stage](task, seed, **way)


def measured() -> dict[str, dict[str, float]]:
    """AUROC on test of each fixed way by task, with the seed 0."""
    known = {
        (run["task"], run["way"]): run["rows"][0]["scores"]["auroc"] for run in LOG.runs() if run["stage"] == "grid"
    }
    return {task: {way: known[task, way] for way in map(str, CANDIDATES)} for task in TASKS}


def grid_is_complete() -> bool:
    return {(run["task"], run.get("way")) for run in LOG.runs()} >= {(t, str(w)) for t in TASKS for w in CANDIDATES}


def chosen(found: dict[str, dict[str, float]]) -> dict[str, Way]:
    """For each task the way of the highest mean AUROC on all others; and that on all tasks."""

    def best(tasks) -> Way:
        return max(CANDIDATES, key=lambda way: np.mean([found[task][str(way)] for task in tasks]))

    return {left_out: best([t for t in TASKS if t != left_out]) for left_out in TASKS} | {HINDSIGHT: best(TASKS)}


def summarise() -> None:
    """``results/folder_search.json``, once everything is there."""
    runs = LOG.runs()
    rows = tidy(runs, cells("report"), seconds=True)
    known = answered(run for run in runs if run["stage"] == "report")
    for one in rows:
        del one["stage"]
        one["chosen"] = [known[one["task"], seed, one["way"]]["chosen"] for seed in SEEDS]
    tests = {task: task_of(task, SEEDS[0]).test.y.numpy() for task in TASKS}
    intervals = compared(known, tests, SEEDS, AUTO, (FIXED, HINDSIGHT, HABIT), level=LEVEL, margin=MARGIN)
    result = header(seeds=list(SEEDS), seconds=total_seconds(runs)) | {
        "score": "auroc",
        "data": "mixed",  # two tasks of each kind
        "tasks": TASKS,
        "nominal minutes": MINUTES,
        "margin": MARGIN,
        "fixed ways": {task: str(way) for task, way in chosen(measured()).items()},
        "grid": measured(),
        "written": WRITTEN,
        "level or better on": len(level_on(intervals, TASKS, [FIXED])),
        "compared": intervals,
        "rows": rows,
    }
    write("folder_search", result)


WRITTEN = "1dd3cfe"  # the commit in which the comparison was written down


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stage", choices=("grid", "report"), default="report")
    parser.add_argument("--tasks", nargs="+", help="only these, for several processes")
    asked = parser.parse_args()
    if not os.environ.get("MEDTL_VGG16"):
        parser.error("MEDTL_VGG16 is not set: the general source is one of the rows.")
    if asked.stage == "report" and not grid_is_complete():
        parser.error("Run --stage grid first: it says which the fixed ways are.")
    remember_features()
    fill(LOG, [cell for cell in cells(asked.stage) if cell["task"] in (asked.tasks or [cell["task"]])], compute)
    if asked.stage == "report" and not asked.tasks:
        summarise()


if __name__ == "__main__":
    main()
