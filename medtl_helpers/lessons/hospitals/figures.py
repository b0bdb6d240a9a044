"""The figures of notebooks 01 and 01b: what λ does to weights and to results, live and recorded."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import Tensor

from ...methods.intervals import corrected_t
from ...teaching.plots import COLOURS, interval_marks, interval_plot, show
from ...teaching.records import Record
from .experiment import COLUMNS, INTERCEPT, METHODS, PRIOR, SCRATCH, SOURCE_ONLY, Z_SCORED, Source

SITES = {"hungary": "Hungary", "va": "VA", "cleveland": "Cleveland", "switzerland": "Switzerland"}
METHOD_COLOURS = {
    SOURCE_ONLY: "grey",
    SCRATCH: "black",
    "L2-SP": "blue",
    "EWC": "orange",
    "replay": "green",
    "distillation": "pink",
    Z_SCORED: "orange",
    INTERCEPT: "green",
    PRIOR: "black",
}
MARKERS = dict(zip(METHOD_COLOURS, "Dxos^vP*_", strict=True))


def show_path(loss, path: Tensor, theta0: Tensor, *, data) -> None:
    """Contours of ``loss`` (of weights M×2) with the solutions ``path`` (one row per λ) and the source's θ⁰."""
    corners = torch.cat([path, theta0[None], torch.zeros(1, 2)])
    low, high = corners.min(0).values - 0.6, corners.max(0).values + 0.6
    axes = [torch.linspace(float(low[i]), float(high[i]), 80) for i in range(2)]
    a, b = torch.meshgrid(*axes, indexing="ij")
    figure, axis = plt.subplots(figsize=(7.2, 4.2))
    heights = loss(torch.stack([a, b], -1).flatten(0, 1)).view(80, 80)
    axis.contour(a.numpy(), b.numpy(), heights.numpy(), levels=14, linewidths=1)
    axis.plot(*path.T, "o-", color=COLOURS["orange"], markersize=5, label="solution, small to large λ")
    axis.plot(*theta0, "D", color=COLOURS["blue"], markersize=11, label="source weights θ⁰")
    axis.set(xlabel="weight of maximum heart rate", ylabel="weight of ST depression")
    axis.set_title("The loss of ten target patients, and what λ does")
    axis.legend(frameon=True)
    alt = (
        "Contour lines of the target loss over two weights. A curve of dots leads from its far minimum, at small λ, "
        "to the source weights, at large λ."
    )
    show(figure, alt, data=data)


def show_losses(z: Tensor, losses: dict, gradients: dict) -> None:
    """Losses of a sick patient (left) and their gradients by hand (right), by name, against the logit ``z``."""
    z, sick = z.detach(), torch.ones_like(z)
    figure, axes = plt.subplots(1, 2, figsize=(7.6, 3.3))
    for name, colour in zip(losses, ("orange", "blue"), strict=True):
        axes[0].plot(z, losses[name](z, sick), color=COLOURS[colour], label=name)
        axes[1].plot(z, gradients[name](z, sick), color=COLOURS[colour])
    axes[0].set(xlabel="logit z of a sick patient", title="loss")
    axes[1].set(xlabel="logit z of a sick patient", title="gradient")
    axes[0].legend()
    alt = (
        "Loss and gradient for a sick patient against the logit. For very wrong logits the gradient of the log loss "
        "goes to −1, and that of the squared error goes to 0."
    )
    show(figure, alt, provenance="formula, no data")


def show_missing(tasks) -> None:
    """A table of the share of missing values by hospital and column."""
    missing = np.array([task.all_rows.x.isna().mean() for task in tasks])
    columns = list(tasks[0].train.x.columns)
    figure, axis = plt.subplots(figsize=(7.6, 2.7))
    axis.imshow(missing, vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(missing):
        if share > 0.005:
            colour = "white" if share < 0.6 else "black"
            axis.text(column, row, f"{share:.0%}", ha="center", va="center", fontsize=8, color=colour)
    axis.set_xticks(range(len(columns)), columns, rotation=45)
    axis.set_yticks(range(len(tasks)), [SITES[task.name.split(":")[1]] for task in tasks])
    axis.grid(False)
    axis.set_title("Share of missing values; zeros of chol and trestbps count as missing")
    alt = (
        "Missing values by hospital and column: Cleveland has almost none; slope, ca and thal are mostly missing "
        "elsewhere; all Swiss cholesterol values are missing."
    )
    show(figure, alt, data=list(tasks))


def show_lambda_curves(record: Record, site: str, n: int, live: list[dict]) -> None:
    """Test log loss against λ, one panel per method: the record as a line with its band, ``live`` rows as dots."""
    figure, axes = plt.subplots(1, len(METHODS), figsize=(9.6, 3.3), sharey=True)
    where, lambdas = {"target": site, "n": n}, record.about["lambdas"]
    source_only = record.scores(SOURCE_ONLY, "log loss", **where).mean()
    for axis, method in zip(axes, METHODS, strict=True):
        curve = [
            corrected_t(record.scores(method, "log loss", lam=lam, **where), record.about["test share"])
            for lam in lambdas
        ]
        colour = COLOURS[METHOD_COLOURS[method]]
        axis.fill_between(lambdas, [c.low for c in curve], [c.high for c in curve], alpha=0.3, color=colour)
        axis.plot(lambdas, [c.value for c in curve], color=colour)
        dots = [(row["lam"], row["log loss"]) for row in live if row["method"] == method]
        axis.plot(*zip(*dots, strict=True), ".", color=COLOURS["sky"], markersize=5)
        axis.axhline(source_only, color=COLOURS["grey"], linestyle="--", linewidth=1)
        axis.set(xscale="log", title=method, ylim=(0.3, 2), xticks=[1e-2, 1, 1e2], xlabel="λ")
    axes[0].set_ylabel("test log loss (nats)")
    axes[1].annotate("source only", (1e2, source_only), (-6, -26), textcoords="offset points", ha="center", fontsize=9)
    alt = (
        f"Test log loss at {SITES[site]} against λ with {n} labels, one panel for each method. Small λ overfits in "
        "every panel; the four transfer penalties settle at the source's loss for large λ, plain L2 does not."
    )
    recorded = f"lines: recorded, {len(record.seeds)} splits, band: corrected t"
    show(figure, alt, provenance=f"{recorded}; dots: live, 3 splits; {record.data} data")


def show_weights(weights: Tensor, lam: float, source: Source, *, limits, data) -> None:
    """The weights at one λ (10 numbers) as bars, the source's as diamonds."""
    figure, axis = plt.subplots(figsize=(7.2, 3))
    axis.bar(COLUMNS, weights, color=COLOURS["sky"], label=f"λ = {lam:.3g}")
    axis.plot(disease_weights(source.model), "D", color=COLOURS["blue"], label="source θ⁰")
    axis.set(ylim=limits, ylabel="weight")
    axis.tick_params("x", rotation=45)
    axis.legend()
    show(figure, f"The ten weights at λ = {lam:.3g} as bars, the source's as diamonds.", data=data)


def show_weight_paths(lambdas, weights: Tensor, source: Source, *, data) -> None:
    """The static twin of the λ slider: all weights (λ × 10) against λ."""
    figure, axis = plt.subplots(figsize=(7.2, 4))
    labels_at = _spread(weights[0].tolist(), 0.045 * float(weights.max() - weights.min()))
    for i, (column, line, at) in enumerate(zip(COLUMNS, weights.T, labels_at, strict=True)):
        axis.plot(lambdas, line, "-" if i < 6 else "--", linewidth=1.5)  # the colours begin again
        axis.annotate(column, (lambdas[0] * 0.85, at), ha="right", va="center", fontsize=8)
    axis.plot([lambdas[-1]] * len(COLUMNS), disease_weights(source.model), "D", color=COLOURS["blue"])
    axis.set(xscale="log", xlabel="λ", ylabel="weight", xlim=(lambdas[0] / 5, lambdas[-1] * 1.6))
    axis.set_title("The weights as λ grows, and the source's (diamonds)")
    alt = "Ten weights against λ: far apart at small λ, they run into the source's weights at large λ."
    show(figure, alt, data=data)


def show_gains_by_labels(record: Record) -> None:
    """Gains in log loss over "target only", by hospital, n and way, with intervals corrected for shared patients."""
    ways, sizes = [PRIOR, SOURCE_ONLY, Z_SCORED, INTERCEPT, "L2-SP"], record.values("n")
    figure, axes = plt.subplots(1, 2, figsize=(8.6, 4), sharey=True)
    for axis, site in zip(axes, ("hungary", "va"), strict=True):
        for shift, way in enumerate(ways):  # target only minus the way: less loss is a gain
            gains = [record.over_splits(SCRATCH, way, "log loss", target=site, n=n, lam="chosen") for n in sizes]
            at = [i + 0.14 * (shift - 2) for i in range(len(sizes))]
            interval_marks(axis, at, gains, colour=METHOD_COLOURS[way], marker=MARKERS[way], label=way)
        axis.axhline(0, color="black", linewidth=1)
        axis.set_xticks(range(len(sizes)), sizes)
        axis.set(xlabel="labelled target patients n", title=f"Cleveland → {SITES[site]}")
    axes[0].set_ylabel("gain over target only,\nlog loss (nats)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=5, fontsize=9)
    first = {
        way: record.over_splits(SCRATCH, way, "log loss", target="hungary", n=sizes[0], lam="chosen").value
        for way in ways
    }
    told = ", ".join(f"{way} {gain:+.2f}" for way, gain in first.items())
    alt = (
        "Gain in log loss over training on the target only, for two hospitals, four n and five ways, with intervals "
        f"that are corrected for shared patients. With {sizes[0]} labels at Hungary: {told}."
    )
    show(
        figure, alt, provenance=f"recorded, {record.data} data; bars: 95 % corrected t over {len(record.seeds)} splits"
    )


def show_slopes(slopes: dict) -> None:
    """Slopes of the best λ against n; ``slopes`` maps (kind, site, method) to an ``Interval``."""
    rows = list(dict.fromkeys((kind, site) for kind, site, _ in slopes))
    figure, axis = plt.subplots(figsize=(7.2, 3.8))
    for method in METHODS[1:]:
        interval_marks(
            axis,
            [i + 0.16 * (METHODS.index(method) - 2.5) for i in range(len(rows))],
            [slopes[kind, site, method] for kind, site in rows],
            colour=METHOD_COLOURS[method],
            marker=MARKERS[method],
            label=method,
            horizontal=True,
        )
    axis.axvline(0, color="black", linewidth=1)
    axis.axvline(-1, color=COLOURS["grey"], linestyle="--")
    axis.set_yticks(range(len(rows)), [f"{SITES[site]}, {kind}" for kind, site in rows])
    axis.invert_yaxis()
    axis.set(xlabel="slope of log best λ against log n (dashed: theory)")
    figure.legend(loc="outside upper center", ncols=4, fontsize=9)
    alt = (
        "Slopes of the best λ against n, four penalties in four settings, with intervals that are corrected for shared "
        f"patients. The slopes run from {min(s.value for s in slopes.values()):.1f} to "
        f"{max(s.value for s in slopes.values()):.1f}; {sum(s.high < 0 for s in slopes.values())} of {len(slopes)} "
        "intervals lie below zero."
    )
    show(figure, alt, provenance="recorded, real and twin data; bars: 95 % corrected t over splits")


def show_weighing(plain: dict, weighted: dict, *, data) -> None:
    """Six metrics with bootstrap intervals of a model trained with all patients alike, and with the sick × 3."""
    figure, axes = plt.subplots(1, 2, figsize=(8.6, 3), sharex=True, sharey=True)
    for axis, report, title in zip(axes, (plain, weighted), ("all alike", "disease × 3"), strict=True):
        interval_plot(axis, report)
        axis.set(title=title, xlim=(0.4, 1), xlabel="95 % bootstrap over test cases")
    alt = (
        "Six metrics at Hungary for a plain and a weighted source model. Weights raise the recall and lower the "
        "precision; the AUROC hardly moves."
    )
    show(figure, alt, data=data)


def disease_weights(model) -> Tensor:
    """The ten weights for disease against healthy: the difference of the two rows of the linear layer."""
    return (model.weight[1] - model.weight[0]).detach()


def _spread(values: list[float], gap: float) -> list[float]:
    """Positions for labels near ``values``, at least ``gap`` apart, in the order of the values."""
    order = np.argsort(values)
    placed = np.array(values, float)[order]
    for i in range(1, len(placed)):
        placed[i] = max(placed[i], placed[i - 1] + gap)
    placed -= (placed - np.array(values)[order]).mean()
    result = np.empty(len(values))
    result[order] = placed
    return result.tolist()
