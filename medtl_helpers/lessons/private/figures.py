"""The figures of notebook 14: with and without one patient, what an attack sees, the budget, groups, hospitals."""

from dataclasses import replace
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm

from ...methods.attacks import attack_curve, tpr_at
from ...methods.intervals import Interval, corrected_t
from ...teaching.plots import COLOURS, interval_marks, show
from .experiment import SHARE_OF_TEST, members_found

BLAMED = 0.01  # the share of those who were no members, and whom an attack may call one


def ceiling(epsilon: float, delta: float, blamed: float = BLAMED) -> float:
    """The most members that any attack finds where it blames the share ``blamed`` of the others: e^ε · blamed + δ."""
    return min(1.0, float(np.exp(epsilon)) * blamed + delta)


def show_two_worlds(noises: dict[str, float]) -> None:
    """Title → noise multiplier σ: what is published with one patient and without, N(1, σ²) and N(0, σ²).

    The best attack says "was there" to the right of a threshold that blames 1 % of the world without the patient.
    """
    figure, axes = plt.subplots(1, len(noises), figsize=(8.2, 3.3), sharey=False)
    told = []
    for axis, (title, sigma) in zip(axes, noises.items(), strict=True):
        at = np.linspace(-3.6 * sigma, 1 + 3.6 * sigma, 400)
        threshold = sigma * norm.isf(BLAMED)
        found = norm.sf(threshold, 1, sigma)
        for mean, colour, style, name in ((0, "blue", "-", "without her"), (1, "orange", "--", "with her")):
            axis.plot(at, norm.pdf(at, mean, sigma), style, color=COLOURS[colour], label=name)
        beyond = at[at >= threshold]
        axis.fill_between(beyond, norm.pdf(beyond, 1, sigma), color=COLOURS["orange"], alpha=0.3, linewidth=0)
        axis.axvline(threshold, color=COLOURS["grey"], linewidth=1, linestyle=":")
        axis.set(title=f"{title}: found in {found:.0%}", xlabel="published number", yticks=[])
        told.append(f"{title} (deviation {sigma:g}), the best attack finds her in {found:.0%} of the cases")
    axes[0].set_ylabel("how likely")
    axes[0].legend(fontsize=9, loc="upper left")
    show(
        figure,
        "Two bell curves in each panel: what is published with one patient's row, around 1, and without it, around 0. "
        "A dotted threshold blames 1 % of the runs without her, and the shaded part of the other curve lies beyond it. "
        f"{'; '.join(told)}.",
        provenance="schematic, no data",
    )


def show_attack(panels: dict[str, tuple], *, data=None) -> None:
    """Title → (scores, member): an attack's scores of members and of others, and the threshold that blames 1 %."""
    figure, axes = plt.subplots(1, len(panels), figsize=(9.2, 3.3))
    told = []
    for axis, (title, (scores, member)) in zip(axes, panels.items(), strict=True):
        edges = np.linspace(*np.quantile(scores, [0.01, 0.999]), 30)
        for mask, colour, kind, name in (
            (~member, "blue", "stepfilled", "others"),
            (member, "orange", "step", "members"),
        ):
            kept = np.clip(scores[mask], edges[0], edges[-1])
            axis.hist(
                kept, edges, density=True, histtype=kind, color=COLOURS[colour], alpha=0.5 if mask is not member else 1,
                linewidth=2, label=f"{mask.sum()} {name}",
            )  # fmt: skip
        others = np.sort(scores[~member])
        axis.axvline(others[-int(BLAMED * len(others)) - 1], color=COLOURS["grey"], linewidth=1, linestyle=":")
        found = tpr_at(scores, member, BLAMED)
        axis.set(title=f"{title}: {found.value:.0%} found", xlabel="score: more like a member →")
        told.append(f"{title}: {found.value:.0%} [{found.low:.0%}, {found.high:.0%}] of the members lie beyond it")
    axes[0].set_ylabel("density")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2, fontsize=9)
    show(
        figure,
        "Histograms of an attack's score, for the rows that the network was trained on (members) and for "
        f"others, with a dotted threshold that blames 1 % of the others. {'; '.join(told)}.",
        data=data,
    )


def show_attack_curves(curves: dict[str, tuple], bounds: dict[str, tuple[float, float]], *, data=None) -> None:
    """Name → (scores, member), drawn on logarithmic axes, beside ``bounds``: name → (ε, δ) as ceilings."""
    figure, axis = plt.subplots(figsize=(5.8, 4.2))
    rates, told = np.geomspace(1e-3, 1, 200), []
    styles = (("orange", "-"), ("blue", "--"), ("green", "-."))
    for (name, (scores, member)), (colour, style) in zip(curves.items(), styles, strict=False):
        false, true = attack_curve(scores, member)
        axis.plot(np.maximum(false, 1e-4), np.maximum(true, 1e-4), style, color=COLOURS[colour], label=name)
        told.append(f"{name} finds {tpr_at(scores, member, BLAMED).value:.0%} at 1 %")
    for name, (epsilon, delta) in bounds.items():
        axis.plot(rates, [ceiling(epsilon, delta, r) for r in rates], ":", color=COLOURS["black"], label=name)
        told.append(f"{name} is {ceiling(epsilon, delta):.1%} there")
    axis.plot(rates, rates, color=COLOURS["grey"], linewidth=1, label="guessing")
    axis.set(xscale="log", yscale="log", xlim=(1e-3, 1), ylim=(1e-3, 1.1))
    axis.set(xlabel="others who are blamed", ylabel="members who are found")
    axis.legend(fontsize=9, loc="lower right")
    show(
        figure,
        "The share of the members that an attack finds against the share of the others that it blames, on logarithmic "
        f"axes, with the diagonal of guessing: {'; '.join(told)}.",
        data=data,
    )


def show_budget(epsilon: float, delta: float, ways: dict[str, Interval], free: dict[str, float], **where) -> None:
    """One ε: on the left the ceiling of every attack, on the right what each way reaches, beside what costs nothing.

    ``ways``: name → score at this ε. ``free``: name → score of what was never trained on a row.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.4), width_ratios=[2, 3])
    rates = np.geomspace(1e-3, 1, 200)
    left.plot(rates, [ceiling(epsilon, delta, r) for r in rates], color=COLOURS["orange"], label="ceiling")
    left.plot(rates, rates, color=COLOURS["grey"], linewidth=1, label="guessing")
    most = ceiling(epsilon, delta)
    left.plot([BLAMED], [most], "o", color=COLOURS["orange"])
    left.set(xscale="log", yscale="log", xlabel="blamed, not being there", ylabel="found, being there, at most")
    left.set_title(f"ε = {epsilon:g}: {most:.1%} at 1 %")
    left.legend(fontsize=9, loc="lower right")
    names = list(ways)[::-1]
    interval_marks(right, range(len(names)), [ways[name] for name in names], horizontal=True)
    for (name, value), style in zip(free.items(), cycle(("-.", ":", "--")), strict=False):
        right.axvline(value, color=COLOURS["black"], linewidth=1, linestyle=style, label=name)
    right.set_yticks(range(len(names)), names)
    right.set(ylim=(-0.6, len(names) - 0.4), xlim=(0.3, 1.01), xlabel="accuracy on test rows")
    right.legend(fontsize=9, loc="lower left")
    told = ", ".join(f"{name} {found.value:.2f}" for name, found in ways.items())
    beside = ", ".join(f"{name} {value:.2f}" for name, value in free.items())
    show(
        figure,
        f"At ε = {epsilon:g} no attack that blames a row in 1 % of the trainings without it finds it in more than "
        f"{most:.1%} of those with it. The accuracy there: {told}; without any budget: {beside}.",
        **where,
    )


def show_budgets(epsilons, ways: dict[str, list[Interval]], free: dict[str, float], **where) -> None:
    """The static twin of the slider: name → the score at each of ``epsilons``, beside what costs nothing."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.8, 3.8), width_ratios=[2, 3])
    left.plot(epsilons, [ceiling(e, 0.0) for e in epsilons], "o-", color=COLOURS["orange"])
    left.set(
        xscale="log", ylim=(0, 1.03), xlabel="ε", ylabel="found, being there, at most,\nblamed, not being there: 1 %"
    )
    colours, marks = ("blue", "pink", "green", "sky", "yellow", "orange", "grey"), "osD^vPX"
    told = []
    for (name, found), colour, mark in zip(ways.items(), colours, marks, strict=False):
        interval_marks(right, epsilons, found, colour=colour, marker=mark, label=name, joined=True)
        told.append(f"{name} goes from {found[0].value:.2f} to {found[-1].value:.2f}")
    for (name, value), style in zip(free.items(), cycle(("-.", ":", "--")), strict=False):
        right.axhline(value, color=COLOURS["black"], linewidth=1, linestyle=style, label=name)
        told.append(f"{name}, with no budget at all, is {value:.2f}")
    right.set(xscale="log", ylim=(0.3, 1.02), xlabel="ε", ylabel="accuracy on test rows")
    for axis in (left, right):
        axis.set_xticks(epsilons, [f"{e:g}" for e in epsilons], minor=False)
        axis.minorticks_off()
    right.legend(fontsize=8, loc="lower right")
    show(
        figure,
        f"From ε = {epsilons[0]:g} to {epsilons[-1]:g} what an attack may find while it blames a row in 1 % of the "
        f"trainings without it rises from {ceiling(epsilons[0], 0.0):.1%} to {ceiling(epsilons[-1], 0.0):.0%}. "
        f"Accuracy over the same budgets: {'; '.join(told)}.",
        **where,
    )


def show_spent(steps, one_by_one, accountant, *, label: str) -> None:
    """ε against the number of steps: each step's ε simply added, and what the accountant says."""
    figure, axis = plt.subplots(figsize=(6.4, 3.6))
    axis.plot(steps, one_by_one, "--", color=COLOURS["orange"], label="ε of one step, added up")
    axis.plot(steps, accountant, color=COLOURS["blue"], label="accountant")
    axis.set(xlabel="steps", ylabel="ε", yscale="log", title=label)
    axis.legend(fontsize=9)
    show(
        figure,
        f"ε against the number of steps ({label}). Added up step by step it is {one_by_one[-1]:.0f} after {steps[-1]} "
        f"steps; the accountant says {accountant[-1]:.1f}.",
        provenance="schematic, no data",
    )


def show_groups(recall: dict[str, np.ndarray], classes, rows, *, data=None) -> None:
    """Name → recall S×K of S seeds and K classes, drawn side by side; ``rows`` of each class were trained on."""
    figure, axis = plt.subplots(figsize=(6.8, 3.6))
    told = []
    for shift, (name, found), colour, mark in zip((-0.08, 0.08), recall.items(), ("blue", "orange"), "os", strict=True):
        at = np.arange(len(classes)) + shift
        axis.plot(at, found.T, mark, color=COLOURS[colour], alpha=0.5, markersize=5)
        axis.plot(at, found.mean(0), "_", color=COLOURS[colour], markersize=22, markeredgewidth=3, label=name)
        told.append(f"{name}: " + ", ".join(f"{c} {v:.2f}" for c, v in zip(classes, found.mean(0), strict=True)))
    axis.set_xticks(range(len(classes)), [f"{c}\n{n:,} rows" for c, n in zip(classes, rows, strict=True)])
    axis.set(ylabel="recall on test rows", xlim=(-0.5, len(classes) - 0.5))
    axis.legend(fontsize=9, loc="lower right")
    show(
        figure,
        f"The recall of each class with noise and without, a dot for each of {len(found)} seeds, a bar for the mean. "
        f"{'; '.join(told)}. {classes[0]} had {rows[0]} rows in training, the others {min(rows[1:])} or more.",
        data=data,
    )


def show_attacks_by_labels(record) -> None:
    """Members found at 1 % false positives against the labels a class, for each way, over all deals."""
    figure, axis = plt.subplots(figsize=(7.2, 3.9))
    ways = {
        "from scratch": ("pink", "s"),
        "fine-tuned": ("orange", "o"),
        "probe": ("blue", "D"),
        "probe, ε = 1": ("green", "^"),
    }
    labels, told = record.values("labels", way="fine-tuned"), []
    for way, (colour, marker) in ways.items():
        found = [members_found(record, way, "LiRA", n) for n in labels]
        interval_marks(axis, labels, found, colour=colour, marker=marker, label=way, joined=True)
        told.append(f"{way}, from {found[0].value:.2f} to {found[-1].value:.2f}")
    axis.axhline(BLAMED, color=COLOURS["grey"], linewidth=1, label="guessing")
    most = ceiling(2.0, 0.0)  # members and others of one network: one row has the place of another
    axis.axhline(most, color=COLOURS["black"], linewidth=1, linestyle=":", label="ceiling of ε = 1")
    axis.set(
        xscale="log", ylim=(-0.03, 1.03), xlabel="labels a class", ylabel="members found,\nblaming 1 % of the others"
    )
    axis.set_xticks(labels, [str(n) for n in labels])
    axis.minorticks_off()
    axis.legend(fontsize=9)
    show(
        figure,
        f"The share of the members that LiRA finds while it blames 1 % of the others, at {labels[0]} to {labels[-1]} "
        f"labels a class: {'; '.join(told)}. The ceiling of ε = 1 lies at {most:.3f}.",
        provenance=f"recorded, 95 % Clopper-Pearson over the members of five deals together; {record.data} data",
    )


def show_hospitals(record, ways, site: str, *, scores=("auroc", "balanced accuracy")) -> None:
    """Each way at one ``site``, in several scores, with corrected t intervals over the splits of the patients."""
    figure, axes = plt.subplots(1, len(scores), figsize=(9.2, 1.0 + 0.34 * len(ways)), sharey=True)
    told, names = [], list(ways)[::-1]
    for axis, score in zip(axes, scores, strict=True):
        found = {way: corrected_t(record.scores(way, score, site=site), record.about["test share"]) for way in ways}
        interval_marks(axis, range(len(names)), [found[way] for way in names], horizontal=True)
        label = {"auroc": "AUROC"}.get(score, score)
        axis.set(xlabel=label, ylim=(-0.6, len(names) - 0.4))
        told.append(f"{label}: " + ", ".join(f"{way} {one.value:.3f}" for way, one in found.items()))
    axes[0].set_yticks(range(len(names)), names)
    show(
        figure,
        f"What each way to train reaches at the hospitals ({site}), with intervals over splits of the patients. "
        f"{'. '.join(told)}.",
        provenance=f"recorded, 95 % corrected t over splits; {record.data} data",
    )


def show_heart(record, budgets) -> None:
    """The AUROC of a logistic regression on heart patients, of all, women and men, at each ε; None: without noise."""
    names = {f"ε = {e}" if e else "without noise": e for e in budgets}
    figure, axes = plt.subplots(1, 3, figsize=(9.2, 0.9 + 0.34 * len(names)), sharey=True, sharex=True)
    told = []
    for axis, (title, ending) in zip(axes, {"all": "", "women": ", women", "men": ", men"}.items(), strict=True):
        found = [
            corrected_t(record.scores("logistic regression", f"auroc{ending}", epsilon=e), SHARE_OF_TEST)
            for e in names.values()
        ]
        found = [replace(one, high=min(1.0, one.high)) for one in found]  # a t interval knows no end at 1
        interval_marks(axis, range(len(names) - 1, -1, -1), found, horizontal=True)
        axis.set(title=title, xlabel="AUROC", ylim=(-0.6, len(names) - 0.4))
        told.append(f"{title}: " + ", ".join(f"{name} {one.value:.2f}" for name, one in zip(names, found, strict=True)))
    axes[0].set_yticks(range(len(names) - 1, -1, -1), list(names))
    show(
        figure,
        "The AUROC of a logistic regression on Cleveland's heart patients at each ε, for all test patients, for women "
        f"and for men. {'. '.join(told)}.",
        provenance=f"recorded, 95 % corrected t over splits; {record.data} data",
    )
