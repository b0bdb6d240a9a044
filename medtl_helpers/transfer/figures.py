"""The figures of the report: each is one element of HTML, with its picture inside it and an alt text."""

import html
import io
from base64 import b64encode

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from ..methods.intervals import Interval
from ..teaching.plots import COLOURS, STYLE

PICTURE = 160  # pixels a side at which a case is shown, at least


def drawn(figure: Figure, alt: str) -> str:
    """A figure as an ``<img>`` that holds its own SVG; the same figure always gives the same text."""
    buffer = io.StringIO()
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return _img("svg+xml", buffer.getvalue().encode(), alt)


def picture(pixels: np.ndarray, alt: str) -> str:
    """uint8 C×H×W as an ``<img>`` that holds its own PNG, enlarged by whole pixels."""
    array = pixels.transpose(1, 2, 0)
    image = Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)
    times = max(1, -(-PICTURE // image.width))
    buffer = io.BytesIO()
    image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST).save(buffer, "PNG")
    return _img("png", buffer.getvalue(), alt)


def _img(kind: str, content: bytes, alt: str) -> str:
    return f'<img src="data:image/{kind};base64,{b64encode(content).decode()}" alt="{html.escape(alt, quote=True)}">'


def _axis(width=5.6, height=3.6) -> tuple[Figure, mpl.axes.Axes]:
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.add_subplot()


def reliability_figure(table, what: str) -> str:
    """Observed share against mean probability, bin by bin; ``table`` is that of ``reliability``."""
    figure, axis = _axis(4.6, 4.2)
    p, share, low, high = (table[name].to_numpy(float) for name in ("predicted", "observed", "low", "high"))
    axis.plot([0, 1], [0, 1], color=COLOURS["grey"], linewidth=1, linestyle="--", label="perfect")
    axis.errorbar(p, share, [share - low, high - share], fmt="o", color=COLOURS["blue"], capsize=3, label="test cases")
    axis.set(
        xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=f"predicted probability {what}", ylabel="how often it was so"
    )
    axis.legend(loc="upper left")
    points = "; ".join(
        f"predicted {a:.2f}, observed {b:.2f} [{c:.2f}, {d:.2f}]"
        for a, b, c, d in zip(p, share, low, high, strict=True)
    )
    return drawn(
        figure, f"Reliability on test, in bins of equal size: {points}. On the dashed diagonal both are equal."
    )


def curve_figure(thresholds, curve: dict[str, list[Interval]]) -> str:
    """Net benefit of the model, of treating all and of treating nobody."""
    figure, axis = _axis()
    model = curve["model"]
    axis.axhline(0, color=COLOURS["black"], linewidth=1, label="treat nobody")
    axis.plot(
        thresholds,
        [one.value for one in curve["treat all"]],
        color=COLOURS["orange"],
        linestyle="--",
        label="treat all",
    )
    axis.plot(thresholds, [one.value for one in model], color=COLOURS["blue"], label="model")
    axis.fill_between(
        thresholds, [one.low for one in model], [one.high for one in model], color=COLOURS["blue"], alpha=0.15
    )
    axis.set(xlabel="threshold probability from which one would act", ylabel="net benefit")
    axis.set_ylim(*curve_limits(curve))
    axis.legend()
    at = [0, len(model) // 2, len(model) - 1]
    points = "; ".join(
        f"at {thresholds[i]:.2f} model {model[i].value:.3f}, treat all {curve['treat all'][i].value:.3f}" for i in at
    )
    return drawn(figure, f"Decision curve: net benefit against threshold probability; {points}; treat nobody is 0.")


def curve_limits(curve: dict[str, list[Interval]]) -> tuple[float, float]:
    """The lowest and the highest net benefit that ``curve_figure`` shows."""
    top = max(0.1, *(one.high for one in curve["model"]))
    return -0.15 * top, 1.1 * top


def ways_figure(names: list[str], losses: list[float], prior: float, chosen: int | None) -> str:
    """The validation log loss of some ways; ``chosen`` is the row that stands out."""
    figure, axis = _axis(8.6, 1.1 + 0.3 * len(names))
    rows = np.arange(len(names))[::-1]
    colours = [COLOURS["blue" if k == chosen else "grey"] for k in range(len(names))]
    axis.hlines(rows, 0, losses, color=colours, linewidth=1)
    axis.scatter(losses, rows, color=colours, zorder=3)
    axis.axvline(prior, color=COLOURS["orange"], linestyle="--", linewidth=1, label="class frequencies alone")
    axis.set_yticks(rows, names, fontsize=9)
    axis.set(xlabel="log loss on validation", xlim=(0, None))
    axis.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)
    points = "; ".join(f"{name} {loss:.3f}" for name, loss in zip(names, losses, strict=True))
    return drawn(figure, f"Log loss on validation, lower is better: {points}; class frequencies alone {prior:.3f}.")


def scores_figure(
    probability: np.ndarray, event: np.ndarray, threshold: float | None, yes: str, no: str, what: str
) -> str:
    """How the probabilities ``what``, "of pneumonia" say, of the two kinds of test cases are spread."""
    figure, axis = _axis()
    bins = np.linspace(0, 1, 21).tolist()
    for is_so, name, colour in ((False, no, "sky"), (True, yes, "orange")):
        axis.hist(
            probability[event == is_so],
            bins,
            color=COLOURS[colour],
            alpha=0.6,
            label=f"{name} (n = {(event == is_so).sum()})",
        )
    if threshold is not None:
        axis.axvline(threshold, color=COLOURS["black"], linewidth=1, linestyle="--", label=f"threshold {threshold:.2f}")
    axis.set(xlabel=f"predicted probability {what}", ylabel="test images")
    axis.legend()
    middle = "; ".join(
        f"the median of {name} is {np.median(probability[event == is_so]):.2f}"
        for is_so, name in ((False, no), (True, yes))
        if (event == is_so).any()
    )
    return drawn(figure, f"Histogram of the predicted probabilities {what} on test: {middle}.")
