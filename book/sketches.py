"""The six sketches for the board in the instructor guide, drawn by code: ``python book/sketches.py`` writes them.

Coordinates are inches from the lower left corner. What a colour says, a word, a line style or a marker says too.
Matplotlib starts the wobble of each stroke from the same number: two runs write the same files.
"""

import io
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from medtl_helpers.teaching.plots import COLOURS

FIGURES = Path(__file__).parent / "figures"
WIDTH, DPI = 7, 150
BLACK, GREY, BLUE, ORANGE = (COLOURS[name] for name in ("black", "grey", "blue", "orange"))
BOARD = {"path.sketch": (1.7, 140, 3), "font.family": "DejaVu Sans"}
DASHES = (0, (3.2, 2))


def line(board, xs, ys, colour=BLACK, dashed=False, width=2.4) -> None:
    """One stroke through the points."""
    style = DASHES if dashed else "-"
    board.plot(xs, ys, color=colour, linestyle=style, linewidth=width, solid_capstyle="round", zorder=2)


def marks(board, xs, ys, marker, colour=BLACK, size=10, filled=False, stroke=2.2) -> None:
    """One marker at each point; open ones are white inside."""
    face = colour if filled else "white"
    board.plot(xs, ys, marker, color=colour, markerfacecolor=face, markersize=size, markeredgewidth=stroke, zorder=3)


def box(board, left, bottom, width, height, words="", colour=BLACK, size=16) -> None:
    """A rectangle with words in its middle."""
    xs, ys = [left, left + width, left + width, left, left], [bottom, bottom, bottom + height, bottom + height, bottom]
    line(board, xs, ys, colour)
    if words:
        text(board, left + width / 2, bottom + height / 2, words, size=size)


def arrow(board, start, end, colour=BLACK, dashed=False, bend=0.0, head=0.16, width=2.4) -> None:
    """A stroke from start to end with two short strokes as its head; ``bend`` moves its middle to the left (inches)."""
    start, end = np.array(start, float), np.array(end, float)
    along = (end - start) / np.linalg.norm(end - start)
    middle = (start + end) / 2 + 2 * bend * np.array([-along[1], along[0]])
    t = np.linspace(0, 1, 30 if bend else 2)[:, None]
    curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
    line(board, *curve.T, colour, dashed, width)
    back = np.arctan2(*(middle - end)[::-1])
    wings = [end + head * np.array([np.cos(back + turn), np.sin(back + turn)]) for turn in (-0.5, 0.5)]
    line(board, *np.array([wings[0], end, wings[1]]).T, colour, width=width)


def text(board, x, y, words, size=16, side="center", **more) -> None:
    """Lines of words with their middle at height y, on white so that no stroke runs through a letter."""
    white = [withStroke(linewidth=5, foreground="white")]
    style = {"va": "baseline", "fontsize": size, "path_effects": white, "zorder": 4} | more
    rows = words.split("\n")
    for number, row in enumerate(rows):
        above = (len(rows) - 1) / 2 - number
        board.text(x, y + (1.35 * above - 0.36) * size / 72, row, ha=side, **style)


def hill(xs, places, heights, width=0.3):
    """The height of one or more hills at every x."""
    return sum(h * np.exp(-0.5 * ((xs - place) / width) ** 2) for place, h in zip(places, heights, strict=True))


def copied(board) -> None:
    """Sketch 1: labelled source, hardly labelled target, and four words for what is transferred."""
    for left, colour, title, under in (
        (0.2, BLUE, "source: hospital 1", "all labelled"),
        (4.5, ORANGE, "target: hospital 2", "few labelled"),
    ):
        box(board, left, 0.75, 2.3, 1.9, colour=colour)
        text(board, left + 1.15, 2.98, title)
        text(board, left + 1.15, 0.4, under)
    columns, rows = np.meshgrid(np.linspace(0.3, 2.0, 5), np.linspace(0.35, 1.55, 3))
    xs, ys = columns.ravel(), rows.ravel() + 0.75
    crosses = np.array([1, 0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1], bool)
    marks(board, xs[crosses] + 0.2, ys[crosses], "x")
    marks(board, xs[~crosses] + 0.2, ys[~crosses], "o")
    known = np.isin(np.arange(15), [3, 6, 8, 14])
    marks(board, xs[~known] + 4.5, ys[~known], "o", GREY, size=4, filled=True)
    marks(board, xs[known & crosses] + 4.5, ys[known & crosses], "x")
    marks(board, xs[known & ~crosses] + 4.5, ys[known & ~crosses], "o")
    arrow(board, (2.7, 1.7), (4.3, 1.7), width=3.2, head=0.22)
    for y, word in ((2.42, "weights?"), (2.05, "data?"), (1.35, "features?"), (0.98, "outputs?")):
        text(board, 3.5, y, word)


def intervals(board) -> None:
    """Sketch 2: one network and many test sets, many networks and one test set; both leave another hospital open."""
    many = np.linspace(-1.1, 1.1, 5)
    for middle, networks, sets, above, below, kind in (
        (1.75, [0], many, "one network", "test cases, drawn again", "bootstrap"),
        (5.25, many, [0], "five networks (seeds)", "the same test cases", "t over seeds"),
    ):
        text(board, middle, 4.9, above)
        marks(board, middle + np.array(networks), [4.5] * len(networks), "o", BLUE, size=19)
        for start in networks:
            for end in sets:
                line(board, [middle + start + 0.12 * end, middle + end + 0.12 * start], [4.25, 3.7])
        for at in sets:
            box(board, middle + at - 0.17, 3.3, 0.34, 0.32)
        text(board, middle, 3.0, below)
        line(board, [middle - 0.8, middle + 0.8], [2.4, 2.4], ORANGE, width=3)
        for end in (-0.8, 0.8):
            line(board, [middle + end] * 2, [2.25, 2.55], ORANGE, width=3)
        marks(board, [middle], [2.4], "o", ORANGE, size=11, filled=True)
        text(board, middle, 1.95, kind)
    arrow(board, (1.75, 1.65), (2.9, 0.75), GREY, dashed=True, bend=-0.15)
    arrow(board, (5.25, 1.65), (4.1, 0.75), GREY, dashed=True, bend=0.15)
    text(board, 3.5, 1.3, "another hospital")
    box(board, 3.05, 0.3, 0.9, 0.75, "?", size=26)


def freezing(board) -> None:
    """Sketch 3: one layer, two kinds of numbers, two lines that strike them out."""
    text(board, 3.5, 4.75, "one layer with batch norm")
    box(board, 0.2, 1.95, 6.6, 2.5)
    line(board, [3.5, 3.5], [1.95, 4.45])
    for left, height, title, low, mover, holder in (
        (0.2, 4.15, "weights", 2.35, "moved by\ngradients", "1: requires_grad = False"),
        (3.5, 4.0, "running mean,\nvariance", 2.5, "moved by\nevery batch in\ntrain mode", "2: eval mode"),
    ):
        text(board, left + 0.2, height, title, side="left", weight="bold", size=15)
        text(board, left + 3.15, low, mover, side="right", size=15)
        line(board, [left + 0.08, left + 3.2], [1.85, 4.38], ORANGE, width=4)
        text(board, left + 1.65, 1.5, holder)
    arrow(board, (1.85, 1.2), (2.7, 0.5), bend=-0.1)
    arrow(board, (5.15, 1.2), (4.3, 0.5), bend=0.1)
    text(board, 3.5, 0.4, "mtl.freeze")


def path(board) -> None:
    """Sketch 4: the path of λ between ten patients and the source, and a truth beside it."""
    arrow(board, (0.7, 0.65), (0.7, 4.2))
    arrow(board, (0.7, 0.65), (6.75, 0.65))
    text(board, 0.35, 2.4, "weight 2", rotation=90, va="center")
    text(board, 3.7, 0.28, "weight 1")
    t = np.linspace(0, 1, 200)
    star, bend, diamond = (1.5, 3.6), (2.0, 1.5), (5.8, 1.35)
    xs, ys = ((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c for a, b, c in zip(star, bend, diamond, strict=True))
    truth = (4.0, 2.75)
    line(board, xs, ys, BLUE, width=3)
    nearest = np.argmin((xs - truth[0]) ** 2 + (ys - truth[1]) ** 2)
    line(board, [truth[0], xs[nearest]], [truth[1], ys[nearest]], GREY, dashed=True)
    marks(board, [xs[nearest]], [ys[nearest]], "o", BLUE, size=13)
    marks(board, *[[v] for v in star], "*", size=24, filled=True)
    marks(board, *[[v] for v in diamond], "D", size=15)
    marks(board, *[[v] for v in truth], "+", ORANGE, size=22, stroke=4)
    text(board, 1.8, 3.6, "ten patients alone", side="left")
    text(board, 2.0, 3.0, "small λ", side="left")
    text(board, xs[nearest] - 0.1, 1.15, "nearest")
    text(board, 5.0, 1.15, "large λ")
    text(board, 5.8, 1.75, "source")
    text(board, 4.25, 2.75, "the truth, not visible", side="left")


def adabn(board) -> None:
    """Sketch 5: a hill that the device moved, and a mean that the patients moved; before and after AdaBN."""
    x = np.linspace(0, 3.1, 300)
    device = ((0.95,), (1.05,), (2.2,), (1.05,))  # source: places and heights of its hills; target: the same
    patients = ((0.85, 2.2), (0.7, 0.7), (0.85, 2.2), (0.3, 1.1))
    for left, title, (places, heights, target_places, target_heights), verdict in (
        (0.2, "the device\nmoves the hill", device, "✓ now the hills agree"),
        (3.7, "the patients\nmove the mean", patients, "✗ now the hills disagree"),
    ):
        mean, target_mean = np.average(places, weights=heights), np.average(target_places, weights=target_heights)
        text(board, left + 1.55, 5.65, title)
        for floor, moved in ((3.65, 0), (0.95, target_mean - mean)):
            line(board, [left, left + 3.1], [floor, floor])
            line(board, left + x, floor + 0.06 + hill(x, places, heights), BLUE, width=3.2)
            shifted = np.array(target_places) - moved
            line(board, left + x, floor + 0.06 + hill(x, shifted, target_heights), ORANGE, dashed=True, width=2.8)
            side = 0.1 if moved else 0  # two marks at one place stand side by side
            marks(board, [left + mean - side], [floor - 0.2], "o", BLUE, filled=True)
            marks(board, [left + target_mean - moved + side], [floor - 0.2], "^", ORANGE, filled=True)
        arrow(board, (left + 1.55, 2.85), (left + 1.55, 2.3), head=0.2, width=3.2)
        text(board, left + 1.75, 2.55, "AdaBN", side="left")
        text(board, left + 1.55, 0.35, verdict, size=15)
        text(board, left + places[0], 3.71 + heights[0] + 0.22, "source")
        text(board, left + target_places[-1], 3.71 + target_heights[-1] + 0.22, "target")
    text(board, 1.15, 3.15, "mean")
    text(board, 2.4, 3.15, "mean")
    text(board, 5.42, 3.15, "means")


def dann(board) -> None:
    """Sketch 6: forward strokes solid, gradients back dashed; one of them times −λ."""
    text(board, 0.5, 3.15, "source")
    text(board, 0.5, 2.25, "target")
    box(board, 1.4, 2.2, 1.1, 1.0, "features")
    box(board, 3.65, 3.5, 1.3, 0.9, "class\nhead")
    box(board, 3.65, 1.0, 1.3, 0.9, "domain\nclassifier")
    text(board, 6.27, 3.95, "class loss\nsource only", size=14)
    text(board, 6.27, 1.45, "domain loss\nboth", size=14)
    for start, end in (
        ((0.92, 3.1), (1.3, 2.9)),
        ((0.92, 2.3), (1.3, 2.5)),
        ((2.55, 3.05), (3.55, 4.1)),
        ((2.55, 2.3), (3.55, 1.3)),
        ((5.05, 4.08), (5.55, 4.08)),
        ((5.05, 1.32), (5.55, 1.32)),
    ):
        arrow(board, start, end, BLUE)
    for start, end in (
        ((5.55, 3.82), (5.05, 3.82)),
        ((5.55, 1.58), (5.05, 1.58)),
        ((3.55, 3.75), (2.6, 2.8)),
        ((3.95, 1.97), (3.76, 2.25)),
        ((3.3, 2.5), (2.6, 2.55)),
    ):
        arrow(board, start, end, ORANGE, dashed=True)
    text(board, 3.75, 3.15, "normal")
    marks(board, [3.6], [2.49], "o", ORANGE, size=36)
    text(board, 3.6, 2.49, "−λ")
    text(board, 4.05, 2.49, "turned round", side="left")
    arrow(board, (0.9, 0.4), (1.7, 0.4), BLUE)
    text(board, 1.9, 0.4, "forward", side="left")
    arrow(board, (4.3, 0.4), (3.5, 0.4), ORANGE, dashed=True)
    text(board, 4.5, 0.4, "gradient, back", side="left")


SKETCHES = ((copied, 3.3), (intervals, 5.2), (freezing, 5.1), (path, 4.4), (adabn, 6.1), (dann, 4.7))  # and its inches


def picture(draw, height: float) -> Figure:
    """The white board of this height with one sketch on it."""
    with mpl.rc_context(BOARD):
        figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white", layout="none")
        board = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(0, height))
        board.axis("off")
        draw(board)
    return figure


def png(figure: Figure) -> bytes:
    """The picture in few colours, which makes a small file; its words stand in the file's description, too."""
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI)
    described = PngInfo()
    described.add_itxt("Description", "\n".join(words.get_text() for words in figure.axes[0].texts))
    Image.open(drawn).convert("RGB").quantize(64).save(small, format="png", optimize=True, pnginfo=described)
    return small.getvalue()


def main() -> int:
    """Write the six files; returns the exit status."""
    for number, (draw, height) in enumerate(SKETCHES, start=1):
        (FIGURES / f"sketch_{number}.png").write_bytes(png(picture(draw, height)))
    print("Written: the sketches in book/figures.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
