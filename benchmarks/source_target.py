"""Notebook 04 on ten seeds: eleven ways from source to target, on phantoms, X-rays and real white cells.

    MEDTL_DATA=twin python benchmarks/source_target.py                      # phantoms
    MEDTL_DATA=/folder/with/real/data python benchmarks/source_target.py    # real X-rays and real white cells
    MEDTL_DATA=… python benchmarks/source_target.py --tune                  # the learning rates, on validation

Resumable: each cell is a line of ``_run/source_target.jsonl``.

Learning rates: each trained way tried three (``RATES``) on seeds 0 and 1, which are not reported, and the one with the
lowest mean log loss on validation images was taken: images of the source for the ways that see no target label, and
the few labelled target images that are set apart for it for the others. Steps are the same for all ways of a kind. No
target test image chose anything. The blood cells, the real X-rays and the real white cells were tuned; the twin of the
X-rays takes the rates of the real ones.

Primary comparison. Rows "augmented" (sees nothing of the target) and "AdaBN" (sees the target's images without labels)
of the pair "white cells", real data: trained in the first laboratory, tested in the second. Score: AUROC, the mean over
the four classes. Margin: 0.05. Written down is: "On a real second laboratory, augmenting the source's images is worth
more than AdaBN: its AUROC is higher by more than 0.05." It is settled when the lower end of the 95 % interval over seeds
200 to 209 and the 97 cells (``two_level``) lies above 0.05. The opponents "pixel matching", "colour matching" and
"augmented + AdaBN" stand beside it. The direction was taken from three seeds (0 to 2) of the opposite way, from the
second laboratory to the first, whose test cells are others; no answer to a cell of the second laboratory was looked at.

Intervals: phantoms are drawn anew for each seed, so Student's t over seeds holds their test cases, too. The test images
of the real X-rays and the cells of the second laboratory are given once: there the interval is the bootstrap over seeds
and test cases, under ``two_level``. A seed splits the second laboratory into three folds, adapts on others than it
tests, and so answers to each of its cells once.
"""

import argparse

import torch
from record import Log, answers, fill, header, over_cases, rounded, tidy, total_seconds, write

import medtl_helpers as mtl
from medtl_helpers.data.domains import white_cell_domains
from medtl_helpers.lessons.source_target import experiment as e
from medtl_helpers.methods.predict import predict

LOG = Log("source_target")
TUNING, SEEDS = (0, 1), range(200, 210)
SCORE = "balanced accuracy"  # the main score
RATES = {  # what each trained way tries
    e.SOURCE_ONLY: (1e-3, 3e-3, 1e-2),
    e.AUGMENTED: (1e-3, 3e-3, 1e-2),
    e.JOINT: (1e-3, 3e-3, 1e-2),
    e.TARGET_ONLY: (1e-3, 3e-3, 1e-2),
    e.FINE_TUNED: (3e-4, 1e-3, 3e-3),
}


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
        e.FINE_TUNED: lambda rate: e.go_on_from(start, few, seed, rate),
    }
    rows = []
    for way, rates in RATES.items():
        val = source.val if e.WAYS[way] == "nothing" else few.val
        for rate in rates:
            found = e.scores_of(val.y, predict(train[way](rate), val.x))
            rows.append({"way": way, "rate": rate, "scores": rounded(found)})
    return rows
