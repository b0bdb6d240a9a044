"""The figures of notebook 02: what trains, what drifts, and what each way to train reaches, live and recorded."""

import matplotlib.pyplot as plt

from ...methods.intervals import Interval
from ...teaching.plots import COLOURS, interval_plot, show
from ...teaching.records import Record
from .experiment import DEPTHS, FULL, GRADUAL, L2_SP, LP_FT, PROBE, SCRATCH

STYLES = {  # colour and marker, so that lines are told apart without colour too
    SCRATCH: ("black", "s"),
    PROBE: ("blue", "o"),
    FULL: ("orange", "D"),
    GRADUAL: ("green", "^"),
    LP_FT: ("pink", "v"),
    L2_SP: ("yellow", "P"),
    "frozen to layer3": ("sky", "<"),
}

DEPTH_NAMES = ["nothing" if depth is None else depth for depth in DEPTHS]


def show_parts(report, *, title: str) -> None:
    """A ``parameter_report`` as bars: weights per part, those that train in orange; multiply-adds beside them."""
    parts = report.drop("all")
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.2, 2.9), sharey=True)
    frozen = parts["weights"] - parts["trainable"]
    left.barh(parts.index, frozen / 1e6, color=COLOURS["blue"], label="frozen")
    left.barh(parts.index, parts["trainable"] / 1e6, left=frozen / 1e6, color=COLOURS["orange"], label="trains")
    left.set(xlabel="weights (millions)", title=title)
    left.invert_yaxis()
    left.legend(loc="center right")
    right.barh(parts.index, parts["multiply-adds (millions)"], color=COLOURS["grey"])
    right.set(xlabel="multiply-adds per image (millions)")
    alt = (
        f"Bars for {', '.join(parts.index)}. Left, weights: {int(report.loc['all', 'trainable']):,} of "
        f"{int(report.loc['all', 'weights']):,} train, most of them in the last stages. Right, the multiply-adds are "
        "spread almost evenly over layer1 to layer4."
    )
    show(figure, alt, provenance="counted from the network, no data")


def show_drift(drift: dict[str, list[float]], *, data=None) -> None:
    """How far batch norm's running means have moved from their start, by step; one line per way to freeze."""
    figure, axis = plt.subplots(figsize=(7.2, 3.4))
    for (name, values), colour, style in zip(drift.items(), ("orange", "blue"), ("-", "--"), strict=True):
        axis.plot(range(len(values)), [100 * v for v in values], style, color=COLOURS[colour], label=name)
    axis.set(xlabel="training step", ylabel="change of the running means (%)")
    axis.set_title("A network that is called frozen, and one that is")
    axis.legend()
    alt = (
        "Change of the running means of batch norm against the training step. With requires_grad = False alone it "
        "climbs from zero and does not come back; with mtl.freeze it stays exactly zero."
    )
    show(figure, alt, data=data)


def show_against_n(record: Record, methods, *, live: dict | None = None, score: str = "accuracy") -> None:
    """Test accuracy against labels per class: recorded means, 95 % t bars; ``live`` (method → (n, list)) as marks."""
    figure, axis = plt.subplots(figsize=(7.6, 4.5))
    sizes = record.values("n")
    for at, method in enumerate(methods):
        colour, marker = STYLES[method]
        means = [record.mean(method, score, n=n) for n in sizes]
        error = [[m.value - m.low for m in means], [m.high - m.value for m in means]]
        beside = 1.06 ** (at - len(methods) // 2)  # so that no bar hides another
        axis.errorbar(
            [n * beside for n in sizes],
            [m.value for m in means],
            error,
            marker=marker,
            capsize=3,
            color=COLOURS[colour],
            label=method,
        )
        if live and method in live:
            n, values = live[method]
            axis.plot([n * 0.8] * len(values), values, marker, color=COLOURS[colour], fillstyle="none")
    axis.set(xscale="log", xlabel="labels per class", ylabel=f"test {score}")
    axis.set_xticks(sizes, [str(n) for n in sizes])
    axis.minorticks_off()
    axis.set_title(f"Three new cell types on scanner D (guessing: {1 / 3:.2f})")
    axis.legend(loc="lower right", fontsize=9, ncols=2)
    ends = {m: [record.mean(m, score, n=n).value for n in (sizes[0], sizes[-1])] for m in methods}
    lines = "; ".join(f"{method} from {low:.0%} to {high:.0%}" for method, (low, high) in ends.items())
    dots = "; open marks: live" if live else ""
    show(
        figure,
        f"Test {score} against labels per class: {lines}.",
        provenance=f"lines: recorded, {len(record.seeds)} seeds, 95 % t bars{dots}; phantoms",
    )


def show_depth(record: Record, upto: str = DEPTH_NAMES[-1]) -> None:
    """Accuracy against how deep the network is frozen, one line per n, on the labels' scanner and on the other one.

    Only the depths up to ``upto`` are drawn, so that a reader can guess the next one.
    """
    figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.5), sharey=True)
    shown = DEPTH_NAMES.index(upto) + 1
    methods, sizes = list(DEPTHS.values()), record.values("n")
    intervals = {
        score: [[record.mean(m, score, n=n) for m in methods] for n in sizes]
        for score in ("accuracy", "shifted accuracy")
    }
    ends = [end for rows in intervals.values() for row in rows for m in row for end in (m.low, m.high)]
    colours = dict(zip(sizes, ("blue", "orange", "green", "pink"), strict=False))
    for axis, (score, where) in zip(axes, {"accuracy": "D, as labelled", "shifted accuracy": "B"}.items(), strict=True):
        for shift, n, means in zip((-0.1, 0, 0.1), sizes, intervals[score], strict=True):
            means = means[:shown]
            error = [[m.value - m.low for m in means], [m.high - m.value for m in means]]
            axis.errorbar(
                [at + shift for at in range(shown)],
                [m.value for m in means],
                error,
                marker="o",
                capsize=3,
                color=COLOURS[colours[n]],
                label=f"{n} labels per class",
            )
        axis.set(
            title=f"test on scanner {where}",
            xlabel="frozen up to",
            xlim=(-0.3, len(methods) - 0.7),
            ylim=(min(ends) - 0.02, max(ends) + 0.02),
        )
        axis.set_xticks(range(len(methods)), DEPTH_NAMES)
        axis.tick_params("x", labelsize=9)
    axes[0].set(ylabel="test accuracy")
    axes[0].legend(fontsize=9, loc="lower left")
    alt = (
        f"Test accuracy against the last frozen stage, from nothing to {upto}, for {sizes} "
        "labels per class; left on the scanner that gave the labels, right on another one."
    )
    show(figure, alt, provenance=f"recorded, {len(record.seeds)} seeds, bars: 95 % t; phantoms")


def show_ways(record: Record, ways: dict[str, str]) -> None:
    """Recorded accuracies of some ``ways`` (name in the record → words), each as its mean and t interval."""
    means = {words: record.mean(way) for way, words in ways.items()}
    figure, axis = plt.subplots(figsize=(7.6, 0.45 * len(means) + 1.1))
    interval_plot(axis, means)
    axis.set(xlabel="test accuracy (bar: 95 % t over seeds)")
    listed = "; ".join(f"{words} {mean.value:.2f}" for words, mean in means.items())
    show(figure, f"Mean test accuracy: {listed}.", provenance=f"recorded, {len(record.seeds)} seeds; phantoms")


def show_on_real(gains: dict[str, Interval]) -> None:
    """Gains in test AUROC on real images, each with its interval, and the line of no gain."""
    figure, axis = plt.subplots(figsize=(7.6, 0.45 * len(gains) + 1.1))
    axis.axvline(0, color=COLOURS["grey"], linewidth=1)
    interval_plot(axis, gains)
    axis.set(xlabel="gain in test AUROC (95 % bootstrap)")
    listed = "; ".join(
        f"{name} {gain.value:+.3f} from {gain.low:+.3f} to {gain.high:+.3f}" for name, gain in gains.items()
    )
    show(figure, f"Gains in test AUROC with their intervals: {listed}.", provenance="recorded; real images")


def show_both_domains(record: Record, n: int) -> None:
    """Each way to train as two dots: accuracy on the labels' scanner, and on the shifted one."""
    figure, axis = plt.subplots(figsize=(7.4, 4))
    methods = sorted(record.values("way"), key=lambda m: record.mean(m, n=n).value)
    for row, method in enumerate(methods):
        own, shifted = (record.mean(method, score, n=n) for score in ("accuracy", "shifted accuracy"))
        axis.plot([own.value, shifted.value], [row, row], color=COLOURS["grey"], linewidth=1, zorder=1)
        for result, colour, marker in ((own, "blue", "o"), (shifted, "orange", "D")):
            axis.plot([result.low, result.high], [row, row], color=COLOURS[colour], linewidth=3, alpha=0.35)
            axis.plot(result.value, row, marker, color=COLOURS[colour])
    axis.plot([], [], "o", color=COLOURS["blue"], label="scanner D, where the labels come from")
    axis.plot([], [], "D", color=COLOURS["orange"], label="scanner B")
    axis.set_yticks(range(len(methods)), methods)
    axis.set(xlabel="test accuracy", title=f"{n} labels per class")
    axis.set_ylim(-0.6, len(methods) + 0.6)
    axis.legend(loc="upper left", fontsize=9, ncols=2)
    alt = f"For each way to train, test accuracy on the scanner of the labels and on another one, {n} labels per class."
    show(figure, alt, provenance=f"recorded, {len(record.seeds)} seeds, bars: 95 % t; phantoms")
