"""The NegEx sentences: real hospital sentences where the file is on this disk, else as many drawn ones of hospital B.

In each sentence one finding is asked for: is it negated, is it historical? Many sentences stand in the file several
times, once for each of their findings: so all rows of a sentence are in one split.
"""

import csv
from pathlib import Path

from torch import Tensor, tensor

from ..assets import find
from ..parts import check_choice
from .text_tasks import TextTask, asked, parted, text_groups, text_task
from .text_twins import negex_twin
from .tokens import tokens

QUESTIONS = {"negated": ("Affirmed", "Negated"), "historical": ("Recent", "Historical")}  # the labels of the file
COLUMNS = 6
TEST, VALIDATION = 1000, 400  # rows, nearly


def load_negex(about: dict, question: str = "negated", length: int = 48, seed: int = 0) -> TextTask:
    """The sentences as a task: ``x`` int32 N×``length``, ``y`` int64, 1 where the answer is yes, and its ``groups``.

    Rows for which the file has another answer (is it historical: "not particular") are left out, and so are those whose
    finding is not in their sentence; both are told. Raises ValueError for an unknown ``question``.
    """
    check_choice(question, "question", QUESTIONS)
    facts, found = about["questions"][question], find(about, "negex")
    if found.path is None:
        texts, y = negex_twin(facts["class_totals"], facts["copies"], question)
        provenance, note = "twin", f"for real data: make data ONLY=negex ({found.why_not})"
    else:
        texts, y, other, absent = read_negex(found.path, question)
        provenance, note = "real", f"{absent} row(s) left out, whose finding is not in its sentence"
        note += f", and {other} with another answer" if other else ""
    groups = text_groups(texts)
    again = len(groups) - len(set(groups))
    note = f"{again} rows repeat a sentence, and all rows of one sentence are in one split; {note}"
    parts = parted(groups, y, test=TEST / len(y), val=VALIDATION / len(y), seed=seed)
    name = "negex" if question == "negated" else f"negex:{question}"
    return text_task(
        name, tokens(texts, length), y, groups, parts, facts["classes"],
        positive=1, provenance=provenance, licence=about["licence"], note=note,
    )  # fmt: skip


def read_negex(path: Path, question: str) -> tuple[list[str], Tensor, int, int]:
    """The sentences with their finding in double brackets, and the answers, int64; how many rows have another answer,
    and of how many the finding is not in its sentence.

    Raises ValueError, which shows no text, when the file holds anything else.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    except UnicodeDecodeError:
        rows = []
    if not rows or any(len(row) != COLUMNS for row in rows):
        raise ValueError(f"{path} is no table of {COLUMNS} columns: delete it and fetch it again.")
    column, answers = list(QUESTIONS).index(question), QUESTIONS[question]
    texts, y, other, absent = [], [], 0, 0
    for _, finding, sentence, *labels in rows:
        text = asked(sentence, finding, capitals=True)
        if labels[column] not in answers:
            other += 1
        elif text is None:
            absent += 1
        else:
            texts.append(text)
            y.append(answers.index(labels[column]))
    if len(set(y)) < len(answers):
        raise ValueError(f"{path} lacks rows with the answer {' or '.join(answers)}: delete it and fetch it again.")
    return texts, tensor(y), other, absent
