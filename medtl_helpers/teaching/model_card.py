"""A model card, and what two reporting guidelines ask: what a run can answer, and what only people can.

The items are told in our own words and by the guidelines' own numbers; their full text is in the papers [2, 3], and
so is what an answer must hold. A filled item says that something stands there, not that it is good enough.

[1] Mitchell et al., Model cards for model reporting, FAT* 2019, doi 10.1145/3287560.3287596
[2] Collins et al., TRIPOD+AI statement, BMJ 385 (2024) e078378, doi 10.1136/bmj-2023-078378
[3] Tejani et al., Checklist for artificial intelligence in medical imaging (CLAIM): 2024 update, Radiology: Artificial
Intelligence 6 (2024) e240300, doi 10.1148/ryai.240300
"""

from collections.abc import Mapping

from ..methods.intervals import Interval
from ..parts import shown
from .reporting import items

FACTS = {  # the keys of ``facts``, and the question that each answers
    "task": "What is to be told apart?",
    "data": "Where do the images come from?",
    "sizes": "How many images and patients of each class are in each split?",
    "splits": "How were the splits made, and what is never in two of them?",
    "preparation": "What became of the files before a network saw them?",
    "left_out": "Which files, copies or patients were left out, and why?",
    "model": "Which network is it, and how was it trained?",
    "start": "What did its weights begin with?",
    "selection": "How was it chosen, among how many?",
    "software": "Which versions, which seed, which machine?",
    "output": "What does it answer?",
    "metrics": "How well does it do on test cases that chose nothing?",
    "calibration": "Do its probabilities mean what they say?",
    "threshold": "From which probability on does it say yes, and who chose that?",
    "utility": "Is acting on it better than treating all, or nobody?",
    "external": "How does it do at another hospital?",
    "updating": "Was it recalibrated or adapted, and what did that change?",
    "subgroups": "In which group of patients does it do worst?",
    "failures": "Which cases does it get wrong?",
    "robustness": "What changes its answers that should not?",
    "explanation": "What does it look at?",
    "availability": "Where are the code and the trained model?",
    "limits": "What is known to be weak?",
    "use": "Who shall use it, for which decision, at which point of care?",
    "population": "For which patients, and who among them is missing from the images?",
    "labels": "Who gave the labels, knowing what, and how often do two readers agree?",
    "setting": "Which hospitals, devices and protocols made the images?",
    "dates": "From when to when were the patients seen?",
    "ethics": "Which committee agreed, and how did the patients consent?",
    "funding": "Who paid, and who has an interest in the result?",
    "fairness": "Which inequalities are known here, and what was done about them?",
    "plan": "Was a protocol or a registration written before?",
}
PEOPLE = ("use", "population", "labels", "setting", "dates", "ethics", "funding", "fairness", "plan")  # no run knows
SECTIONS = {  # of the card, after [1]
    "What it is": ("task", "model", "start", "output", "software", "availability"),
    "What it is for": ("use", "population"),
    "Training and test data": ("data", "setting", "dates", "labels", "sizes", "splits", "preparation", "left_out"),
    "How it was chosen": ("selection", "threshold", "updating"),
    "How well it does": ("metrics", "calibration", "utility", "external", "subgroups", "failures"),
    "What is not known": ("robustness", "explanation", "limits", "fairness", "ethics", "funding", "plan"),
}
WARNING = (
    "This card describes a model. It is no evidence that the model may be used: that needs new patients of the place "
    "where it would be used, a comparison with what is done there now, and people who answer for it."
)


def model_card(facts: Mapping[str, str | Mapping[str, Interval]]) -> str:
    """A model card in Markdown: what is known stands there, and what is not as a question.

    ``facts`` has a sentence, or figures by name, for any of the keys of ``FACTS``. Raises ValueError for another key,
    and for what is neither a text nor figures.
    """
    lines = [f"**{WARNING}**"]
    for title, answers in card_sections(facts):
        lines += [f"### {title}", "\n".join(f"- {answer}" for answer in answers)]
    return "\n\n".join(lines)


def card_sections(facts: Mapping[str, str | Mapping[str, Interval]]) -> list[tuple[str, list[str]]]:
    """The card in pieces: of each section its title and its lines, an answer or who owes one to which question."""
    told = _checked(facts)

    def line(key: str) -> str:
        owed = "To be answered by people" if key in PEOPLE else "Not looked at here"
        return told.get(key) or f"{owed}: {FACTS[key]}"

    return [(title, [line(key) for key in keys]) for title, keys in SECTIONS.items()]


def reporting_items(facts: Mapping[str, str | Mapping[str, Interval]] | None = None):
    """All items of TRIPOD+AI and of CLAIM as a pandas table, with what ``facts`` answer of them.

    The columns: ``guideline``, ``item`` (its number there), ``section``, ``asks`` in our own words, ``filled``
    (``"yes"``, ``"in part"``, ``"not yet"``, or ``"only people"`` where no run can know it) and the ``answer``.
    ``facts`` are those of ``model_card``; what people know (``"labels"``, say) can be among them, and counts.
    """
    import pandas as pd

    told, rows = _checked(facts or {}), []
    for guideline, number, section, asks, keys, whole in items():
        answers = [told[key] for key in keys if key in told]
        filled = "not yet" if set(keys) - set(PEOPLE) else "only people"
        if answers:
            filled = "yes" if whole and len(answers) == len(keys) else "in part"
        rows.append((guideline, number, section, asks, filled, " ".join(answers)))
    return pd.DataFrame(rows, columns=["guideline", "item", "section", "asks", "filled", "answer"])


def _checked(facts) -> dict[str, str]:
    if not isinstance(facts, Mapping):
        raise ValueError(f"facts is {shown(facts)}: give a dict of sentences.")
    for key, value in facts.items():
        if key not in FACTS:
            raise ValueError(f"There is no fact called {shown(key)}: the known ones are {', '.join(FACTS)}.")
        if not isinstance(value, str | Mapping):
            raise ValueError(f"The fact {key!r} is {shown(value)}: give a sentence, or a dict of figures by name.")
    return {key: value if isinstance(value, str) else _figures(value) for key, value in facts.items() if value}


def _figures(values: Mapping) -> str:
    return (
        "; ".join(
            f"{name} {v.value:.3f} [{v.low:.3f}, {v.high:.3f}]" if isinstance(v, Interval) else f"{name} {v}"
            for name, v in values.items()
        )
        + "."
    )
