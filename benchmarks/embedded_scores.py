"""What the embedded weights score at 64 px: (a) seen classes, new scanner; (b) held-out classes, held-out scanner.

    python benchmarks/embedded_scores.py                                    # (a) and (b), phantoms, ten labels a class
    python benchmarks/embedded_scores.py --case b --only "all stages"       # some of it now, the rest later
    MEDTL_DATA=/folder/with/medmnist python benchmarks/embedded_scores.py --real    # frozen features on real images
    python benchmarks/embedded_scores.py --card                             # write the weights' card from the results

Resumable: each score is a line of ``_run/embedded_scores.jsonl``. Only (b) is transfer to a new task. Rows: a linear
probe on the frozen embedded network and on a frozen random one; logistic regression on what all stages of the frozen
network say (``stage_features``); the probe followed by fine-tuning (ResNet: all; VGG16: blocks 4 and 5); the same
network, and a small one (``CourseCNN``), trained from scratch, and once more for four times as many epochs.
Seeds 100 to 109; the epoch is chosen on ten validation images per class. Which stages are read, C and the number of
copies were chosen on other draws of cells, scanner D too, that share no image with these.
"""

import argparse
import json
import time
from dataclasses import asdict
from functools import partial
from itertools import product

import numpy as np
import torch
from record import RESULTS, Log, header
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

import medtl_helpers as mtl
from medtl_helpers import sources, weights
from medtl_helpers.metrics import weighted_auroc
from medtl_helpers.phantoms import SMEAR

LOG = Log("embedded_scores")
SEEDS, N = range(100, 110), 10
COPIES = 6  # of each image for "all stages": as it is, and five times moved
LONGER = "from scratch, 4 × as long"
SLOW = ("vgg16, embedded, fine-tuned", "vgg16, from scratch")  # left out of (a): hours for what is no new task
WAYS = ("embedded, probe", "embedded, all stages", "embedded, fine-tuned", "random, probe", "random, all stages",
        "from scratch", LONGER)  # fmt: skip
EPOCHS = {"resnet": 40, "vgg16": 20}  # of everything but the probe
CASES = {"a": sources.SEEN_CELLS, "b": sources.HELD_OUT_CELLS}


def answers(model, task) -> np.ndarray:
    return mtl.predict(model, task.test.x).argmax(1).numpy()


def small_network(longer, task, seed):
    model = mtl.CourseCNN(3, len(task.classes), norm="batch")
    mtl.fit(
        model, task.train, task.val, epochs=40 * longer, batch_size=16, seed=seed, augment=mtl.augment, progress=False
    )
    return answers(model, task)


def all_stages(network, start, task, seed):
    """Answers of logistic regression on all stages of the frozen network, fitted to the images and moved copies."""
    model = mtl.load_backbone(network, len(task.classes), weights=start, quiet=True)
    generator = torch.Generator().manual_seed(seed)
    moved = [mtl.augment(task.train.x, generator, shift=4) for _ in range(COPIES - 1)]
    x, y = torch.cat([task.train.x, *moved]), task.train.y.repeat(COPIES)
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=3000))
    linear.fit(mtl.stage_features(model, x).numpy(), y)
    return linear.predict(mtl.stage_features(model, task.test.x).numpy())


def with_backbone(network, start, how, task, seed, longer=1):
    model = mtl.load_backbone(network, len(task.classes), weights=start, quiet=True)
    options = {"batch_size": 16, "seed": seed, "progress": False}
    if how == "all":
        lr = {"resnet": 1e-3, "vgg16": 1e-4}[network]
        mtl.fine_tune(model, task.train, task.val, epochs=longer * EPOCHS[network], lr=lr, augment=mtl.augment,
                      **options)  # fmt: skip
        return answers(model, task)
    mtl.probe(model, task.train, task.val, epochs=40, **options)
    if how == "top":
        lr, frozen = {"resnet": (3e-4, None), "vgg16": (1e-4, "block3")}[network]
        mtl.fine_tune(model, task.train, task.val, frozen_upto=frozen, epochs=EPOCHS[network], lr=lr,
                      augment=mtl.augment, **options)  # fmt: skip
    return answers(model, task)


def phantoms(cases, only) -> dict:
    """Accuracies per seed of every case, network and way, whose names contain one of ``only``."""
    ways = {"small network, from scratch": partial(small_network, 1),
            f"small network, {LONGER}": partial(small_network, 4)}  # fmt: skip
    for network in ("resnet", "vgg16"):
        ways |= {
            f"{network}, embedded, probe": partial(with_backbone, network, "embedded", "probe"),
            f"{network}, random, probe": partial(with_backbone, network, "random", "probe"),
            f"{network}, embedded, all stages": partial(all_stages, network, "embedded"),
            f"{network}, random, all stages": partial(all_stages, network, "random"),
            f"{network}, embedded, fine-tuned": partial(with_backbone, network, "embedded", "top"),
            f"{network}, from scratch": partial(with_backbone, network, "random", "all"),
            f"{network}, {LONGER}": partial(with_backbone, network, "random", "all", longer=4),
        }
    known = {(row["case"], row["way"], row["seed"]) for row in LOG.rows()}
    for case, name in product(cases, ways):
        if not any(part in name for part in only) or (case == "a" and (name.endswith(LONGER) or name in SLOW)):
            continue
        for seed in tqdm([s for s in SEEDS if (case, name, s) not in known], desc=f"{case}, {name}"):
            start = time.perf_counter()
            task = sources.cell_task([list(SMEAR).index(cell) for cell in CASES[case]], N, seed)
            mtl.seed_everything(seed)
            accuracy = round(float((ways[name](task, seed) == task.test.y.numpy()).mean()), 4)
            seconds = round(time.perf_counter() - start, 1)
            LOG.add({"case": case, "way": name, "seed": seed, "accuracy": accuracy, "seconds": seconds})
    return complete(LOG.rows())


def complete(rows: list[dict]) -> dict:
    """Case → way → one accuracy per seed, of the ways that have all seeds."""
    scores = {case: {} for case in CASES}
    for row in sorted(rows, key=lambda row: row["seed"]):
        scores[row["case"]].setdefault(row["way"], []).append(row["accuracy"])
    return {
        case: {way: found for way, found in ways.items() if len(found) == len(SEEDS)} for case, ways in scores.items()
    }


def real() -> dict:
    """Test AUROC of logistic regression on frozen features of all real images, and what embedded weights add to it.

    C is chosen on validation AUROC. The gain over random weights is that over the mean of three random networks.
    """
    found, scores, gains = {}, {}, {}
    for data in ("breast", "pneumonia"):
        task = mtl.load(data, size=64)
        if task.provenance != "real":
            raise SystemExit(f"{data} is not on this disk.")
        for network in ("resnet", "vgg16"):
            for start, seeds in (("random", (0, 1, 2)), ("embedded", (0,)), (None, (0,))):
                for seed in seeds:
                    mtl.seed_everything(seed)
                    model = mtl.freeze(mtl.load_backbone(network, 2, weights=start, quiet=True))
                    name = f"{data}, {network}, {model.weights.provenance}"
                    if seed < len(found.get(name, [])):  # no ImageNet weights here: embedded again
                        continue
                    found.setdefault(name, []).append(scores_of_test_images(model, task))
                    print(name, len(found[name]), flush=True)
            y, ours = (task.test.y == task.positive).numpy(), found[f"{data}, {network}, phantoms"]
            for other in ("random", "stand-in"):
                theirs = found.get(f"{data}, {network}, {other}")
                if theirs:
                    gain = auroc_difference(y, ours[0], theirs)
                    print(f"{data}, {network}, phantoms minus {other}: {gain}", flush=True)
                    gains[f"{data}, {network}, phantoms minus {other}"] = asdict(gain)
            scores |= {name: [round(float(roc_auc_score(y, score)), 4) for score in runs]
                       for name, runs in found.items() if name.startswith(f"{data}, {network}")}  # fmt: skip
    return {"scores": scores, "gains": gains}


def auroc_difference(y, ours, theirs, resamples=2000) -> mtl.Interval:
    """AUROC of ``ours`` minus the mean AUROC of each of ``theirs`` (scores N); both see the same resampled images."""
    rng, counts = np.random.default_rng(0), np.ones((resamples + 1, len(y)))  # the first row: the images as they are
    for of_class in (y, ~y):
        n = of_class.sum()
        counts[1:, of_class] = rng.multinomial(n, np.full(n, 1 / n), resamples)
    gain = weighted_auroc(y, ours, counts) - np.mean([weighted_auroc(y, other, counts) for other in theirs], axis=0)
    low, high = np.quantile(gain[1:], [0.025, 0.975])
    return mtl.Interval(
        float(gain[0]), float(low), float(high), "stratified bootstrap over test images, paired", len(y)
    )


def scores_of_test_images(model, task) -> np.ndarray:
    """Scores of the test images, float64 N; higher means more likely positive."""
    x = [mtl.prefix_features(model, split.x).numpy() for split in (task.train, task.val, task.test)]
    y = [(split.y == task.positive).numpy() for split in (task.train, task.val, task.test)]
    best = max(
        (make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=2000)).fit(x[0], y[0])
         for c in 10.0 ** np.arange(-5, 1)),
        key=lambda m: roc_auc_score(y[1], m.decision_function(x[1])),
    )  # fmt: skip
    return best.decision_function(x[2])


def card() -> str:
    """The card of the embedded weights in Markdown, every number from the committed results."""
    scores = mtl.recorded("embedded_scores")
    lines = [CARD_HEAD]
    for network, file in weights.EMBEDDED.items():
        about = mtl.recorded(f"pretraining_{network}")
        images = " and ".join(f"{n:,} images of {size}" for size, n in about["images"].items())
        lines.append(
            f"## `{file}`\n\n{network}: {images}, {about['classes']} classes, {about['seconds'] / 60:.0f} minutes on "
            f"{about['cores']} {about['device']} cores shared with other work, AdamW; accuracy on the last 50 batches "
            f"of pre-training {about['log [step, loss, accuracy]'][-1][2]:.0%}. Folding and half precision change no "
            f"probability by more than {about['largest change of a probability by folding and half precision']:.1g}.\n"
        )
        lines.append("| at 64 px, ten labels per class, accuracy | (a) seen classes, new scanner | (b) new task |")
        lines.append("|---|---|---|")
        for way in WAYS:
            cells = [scores["phantoms"]["scores"][case].get(f"{network}, {way}") for case in CASES]
            lines.append(f"| {way} | " + " | ".join(_mean(values) for values in cells) + " |")
        for way in ("from scratch", LONGER):
            cells = [scores["phantoms"]["scores"][case].get(f"small network, {way}") for case in CASES]
            lines.append(f"| another, small network, {way} | " + " | ".join(_mean(values) for values in cells) + " |")
        lines.append("")
        new = scores["phantoms"]["scores"]["b"]
        for way in ("probe", "all stages", "fine-tuned"):
            others = (f"{network}, from scratch", f"{network}, {LONGER}", "small network, from scratch",
                      f"small network, {LONGER}", f"{network}, random, all stages")  # fmt: skip
            for other in others[: 5 if way == "all stages" else 4]:
                if other not in new:
                    continue
                gain = mtl.paired_difference(new[f"{network}, embedded, {way}"], new[other])
                lines.append(f"- (b) {way} minus {other}: {gain}")
        lines.append("")
        if "real" not in scores:
            continue
        lines.append("| on real images, frozen, test AUROC | BreastMNIST | PneumoniaMNIST |\n|---|---|---|")
        for kind in ("phantoms", "random", "stand-in"):
            cells = [scores["real"]["scores"].get(f"{data}, {network}, {kind}") for data in ("breast", "pneumonia")]
            lines.append(f"| {kind} | " + " | ".join(_mean(values) for values in cells) + " |")
        lines.append("")
        lines += [f"- {name.replace(f', {network}', '')}: {mtl.Interval(**gain)}"
                  for name, gain in scores["real"]["gains"].items() if f", {network}," in name]  # fmt: skip
        lines.append("")
    return "\n".join(lines)


def _mean(values: list[float] | None) -> str:
    if not values:
        return "not run"
    deviation = f" ± {np.std(values, ddof=1):.3f} ({len(values)} seeds)" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{deviation}"


CARD_HEAD = """\
# Embedded weights

Written by `python benchmarks/embedded_scores.py --card` from the results in `benchmarks/results`. Not for diagnosis.

Two networks, pre-trained by `benchmarks/pretrain.py` on images drawn by code (`medtl_helpers/sources.py`): blood cells
of five types, chest findings other than pneumonia, waves, fractals and outlines. **Never seen** in pre-training: the
cells basophil, immature granulocyte and monocyte, pneumonia, every breast ultrasound, and scanners B and D. Case (a)
reads out classes that pre-training knew, on a scanner that it did not; only case (b), held-out classes on the held-out
scanner D, is transfer to a new task. "stand-in" means given weights that stand in for ImageNet's. ± is the deviation
over seeds.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--card", action="store_true")
    parser.add_argument("--case", nargs="*", default=["b", "a"])
    parser.add_argument("--only", nargs="*", default=[""], help="ways whose names contain one of these")
    args = parser.parse_args()
    on_real = args.real
    if args.card:
        weights.embedded("vgg16").with_name("README.md").write_text(card())
        return
    path = RESULTS / "embedded_scores.json"
    result = json.loads(path.read_text()) if path.is_file() else {}
    start = time.perf_counter()
    found = real() if on_real else {"labels per class": N, "scores": phantoms(args.case, args.only)}
    seconds = time.perf_counter() - start if on_real else sum(row["seconds"] for row in LOG.rows())
    about = header(seeds=[0, 1, 2] if on_real else list(SEEDS), seconds=seconds)
    result["real" if on_real else "phantoms"] = about | {"size": 64} | found
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
