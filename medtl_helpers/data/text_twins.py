"""Twins of the sets of texts: drawn in place of real texts, for readers who have none, in the same form and shares.

The reports are those of ``report_grammar``; the abstracts are put together from ``datasets/embedded/reports``. What a
method reaches on a twin says nothing about real texts.
"""

from functools import cache
from random import Random

import torch
from torch import Tensor

from .report_grammar import ask, parse_clause, read_lists, sentence_maker

SEED = 20
ABROAD = 0.25  # share of words of an abstract that come from another class
SPILT = 0.2  # share of the results of a study that are those of another answer


def negex_twin(totals, copies: int, question: str = "negated", seed: int = SEED) -> tuple[list[str], Tensor]:
    """Reports of hospital B, ``totals`` of each answer, and the answers, int64 N, in mixed order.

    ``copies`` of the rows have the sentence of another row, and ask for another of its findings where it has one.
    """
    rng = Random(seed)
    draw = sentence_maker("B", question)
    answers = [answer for answer, total in enumerate(totals) for _ in range(total)]
    rng.shuffle(answers)
    texts: list[str] = []
    drawn: dict[int, list] = {0: [], 1: []}
    for row, answer in enumerate(answers):
        if row >= len(answers) - copies and drawn[answer]:
            pieces, places = drawn[answer].pop(rng.randrange(len(drawn[answer])))
        else:
            pieces, places = draw(rng, answer)
            rng.shuffle(places)
            drawn[answer].append((pieces, places[1:] or places))
        texts.append(ask(pieces, places[0]))
    return texts, torch.tensor(answers)


def abstracts_twin(totals, seed: int = SEED) -> tuple[list[str], Tensor]:
    """Drawn abstracts, ``totals`` of neoplasms and of digestive, nervous, cardiovascular and general conditions."""
    rng = Random(seed)
    lists = _lists()
    topics = [lists[name] for name in ("neoplasms", "digestive", "nervous", "cardiovascular", "general")]
    answers = [answer for answer, total in enumerate(totals) for _ in range(total)]
    rng.shuffle(answers)
    texts = []
    for answer in answers:

        def choose(name, answer=answer):
            own = topics[answer] if rng.random() > ABROAD else rng.choice(topics)
            return own.get(name) or lists["words"][name]

        lines = [rng.choice(lists["sentences"]["title"]) + "."]
        lines += rng.sample(lists["sentences"]["body"], rng.randint(4, 9))
        texts.append(" ".join(_fill(line, choose, rng) for line in lines))
    return texts, torch.tensor(answers)


def pubmedqa_twin(totals, seed: int = SEED) -> tuple[list[dict[str, str]], Tensor]:
    """Drawn studies, ``totals`` of the answers yes, no and maybe: each with its question, context and conclusion."""
    rng = Random(seed)
    lists = _lists()["questions"]
    words = _lists()["words"]
    answers = [answer for answer, total in enumerate(totals) for _ in range(total)]
    rng.shuffle(answers)
    names = ("yes", "no", "maybe")
    rows = []
    for answer in answers:
        subject = {name: [rng.choice(lists[name])] for name in ("exposure", "outcome")} | {"digit": lists["digit"]}
        found = names[answer] if rng.random() > SPILT else rng.choice(names)
        context = [
            *rng.sample(lists["background"], rng.randint(1, 2)),
            *rng.sample(lists["methods"], rng.randint(1, 3)),
            *rng.sample(lists[found], rng.randint(1, 2)),
        ]
        parts = {
            "question": rng.choice(lists["question"]),
            "context": " ".join(context),
            "conclusion": rng.choice(lists[f"concluding_{names[answer]}"]),
        }
        rows.append({key: _fill(text, (words | subject).get, rng) for key, text in parts.items()})
    return rows, torch.tensor(answers)


@cache
def _lists() -> dict:
    return read_lists("abstracts", lines=("title", "body", "question", "background", "methods", "yes", "no", "maybe"))


def _fill(text: str, choose, rng: Random) -> str:
    """``text`` with a word for each slot, and a capital at the beginning of each sentence."""
    filled = "".join(
        part if isinstance(part, str) else _fill_word(rng.choice(choose(part[0])), choose, rng)
        for part in parse_clause(text)
    )
    return ". ".join(sentence[:1].upper() + sentence[1:] for sentence in filled.split(". "))


def _fill_word(word: str, choose, rng: Random) -> str:
    return "".join(part if isinstance(part, str) else rng.choice(choose(part[0])) for part in parse_clause(word))
