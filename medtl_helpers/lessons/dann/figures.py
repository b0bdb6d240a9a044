"""The figures of notebook 05: two domains, the curves of one run, features before and after, and the recorded rows."""

import matplotlib.pyplot as plt
import numpy as np
import torch

from ...methods.gradient_reversal import lambda_schedule
from ...methods.history import DANNHistory
from ...methods.intervals import Interval
from ...teaching.plots import COLOURS, interval_marks, interval_plot, show
from ...teaching.records import Record

KINDS = {  # what the record calls a kind of data, and what the corner of a figure says
    "smear": "phantoms",
    "digits": "real data",
    "hospitals": "real data",
    "others": "simulated shifts of real data (moons: drawn)",
}
ROWS = {  # name in the record: colour and marker
    "source only": ("black", "s"),
    "AdaBN": ("sky", "^"),
    "λ = 0": ("green", "v"),
    "DANN": ("orange", "o"),
    "ceiling": ("grey", "D"),
}


def show_classes(source, target, classes, *, data=None) -> None:
    """One source and one target image of each class, in two rows."""
    figure, axes = plt.subplots(2, len(classes), figsize=(8.6, 2.9))
    for row, (split, where) in zip(axes, ((source, "source"), (target, "target")), strict=True):
        for k, (axis, name) in enumerate(zip(row, classes, strict=True)):
            axis.imshow(split.x[split.y == k][0].permute(1, 2, 0))
            axis.set(xticks=[], yticks=[])
            if where == "source":
                axis.set_title(name.replace(" ", "\n"), fontsize=8, loc="center")
        row[0].set_ylabel(where, fontsize=10)
    show(
        figure,
        "One image of each of the eight cell types, in two rows. The upper row is the source, with a plain bright "
        "background. The lower row is the target: the types are the same, and coloured waves cover the background.",
        data=data,
    )


def show_schedule(history: DANNHistory, *, data=None) -> None:
    """Losses, domain accuracy and λ of one run, by epoch."""
    epochs = np.arange(1, len(history.lam) + 1)
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.3))
    left.plot(epochs, history.class_loss, "s-", color=COLOURS["black"], markersize=4, label="class loss, source")
    left.plot(epochs, history.domain_loss, "o-", color=COLOURS["orange"], markersize=4, label="domain loss")
    left.axhline(np.log(2), color=COLOURS["grey"], linestyle=":", linewidth=1)
    at = (epochs[-1], np.log(2))
    left.annotate("ln 2: guessing the domain", at, (0, -13), textcoords="offset points", ha="right", fontsize=9)
    left.set(xlabel="epoch", ylabel="loss (nats)", title="Two losses")
    left.legend(fontsize=9)
    right.plot(epochs, history.domain_accuracy, "o-", color=COLOURS["orange"], markersize=4, label="domain accuracy")
    right.plot(epochs, history.val_accuracy, "s-", color=COLOURS["black"], markersize=4, label="source validation")
    right.plot(epochs, history.lam, "--", color=COLOURS["blue"], label="λ")
    right.axhline(0.5, color=COLOURS["grey"], linestyle=":", linewidth=1, label="guessing the domain")
    right.set(xlabel="epoch", ylim=(0, 1.05), title="Accuracies, and λ")
    right.legend(fontsize=9, loc="center right", bbox_to_anchor=(1, 0.7))
    show(
        figure,
        f"On the left, the class loss falls to {history.class_loss[-1]:.2f} over {len(epochs)} epochs, and the "
        f"domain loss ends at {history.domain_loss[-1]:.2f}, where guessing gives 0.69. On the right, the domain "
        f"accuracy ends at {history.domain_accuracy[-1]:.2f} and the accuracy on source validation at "
        f"{history.val_accuracy[-1]:.2f}, while λ rises to {history.lam[-1]:.2f}.",
        data=data,
    )


def show_features(features: dict, *, data=None) -> None:
    """Name → (source features, target features), both N×D: their first two principal components, one panel each."""
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    figure, axes = plt.subplots(1, len(features), figsize=(4.3 * len(features), 3.7))
    for axis, (name, parts) in zip(np.atleast_1d(axes), features.items(), strict=True):
        both = StandardScaler().fit_transform(torch.cat(list(parts)).numpy())
        points = PCA(2, random_state=0).fit_transform(both)
        cut = len(parts[0])
        axis.plot(*points[:cut].T, "o", color=COLOURS["blue"], markersize=3, alpha=0.5, label="source")
        axis.plot(*points[cut:].T, "^", color=COLOURS["orange"], markersize=3, alpha=0.5, label="target")
        axis.set(title=name, xlabel="component 1", xticks=[], yticks=[])
    np.atleast_1d(axes)[0].set_ylabel("component 2")
    np.atleast_1d(axes)[0].legend(markerscale=2, fontsize=9)
    show(
        figure,
        "The first two principal components of the features of test images are shown, of the source as blue dots "
        f"and of the target as orange triangles. The panels are {' and '.join(features)}. In the first, large "
        "parts of the two clouds lie apart, and in the last they lie over each other.",
        data=data,
    )


def show_record(record: Record, shifts: dict, *, live: dict | None = None) -> None:
    """Target accuracy of each row under each shift, with intervals; ``live`` (row → accuracy) as open marks.

    ``record``: the rows of one kind. ``shifts``: title → what the record calls the shift, like
    ``{"shift": "texture", "strength": 0.6}``; the live marks stand in the first panel.
    """
    lines = 2 if len(shifts) == 4 else 1
    columns = -(-len(shifts) // lines)
    figure, axes = plt.subplots(lines, columns, figsize=(2.5 + 2.1 * columns, 3.5 * lines), sharey=True, squeeze=False)
    told = []
    for k, (axis, (title, shift)) in enumerate(zip(axes.flat, shifts.items(), strict=True)):
        means = {name: record.mean(name, **shift) for name in ROWS}
        for at, (name, mean) in enumerate(means.items()):
            colour, marker = ROWS[name]
            interval_marks(axis, [at], [mean], colour=colour, marker=marker)
            if live and name in live and k == 0:
                axis.plot(at + 0.25, live[name], marker, color=COLOURS[colour], markersize=6, fillstyle="none")
        axis.set_xticks(range(len(ROWS)), ROWS, rotation=50, ha="right", fontsize=9)
        axis.set_xlim(-0.5, len(ROWS) - 0.5)
        axis.set_title(title, fontsize=10)
        told.append(f"For {title}: " + ", ".join(f"{name} {mean.value:.2f}" for name, mean in means.items()) + ".")
    for axis in axes[:, 0]:
        axis.set(ylabel="target test accuracy", ylim=(0, 1.06))
    seeds, marks = len(record.seeds), "; open marks: live" if live else ""
    show(
        figure,
        f"Target test accuracy is shown as the mean of {seeds} seeds with its 95 % interval. {' '.join(told)}",
        provenance=f"recorded, {seeds} seeds, 95 % t{marks}; {_kind(record)}",
    )


def show_lambda(tuning: Record) -> None:
    """Left, λ against progress; right, target accuracy against λ_max on the tuning shifts, seeds as thin lines."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.3))
    p = np.linspace(0, 1, 101)
    for lam_max, style in ((1.0, "-"), (0.3, "--"), (0.1, ":")):
        left.plot(p, [lambda_schedule(v, lam_max) for v in p], style, color=COLOURS["blue"], label=f"λ_max {lam_max:g}")
    left.set(xlabel="progress p", ylabel="λ", title="The schedule")
    left.legend(fontsize=9)
    told = []
    for (shift, strength), colour in zip(tuning.values("shift", "strength"), ("orange", "green"), strict=True):
        names = {lam: f"batch norm, λ {lam:g}" for lam in (0.1, 0.3, 1.0)}
        scores = np.array([tuning.scores(name, shift=shift, strength=strength) for name in names.values()])
        right.plot(list(names), scores, color=COLOURS[colour], alpha=0.35, linewidth=1)
        right.plot(list(names), scores.mean(1), "o-", color=COLOURS[colour], label=f"{shift} {strength:g}")
        means = (f"{mean:.2f} at {lam:g}" for lam, mean in zip(names, scores.mean(1), strict=True))
        told.append(f"on {shift}, {', '.join(means)}")
    right.set(xscale="log", xlabel="λ_max", ylabel="target test accuracy", title="Tuning seeds 0 to 4, batch norm")
    right.set_xticks(list(names), [f"{lam:g}" for lam in names])
    right.minorticks_off()
    right.set_ylim(bottom=right.get_ylim()[0] - 0.06)  # room for the legend
    right.legend(fontsize=9, loc="lower right", ncols=2)
    show(
        figure,
        "On the left, λ rises from 0 and is near its maximum at half of the training. On the right, the mean target "
        f"accuracy of {len(tuning.seeds)} seeds is, by λ_max: {'; '.join(told)}.",
        provenance=f"recorded, {len(tuning.seeds)} tuning seeds; {_kind(tuning)}",
    )


def show_gains(gains: dict[str, Interval], label: str, record: Record) -> None:
    """Differences with their intervals, one line each, and a line at zero."""
    figure, axis = plt.subplots(figsize=(7.4, 1.1 + 0.42 * len(gains)))
    interval_plot(axis, gains, colour="orange")
    axis.axvline(0, color=COLOURS["grey"], linewidth=1)
    axis.set(xlabel=label)
    told = "; ".join(f"{name} {gain.value:+.2f} [{gain.low:+.2f}, {gain.high:+.2f}]" for name, gain in gains.items())
    show(
        figure,
        f"Each line shows a mean with its 95 % interval ({label}): {told}.",
        provenance=f"recorded, {len(record.seeds)} seeds, 95 % t, paired; {_kind(record)}",
    )


def _kind(record: Record) -> str:
    """What the rows of ``record`` were measured on, in words; a record that names no kind is about smears."""
    (kind,) = record.values("kind") or ["smear"]
    return KINDS[kind]
