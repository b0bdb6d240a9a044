"""The figures of notebook 04: the twice applied softmax, each way, the shift, and the ranking of sources."""

import matplotlib.pyplot as plt

from .checks import provenance_of
from .metrics import t_interval
from .plots import COLOURS, WORDS, show
from .records import Record
from .source_target import (
    ADABN,
    AUGMENTED,
    BOTH,
    FINE_TUNED,
    JOINT,
    KIN,
    SHIFT_WAYS,
    SOURCE_ONLY,
    TARGET_ONLY,
    WAYS,
)  # fmt: skip

STYLES = {  # colour and marker, so that ways are told apart without colour too
    SOURCE_ONLY: ("black", "s"),
    AUGMENTED: ("sky", "^"),
    ADABN: ("blue", "o"),
    BOTH: ("grey", "P"),
    TARGET_ONLY: ("yellow", "v"),
    FINE_TUNED: ("orange", "D"),
    JOINT: ("pink", "X"),
}
SOFTMAX_STYLES = (("orange", "D", "--"), ("blue", "o", "-"))


def show_softmax(histories: dict, floor: float, *, data=None) -> None:
    """Training loss and validation accuracy by epoch: ``histories`` maps a name to one ``History`` a seed."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.5))
    for (name, runs), (colour, marker, line) in zip(histories.items(), SOFTMAX_STYLES, strict=True):
        for k, run in enumerate(runs):
            style = {"color": COLOURS[colour], "marker": marker, "linestyle": line, "markersize": 5}
            epochs = range(1, len(run.train_loss) + 1)
            left.plot(epochs, run.train_loss, **style)
            right.plot(epochs, run.val_accuracy, label=name if k == 0 else None, **style)
    left.axhline(floor, color=COLOURS["grey"], linestyle=":")
    left.annotate("no lower with softmax twice", (1, floor), (0, -4), textcoords="offset points", va="top", fontsize=9)
    left.set(xlabel="epoch", ylabel="training loss (nats)", ylim=(0, None), title="The loss …")
    right.set(xlabel="epoch", ylabel="validation accuracy", ylim=(0, 1), title="… and what it learns")
    right.legend(fontsize=9, loc="upper left")
    ends = "; ".join(f"{name}: {[round(run.val_accuracy[-1], 2) for run in runs]}" for name, runs in histories.items())
    alt = (
        "Training loss and validation accuracy by epoch, one line a seed. A dotted line marks the floor of the loss "
        f"with softmax twice. Validation accuracy in the last epoch: {ends}."
    )
    show(figure, alt, data=data)


def show_ways(records: dict[str, Record], live: dict[str, dict], guessing: dict[str, float], *, data=None) -> None:
    """One panel a target: the recorded mean and interval of each way, and ``live`` (target → way → accuracy)."""
    figure, axes = plt.subplots(1, len(live), figsize=(8.8, 3.9), sharey=True, squeeze=False)
    told = []
    for axis, (target, now) in zip(axes[0], live.items(), strict=True):
        for row, way in enumerate(WAYS):
            colour, marker = STYLES[way]
            mean = records[target].mean("ways", target, way)
            axis.plot([mean.low, mean.high], [row, row], color=COLOURS[colour], linewidth=2.5)
            axis.plot(mean.value, row, marker, color=COLOURS[colour], markersize=7)
            axis.plot(now[way], row + 0.28, marker, color=COLOURS[colour], markersize=5, fillstyle="none")
            told.append(f"{target}, {way}: {mean.value:.2f} [{mean.low:.2f}, {mean.high:.2f}], live {now[way]:.2f}")
        axis.axvline(guessing[target], color=COLOURS["grey"], linestyle=":", linewidth=1)
        axis.set(xlabel="balanced test accuracy", title=target, xlim=(0, 1.02))
    axes[0, 0].set_yticks(range(len(WAYS)), [f"{way}  ({sees})" for way, sees in WAYS.items()])
    axes[0, 0].invert_yaxis()
    seeds = {len(record.seeds) for record in records.values()}
    words = WORDS.get(provenance_of(data), provenance_of(data))
    show(figure, f"Each way's balanced accuracy on the target's test images. {'; '.join(told)}. Dotted: guessing.",
         provenance=f"filled: recorded, {max(seeds)} seeds, 95 % t; open: live, one seed; {words}")  # fmt: skip


def show_sweep(record: Record, target: str, *, at: float | None = None) -> None:
    """Balanced test accuracy against the strength of the shift, a line and a 95 % band a way; ``at`` marks one."""
    figure, axis = plt.subplots(figsize=(7.6, 3.9))
    strengths = record.about["strengths"]
    told, here = [], []
    for way in SHIFT_WAYS:
        colour, marker = STYLES[way]
        means = [t_interval(values) for values in record.scores("shift", target, way).T]
        axis.fill_between(strengths, [m.low for m in means], [m.high for m in means], color=COLOURS[colour], alpha=0.15)
        axis.plot(strengths, [m.value for m in means], marker=marker, color=COLOURS[colour], label=way)
        told.append(f"{way} from {means[0].value:.2f} to {means[-1].value:.2f}")
        if at is not None:
            here.append(f"{way} {means[strengths.index(at)].value:.2f}")
    axis.set(xlabel="strength of the shift", ylabel="balanced test accuracy", ylim=(0, 1.02))
    if at is None:
        axis.set_title("How far is the target?")
    else:
        axis.axvline(at, color=COLOURS["grey"], linestyle=":")
        axis.set_title(f"At {at:g}: {', '.join(here)}", fontsize=10)
    axis.legend(fontsize=9, loc="lower left")
    show(figure, f"Balanced test accuracy as the shift grows from {strengths[0]:g} to {strengths[-1]:g}: "
         f"{'; '.join(told)}.", provenance=f"recorded, {len(record.seeds)} seeds, 95 % t band; phantoms")  # fmt: skip


def show_ranking(record: Record, target: str, live: list[dict]) -> None:
    """The gain really obtained against each of two scores; ``live`` are rows of ``rank_sources``."""
    figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.6), sharey=True)
    styles = zip((KIN, "chest", "texture"), (("blue", "o"), ("orange", "D"), ("green", "^")), strict=True)
    told = []
    for source, (colour, marker) in styles:
        now = next(row for row in live if row["source"] == source)
        gains = record.scores("sources", target, f"{source}: gain")
        for axis, score in zip(axes, ("LogME", "proxy A-distance"), strict=True):
            values = record.scores("sources", target, f"{source}: {score}")
            axis.plot(values, gains, marker, color=COLOURS[colour], label=source, alpha=0.7)
            axis.plot(now[score], now["gain"], marker, color="black", markersize=9, fillstyle="none")
            told.append(f"{source}: mean {score} {values.mean():.2f}, mean gain {gains.mean():+.2f}")
    for axis, score, better in zip(axes, ("LogME", "proxy A-distance"), ("right", "left"), strict=True):
        axis.axhline(0, color=COLOURS["grey"], linewidth=1)
        axis.set(xlabel=f"{score} (said to be better: {better})")
        axis.locator_params(axis="x", nbins=5)
    axes[0].set(ylabel="gain over target only", title="Three sources for one target")
    axes[1].legend(fontsize=9)
    show(figure, f"Gain of fine-tuning over target only, against two scores, a mark per source and seed. "
         f"{'; '.join(told)}.",
         provenance=f"filled: recorded, {len(record.seeds)} seeds; black rings: live, one seed; phantoms")  # fmt: skip
