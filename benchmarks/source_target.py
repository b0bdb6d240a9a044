"""Notebook 04 on ten seeds: seven ways from source to target, a shift of growing strength, three candidate sources.

    MEDTL_DATA=twin python benchmarks/source_target.py
    MEDTL_DATA=/folder/with/medmnist python benchmarks/source_target.py     # adds the ways on real X-rays

Resumable: each cell is a line of ``_run/source_target.jsonl``. Epochs and rates are those of
``medtl_helpers/lessons/source_target/experiment.py``, usual values that were set while seeds 0 and 1 were looked at,
and not tuned. No target test image chooses anything. Scores are balanced accuracies on the target's test images; "at
home" is that on the source's.
"""

import argparse

import torch
from record import Log, fill, header, rounded, tidy, total_seconds, write

import medtl_helpers as mtl
from medtl_helpers.lessons.source_target import experiment
from medtl_helpers.methods.scores import balanced_accuracy

LOG = Log("source_target")
SEEDS = range(100, 110)
SCORE = "balanced accuracy"  # the main score


def ways(pair: str, seed: int) -> list[dict]:
    """A row for each of the seven ways."""
    source, target = experiment.two_domains(pair, seed)
    models = experiment.all_ways(source, target, seed, **experiment.OF_PAIR[pair])
    scores = {way: {SCORE: balanced_accuracy(model, target.test)} for way, model in models.items()}
    scores[experiment.SOURCE_ONLY]["at home"] = balanced_accuracy(models[experiment.SOURCE_ONLY], source.test)
    return [{"way": way, "scores": rounded(found)} for way, found in scores.items()]


def shift(pair: str, seed: int) -> list[dict]:
    """A row for each strength of the shift and each way."""
    source, _ = experiment.two_domains(pair, seed)
    model, labels = experiment.trained_on_source(source, seed), experiment.OF_PAIR[pair]["labels"]
    found = experiment.scores_by_strength(model, seed, labels=labels)
    return [
        {"strength": strength, "way": way, "scores": rounded({SCORE: values[at]})}
        for at, strength in enumerate(experiment.STRENGTHS)
        for way, values in found.items()
    ]


def sources(pair: str, seed: int) -> list[dict]:
    """A row for each candidate source: what is said of it beforehand, and the gain that it brings."""
    kin, target = experiment.two_domains(pair, seed)
    labels = experiment.OF_PAIR[pair]["labels"]
    few = mtl.few_shot(target, labels, seed=seed, val=labels)
    scratch = balanced_accuracy(experiment.trained_on_few(few, seed), target.test)
    rows = []
    for kind in (experiment.KIN, *experiment.OTHERS):
        source = kin if kind == experiment.KIN else experiment.drawn_source(kind, seed)
        model = experiment.trained_on_source(source, seed)
        scores = experiment.scores_beforehand(model, source, target, few)
        tuned = experiment.go_on_from(model, few, seed)
        scores["gain"] = balanced_accuracy(tuned, target.test) - scratch
        rows.append({"way": kind, "scores": rounded(scores)})
    return rows


PARTS = {"ways": ways, "shift": shift, "sources": sources}


def cells(chests: str) -> list[dict]:
    """What is measured where the X-rays are ``chests``, "twin" or "real"; the blood cells are drawn anyway."""
    parts = [("ways", "X-rays", chests)]
    if chests == "twin":
        parts += [(part, "blood cells", "twin") for part in PARTS]
    return [{"part": part, "pair": pair, "data": data, "seed": seed} for part, pair, data in parts for seed in SEEDS]


def compute(part: str, pair: str, data: str, seed: int) -> list[dict]:
    """The rows of one part for one seed; which ``data`` there are is for the record to say."""
    return PARTS[part](pair, seed)


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    torch.set_num_threads(1)
    fill(LOG, cells(mtl.load("pneumonia", quiet=True).provenance), compute)
    summarise(LOG.runs())


def summarise(runs: list[dict]) -> None:
    """``results/source_target.json`` of each part that is complete."""
    result = header(seeds=list(SEEDS), seconds=total_seconds(runs)) | {
        "score": SCORE,
        "labels per class": {pair: about["labels"] for pair, about in experiment.OF_PAIR.items()},
        "strengths": experiment.STRENGTHS,
        "rows": tidy(runs, cells("twin") + cells("real")),
    }
    write("source_target", result)


if __name__ == "__main__":
    main()
