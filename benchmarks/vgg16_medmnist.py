"""VGG16 on the whole of PneumoniaMNIST and BreastMNIST at 64 px: probe, top block and full fine-tuning, three seeds.

    MEDTL_DATA=/folder/with/medmnist python benchmarks/vgg16_medmnist.py
    MEDTL_VGG16=/path/to/weights.h5 …        # other weights than ImageNet's, labelled "stand-in"

Resumable: each cell is a line of ``_run/vgg16_medmnist.jsonl``. What is compared is set beforehand: the epoch
and the decision threshold are chosen on validation, nothing on test. The images are 28 px enlarged to 64 px, where
the published table of MedMNIST+ (Doerrich et al., Scientific Reports 2025) uses native 64 px.
"""

import argparse
import time
from functools import cache, partial

import numpy as np
import torch
from record import Log, fill, header, rounded, tidy, total_seconds, write
from sklearn.metrics import balanced_accuracy_score, roc_auc_score, roc_curve

import medtl_helpers as mtl
from medtl_helpers.methods.cache import after_prefix, one_copy_each

LOG = Log("vgg16_medmnist")
TASKS, SEEDS = ("breast", "pneumonia"), (0, 1, 2)
# method -> epochs per data set; the best epoch on validation is kept
METHODS = {
    "probe": {"breast": 60, "pneumonia": 20},
    "top block": {"breast": 12, "pneumonia": 6},
    "full": {"breast": 6, "pneumonia": 2},
}
# The probe's rate and weight decay are the best of nine by validation AUROC on seeds 0 and 1; the others were set.
PROBE = {"lr": 3e-3, "weight_decay": 0.1}
TOP_BLOCK = {"lr": 1e-4, "weight_decay": 1e-2}
FULL = {"lr": 2e-5, "weight_decay": 1e-2, "batch_size": 32}
COPIES = 2  # of each training image for the top block: as it is, and augmented once


def augment(task):
    """Moves by up to four pixels; X-rays are not mirrored (the heart is on the left)."""
    return partial(mtl.augment, shift=4, flip=task.name != "pneumonia")


@cache
def real(name: str):
    """The task with images of 64 px. Exits where the data set is not on this disk."""
    task = mtl.load(name, size=64)
    if task.provenance != "real":
        raise SystemExit(f"{name} is not on this disk, and a twin is nothing to compare with a published table.")
    return task


@cache
def block4(name: str) -> dict:
    """What blocks 1 to 4 make of the images, computed once: train N×COPIES×512×h×w, val and test N×512×h×w."""
    task = real(name)
    model = mtl.freeze(mtl.load_backbone("vgg16", 2, quiet=True), upto="block4")
    copy = augment(task)(task.train.x, torch.Generator().manual_seed(0))
    features = {name: mtl.prefix_features(model, getattr(task, name).x) for name in ("train", "val", "test")}
    return features | {"train": torch.stack([features["train"], mtl.prefix_features(model, copy)], 1)}


def compute(task: str, way: str, seed: int) -> list[dict]:
    """Train once and score the test split; blocks 1 to 4 stand still for all but ``"full"``."""
    images, features = real(task), block4(task)
    mtl.seed_everything(seed)
    start = time.perf_counter()
    model = mtl.load_backbone("vgg16", 2, quiet=True)
    counts = images.train.y.bincount().float()
    options = {"seed": seed, "progress": False, "class_weight": counts.sum() / (2 * counts)}
    mtl.freeze(model, upto="block4")
    rest = after_prefix(model)
    as_it_is = (features["train"][:, 0], images.train.y)
    val, test = (features["val"], images.val.y), (features["test"], images.test.y)
    mtl.probe(rest, as_it_is, val, epochs=METHODS["probe"][task], **PROBE, **options)
    if way == "top block":
        mtl.unfreeze(rest)
        chosen = torch.optim.AdamW(mtl.parameter_groups(rest, TOP_BLOCK["lr"]), weight_decay=TOP_BLOCK["weight_decay"])
        mtl.fit(
            rest,
            (features["train"], images.train.y),
            val,
            optimizer=chosen,
            augment=one_copy_each,
            epochs=METHODS[way][task],
            **options,
        )
    elif way == "full":
        rest, val, test = model, images.val, images.test
        mtl.fine_tune(model, images.train, val, epochs=METHODS[way][task], augment=augment(images), **FULL, **options)
    scores = score(rest, images, val, test) | {"seconds": round(time.perf_counter() - start)}
    return [{"weights": model.weights.provenance, "scores": scores}]


def score(model, task, val, test) -> dict:
    """AUROC, accuracy and balanced accuracy on test, the latter two at one half and at validation's best threshold."""
    disease = task.positive
    p_val, p_test = (mtl.predict(model, x)[:, disease].numpy() for x, _ in (val, test))
    y_val, y_test = ((y == disease).numpy() for _, y in (val, test))
    false_alarms, hits, thresholds = roc_curve(y_val, p_val)
    chosen = float(np.clip(thresholds[np.argmax(hits - false_alarms)], 0, 1))
    scores = {"auroc": roc_auc_score(y_test, p_test), "val auroc": roc_auc_score(y_val, p_val)}
    for name, threshold in (("", 0.5), (" at the chosen threshold", chosen)):
        answer = p_test >= threshold
        scores[f"accuracy{name}"] = (answer == y_test).mean()
        scores[f"balanced accuracy{name}"] = balanced_accuracy_score(y_test, answer)
    return rounded(scores | {"threshold": chosen})


def cells(tasks, ways) -> list[dict]:
    return [{"task": task, "way": way, "seed": seed} for task in tasks for way in ways for seed in SEEDS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=list(METHODS), help="methods to run now")
    parser.add_argument("--data", nargs="*", default=list(TASKS))
    args = parser.parse_args()
    for name in args.data:
        real(name)  # better missed now than in an hour
    fill(LOG, cells(args.data, args.only), compute)
    runs = LOG.runs()
    result = header(seeds=list(SEEDS), seconds=total_seconds(runs)) | {
        "score": "auroc",
        "data": "real",
        "images": "28 px enlarged to 64 px",
        "epochs": METHODS,
        "settings": {"probe": PROBE, "top block": TOP_BLOCK, "full": FULL, "copies for the top block": COPIES},
        "rows": tidy(runs, cells(TASKS, sorted(METHODS))),
    }
    write("vgg16_medmnist", result)


if __name__ == "__main__":
    main()
