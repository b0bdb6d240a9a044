"""What a run knows of its data, its model and its result, in sentences: for the report, the model card, the JSON."""

import numpy as np

from ..data.tasks import SPLITS
from ..devices import describe
from .elsewhere import Elsewhere
from .judging import THRESHOLDS, Judged, Recipe
from .page import how_many
from .preparing import Prepared
from .words import model_in_words, names_joined, selection, source_in_words


def facts_of(
    prepared: Prepared, found, recipe: Recipe, judged: Judged, elsewhere: Elsewhere | None, settings: dict
) -> dict[str, str]:
    """Sentences by the keys of ``model_card.FACTS``; ``found`` is what ``auto_transfer`` returned."""
    task, n_ways = prepared.task, len(found.table)
    facts = {
        "task": f"It tells {names_joined(recipe.classes, 'from')} in images of {task.name}.",
        "data": f"The images come from the folder {task.name}; where that comes from, only its owner knows.",
        "sizes": sizes(prepared),
        "splits": how_split(prepared, settings["seed"]),
        "preparation": (
            f"Each image became {'grey' if task.train.x.shape[1] == 1 else 'RGB'} bytes in a square of {prepared.size} "
            "px, without keeping its aspect ratio; deep and DICOM files were windowed."
        ),
        "left_out": left_out(prepared),
        "model": f"It is {model_in_words(found)}.",
        "start": "Its weights began as those of "
        + f"{names_joined([source_in_words(way.source) for way in found.averaged or (found.way,)], 'and')}.",
        "selection": selection(found, n_ways),
        "software": f"{', '.join(f'{k} {v}' for k, v in versions().items())}; seed {settings['seed']}.",
        "output": (
            f"It answers a probability for each class, at temperature {recipe.temperature:.2f} (found on validation)."
        ),
        "metrics": "On test: "
        + "; ".join(f"{name} {_short(one)}" for name, one in judged.metrics.items())
        + f" (95 % limits, {judged.metrics['log loss'].kind}, n = {judged.metrics['log loss'].n}).",
        "updating": (
            f"Its probabilities were recalibrated on validation by one number, the temperature "
            f"{recipe.temperature:.2f}."
        ),
        "failures": f"{int((judged.answers != judged.y).sum())} of {len(judged.y)} test images are answered wrongly.",
        "availability": (
            "The code is the package medtl; the model is model.pt beside this report, for the command predict."
        ),
        "limits": limits(prepared, judged),
    }
    if judged.line:
        large = judged.line["observed − expected"]
        facts["calibration"] = (
            f"On test the calibration line has the slope {_short(judged.line['slope'])}, where 1 is right; the "
            f"observed minus the predicted share of {event_in_words(recipe)} is {_short(large)}, where 0 is right."
        )
    if recipe.threshold is not None and recipe.positive is not None:
        facts["threshold"] = (
            f"It says {recipe.classes[recipe.positive]} from the probability {recipe.threshold:.3f} on, which had the "
            "highest mean of sensitivity and specificity on validation; no cost was weighed."
        )
    else:
        facts["threshold"] = "There is none: the most probable class is the answer."
    if judged.curve:
        facts["utility"] = utility(recipe, judged)
    if elsewhere is not None:
        facts["external"] = external(elsewhere)
    return facts


def event_in_words(recipe: Recipe) -> str:
    """What the probability of a case is about."""
    return "right answers" if recipe.positive is None else recipe.classes[recipe.positive]


def versions() -> dict[str, str]:
    """Of what computes: Python, libraries and device, without what differs between two runs on one machine."""
    return {
        key: value
        for key, value in describe().items()
        if "data" not in key and "jupyter" not in key and "widget" not in key
    }


def sizes(prepared: Prepared) -> str:
    task, parts = prepared.task, []
    for split in SPLITS:
        counts = np.bincount(np.asarray(getattr(task, split).y), minlength=len(task.classes))
        people = f" of {len(set(task.patients[split]))} patients" if task.patients else ""
        classes = ", ".join(f"{n} {name}" for n, name in zip(counts, task.classes, strict=True))
        parts.append(f"{split} has {counts.sum()} images{people} ({classes})")
    return f"{_capital('; '.join(parts))}."


def how_split(prepared: Prepared, seed: int) -> str:
    drawn, known = prepared.layout.drawn, prepared.task.patients is not None
    names = {"val": "validation", "test": "test"}
    parts = " and ".join(names[split] for split in drawn)
    how = f"{parts} images were drawn at random with seed {seed}" if drawn else "The folder came with its splits"
    units = (
        "no patient is in two of them"
        if known
        else "the patients are not known, so one patient may be in two of them and the result too good"
    )
    return f"{_capital(how)}; {units}."


def left_out(prepared: Prepared) -> str:
    dropped = sum(map(len, prepared.dropped.values()))
    return (
        f"Of {len(prepared.seen)} image files {len(prepared.unusable)} could not be used, {len(prepared.moved_out)} "
        f"were left out because their patient stands in a later split, and {dropped} because a copy stands elsewhere."
    )


def limits(prepared: Prepared, judged: Judged) -> str:
    lines = [
        "One draw of the splits and one seed were looked at, so the choice of the way itself is not in the intervals."
    ]
    counts = np.bincount(judged.y)
    if counts.min() < 100:
        lines.append(
            f"The rarest class has {counts.min()} test images, and with fewer than 100 the intervals are wide."
        )
    if prepared.task.patients is None:
        lines.append("The patients are not known, so the intervals take each image for a patient of its own.")
    return " ".join(lines)


def utility(recipe: Recipe, judged: Judged) -> str:
    """Where acting on the model is worth it. A bootstrap cannot draw an error that nobody saw, so its limits say
    nothing of the thresholds at which no false alarm, or no missed case, is among the test images."""
    sick, probability = recipe.event(judged.y, judged.probability)
    act, gain = probability[:, None] >= THRESHOLDS, judged.curve["gain"]
    both_seen = act[~sick].any(0) & ~act[sick].all(0)
    better = [t for t, one, seen in zip(THRESHOLDS, gain, both_seen, strict=True) if seen and one.low > 0]
    told = []
    if better:
        told.append(
            "Its net benefit lies above the better of treating all and treating nobody, limits included, at "
            f"{len(better)} of {len(gain)} thresholds ({_listed(better)}; each by itself, not corrected)."
        )
    elif both_seen.any():
        told.append(
            "At no threshold is its net benefit shown to be beyond the better of treating all and treating nobody."
        )
    if not both_seen.all():
        blind = THRESHOLDS[~both_seen]
        told.append(
            f"At {how_many(len(blind), 'threshold')} ({_listed(blind)}) no false alarm or no missed case was seen "
            f"among the {len(sick)} test images, so nothing can be said of the net benefit there."
        )
    return " ".join(told)


def external(elsewhere: Elsewhere) -> str:
    if not elsewhere.judged:
        return f"It was shown {len(elsewhere.used)} images of a second hospital without a test result there."
    parts = [
        f"{name}: AUROC {_short(one.metrics['AUROC'])}, balanced accuracy {_short(one.metrics['balanced accuracy'])}"
        for name, one in elsewhere.judged.items()
    ]
    return f"On {len(elsewhere.used)} images of a second hospital: {'; '.join(parts)}."


def _short(one) -> str:
    return f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]".replace("-", "−")


def _listed(thresholds) -> str:
    return ", ".join(f"{t:.2f}" for t in thresholds)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
