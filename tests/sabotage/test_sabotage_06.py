"""Each claim of notebook 06 must fail when its method is broken: here each one is broken."""

from replay import Sabotage, broken

SECOND_SITE = ("Another hospital, and twenty labels",)
ROWS = [
    Sabotage(
        "Most test images have their patient in training",
        "mtl.split_by_image(cohort, seed=1)",
        "cohort",
        ("One picture", "The recipe as you find it", "Patients, not images"),
    ),
    Sabotage(
        "A split by image flatters its network",
        'others["split"]',
        'others["auroc"]',
        ("Patients, not images",),
    ),
    Sabotage(
        "Who only remembers the training images",
        "memory.fit(known.flatten(1), answers)",
        "memory.fit(known.flatten(1), 1 - answers)",
        ("The same picture twice",),
    ),
    Sabotage(
        "Ten of a thousand columns of noise",
        "make_pipeline(best, model), x, y",
        "model, best.fit_transform(x, y), y",
        ("What does an estimate estimate",),
    ),
    Sabotage(
        "Choosing features before the folds tells too much",
        'folds.mean("features chosen before", "bias")',
        'folds.mean("cross-validation", "bias")',
        ("What does an estimate estimate",),
    ),
    Sabotage(
        "At the second site the model says far too much",
        'site="away", seed=0',
        'site="home", seed=7',
        ("Does 80 % mean 80 %",),
    ),
    Sabotage(
        "Even a perfect model has an ECE above zero",
        "np.full(len(there.y), there.y.mean())",
        "np.full(len(there.y), 0.5)",
        ("Does 80 % mean 80 %",),
    ),
    Sabotage(
        "Twenty labels mend the probabilities",
        "recalibrate_slope(known.logit, known.y",
        "recalibrate_slope(known.logit, 1 - known.y",
        SECOND_SITE,
    ),
    Sabotage(
        "At the second site, recalibration on 20 labels lowers",
        'second.about["primary"], second.primary',
        'second.about["primary"], second.paired("untouched", "slope and intercept")',
        ("What the record says",),
        recorded=True,
    ),
    Sabotage(
        "It beats the share of the sick among the twenty",
        'others["prior alone"], others["auroc"]',
        'others["auroc"], others["prior alone"]',
        ("What the record says",),
        recorded=True,
    ),
    Sabotage(
        "The same test: where every second patient is sick",
        "threshold=threshold, prevalence=share",
        "threshold=threshold, prevalence=0.5",
        ("Where to put the threshold",),
    ),
    Sabotage(
        "In Switzerland a model with an AUROC of about 0.7",
        "decision_curve(swiss.y == 1, risk, thresholds)",
        "decision_curve(swiss.y == 1, swiss.y.astype(float), thresholds)",
        ("Is it worth using",),
    ),
    Sabotage(
        "At the second site the untouched model does harm",
        'second.mean(way, f"gain at {at}")',
        'second.mean("slope and intercept", f"gain at {at}")',
        ("Is it worth using",),
    ),
    Sabotage(
        "The share of the sick loses to Cleveland's model",
        'for way in ("prior alone", "intercept", "slope and intercept")',
        'for way in ("intercept", "prior alone", "slope and intercept")',
        ("A second hospital, for real",),
        recorded=True,
    ),
    Sabotage(
        "In some draws of twenty Swiss patients",
        'hospitals.scores("slope and intercept", "auroc", target="switzerland")',
        'hospitals.scores("intercept", "auroc", target="switzerland")',
        ("A second hospital, for real",),
        recorded=True,
    ),
    Sabotage(
        "In a second laboratory a network of white cells",
        '"confidence − accuracy", site="away"',
        '"confidence − accuracy", site="home"',
        ("A second hospital, for real",),
        recorded=True,
    ),
    Sabotage(
        "The mean hides a group",
        "mtl.worst_group(at_home.y, p2, at_home.group)",
        "mtl.worst_group(at_home.y, p2, np.roll(at_home.group, 1))",
        ("Who is hidden in the mean",),
    ),
    Sabotage(
        "Over ten seeds the gap between the groups stays",
        'for name in ("fatty", "dense")',
        'for name in ("dense", "fatty")',
        ("Who is hidden in the mean",),
    ),
    Sabotage(
        "What Hungary's gaps mean",
        'source="hungary", target="va", kind="missing values"',
        'source="cleveland", target="va", kind="missing values"',
        ("When a value is missing",),
        recorded=True,
    ),
    Sabotage(
        "After a whole notebook of measuring",
        "mtl.reporting_items(facts)",
        'mtl.reporting_items(dict.fromkeys(__import__("medtl_helpers.teaching.model_card", fromlist=["FACTS"]).FACTS, "known"))',
        ("What to write down",),
    ),
]

outcomes, test_live_claims, test_recorded_claims, test_each_cell_runs_again = broken("06_can_i_trust_this_number", ROWS)
