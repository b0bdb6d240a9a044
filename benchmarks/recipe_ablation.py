"""Lesson 03 taken apart: which fault of the recipe as found does the damage, GAP or Flatten, and Grad-CAM's opponents.

    MEDTL_DATA=/folder/with/medmnist python benchmarks/recipe_ablation.py factors        # 2 × 2 × 2, BreastMNIST
    MEDTL_DATA=/folder/with/medmnist python benchmarks/recipe_ablation.py heads --tune   # GAP and Flatten: three rates
    MEDTL_DATA=/folder/with/medmnist python benchmarks/recipe_ablation.py heads
    python benchmarks/recipe_ablation.py maps                                            # phantoms
    MEDTL_VGG16=/path/to/weights.h5 …        # other weights than ImageNet's, labelled "stand-in"

Resumable: each cell is a line of ``_run/recipe_*.jsonl``. All three are secondary comparisons of lesson 03; what
counts as settled was written here before the reported seeds ran.

**factors.** The recipe as found (GAP, Dense(1024), Adam) has three things that differ from the right one: the input
(0 to 1, or ``preprocess_input``), the trunk (trains from the first step, or frozen), and the rate (1e-3, or 1e-4). All
eight combinations get the same 32 images of BreastMNIST, which each seed draws anew, and the same 20 steps of 8. The
score is AUROC on the test images without duplicates; also recorded are log loss, accuracy, the spread of the answers
and the share of silent feature maps. The recipe as found is also scored after its first four steps. The damage of a
fault is the mean over the four settings of the other two of AUROC without it minus AUROC with it. A fault is settled as
harmful when the interval over seeds and test images lies above zero, at the level 1 − 0.05/3 of each of three
intervals (Bonferroni, which is stricter than Holm). Seeds 200 and 201; a third was planned, and there was no time for
it. Added when one seed had been seen: what the rate costs a trunk that is free to move, minus what it costs a frozen
one.

**heads.** Flatten minus GAP in balanced accuracy, on VGG16's frozen features of BreastMNIST's train and validation
images without duplicates, split at random twenty times (seeds 200 to 219), a quarter held out. Each head has three
rates, by mean AUROC on the held-out quarter of seeds 0 and 1. Flatten is settled as not worth its weights when the
corrected interval (Nadeau, Bengio) lies below +0.05, the margin that was first meant; else it is undecided.

**maps.** On drawn ultrasound whose lesions are known: the share of Grad-CAM's mass that lies in the lesion, and how
often its highest pixel does, for the trained network, for the same one with a random head, with random weights
everywhere (Adebayo et al. 2018), for a random map of the same resolution, and for the central quarter of the image.
Each of five seeds (200 to 204) trains a head and draws new images. Grad-CAM is settled as better than an opponent when
the t interval of the paired difference over seeds, at the level 1 − 0.05/4, lies above zero.
"""

import argparse
import gc
from functools import cache
from itertools import product

import numpy as np
import torch
import vgg16_medmnist as medmnist
from record import Log, answers, fill, header, read, rounded, tidy, total_seconds, write
from scipy.stats import spearmanr
from sklearn.metrics import balanced_accuracy_score, log_loss
from sklearn.model_selection import train_test_split

import medtl_helpers as mtl
from medtl_helpers.data.phantoms import draw_ultrasound
from medtl_helpers.lessons.vgg16.experiment import silent
from medtl_helpers.methods import keras_recipes as recipes
from medtl_helpers.methods.grad_cam import grad_cam
from medtl_helpers.methods.keras_recipes import keras
from medtl_helpers.methods.map_scores import highest_inside, mass_inside
from medtl_helpers.methods.two_level import two_level

LOGS = {part: Log(f"recipe_{part}") for part in ("factors", "heads", "heads_tuning", "maps")}
SIZE = 64

# --- which fault does the damage -------------------------------------------------------------------------------------

FAULTS = {  # name -> (as found, right)
    "input": ("0 to 1", "preprocess_input"),
    "trunk": ("trains", "frozen"),
    "rate": (1e-3, 1e-4),
}
LEVEL = 1 - 0.05 / 3  # of each of three intervals
FACTOR_SEEDS, IMAGES, STEPS, EARLY, BATCH = [200, 201], 32, 20, 4, 8


@cache
def clean_test():
    """The test images of BreastMNIST without duplicates: uint8 N×1×64×64, and whether each is malignant."""
    task = medmnist.real("breast")
    there = medmnist.kept("breast", "test", 0.99)
    return task.test.x[torch.from_numpy(there)], medmnist.truth("breast", "test")[there]


def prepared(x, how: str) -> np.ndarray:
    """Images for the network, as found or right."""
    if how == "preprocess_input":
        return recipes.preprocess(x)
    return x.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy() / np.float32(255)


@cache
def frozen_test(how: str) -> np.ndarray:
    trunk = recipes.vgg16_trunk(SIZE, quiet=True)
    return trunk.predict(prepared(clean_test()[0], how), batch_size=16, verbose=0)


def factor(input: str, trunk: str, rate: float, seed: int) -> list[dict]:
    """Train one of the eight recipes; rows after ``STEPS`` steps and, as found, also after ``EARLY``."""
    task = medmnist.real("breast")
    (x, y), (x_test, malignant) = task.train, clean_test()
    drawn = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))[:IMAGES]
    batches = np.random.default_rng(seed).permuted(np.tile(np.arange(IMAGES), (STEPS, 1)), axis=1)
    batches = batches[: STEPS * BATCH // IMAGES].reshape(STEPS, BATCH)  # each epoch sees each image once
    mtl.seed_everything(seed)
    network = recipes.join(recipes.vgg16_trunk(SIZE, quiet=True), recipes.gap_head(2))
    below, above = recipes.split_at(network, "block5_pool")
    images, labels = prepared(x[drawn], input), y[drawn].numpy()
    trained = network
    if trunk == "frozen":
        images, trained = below.predict(images, batch_size=16, verbose=0), above
    trained.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    as_found = (input, trunk, rate) == tuple(found for found, _ in FAULTS.values())
    rows = []
    for step, batch in enumerate(batches, 1):
        trained.train_on_batch(images[batch], labels[batch])
        if step == STEPS or (as_found and step == EARLY):
            maps = (
                frozen_test(input)
                if trunk == "frozen"
                else below.predict(prepared(x_test, input), batch_size=16, verbose=0)
            )
            said = above.predict(maps, verbose=0)[:, task.positive].astype(float)
            scores = {
                "auroc": medmnist.auroc(malignant, said),
                "log loss": log_loss(malignant, said.clip(1e-7, 1 - 1e-7)),
                "accuracy": ((said >= 0.5) == malignant).mean(),
                "balanced accuracy": balanced_accuracy_score(malignant, said >= 0.5),
                "spread": np.ptp(said),
                "silent maps": silent(maps),
            }
            rows.append({"steps": step, "scores": rounded(scores), "answers": said.round(6).tolist()})
    del network, below, above, trained
    gc.collect()
    return rows


def factor_cells() -> list[dict]:
    pairs = product(FACTOR_SEEDS, product(*FAULTS.values()))
    return [dict(zip(FAULTS, setting, strict=True)) | {"seed": seed} for seed, setting in pairs]


def name_of(cell: dict) -> str:
    return ", ".join(str(cell[fault]) for fault in FAULTS)


def factors() -> dict:
    cells = factor_cells()
    fill(LOGS["factors"], cells, factor)
    runs = [run | {"rows": [row | {"way": name_of(run)} for row in run["rows"]]} for run in LOGS["factors"].runs()]
    last = [run | {"rows": [row for row in run["rows"] if row["steps"] == STEPS]} for run in runs]
    ways = list(dict.fromkeys(name_of(cell) for cell in cells))
    said = np.stack([answers(last, cells_of(cells, way), way) for way in ways], -1)  # S×N×8
    y = clean_test()[1]
    right = {
        fault: np.array([1 if str(values[1]) == way.split(", ")[at] else -1 for way in ways])
        for at, (fault, values) in enumerate(FAULTS.items())
    }
    contrasts = {f"without the fault: {fault}": sign / 4 for fault, sign in right.items()}
    contrasts |= {"what the rate costs a free trunk more than a frozen one": -right["trunk"] * right["rate"] / 2}
    found = []
    for name, weights in contrasts.items():

        def contrast(y, of_all, weights=weights):
            return float(weights @ [medmnist.auroc(y, one) for one in of_all.T])

        interval = two_level(y, said, score=contrast, level=LEVEL)
        limits = rounded({"value": interval.value, "low": interval.low, "high": interval.high})
        facts = {"n": len(y), "seeds": len(FACTOR_SEEDS), "level": round(LEVEL, 4)}
        found.append({"ours": name, "theirs": None, "score": "auroc"} | limits | facts)
    return header(seeds=FACTOR_SEEDS, seconds=total_seconds(runs)) | {
        "score": "auroc",
        "data": "real",
        "weights": mtl.load_backbone("vgg16", 2, quiet=True).weights.provenance,
        "images": IMAGES,
        "batch": BATCH,
        "test images": len(y),
        "two_level": found,
        "rows": tidy(runs, cells),
    }


def cells_of(cells: list[dict], way: str) -> list[dict]:
    return [cell for cell in cells if name_of(cell) == way]


# --- GAP or Flatten --------------------------------------------------------------------------------------------------

HEADS = {"GAP": recipes.gap_head, "Flatten": recipes.flatten_head}
HEAD_RATES, HEAD_SEEDS, HEAD_TUNING, HELD_OUT = (1e-4, 3e-4, 1e-3), list(range(200, 220)), (0, 1), 0.25
HEAD_CHOSEN = {"GAP": 3e-4, "Flatten": 3e-4}
HEAD_MARGIN = 0.05  # first meant, and then loosened to 0.15 after the value was seen


@cache
def head_features() -> tuple[np.ndarray, np.ndarray]:
    """VGG16's last feature maps of train and validation without duplicates, and the labels."""
    task = medmnist.real("breast")
    x, y = [], []
    trunk = recipes.vgg16_trunk(SIZE, quiet=True)
    for split in ("train", "val"):
        there = torch.from_numpy(medmnist.kept("breast", split, 0.99))
        x.append(recipes.features(trunk, getattr(task, split).x[there]))
        y.append(getattr(task, split).y[there].numpy())
    return np.concatenate(x), np.concatenate(y)


def head(way: str, seed: int, lr: float | None = None) -> list[dict]:
    """Train one head on three quarters and score it on the last one."""
    features, labels = head_features()
    x, x_out, y, y_out = train_test_split(features, labels, stratify=labels, random_state=seed, test_size=HELD_OUT)
    mtl.seed_everything(seed)
    inputs = keras.Input(x.shape[1:])
    out = inputs
    for layer in HEADS[way](2):
        out = layer(out)
    model = keras.Model(inputs, out)
    model.compile(keras.optimizers.Adam(lr or HEAD_CHOSEN[way]), "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=12, batch_size=64, class_weight=recipes.class_weights(y), verbose=0)
    said, malignant = model.predict(x_out, verbose=0)[:, 0], y_out == 0
    scores = {
        "balanced accuracy": balanced_accuracy_score(malignant, said >= 0.5),
        "auroc": medmnist.auroc(malignant, said),
    }
    return [{"scores": rounded(scores)}]


def heads(tune: bool) -> dict | None:
    trials = [{"way": way, "lr": lr, "seed": seed} for way in HEADS for lr in HEAD_RATES for seed in HEAD_TUNING]
    if tune:
        fill(LOGS["heads_tuning"], trials, head)
        for row in tidy(LOGS["heads_tuning"].runs(), trials):
            print(row["way"], row["lr"], {name: np.mean(values).round(4) for name, values in row["scores"].items()})
        return None
    cells = [{"way": way, "seed": seed} for way in HEADS for seed in HEAD_SEEDS]
    fill(LOGS["heads"], cells, head)
    runs = LOGS["heads"].runs()
    return header(seeds=HEAD_SEEDS, seconds=total_seconds(runs)) | {
        "score": "balanced accuracy",
        "data": "real",
        "weights": mtl.load_backbone("vgg16", 2, quiet=True).weights.provenance,
        "images": len(head_features()[1]),
        "test share": HELD_OUT / (1 - HELD_OUT),
        "margin": HEAD_MARGIN,
        "rates": HEAD_CHOSEN,
        "tuning": tidy(LOGS["heads_tuning"].runs(), trials),
        "rows": tidy(runs, cells),
    }


# --- what Grad-CAM looks at ------------------------------------------------------------------------------------------

MAP_SEEDS, DRAWN = list(range(200, 205)), {"train": 160, "val": 78, "test": 64}


def phantoms(split: str, seed: int):
    """Images, labels and lesions that no other seed or split shares."""
    y = torch.arange(DRAWN[split]) % 2
    stream = ("train", "val", "test").index(split)
    return *draw_ultrasound(y, SIZE, seed=10_000 + 10 * seed + stream), y


def one_map(seed: int) -> list[dict]:
    """Train a head on frozen embedded features; score Grad-CAM and its opponents on new images."""
    mtl.seed_everything(seed)
    model = recipes.join(recipes.vgg16_trunk(SIZE, "embedded", quiet=True), recipes.gap_head(2))
    below, above = recipes.split_at(model, "block5_pool")
    x, _, y = phantoms("train", seed)
    x_val, _, y_val = phantoms("val", seed)
    recipes.train_only(above, "head", lr=3e-4)
    stop = keras.callbacks.EarlyStopping("val_loss", patience=5, restore_best_weights=True)
    val = (recipes.features(below, x_val), y_val.numpy())
    above.fit(recipes.features(below, x), y.numpy(), epochs=30, validation_data=val, callbacks=[stop], verbose=0)
    x, lesions, y = phantoms("test", seed)
    called = above.predict(recipes.features(below, x), verbose=0).argmax(1)
    new_head = recipes.join(below, recipes.gap_head(2))
    centre = np.zeros((len(x), SIZE, SIZE), "float32")
    centre[:, SIZE // 4 : -SIZE // 4, SIZE // 4 : -SIZE // 4] = 1
    found = {
        "trained": grad_cam(model, x, called),
        "random head": grad_cam(new_head, x, called),
        "random weights": grad_cam(keras.models.clone_model(model), x, called),  # a clone has new weights
        "random map": np.random.default_rng(seed).random((len(x), SIZE // 8, SIZE // 8), "float32"),
        "central quarter": centre,
    }
    accuracy = {"accuracy": (called == y.numpy()).mean()}
    return [
        {"way": way, "scores": rounded(of_map(heat, lesions, found["trained"]) | accuracy)}
        for way, heat in found.items()
    ]


def of_map(heat, lesions, trained) -> dict:
    """Mass in the lesion, hits of the highest pixel, and mean rank correlation with the trained network's map."""
    scores = {
        "mass in the lesion": mass_inside(heat, lesions).mean(),
        "highest pixel in the lesion": highest_inside(heat, lesions).mean(),
    }
    if heat.shape == trained.shape:  # all but the central quarter
        likeness = [spearmanr(one.ravel(), other.ravel())[0] for one, other in zip(heat, trained, strict=True)]
        scores["rank correlation with the trained map"] = np.nanmean(likeness)
    return scores


def maps() -> dict:
    cells = [{"seed": seed} for seed in MAP_SEEDS]
    fill(LOGS["maps"], cells, one_map)
    runs = LOGS["maps"].runs()
    return header(seeds=MAP_SEEDS, seconds=total_seconds(runs)) | {
        "score": "mass in the lesion",
        "data": "twin",
        "weights": "phantoms",
        "images": DRAWN,
        "rows": tidy(runs, cells),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("factors", "heads", "maps"))
    parser.add_argument("--tune", action="store_true", help="of heads: three rates each, nothing reported")
    args = parser.parse_args()
    result = heads(args.tune) if args.part == "heads" else {"factors": factors, "maps": maps}[args.part]()
    if result:
        write("recipe_ablation", read("recipe_ablation") | {args.part: result})


if __name__ == "__main__":
    main()
