"""The report of one run, in four files: the page for people, the JSON to repeat it, the test answers, the model."""

import csv
import datetime
import io
import json
import math
from dataclasses import asdict, dataclass

import numpy as np

from ..methods.intervals import Interval
from ..methods.transferred import Transferred
from . import closing_sections, data_sections, page, result_sections
from .elsewhere import Elsewhere
from .facts import facts_of, versions
from .judging import THRESHOLDS, Judged, Recipe
from .preparing import Prepared
from .saved import Saved, light_range, saved_bytes

WARNING = (
    "This report describes what a network did with these images. It does not say that the network may be used for "
    "patients: nobody has shown that here. It is for learning a method and not for diagnosis."
)


@dataclass(frozen=True)
class Run:
    """All that a report tells: what was asked (``settings``, ``command``), found, and judged."""

    settings: dict
    command: str
    prepared: Prepared
    found: Transferred
    recipe: Recipe
    judged: Judged
    elsewhere: Elsewhere | None

    @property
    def facts(self) -> dict[str, str]:
        return facts_of(self.prepared, self.found, self.recipe, self.judged, self.elsewhere, self.settings)


def as_page(run: Run) -> str:
    """The page, one file of HTML."""
    facts, task = run.facts, run.prepared.task
    first = {
        "Question": "task",
        "Images": "sizes",
        "Chosen network": "model",
        "Result": "metrics",
        "Calibration": "calibration",
        "Threshold": "threshold",
        "Net benefit": "utility",
        "Second hospital": "external",
        "Limits": "limits",
    }
    top = "".join(
        [
            page.paragraph(f"Made on {datetime.date.today():%d %B %Y} by medtl.", kind="small"),
            page.box("warning", page.paragraph(WARNING)),
            page.box("summary", page.facts_list((name, facts[key]) for name, key in first.items() if key in facts)),
        ]
    )
    sections = [
        ("What was found in the folder", data_sections.the_folder(run.prepared, run.settings["seed"])),
        ("What was tried", data_sections.the_search(run.prepared, run.found, run.settings["minutes"])),
        ("The test result", result_sections.the_result(run.prepared, run.recipe, run.judged)),
        ("Do the probabilities mean what they say?", result_sections.the_calibration(run.recipe, run.judged)),
    ]
    if run.judged.operating:
        sections.append(("Saying yes from a threshold on", result_sections.the_threshold(run.recipe, run.judged)))
    sections.append(("Wrong answers", result_sections.the_errors(run.prepared, run.recipe, run.judged)))
    if run.elsewhere is not None:
        there = closing_sections.the_second_hospital(run.elsewhere, run.recipe, run.judged)
        sections.append(("At the second hospital", there))
    repeat = closing_sections.how_to_repeat(run.command, run.settings, versions(), run.found.stopped)
    sections += [
        ("Model card", closing_sections.the_card(facts)),
        ("What two guidelines ask for", closing_sections.the_items(facts)),
        ("How to repeat this", repeat),
    ]
    return page.document(f"Transfer to {task.name}: a report", top, sections)


def as_json(run: Run) -> str:
    """Everything that is needed to repeat the run, and all its numbers."""
    prepared, judged = run.prepared, run.judged
    content = {
        "command": run.command,
        "settings": run.settings,
        "versions": versions(),
        "classes": list(run.recipe.classes),
        "positive": None if run.recipe.positive is None else run.recipe.classes[run.recipe.positive],
        "files": [asdict(one) for one in prepared.seen.values()],
        "splits": {split: list(map(str, files)) for split, files in prepared.files.items()},
        "patients": {split: list(map(str, who)) for split, who in (prepared.task.patients or {}).items()},
        "size": prepared.size,
        "left out": {
            "unusable": {one.file: one.wrong for one in prepared.unusable},
            "patients in two splits": prepared.overlapping,
            "their images": prepared.moved_out,
            "copies": prepared.dropped,
        },
        "same picture": [] if prepared.pairs is None else prepared.pairs.to_dict("records"),
        "search": run.found.record(),
        "seconds": run.found.table["seconds"].tolist(),
        "recipe": asdict(run.recipe),
        "test": _judged(judged),
        "second hospital": None if run.elsewhere is None else _elsewhere(run.elsewhere),
        "facts": run.facts,
        "what it is not": WARNING,
    }
    return json.dumps(_plain(content), indent=1)


def as_csv(run: Run) -> str:
    """The answer to each test image, one row each."""
    buffer, task, classes = io.StringIO(), run.prepared.task, run.recipe.classes
    rows = csv.writer(buffer, lineterminator="\n")
    who = [] if task.patients is None else ["patient"]
    rows.writerow(["file", *who, "class", *(f"probability of {name}" for name in classes), "answer"])
    for k, file in enumerate(run.prepared.files["test"]):
        patient = [] if task.patients is None else [task.patients["test"][k]]
        p = [f"{value:.6f}" for value in run.judged.probability[k]]
        rows.writerow([file, *patient, classes[run.judged.y[k]], *p, classes[run.judged.answers[k]]])
    return buffer.getvalue()


def as_model(run: Run) -> bytes:
    """The trained network with its input recipe, as ``saved.load_saved`` reads it."""
    prepared, sides = run.prepared, [one.side for one in run.prepared.used]
    about = f"The model tells {' / '.join(run.recipe.classes)} and learned from the folder {prepared.task.name}."
    channels = int(prepared.task.train.x.shape[1])
    three = (min(sides), int(np.median(sides)), max(sides))
    light = light_range(prepared.task.train.x)
    return saved_bytes(Saved(run.found.model, run.recipe, prepared.size, channels, three, about, light))


def _judged(judged: Judged) -> dict:
    return {
        "metrics": judged.metrics,
        "calibration": judged.line,
        "calibration before tempering": judged.line_before,
        "expected calibration error": judged.error,
        "the same of a perfect network": judged.error_by_chance,
        "reliability": judged.table.to_dict("records"),
        "operating points by prevalence": {f"{at:.4f}": points for at, points in judged.operating.items()},
        "decision curve": judged.curve and {"thresholds": THRESHOLDS, **judged.curve},
        "confusion": judged.confusion,
    }


def _elsewhere(elsewhere: Elsewhere) -> dict:
    return {
        "files": [asdict(one) for one in elsewhere.seen],
        "labels": elsewhere.y,
        "probability": elsewhere.probability,
        "test": {name: _judged(one) for name, one in elsewhere.judged.items()},
        "control: AdaBN at home": elsewhere.control and _judged(elsewhere.control),
        "proxy A-distance": elsewhere.distance,
        "notes": elsewhere.notes,
    }


def _plain(value):
    """``value`` of types that JSON has: intervals as dicts, arrays as lists, and what is not finite as None."""
    if isinstance(value, Interval):
        return _plain(asdict(value))
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
