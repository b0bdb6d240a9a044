"""Each claim of notebook 11 must fail when its method is broken: here each one is broken."""

from replay import Sabotage, broken

ROWS = [
    Sabotage(
        "A published formula, for which we used no label",
        "- 0.63 * logp",
        "+ 0.63 * logp",
        ("One picture",),
    ),
    Sabotage(
        "On a random split a test molecule has a nearer relative",
        "mtl.split_molecules(esol, how, seed=seed)",
        'mtl.split_molecules(esol, "scaffold", seed=seed)',
        ("One picture", "A random split"),
    ),
    Sabotage(
        "The run that one half of the test chose",
        "chosen = errors[:, :, 0].argmin(1)",
        "chosen = errors[:, :, 1].argmin(1)",
        ("One picture", "The best of ten runs"),
    ),
    Sabotage(
        "Who says no to every molecule is right",
        "says_no = np.zeros(len(assay.test.y))",
        "says_no = assay.test.y.numpy()",
        ("Accuracy where hits are rare",),
    ),
    Sabotage(
        "Adding up the atoms gives the molecular weight",
        "+ 1.008 * hydrogens.sum(1)",
        "",
        ("One picture", "A molecule becomes numbers"),
    ),
    Sabotage(
        "These lines are the network, and the order of the atoms",
        "(bonds == kind).float() @ h @ W.T",
        "h @ W.T",
        ("One picture", "The best of ten runs", "A molecule becomes numbers", "Messages between atoms"),
    ),
    Sabotage(
        "The two lines give what mtl.enrichment gives",
        "np.argsort(-score)",
        "np.argsort(score)",
        ("One picture", "Accuracy where hits are rare", "Twenty measurements", "A screen"),
    ),
    Sabotage(
        "Who is like no training molecule is predicted worse",
        "np.searchsorted(np.quantile(nearness, [1 / 3, 2 / 3]), nearness)",
        "2 - np.searchsorted(np.quantile(nearness, [1 / 3, 2 / 3]), nearness)",
        ("One picture", "A random split", "Molecules that are like nothing"),
    ),
    Sabotage(
        "In three runs a source that had measured the test molecules",
        '"with our test": ~apart | apart',
        '"with our test": apart',
        ("One picture", "The best of ten runs", "Twenty measurements", "The source's molecules"),
    ),
    Sabotage(
        "With twenty labels the network from drawn molecules has the lower",
        'record.about["primary"], record.primary',
        'record.about["primary"], record.over_cases("drawn, LP-FT", "mean", **record.about["primary"]["where"])',
        ("Twenty measurements",),
    ),
    Sabotage(
        "LP-FT is within 0.1 of the probe",
        'minus, probe = "drawn, LP-FT minus", planned["esol, probe"]',
        'minus, probe = "drawn, LP-FT minus", planned["esol, scratch, 100"]',
        ("Twenty measurements",),
    ),
    Sabotage(
        "Into the brain the network from drawn molecules",
        'planned["bbbp, scratch"], planned["bbbp, classical"]',
        'planned["bbbp, classical"], planned["bbbp, scratch"]',
        ("Twenty measurements",),
    ),
    Sabotage(
        "In three seeds each of five ways has a lower mean error",
        "way + experiment.BY_SCAFFOLD, **where",
        "None, **where",
        ("Twenty measurements", "New scaffolds"),
    ),
    Sabotage(
        "In three seeds the mean of eleven assays",
        'best = "eleven assays, no label"',
        'best = "eleven assays, LP-FT"',
        ("Twenty measurements", "Eleven assays"),
    ),
    Sabotage(
        "In one seed, features of some assays have a lower AUROC",
        "gains = list(figures.source_gains(pairs).values())",
        "gains = list(map(abs, figures.source_gains(pairs).values()))",
        ("Twenty measurements", "Eleven assays"),
    ),
]

outcomes, test_live_claims, test_recorded_claims, test_each_cell_runs_again = broken("11_drug_screening", ROWS)
