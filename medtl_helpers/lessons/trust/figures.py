"""The figures of notebook 06: patients, splits, estimates, reliability, alarms, net benefit, and intervals by name."""

import matplotlib.pyplot as plt
import numpy as np

from ...data.cohorts import Cohort
from ...methods.intervals import proportion
from ...methods.operating_point import operating_point, predictive_values
from ...methods.reliability import reliability
from ...provenance import provenance_of
from ...teaching.plots import COLOURS, WORDS, interval_marks, show
from ...teaching.records import Record

SPLITS = {"by image": ("orange", "s"), "by patient": ("blue", "o")}
CURVES = (("orange", "-"), ("blue", "--"), ("pink", "-."))


def show_cohort(cohort: Cohort) -> None:
    """Four patients of the training part in rows, benign and malignant, fatty and dense, with all their images."""
    kinds = [(label, group) for group in ("fatty", "dense") for label in (0, 1)]
    labels, groups, patients = np.asarray(cohort.train.y), cohort.groups["train"], cohort.patients["train"]
    first = [int(np.flatnonzero((labels == label) & (groups == group))[0]) for label, group in kinds]
    rows = [np.flatnonzero(patients == patients[at]) for at in first]
    figure, axes = plt.subplots(len(rows), len(rows[0]), figsize=(6.6, 6.4))
    for line, at, (label, group) in zip(axes, rows, kinds, strict=True):
        for axis, image in zip(line, cohort.train.x[at], strict=True):
            axis.imshow(image[0], cmap="gray", vmin=0, vmax=255)
            axis.set(xticks=[], yticks=[])
        line[0].set_ylabel(f"{cohort.classes[label]},\n{group}", fontsize=10)
    show(
        figure,
        "Ultrasound images drawn by code, one row for each of four patients: benign and malignant in fatty tissue, "
        "then benign and malignant in dense tissue. The images in a row are alike in tissue, brightness and lesion, "
        "and differ in the place of the lesion and in the speckle. In dense tissue the lesions hardly stand out.",
        data=cohort,
    )


def show_twice(images, pairs) -> None:
    """Pictures that stand twice: in the upper row the later place, under it the earlier one.

    ``images``: an image task; ``pairs``: the lines of ``find_duplicates(…).pairs`` to be shown.
    """
    figure, axes = plt.subplots(2, len(pairs), figsize=(1.6 * len(pairs), 3.9))
    for column, pair in zip(axes.T, pairs.to_dict("records"), strict=True):
        for axis, at in zip(column, ("", "other "), strict=True):
            split = getattr(images, pair[f"{at}split"])
            row = pair[f"{at}row"]
            axis.imshow(split.x[row, 0], cmap="gray", vmin=0, vmax=255)
            axis.set(xticks=[], yticks=[])
            name = images.classes[int(split.y[row])].replace(", ", ",\n")
            axis.set_title(f"{pair[f'{at}split']}\n{name}", fontsize=9, loc="center")
    same = int(pairs["same label"].sum())
    show(
        figure,
        f"{len(pairs)} pairs of breast ultrasound images ({WORDS[images.provenance]}) stand in columns. "
        "The upper image is a test image, and the lower one stands in train or validation. "
        f"The two look the same in every pair; {same} of the pairs have the same label twice.",
        data=images,
    )


def show_splits(record: Record) -> None:
    """What a split by image and one by patient say of their own networks, and the truth, seed by seed."""
    figure, axes = plt.subplots(1, 2, figsize=(7.6, 3.5), sharey=True)
    told = []
    for axis, (way, (colour, marker)) in zip(axes, SPLITS.items(), strict=True):
        ends = np.stack([record.scores(way, score) for score in ("estimate", "truth")])
        axis.plot([0, 1], ends, marker=marker, color=COLOURS[colour], markersize=5, linewidth=1, alpha=0.7)
        axis.set(xlim=(-0.3, 1.3), title=f"split {way}")
        axis.set_xticks([0, 1], ["on its\ntest images", "on 990\nnew patients"])
        told.append(f"Split {way}, the mean goes from {ends[0].mean():.2f} to {ends[1].mean():.2f}.")
    axes[0].set_ylabel("AUROC of images")
    show(
        figure,
        "Each line joins what a split says of a network, on its own test images, with what the same network reaches on "
        f"990 new patients; there is one line for each of {ends.shape[1]} seeds. {' '.join(told)}",
        provenance="recorded; twin data, drawn by code",
    )


def show_reliability(models: dict[str, tuple], *, bins: int = 8, data=None) -> None:
    """Name → (y, probability), float N each: the share of the sick in bins of as many patients, and the diagonal."""
    figure, axes = plt.subplots(1, len(models), figsize=(2.9 * len(models) + 0.4, 3.5), sharey=True, squeeze=False)
    told = []
    for axis, (name, (y, p)) in zip(axes.flat, models.items(), strict=True):
        table = reliability(y, p, bins)
        axis.plot([0, 1], [0, 1], ":", color=COLOURS["grey"], linewidth=1.5)
        shares = [proportion(round(row.observed * row.cases), int(row.cases)) for row in table.itertuples()]
        interval_marks(axis, table["predicted"], shares, joined=True)
        axis.set(title=name, xlabel="predicted probability", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
        told.append(f"{name}, {np.mean(p):.0%} are predicted and {np.mean(y):.0%} observed")
    axes[0, 0].set_ylabel("observed share of the sick")
    show(
        figure,
        f"Reliability in {bins} bins of as many patients, who were drawn by code, with 95 % intervals and the diagonal "
        f"of a perfect model. On average over all patients: {'; '.join(told)}.",
        data=data,
    )


def show_alarms(y, probability, threshold: float, prevalence: float, *, data=None) -> None:
    """Of 1,000 people where the share ``prevalence`` is sick: whom the test finds, and whom it frightens."""
    found = operating_point(y, probability, threshold=threshold, prevalence=prevalence)
    sick = round(1000 * prevalence)
    right, false = (
        round(n * s) for n, s in ((sick, found["sensitivity"].value), (1000 - sick, 1 - found["specificity"].value))
    )
    figure, axis = plt.subplots(figsize=(7.2, 1.9))
    left = 0
    for name, n, colour in (
        ("right alarms", right, "orange"),
        ("false alarms", false, "yellow"),
        ("missed", sick - right, "pink"),
    ):
        axis.barh([0], [n], left=left, color=COLOURS[colour], label=f"{n} {name}")
        left += n
    axis.set(
        xlim=(0, 1000),
        ylim=(-0.45, 0.9),
        yticks=[],
        xlabel="people of 1,000",
        title=f"{prevalence:.0%} are sick: PPV {found['PPV'].value:.0%}",
    )
    axis.legend(ncols=3, fontsize=9, loc="upper right")
    show(
        figure,
        f"Of 1,000 people of whom {sick} are sick, the test rings rightly for {right} and wrongly for {false}, and it "
        f"misses {sick - right}. The model's patients were drawn by code.",
        data=data,
    )


def show_predictive_values(y, probability, threshold: float, prevalences, *, data=None) -> None:
    """The static twin of the slider: PPV and NPV with their bands, as the disease becomes more common."""
    found = operating_point(y, probability, threshold=threshold)
    sides = sensitivity, specificity = found["sensitivity"], found["specificity"]
    pairs = [predictive_values(*sides, float(share)) for share in prevalences]
    figure, axis = plt.subplots()
    told = []
    for k, (name, colour, style) in enumerate((("PPV", "orange", "-"), ("NPV", "blue", "--"))):
        values, low, high = ([getattr(pair[k], end) for pair in pairs] for end in ("value", "low", "high"))
        axis.plot(prevalences, values, style, color=COLOURS[colour], label=name)
        axis.fill_between(prevalences, low, high, color=COLOURS[colour], alpha=0.15, linewidth=0)
        told.append(f"the {name} goes from {values[0]:.2f} to {values[-1]:.2f}")
    axis.set(xscale="log", xlabel="prevalence", ylabel="share of right answers", ylim=(0, 1.03))
    axis.set_xticks([0.01, 0.02, 0.05, 0.1, 0.2, 0.5], ["1 %", "2 %", "5 %", "10 %", "20 %", "50 %"])
    axis.legend()
    show(
        figure,
        f"One test with a sensitivity of {sensitivity.value:.2f} and a specificity of {specificity.value:.2f}, "
        "measured on patients who were drawn by code. "
        f"From a prevalence of {prevalences[0]:.0%} to {prevalences[-1]:.0%}, {told[0]}, and {told[1]}. "
        "Bands are 95 % intervals.",
        data=data,
    )


def show_decision_curves(panels: dict[str, dict[str, dict]], thresholds, *, data=None) -> None:
    """Title → (name → what ``decision_curve`` found): the net benefit of models, of treating all, and of nobody."""
    figure, axes = plt.subplots(1, len(panels), figsize=(4.2 * len(panels), 3.7), squeeze=False)
    told = []
    for axis, (title, curves) in zip(axes.flat, panels.items(), strict=True):
        for (name, found), (colour, style) in zip(curves.items(), CURVES, strict=False):
            axis.plot(thresholds, [one.value for one in found["model"]], style, color=COLOURS[colour], label=name)
            at, worst = min(zip(thresholds, found["gain"], strict=True), key=lambda pair: pair[1].value)
            told.append(f"{title}, {name}: at worst {worst.value:+.2f} against the better policy, at {at:.0%}")
        everyone = [one.value for one in next(iter(curves.values()))["treat all"]]
        axis.plot(thresholds, everyone, ":", color=COLOURS["black"], label="treat all")
        axis.axhline(0, color=COLOURS["grey"], linewidth=1, label="treat none")
        lowest = min(one.value for found in curves.values() for one in found["model"])
        top = max(everyone)
        axis.set(title=title, xlabel="threshold", ylim=(max(min(lowest, 0), -0.6 * top) - 0.1 * top, 1.1 * top))
        axis.legend(fontsize=8, loc="lower left")
    axes[0, 0].set_ylabel("net benefit per patient")
    show(
        figure,
        "Net benefit against the threshold from which one acts, with treating all as a dotted line that falls, and "
        f"treating none at zero; the data are {WORDS[provenance_of(data)]}. {'; '.join(told)}.",
        data=data,
    )
