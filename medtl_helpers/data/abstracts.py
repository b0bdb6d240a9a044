"""Abstracts of publications: Medical Abstracts (which group of conditions?) and PubMedQA (is the answer yes?).

The published files where they are on this disk, else drawn texts in the same form.
"""

import csv
import json
from pathlib import Path

from torch import Tensor, tensor

from ..assets import find
from .splice import without_copies
from .text_tasks import TextTask, parted, text_groups, text_task
from .text_twins import abstracts_twin, pubmedqa_twin
from .tokens import tokens

ANSWERS = ("yes", "no", "maybe")
TEST, VALIDATION = 0.2, 0.2  # shares


def load_abstracts(name: str, about: dict, length: int = 128, seed: int = 0) -> TextTask:
    """The set of that name as a task: ``x`` int32 N×``length``, ``y`` int64; 60 % for training, 20 % for each other.

    Of PubMedQA a text is the question and the abstract without its conclusion, from which the answer is to be found.
    What is longer than ``length`` tokens is cut off. An abstract that stands twice is kept once, and one with several
    labels is left out, since nobody can learn which of them is right.
    """
    found = find(about, name)
    if found.path is None:
        provenance, note = "twin", f"for real data: make data ONLY={name} ({found.why_not})"
        draw = abstracts_twin if name == "medical_abstracts" else _drawn_questions
        texts, y = draw(about["twin_totals"])
    else:
        read = read_abstracts if name == "medical_abstracts" else read_questions
        texts, y, again, torn = without_copies(*read(found.path))
        note = f"{again} copies of a text and {torn} text(s) with several labels left out" if again or torn else ""
        provenance = "real"
    groups = text_groups(texts)
    parts = parted(groups, y, test=TEST, val=VALIDATION, seed=seed)
    return text_task(
        name, tokens(texts, length), y, groups, parts, about["classes"],
        provenance=provenance, licence=about["licence"], note=note,
    )  # fmt: skip


def read_abstracts(path: Path) -> tuple[list[str], Tensor]:
    """All abstracts of the file and their labels, int64 from 0. Raises ValueError when it holds anything else."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = [row for row in csv.reader(file) if row][1:]
        labels = [int(label) - 1 for label, _ in rows]
    except ValueError:  # bytes that are no text, rows of other cells, labels that are no numbers
        rows, labels = [], []
    if set(labels) != set(range(5)) or not all(text.strip() for _, text in rows):
        raise ValueError(f"{path} is no table of labels from 1 to 5 and abstracts: delete it and fetch it again.")
    return [text.strip() for _, text in rows], tensor(labels)


def read_questions(path: Path) -> tuple[list[str], Tensor]:
    """All questions, each with its abstract, and the answers, int64: 0 yes, 1 no, 2 maybe.

    Raises ValueError when the file holds anything else.
    """
    try:
        entries = json.loads(path.read_text("utf-8")).values()
        texts = [" ".join([entry["QUESTION"], *entry["CONTEXTS"]]) for entry in entries]
        labels = [ANSWERS.index(entry["final_decision"]) for entry in entries]
    except (ValueError, AttributeError, KeyError, TypeError):
        texts, labels = [], []
    if set(labels) != set(range(len(ANSWERS))):
        raise ValueError(f"{path} holds no questions with yes, no and maybe: delete it and fetch it again.")
    return texts, tensor(labels)


def _drawn_questions(totals) -> tuple[list[str], Tensor]:
    rows, y = pubmedqa_twin(totals)
    return [f"{row['question']} {row['context']}" for row in rows], y
