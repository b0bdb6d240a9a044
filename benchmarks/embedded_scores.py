"""What the embedded weights score at 64 px: (a) seen classes, new scanner; (b) held-out classes, held-out scanner.

    python benchmarks/embedded_scores.py                                    # (a) and (b), phantoms, ten labels a class
    python benchmarks/embedded_scores.py --case b --only "all stages"       # some of it now, the rest later
    MEDTL_DATA=/folder/with/medmnist python benchmarks/embedded_scores.py --real    # frozen features on real images
    MEDTL_DATA=/folder/with/medmnist python benchmarks/embedded_scores.py --real --data breast    # of one data set anew
    python benchmarks/embedded_scores.py --card                             # write the weights' card from the results

Resumable: each cell is a line of ``_run/embedded_scores.jsonl``. Only (b) is transfer to a new task. Rows: a linear
probe on the frozen embedded network and on a frozen random one; logistic regression on what all stages of the frozen
network say (``stage_features``); the probe followed by fine-tuning (ResNet: all; VGG16: blocks 4 and 5); the same
network, and a small one (``CourseCNN``), trained from scratch, and once more for four times as many epochs.
Seeds 100 to 109; the epoch is chosen on ten validation images per class. Which stages are read, C and the number of
copies were chosen on other draws of cells, scanner D too, that share no image with these.

Of BreastMNIST every fourth test image is also in train or validation (``data/duplicates.py``), so its scores are also
recorded on the test images without duplicates. In PneumoniaMNIST no test image is.
"""

import argparse
import time
from dataclasses import asdict
from functools import partial

import numpy as np
import torch
from record import Log, fill, header, read, tidy, total_seconds, write
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import medtl_helpers as mtl
from medtl_helpers.data import pretraining as sources
from medtl_helpers.data import smears
from medtl_helpers.data.duplicates import find_duplicates
from medtl_helpers.data.smears import SMEAR
from medtl_helpers.lessons.sequences import experiment as splice
from medtl_helpers.methods import weights
from medtl_helpers.methods.metrics import weighted_auroc

LOG = Log("embedded_scores")
SEEDS, N = range(100, 110), 10
COPIES = 6  # of each image for "all stages": as it is, and five times moved
LONGER = "from scratch, 4 × as long"
SLOW = ("vgg16, embedded, fine-tuned", "vgg16, from scratch")  # left out of (a): hours for what is no new task
WAYS = (
    "embedded, probe",
    "embedded, all stages",
    "embedded, fine-tuned",
    "random, probe",
    "random, all stages",
    "from scratch",
    LONGER,
)
REAL, GAINS = ("breast", "pneumonia"), ("gains", "gains without duplicates")
ON_REAL = (("breast", "auroc"), ("breast", "auroc without duplicates"), ("pneumonia", "auroc"))  # of the card
EPOCHS = {"resnet": 40, "vgg16": 20}  # of everything but the probe
CASES = {"a": sources.SEEN_CELLS, "b": smears.HELD_OUT_CELLS}


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
        mtl.fine_tune(
            model, task.train, task.val, epochs=longer * EPOCHS[network], lr=lr, augment=mtl.augment, **options
        )
        return answers(model, task)
    mtl.probe(model, task.train, task.val, epochs=40, **options)
    if how == "top":
        lr, frozen = {"resnet": (3e-4, None), "vgg16": (1e-4, "block3")}[network]
        mtl.fine_tune(
            model,
            task.train,
            task.val,
            frozen_upto=frozen,
            epochs=EPOCHS[network],
            lr=lr,
            augment=mtl.augment,
            **options,
        )
    return answers(model, task)


def ways_on_phantoms() -> dict:
    """Name → function of a task and a seed that gives answers for the task's test images."""
    ways = {
        "small network, from scratch": partial(small_network, 1),
        f"small network, {LONGER}": partial(small_network, 4),
    }
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
    return ways


ON_PHANTOMS = ways_on_phantoms()


def cells(cases, only) -> list[dict]:
    """Every case, way and seed, of the ways whose names contain one of ``only``."""
    return [
        {"case": case, "way": way, "seed": seed}
        for case in cases
        for way in ON_PHANTOMS
        if any(part in way for part in only) and not (case == "a" and (way.endswith(LONGER) or way in SLOW))
        for seed in SEEDS
    ]


def compute(case: str, way: str, seed: int) -> list[dict]:
    """The accuracy of one way on one draw of cells."""
    task = sources.cell_task([list(SMEAR).index(cell) for cell in CASES[case]], N, seed)
    mtl.seed_everything(seed)
    accuracy = float((ON_PHANTOMS[way](task, seed) == task.test.y.numpy()).mean())
    return [{"scores": {"accuracy": round(accuracy, 4)}}]


def phantoms(cases, only) -> dict:
    """Computes what is asked for and not known yet; returns what is complete, as a part of the record."""
    fill(LOG, cells(cases, only), compute)
    runs = LOG.runs()
    return header(seeds=list(SEEDS), seconds=total_seconds(runs)) | {
        "score": "accuracy",
        "data": "twin",
        "size": 64,
        "labels per class": N,
        "rows": tidy(runs, cells(CASES, [""])),
    }


def real(names) -> dict:
    """Test AUROC of logistic regression on frozen features of all real images, and what embedded weights add to it.

    C is chosen on validation AUROC. The gain over random weights is that over the mean of three random networks.
    Returns a part of the record, with the gains in its header; data sets other than ``names`` stay as they are.
    """
    begin, before = time.perf_counter(), read("embedded_scores").get("real", {})
    rows = [row for row in before.get("rows", []) if row["task"] not in names]
    gains = [
        {name: gain for name, gain in before.get(part, {}).items() if name.split(",")[0] not in names} for part in GAINS
    ]
    for data in names:
        task = mtl.load(data, size=64)
        if task.provenance != "real":
            raise SystemExit(f"{data} is not on this disk.")
        y, clean = (task.test.y == task.positive).numpy(), np.ones(len(task.test.y), bool)
        clean[find_duplicates(mtl.load(data, quiet=True)).repeated("test")] = False
        for network in ("resnet", "vgg16"):
            found = scores_by_weights(network, task)
            for other in ("random", "stand-in"):
                for part, there in zip(gains, (np.ones_like(clean), clean), strict=True):
                    if other in found:
                        ours, theirs = found["phantoms"][0][there], [one[there] for one in found[other]]
                        gain = auroc_difference(y[there], ours, theirs)
                        print(f"{data}, {network}, phantoms minus {other}: {gain}", flush=True)
                        part[f"{data}, {network}, phantoms minus {other}"] = asdict(gain)
            for way, runs in found.items():
                scores = {
                    name: [round(float(roc_auc_score(y[there], scores[there])), 4) for scores in runs]
                    for name, there in {"auroc": np.ones_like(clean), "auroc without duplicates": clean}.items()
                }
                row = {"task": data, "network": network, "way": way, "scores": scores}
                rows.append(row | {"seeds": list(range(len(runs)))})
    rows.sort(key=lambda row: row["task"])
    gains = [dict(sorted(part.items(), key=lambda gain: gain[0].split(",")[0])) for part in gains]
    about = header(seeds=[0, 1, 2], seconds=time.perf_counter() - begin)
    if set(names) != set(REAL):
        about["command"] = f"{before['command']}; {about['command']}"
        about["the other data sets"] = {fact: before[fact] for fact in ("commit", "versions", "seconds")}
    return (
        about | {"score": "auroc", "data": "real", "size": 64} | dict(zip(GAINS, gains, strict=True)) | {"rows": rows}
    )


def scores_by_weights(network: str, task) -> dict[str, list[np.ndarray]]:
    """Provenance of the weights → for each seed the scores of the test images; only random weights have several."""
    found: dict[str, list[np.ndarray]] = {}
    for start, seeds in (("random", (0, 1, 2)), ("embedded", (0,)), (None, (0,))):
        for seed in seeds:
            mtl.seed_everything(seed)
            model = mtl.freeze(mtl.load_backbone(network, 2, weights=start, quiet=True))
            runs = found.setdefault(model.weights.provenance, [])
            if seed == len(runs):  # else no other weights are here: the embedded ones again
                runs.append(scores_of_test_images(model, task))
                print(task.name, network, model.weights.provenance, len(runs), flush=True)
    return found


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
        (
            make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=2000)).fit(x[0], y[0])
            for c in 10.0 ** np.arange(-5, 1)
        ),
        key=lambda m: roc_auc_score(y[1], m.decision_function(x[1])),
    )
    return best.decision_function(x[2])


def card() -> str:
    """The card of the embedded weights in Markdown, every number from the committed results."""
    on_phantoms = mtl.Record("embedded_scores", "phantoms")
    on_real = mtl.Record("embedded_scores", "real") if "real" in mtl.recorded("embedded_scores") else None
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
        names = {way: f"{network}, {way}" for way in WAYS}
        names |= {f"another, small network, {way}": f"small network, {way}" for way in ("from scratch", LONGER)}
        for title, way in names.items():
            means = [_mean(on_phantoms, way, case=case) for case in CASES]
            lines.append(f"| {title} | " + " | ".join(means) + " |")
        lines.append("")
        for way in ("probe", "all stages", "fine-tuned"):
            others = (
                f"{network}, from scratch",
                f"{network}, {LONGER}",
                "small network, from scratch",
                f"small network, {LONGER}",
                f"{network}, random, all stages",
            )
            for other in others[: 5 if way == "all stages" else 4]:
                if other in on_phantoms.values("way", case="b"):
                    gain = on_phantoms.paired(f"{network}, embedded, {way}", other, case="b")
                    lines.append(f"- (b) {way} minus {other}: {gain}")
        lines.append("")
        if on_real is None:
            continue
        lines.append("| on real images, frozen, test AUROC | BreastMNIST | without duplicates | PneumoniaMNIST |")
        lines.append("|---|---|---|---|")
        for way in ("phantoms", "random", "stand-in"):
            means = [_mean(on_real, way, score, task=task, network=network) for task, score in ON_REAL]
            lines.append(f"| {way} | " + " | ".join(means) + " |")
        lines.append("")
        lines += [
            f"- {name.replace(f', {network}', '')}{part.removeprefix('gains')}: {mtl.Interval(**gain)}"
            for part in GAINS
            for name, gain in on_real.about[part].items()
            if f", {network}," in name
        ]
        lines.append("")
    return "\n".join([*lines, *of_sequences(), *of_texts(), *of_outlines(), *of_molecules()])


def of_sequences() -> list[str]:
    """The part of the card on the weights of ``SequenceCNN``."""
    about, record = mtl.recorded("pretraining_splice_cnn"), mtl.Record("sequences", stage="report", data="real")
    n, where = splice.LABELS[0], {"kind": "labels", "labels": splice.LABELS[0]}
    lines = [
        f"## `splice_cnn.pt`\n\nSequenceCNN, {about['weights']:,} weights: {about['sites']:,} splice sites drawn "
        f"by code (`medtl_helpers/data/splice_sites.py`), {about['seconds']} seconds on one core, AdamW; accuracy "
        f"on the last drawn sites {about['log [step, loss, accuracy]'][-1][2]:.0%}. Half precision changes no "
        f"probability by more than {about['largest change of a probability by half precision']:.1g}. **Never seen**: a "
        "real sequence. Beside it stands the published table that its sites are drawn from, read without a network.\n",
        "| real splice junctions (UCI), each sequence once, 1,000 test rows | labels of each class | accuracy |",
        "|---|---|---|",
    ]
    for way, labels in CARD_SEQUENCES.items():
        accuracy = _mean(record, way, **where) if labels else f"{record.mean(way, **where).value:.3f}"
        lines.append(f"| {way} | {n if labels else 0} | {accuracy} |")
    return [*lines, ""]


def of_texts() -> list[str]:
    """The part of the card on the weights of ``TextTransformer``."""
    about = mtl.recorded("pretraining_report_encoder")
    lines = [
        f"## `report_encoder.pt`\n\nTextTransformer, {about['weights']:,} weights: {about['sentences']:,} sentences of "
        f"hospital A, drawn by code (`medtl_helpers/data/report_grammar.py`), {about['seconds']} seconds on one core, "
        "AdamW. Its head says whether the finding in double brackets is affirmed or negated. Half precision changes no "
        f"probability by more than {about['largest change of a probability by half precision']:.1g}. **Never seen**: a "
        "real sentence. **Not for** any decision on a patient. It reads 48 word pieces around the finding "
        "(`report_pieces.json`), and what it says of real sentences is measured in lesson 10.\n",
        "| 4,000 newly drawn sentences of each kind | balanced accuracy |",
        "|---|---|",
    ]
    lines += [f"| {name} | {value:.3f} |" for name, value in about["balanced accuracy on drawn sentences"].items()]
    return [*lines, ""]


def of_outlines() -> list[str]:
    """The part of the card on the weights of ``UNet``."""
    about = mtl.recorded("pretraining_nuclei_unet")
    lines = [
        f"## `nuclei_unet.pt`\n\nUNet, {about['weights']:,} weights: {about['drawn pictures']:,} pictures of nuclei in "
        "any colours, 64 px, drawn by code (`medtl_helpers/data/drawn_nuclei.py`), each also turned and in random "
        f"contrast, {about['seconds'] / 60:.0f} minutes on one core, AdamW. Half precision changes no probability by "
        f"more than {about['largest change of a probability by half precision']:.1g}. **Never seen**: a real picture, "
        "or one that is drawn as fluorescence, histology or bright field. **Not for** any decision on a patient. Its "
        "masks do not tell nuclei apart that touch, and what it outlines in real pictures is measured in lesson 12.\n",
        "| 200 newly drawn pictures of each kind, 128 px | Dice |",
        "|---|---|",
    ]
    lines += [f"| {kind} | {value:.3f} |" for kind, value in about["Dice on drawn pictures"].items()]
    return [*lines, ""]


def of_molecules() -> list[str]:
    """The part of the card on the weights of ``GraphNet``."""
    about = mtl.recorded("pretraining_molecules")
    left_out = about["left out since they are in a real set"]
    lines = [
        f"## `molecule_net.pt`\n\nGraphNet, {about['weights']:,} weights: {about['drawn molecules']:,} molecules of "
        f"{about['their scaffolds']:,} scaffolds, drawn by code (`medtl_helpers/data/drawn_molecules.py`), "
        f"{about['seconds'] / 60:.0f} minutes on one core, AdamW. It names eight descriptors that RDKit computes. Of "
        f"{about['drawn first']:,} drawn molecules {left_out['different']} stand in a real set (ESOL "
        f"{left_out['esol']}, BBBP {left_out['bbbp']}, Tox21 {left_out['tox21']}) and were left out. Half precision "
        "changes no standardised descriptor by more than "
        f"{about['largest change of a standardised descriptor by half precision']:.1g}. **Never seen**: a real "
        "molecule, a molecule of the twins, or anything that was measured. **Not for** any decision on a patient or a "
        "substance. What it is worth for real molecules is measured in lesson 11.\n",
        "| 1,000 newly drawn molecules | share of the variance that is explained, R² |",
        "|---|---|",
    ]
    lines += [f"| {name} | {value:.3f} |" for name, value in about["R² on 1,000 new drawn molecules"].items()]
    return [*lines, ""]


def _mean(record, way: str, score: str | None = None, **where) -> str:
    if way not in record.values("way", **where):
        return "not run"
    values = record.scores(way, score, **where)
    deviation = f" ± {np.std(values, ddof=1):.3f} ({len(values)} seeds)" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{deviation}"


CARD_SEQUENCES = {  # way -> whether it has labels
    "two-letter rule": False,
    "published table": False,
    "drawn sites, zero-shot": False,
    "fine-tuned": True,
    "probe": True,
    "random features": True,
    "from scratch": True,
    "one-hot regression": True,
}

CARD_HEAD = """\
# Embedded weights

Written by `python benchmarks/embedded_scores.py --card` from the results in `benchmarks/results`. Not for diagnosis.

Networks for DNA, texts, outlines and molecules stand at the end. Two networks of images were pre-trained by
`benchmarks/pretrain.py` on images drawn by code (`medtl_helpers/data/pretraining.py`): blood cells of five types, chest
findings other than pneumonia, waves, fractals and outlines. **Never seen** in pre-training: the cells basophil,
immature granulocyte and monocyte, pneumonia, every breast ultrasound, and scanners B and D. Case (a) reads out classes
that pre-training knew, on a scanner that it did not; only case (b), held-out classes on the held-out scanner D, is
transfer to a new task. "stand-in" means given weights that stand in for ImageNet's. ± is the deviation over seeds.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--card", action="store_true")
    parser.add_argument("--data", nargs="*", default=list(REAL), help="data sets of --real")
    parser.add_argument("--case", nargs="*", default=["b", "a"])
    parser.add_argument("--only", nargs="*", default=[""], help="ways whose names contain one of these")
    args = parser.parse_args()
    if args.card:
        weights.embedded("vgg16").with_name("README.md").write_text(card())
    elif args.real:
        write("embedded_scores", read("embedded_scores") | {"real": real(args.data)})
    else:
        write("embedded_scores", read("embedded_scores") | {"phantoms": phantoms(args.case, args.only)})


if __name__ == "__main__":
    main()
