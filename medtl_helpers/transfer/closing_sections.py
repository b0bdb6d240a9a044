"""The last sections of the report: the second hospital, the model card, the guidelines, and how to repeat it."""

import numpy as np

from ..teaching.model_card import WARNING, card_sections, reporting_items
from . import page
from .elsewhere import Elsewhere
from .judging import Judged, Recipe


def the_second_hospital(elsewhere: Elsewhere, recipe: Recipe, home: Judged) -> str:
    labels = (
        "Its folders are called like the classes, so these are its labels, and they were used for this section alone."
        if elsewhere.y is not None
        else "Its folders are not called like the classes, so there are no labels: how good the answers are is unknown."
    )
    distance = (
        ""
        if elsewhere.distance is None
        else f"The features of the two hospitals have a proxy A-distance of {the_distance(elsewhere.distance)}: 0 is "
        "where a line cannot tell them apart, 2 where it makes no error."
    )
    content = [
        page.paragraph(
            f"{len(elsewhere.used)} images of {elsewhere.root.name} were shown to the same network, with the same "
            "temperature and threshold; nothing was chosen on them.",
            labels,
            distance,
        ),
        *(page.paragraph(note) for note in elsewhere.notes),
    ]
    unusable = [[one.file, one.wrong] for one in elsewhere.seen if one.wrong]
    if unusable:
        content.append(
            page.table(["file", "why it was left out"], unusable, "Files there that were left out, all of them")
        )
    shown = {"at home, on test": home, **({"at home, AdaBN": elsewhere.control} if elsewhere.control else {})}
    shares = {name: one.answers for name, one in shown.items()}
    shares |= {f"there, {name}": answers for name, answers in elsewhere.answers.items()}
    rows = [
        [name, *(page.Digits(f"{np.mean(a == k):.1%}") for k in range(len(recipe.classes)))]
        for name, a in shares.items()
    ]
    content.append(page.table(["answers", *recipe.classes], rows, "How often each class was the answer"))
    if elsewhere.control:
        changed = np.mean(elsewhere.answers["AdaBN"] != elsewhere.answers["as it is"])
        at_home = np.mean(elsewhere.control.answers != home.answers)
        content.append(
            page.paragraph(
                f"AdaBN, which gives batch norm the statistics of these images without a label, changes {changed:.1%} "
                "of the answers; where the classes are mixed otherwise than at home, it can do harm.",
                f"As a control, with the statistics of the home test images it changes {at_home:.1%} of the answers at "
                "home: what it does there, too, is no sign of a shift.",
                "The saved model is the one without it.",
            )
        )
    shown |= {f"there, {name}": one for name, one in elsewhere.judged.items()}
    if len(shown) > 1:
        content.append(
            page.table(
                ["score", *shown],
                scores_side_by_side(list(shown.values()), recipe),
                "Test results with 95 % limits; the probabilities are tempered as at home",
            )
        )
    if elsewhere.judged:
        content.append(
            page.paragraph(
                "An AUROC that stays while the calibration moves says that the ranking holds there and the "
                "probabilities do not: recalibrate these with few labels, and find the threshold anew."
            )
        )
    return "".join(content)


def scores_side_by_side(shown: list[Judged], recipe: Recipe) -> list[list]:
    """The rows of a table with a column for each test result; the first of these says which scores there are."""
    home = shown[0]
    rows: list[list] = [[name, *(one.metrics[name] for one in shown)] for name in home.metrics]
    if home.operating:
        points = [next(iter(one.operating.values())) for one in shown]
        for name in ("sensitivity", "specificity"):
            rows.append([f"{name} from {recipe.threshold:.1%} on", *(point[name] for point in points)])
    for part in home.line:
        name = f"calibration {part} ({1 if part == 'slope' else 0} is right)"
        rows.append([name, *(one.line.get(part, "") for one in shown)])
    return rows


def the_distance(distance: float) -> str:
    """A proxy A-distance; below 0, where a line errs more often than a coin, nothing is told apart."""
    return f"{distance:.2f}" if distance >= 0.005 else "0 (not told apart)"


def the_card(facts: dict) -> str:
    return page.box("warning", page.paragraph(WARNING)) + "".join(
        f"<h3>{page.text(title)}</h3>{page.bullets(lines)}" for title, lines in card_sections(facts)
    )


def the_items(facts: dict) -> str:
    table, content = reporting_items(facts), []
    for guideline, of_it in table.groupby("guideline", sort=False):
        counts = of_it["filled"].value_counts()
        rows = of_it[["item", "section", "asks", "filled", "answer"]].to_numpy().tolist()
        told = ", ".join(f"{counts.get(name, 0)} {name}" for name in ("yes", "in part", "not yet", "only people"))
        content.append(page.paragraph(f"{guideline}: of {len(of_it)} items this run can fill: {told}."))
        content.append(
            page.folded(
                f"All items of {guideline}",
                page.table(
                    ["item", "section", "asks for", "filled", "what this run says"],
                    rows,
                    f"{guideline}, in our own words",
                ),
            )
        )
    return page.paragraph(
        "A filled item says that something stands there, not that it is good enough.",
        "The full texts are those of the guidelines.",
    ) + "".join(content)


def how_to_repeat(command: str, settings: dict, versions: dict[str, str], stopped: str) -> str:
    rows = [[name, value] for name, value in {**settings, **versions}.items() if value is not None]
    return (
        page.paragraph(
            "The same folder, options and versions give the same report, but for its date and seconds, unless the "
            "minutes end the search: then a faster or slower machine tries more or fewer ways.",
            "Here the search was complete."
            if stopped == "search complete"
            else f"Here the search ended early: {stopped}.",
            "report.json beside this page holds the hash of every file, the plan, all ways and all numbers; "
            "test_answers.csv the answer to each test image; model.pt the network with the recipe of its input.",
        )
        + f"<pre>{page.text(command)}</pre>"
        + page.table(["what", "was"], rows, "Options and versions")
    )
