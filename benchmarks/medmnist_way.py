"""Test accuracy after ten epochs of a small ResNet: the MedMNIST authors' way of training, and the course's.

    MEDTL_DATA=twin python benchmarks/medmnist_way.py
    MEDTL_DATA=/folder/with/medmnist python benchmarks/medmnist_way.py --seeds 100 101 102 103

The same network, first weights, batch size and learning rates on PneumoniaMNIST (``pairs.py``); what differs is which
epoch's weights are kept, and augmentation. Initial weights and batch order vary with the seed, the data do not. Every
way sees the test set when it is done, and nothing is chosen by it. A run that was stopped goes on where it was.
"""

import argparse
import time

import numpy as np
import pairs
from record import RESULTS, Log, header, write

import medtl_helpers as mtl

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
    return {LAST: ours(val=None), LOWEST: ours(), AUGMENTED: ours(augment=mtl.augment), THEIRS: last, MEANT: meant}


def summary(rows: list[dict]) -> list[dict]:
    """For each kind of data and way: accuracies by seed, their mean, the difference to the authors' last epoch."""
    result = []
    for data in sorted({row["data"] for row in rows}):
        here = sorted((row for row in rows if row["data"] == data), key=lambda row: row["seed"])
        scores = {way: [row["test accuracy"][way] for row in here] for way in WAYS}
        result += [{
            "data": data, "way": way, "seeds": [row["seed"] for row in here], "test accuracy": scores[way],
            "mean": round(float(np.mean(scores[way])), 4),
            "minus theirs": None if way == THEIRS else str(mtl.paired_difference(scores[way], scores[THEIRS])),
        } for way in WAYS]  # fmt: skip
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=SEEDS, help="none: only write what the log holds")
    args = parser.parse_args()
    log, task = Log("medmnist_way"), mtl.load("pneumonia", quiet=True)
    known = {(row["data"], row["seed"]) for row in log.rows()}
    for seed in args.seeds:
        if (task.provenance, seed) not in known:
            start = time.perf_counter()
            found = {way: round(value, 4) for way, value in accuracies(seed, task).items()}
            log.add({"data": task.provenance, "seed": seed, "test accuracy": found,
                     "seconds": round(time.perf_counter() - start)})  # fmt: skip
            print(task.provenance, seed, found, flush=True)
    rows = log.rows()
    about = header(seeds=sorted({row["seed"] for row in rows}), seconds=sum(row["seconds"] for row in rows))
    write("medmnist_way", about | {"epochs": EPOCHS, "rows": summary(rows)}, row_starts="data")
    print(f"Written: {RESULTS / 'medmnist_way.json'}")


if __name__ == "__main__":
    main()
