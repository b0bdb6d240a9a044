"""One figure language: colour-blind-safe colours, an alt text on every figure, the origin of its data in a corner."""

import html
import io
from base64 import b64encode
from contextlib import contextmanager

import matplotlib as mpl
import matplotlib.pyplot as plt
from torch import Tensor, uint8

from ..data.shifts import Scanner
from ..labels import as_numbers
from ..methods.intervals import Interval
from ..parts import check_choice, check_whole, shown
from ..provenance import provenance_of

# Okabe and Ito's palette, which readers with any kind of colour vision can tell apart.
COLOURS = {
    "blue": "#0072B2",
    "orange": "#D55E00",
    "green": "#009E73",
    "pink": "#CC79A7",
    "sky": "#56B4E9",
    "yellow": "#E69F00",
    "grey": "#5A5A5A",
    "black": "#000000",
}
MARKS = list(zip(("orange", "blue", "green", "pink", "sky", "grey", "black", "yellow"), "os^Dv<X>", strict=True))
STYLE = {
    "figure.figsize": (7.2, 3.8),
    "figure.dpi": 110,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.prop_cycle": mpl.cycler(color=list(COLOURS.values())),
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "image.cmap": "cividis",
    "svg.hashsalt": "medtl",
}
WORDS = {
    "real": "real data",
    "twin": "twin data, drawn by code",
    "own": "your own data",
    "mixed": "some real data, some twins",
    "none": "schematic, no data",
}
_shown = True


def use_style() -> None:
    """Set the course's figure style for this process; the first cell of every notebook does it (``begin``)."""
    mpl.rcParams.update(STYLE)


def show(figure, alt: str, *, data=None, provenance: str | None = None) -> None:
    """Display ``figure`` once, with its alt text and the provenance of its data in the lower right corner; close it.

    Parameters
    ----------
    figure: a matplotlib figure.
    alt: what somebody who cannot see it needs to know, in one or two sentences.
    data: the task(s) it shows; default all that were loaded so far.
    provenance: words of your own instead, e.g. ``"recorded, real data"``.
    """
    from IPython.display import display

    if not isinstance(figure, mpl.figure.Figure):
        raise TypeError(f"The figure is {shown(figure)}: give a figure of matplotlib, like that of plt.subplots().")
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError("Every figure needs an alt text: say in a sentence or two what it shows.")
    if provenance is not None and not isinstance(provenance, str):
        raise ValueError(f"provenance is {shown(provenance)}: give words of your own, or the task as data.")
    where = provenance_of(data)
    engine = figure.get_layout_engine()
    if engine is not None and hasattr(engine, "set") and "rect" in engine.get():
        inches = figure.get_size_inches()[1]
        engine.set(rect=(0, 0.22 / inches, 1, 1 - 0.22 / inches))  # type: ignore[call-arg]  # room for the corner text
    figure.text(
        0.995, 0.01, provenance or WORDS.get(where, where), ha="right", va="bottom", fontsize=8, color="#5A5A5A"
    )
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=figure.dpi)
    plt.close(figure)
    if _shown:
        code = b64encode(png.getvalue()).decode()
        # as a page for JupyterLab, which leaves out the alt text of a bare picture; as a picture for the book
        page = f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{code}">'
        forms = {"text/plain": alt, "text/html": page, "image/png": code}
        display(forms, metadata={"image/png": {"alt": alt}}, raw=True)


@contextmanager
def not_shown():
    """Draw figures without displaying them: how a headless run tests what a slider would draw."""
    global _shown
    _shown = False
    try:
        yield
    finally:
        _shown = True


def show_images(images, titles, alt: str, *, columns: int = 4, data=None, provenance: str | None = None) -> None:
    """Show uint8 images N×C×H×W in a grid with one short title each. Raises ValueError where they do not fit."""
    check_whole(columns, "columns", least=1)
    titles = as_list(titles, "titles")
    _check_images(images, "images")
    if len(titles) != len(images):
        raise ValueError(f"There are {len(images)} images and {len(titles)} titles: give one title for each image.")
    rows, side = -(-len(images) // columns), min(1.5, 7.2 / columns)  # inches
    figure, axes = plt.subplots(rows, columns, figsize=(columns * side, rows * (side + 0.3)), squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, image, title in zip(axes.flat, images, titles, strict=False):
        axis.imshow(image.permute(1, 2, 0).squeeze(-1), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axis.set_title(title, fontsize=9, loc="center")
    show(figure, alt, data=data, provenance=provenance)


def interval_marks(
    axis,
    at,
    intervals,
    *,
    colour: str = "blue",
    marker: str = "o",
    label: str | None = None,
    joined: bool = False,
    horizontal: bool = False,
) -> None:
    """Draw ``Interval``s as marks with bars at the positions ``at``, upright or ``horizontal``, also ``joined``."""
    check_choice(colour, "colour", COLOURS)
    intervals, at = as_list(intervals, "intervals"), as_list(at, "positions")
    if not all(isinstance(interval, Interval) for interval in intervals):
        raise ValueError("Some of the intervals are none: give those of t_interval, paired_difference and the like.")
    if len(intervals) != len(at):
        raise ValueError(f"There are {len(at)} positions and {len(intervals)} intervals: give one for each.")
    values = [interval.value for interval in intervals]
    error = [[i.value - i.low for i in intervals], [i.high - i.value for i in intervals]]
    style = {"color": COLOURS[colour], "marker": marker, "markersize": 7, "linestyle": "-" if joined else ""}
    style |= {"elinewidth": 2, "label": label}
    if horizontal:
        axis.errorbar(values, at, xerr=error, **style)
    else:
        axis.errorbar(at, values, yerr=error, **style)


def interval_plot(axis, intervals: dict, *, colour: str = "blue", reference: dict | None = None) -> None:
    """Draw named ``Interval``s as dots with bars, one line each; ``reference`` values as grey diamonds beside them."""
    if not isinstance(intervals, dict) or not intervals:
        raise ValueError(f"The intervals are {shown(intervals)}: give a dict of at least one, by name.")
    if reference is not None and not isinstance(reference, dict):
        raise ValueError(f"reference is {shown(reference)}: give a dict of values, by the names of the intervals.")
    names = list(intervals)[::-1]
    interval_marks(axis, range(len(names)), [intervals[name] for name in names], colour=colour, horizontal=True)
    for row, name in enumerate(names):
        if reference and name in reference:
            axis.plot(reference[name], row, "D", color=COLOURS["grey"], markersize=7, markerfacecolor="white")
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(-0.6, len(names) - 0.4)


def show_intervals(intervals: dict[str, Interval], label: str, words: str, *, line: float | None = None, **where):
    """Named intervals, one line each; ``words`` begin the alt text, and ``where`` names the data as in ``show``."""
    figure, axis = plt.subplots(figsize=(7.4, 1.0 + 0.36 * len(intervals)))
    interval_plot(axis, intervals)
    if line is not None:
        axis.axvline(line, color=COLOURS["grey"], linewidth=1)
    axis.set(xlabel=label)
    told = "; ".join(
        f"{name} {found.value:.2f} [{found.low:.2f}, {found.high:.2f}]" for name, found in intervals.items()
    )
    show(figure, f"{words} ({label}, with 95 % intervals): {told}.", **where)


def show_by_number(
    ways: dict[str, dict[int, Interval]],
    lines: dict[str, float],
    words: str,
    *,
    counted: str,
    score: str,
    unit: str = "label",
    **where,
) -> None:
    """Each way by a number of labels or masks; ``lines`` are values of ways that need none of them.

    ``words`` begin the alt text, ``counted`` names the number and ``score`` the value, ``unit`` is one of what is
    counted, and ``where`` names the data as in ``show``.
    """
    figure, axis = plt.subplots(figsize=(8.6, 4.6))
    told = []
    for k, ((way, means), (colour, marker)) in enumerate(zip(ways.items(), MARKS, strict=False)):
        shift = 1 + 0.04 * (k - (len(ways) - 1) / 2)
        at = [n * shift for n in means]
        interval_marks(axis, at, list(means.values()), colour=colour, marker=marker, label=way, joined=True)
        told.append(f"{way} " + ", ".join(f"{mean.value:.2f} with {n}" for n, mean in means.items()))
    for (way, value), style in zip(lines.items(), ("-", "--", "-.", ":"), strict=False):
        axis.axhline(value, color=COLOURS["black"], linestyle=style, linewidth=1, label=f"{way} (no {unit})")
        told.append(f"{way}, without any {unit}, {value:.2f}")
    ticks = sorted({n for means in ways.values() for n in means})
    axis.set_xscale("log")
    axis.set_xticks(ticks, [str(n) for n in ticks])
    axis.minorticks_off()
    axis.set(xlabel=counted, ylabel=score)
    axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    show(figure, f"{words}: {'; '.join(told)}.", **where)


def show_shift(images, scanner, strengths, *, data=None) -> None:
    """The static twin of a scanner slider: a few images in rows, the strength growing from left to right."""
    _check_images(images, "images")
    strengths = as_numbers(strengths, "strengths").tolist()
    if not isinstance(scanner, Scanner):
        raise ValueError(f"The scanner is {shown(scanner)}: give one of mtl.SCANNERS, or a Scanner of your own.")
    figure, axes = plt.subplots(len(images), len(strengths), figsize=(7.2, 0.35 + 1.2 * len(images)), squeeze=False)
    for column, strength in zip(axes.T, strengths, strict=True):
        column[0].set_title(f"strength {strength:g}", loc="center", fontsize=10)
        for axis, image in zip(column, scanner(images, strength), strict=True):
            axis.imshow(image.permute(1, 2, 0).squeeze(-1), cmap="gray", vmin=0, vmax=255)
            axis.set_axis_off()
    alt = (
        f"{len(images)} images in rows; from left to right the shift to scanner {scanner.name} grows from "
        f"{strengths[0]:g} to {strengths[-1]:g}: colours change, the border darkens and edges blur, but the cells "
        "stay recognisable."
    )
    show(figure, alt, data=data)


def show_transfer(source, target, *, data=None) -> None:
    """The course in one picture: many labelled source images, a network that is copied, a few target images."""
    _check_images(source, "source images", 48)
    _check_images(target, "target images", 6)
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(8.6, 3.3), width_ratios=[2, 2, 1])
    left.imshow(_mosaic(source, 6, 8))
    left.set_title(f"source: {len(source):,} labelled images", fontsize=10)
    right.imshow(_mosaic(target, 3, 2))
    right.set_title("target: a handful", fontsize=10)
    for axis in (left, middle, right):
        axis.set_axis_off()
    middle.set(xlim=(0, 10), ylim=(0, 10))
    for k, height in enumerate((7, 5.5, 4, 2.5)):
        colour = COLOURS["orange" if k == 3 else "blue"]
        middle.add_patch(plt.Rectangle((3 + k * 1.1, 5 - height / 2), 0.8, height, color=colour))
    for start, end, word in (((0, 5), (2.8, 5), "train"), ((7.4, 5), (10, 5), "adapt")):
        middle.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "color": COLOURS["grey"], "lw": 2})
        middle.text((start[0] + end[0]) / 2, 5.3, word, ha="center", fontsize=10)
    middle.text(5, 0.2, "copy the blue layers,\nbegin a new orange head", ha="center", fontsize=10)
    alt = (
        "Left, many labelled images of the source; an arrow leads to a network of blue layers and an orange head; "
        "another arrow leads to a few images of the target, which another device took in other colours."
    )
    show(figure, alt, data=data)


def as_list(values, name: str) -> list:
    """``list(values)``. Raises ValueError for what has no parts."""
    try:
        return list(values)
    except TypeError:
        raise ValueError(f"The {name} are {shown(values)}: give a list of them.") from None


def _check_images(images, name: str, least: int = 1) -> None:
    """Raises ValueError unless they are uint8 images N×C×H×W of 1 or 3 channels, ``least`` of them or more."""
    if not isinstance(images, Tensor) or images.dtype != uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
        found = f"{images.dtype} {tuple(images.shape)}" if isinstance(images, Tensor) else shown(images)
        raise ValueError(f"The {name} are {found}: give a tensor of uint8 images N×C×H×W, with 1 or 3 channels.")
    if len(images) < least:
        raise ValueError(f"There are {len(images)} {name}: give at least {least}.")


def _mosaic(images, rows: int, columns: int):
    """The first rows × columns images N×C×H×W as one picture."""
    tiles = images[: rows * columns].unflatten(0, (rows, columns))
    return tiles.permute(0, 3, 1, 4, 2).flatten(0, 1).flatten(1, 2).numpy()
