"""The figures of notebook 07: published regrets, a small zoo, a halving, the search beside fixed ways, and noise."""

import matplotlib.pyplot as plt
import pandas as pd

from ...methods.intervals import Interval
from ...teaching.plots import COLOURS, interval_marks, interval_plot, show
from ...teaching.records import Record

AUTO, RANDOM, ORACLE = "auto_transfer", "random search of the same cost", "oracle: best on test"
SEARCH_ROWS = {  # name in the record: short name, colour and marker
    AUTO: ("auto_transfer", "orange", "o"),
    "best fixed way": ("best fixed way", "black", "s"),
    RANDOM: ("random search", "green", "v"),
    "probe, always": ("probe, always", "sky", "^"),
    "small network, 4 × as long, always": ("small network, always", "pink", "X"),
    ORACLE: ("oracle (best on test)", "grey", "D"),
}


def show_regret(intervals: dict[str, Interval]) -> None:
    """The regret of each way on the published tables, one line each."""
    figure, axis = plt.subplots(figsize=(7.4, 1.2 + 0.3 * len(intervals)))
    interval_plot(axis, intervals)
    axis.axvline(0, color=COLOURS["grey"], linewidth=1)
    axis.set(xlabel="regret: AUROC of the best source minus that of the one taken")
    told = ", ".join(f"{name} {one.value:.3f} [{one.low:.3f}, {one.high:.3f}]" for name, one in intervals.items())
    show(
        figure,
        f"Each line shows how much AUROC a rule for choosing the source loses on average, with its 95 % interval over "
        f"nine groups of targets. These are real, published results: {told}.",
        provenance="recorded, 95 % t over groups of targets; real data",
    )


def show_tables(tables: pd.DataFrame) -> None:
    """The published AUROC of each source on each target, as a map of its distance from the best one."""
    auroc = tables.pivot(index="source", columns="target", values="auroc")
    lost = auroc.max() - auroc
    lost = lost.loc[lost.mean(axis=1).sort_values().index].dropna(axis=1, how="all")
    figure, axis = plt.subplots(figsize=(7.6, 4.6))
    image = axis.imshow(lost, cmap="cividis_r", vmin=0, vmax=0.15, aspect="auto")
    axis.set_xticks(range(lost.shape[1]), lost.columns, rotation=45, ha="right", rotation_mode="anchor", fontsize=8)
    axis.set_yticks(range(len(lost)), lost.index, fontsize=8)
    axis.set(xlabel="target", ylabel="source")
    axis.grid(False)
    figure.colorbar(image, ax=axis, label="AUROC below the best source", extend="max")
    show(
        figure,
        f"A map of real, published results: the rows are {len(lost)} sources, the columns {lost.shape[1]} targets, and "
        f"the colour says how far the AUROC lies below that of the target's best source. The sources are sorted by "
        f"their mean loss; the first is {lost.index[0]}, and the last is {lost.index[-1]}.",
        provenance="published results; real data",
    )


def show_zoo(zoo: pd.DataFrame, *, data=None) -> None:
    """Three scores of each source on the training images, and the AUROC on test after training its head."""
    scores = [name for name in zoo if name != "trained"]
    figure, axes = plt.subplots(1, len(scores), figsize=(8.8, 3.4), sharey=True)
    marks = list(zip(("blue", "orange", "green", "pink", "black"), "os^Dv", strict=True))
    for axis, score in zip(axes, scores, strict=True):
        for (name, row), (colour, marker) in zip(zoo.iterrows(), marks, strict=False):
            axis.plot(row[score], row["trained"], marker, color=COLOURS[colour], markersize=9, label=name)
        axis.set(xlabel=score)
        axis.margins(0.2)
    axes[0].set_ylabel("AUROC on test, trained")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(zoo), fontsize=9)
    told = "; ".join(
        f"{name} has "
        + ", ".join(f"{score} {row[score]:.2f}" for score in scores)
        + f" and reaches {row['trained']:.2f}"
        for name, row in zoo.iterrows()
    )
    show(
        figure,
        f"Each of {len(scores)} panels sets one score, known before training, against the AUROC on test after training "
        f"the head, for {len(zoo)} sources. The images are drawn by code. {told}.",
        data=data,
    )


def show_halving(seen: dict, *, data=None) -> None:
    """(way, epochs) → validation loss: one line for each way, which ends at the rung where it was dropped."""
    ways = list(dict.fromkeys(way for way, _ in seen))
    last = {way: max(epochs for one, epochs in seen if one == way) for way in ways}
    end = max(last.values())
    figure, axis = plt.subplots(figsize=(7.4, 3.8))
    for way in ways:
        at = sorted(epochs for one, epochs in seen if one == way)
        winner = last[way] == end
        colour = COLOURS["orange" if winner else "blue"]
        axis.plot(
            at, [seen[way, epochs] for epochs in at], "o-", color=colour, markersize=5, alpha=1 if winner else 0.6
        )
        if winner:
            axis.annotate(f"{way[0]}, rate {way[1]:g}", (end, seen[way, end]), (-6, -16), textcoords="offset points",
                          ha="right", fontsize=9)  # fmt: skip
    rungs = sorted({epochs for _, epochs in seen})
    axis.set_xscale("log")
    axis.set_xticks(rungs, [str(rung) for rung in rungs])
    axis.minorticks_off()
    axis.set(xlabel="epochs of the rung", ylabel="log loss on validation (nats)", ylim=(0, None))
    (winner,) = [way for way in ways if last[way] == end]
    counts = ", then ".join(str(sum(1 for _, epochs in seen if epochs == rung)) for rung in rungs)
    show(
        figure,
        f"The validation loss of each way at rungs of {', '.join(map(str, rungs))} epochs, on drawn images. The "
        f"number of ways that still take part is {counts}. The way that is left is {winner[0]} with the rate "
        f"{winner[1]:g}, and its loss ends at {seen[winner, end]:.2f}.",
        data=data,
    )


def show_choices(by_n: pd.DataFrame, *, data=None) -> None:
    """Regret and flattery of the choice by the number of validation images a class."""
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.3))
    labels = {"regret": "AUROC lost by the choice", "flattery": "log loss: test − validation"}
    for axis, (name, label), marker in zip(axes, labels.items(), "os", strict=True):
        axis.plot(by_n.index, by_n[name], marker + "-", color=COLOURS["orange" if name == "regret" else "blue"])
        axis.set_xscale("log")
        axis.set_xticks(by_n.index, [str(n) for n in by_n.index])
        axis.minorticks_off()
        axis.set(xlabel="validation images a class", ylabel=label, ylim=(0, None))
    told = "; ".join(f"{n} images: {row['regret']:.3f} and {row['flattery']:.2f}" for n, row in by_n.iterrows())
    show(
        figure,
        "On the left the AUROC that is lost because the chosen way is not the best one, on the right how much lower "
        f"the log loss is on the images that chose than on test, by the number of validation images a class. They "
        f"are drawn by code. {told}.",
        data=data,
    )


def show_search(record: Record, tasks: list[str]) -> None:
    """Test AUROC of the search and of its opponents on each task, with 20 validation images a class."""
    figure, axes = plt.subplots(1, len(tasks), figsize=(8.8, 3.9), sharey=True)
    told = []
    for axis, task in zip(axes, tasks, strict=True):
        where = {"task": task, "val": 20}
        ways = [way for way in SEARCH_ROWS if way in record.values("way", **where)]
        means = {way: record.mean(way, **where) for way in ways}
        for way, mean in means.items():
            _, colour, marker = SEARCH_ROWS[way]
            interval_marks(axis, [ways.index(way)], [mean], colour=colour, marker=marker)
        short = [SEARCH_ROWS[way][0] for way in ways]
        axis.set_xticks(range(len(short)), short, rotation=60, ha="right", rotation_mode="anchor", fontsize=8)
        axis.set_xlim(-0.5, len(short) - 0.5)
        axis.set_title(task, fontsize=10)
        values = ", ".join(f"{SEARCH_ROWS[way][0]} {mean.value:.2f}" for way, mean in means.items())
        told.append(f"On {task}: {values}.")
    axes[0].set_ylabel("AUROC on test")
    show(
        figure,
        f"The AUROC on the test images of {len(tasks)} real tasks is shown for the automatic search and its opponents, "
        f"as a mean with its 95 % interval over seeds. {' '.join(told)}",
        provenance=f"recorded, 95 % {mean.kind}; real data",
    )
