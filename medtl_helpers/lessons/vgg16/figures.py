"""The figures of notebook 03: the recipe, its faults one by one, the two heads, test results, and Grad-CAM."""

import matplotlib.pyplot as plt
import numpy as np

from ...teaching.plots import COLOURS, interval_marks, interval_plot, show
from ...teaching.records import Record


def show_recipe(*, data=None) -> None:
    """Five blocks of convolutions and a head, in three rows: what each phase trains."""
    figure, axis = plt.subplots(figsize=(8.4, 3.4))
    axis.set_axis_off()
    axis.set(xlim=(-3.1, 7.6), ylim=(-0.6, 3.3))
    rows = {"as found": "TTTTTT", "1. head alone": "ccccfT", "2. top block and head": "ccccss"}
    fills = {"T": COLOURS["orange"], "s": COLOURS["yellow"], "c": COLOURS["blue"], "f": COLOURS["blue"]}
    for row, (name, states) in zip((2, 1, 0), rows.items(), strict=True):
        axis.text(-0.3, row + 0.35, name, ha="right", va="center")
        for column, state in enumerate(states):
            axis.add_patch(plt.Rectangle((column * 1.15, row), 1.0, 0.7, color=fills[state]))
    for column, name in enumerate([*(f"block {k}" for k in range(1, 6)), "head"]):
        axis.text(column * 1.15 + 0.5, 2.95, name, ha="center", fontsize=10)
    legend = {"frozen, computed once": "blue", "trains at a low rate": "yellow", "trains": "orange"}
    for column, (name, colour) in enumerate(legend.items()):
        axis.add_patch(plt.Rectangle((column * 3.4 - 2.6, -0.5), 0.25, 0.25, color=COLOURS[colour]))
        axis.text(column * 3.4 - 2.2, -0.38, name, va="center", fontsize=10)
    show(
        figure,
        "VGG16 as five blocks and a head, three times. As found, all six train. Right, first the head alone trains "
        "and five blocks are frozen; then block 5 and the head train at a low rate.",
        data=data,
        provenance="schematic, no data",
    )


def show_histories(first: dict, second: dict, *, data=None) -> None:
    """The losses of two phases, one after the other (Keras' ``history.history``)."""
    figure, axis = plt.subplots(figsize=(7.2, 3.2))
    start = 1
    for history in (first, second):
        epochs = np.arange(start, start + len(history["loss"]))
        axis.plot(epochs, history["loss"], "o-", color=COLOURS["blue"], label="training (weighted)")
        axis.plot(epochs, history["val_loss"], "s--", color=COLOURS["orange"], label="validation")
        start = epochs[-1] + 1
    axis.axvline(len(first["loss"]) + 0.5, color=COLOURS["grey"], linewidth=1)
    axis.set(xlabel="epoch", ylabel="cross-entropy", title="left of the line: head alone; right: block 5 and head")
    axis.legend(*[part[:2] for part in axis.get_legend_handles_labels()])
    show(
        figure,
        f"Training and validation loss over {start - 1} epochs: first {len(first['loss'])} with the head alone, then "
        f"{len(second['loss'])} with block 5 and the head.",
        data=data,
    )


FAULTS = {"input": "input: 0 to 1", "trunk": "trunk: trains", "rate": "rate: 1e-3"}


def show_ablation(record: Record, steps: int = 20) -> None:
    """Eight recipes, one for each choice of three faults, one dot for each seed; right, what each fault costs.

    ``record`` is the part "factors" of ``recipe_ablation.json``. What a fault costs is the AUROC that is won when it is
    taken away, as the mean over the four choices of the other two.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.2, 3.6), width_ratios=[3, 2])
    ways = sorted(record.values("way", steps=steps), key=lambda way: record.mean(way, steps=steps).value)
    for at, way in enumerate(ways):
        values = record.scores(way, steps=steps)
        left.plot(values, [at] * len(values), "o", color=COLOURS["blue"], alpha=0.8)
    left.axvline(0.5, color=COLOURS["grey"], linewidth=1, linestyle=":")
    left.set_yticks(range(len(ways)), ways)
    left.set(xlabel="test AUROC, one dot for each seed", title="input, trunk, rate")
    gains = {name: record.over_cases(f"without the fault: {fault}") for fault, name in FAULTS.items()}
    interval_plot(right, gains)
    right.axvline(0, color=COLOURS["grey"], linewidth=1)
    right.set(xlabel="AUROC won without it", title="the three faults")
    words = "; ".join(f"{name}, {gain.value:+.2f}" for name, gain in gains.items())
    show(
        figure,
        f"Left, the test AUROC of eight recipes after {steps} steps. Right, what is won when one fault is taken away, "
        f"with intervals over seeds and test images: {words}.",
        provenance=f"recorded, {record.data} data, {record.about['weights']} weights",
    )


def show_heads(weights: dict, record: Record) -> None:
    """Two heads: weights by size of the image (size → name → number), and recorded balanced accuracy by split."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.2))
    names = record.values("way")
    for shift, name, colour in zip((-0.2, 0.2), names, ("blue", "orange"), strict=True):
        millions = [of_size[name] / 1e6 for of_size in weights.values()]
        bars = left.bar([at + shift for at in range(len(weights))], millions, 0.38, color=COLOURS[colour], label=name)
        left.bar_label(bars, fmt="%.1f")
    left.set_xticks(range(len(weights)), [f"{size} px" for size in weights])
    left.set(ylabel="millions", title="new weights")
    left.legend(loc="upper left")
    left.margins(y=0.15)
    splits = list(zip(*(record.scores(name) for name in names), strict=True))
    for pair in splits:
        right.plot(names, pair, "o-", color=COLOURS["grey"], linewidth=1, alpha=0.6)
    right.set(xlim=(-0.5, 1.5), ylabel="balanced accuracy", title="64 px, one line for each split")
    listed = "; ".join(
        f"at {size} px " + ", ".join(f"{name} {of_size[name] / 1e6:.1f}" for name in names)
        for size, of_size in weights.items()
    )
    show(
        figure,
        f"Left, the new weights of the two heads, in millions: {listed}. Right, the balanced accuracy of both heads at "
        f"64 px for each of {len(splits)} random splits.",
        provenance=f"left, counted; right, recorded, {record.data} data",
    )


def show_test(task, probability, threshold: float, report: dict) -> None:
    """Confusion matrix and ROC curve on the test split, and the metrics with their intervals."""
    from sklearn.metrics import ConfusionMatrixDisplay, roc_curve

    truth = (task.test.y == task.positive).numpy().astype(int)
    disease, healthy = task.classes[task.positive], task.classes[1 - task.positive].replace(", ", ",\n")
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(10.6, 3.5))
    ConfusionMatrixDisplay.from_predictions(
        truth, probability >= threshold, display_labels=[healthy, disease], cmap="cividis", colorbar=False, ax=left
    )
    left.grid(False)
    left.tick_params(axis="y", labelrotation=90)
    for label in left.get_yticklabels():
        label.set_va("center")
    left.set(xlabel="answer", ylabel="truth", title=f"threshold {threshold:.2f}")
    middle.plot(*roc_curve(truth, probability)[:2], color=COLOURS["blue"])
    middle.plot([0, 1], [0, 1], color=COLOURS["grey"], linewidth=1, linestyle=":")
    said = probability >= threshold
    middle.plot(said[truth == 0].mean(), said[truth == 1].mean(), "o", color=COLOURS["orange"])
    middle.set(
        xlabel=f"share of the others called {disease}",
        ylabel=f"share of {disease} found (recall)",
        title="ROC, threshold as a dot",
    )
    interval_plot(right, report)
    right.set(xlim=(0, 1), title="95 % bootstrap")
    show(
        figure,
        f"Test split. Left, the confusion matrix at the threshold {threshold:.2f}; middle, the ROC curve with area "
        f"{report['auroc'].value:.2f} and the chosen threshold as a dot; right, six metrics with bootstrap intervals.",
        data=task,
    )


def show_maps(images, lesions, maps: dict, record: Record) -> None:
    """Drawn images with the outline of their lesions, and heat maps over them; beside them the recorded shares.

    Parameters
    ----------
    images: uint8 N×1×H×W. lesions: bool N×H×W. maps: name → float N×h×w, one column for each.
    record: the part "maps" of ``recipe_ablation.json``.
    """
    images, lesions, columns = np.asarray(images), np.asarray(lesions), len(maps) + 1
    figure = plt.figure(figsize=(10.4, 1.05 + 1.45 * len(images)))
    grid = figure.add_gridspec(len(images), columns + 2, width_ratios=[1] * columns + [0.9, 2])
    height, width = images.shape[-2:]
    for row, (image, lesion) in enumerate(zip(images, lesions, strict=True)):
        for column, name in enumerate(["", *maps]):
            axis = figure.add_subplot(grid[row, column])
            axis.set_axis_off()
            axis.imshow(image[0], cmap="gray", vmin=0, vmax=255)
            axis.contour(lesion, [0.5], colors=[COLOURS["sky"]], linewidths=1.2)
            if name:
                style = {"cmap": "inferno", "vmin": 0, "vmax": 1, "alpha": 0.5, "interpolation": "bilinear"}
                axis.imshow(maps[name][row], extent=(-0.5, width - 0.5, height - 0.5, -0.5), **style)
            if row == 0:
                axis.set_title(name.replace(" ", "\n") or "lesion", fontsize=10, loc="center")
    right = figure.add_subplot(grid[:, -1])
    ways = record.values("way")
    for at, way in enumerate(ways):
        values = record.scores(way)
        right.plot(values, [at] * len(values), "o", color=COLOURS["blue"], alpha=0.5)
    right.set_yticks(range(len(ways)), ways)
    right.invert_yaxis()
    right.set_xlim(0, None)
    right.set(xlabel="share of the map in the lesion", title="recorded, by seed")
    means = ", ".join(f"{way} {record.mean(way).value:.2f}" for way in ways)
    show(
        figure,
        f"{len(images)} drawn ultrasound images with their lesions outlined; over them Grad-CAM of {', '.join(maps)}. "
        f"Right, the recorded share of each map that lies in the lesion: {means}.",
        provenance="twin data, drawn by code",
    )


# AUROC of VGG16, all blocks trained, at native 64 px: Doerrich et al., Scientific Reports 15, 7669 (2025),
# doi 10.1038/s41598-025-92156-9.
PUBLISHED = {"breast": 0.902, "pneumonia": 0.987}


def show_medmnist(record: Record) -> None:
    """Recorded AUROC with intervals over seeds and test images, with and without duplicates; published as a line."""
    names = {"breast": "BreastMNIST", "pneumonia": "PneumoniaMNIST"}
    marks = {"native": ("blue", "o", -0.15), "without duplicates": ("orange", "s", 0.15)}
    here = [task for task in names if record.values("way", task=task)]
    figure, axes = plt.subplots(1, len(here), figsize=(max(7.2, 4.9 * len(here)), 4.6), squeeze=False)
    for axis, task in zip(axes[0], here, strict=True):
        ways = record.values("way", task=task)
        for test, (colour, marker, shift) in marks.items():
            found = [record.over_cases(way, task=task, test=test) for way in ways]
            at = [row + shift for row in range(len(ways))]
            interval_marks(axis, at, found, colour=colour, marker=marker, label=f"ours, {test}", horizontal=True)
        line = {"color": COLOURS["grey"], "linestyle": ":", "label": "published, all blocks, native"}
        axis.axvline(PUBLISHED[task], **line)
        axis.set_yticks(range(len(ways)), [way.replace(", ", ",\n") for way in ways])
        axis.invert_yaxis()
        axis.set(xlabel="test AUROC", title=names[task])
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper right", ncols=3, fontsize=9)
    told = [
        f"the top block on {names[task]} {record.over_cases('top block', task=task, test=test).value:.2f} ({test})"
        for task in here
        for test in marks
    ]
    show(
        figure,
        "Recorded test AUROC of VGG16's probe, its top block and cheaper opponents, with intervals over seeds and test "
        f"images, on all test images and without duplicates. Means: {', '.join(told)}.",
        provenance=f"recorded, {record.data} data, {record.about['weights']} weights",
    )
