"""The figures of notebook 09: sequences as letters, sequence logos, filters, rows by the number of labels, failures."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from ...methods.motifs import information
from ...provenance import provenance_of
from ...teaching.plots import COLOURS, MARKS, WORDS, show, show_by_number
from ...teaching.records import Record

BASES = {"A": "green", "C": "blue", "G": "yellow", "T": "orange"}
BOLD = FontProperties(family="DejaVu Sans", weight="bold")
GLYPHS = {base: TextPath((0, 0), base, size=1, prop=BOLD) for base in BASES}
JUNCTION = 30  # bases before the junction, by the convention of the UCI data


def places(width: int, before: int) -> list[str]:
    """Names of positions around a junction: −1 is the last base before it and +1 the first one after; there is no 0."""
    return [f"{at}".replace("-", "−") if at < 0 else f"+{at + 1}" for at in range(-before, width - before)]


def _letter(axis, base: str, left: float, bottom: float, height: float) -> None:
    """One letter of a logo, stretched to 0.9 positions × ``height`` bits."""
    box = GLYPHS[base].get_extents()
    stretch = Affine2D().translate(-box.x0, -box.y0).scale(0.9 / box.width, height / box.height)
    path = stretch.translate(left + 0.05, bottom).transform_path(GLYPHS[base])
    axis.add_patch(PathPatch(path, facecolor=COLOURS[BASES[base]], linewidth=0))


def draw_logo(axis, frequencies, before: int | None = None) -> str:
    """Draw a sequence logo of frequencies 4×W on ``axis``; returns its consensus in words, for an alt text.

    The stack at a position is 2 + Σ f log2 f bits high, and each letter takes its share f of it. With ``before``, the
    positions are named around a junction that stands after so many of them, and a line marks it.
    """
    frequencies = torch.as_tensor(frequencies).float()
    bits = information(frequencies).numpy()
    for at, (height, column) in enumerate(zip(bits, frequencies.T.numpy(), strict=True)):
        bottom = 0.0
        for k in np.argsort(column, kind="stable"):
            if column[k] * height > 0.005:
                _letter(axis, "ACGT"[k], at, bottom, column[k] * height)
                bottom += column[k] * height
    width = len(bits)
    names = places(width, before) if before is not None else [str(at + 1) for at in range(width)]
    step = 1 if width <= 16 else 2 if width <= 30 else 5
    axis.set_xticks(np.arange(0, width, step) + 0.5, names[::step], fontsize=8 if width > 9 else 9)
    axis.set(xlim=(0, width), ylim=(0, 2.05), yticks=[0, 1, 2])
    axis.grid(False)
    if before is not None:
        axis.axvline(before, color=COLOURS["black"], linewidth=1, linestyle=":")
    clear = [
        f"{'ACGT'[int(column.argmax())]} {float(column.max()):.0%} at {name}"
        for column, name, height in zip(frequencies.T, names, bits, strict=True)
        if height > 0.5
    ]
    return ", ".join(clear) or "no position above half a bit"


def show_logo(logos: dict, *, before: int | dict | None = None, columns: int = 2, words: str = "", **where) -> None:
    """Sequence logos of frequencies 4×W by name, in a grid; ``where`` names the data as in ``show``.

    ``before``: how many positions stand before the junction, for all or by name; None numbers positions from 1.
    """
    columns = min(columns, len(logos))
    rows = -(-len(logos) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(8.4, 0.5 + 1.65 * rows), squeeze=False)
    told = []
    for axis, (name, frequencies) in zip(axes.flat, logos.items(), strict=False):
        at = before.get(name) if isinstance(before, dict) else before
        told.append(f"{name}: {draw_logo(axis, frequencies, at)}")
        axis.set_title(name, fontsize=10)
    for axis in axes.flat[len(logos) :]:
        axis.set_axis_off()
    for axis in axes[:, 0]:
        axis.set_ylabel("bits")
    show(
        figure,
        f"Sequence logos: the taller a stack of letters, the more that position is decided. {words} What stands above "
        f"half a bit is listed by logo. {'. '.join(told)}.",
        **where,
    )


def show_sequences(task, *, each: int = 6, around: int = 15, seed: int = 0) -> None:
    """Some sequences of each class in rows, as letters, ``around`` bases to each side of the junction."""
    rng, rows = np.random.default_rng(seed), []
    y = np.asarray(task.train.y)
    for k, _ in enumerate(task.classes):
        rows += sorted(rng.choice(np.flatnonzero(y == k), each, replace=False))
    middle = slice(JUNCTION - around, JUNCTION + around)
    figure, axis = plt.subplots(figsize=(8.4, 0.7 + 0.2 * len(rows)))
    for line, row in enumerate(rows):
        column = np.asarray(task.train.x[row][:, middle])
        for at in range(2 * around):
            known = column[:, at].max() == 1
            base = "ACGT"[column[:, at].argmax()] if known else "N"
            inside = at in (around - 2, around - 1, around, around + 1)
            colour = COLOURS[BASES.get(base, "grey")]
            if inside:
                box = plt.Rectangle((at, line - 0.5), 1, 1, facecolor=colour, alpha=0.25, linewidth=0)
                axis.add_patch(box)
            font = {"family": "DejaVu Sans Mono", "size": 9, "weight": "bold" if inside else "normal"}
            axis.text(at + 0.5, line, base, ha="center", va="center", color=colour, font=font)
    for k in range(1, len(task.classes)):
        axis.axhline(k * each - 0.5, color=COLOURS["grey"], linewidth=0.8)
    axis.axvline(around, color=COLOURS["black"], linewidth=1, linestyle=":")
    axis.set_yticks([each * (k + 0.5) - 0.5 for k in range(len(task.classes))], task.classes)
    names = places(2 * around, around)
    axis.set_xticks(np.arange(0, 2 * around, 5) + 0.5, names[::5])
    axis.set(xlim=(0, 2 * around), ylim=(len(rows) - 0.5, -0.5), xlabel="position, counted from the junction")
    axis.grid(False)
    axis.tick_params(length=0)
    start = [float(np.asarray(task.train.x)[y == k][:, 2, JUNCTION].mean()) for k in range(len(task.classes))]
    end = [float(np.asarray(task.train.x)[y == k][:, 2, JUNCTION - 1].mean()) for k in range(len(task.classes))]
    told = "; ".join(
        f"{name}: G right before it in {before:.0%} and right after it in {after:.0%}"
        for name, before, after in zip(task.classes, end, start, strict=True)
    )
    show(
        figure,
        f"{each} sequences of each class as letters, {around} bases to each side of the junction, which is a dotted "
        f"line; the data are {WORDS[provenance_of(task)]}. Most donors (EI) have GT right after the junction, and most "
        f"acceptors (IE) have AG right before it. Of all training sequences, {told}.",
        data=task,
    )


def show_as_image(image, *, data=None) -> None:
    """What an image network gets: one sequence as a grey picture H×W."""
    figure, axis = plt.subplots(figsize=(7.4, 1.6))
    axis.imshow(np.asarray(image), cmap="gray", aspect="auto", interpolation="nearest", vmin=0, vmax=255)
    axis.set(yticks=[])
    axis.grid(False)
    show(
        figure,
        "One sequence as an image network gets it: a barcode of white and black fields, in which neither the "
        "four rows nor the distances between bases mean what they mean in a photograph.",
        data=data,
    )


def show_rows(
    record: Record, ways: list[str], *, score: str = "accuracy", labels=(5, 30, 100), flat=(), **where
) -> None:
    """Each way by the number of labels a class, with intervals; ``flat`` are ways without labels, as lines."""
    means = {
        way: {
            n: record.mean(way, score, labels=n, **where)
            for n in labels
            if way in record.values("way", labels=n, **where)
        }
        for way in ways
    }
    show_by_number(
        means,
        {way: record.mean(way, score, labels=labels[0], **where).value for way in flat},
        f"The {score} on test by the number of labels a class, with 95 % intervals over seeds",
        counted="labels a class",
        score=f"{score} on test",
        provenance=f"recorded, 95 % t over seeds; {record.data} data",
    )


def show_scan(answers, logo, *, before: int = JUNCTION, data=None) -> None:
    """A filter's answers along some sequences N×P, with the filter as a logo 4×W beside them."""
    answers = np.asarray(answers)
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.8, 2.6), width_ratios=[1, 2.2])
    told = draw_logo(left, logo)
    left.set(title="the matrix", ylabel="bits")
    width = np.asarray(logo).shape[1]
    image = right.imshow(answers, aspect="auto", cmap="cividis", interpolation="nearest")
    right.set(title="its score at each place", xlabel="first base under the matrix", ylabel="sequence", yticks=[])
    names = places(answers.shape[1], before)
    right.set_xticks(range(0, answers.shape[1], 10), names[::10])
    right.grid(False)
    figure.colorbar(image, ax=right, label="log-odds (nats)")
    best = np.bincount(answers.argmax(1)).argmax()
    show(
        figure,
        f"On the left a matrix of {width} positions as a logo ({told}). On the right its score at each place of "
        f"{len(answers)} sequences. Most of them have their highest score where the matrix begins at {names[best]}.",
        data=data,
    )


def show_composition(rows: dict[str, dict[float, float]]) -> None:
    """Accuracy on drawn sites against their GC content, one line for each network or rule."""
    figure, axis = plt.subplots()
    told = []
    for (name, values), (colour, marker) in zip(rows.items(), MARKS, strict=False):
        axis.plot(list(values), list(values.values()), f"{marker}-", color=COLOURS[colour], label=name)
        first, *_, last = values
        told.append(f"{name} goes from {values[first]:.2f} at {first:.0%} to {values[last]:.2f} at {last:.0%}")
    axis.set(xlabel="mean share of G and C around the sites", ylabel="accuracy on new drawn sites")
    axis.legend(fontsize=9)
    show(
        figure,
        f"Accuracy on sites drawn with more and more G and C around them: {'; '.join(told)}.",
        provenance=WORDS["twin"],
    )


def show_confusion(panels: dict[str, np.ndarray], classes, *, data=None) -> None:
    """Tables of true class against answer, as shares of the true class, side by side."""
    figure, axes = plt.subplots(1, len(panels), figsize=(3.6 * len(panels) + 0.6, 3.3), squeeze=False)
    told = []
    for axis, (name, counts) in zip(axes.flat, panels.items(), strict=True):
        shares = counts / counts.sum(1, keepdims=True)
        axis.imshow(shares, cmap="cividis", vmin=0, vmax=1)
        for (row, column), share in np.ndenumerate(shares):
            axis.text(column, row, f"{share:.0%}", ha="center", va="center", color="black" if share > 0.6 else "white")
        axis.set_xticks(range(len(classes)), classes)
        axis.set_yticks(range(len(classes)), classes)
        axis.set(title=name, xlabel="answer")
        axis.grid(False)
        right = ", ".join(f"{one} {shares[k, k]:.0%}" for k, one in enumerate(classes))
        told.append(f"{name} names rightly: {right}")
    axes[0, 0].set_ylabel("truth")
    show(figure, f"Which class gets which answer. {'; '.join(told)}.", data=data)
