"""The figures of notebook 03: the recipe in one picture, the two heads, test results, and Grad-CAM."""

import matplotlib.pyplot as plt
import numpy as np

from ...teaching.plots import COLOURS, interval_plot, show
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


def show_heads(weights: dict, accuracy: dict, *, data=None) -> None:
    """Two heads: weights by size of the image (size → name → number), and balanced accuracy by seed (joined dots)."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.2))
    names = list(accuracy)
    for shift, name, colour in zip((-0.2, 0.2), names, ("blue", "orange"), strict=True):
        millions = [of_size[name] / 1e6 for of_size in weights.values()]
        bars = left.bar([at + shift for at in range(len(weights))], millions, 0.38, color=COLOURS[colour], label=name)
        left.bar_label(bars, fmt="%.1f")
    left.set_xticks(range(len(weights)), [f"{size} px" for size in weights])
    left.set(ylabel="millions", title="new weights")
    left.legend(loc="upper left")
    left.margins(y=0.15)
    for pair in zip(*(accuracy[name] for name in names), strict=True):
        right.plot(names, pair, "o-", color=COLOURS["grey"], linewidth=1)
    right.set(xlim=(-0.5, 1.5), ylabel="balanced accuracy", title="64 px, one line for each seed")
    listed = "; ".join(
        f"at {size} px " + ", ".join(f"{name} {of_size[name] / 1e6:.1f}" for name in names)
        for size, of_size in weights.items()
    )
    show(
        figure,
        f"Left, the new weights of the two heads, in millions: {listed}. Right, the balanced accuracy of both heads at "
        "64 px for each seed.",
        data=data,
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


def show_cams(task, maps, called) -> None:
    """Test images in rows, and below each its Grad-CAM laid over it: two of each kind of right and wrong answer.

    Parameters
    ----------
    maps: the Grad-CAM (N×h×w, 0..1) of each of the first N test images.
    called: int N, the class that was answered for each of them.
    """
    truth = task.test.y[: len(maps)].numpy()
    kinds = [(y, answer) for answer in (0, 1) for y in (0, 1)]
    chosen = np.concatenate([np.flatnonzero((truth == y) & (called == answer))[:2] for y, answer in kinds])
    positive = task.classes[task.positive]
    word = {task.positive: positive, 1 - task.positive: f"not {positive}"}
    columns = 4
    pairs = -(-len(chosen) // columns)
    figure, axes = plt.subplots(2 * pairs, columns, figsize=(1.7 * columns, 3.9 * pairs), squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    places = axes.reshape(pairs, 2, columns).transpose(0, 2, 1).reshape(-1, 2)
    for (top, bottom), number in zip(places, chosen, strict=False):
        image = task.test.x[number].permute(1, 2, 0).squeeze(-1)
        height, width = image.shape[:2]
        for axis in (top, bottom):
            axis.imshow(image, cmap="gray", vmin=0, vmax=255)
        extent = (0, width, height, 0)
        style = {"cmap": "inferno", "vmin": 0, "vmax": 1, "alpha": 0.5, "interpolation": "bilinear"}
        bottom.imshow(maps[number], extent=extent, **style)
        top.set_title(f"{word[truth[number]]},\ncalled {word[called[number]]}", fontsize=10, loc="center")
    show(
        figure,
        f"{len(chosen)} test images; below each the same image with its Grad-CAM laid over it, which is bright where "
        "the evidence for the answer lies. The titles give the truth and the answer.",
        data=task,
    )


# Doerrich et al., Scientific Reports 15, 7669 (2025), doi 10.1038/s41598-025-92156-9, VGG16 at native 64 px: (accuracy,
# AUROC).
PUBLISHED = {
    ("breast", "full"): (0.878, 0.902),
    ("breast", "probe"): (0.778, None),
    ("pneumonia", "full"): (0.893, 0.987),
    ("pneumonia", "probe"): (0.841, 0.956),
}


def show_medmnist(record: Record) -> None:
    """Test accuracy and AUROC of recorded runs (``vgg16_medmnist.json``): dots are seeds, diamonds published values."""
    names = {"breast": "BreastMNIST", "pneumonia": "PneumoniaMNIST"}
    figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.4), sharey=True)
    for axis, (score, label) in zip(axes, {"accuracy": "test accuracy", "auroc": "test AUROC"}.items(), strict=True):
        lines = [(data, method) for data in names for method in record.values("way")]
        for at, (data, method) in enumerate(lines):
            values = record.scores(method, score, task=data)
            axis.plot(values, [at] * len(values), "o", color=COLOURS["blue"], alpha=0.8)
            published = PUBLISHED.get((data, method), (None, None))[score == "auroc"]
            if published:
                axis.plot(published, at, "D", color=COLOURS["orange"], markerfacecolor="white", markersize=9)
        axis.set_yticks(range(len(lines)), [f"{names[data]}, {method}" for data, method in lines])
        axis.set(xlabel=label)
    axes[0].invert_yaxis()  # shared by both
    axes[0].plot([], [], "o", color=COLOURS["blue"], label="ours, one dot per seed")
    axes[0].plot([], [], "D", color=COLOURS["orange"], markerfacecolor="white", label="published")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2, fontsize=9)
    alt = (
        "Recorded test accuracy and AUROC of VGG16 on BreastMNIST and PneumoniaMNIST, one dot for each of three seeds, "
        "with the published values as diamonds where there are any. "
        "In AUROC the top block is above the probe in each seed."
    )
    show(figure, alt, provenance=f"recorded, {record.data} data, {record.values('weights')[0]} weights")
