"""The figures of notebook 04: the twice applied softmax, each way as dots, the shift, and the ranking of sources."""

import matplotlib.pyplot as plt

from .plots import COLOURS, show
from .source_target import ADABN, AUGMENTED, BOTH, FINE_TUNED, JOINT, SOURCE_ONLY, TARGET_ONLY, WAYS

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


def show_ways(scores: dict[str, dict[str, list[float]]], guessing: dict[str, float], *, data=None) -> None:
    """One panel for each target of ``scores`` (target → way → one value a seed): dots for seeds, a bar for the mean."""
    figure, axes = plt.subplots(1, len(scores), figsize=(8.8, 3.9), sharey=True, squeeze=False)
    names = [f"{way}  ({sees})" for way, sees in WAYS.items()]
    for axis, (target, ways) in zip(axes[0], scores.items(), strict=True):
        for row, way in enumerate(WAYS):
            colour, marker = STYLES[way]
            mean = sum(ways[way]) / len(ways[way])
            axis.plot([mean, mean], [row - 0.3, row + 0.3], color=COLOURS[colour], linewidth=3, alpha=0.5)
            axis.plot(ways[way], [row] * len(ways[way]), marker, color=COLOURS[colour], markersize=6)
        axis.axvline(guessing[target], color=COLOURS["grey"], linestyle=":", linewidth=1)
        axis.set(xlabel="balanced test accuracy", title=target, xlim=(0, 1.02))
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].invert_yaxis()
    lines = "; ".join(
        f"{target}: " + ", ".join(f"{way} {sum(ways[way]) / len(ways[way]):.2f}" for way in WAYS)
        for target, ways in scores.items()
    )
    show(figure, f"Each way's balanced accuracy on the target's test images, one dot a seed. Means for {lines}. "
                 "Dotted: guessing.", data=data)  # fmt: skip


def show_sweep(sweep: dict[str, list[float]], strengths, *, at: float | None = None, data=None) -> None:
    """Balanced test accuracy against the strength of the shift, one line a way; ``at`` marks one strength."""
    figure, axis = plt.subplots(figsize=(7.6, 3.9))
    for way, values in sweep.items():
        colour, marker = STYLES[way]
        axis.plot(strengths, values, marker=marker, color=COLOURS[colour], label=way)
    title = "How far is the target?"
    if at is not None:
        axis.axvline(at, color=COLOURS["grey"], linestyle=":")
        now = {way: values[list(strengths).index(at)] for way, values in sweep.items()}
        title = f"At {at:g}: " + ", ".join(f"{way} {value:.2f}" for way, value in now.items())
    axis.set(xlabel="strength of the shift", ylabel="balanced test accuracy", ylim=(0, 1.02))
    axis.set_title(title, fontsize=12 if at is None else 10)
    axis.legend(fontsize=9, loc="lower left")
    ends = "; ".join(f"{way} from {values[0]:.2f} to {values[-1]:.2f}" for way, values in sweep.items())
    alt = f"Balanced test accuracy as the shift grows from {strengths[0]:g} to {strengths[-1]:g}: {ends}."
    show(figure, alt, data=data)


def show_ranking(rows: list[dict], *, data=None) -> None:
    """The gain really obtained against each of two scores, one mark per source and seed (rows of ``rank_sources``)."""
    figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.6), sharey=True)
    marks = zip(dict.fromkeys(row["source"] for row in rows), (("blue", "o"), ("orange", "D"), ("green", "^")),
                strict=False)  # fmt: skip
    for source, (colour, marker) in marks:
        mine = [row for row in rows if row["source"] == source]
        for axis, score in zip(axes, ("LogME", "proxy A-distance"), strict=True):
            axis.plot([r[score] for r in mine], [r["gain"] for r in mine], marker, color=COLOURS[colour], label=source)
    for axis, score, better in zip(axes, ("LogME", "proxy A-distance"), ("right", "left"), strict=True):
        axis.axhline(0, color=COLOURS["grey"], linewidth=1)
        axis.set(xlabel=f"{score} (better: {better})")
    axes[1].set_xlim(0, 2.1)
    axes[0].set(ylabel="gain over target only", title="Three sources for one target")
    axes[1].legend(fontsize=9, loc="center left")
    points = "; ".join(f"{r['source']}: LogME {r['LogME']:.2f}, distance {r['proxy A-distance']:.2f}, "
                       f"gain {r['gain']:+.2f}" for r in rows)  # fmt: skip
    show(figure, f"Gain of fine-tuning over target only, against two scores, one mark per source and seed. {points}.",
         data=data)  # fmt: skip
