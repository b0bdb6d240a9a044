"""The figures of notebook 12: outlines on images, a U-Net as a picture, scores that disagree, contrast as a knob."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import ListedColormap

from ...teaching.plots import COLOURS, MARKS, WORDS, interval_marks, show, show_by_number
from ...teaching.records import Record

TRUTH, ANSWER = "yellow", "sky"  # colours of what was drawn, and of what a network or a threshold answers
LOOKS = {"ct": "CT", "t1": "T1", "t2": "T2", "xray": "X-ray"}
CLASS_COLOURS = (
    "#000000",
    "#5A5A5A",
    *(COLOURS[name] for name in ("orange", "green", "sky", "yellow", "pink", "blue")),
)


def _picture(axis, image) -> None:
    axis.imshow(image.permute(1, 2, 0).squeeze(-1).numpy(), cmap="gray", vmin=0, vmax=255)
    _bare(axis)


def _bare(axis) -> None:
    axis.set(xticks=[], yticks=[])
    axis.grid(False)
    axis.spines[:].set_visible(False)


def _outline(axis, mask, colour: str, style: str = "-") -> None:
    """The border of a mask; of an empty one nothing."""
    mask = torch.as_tensor(mask).numpy() > 0
    if mask.any() and not mask.all():
        axis.contour(mask, levels=[0.5], colors=COLOURS[colour], linewidths=1.3, linestyles=style)


def show_outlines(rows: dict, answers: dict | None = None, *, columns: int = 5, words: str = "Nuclei", **where) -> None:
    """Images in rows, each with the outline of its mask, and with that of an answer, dashed, where one is given.

    ``rows`` are (x, masks) by name; ``answers`` are masks by the same names.
    """
    figure, axes = plt.subplots(len(rows), columns, figsize=(8.8, 0.3 + 8.4 / columns * len(rows)), squeeze=False)
    told = []
    for line, (name, (x, masks)) in zip(axes, rows.items(), strict=True):
        for k, axis in enumerate(line):
            _picture(axis, x[k])
            _outline(axis, masks[k], TRUTH)
            if answers:
                _outline(axis, answers[name][k], ANSWER, "--")
        line[0].set_ylabel(name, fontsize=9)
        told.append(f"{name}, where {float((masks[:columns] > 0).float().mean()):.0%} of the pixels are inside")
    both = " (solid), and that of an answer (dashed)" if answers else ""
    show(
        figure,
        f"{words} in {len(rows)} rows of {columns} images, with their outline{both}: {'; '.join(told)}.",
        **where,
    )


def show_labels(x, labels, classes, *, data=None, provenance: str | None = None) -> None:
    """Slices above, and below them the class of each pixel in colours."""
    figure, axes = plt.subplots(2, len(x), figsize=(8.8, 3.6))
    for (above, below), image, one in zip(axes.T, x, labels, strict=True):
        _picture(above, image)
        below.imshow(
            one.numpy(), cmap=ListedColormap(CLASS_COLOURS[: len(classes)]), vmin=-0.5, vmax=len(classes) - 0.5
        )
        _bare(below)
    for k, name in enumerate(classes):
        axes[1, 0].plot([], [], "s", color=CLASS_COLOURS[k], label=name)
    figure.legend(
        *axes[1, 0].get_legend_handles_labels(),
        loc="outside lower left",
        ncols=len(classes),
        fontsize=7,
        columnspacing=1,
    )
    share = torch.bincount(labels.flatten().long(), minlength=len(classes)) / labels.numel()
    told = ", ".join(f"{name} {float(part):.1%}" for name, part in zip(classes, share, strict=True))
    show(
        figure,
        f"{len(x)} slices of a drawn abdomen, and below each the class of its pixels. Of all pixels are {told}.",
        data=data,
        provenance=provenance or WORDS["twin"],
    )


def maps_of(network, size: int) -> list[tuple[str, int, int]]:
    """(stage, channels, pixels a side) of the map that each stage makes of an image of ``size`` pixels."""
    found, hooks = [], []
    for name, stage in network.stages.items():
        hooks.append(stage.register_forward_hook(lambda _m, _i, out, name=name: found.append((name, *out.shape[1:3]))))
    first = next(p for p in network.parameters() if p.ndim == 4)
    training = network.training
    with torch.no_grad():
        network.eval()(torch.zeros(1, first.shape[1], size, size, device=first.device))
    network.train(training)
    for hook in hooks:
        hook.remove()
    return found


def show_unet(network, size: int = 64) -> None:
    """The network as the paper draws it: a box for each map, as tall as the map and as wide as its channels."""
    maps = maps_of(network, size)
    downs = [m for m in maps if not m[0].startswith("up")]
    ups = [m for m in maps if m[0].startswith("up")]
    figure, axis = plt.subplots(figsize=(8.8, 4.4))
    places = {name: (1.5 * k, len(downs) - k) for k, (name, *_) in enumerate(downs)}
    places |= {name: (1.5 * (len(downs) + k), k + 2) for k, (name, *_) in enumerate(ups)}
    for name, channels, side in maps:
        x, y = places[name]
        width, height = 0.12 + channels / max(c for _, c, _ in maps) * 0.55, 0.18 + 0.62 * side / size
        colour = COLOURS["orange" if name.startswith("up") else "blue"]
        axis.add_patch(plt.Rectangle((x - width / 2, y - height / 2), width, height, color=colour, alpha=0.85))
        axis.text(x, y - height / 2 - 0.06, f"{name}\n{channels} × {side} × {side}", ha="center", va="top", fontsize=8)
    arrow = {"arrowstyle": "-|>", "lw": 1.6, "shrinkA": 16, "shrinkB": 16}
    order = [places[name] for name, *_ in maps]
    for start, end in pairwise(order):
        axis.annotate("", xy=end, xytext=start, arrowprops=arrow | {"color": COLOURS["grey"]})
    for (left, *_), (right, *_) in zip(downs[-2::-1], ups, strict=False):
        skip = arrow | {"color": COLOURS["green"], "linestyle": "--"}
        axis.annotate("", xy=places[right], xytext=places[left], arrowprops=skip)
    axis.set(xlim=(-0.8, max(x for x, _ in order) + 0.8), ylim=(0.2, len(downs) + 0.7))
    axis.set_axis_off()
    for colour, word in (("blue", "way down"), ("orange", "way up"), ("green", "skip connection")):
        axis.plot([], [], "--" if colour == "green" else "s", color=COLOURS[colour], label=word)
    axis.legend(loc="lower left", fontsize=9)
    told = ", ".join(f"{name} {channels} × {side} × {side}" for name, channels, side in maps)
    show(
        figure,
        f"A U-Net as a U. On the left the way down, on the right the way up, each stage as a box: {told} (channels, "
        "height, width). Dashed arrows lead from each stage on the left to the one of the same size on the right.",
        provenance=WORDS["none"],
    )


def show_answers(truth, answers: dict, scores: dict[str, dict[str, float]]) -> None:
    """One truth and several answers to it as outlines, with what three scores say of each."""
    figure, axes = plt.subplots(1, len(answers), figsize=(8.8, 3.9))
    told = []
    for axis, (name, answer) in zip(axes, answers.items(), strict=True):
        axis.imshow(np.where(truth, 0.75, 1.0), cmap="gray", vmin=0, vmax=1)
        _outline(axis, answer, "orange")
        _bare(axis)
        said = ", ".join(f"{score} {value:.3g}" for score, value in scores[name].items())
        axis.set_title(f"{name}\n{said}", fontsize=9)
        told.append(f"{name}: {said}")
    show(
        figure,
        f"The same two lesions in grey, and {len(answers)} answers as orange outlines. {'; '.join(told)}.",
        provenance=WORDS["none"],
    )


def show_dice(ways: dict, *, label: str = "Dice on test, one dot for each image", data=None) -> None:
    """The Dice of each image as a dot, one row for each way, and the mean as a line."""
    figure, axis = plt.subplots(figsize=(7.8, 1.0 + 0.45 * len(ways)))
    told, rng = [], np.random.default_rng(0)
    for row, (name, values) in enumerate(ways.items()):
        values = np.asarray(values)
        colour = COLOURS["black" if "no mask" in name else "blue"]
        axis.plot(values, row + rng.uniform(-0.2, 0.2, len(values)), ".", color=colour, alpha=0.35, markersize=5)
        axis.plot(2 * [values.mean()], [row - 0.33, row + 0.33], color=COLOURS["orange"], linewidth=3)
        axis.text(1.04, row, f"{values.mean():.2f}", va="center", fontsize=9)
        told.append(f"{name} {values.mean():.2f}")
    axis.set_yticks(range(len(ways)), list(ways))
    axis.set(xlim=(-0.02, 1.12), ylim=(len(ways) - 0.4, -0.6), xlabel=label)
    show(figure, f"{label}, and their mean: {'; '.join(told)}.", data=data)


def with_contrast(x, contrast: float):
    """uint8 images whose grey levels lie ``contrast`` times as far from the middle: 1 as it is, −1 turned round."""
    return (127.5 + contrast * (x.float() - 127.5)).round().clamp(0, 255).to(torch.uint8)


def show_contrast(x, masks, answers: dict, contrast: float, *, columns: int = 4, data=None) -> None:
    """What ways answer (functions of images) at one contrast, one row for each way."""
    seen = with_contrast(x[:columns], contrast)
    rows = {name: (seen, masks[:columns]) for name in answers}
    found = {name: answer(seen) for name, answer in answers.items()}
    show_outlines(rows, found, columns=columns, words=f"Nuclei at contrast {contrast:g}", data=data)


def show_contrasts(contrasts, dice: dict, *, data=None) -> None:
    """The static twin of the knob: the mean Dice of each way against the contrast."""
    figure, axis = plt.subplots()
    told = []
    for (name, values), (colour, marker) in zip(dice.items(), MARKS, strict=False):
        axis.plot(contrasts, values, f"{marker}-", color=COLOURS[colour], label=name, markersize=5)
        told.append(f"{name} {values[-1]:.2f} as it is and {values[0]:.2f} turned round")
    axis.axvline(0, color=COLOURS["grey"], linewidth=1, linestyle=":")
    axis.set(
        xlabel="contrast (1: as it is, 0: flat grey, −1: dark and bright exchanged)", ylabel="Dice", ylim=(-0.03, 1.03)
    )
    axis.legend(fontsize=9)
    show(figure, f"The mean Dice against the contrast of the images, from 1 to −1: {'; '.join(told)}.", data=data)


def show_by_masks(record: Record, ways: list[str], lines: dict[str, float], *, masks=(3, 10, 40)) -> None:
    """The recorded Dice of each way by the number of masks; ``lines`` are ways that need none."""
    show_by_number(
        {way: {n: record.over_cases(way, None, data="real", kind="few", masks=n) for n in masks} for way in ways},
        lines,
        "The Dice on real histology by the number of its masks, with 95 % intervals",
        counted="masks of histology",
        score="Dice on test",
        unit="mask",
        provenance="recorded, 95 % over seeds and test groups; real data",
    )


def show_across(record: Record, ways: list[str], without: list[str]) -> None:
    """The recorded Dice of each way on the other modality (filled) and at home (open); ``without`` saw no real mask."""
    figure, axis = plt.subplots(figsize=(8.4, 1.2 + 0.36 * len(ways + without)))
    told = []
    for row, way in enumerate([*ways, *without]):
        there, home = (
            record.over_cases(way, None, score, data="real", kind="modality") for score in ("Dice", "Dice at home")
        )
        colour = "black" if way in without else "blue"
        interval_marks(axis, [row], [there], colour=colour, label="histology" if row == 0 else None, horizontal=True)
        axis.plot(home.value, row, "D", color=COLOURS["grey"], markerfacecolor="white", markersize=7,
                  label="at home, fluorescence" if row == 0 else None)  # fmt: skip
        told.append(f"{way} {there.value:.2f} [{there.low:.2f}, {there.high:.2f}], at home {home.value:.2f}")
    names = [*ways, *(f"{way} (no mask)" for way in without)]
    axis.set_yticks(range(len(names)), names)
    axis.set(ylim=(len(names) - 0.4, -0.6), xlim=(-0.02, 1), xlabel="Dice")
    axis.legend(fontsize=9, loc="lower left")
    show(
        figure,
        f"The Dice on real histology of networks that saw masks of fluorescence alone, and of what saw none: "
        f"{'; '.join(told)}.",
        provenance="recorded, 95 % over seeds and test groups; real data",
    )


def show_matrix(panels: dict, rows: list[str], columns: list[str], score: str, **where) -> None:
    """A score for each row and column, in colours and figures, one such table for each panel; NaN stays blank."""
    wide = 1.5 + 0.75 * len(columns) * len(panels) + (1.6 if len(panels) == 1 else 0)
    figure, axes = plt.subplots(1, len(panels), figsize=(wide, 1.1 + 0.42 * len(rows)), squeeze=False, sharey=True)
    lowest, told = min(float(np.nanmin(values)) for values in panels.values()), []
    for axis, (name, values) in zip(axes.flat, panels.items(), strict=True):
        axis.imshow(values, cmap="cividis", vmin=lowest, vmax=1, aspect="auto")
        for (row, column), value in np.ndenumerate(np.asarray(values)):
            if np.isnan(value):
                continue
            ink = "black" if value > (1 + lowest) / 2 else "white"
            axis.text(column, row, f"{value:.2f}", ha="center", va="center", color=ink, fontsize=9)
            told.append(f"{name}, {rows[row]}, tested on {columns[column]} {value:.2f}")
        axis.set_xticks(range(len(columns)), columns, fontsize=9)
        axis.set_yticks(range(len(rows)), rows, fontsize=9)
        axis.set_title(name, fontsize=10)
        axis.set_xlabel("tested on")
        axis.tick_params(length=0)
        axis.grid(False)
    show(figure, f"{score}: {'; '.join(told)}.", **where)


def show_organs(record: Record, ways: list[str]) -> None:
    """The recorded Dice of drawn organs: each way, asked about each look; blank where a way was not asked."""
    known = record.values("way", "target")
    dice = [[record.mean(way, target=t).value if (way, t) in known else np.nan for t in LOOKS] for way in ways]
    panels = {"Dice of liver, spleen and kidneys": np.array(dice)}
    show_matrix(panels, ways, list(LOOKS.values()), "Dice", provenance="recorded, phantoms")


def show_named(record: Record) -> None:
    """The recorded AUROC of "is there a lesion?", for each look that was learnt and each that was asked about."""
    panels = {
        f"AUROC, {way}": np.array([[record.mean(way, "auroc", source=s, target=t).value for t in LOOKS] for s in LOOKS])
        for way in record.values("way")
    }
    rows = [f"from {name}" for name in LOOKS.values()]
    show_matrix(panels, rows, list(LOOKS.values()), "AUROC of a lesion", provenance="recorded, phantoms")
