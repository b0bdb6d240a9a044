"""The sections of the report on the test result: scores, calibration, threshold, errors."""

from . import page
from .facts import event_in_words, limits, utility
from .figures import curve_figure, curve_limits, picture, reliability_figure, scores_figure
from .judging import FEWEST, THRESHOLDS, Judged, Recipe
from .preparing import Prepared

LINE = {
    "observed − expected": ": the observed minus the predicted share of {event} (0 is right)",
    "in the large": ": the intercept beside a slope of 1 (0 is right)",
    "slope": " of the calibration line (1 is right; below 1 the network is too sure)",
}


def the_rule(recipe: Recipe) -> str:
    """Which class the answer is, after "the"."""
    if recipe.positive is None or recipe.threshold is None:
        return "answer is the most probable class"
    return f"answer is {recipe.classes[recipe.positive]} from {recipe.threshold:.1%} on"


def what_of(recipe: Recipe) -> str:
    """Whose probability a figure or a table is about."""
    return "of the answer given" if recipe.positive is None else f"of {recipe.classes[recipe.positive]}"


def the_result(prepared: Prepared, recipe: Recipe, judged: Judged) -> str:
    units, people = judged.metrics["log loss"], "patients" if judged.patients is not None else "cases"
    event, p = recipe.event(judged.y, judged.probability)
    names = {
        "accuracy": f"accuracy: the {the_rule(recipe)}",
        "balanced accuracy": "balanced accuracy of the same answers",
    }
    if recipe.positive is None:
        names["AUROC"] = "AUROC, the mean of each class against the others"
        no = "wrong answers"
    else:
        no = recipe.classes[1 - recipe.positive] if len(recipe.classes) == 2 else "the others"
    rows = [[names.get(name, name), one] for name, one in judged.metrics.items()]
    return "".join(
        [
            page.paragraph(
                f"The {len(judged.y)} test images were looked at once, after everything was chosen.",
                f"The limits are those of 95 %, by {units.kind} (n = {units.n}): other {people} of the same place "
                "would give other numbers, and the limits say how far.",
                "They hold neither another hospital nor another seed.",
                limits(prepared, judged),
            ),
            page.table(["score", "on test"], rows, "Test result with 95 % limits"),
            scores_figure(p, event, recipe.threshold, event_in_words(recipe), no, what_of(recipe)),
        ]
    )


def the_calibration(recipe: Recipe, judged: Judged) -> str:
    what, event = what_of(recipe), event_in_words(recipe)
    rows = [
        [name + LINE[name].replace("{event}", event), judged.line_before.get(name, ""), one]
        for name, one in judged.line.items()
    ]
    content = [
        page.paragraph(
            "Of 100 cases with a probability of 20 %, 20 should turn out so.",
            f"The temperature {recipe.temperature:.2f}, found on validation, was applied to all probabilities.",
            "Where the disease is more or less common, the calibration is another one.",
        )
    ]
    if rows:
        head = ["calibration on test", "before tempering", "as it is used"]
        content.append(page.table(head, rows, f"Calibration of the probability {what}, with 95 % limits"))
    else:
        few = f"A calibration line needs {FEWEST} cases of each outcome that are not separated, and is not drawn here."
        content.append(page.paragraph(few))
    chance = judged.error_by_chance
    content += [
        reliability_figure(judged.table, what),
        page.paragraph(
            f"The expected calibration error of these {len(judged.table)} bins is {judged.error:.3f}; a perfectly "
            f"calibrated network would get from {chance.low:.3f} to {chance.high:.3f} on as many cases.",
            "The limits of the bins take each image for a patient of its own." if judged.patients is not None else "",
        ),
    ]
    return "".join(content)


def the_threshold(recipe: Recipe, judged: Judged) -> str:
    name = recipe.classes[recipe.positive or 0]
    here, *others = judged.operating.items()
    rows = [
        [f"{prevalence:.1%}{' (as on test)' if k == 0 else ''}", one["PPV"], one["NPV"]]
        for k, (prevalence, one) in enumerate([here, *others])
    ]
    lowest, go_on = min(one.low for one in judged.curve["model"]), "The limits go on below the picture."
    points = [[what, here[1][what]] for what in ("sensitivity", "specificity")]
    return "".join(
        [
            page.paragraph(
                f"The answer is {name} where its probability is {recipe.threshold:.3f} or more.",
                "This threshold had the highest mean of sensitivity and specificity on validation.",
                "It weighs no harm: where a missed case costs more than a false alarm, another threshold is right.",
            ),
            page.table(
                ["at this threshold", "on test"],
                points,
                f"Sensitivity and specificity with 95 % limits ({here[1]['sensitivity'].kind})",
            ),
            page.paragraph("What an alarm is worth depends on how common the disease is where the test is used:"),
            page.table(
                ["prevalence", "PPV: of the alarms, right", "NPV: of the others, healthy"],
                rows,
                "Predictive values by prevalence, with 95 % limits",
            ),
            page.case(
                curve_figure(THRESHOLDS, judged.curve),
                [
                    "The band holds the 95 % limits of the model.",
                    *([go_on] if lowest < curve_limits(judged.curve)[0] else []),
                ],
            ),
            page.paragraph(
                utility(recipe, judged), "A decision curve supposes that the probabilities are right where one acts."
            ),
        ]
    )


def the_errors(prepared: Prepared, recipe: Recipe, judged: Judged) -> str:
    classes, task = recipe.classes, prepared.task
    rows = [[f"truly {name}", *judged.confusion[k].tolist()] for k, name in enumerate(classes)]
    shown = []
    for row in judged.worst:
        true, answer, p = classes[judged.y[row]], classes[judged.answers[row]], judged.probability[row]
        file = prepared.files["test"][row]
        alt = f"Test image {file}: it is labelled {true} and was answered with {answer}."
        shown.append(
            page.case(
                picture(task.test.x[int(row)].numpy(), alt),
                [
                    file,
                    f"labelled {true} ({p[judged.y[row]]:.0%})",
                    f"answered {answer} ({p[judged.answers[row]]:.0%})",
                ],
            )
        )
    wrong = int((judged.answers != judged.y).sum())
    about = "An error may be the network's or the label's." if wrong else "No test image was answered wrongly."
    return "".join(
        [
            page.table(
                ["", *(f"answered {name}" for name in classes)],
                rows,
                "Confusion: test images by their class and the answer",
            ),
            page.paragraph(
                f"{wrong} of {len(judged.y)} test images were answered wrongly.",
                f"The {the_rule(recipe)}.",
                about,
            ),
            page.paragraph(
                f"The {len(shown)} wrong answers that gave the true class the least, as the network saw them:"
            )
            if shown
            else "",
            page.cases(shown),
        ]
    )
