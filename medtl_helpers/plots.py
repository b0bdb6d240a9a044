"""One figure language: colour-blind-safe colours, an alt text on every figure, and where the data come from in a corner."""

import io
from contextlib import contextmanager

import matplotlib as mpl
import matplotlib.pyplot as plt

from .checks import provenance_of

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
mpl.rcParams.update(STYLE)
WORDS = {
    "real": "real data",
    "twin": "twin data, drawn by code",
    "own": "your own data",
    "mixed": "some real data, some twins",
    "none": "schematic, no data",
}
_shown = True


def show(figure, alt: str, *, data=None, provenance: str | None = None) -> None:
    """Display ``figure`` once, with its alt text and the provenance of its data in the lower right corner; close it.

    Parameters
    ----------
    figure: a matplotlib figure.
    alt: what somebody who cannot see it needs to know, in one or two sentences.
    data: the task(s) it shows; default all that were loaded so far.
    provenance: words of your own instead, e.g. ``"recorded, real data"``.
    """
    from IPython.display import Image, display

    if not alt.strip():
        raise ValueError("Every figure needs an alt text: say in a sentence or two what it shows.")
    where = provenance_of(data)
    engine = figure.get_layout_engine()
    if engine is not None and hasattr(engine, "set") and "rect" in engine.get():
        inches = figure.get_size_inches()[1]
        engine.set(rect=(0, 0.22 / inches, 1, 1 - 0.22 / inches))  # room for the corner text
    figure.text(
        0.995, 0.01, provenance or WORDS.get(where, where), ha="right", va="bottom", fontsize=8, color="#5A5A5A"
    )
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=figure.dpi)
    plt.close(figure)
    if _shown:
        display(Image(data=png.getvalue(), alt=alt))


@contextmanager
def not_shown():
    """Draw figures without displaying them: how a headless run tests what a slider would draw."""
    global _shown
    _shown = False
    try:
        yield
    finally:
        _shown = True


def show_images(images, titles, alt: str, *, columns: int = 8, data=None, provenance: str | None = None) -> None:
    """Show uint8 images N×C×H×W in a grid with one short title each."""
    rows = -(-len(images) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(columns * 1.15, rows * 1.4), squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, image, title in zip(axes.flat, images, titles, strict=False):
        axis.imshow(image.permute(1, 2, 0).squeeze(-1), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axis.set_title(title, fontsize=8, loc="center")
    show(figure, alt, data=data, provenance=provenance)
