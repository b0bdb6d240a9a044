"""Test accuracy after ten epochs of a small ResNet: the MedMNIST authors' way of training, and the course's.

    MEDTL_DATA=twin python benchmarks/medmnist_way.py
    MEDTL_DATA=/folder/with/medmnist python benchmarks/medmnist_way.py --seeds 100 101 102 103

The same network, first weights, batch size and learning rates on PneumoniaMNIST (``pairs.py``); what differs is which
epoch's weights are kept, and augmentation. Initial weights and batch order vary with the seed, the data do not. Every
way sees the test set when it is done, and nothing is chosen by it. Resumable: each seed is a line of
``_run/medmnist_way.jsonl``.

The committed record is older than the rule that chests are never mirrored. In its row with ``mtl.augment`` the images
were moved and mirrored; this file only moves them.
"""

import argparse
from functools import cache

import numpy as np
import pairs
from record import RESULTS, Log, fill, header, tidy, total_seconds, write

import medtl_helpers as mtl

LOG = Log("medmnist_way")
EPOCHS = 10
SEEDS = list(range(100, 105))  # seeds 0 and 1 were looked at before
LAST = "`mtl.fit`, last epoch"
LOWEST = "`mtl.fit`, epoch of the lowest validation loss"
AUGMENTED = "`mtl.fit`, the same with `mtl.augment`"
THEIRS = "the authors' way: last epoch"
MEANT = "the authors' way, best validation AUROC"
WAYS = (LAST, LOWEST, AUGMENTED, THEIRS, MEANT)


def accuracies(seed: int, task) -> dict[str, float]:
    """Test accuracy of every way from the same first weights."""

    def ours(**settings):
        return pairs.as_the_course(pairs.small_resnet(seed), task, EPOCHS, seed=seed, **settings)

    last, meant = pairs.as_the_authors(pairs.small_resnet(seed), task, EPOCHS, seed=seed)
    return {LAST: ours(val=None), LOWEST: ours(), AUGMENTED: ours(augment=pairs.moved), THEIRS: last, MEANT: meant}


pneumonia = cache(lambda: mtl.load("pneumonia", quiet=True))


def compute(data: str, seed: int) -> list[dict]:
    """A row for every way on ``data``, which is what ``pneumonia`` is on this disk."""
    found = accuracies(seed, pneumonia())
    return [{"way": way, "scores": {"test accuracy": round(value, 4)}} for way, value in found.items()]


def summary(runs: list[dict]) -> list[dict]:
    """For each kind of data and way: accuracies by seed, their mean, the difference to the authors' last epoch."""
    result = []
    for data in sorted({run["data"] for run in runs}):
        seeds = sorted({run["seed"] for run in runs if run["data"] == data})
        rows = {row["way"]: row for row in tidy(runs, [{"data": data, "seed": seed} for seed in seeds])}
        theirs = rows[THEIRS]["scores"]["test accuracy"]
        for way in WAYS:
            ours = rows[way]["scores"]["test accuracy"]
            result.append(
                rows[way]
                | {
                    "seeds": seeds,
                    "mean": round(float(np.mean(ours)), 4),
                    "minus theirs": None if way == THEIRS else str(mtl.paired_difference(ours, theirs)),
                }
            )
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=SEEDS, help="none: only write what the log holds")
    args = parser.parse_args()
    fill(LOG, [{"data": pneumonia().provenance, "seed": seed} for seed in args.seeds], compute)
    runs = LOG.runs()
    about = header(seeds=sorted({run["seed"] for run in runs}), seconds=total_seconds(runs))
    write("medmnist_way", about | {"score": "test accuracy", "epochs": EPOCHS, "rows": summary(runs)})
    print(f"Written: {RESULTS / 'medmnist_way.json'}")


if __name__ == "__main__":
    main()
