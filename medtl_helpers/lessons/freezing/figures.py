"""The figures of notebook 02: what trains, what drifts, and what each way to train reaches, live and recorded."""

import matplotlib.pyplot as plt

from ...methods.intervals import Interval
from ...teaching.plots import COLOURS, interval_marks, interval_plot, show
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
    """A ``parameter_report`` as bars: the weights of each part, in orange those that train, and the multiply-adds."""
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
        f"Bars for {', '.join(parts.index)}. On the left are the weights: {int(report.loc['all', 'trainable']):,} of "
        f"{int(report.loc['all', 'weights']):,} train, and most of them are in the last stages. On the right, the "
        "multiply-adds are spread almost evenly over layer1 to layer4."
    )
    show(figure, alt, provenance="counted from the network, no data")


def show_drift(drift: dict[str, list[float]], *, data=None) -> None:
    """How far batch norm's running means have moved after each step, with one line for each way to freeze."""
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


def show_first_steps(paths: dict[str, list[float]], *, data=None) -> None:
    """How far the features have moved after each step; a name like ``"random head, rate 1e-3"`` sets its style."""
    figure, axis = plt.subplots(figsize=(7.2, 3.8))
    for name, values in paths.items():
        colour = "orange" if name.startswith("random") else "blue"
        axis.plot(values, "-" if name.endswith("1e-3") else "--", color=COLOURS[colour], label=name)
    axis.set(xlabel="training step", ylabel="relative change of the features")
    axis.set_title("The first ten steps of full fine-tuning")
    axis.legend()
    ends = ", ".join(f"{values[-1]:.2f} with {name}" for name, values in paths.items())
    alt = f"Lines of the relative change of the features over ten steps. They end at {ends}."
    show(figure, alt, data=data)


def show_against_n(record: Record, methods, *, live: dict | None = None, score: str = "accuracy") -> None:
    """Recorded test accuracy against labels per class, with 95 % t bars; ``live`` (method → (n, list)): open marks."""
    figure, axis = plt.subplots(figsize=(7.6, 4.5))
    sizes = record.values("n")
    for at, method in enumerate(methods):
        colour, marker = STYLES[method]
        beside = 1.06 ** (at - len(methods) // 2)  # so that no bar hides another
        means = [record.mean(method, score, n=n) for n in sizes]
        places = [n * beside for n in sizes]
        interval_marks(axis, places, means, colour=colour, marker=marker, label=method, joined=True)
        if live and method in live:
            n, values = live[method]
            axis.plot([n * 0.8] * len(values), values, marker, color=COLOURS[colour], fillstyle="none")
    axis.set(xscale="log", xlabel="labels per class", ylabel=f"test {score}")
    axis.set_xticks(sizes, [str(n) for n in sizes])
    axis.minorticks_off()
    axis.set_title(f"Three new cell types on scanner D (guessing: {1 / 3:.2f})")
    axis.legend(loc="lower right", fontsize=9, ncols=2)
    ends = {m: [record.mean(m, score, n=n).value for n in (sizes[0], sizes[-1])] for m in methods}
    lines = "; ".join(f"{method} rises from {low:.0%} to {high:.0%}" for method, (low, high) in ends.items())
    dots = "; open marks: live" if live else ""
    show(
        figure,
        f"Test {score} against labels per class: {lines}.",
        provenance=f"lines: recorded, {len(record.seeds)} seeds, 95 % t bars{dots}; phantoms",
    )


def show_depth(record: Record, upto: str = DEPTH_NAMES[-1]) -> None:
    """Accuracy against how deep the network is frozen, with a line for each n, on the labels' scanner and on the other.

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
            places = [at + shift for at in range(shown)]
            interval_marks(axis, places, means, colour=colours[n], label=f"{n} labels per class", joined=True)
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
        f"Test accuracy against the last frozen stage, from nothing to {upto}, for {', '.join(map(str, sizes))} "
        "labels per class. On the left are images of the scanner that gave the labels, on the right of another one."
    )
    show(figure, alt, provenance=f"recorded, {len(record.seeds)} seeds, bars: 95 % t; phantoms")


def show_larger_networks(record: Record, ways: dict[str, str]) -> None:
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


def show_both_domains(record: Record, sizes: tuple[int, ...]) -> None:
    """A panel for each number of labels, and in it two dots for each way: the labels' scanner and the other one."""
    figure, axes = plt.subplots(1, len(sizes), figsize=(9.2, 4.4), sharex=True, sharey=True, squeeze=False)
    methods = sorted(record.values("way"), key=lambda m: record.mean(m, n=sizes[0]).value)
    rows = range(len(methods))
    for axis, n in zip(axes[0], sizes, strict=True):
        own, other = (
            [record.mean(method, score, n=n) for method in methods] for score in ("accuracy", "shifted accuracy")
        )
        axis.hlines(rows, [m.value for m in own], [m.value for m in other], COLOURS["grey"], linewidth=1, zorder=1)
        labelled = "scanner D, where the labels come from"
        interval_marks(axis, rows, own, colour="blue", label=labelled, horizontal=True)
        interval_marks(axis, rows, other, colour="orange", marker="D", label="scanner B", horizontal=True)
        axis.set_yticks(rows, methods)
        axis.set(xlabel="test accuracy", title=f"{n} labels per class")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper center", fontsize=9, ncols=2)
    alt = (
        "For each way to train, test accuracy on the scanner of the labels and on another one, in panels for "
        f"{' and '.join(map(str, sizes))} labels per class. Every way is less accurate on the other scanner."
    )
    show(figure, alt, provenance=f"recorded, {len(record.seeds)} seeds, bars: 95 % t; phantoms")


def show_draws(without: list[float], with_weights: list[float], provenance: str, *, data=None) -> None:
    """One line for each draw of labels, from the AUROC with random weights to that with the loaded weights."""
    figure, axis = plt.subplots(figsize=(6.4, 3.4))
    for pair in zip(without, with_weights, strict=True):
        axis.plot([0, 1], pair, "o-", color=COLOURS["blue"], alpha=0.5)
    axis.set_xticks([0, 1], ["random weights", f"{provenance} weights"])
    axis.set(xlim=(-0.4, 1.4), ylabel="test AUROC", title="Frozen VGG16, ten labels per class")
    mean, mean_random = (sum(values) / len(values) for values in (with_weights, without))
    alt = (
        f"{len(without)} draws of ten labels per class; each line leads from random weights (mean {mean_random:.2f}) "
        f"to {provenance} weights (mean {mean:.2f})."
    )
    show(figure, alt, data=data)
