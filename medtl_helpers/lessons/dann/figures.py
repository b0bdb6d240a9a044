"""The figures of notebook 05: two domains, the curves of one run, the features of three networks, the recorded rows."""

import matplotlib.pyplot as plt
import numpy as np
import torch

from ...methods.history import DANNHistory
from ...methods.intervals import Interval, corrected_t, t_interval
from ...teaching.plots import COLOURS, interval_marks, interval_plot, show
from ...teaching.records import Record

KINDS = {  # what the record calls a kind of data, and what the corner of a figure says
    "smear": "phantoms",
    "digits": "real data",
    "hospitals": "real data",
    "white": "real data",
}
ROWS = {  # name in the record: colour and marker
    "majority": ("grey", "_"),
    "source only": ("black", "s"),
    "colours matched": ("yellow", "P"),
    "AdaBN": ("sky", "^"),
    "λ = 0": ("green", "v"),
    "DANN": ("orange", "o"),
    "λ = 0, then AdaBN": ("green", "<"),
    "DANN, then AdaBN": ("orange", ">"),
}
LABEL_ROWS = {  # under label shift
    "source only": ("black", "s"),
    "source only, corrected": ("black", "P"),
    "AdaBN": ("sky", "^"),
    "AdaBN, corrected": ("sky", "P"),
    "λ = 0": ("green", "v"),
    "DANN": ("orange", "o"),
    "DANN, corrected": ("orange", "P"),
    "DANN, source re-sampled": ("pink", "X"),
}
HOSPITAL_ROWS = {
    "majority": ("grey", "_"),
    "logistic regression": ("green", "v"),
    "logistic regression, z-scored": ("green", "^"),
    "source only": ("black", "s"),
    "source only, z-scored": ("black", "P"),
    "DANN": ("orange", "o"),
    "logistic regression, target labels": ("grey", "D"),
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
        "background. The lower row is the target: the types are the same, and another scanner has made the images "
        "yellower and grainier.",
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
        f"and of the target as orange triangles. The panels are {', '.join(features)}. In the first, large parts of "
        "the two clouds lie apart. In the last, they lie over each other.",
        data=data,
    )


def show_record(record: Record, shifts: dict, rows: dict | None = None, *, score: str | None = None) -> None:
    """The target's ``score`` of each row under each shift, with intervals.

    ``record``: the rows of one kind. ``shifts``: title → what the record calls the shift, like
    ``{"shift": "texture", "strength": 0.6}``. ``rows``: name → colour, marker.
    """
    rows, score = rows or ROWS, score or record.score
    columns = min(3, len(shifts))
    lines = -(-len(shifts) // columns)
    size = (0.9 + 0.29 * len(rows) * columns, 2.3 * lines + 1.6)
    figure, axes = plt.subplots(lines, columns, figsize=size, sharex=True, sharey=True, squeeze=False)
    told = []
    for axis, (title, shift) in zip(axes.flat, shifts.items(), strict=True):
        means = {
            name: interval_of(record, name, score, **shift) for name in rows if name in record.values("way", **shift)
        }
        for name, mean in means.items():
            colour, marker = rows[name]
            at = list(rows).index(name)
            interval_marks(axis, [at], [mean], colour=colour, marker=marker)
        short = [name.replace("logistic regression", "log. regr.") for name in rows]
        axis.set_xticks(range(len(rows)), short, rotation=60, ha="right", rotation_mode="anchor", fontsize=8)
        axis.set_xlim(-0.5, len(rows) - 0.5)
        axis.set_title(title, fontsize=10)
        told.append(f"For {title}: " + ", ".join(f"{name} {mean.value:.2f}" for name, mean in means.items()) + ".")
    for axis in axes[:, 0]:
        axis.set_ylabel(f"target {score}", fontsize=9)
    axes[0, 0].set_ylim(0, 1.03)
    show(
        figure,
        f"The {score} on the target's test cases is shown for each row, as a mean with its 95 % interval. "
        f"{' '.join(told)}",
        provenance=f"recorded, 95 % {mean.kind}; {_kind(record)}",
    )


def interval_of(record: Record, way: str, score: str | None = None, **where) -> Interval:
    """The mean of a way with the interval that its data ask for: over seeds, splits of a table, or test cases, too."""
    if record.values("kind") == ["white"]:
        return record.over_cases(way, None, score)
    share = record.row(way, score, **where).get("test share")
    scores = record.scores(way, score, **where)
    return corrected_t(scores, share) if share else t_interval(scores)


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
        provenance=f"recorded, 95 % {next(iter(gains.values())).kind}; {_kind(record)}",
    )


def _kind(record: Record) -> str:
    """What the rows of ``record`` were measured on, in words; a record that names no kind is about smears."""
    (kind,) = record.values("kind") or ["smear"]
    return KINDS[kind]
