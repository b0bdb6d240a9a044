"""The figures of notebook 02: what trains, what drifts, and what each way to train reaches, live and recorded."""

import matplotlib.pyplot as plt

from ...methods.intervals import Interval
from ...teaching.plots import COLOURS, interval_marks, interval_plot, show
from ...teaching.records import Record
from .experiment import (
    DEPTHS,
    FULL,
    GRADUAL,
    HOME,
    L2_SP,
    LP_FT,
    PROBE,
    REPAIRED,
    SCRATCH,
    SHIFTED,
    SMALL_LONGER,
)

STYLES = {  # colour and marker, so that lines are told apart without colour too
    SCRATCH: ("grey", "s"),
    SMALL_LONGER: ("black", "X"),
    PROBE: ("blue", "o"),
    FULL: ("orange", "D"),
    GRADUAL: ("green", "^"),
    LP_FT: ("pink", "v"),
    L2_SP: ("yellow", "P"),
    "frozen to layer3": ("sky", "<"),
}
WORDS = {  # scanner -> title, colour and marker
    HOME: ("scanner D, where the labels come from", "blue", "o"),
    SHIFTED: ("scanner B, as it is", "orange", "D"),
    REPAIRED: ("scanner B, colours matched to D", "sky", "^"),
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


def show_against_n(record: Record, methods, *, live: dict | None = None) -> None:
    """Recorded test accuracy against labels per class on both scanners, with 95 % t bars.

    A method that is recorded for one n only is one mark. ``live`` (method → {scanner: accuracy}) are networks of the
    notebook itself, at the smallest n: open marks.
    """
    figure, axes = plt.subplots(1, 2, figsize=(9.2, 4.4), sharey=True)
    all_sizes = record.values("n")
    for axis, scanner in zip(axes, (HOME, SHIFTED), strict=True):
        for at, method in enumerate(methods):
            colour, marker = STYLES[method]
            beside = 1.06 ** (at - len(methods) // 2)  # so that no bar hides another
            sizes = record.values("n", way=method)
            means = [record.mean(method, n=n, scanner=scanner) for n in sizes]
            places = [n * beside for n in sizes]
            interval_marks(axis, places, means, colour=colour, marker=marker, label=method, joined=True)
            if live and method in live:
                axis.plot(sizes[0] * 0.75, live[method][scanner], marker, color=COLOURS[colour], fillstyle="none")
        axis.axhline(1 / 3, color=COLOURS["grey"], linestyle=":", linewidth=1)
        axis.set(xscale="log", xlabel="labels per class", title=WORDS[scanner][0])
        axis.set_xticks(all_sizes, [str(n) for n in all_sizes])
        axis.minorticks_off()
    axes[0].set(ylabel="test accuracy (dotted: guessing)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", fontsize=9, ncols=5)
    parts = [
        f"on {WORDS[scanner][0]}: " + "; ".join(_from_few_to_many(record, method, scanner) for method in methods)
        for scanner in (HOME, SHIFTED)
    ]
    dots = "; open marks: live" if live else ""
    show(
        figure,
        f"Test accuracy against labels per class, {'. And '.join(parts)}.",
        provenance=f"recorded, {_seeds(record, methods, n=all_sizes[0])}, with {all_sizes[-1]} labels "
        f"{_seeds(record, methods, n=all_sizes[-1])}, 95 % t bars{dots}; phantoms",
    )


def _from_few_to_many(record: Record, method: str, scanner: str) -> str:
    """The means of one way in words, from the smallest number of labels to the largest."""
    means = [(n, record.mean(method, n=n, scanner=scanner).value) for n in record.values("n", way=method)]
    return f"{method} " + " and ".join(f"{mean:.0%} with {n} labels" for n, mean in means)


def _seeds(record: Record, methods, n: int) -> str:
    """How many seeds the rows of ``methods`` have: "10 seeds", or "5 to 10 seeds" where these differ."""
    shown = [way for way in methods if n in record.values("n", way=way)]
    counts = {len(record.scores(way, n=n, scanner=HOME)) for way in shown}
    return f"{min(counts)} to {max(counts)} seeds" if len(counts) > 1 else f"{max(counts)} seeds"


def show_depth(record: Record, upto: str = DEPTH_NAMES[-1], n: int = 10) -> None:
    """Accuracy with ``n`` labels against how deep the network is frozen, on the labels' scanner and on the other.

    Only the depths up to ``upto`` are drawn, so that a reader can guess the next one.
    """
    figure, axis = plt.subplots(figsize=(7.2, 3.6))
    shown = DEPTH_NAMES.index(upto) + 1
    methods = list(DEPTHS.values())
    ends = []
    for shift, scanner in zip((-0.05, 0.05), (HOME, SHIFTED), strict=True):
        title, colour, marker = WORDS[scanner]
        means = [record.mean(m, n=n, scanner=scanner) for m in methods]
        ends += [end for mean in means for end in (mean.low, mean.high)]
        places = [at + shift for at in range(shown)]
        interval_marks(axis, places, means[:shown], colour=colour, marker=marker, label=title, joined=True)
    axis.set(xlabel="frozen up to", ylabel="test accuracy", title=f"{n} labels per class")
    axis.set(xlim=(-0.3, len(methods) - 0.7), ylim=(min(ends) - 0.02, max(ends) + 0.12))
    axis.set_xticks(range(len(methods)), DEPTH_NAMES)
    axis.legend(fontsize=9, loc="upper right", ncols=2)
    alt = (
        f"Test accuracy with {n} labels per class against the last frozen stage, from nothing to {upto}, on images of "
        "the scanner that gave the labels and on those of another one."
    )
    show(figure, alt, provenance=f"recorded, {_seeds(record, methods, n)}, bars: 95 % t; phantoms")


def show_both_scanners(record: Record, n: int = 10) -> None:
    """For each way three dots: the labels' scanner, the other one as it is, and the other one with matched colours."""
    methods = sorted(record.values("way", n=n), key=lambda way: record.mean(way, n=n, scanner=SHIFTED).value)
    figure, axis = plt.subplots(figsize=(8.2, 0.4 * len(methods) + 1.3))
    means = {scanner: [record.mean(way, n=n, scanner=scanner) for way in methods] for scanner in WORDS}
    for scanner, shift in ((HOME, 0), (REPAIRED, 0.16), (SHIFTED, -0.16)):
        title, colour, marker = WORDS[scanner]
        rows = [row + shift for row in range(len(methods))]
        interval_marks(axis, rows, means[scanner], colour=colour, marker=marker, label=title, horizontal=True)
    axis.set_yticks(range(len(methods)), methods)
    axis.set(xlabel="test accuracy")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper center", fontsize=9, ncols=3)
    listed = "; ".join(
        f"{way} {', '.join(f'{means[scanner][row].value:.0%}' for scanner in (HOME, SHIFTED, REPAIRED))}"
        for row, way in reversed(list(enumerate(methods)))
    )
    alt = (
        f"Test accuracy of each way to train with {n} labels per class on scanner D, on scanner B as it is, and on "
        f"scanner B with its colours matched: {listed}."
    )
    show(figure, alt, provenance=f"recorded, {_seeds(record, methods, n)}, bars: 95 % t; phantoms")


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
