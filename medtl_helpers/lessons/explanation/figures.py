"""The figures of notebook 13: marked phantoms, maps over their lesions, shares, deletion, moved marks."""

import matplotlib.pyplot as plt
import numpy as np

from ...teaching.plots import COLOURS, MARKS, WORDS, interval_marks, show
from ...teaching.records import Record

NAMES = ("malignant", "benign")
HEAT = {"cmap": "inferno", "vmin": 0, "vmax": 1, "alpha": 0.5, "interpolation": "bilinear"}


def show_hospital(x, y, lesions, marks) -> None:
    """Drawn images N×1×S×S, a row for each class, with the outline of each lesion, and a frame around each mark."""
    x, y, lesions, marks = (np.asarray(part) for part in (x, y, lesions, marks))
    rows = [np.flatnonzero(y == k) for k in range(2)]
    figure, axes = plt.subplots(2, max(map(len, rows)), figsize=(8.8, 3.5), squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for k, numbers in enumerate(rows):
        axes[k, 0].set_title(NAMES[k])
        for axis, n in zip(axes[k], numbers, strict=False):
            _picture(axis, x[n], lesions[n], marks[n])
    counts = [int(marks[numbers].any((1, 2)).sum()) for numbers in rows]
    show(
        figure,
        "Drawn ultrasound images with their lesions outlined in blue, malignant ones above and benign ones below. "
        f"A white letter in the upper left corner, framed in orange, stands on {counts[0]} of {len(rows[0])} malignant "
        f"and on {counts[1]} of {len(rows[1])} benign images.",
        provenance=WORDS["twin"],
    )


def _picture(axis, image, lesion=None, mark=None, heat=None) -> None:
    """One image N×H×W in grey, with a map over it, the outline of its lesion and a frame around its mark."""
    axis.set_axis_off()
    image = np.asarray(image)
    height, width = image.shape[-2:]
    grey = image[0] if len(image) == 1 else np.moveaxis(image, 0, 2)
    axis.imshow(grey, cmap="gray", vmin=0, vmax=255)
    if heat is not None:
        heat = heat / max(float(heat.max()), 1e-12)
        axis.imshow(heat, extent=(-0.5, width - 0.5, height - 0.5, -0.5), **HEAT)
    if lesion is not None and lesion.any():
        axis.contour(lesion, [0.5], colors=[COLOURS["sky"]], linewidths=1.3)
    if mark is not None and mark.any():
        down, right = np.nonzero(mark)
        corner = right.min() - 0.5, down.min() - 0.5
        box = plt.Rectangle(corner, np.ptp(right) + 1, np.ptp(down) + 1, fill=False, ec=COLOURS["orange"], lw=1.3)
        axis.add_patch(box)


def show_map_rows(x, maps: dict, lesions=None, marks=None, *, titles=None, words: str = "", **where) -> None:
    """Images N×C×H×W in rows, with each of the ``maps`` (name → N×h×w) over them in a column of its own.

    ``titles``: a short text for each image, told beside its row. ``words`` begin the alt text.
    """
    x, n = np.asarray(x), len(x)
    lesions, marks = (None if part is None else np.asarray(part) for part in (lesions, marks))
    figure, axes = plt.subplots(n, len(maps) + 1, figsize=(1.2 + 1.55 * (len(maps) + 1), 0.4 + 1.5 * n), squeeze=False)
    for row in range(n):
        lesion, mark = (None if part is None else part[row] for part in (lesions, marks))
        for axis, name in zip(axes[row], ["image", *maps], strict=True):
            _picture(axis, x[row], lesion, mark, maps[name][row] if name in maps else None)
            if row == 0:
                axis.set_title(name, fontsize=10, loc="center")
        if titles is not None:
            text = {"ha": "right", "va": "center", "fontsize": 9}
            axes[row, 0].text(-0.08, 0.5, titles[row], transform=axes[row, 0].transAxes, **text)
    outlined = ", their lesions outlined" if lesions is not None else ""
    told = f" Beside the rows: {'; '.join(titles)}." if titles is not None else ""
    named = ", ".join(name.replace("\n", " ") for name in maps)
    show(figure, f"{words or f'{n} images'}{outlined}; over them maps of {named}.{told}", **where)


def show_shares(shares: dict, area: float, *, data=None) -> None:
    """Each map's mean share in the lesion, and how often its highest pixel is there: name → (mass N, hits N)."""
    figure, axis = plt.subplots(figsize=(7.6, 1.2 + 0.36 * len(shares)))
    told = []
    for row, (name, (mass, hits)) in enumerate(shares.items()):
        values = float(np.mean(mass)), float(np.mean(hits))
        axis.plot(values, [row, row], "-", color=COLOURS["grey"], linewidth=1)
        for value, (colour, marker), label in zip(
            values, MARKS, ("share of the map in the lesion", "highest pixel in the lesion"), strict=False
        ):
            axis.plot(value, row, marker, color=COLOURS[colour], markersize=8, label=None if row else label)
        told.append(f"{name} {values[0]:.2f} and {values[1]:.2f}")
    axis.axvline(area, color=COLOURS["black"], linewidth=1, linestyle=":", label="area of the lesion")
    axis.set_yticks(range(len(shares)), list(shares))
    axis.set(xlim=(-0.02, 1.02), ylim=(len(shares) - 0.4, -0.6), xlabel="mean over the images")
    axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    show(
        figure,
        f"The share of each map in the lesion, and how often its highest pixel is there: {'; '.join(told)}. The lesion "
        f"takes {area:.2f} of the image.",
        data=data,
    )


def show_deletion(curves: dict, *, data=None) -> None:
    """The mean probability of a class while pixels are covered, the highest of each map first: name → N×(steps + 1)."""
    figure, axis = plt.subplots(figsize=(7.6, 3.8))
    told = []
    for (name, curve), (colour, marker) in zip(curves.items(), MARKS, strict=False):
        mean = np.asarray(curve).mean(0)
        covered = np.linspace(0, 1, len(mean))
        axis.plot(covered, mean, f"{marker}-", color=COLOURS[colour], label=name, markersize=5)
        quarter = np.interp(0.25, covered, mean)
        told.append(f"{name} {quarter:.2f}")
    axis.set(xlabel="share of the pixels that are covered", ylabel="mean probability of malignant", ylim=(0, 1))
    axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    show(
        figure,
        "The mean probability of malignant while pixels are covered, the highest of each map first. With a quarter "
        f"covered it is: {', '.join(told)}.",
        data=data,
    )


def show_moved(images, probabilities: dict, *, without: dict, data=None) -> None:
    """One image with its mark, and what each network says: name → probability, and ``without`` the mark."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.6, 2.6), width_ratios=[1, 1.7])
    _picture(left, images)
    _rows_of_probabilities(right, probabilities, without)
    told = ", ".join(f"{name} {p:.2f} (without the letter {without[name]:.2f})" for name, p in probabilities.items())
    show(figure, f"A benign image with a letter, and the probability of malignant: {told}.", data=data)


def _rows_of_probabilities(axis, probabilities: dict, without: dict) -> None:
    for row, (name, p) in enumerate(probabilities.items()):
        axis.plot([without[name], p], [row, row], "-", color=COLOURS["grey"], linewidth=1)
        axis.plot(without[name], row, "o", color="white", mec=COLOURS["grey"], markersize=8)
        axis.plot(p, row, "s", color=COLOURS["orange"], markersize=8)
    axis.plot([], [], "o", color="white", mec=COLOURS["grey"], label="without the letter")
    axis.plot([], [], "s", color=COLOURS["orange"], label="with the letter here")
    axis.set_yticks(range(len(probabilities)), list(probabilities))
    axis.set(xlim=(-0.03, 1.03), ylim=(len(probabilities) - 0.4, -0.6), xlabel="probability of malignant")
    axis.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, 1.22), ncols=2)


def show_places(grids: dict, without: dict, *, data=None) -> None:
    """The static twin of the slider: the mean probability by the place of the mark, name → rows × columns."""
    figure, axes = plt.subplots(1, len(grids), figsize=(2.9 * len(grids) + 0.8, 3.1), squeeze=False)
    told = []
    for axis, (name, grid) in zip(axes.flat, grids.items(), strict=True):
        picture = axis.imshow(grid, vmin=0, vmax=1, cmap="cividis")
        for (row, column), p in np.ndenumerate(np.asarray(grid)):
            ink = "black" if p > 0.6 else "white"
            axis.text(column, row, f"{p:.2f}".removeprefix("0"), ha="center", va="center", color=ink, fontsize=8)
        axis.grid(False)
        axis.set(xticks=[], yticks=[])
        axis.set_title(f"{name}\n(without a letter {without[name]:.2f})", fontsize=9, loc="center")
        told.append(f"{name} {np.min(grid):.2f} to {np.max(grid):.2f}, and {without[name]:.2f} without a letter")
    figure.colorbar(picture, ax=list(axes.flat), shrink=0.8, label="mean probability of malignant")
    show(
        figure,
        "The mean probability of malignant over benign images, by the place where the same letter stands, a panel for "
        f"each network: {'; '.join(told)}.",
        data=data,
    )


def show_cascade(correlations: dict, steps: list[str], *, data=None) -> None:
    """Rank correlation of each map with that of the trained network, by what has random weights: name → one a step."""
    figure, axis = plt.subplots(figsize=(7.6, 3.6))
    told = []
    for (name, values), (colour, marker) in zip(correlations.items(), MARKS, strict=False):
        axis.plot(range(len(steps)), values, f"{marker}-", color=COLOURS[colour], label=name, markersize=6)
        told.append(f"{name} " + ", ".join(f"{value:.2f}" for value in values))
    axis.axhline(0, color=COLOURS["grey"], linewidth=1)
    axis.set_xticks(range(len(steps)), steps)
    axis.set(ylim=(-0.25, 1.03), ylabel="rank correlation with the trained map", xlabel="random weights in")
    axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    show(
        figure,
        f"How much each map is like that of the trained network when {', '.join(steps)} got random weights: "
        f"{'; '.join(told)}.",
        data=data,
    )


def show_recorded(record: Record, rows: dict, groups: dict, label: str) -> None:
    """Recorded means with intervals over seeds: a line for each of ``rows``, a mark for each of ``groups``.

    Both are name → keys of ``Record.mean``, like ``{"way": "frozen"}`` and ``{"score": "auroc, home"}``.
    """
    figure, axis = plt.subplots(figsize=(8.6, 1.2 + 0.5 * len(rows)))
    told = []
    for k, ((group, where), (colour, marker)) in enumerate(zip(groups.items(), MARKS, strict=False)):
        found = {name: record.mean(**(keys | where)) for name, keys in rows.items()}
        at = [row + 0.2 * (k - (len(groups) - 1) / 2) for row in range(len(rows))]
        interval_marks(axis, at, found.values(), colour=colour, marker=marker, label=group, horizontal=True)
        told.append(f"{group}: " + ", ".join(f"{name} {one.value:.2f}" for name, one in found.items()))
    axis.set_yticks(range(len(rows)), list(rows))
    axis.set(ylim=(len(rows) - 0.4, -0.6), xlabel=label)
    axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    show(
        figure,
        f"{label.capitalize()}, with 95 % intervals over seeds. {'; '.join(told)}.",
        provenance="recorded, 95 % t over seeds; twin data, drawn by code",
    )


def show_chosen(x, maps, lesions, marks, names: list[str]) -> None:
    """Images with their maps in one row, in as many groups of equal size as there are ``names``."""
    x, lesions, marks, each = np.asarray(x), np.asarray(lesions), np.asarray(marks), len(x) // len(names)
    figure, axes = plt.subplots(1, len(x), figsize=(9.2, 2.1))
    for k, axis in enumerate(axes):
        _picture(axis, x[k], lesions[k], marks[k], maps[k])
        if k % each == 0:
            axis.set_title(names[k // each], fontsize=11, loc="left")
    show(
        figure,
        "Grad-CAM of one network over malignant images, with their lesions outlined in blue and the letter framed in "
        f"orange: {' and '.join(f'{each} {name}' for name in names)}.",
        provenance=WORDS["twin"],
    )
