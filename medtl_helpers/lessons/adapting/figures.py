"""The figures of notebook 08: two domains, passes, ways, rules that choose, streams, a watch, and all gains in one."""

import matplotlib.pyplot as plt
import numpy as np

from ...teaching.plots import COLOURS, MARKS, interval_marks, show
from ...teaching.records import Record
from .experiment import HINDSIGHT

KINDS = {  # what the record calls a kind of data, and what a figure says
    "smear": "other scanners (phantoms)",
    "texture": "waves (phantoms)",
    "digits": "digits on photographs",
    "white": "white cells, real",
    "hospitals": "hospitals, real",
}
STREAM_WAYS = {  # name in the notebook: colour and marker
    "untouched": ("black", "s"),
    "yesterday's images": ("blue", "D"),
    "batch by batch": ("sky", "^"),
    "TENT": ("orange", "o"),
    "TENT, stopped": ("green", "v"),
}


def show_domains(source, target, classes, *, data=None) -> None:
    """One source and one target image of each class, in two rows."""
    figure, axes = plt.subplots(2, len(classes), figsize=(1.08 * len(classes) + 0.4, 2.9))
    for row, (split, where) in zip(axes, ((source, "source"), (target, "target")), strict=True):
        for k, (axis, name) in enumerate(zip(row, classes, strict=True)):
            axis.imshow(split.x[split.y == k][0].permute(1, 2, 0))
            axis.set(xticks=[], yticks=[])
            if where == "source":
                axis.set_title(name.replace(" ", "\n"), fontsize=8, loc="center")
        row[0].set_ylabel(where, fontsize=10)
    show(
        figure,
        f"One image of each of the {len(classes)} types, in two rows: the source above, the target below. The cells "
        "are of the same types; the colours and the sharpness of the whole image differ.",
        data=data,
    )


def show_passes(passes: dict, untouched: float, *, data=None) -> None:
    """TENT pass after pass: rate → a list of (balanced accuracy, mean entropy, classes that are named)."""
    figure, axes = plt.subplots(1, 3, figsize=(9.2, 3.3))
    told = []
    for (rate, rows), (colour, marker) in zip(passes.items(), MARKS, strict=False):
        for axis, values in zip(axes, zip(*rows, strict=True), strict=True):
            axis.plot(range(1, len(rows) + 1), values, f"{marker}-", color=COLOURS[colour], label=f"rate {rate:g}")
        told.append(
            f"at rate {rate:g} the balanced accuracy goes from {rows[0][0]:.2f} to {rows[-1][0]:.2f}, the entropy from "
            f"{rows[0][1]:.2f} to {rows[-1][1]:.2f}, and the classes from {rows[0][2]} to {rows[-1][2]}"
        )
    axes[0].axhline(untouched, color=COLOURS["black"], linestyle="--", linewidth=1, label="untouched")
    for axis, title in zip(axes, ("balanced accuracy", "mean entropy (nats)", "classes named"), strict=True):
        axis.set_title(title, fontsize=10)
        axis.set(xlabel="pass", ylim=(0, None))
    axes[0].set_ylim(0, 1)
    axes[0].legend(fontsize=8)
    show(
        figure,
        f"TENT over the same images, pass after pass, beside {untouched:.2f} of the untouched network: "
        f"{'; '.join(told)}.",
        data=data,
    )


def show_adapted(scores: dict[str, float], home: float, after: dict[str, float] | None = None, *, data=None) -> None:
    """One score for each way, hollow marks for the same ``after`` AdaBN, and a line for the score at home."""
    figure, axis = plt.subplots(figsize=(7.8, 1.2 + 0.34 * len(scores)))
    names, after = list(scores), after or {}
    if after:
        at = [names.index(name) for name in after]
        style = {"color": "white", "mec": COLOURS["sky"], "markersize": 9, "mew": 2}
        axis.plot(list(after.values()), at, "^", label="then AdaBN", **style)
    axis.plot(list(scores.values()), range(len(names)), "o", color=COLOURS["orange"], markersize=8, label="as it is")
    axis.axvline(home, color=COLOURS["grey"], linestyle="--", linewidth=1, label="source only, at home")
    axis.set_yticks(range(len(names)), names)
    axis.set(xlim=(0, 1.02), ylim=(len(names) - 0.5, -0.5), xlabel="balanced accuracy on the target, one seed")
    axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    told = ", ".join(
        f"{name} {value:.2f}" + (f" (then AdaBN {after[name]:.2f})" if name in after else "")
        for name, value in scores.items()
    )
    show(figure, f"The balanced accuracy of each way on the target: {told}; at home {home:.2f}.", data=data)


def show_rules(rules: dict, scores: dict[str, float], *, data=None) -> None:
    """What each rule says of each way (way → rule → value, less is better) beside the way's score on the target."""
    names = list(next(iter(rules.values())))
    figure, axes = plt.subplots(1, len(names), figsize=(9.2, 3.4), sharey=True)
    told = []
    for axis, rule in zip(axes, names, strict=True):
        for (way, values), (colour, marker) in zip(rules.items(), MARKS, strict=False):
            axis.plot(values[rule], scores[way], marker, color=COLOURS[colour], markersize=8, label=way)
        chosen = min(rules, key=lambda way: rules[way][rule])
        axis.set_title(rule, fontsize=10)
        axis.set_xlabel("less is better (nats)", fontsize=9)
        told.append(f"{rule} takes {chosen}, which has {scores[chosen]:.2f}")
    axes[0].set_ylabel("balanced accuracy, target", fontsize=9)
    axes[-1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    best = max(rules, key=lambda way: scores[way])
    show(
        figure,
        f"Each way's score on the target beside what each rule says of it without a target label: {'; '.join(told)}. "
        f"The best is {best} with {scores[best]:.2f}.",
        data=data,
    )


def show_streams(scores: dict, *, label: str = "balanced accuracy", **where) -> None:
    """Each stream in a row, each way a mark: stream → way → score, a number or an ``Interval``."""
    figure, axis = plt.subplots(figsize=(8.8, 1.1 + 0.55 * len(scores)))
    ways, told = list(dict.fromkeys(way for row in scores.values() for way in row)), []
    for k, way in enumerate(ways):
        colour, marker = STREAM_WAYS[way]
        shift = 0.14 * (k - (len(ways) - 1) / 2)
        found = [(row + shift, values[way]) for row, values in enumerate(scores.values()) if way in values]
        at, values = zip(*found, strict=True)
        if isinstance(values[0], float):
            axis.plot(values, at, marker, color=COLOURS[colour], markersize=8, label=way)
        else:
            interval_marks(axis, at, values, colour=colour, marker=marker, label=way, horizontal=True)
    for stream, row in scores.items():
        numbers = {way: value if isinstance(value, float) else value.value for way, value in row.items()}
        told.append(f"{stream}: " + ", ".join(f"{way} {number:.2f}" for way, number in numbers.items()))
    axis.set_yticks(range(len(scores)), list(scores))
    axis.set(xlim=(0, 1.02), ylim=(len(scores) - 0.5, -0.5), xlabel=label)
    axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    show(figure, f"The {label} of each way on each stream. {'; '.join(told)}.", **where)


def show_watch(watches: dict, *, data=None) -> None:
    """What a ``CollapseWatch`` saw of each stream, without a label, with a mark at each alarm: stream → watch."""
    titles = {"mix": "mix, from the expected one", "agreement": "agreement", "entropy": "entropy (nats)"}
    figure, axes = plt.subplots(1, len(titles), figsize=(9.2, 3.2))
    told = []
    for (stream, watch), (colour, _) in zip(watches.items(), MARKS, strict=False):
        along = np.arange(1, len(watch.looks) + 1) / len(watch.looks)
        for axis, signal in zip(axes, titles, strict=True):
            values = np.array([getattr(look, signal) for look in watch.looks])
            axis.plot(along, values, "-", color=COLOURS[colour], linewidth=1.5, label=stream)
            axis.plot(along[watch.alarms], values[watch.alarms], "X", color=COLOURS[colour], mec="black", markersize=9)
        told.append(f"{stream}: {len(watch.alarms)} alarms in {len(watch.looks)} batches")
    for axis, title in zip(axes, titles.values(), strict=True):
        axis.set_title(title, fontsize=10)
        axis.set(xlabel="share of the stream", ylim=(0, None))
    axes[-1].plot([], [], "X", color="white", mec="black", markersize=9, label="alarm")
    axes[-1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    show(
        figure,
        f"What the watch sees of the last images, without a label: {', '.join(titles.values())}; a mark stands where "
        f"it raises an alarm. {'; '.join(told)}.",
        data=data,
    )


def show_all_gains(gains: dict) -> None:
    """All gains over the untouched network: (kind, way) → ``BesideMargin``; a panel for each kind, a line for each way.

    A filled mark is settled beyond its margin, the grey band; a hollow one is not. The thin part of a line is the
    interval for all comparisons of the figure together.
    """
    kinds = list(dict.fromkeys(kind for kind, _ in gains))
    ways = list(dict.fromkeys(way for _, way in gains))
    figure, axes = plt.subplots(
        1, len(kinds), figsize=(1.6 + 1.65 * len(kinds), 1.5 + 0.32 * len(ways)), sharey=True, squeeze=False
    )
    told = []
    for axis, kind, (colour, marker) in zip(axes.flat, kinds, MARKS, strict=False):
        found = {way: gains[kind, way] for way in ways if (kind, way) in gains}
        for way, one in found.items():
            at = ways.index(way)
            axis.plot(_widened(one.interval, len(gains)), [at, at], "-", color=COLOURS[colour], linewidth=0.8)
            interval_marks(axis, [at], [one.interval], colour=colour, marker=marker, horizontal=True)
            if not one.settled:
                style = {"color": "white", "mec": COLOURS[colour], "markersize": 7, "zorder": 5}
                axis.plot(one.interval.value, at, marker, **style)
        ends = [end for one in found.values() for end in (one.interval.low, one.interval.high)]
        axis.set_xlim(min(0, *ends) - 0.05, max(0, *ends) + 0.05)  # a widened line may leave the panel
        margin = max(one.margin for one in found.values())
        axis.axvspan(-margin, margin, color=COLOURS["grey"], alpha=0.18, linewidth=0)
        axis.axvline(0, color=COLOURS["black"], linewidth=1)
        name = KINDS.get(kind, kind)
        axis.set_title(name.replace(" (", "\n(").replace(", ", ",\n"), fontsize=9, loc="center")
        axis.tick_params("x", labelsize=8)
        lines = (
            f"{way} {one.interval.value:+.2f} [{one.interval.low:+.2f}, {one.interval.high:+.2f}]"
            + (" settled" if one.settled else "")
            for way, one in found.items()
        )
        told.append(f"{name}: {', '.join(lines)}.")
    axes[0, 0].set_yticks(range(len(ways)), ways)
    axes[0, 0].set_ylim(len(ways) - 0.5, -0.5)
    figure.suptitle("gain in balanced accuracy over the untouched network", fontsize=10)
    show(
        figure,
        f"Gains over the untouched network with 95 % intervals; a filled mark is settled. {' '.join(told)}",
        provenance="recorded, 95 % intervals, thin: for all of them; phantoms and real data",
    )


def _widened(interval, n: int) -> tuple[float, float]:
    """The ends of a 95 % interval as one of ``n``: at 1 − 0.05/n (Bonferroni), by the t distribution of its seeds."""
    from scipy.stats import t

    df = float("inf") if "bootstrap" in interval.kind else interval.n - 1
    stretch = t.isf(0.025 / n, df) / t.isf(0.025, df)
    return tuple(interval.value + stretch * (end - interval.value) for end in (interval.low, interval.high))


def show_recorded_choices(record: Record, panels: dict, rules: dict, *, score: str = "balanced accuracy") -> None:
    """The recorded score of what each rule chose, a panel for each kind: title → keys; rules: name → way.

    The white cells are given once: their intervals are over seeds and cells, and hindsight has none.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(1.5 + 2.1 * len(panels), 1.3 + 0.36 * len(rules)), sharey=True)
    told = []
    for axis, (title, keys), (colour, marker) in zip(np.atleast_1d(axes), panels.items(), MARKS, strict=False):
        means = {
            name: record.over_cases(way, None, score, **keys)
            if keys["kind"] == "white"
            else record.mean(way, score, **keys)
            for name, way in rules.items()
            if not (keys["kind"] == "white" and way == HINDSIGHT)
        }
        at = [list(rules).index(name) for name in means]
        interval_marks(axis, at, means.values(), colour=colour, marker=marker, horizontal=True)
        axis.set_title(title.replace(", ", ",\n"), fontsize=9, loc="center")
        axis.set(ylim=(len(rules) - 0.5, -0.5))
        told.append(f"{title}: " + ", ".join(f"{name} {mean.value:.2f}" for name, mean in means.items()))
    np.atleast_1d(axes)[0].set_yticks(range(len(rules)), list(rules))
    figure.suptitle(f"{score} on the target of what was chosen", fontsize=10)
    show(
        figure,
        f"The {score} on the target of what each rule chose, with 95 % intervals. {'; '.join(told)}.",
        provenance="recorded, 95 %; phantoms over seeds, white cells over seeds and cells",
    )
