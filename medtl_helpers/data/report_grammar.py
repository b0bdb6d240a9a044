"""``draw_reports``: sentences of reports in which a finding is negated or not, drawn from word lists in the open.

The lists are the files of ``datasets/embedded/reports``: clauses of two hospitals, clauses that are held out for tests,
and findings. A clause has slots. ``{pt}`` is filled from the words of that name. ``<Ns>`` is a finding: first what the
clause says of it, then its kind; ``<Ns*>`` is a list of one to seven. So a label is right by construction:

======  =======================================================  =======  ==========
letter  what the clause says of the finding                      negated  historical
======  =======================================================  =======  ==========
A       it is there now                                          no       no
N       it is not there now                                      yes      no
H       it was there in the past                                 no       yes
M       it was never there                                       yes      not asked
F       a relative has it                                        no       not asked
P       it may be there, may come, or is looked for              no       not asked
======  =======================================================  =======  ==========

The cues and their classes (before the finding, after it, looking like a negation without being one, ending its scope,
past, family, hypothetical) are facts from NegEx (Chapman et al., Journal of Biomedical Informatics 34 (2001), 301, doi
10.1006/jbin.2001.1029, and its list of triggers), ConText (Harkema et al., Journal of Biomedical Informatics 42 (2009),
839, doi 10.1016/j.jbi.2009.05.002), NegBio (Peng et al., AMIA Summits 2018, 188, arXiv 1712.05898) and BioScope (Vincze
et al., BMC Bioinformatics 9 (2008), S9, doi 10.1186/1471-2105-9-S11-S9). The clauses around them were written by hand.
"Rule out" counts as doubt, which NegEx calls possible, and "was ruled out" as negation. Cues on which the lists differ
("resolved", "no further", "no cause of") are left out. Nobody looked at the NegEx sentences to write any of this.
"""

import re
import tomllib
from collections.abc import Callable
from functools import cache
from random import Random

import torch
from torch import Tensor

from ..assets import asset_folder
from ..parts import check_choice, check_rate, check_whole

QUESTIONS = {"negated": ("AHFP", "NM"), "historical": ("AN", "H")}  # the letters of the answers 0 and 1
HOSPITALS = ("A", "B")
SLOT = re.compile(r"<([ANHMFP])([sdicanx])(\*?)>|\{(\w+)\}")
LONGER = 0.36, 0.6, 0.78, 0.88, 0.94, 0.97  # of the lists of findings, the share with at most 1, 2, … 6
DESCRIBED = 0.12  # share of the findings in a list that have an adjective
HEADED = 0.25  # share of sentences, and a third of it of further clauses, that begin with a heading
BEFORE, AFTER = 0.3, 0.4  # how often one more clause stands before, and after
FRAGMENT = 0.4  # share of clauses that have no verb
OWN = 3  # how much more often a finding that one hospital alone writes is drawn


def draw_reports(
    n: int, *, hospital="A", question="negated", held_out: bool = False, share: float = 0.5, seed: int = 0
) -> tuple[list[str], Tensor]:
    """``n`` drawn sentences, in each of which one finding is asked for, and the answers, int64 N.

    Parameters
    ----------
    hospital: ``"A"`` writes sentences, ``"B"`` dictates in short forms, with other clauses, headings and words.
    question: ``"negated"`` (1 where the finding is said not to be there, or never to have been; one that is past,
        doubtful or a relative's is affirmed, 0) or ``"historical"`` (1 where it was there in the past, 0 where the
        sentence says of now whether it is there; doubtful findings and those of relatives are not asked for).
    held_out: draw with clauses and findings that no other draw uses.
    share: of the sentences whose answer is 1.

    The finding that is asked for stands in double brackets: ``"The patient denies fever or [[cough]]."``. Raises
    ValueError for other settings.
    """
    check_whole(n, "n", least=1)
    check_whole(seed, "seed", least=0)
    check_choice(hospital, "hospital", HOSPITALS)
    check_choice(question, "question", tuple(QUESTIONS))
    check_rate(share, "share")
    if share > 1:
        raise ValueError(f"share is {share}: give a share from 0 to 1.")
    rng = Random(f"{hospital} {question} {bool(held_out)} {seed}")
    answers = [int(place < round(n * share)) for place in range(n)]
    rng.shuffle(answers)
    draw = sentence_maker(hospital, question, bool(held_out))
    texts = []
    for answer in answers:
        pieces, places = draw(rng, answer)
        texts.append(ask(pieces, rng.choice(places)))
    return texts, torch.tensor(answers)


def ask(pieces: list[str], place: int) -> str:
    """The pieces of a sentence as one text, with the finding at ``place`` in double brackets."""
    return "".join([*pieces[:place], "[[", pieces[place], "]]", *pieces[place + 1 :]])


@cache
def style_of(hospital: str, held_out: bool = False) -> dict:
    """What ``hospital`` writes with: lists of clauses, words by the name of their slot, findings by kind, joints."""
    common, a, b, rare = (read_lists(name) for name in ("common", "hospital_a", "hospital_b", "held_out"))
    own = a if hospital == "A" else b
    own = own | {"words": common["words"] | a["words"] | own["words"]}
    if held_out:
        return own | {"clauses": own["clauses"] | rare["clauses"], "findings": rare["findings"]}
    findings = {kind: names + OWN * own["findings"].get(kind, []) for kind, names in common["findings"].items()}
    return own | {"findings": findings}


def read_lists(name: str, lines=("full", "short", "fillers", "headings")) -> dict:
    """A file of lists. What is named in ``lines`` is written one a line, other lists with semicolons between."""
    path = asset_folder("embedded", "datasets/embedded") / "reports" / f"{name}.toml"
    lists = tomllib.loads(path.read_text("utf-8"))
    for table in (value for value in lists.values() if isinstance(value, dict)):
        for key, text in table.items():
            entries = text.split("\n" if key in lines else ";")
            table[key] = [" ".join(entry.split()) for entry in entries if entry.strip()]
    return lists


@cache
def parse_clause(clause: str) -> tuple[str | tuple, ...]:
    """The parts of a clause: text, ``(name,)`` for words, ``(letter, kind, whether a list)`` for findings."""
    parts: list[str | tuple] = []
    end = 0
    for slot in SLOT.finditer(clause):
        letter, kind, many, name = slot.groups()
        parts += [clause[end : slot.start()], (name,) if name else (letter, kind, bool(many))]
        end = slot.end()
    return tuple(part for part in (*parts, clause[end:]) if part)


def says(clause: str) -> set[str]:
    """The letters of what a clause says of its findings."""
    return {letter for letter, *_ in SLOT.findall(clause) if letter}


@cache
def sentence_maker(hospital: str, question: str, held_out: bool = False) -> Callable:
    """A function of a ``Random`` and an answer. It returns the pieces of a sentence and the places to ask for."""
    style = style_of(hospital, held_out)
    parsed = {kind: [parse_clause(clause) for clause in clauses] for kind, clauses in style["clauses"].items()}
    words = {name: [parse_clause(entry) for entry in entries] for name, entries in style["words"].items()}
    full, short, fillers = parsed["full"], parsed["short"], parsed["fillers"]
    having = [  # by answer: clauses with and without a verb that say it of a finding
        [[parse_clause(c) for c in style["clauses"][kind] if says(c) & set(letters)] for kind in ("full", "short")]
        for letters in QUESTIONS[question]
    ]

    def draw(rng: Random, answer: int) -> tuple[list[str], list[int]]:
        random = rng.random
        pieces: list[str] = []
        places: list[int] = []
        starts: list[int] = []
        named: set[str] = set()

        def pick(entries):
            return entries[int(random() * len(entries))]

        def write(parts):
            for part in parts:
                if isinstance(part, str):
                    pieces.append(part)
                elif len(part) == 1:
                    write(pick(words[part[0]]))
                else:
                    name_findings(*part)

        def name_findings(letter, kind, many):
            count, absent = 1, letter in "NMP"
            if many:
                drawn = random()
                count += sum(drawn > share for share in LONGER)
            last = pick(style["or" if absent else "and"])
            between = last if last in style["alike"] else ", "
            for number in range(count):
                if number:
                    pieces.append(last if number == count - 1 else between)
                if many and random() < DESCRIBED:
                    write([("absent" if absent else "degree",), " "])
                finding = pick(style["findings"][kind])
                while finding in named and len(named) < len(style["findings"][kind]):
                    finding = pick(style["findings"][kind])
                named.add(finding)
                if letter in QUESTIONS[question][answer]:
                    places.append(len(pieces))
                pieces.append(finding)

        def begin(share):
            starts.append(len(pieces))
            if random() < share:
                pieces.append(pick(style["clauses"]["headings"]) + " ")
                starts.append(len(pieces))

        def join(is_short):
            pieces.append(pick(style["to_short" if is_short else "to_full"]))
            if pieces[-1].endswith(". "):
                begin(HEADED / 3)

        begin(HEADED)
        is_short = random() < FRAGMENT
        while random() < BEFORE:
            write(pick(pick((full, short, fillers))))
            join(is_short)
        write(pick(having[answer][is_short]))
        while random() < AFTER:
            is_short = random() < FRAGMENT
            join(is_short)
            write(pick(short if is_short else pick((full, fillers))))
        if random() < style["capitals"]:
            for start in starts:
                pieces[start] = pieces[start][:1].upper() + pieces[start][1:]
            pieces.append(".")
        return pieces, places

    return draw
