"""The figures of notebook 10: drawn sentences around their finding, attention, ranks of a change, ways side by side.

Sentences that are shown were drawn: the caller never hands one of a patient to ``show_reports`` or ``show_attention``.
"""

import re

import matplotlib.pyplot as plt
import numpy as np
import torch

from ...data.tokens import texts
from ...teaching.plots import COLOURS, MARKS, WORDS, show, show_by_number
from ...teaching.records import Record

ANSWERS = (("affirmed", "orange"), ("negated", "blue"))


def show_reports(sentences: list[str], y, *, around: int = 44) -> None:
    """Drawn sentences in rows, the finding in double brackets in the middle and coloured by its answer (0 or 1)."""
    figure, axis = plt.subplots(figsize=(8.8, 0.5 + 0.27 * len(sentences)))
    font, told = {"family": "DejaVu Sans Mono", "size": 8}, []
    for row, (sentence, k) in enumerate(zip(sentences, np.asarray(y).tolist(), strict=True)):
        before, finding, after = re.split(r"\[\[|\]\]", sentence)
        name, colour = ANSWERS[k]
        axis.text(-len(finding) / 2, row, _end(before, around), ha="right", va="center", font=font)
        axis.text(0, row, finding, ha="center", va="center", color=COLOURS[colour], font=font | {"weight": "bold"})
        axis.text(len(finding) / 2, row, _start(after, around), ha="left", va="center", font=font)
        told.append(f"{name}: {before}{finding}{after}")
    axis.set(xlim=(-64, 64), ylim=(len(sentences) - 0.4, -0.6))
    axis.set_axis_off()
    for name, colour in ANSWERS:
        axis.plot([], [], "s", color=COLOURS[colour], label=f"the finding is {name}")
    axis.legend(ncols=2, loc="upper center", bbox_to_anchor=(0.5, 0), fontsize=9)
    show(
        figure,
        f"{len(sentences)} drawn sentences, one a row, with the finding that is asked for in the middle and coloured "
        f"by whether it is affirmed or negated. {' / '.join(told)}",
        provenance=WORDS["twin"],
    )


def _end(text: str, most: int) -> str:
    return text if len(text) <= most else "…" + text[-most:]


def _start(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + "…"


def show_seeds(values: dict[str, list[float]], lines: dict[str, float], *, data=None) -> None:
    """One dot for each draw and way; ``lines`` are rows without labels."""
    figure, axis = plt.subplots(figsize=(7.2, 1.3 + 0.55 * len(values)))
    told = []
    for row, ((name, some), (colour, marker)) in enumerate(zip(values.items(), MARKS, strict=False)):
        axis.plot(some, [row] * len(some), marker, color=COLOURS[colour], alpha=0.8)
        told.append(f"{name} from {min(some):.2f} to {max(some):.2f}")
    for (name, value), style in zip(lines.items(), ("-", "--", ":"), strict=False):
        axis.axvline(value, color=COLOURS["black"], linestyle=style, linewidth=1.2, label=f"{name} (no label)")
        told.append(f"{name}, without a label, {value:.2f}")
    axis.set_yticks(range(len(values)), list(values))
    axis.set(ylim=(len(values) - 0.4, -0.6), xlabel="balanced accuracy on test, one dot for each draw of 20 labels")
    axis.legend(fontsize=9, loc="upper left")
    show(figure, f"Balanced accuracy on test, one dot for each draw of twenty labels: {'; '.join(told)}.", data=data)


def show_attention(x, looks: list, names=("block 1", "block 2")) -> None:
    """How much the finding takes from each word of drawn sentences: ``x`` int32 N×L, each of ``looks`` N×L."""
    figure, axes = plt.subplots(len(x), 1, figsize=(8.8, 0.4 + 1.15 * len(x)), squeeze=False)
    told = []
    for axis, row, *shares in zip(axes.flat, x, *looks, strict=True):
        words = [texts(token[None, None])[0] or "·" for token in row[row != 0]]
        image = torch.stack(shares)[:, row != 0].numpy()
        axis.imshow(image, aspect="auto", cmap="cividis", vmin=0, vmax=max(0.4, image.max()))
        for (at, column), share in np.ndenumerate(image):
            ink = "black" if share > 0.6 * max(0.4, image.max()) else "white"
            axis.text(column, at, f"{share:.2f}".removeprefix("0"), ha="center", va="center", fontsize=8, color=ink)
        axis.set_xticks(range(len(words)), words, fontsize=8, rotation=20)
        axis.set_yticks(range(len(names)), names, fontsize=9)
        axis.tick_params(length=0)
        axis.grid(False)
        most = ", ".join(f"in {name} most to {words[one.argmax()]}" for name, one in zip(names, image, strict=True))
        told.append(f"{texts(row[None])[0]} ({most})")
    show(
        figure,
        "For drawn sentences, how much the finding takes from each word, in the mean of four heads, one row for each "
        f"block: {'; '.join(told)}.",
        provenance=WORDS["twin"],
    )


def show_found(answers: dict, truth, classes, *, data=None) -> None:
    """What each way finds of either class, as two marks, and their mean, the balanced accuracy."""
    figure, axis = plt.subplots(figsize=(7.6, 1.1 + 0.42 * len(answers)))
    truth, told = np.asarray(truth), []
    for row, (name, answer) in enumerate(answers.items()):
        shares = [float((np.asarray(answer)[truth == k] == k).mean()) for k in range(2)]
        axis.plot(shares, [row, row], "-", color=COLOURS["grey"], linewidth=1)
        for k, marker in enumerate("os"):
            colour = COLOURS[ANSWERS[k][1]]
            label = f"found of {classes[k]}" if row == 0 else None
            axis.plot(shares[k], row, marker, color=colour, markersize=8, label=label)
        axis.plot(np.mean(shares), row, "|", color="black", markersize=13, label="their mean" if row == 0 else None)
        told.append(f"{name} {shares[0]:.2f} of {classes[0]} and {shares[1]:.2f} of {classes[1]}")
    axis.set_yticks(range(len(answers)), list(answers))
    axis.set(xlim=(-0.03, 1.03), ylim=(len(answers) - 0.4, -0.6), xlabel="share found on test")
    axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    show(figure, f"The share of each class that is found on test: {'; '.join(told)}.", data=data)


def share_of_rank(change) -> np.ndarray:
    """For r = 1, 2, …: the share of the squared change d×k that the best matrix of rank r holds (Eckart, Young)."""
    squared = torch.linalg.svdvals(torch.as_tensor(change).double()) ** 2
    return (squared.cumsum(0) / squared.sum()).numpy()


def show_rank(change, rank: int, *, data=None) -> None:
    """One change of a matrix, its best part of a ``rank``, and what is left, in the same colours."""
    change = torch.as_tensor(change)
    u, s, v = torch.linalg.svd(change)
    part = (u[:, :rank] * s[:rank]) @ v[:rank]
    figure, axes = plt.subplots(1, 3, figsize=(8.6, 3.1))
    most = float(change.abs().max())
    for axis, one, name in zip(
        axes, (change, part, change - part), ("ΔW", f"rank {rank}", "what is left"), strict=True
    ):
        image = axis.imshow(one, cmap="PuOr", vmin=-most, vmax=most, interpolation="nearest")
        axis.set(title=name, xticks=[], yticks=[])
        axis.grid(False)
    figure.colorbar(image, ax=axes, shrink=0.8)
    share = share_of_rank(change)[rank - 1]
    show(
        figure,
        f"The change of one matrix by fine-tuning, its best part of rank {rank}, which holds {share:.0%} of the "
        f"squared change with {rank * sum(change.shape):,} of {change.numel():,} numbers, and what is left.",
        data=data,
    )


def show_ranks(changes: dict, *, data=None) -> None:
    """The static twin of the slider: the share of each squared change that rank r holds, by r."""
    figure, axis = plt.subplots()
    told = []
    for (name, change), (colour, marker) in zip(changes.items(), MARKS, strict=False):
        share = share_of_rank(change)
        axis.plot(
            range(1, len(share) + 1), share, f"{marker}-", color=COLOURS[colour], label=name, markevery=4, markersize=5
        )
        told.append(f"{name} {share[3]:.0%}")
    axis.axvline(4, color=COLOURS["grey"], linewidth=1, linestyle=":")
    axis.set(xlabel="rank", ylabel="share of the squared change", ylim=(0, 1.03))
    axis.legend(fontsize=9)
    show(figure, f"How much of each change a matrix of low rank holds. Rank 4 holds of {', '.join(told)}.", data=data)


def show_values(values: dict[str, float], label: str, *, line: float | None = None, data=None) -> None:
    """One value a way, as dots in rows."""
    figure, axis = plt.subplots(figsize=(7.4, 0.9 + 0.33 * len(values)))
    for row, (name, value) in enumerate(values.items()):
        axis.plot(value, row, "o", color=COLOURS["black" if "no label" in name else "blue"], markersize=8)
        axis.annotate(f"{value:.2f}", (value, row), (8, 0), textcoords="offset points", va="center", fontsize=9)
    if line is not None:
        axis.axvline(line, color=COLOURS["grey"], linewidth=1)
    axis.set_yticks(range(len(values)), list(values))
    low = min(0.5, *values.values()) - 0.03
    axis.set(xlim=(low, 1.06), ylim=(len(values) - 0.4, -0.6), xlabel=label)
    show(figure, f"{label}: " + "; ".join(f"{name} {value:.2f}" for name, value in values.items()) + ".", data=data)


def show_by_labels(record: Record, ways: list[str], lines: dict[str, float], *, labels=(20, 100, 500), **where) -> None:
    """Each way of the record by the number of labels, with intervals; ``lines`` are ways without labels."""
    known = record.values("way", "labels", **where)
    show_by_number(
        {way: {n: record.mean(way, labels=n, **where) for n in labels if (way, n) in known} for way in ways},
        lines,
        f"The {record.score} on test by the number of labels, with 95 % intervals over seeds",
        counted="labels in all",
        score=f"{record.score} on test",
        provenance=f"recorded, 95 % t over seeds; {record.data} data",
    )
