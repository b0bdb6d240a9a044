"""The sections of the report on the test result: scores, calibration, threshold, errors."""

from . import page
from .facts import limits, utility
from .figures import curve_figure, picture, reliability_figure, scores_figure
from .judging import FEWEST, THRESHOLDS, Judged, Recipe
from .preparing import Prepared

LINE = {
    "observed − expected": ": how often it was so, less the mean probability (0 is right)",
    "in the large": ": the intercept beside a slope of 1 (0 is right)",
    "slope": " of the calibration line (1 is right; below 1 the network is too sure)",
}


def the_result(prepared: Prepared, recipe: Recipe, judged: Judged) -> str:
    units, people = judged.metrics["log loss"], "patients" if judged.patients is not None else "cases"
    event, p = recipe.event(judged.y, judged.probability)
    names = {
        "accuracy": "accuracy, the most probable class being the answer",
        "balanced accuracy": "balanced accuracy, likewise",
    }
    if recipe.positive is None:
        names["AUROC"] = "AUROC, the mean of each class against the others"
        yes, no = "right answers", "wrong answers"
    else:
        yes, no = recipe.classes[recipe.positive], "the others"
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
            scores_figure(p, event, recipe.threshold, yes, no),
        ]
    )


def the_calibration(recipe: Recipe, judged: Judged) -> str:
    what = f"of {recipe.classes[recipe.positive]}" if recipe.positive is not None else "of the answer given"
    rows = [[f"{name}{LINE[name]}", judged.line_before.get(name, ""), one] for name, one in judged.line.items()]
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
            curve_figure(THRESHOLDS, judged.curve),
            page.paragraph(
                utility(judged), "A decision curve supposes that the probabilities are right where one acts."
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
            page.paragraph(f"{wrong} of {len(judged.y)} test images were answered wrongly.", about),
            page.paragraph(
                f"The {len(shown)} wrong answers that gave the true class the least, as the network saw them:"
            )
            if shown
            else "",
            page.cases(shown),
        ]
    )
