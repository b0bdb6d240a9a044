"""The figures of notebook 11: molecules as graphs, chemical space by scaffolds, few labels, and a screen by its hits.

Molecules are drawn here from their packed graphs alone, by matplotlib; no library of chemistry is needed.
"""

import matplotlib.pyplot as plt
import numpy as np

from ...teaching.plots import COLOURS, MARKS, interval_marks, show
from ...teaching.records import Record

FEATURES = 6  # bytes of an atom before its bonds: element, degree, hydrogens, charge + 4, aromatic, in a ring
SIGNS = ("", "C", "N", "O", "S", "F", "P", "Cl", "Br", "I", "B", "Si", "Se", "*")
INKS = {"C": "black", "N": "blue", "O": "orange", "S": "yellow", "P": "pink"}  # the others green
AROMATIC = 4


def graph_of(packed) -> tuple[np.ndarray, np.ndarray]:
    """(atoms n×6, bonds n×n) of one packed molecule A×(6 + A), without its empty rows."""
    packed = np.asarray(packed)
    n = int((packed[:, 0] > 0).sum())
    return packed[:n, :FEATURES].astype(int), packed[:n, FEATURES : FEATURES + n].astype(int)


def places_of(bonds: np.ndarray, steps: int = 120) -> np.ndarray:
    """Positions n×2 on a sheet of paper, in lengths of a bond, at which the atoms are about as far apart as they shall.

    That is 1 over one bond, √3 over two, and 0.87 for each bond from there on; the atoms of a small ring are as far
    apart as the corners of a regular polygon. Near pairs count more. It is a stress majorisation (Gansner, Koren and
    North, Graph Drawing 2004) from four starts, of which the best stays.
    """
    n = len(bonds)
    if n == 1:
        return np.zeros((1, 2))
    length = _lengths(bonds)
    weight = np.where(length > 0, length.clip(0.5) ** -3.0, 0.0)
    inverse = np.linalg.pinv(np.diag(weight.sum(1)) - weight)
    best, least = np.zeros((n, 2)), np.inf
    for start in range(4):
        places = _first_places(length, start)
        for _ in range(steps):
            ratio = weight * length / _apart(places).clip(1e-9)
            places = inverse @ (ratio.sum(1)[:, None] * places - ratio @ places)
        stress = float((weight * (_apart(places) - length) ** 2).sum())
        if stress < least - 1e-6:
            best, least = places, stress
    flat = np.linalg.svd(best - best.mean(0), full_matrices=False)[2]
    return (best - best.mean(0)) @ flat.T  # the longest side lies flat


def _apart(places: np.ndarray) -> np.ndarray:
    from scipy.spatial.distance import cdist

    return cdist(places, places)


def _lengths(bonds: np.ndarray) -> np.ndarray:
    """How far apart each two atoms shall be; parts that are not connected lie about four bonds apart."""
    from scipy.sparse.csgraph import shortest_path

    hops = shortest_path(bonds > 0, unweighted=True)
    hops[np.isinf(hops)] = 4
    length = np.where(hops == 1, 1.0, np.where(hops == 2, 3**0.5, 0.87 * hops))
    for ring in _rings(bonds).values():
        if len(ring) <= 8:
            at = np.arange(len(ring))
            chord = np.sin(np.pi * np.abs(at[:, None] - at) / len(ring)) / np.sin(np.pi / len(ring))
            length[np.ix_(ring, ring)] = chord
    return length


def _first_places(length: np.ndarray, start: int) -> np.ndarray:
    """Two axes of classical scaling with a little noise, so that a chain does not lie on a line; then noise alone."""
    n, rng = len(length), np.random.default_rng(start)
    if start:
        return rng.normal(0, n**0.5, (n, 2))
    middle = np.eye(n) - 1 / n
    values, axes = np.linalg.eigh(-0.5 * middle @ length**2 @ middle)
    return axes[:, -2:] * np.sqrt(values[-2:].clip(0)) + rng.normal(0, 0.05, (n, 2))


def draw_molecule(axis, packed, *, size: float = 8) -> None:
    """One packed molecule as a chemist draws it: carbon is a corner, other atoms are letters."""
    atoms, bonds = graph_of(packed)
    places = places_of(bonds)
    middles = {bond: places[ring].mean(0) for bond, ring in _rings(bonds).items()}
    for a, b in np.argwhere(np.triu(bonds) > 0):
        _draw_bond(axis, places[a], places[b], int(bonds[a, b]), middles.get((int(a), int(b))))
    for (element, _, hydrogens, charge, *_), place in zip(atoms, places, strict=True):
        sign = SIGNS[element]
        if sign == "C" and charge == 4 and len(atoms) > 1:
            continue
        h = "" if not hydrogens or sign == "C" else ("H" if hydrogens == 1 else f"H$_{hydrogens}$")
        plus = {0: "", 1: "$^+$", -1: "$^-$"}.get(charge - 4, f"$^{{{charge - 4:+d}}}$")
        axis.text(*place, sign + h + plus, fontsize=size, fontweight="bold", **_letter(sign, 0.12))
    low, high = places.min(0), places.max(0)
    wide, tall = (high - low) / 2
    middle, half = (low + high) / 2, max(wide, tall / 0.75, 2.2) + 0.7
    axis.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half * 0.75, middle[1] + half * 0.75))
    axis.set_aspect("equal")
    axis.set_axis_off()


def _letter(sign: str, margin: float) -> dict:
    """How the sign of an element is written: in its colour, on a white circle that hides the ends of its bonds."""
    box = {"boxstyle": f"circle,pad={margin}", "fc": "white", "ec": "none"}
    return {"ha": "center", "va": "center", "color": COLOURS[INKS.get(sign, "green")], "bbox": box}


def _draw_bond(axis, start, end, kind: int, inside) -> None:
    """A bond as one, two or three lines; the second line lies on the inner side of a ring, dashed where aromatic."""
    along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-9)
    across = np.array([-along[1], along[0]])
    if inside is not None and (inside - start) @ across < 0:
        across = -across
    shifts = {1: (0.0,), 2: (-0.09, 0.09), 3: (-0.17, 0.0, 0.17)}.get(kind, (0.0, 0.17))
    if kind == 2 and inside is not None:
        shifts = (0.0, 0.17)
    for k, shift in enumerate(shifts):
        short = 0.14 * along if k and inside is not None else 0 * along
        ends = np.stack([start + short, end - short]) + shift * across
        style = {"linestyle": (0, (2, 1.2))} if kind == AROMATIC and k else {"solid_capstyle": "round"}
        axis.plot(*ends.T, color=COLOURS["black"], linewidth=1.1, **style)


def _rings(bonds: np.ndarray) -> dict[tuple[int, int], list[int]]:
    """For each bond (a, b), a < b, that is part of a ring: the atoms of its smallest ring, in their order."""
    found = {(int(a), int(b)): _way_round(bonds, a, b) for a, b in np.argwhere(np.triu(bonds) > 0)}
    return {bond: ring for bond, ring in found.items() if ring}


def _way_round(bonds: np.ndarray, start: int, end: int) -> list[int]:
    """The atoms on the shortest way from ``start`` to ``end`` without their own bond; none where there is no other."""
    came, line = {start: None}, [start]
    for atom in line:
        for other in np.flatnonzero(bonds[atom]):
            if other not in came and (atom, other) != (start, end):
                came[other] = atom
                line.append(other)
    if end not in came:
        return []
    way = [end]
    while way[-1] != start:
        way.append(came[way[-1]])
    return way


# --- molecules, and where they lie -----------------------------------------------------------------------------------


def show_molecules(x, titles, words: str, *, columns: int = 5, data=None) -> None:
    """Packed molecules as drawings in a grid, each with a title; ``words`` begin the alt text."""
    rows = -(-len(x) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(8.8, 1.62 * rows), squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, one, title in zip(axes.flat, x, titles, strict=False):
        draw_molecule(axis, one, size=7)
        axis.set_title(title, fontsize=8, loc="center")
    told = "; ".join(str(title).replace("\n", ", ") for title in titles)
    show(
        figure, f"{words} drawn as graphs. Lines are bonds, corners are carbon, letters other atoms: {told}.", data=data
    )


def show_orders(packed, orders: dict[str, list[int]], *, data=None) -> None:
    """One molecule with its atoms in several orders: the drawing with their numbers, and the packed bonds below."""
    figure, axes = plt.subplots(2, len(orders), figsize=(8.4, 4.9), height_ratios=[1, 1.1])
    atoms, bonds = graph_of(packed)
    places = places_of(bonds)
    for (above, below), (name, order) in zip(axes.T, orders.items(), strict=True):
        for a, b in np.argwhere(np.triu(bonds) > 0):
            above.plot(*places[[a, b]].T, color=COLOURS["grey"], linewidth=1.2)
        for number, atom in enumerate(order):
            sign = SIGNS[atoms[atom, 0]]
            above.text(*places[atom], f"{sign}{number}", fontsize=8, **_letter(sign, 0.15))
        above.set_title(name, fontsize=10)
        above.set_aspect("equal")
        above.margins(0.12)
        above.set_axis_off()
        below.imshow(bonds[np.ix_(order, order)], cmap="cividis", vmin=0, vmax=AROMATIC)
        below.set(xticks=range(len(order)), yticks=range(len(order)))
        below.tick_params(length=0, labelsize=7)
        below.grid(False)
    axes[1, 0].set_ylabel("bonds of each atom", fontsize=9)
    show(
        figure,
        f"One molecule whose {len(bonds)} atoms are numbered in {len(orders)} orders ({', '.join(orders)}), and below "
        "each drawing its table of bonds. The tables differ, the molecule does not.",
        data=data,
    )


def show_space(places, scaffolds, tests: dict, molecules, *, data=None) -> None:
    """A map of molecules (``places`` N×2): the most frequent scaffolds in colours, and the test of each split.

    ``tests`` are truth values N by the name of the split; of each coloured scaffold one of the ``molecules`` is drawn.
    """
    figure, axes = plt.subplots(1, 1 + len(tests), figsize=(9.2, 3.5), sharex=True, sharey=True)
    names, counts = np.unique(scaffolds, return_counts=True)
    frequent = names[counts.argsort(kind="stable")[::-1][:5]]
    dots = {"markersize": 3, "linestyle": "", "alpha": 0.5}
    axes[0].plot(*places.T, ".", color="#BBBBBB", **dots)
    for number, (colour, marker), corner in zip(frequent, MARKS, range(5), strict=False):
        mine = scaffolds == number
        axes[0].plot(*places[mine].T, marker, color=COLOURS[colour], **dots | {"alpha": 0.7})
        box = axes[0].inset_axes((0.2 * corner, -0.42, 0.2, 0.24))
        draw_molecule(box, molecules[int(np.flatnonzero(mine)[0])], size=5)
        box.set_title(
            f"{marker_word(marker)} {int(mine.sum())}", fontsize=7, color=COLOURS[colour], pad=1, loc="center"
        )
    axes[0].set_title("the five most frequent scaffolds", fontsize=9)
    for axis, (name, test) in zip(axes[1:], tests.items(), strict=True):
        axis.plot(*places[~test].T, ".", color="#BBBBBB", **dots)
        axis.plot(*places[test].T, "o", color=COLOURS["orange"], **dots | {"alpha": 0.8})
        axis.set_title(f"{name}: test in orange", fontsize=9)
    for axis in axes:
        axis.set(xticks=[], yticks=[])
        axis.grid(False)
    told = ", ".join(str(int((scaffolds == number).sum())) for number in frequent)
    show(
        figure,
        f"Three maps of the same {len(places)} molecules. In the first one the five most frequent scaffolds, of {told} "
        f"molecules, are coloured. In the others the test molecules are orange: {' and '.join(tests)}. At random they "
        "lie among the training molecules; by scaffold some lie in clusters of their own.",
        data=data,
    )


def marker_word(marker: str) -> str:
    """A marker of matplotlib as a sign in a text."""
    return {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼"}.get(marker, "•")


def show_nearest(likeness: dict, *, data=None) -> None:
    """For each split, how much each test molecule is like its nearest training molecule: shares of molecules."""
    figure, axis = plt.subplots(figsize=(7.2, 3.4))
    told = []
    for (name, values), (colour, _) in zip(likeness.items(), MARKS, strict=False):
        values = np.sort(np.asarray(values, dtype=float))
        axis.step([0, *values, 1], [1, *(1 - np.arange(len(values)) / len(values)), 0], where="pre",
                  color=COLOURS[colour], label=f"{name}, median {np.median(values):.2f}")  # fmt: skip
        told.append(f"{name} {np.median(values):.2f}")
    axis.set(xlabel="likeness (Tanimoto) to the nearest training molecule", xlim=(0, 1), ylim=(0, 1.02),
             ylabel="share of test molecules\nwith at least that")  # fmt: skip
    axis.legend(fontsize=9, loc="lower left")
    show(
        figure,
        "How much test molecules are like their nearest training molecule, as the share that is at least so like it. "
        f"Medians: {'; '.join(told)}.",
        data=data,
    )


# --- errors and screens ----------------------------------------------------------------------------------------------


def show_errors(values: dict[str, float], label: str, *, line: tuple[str, float] | None = None, data=None) -> None:
    """One value a way, as dots in rows; ``line`` is one more value, by its name."""
    figure, axis = plt.subplots(figsize=(7.6, 0.9 + 0.34 * len(values)))
    for row, (name, value) in enumerate(values.items()):
        axis.plot(value, row, "o", color=COLOURS["black" if "no label" in name else "blue"], markersize=8)
        axis.annotate(f"{value:.2f}", (value, row), (8, 0), textcoords="offset points", va="center", fontsize=9)
    told = "; ".join(f"{name} {value:.2f}" for name, value in values.items())
    if line is not None:
        axis.axvline(line[1], color=COLOURS["grey"], linewidth=1, label=line[0])
        axis.legend(fontsize=8)
        told += f"; {line[0]} {line[1]:.2f}"
    axis.set_yticks(range(len(values)), list(values))
    axis.set(xlim=(0, 1.12 * max(values.values())), ylim=(len(values) - 0.4, -0.6), xlabel=label)
    show(figure, f"{label}: {told}.", data=data)


def show_runs(errors, chosen, *, data=None) -> None:
    """Runs that differ by their seed: the error of each on the half of the test that chose, and on the other half.

    ``errors`` is runs×2; ``chosen`` is the row with the lowest error on the first half.
    """
    figure, axis = plt.subplots(figsize=(7.2, 2.5))
    for row, names in enumerate((("the run that was chosen", "mean of all runs"), (None, None))):
        axis.plot(errors[:, row], [row] * len(errors), "o", color=COLOURS["sky"], markersize=6)
        axis.plot(
            errors[chosen, row],
            row,
            "o",
            color=COLOURS["orange"],
            markersize=9,
            label=names[0],
        )
        axis.plot(
            2 * [errors[:, row].mean()],
            [row - 0.25, row + 0.25],
            color=COLOURS["black"],
            linewidth=2,
            label=names[1],
        )
    axis.set_yticks([0, 1], ["the half\nthat chose", "the other\nhalf"])
    axis.set(ylim=(1.5, -0.5), xlabel="error on test (RMSE), one dot for each run")
    axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    show(
        figure,
        f"Errors of {len(errors)} runs on two halves of a test. On the half that chose, the best run has "
        f"{errors[chosen, 0]:.2f} and the mean is {errors[:, 0].mean():.2f}; on the other half the same run has "
        f"{errors[chosen, 1]:.2f} and the mean is {errors[:, 1].mean():.2f}.",
        data=data,
    )


def show_screen(y, scores: dict, *, data=None) -> None:
    """The share of the hits that is found against the share of molecules that is tested, the best scores first."""
    y = np.asarray(y) == 1
    figure, axis = plt.subplots(figsize=(7.6, 4.0))
    share = np.arange(1, len(y) + 1) / len(y)
    told = []
    for (name, score), (colour, _) in zip(scores.items(), MARKS, strict=False):
        order = np.argsort(-np.asarray(score, dtype=float), kind="stable")
        found = y[order].cumsum() / y.sum()
        axis.plot(share, found, color=COLOURS[colour], label=name)
        told.append(f"{name} {found[max(0, round(0.1 * len(y)) - 1)]:.0%}")
    axis.plot(share, share, ":", color=COLOURS["grey"], label="by chance")
    axis.plot(share, np.minimum(1, share * len(y) / y.sum()), "--", color=COLOURS["grey"], label="every hit first")
    axis.axvline(0.01, color=COLOURS["grey"], linewidth=0.8)
    axis.set(xscale="log", xlim=(1 / len(y), 1), ylim=(0, 1.02), xlabel="share of the molecules that is tested",
             ylabel="share of the hits that is found")  # fmt: skip
    axis.set_xticks([0.01, 0.1, 1], ["1 %", "10 %", "100 %"])
    axis.legend(fontsize=8, loc="upper left")
    show(
        figure,
        f"The share of the {int(y.sum())} hits that is found when {len(y)} molecules are tested in the order of a "
        f"score, against the share that is tested. After a tenth of the molecules: {'; '.join(told)}; by chance 10%.",
        data=data,
    )


def show_assays(names, values, label: str, *, data=None) -> None:
    """A number for each pair of assays, T×T, in colours and figures."""
    values = np.asarray(values, dtype=float)
    figure, axis = plt.subplots(figsize=(7.6, 5.2))
    off = ~np.eye(len(values), dtype=bool)
    axis.imshow(np.where(off, values, np.nan), cmap="cividis", vmin=0, vmax=max(0.3, np.nanmax(values[off])))
    bright = 0.6 * max(0.3, np.nanmax(values[off]))
    for row, column in np.argwhere(off & np.isfinite(values)):
        value = values[row, column]
        axis.text(column, row, f"{value:.2f}".replace("0.", ".", 1), ha="center", va="center", fontsize=8,
                  color="black" if value > bright else "white")  # fmt: skip
    axis.set_xticks(range(len(names)), names, rotation=40, ha="right", fontsize=8)
    axis.set_yticks(range(len(names)), names, fontsize=8)
    axis.tick_params(length=0)
    axis.grid(False)
    most = np.where(off & np.isfinite(values), values, -np.inf).argmax(1)
    told = "; ".join(f"{name} {names[k]}" for name, k in zip(names, most, strict=True))
    show(figure, f"{label} for each pair of assays. The highest is, of {told}.", data=data)


def show_draws(values: dict[str, list[float]], lines: dict[str, float], label: str, *, data=None) -> None:
    """One dot for each draw of labels and way, and their mean as a line; ``lines`` are values that need no label."""
    figure, axis = plt.subplots(figsize=(7.8, 1.1 + 0.38 * len(values)))
    told = []
    for row, (name, some) in enumerate(values.items()):
        axis.plot(some, [row] * len(some), "o", color=COLOURS["blue"], alpha=0.7)
        axis.plot(2 * [np.mean(some)], [row - 0.3, row + 0.3], color=COLOURS["orange"], linewidth=3)
        told.append(f"{name} from {min(some):.2f} to {max(some):.2f}")
    for (name, value), style in zip(lines.items(), ("-", "--", ":"), strict=False):
        axis.axvline(value, color=COLOURS["black"], linestyle=style, linewidth=1.2, label=f"{name} (no label)")
        told.append(f"{name}, without a label, {value:.2f}")
    axis.set_yticks(range(len(values)), list(values))
    axis.set(ylim=(len(values) - 0.4, -0.6), xlabel=f"{label}, one dot for each draw")
    axis.legend(fontsize=9, loc="best")
    show(figure, f"{label}, one dot for each draw of the labels: {'; '.join(told)}.", data=data)


# --- the record ------------------------------------------------------------------------------------------------------


def show_few(record: Record, panels: dict, *, labels=(20, 100, "all")) -> None:
    """The recorded score of each way by the number of labels, with intervals: one panel for each of ``panels``.

    ``panels`` are (ways, lines, keys of the rows, score) by title; ``lines`` are ways without labels.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(9.2, 5.2))
    told, handles = [], {}
    for axis, (title, (ways, lines, where, score)) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        known = record.values("way", "labels", **where)
        for k, way in enumerate(ways):
            colour, marker = MARKS[k]
            there = [n for n in labels if (way, n) in known]
            found = [record.over_cases(way, None, score, labels=n, **where) for n in there]
            at = [labels.index(n) + 0.06 * (k - (len(ways) - 1) / 2) for n in there]
            interval_marks(axis, at, found, colour=colour, marker=marker, label=way, joined=True)
            told.append(
                f"{title}, {way} " + ", ".join(f"{one.value:.2f} with {n}" for n, one in zip(there, found, strict=True))
            )
        for way, style in zip(lines, ("-", "--", ":"), strict=False):
            value = record.over_cases(way, None, score, labels=labels[0], **where).value
            axis.axhline(value, color=COLOURS["black"], linestyle=style, linewidth=1, label=f"{way} (no label)")
            told.append(f"{title}, {way}, without a label, {value:.2f}")
        axis.set_xticks(range(len(labels)), [str(n) for n in labels])
        axis.set(xlabel="labels", ylabel=score)
        axis.set_title(title, fontsize=10)
        handles |= dict(zip(*axis.get_legend_handles_labels()[::-1], strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3, fontsize=8)
    show(
        figure,
        f"Scores on test by the number of labels, with 95 % intervals over seeds and scaffolds: {'; '.join(told)}.",
        provenance=f"recorded, 95 % over seeds and scaffolds; {record.data} data",
    )


def show_thirds(errors: dict[str, list[float]], likeness: list[float], *, data=None) -> None:
    """The error of each way in the thirds of the test that are least, middling and most like training molecules."""
    figure, axis = plt.subplots(figsize=(7.4, 3.4))
    words = zip(("least", "middling", "most"), likeness, strict=True)
    told = []
    for (way, values), (colour, marker) in zip(errors.items(), MARKS, strict=False):
        axis.plot(range(3), values, f"{marker}-", color=COLOURS[colour], label=way)
        told.append(f"{way} {', '.join(f'{value:.2f}' for value in values)}")
    axis.set_xticks(range(3), [f"{word}\n(median {value:.2f})" for word, value in words])
    axis.set(xlabel="likeness to the nearest training molecule", ylabel="error on test (RMSE)", ylim=(0, None))
    axis.legend(fontsize=9)
    show(
        figure,
        "Errors in the thirds of the test molecules that are least, middling and most like a training molecule: "
        f"{'; '.join(told)}.",
        data=data,
    )


CHOSEN = {  # way of the record -> colour, marker
    "chosen by labels": ("orange", "o"),
    "chosen by fingerprints": ("blue", "s"),
    "chosen on validation": ("green", "^"),
    "descriptors, ridge": ("black", "D"),
}


def source_gains(record: Record) -> dict[tuple[str, str], float]:
    """(source, target) -> the recorded AUROC with this source assay, minus that of a network that nobody trained."""
    gains = {}
    for source, target in record.values("source", "target"):
        nothing = record.scores("random features", "auroc", target=target).mean()
        ours = record.scores("one assay, probe", "auroc", source=source, target=target).mean()
        gains[source, target] = float(ours - nothing)
    return gains


def show_sources(record: Record) -> None:
    """The recorded AUROC of each target with each one-assay source, minus that of a network that nobody trained."""
    targets = record.values("target")
    figure, axis = plt.subplots(figsize=(8.8, 1.4 + 0.36 * len(targets)))
    told = []
    each = source_gains(record)
    for row, target in enumerate(targets):
        nothing = record.scores("random features", "auroc", target=target).mean()
        gains = [gain for (_, of), gain in each.items() if of == target]
        word = None if row else "each of eleven sources"
        axis.plot(gains, [row] * len(gains), "o", color="#BBBBBB", markersize=6, label=word)
        names = dict.fromkeys(CHOSEN) if row else {way: way for way in CHOSEN}
        for k, (way, (colour, marker)) in enumerate(CHOSEN.items()):
            gain = record.scores(way, "auroc", target=target).mean() - nothing
            axis.plot(gain, row + 0.09 * (k - 1.5), marker, color=COLOURS[colour], markersize=6, label=names[way])
        told.append(f"{target} from {min(gains):+.2f} to {max(gains):+.2f}")
    axis.axvline(0, color=COLOURS["grey"], linewidth=1)
    axis.set_yticks(range(len(targets)), targets, fontsize=8)
    axis.set(ylim=(len(targets) - 0.4, -0.6), xlabel="AUROC minus that of random features, 100 labels of the target")
    axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    show(
        figure,
        "For each target assay the AUROC with each of eleven source assays, minus that of an untrained network: "
        f"{'; '.join(told)}. Left of zero a source does harm.",
        provenance=f"recorded, {record.data} data",
    )
