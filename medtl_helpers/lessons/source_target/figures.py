"""The figures of notebook 04: the pairs of domains, the twice applied softmax, the ways, the sources."""

import matplotlib.pyplot as plt
import torch

from ...data.tasks import Task
from ...teaching.plots import COLOURS, interval_marks, show
from ...teaching.records import Record
from .experiment import (
    ADABN,
    AUGMENTED,
    BOTH,
    CELLS,
    CHESTS,
    COVARIANCE,
    FINE_TUNED,
    FROZEN,
    JOINT,
    KIN,
    LONGER,
    MAJORITY,
    OTHERS,
    PIXELS,
    PRETRAINED,
    RANDOM,
    ROWS_THERE,
    SCRATCH,
    SMALL,
    SMALL_LONGER,
    SOURCE_ONLY,
    TARGET_ONLY,
    THRESHOLD,
    WAYS,
    WHITE,
    in_first,
    in_second,
    level,
)

STYLES = {  # colour and marker, so that ways are told apart without colour too
    MAJORITY: ("grey", "|"),
    SOURCE_ONLY: ("black", "s"),
    AUGMENTED: ("sky", "^"),
    THRESHOLD: ("black", "*"),
    PIXELS: ("green", "p"),
    COVARIANCE: ("green", "h"),
    ADABN: ("blue", "o"),
    BOTH: ("grey", "P"),
    TARGET_ONLY: ("yellow", "v"),
    LONGER: ("yellow", "<"),
    FINE_TUNED: ("orange", "D"),
    JOINT: ("pink", "X"),
}
STYLES_THERE = {
    (FROZEN, PRETRAINED): ("blue", "o"),
    (FROZEN, RANDOM): ("grey", "o"),
    (FINE_TUNED, PRETRAINED): ("blue", "D"),
    (FINE_TUNED, RANDOM): ("grey", "D"),
    (SMALL, SCRATCH): ("yellow", "v"),
    (SMALL_LONGER, SCRATCH): ("yellow", "<"),
}
ORIGINS = {"real": "real", "twin": "drawn by code"}
SOFTMAX_STYLES = (("orange", "D", "--"), ("blue", "o", "-"))
SOURCE_STYLES = {KIN: ("blue", "o")} | dict(zip(OTHERS, (("orange", "D"), ("green", "^")), strict=True))


def origin(tasks: dict[str, Task]) -> str:
    """For an alt text: which of the named tasks are real, and which are drawn."""
    words: dict[str, list[str]] = {}
    for name, task in tasks.items():
        words.setdefault(ORIGINS.get(task.provenance, "your own"), []).append(f"the {name}")
    text = ", and ".join(f"{' and '.join(names)} are {word}" for word, names in words.items())
    return text[0].upper() + text[1:]


def show_pairs(pairs: dict[str, tuple[Task, Task]]) -> None:
    """Test images of each named (source, target): a row for each pair, the source on the left."""
    figure, axes = plt.subplots(len(pairs), 8, figsize=(8.8, 0.3 + 1.2 * len(pairs)), squeeze=False)
    for row, (name, (source, target)) in zip(axes, pairs.items(), strict=True):
        for axis, image in zip(row, torch.cat([source.test.x[:4], target.test.x[:4]]), strict=True):
            axis.imshow(image.permute(1, 2, 0).squeeze(-1), cmap="gray", vmin=0, vmax=255)
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
        row[0].set_ylabel(name, fontsize=10)
    axes[0, 0].set_title("source", fontsize=10)
    axes[0, 4].set_title("target", fontsize=10)
    sources = {name: source for name, (source, _) in pairs.items()}
    alt = (
        f"A row of {' and a row of '.join(pairs)}: four images of the source on the left, four of the target on the "
        "right. The target's images have other colours or grey tones, another background, and more or less blur. "
        f"{origin(sources)}."
    )
    show(figure, alt, data=list(sources.values()))


def show_softmax(histories: dict, floor: float, *, data: Task) -> None:
    """Training loss and validation accuracy by epoch: ``histories`` maps a name to one ``History`` a seed."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.5))
    for (name, runs), (colour, marker, line) in zip(histories.items(), SOFTMAX_STYLES, strict=True):
        for k, run in enumerate(runs):
            style = {"color": COLOURS[colour], "marker": marker, "linestyle": line, "markersize": 5}
            epochs = range(1, len(run.train_loss) + 1)
            left.plot(epochs, run.train_loss, **style)
            right.plot(epochs, run.val_accuracy, label=name if k == 0 else None, **style)
    left.axhline(floor, color=COLOURS["grey"], linestyle=":")
    below = {"textcoords": "offset points", "va": "top", "ha": "right", "fontsize": 9}
    left.annotate("no lower with softmax twice", (len(run.train_loss), floor), (0, -4), **below)
    left.set(xlabel="epoch", ylabel="training loss (nats)", ylim=(0, None), title="Training loss")
    right.set(xlabel="epoch", ylabel="validation accuracy", ylim=(0, 1), title="Accuracy on validation images")
    right.legend(fontsize=9, loc="lower right")
    ends = "; ".join(f"{name}: {_listed(run.val_accuracy[-1] for run in runs)}" for name, runs in histories.items())
    alt = (
        "The training loss and the validation accuracy by epoch, with one line for each seed. A dotted line marks the "
        f"lowest loss that is possible with softmax twice. Validation accuracy in the last epoch: {ends}. "
        f"{origin({'blood cells': data})}."
    )
    show(figure, alt, data=data)


PANELS = ((CELLS, "twin", "drawn"), (CHESTS, "twin", "drawn"), (CHESTS, "real", "real images"), (WHITE, "real", "real"))


def show_ways(record: Record, live: dict[str, dict]) -> None:
    """A panel for each of ``PANELS``: balanced accuracy with its interval and AUROC (a tick) of each way.

    Rings are ``live``: the balanced accuracy of today's run on drawn images, by pair and way.
    """
    figure, axes = plt.subplots(1, len(PANELS), figsize=(11, 4.5), sharey=True)
    told = []
    for axis, (pair, data, words) in zip(axes, PANELS, strict=True):
        there = record.values("way", part="ways", pair=pair, data=data)
        for row, way in enumerate(WAYS):
            if way not in there:
                continue
            tint, marker = STYLES[way]
            mean = level(record, way, "balanced accuracy", pair, data)
            ranking = level(record, way, "AUROC", pair, data)
            interval_marks(axis, [row], [mean], colour=tint, marker=marker, horizontal=True)
            axis.plot(ranking.value, row, "|", color=COLOURS["black"], markersize=13)
            if data == "twin" and way in live.get(pair, {}):
                axis.plot(live[pair][way], row + 0.28, marker, color=COLOURS[tint], markersize=5, fillstyle="none")
            limits = f"{mean.value:.2f} [{mean.low:.2f}, {mean.high:.2f}]"
            told.append(f"{pair} ({words}), {way}: {limits}, AUROC {ranking.value:.2f}")
        axis.set(xlabel="balanced accuracy\n(| AUROC)", title=f"{pair} ({words})", xlim=(0, 1.02))
        axis.title.set_fontsize(10)
    axes[0].set_yticks(range(len(WAYS)), [f"{way}  ({sees})" for way, sees in WAYS.items()])
    axes[0].invert_yaxis()
    alt = (
        f"Balanced accuracy and AUROC of each way on the target, in four panels. {'; '.join(told)}. "
        "The blood cells are drawn by code, and so are the X-rays of the second panel. The other X-rays and the white "
        "cells are real, and the second X-ray device is simulated."
    )
    shown = "filled: recorded, 5 seeds (white cells: 10), 95 % over seeds and test cases; open: live, one seed"
    show(figure, alt, provenance=shown)


def show_phantoms(record: Record) -> None:
    """Balanced accuracy in both laboratories of what ten real labels a class make of phantoms, and of its opponents."""
    figure, axes = plt.subplots(1, 2, figsize=(9.2, 3.0), sharey=True)
    names = [f"{way}, {start}" for way, start in ROWS_THERE]
    told = []
    for axis, (where, of) in zip(axes, {"first": in_first, "second": in_second}.items(), strict=True):
        for row, (way, start) in enumerate(ROWS_THERE):
            (tint, marker), found = STYLES_THERE[way, start], of(record, way, start)
            interval_marks(axis, [row], [found], colour=tint, marker=marker, horizontal=True)
            told.append(f"{where} laboratory, {names[row]}: {found.value:.2f} [{found.low:.2f}, {found.high:.2f}]")
        axis.axvline(0.25, color=COLOURS["grey"], linestyle=":")
        axis.set(xlabel="balanced accuracy", title=f"{where} laboratory (real)", xlim=(0, 1.02))
    axes[0].set_yticks(range(len(names)), names)
    axes[0].invert_yaxis()
    alt = (
        "Balanced accuracy of six ways to learn white cells from ten labels a class of the first laboratory, in two "
        f"panels: {'; '.join(told)}. A dotted line marks guessing. All cells are real; the phantoms are drawn by code."
    )
    seeds = len(record.row(FINE_TUNED, part="phantoms", start=RANDOM, repair="none")["seeds"])
    show(figure, alt, provenance=f"recorded, {seeds} seeds, real cells; 95 % over seeds and test cells")


def show_ranking(record: Record, live: dict[str, dict]) -> None:
    """The gain really obtained against each of two scores; ``live`` holds today's scores and gain of each source."""
    figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.6), sharey=True)
    told = []
    for source, (colour, marker) in SOURCE_STYLES.items():
        now, gains = live[source], record.scores(source, "gain")
        for axis, score in zip(axes, ("LogME", "proxy A-distance"), strict=True):
            values = record.scores(source, score)
            axis.plot(values, gains, marker, color=COLOURS[colour], label=source, alpha=0.7)
            axis.plot(now[score], now["gain"], marker, color="black", markersize=9, fillstyle="none")
            told.append(f"{source}: mean {score} {values.mean():.2f}, mean gain {gains.mean():+.3f}")
    for axis, score, better in zip(axes, ("LogME", "proxy A-distance"), ("right", "left"), strict=True):
        axis.axhline(0, color=COLOURS["grey"], linewidth=1)
        axis.set(xlabel=f"{score} (said to be better: {better})")
        axis.locator_params(axis="x", nbins=5)
    axes[0].set(ylabel="gain over target only", title="Three sources for one target")
    axes[1].legend(fontsize=9)
    alt = (
        "The gain of fine-tuning over target only, against two scores, with a mark for each source and seed. "
        f"{'; '.join(told)}. All images are drawn by code."
    )
    provenance = f"filled: recorded, {len(record.seeds)} seeds; black rings: live, one seed; drawn by code"
    show(figure, alt, provenance=provenance)


def _listed(values) -> str:
    return ", ".join(f"{value:.2f}" for value in values)
