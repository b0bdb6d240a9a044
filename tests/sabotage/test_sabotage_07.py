"""Each claim of notebook 07 must fail when what it rests on is broken: here each one is broken."""

from replay import Sabotage, broken

ZOO = ("A small zoo",)
ROWS = [
    Sabotage(
        "Always ImageNet leaves so little to win",
        'experiment.comparisons(tables, "rules")',
        'experiment.comparisons(tables, "rules", ours="LogME")',  # one score of nine
        ("One picture",),
        recorded=True,
    ),
    Sabotage(
        "The best of thirty models that know nothing",
        "reported = of_coins.max()",
        "reported = of_coins[0]",
        ("What is wrong",),
    ),
    Sabotage(
        "Five of seven scores order nine architectures worse",
        'comparisons(tables, "tau", of="architecture")',
        'comparisons(tables, "tau", of="source")',
        ("The published",),
        recorded=True,
    ),
    Sabotage(
        "Among twelve sources of one set each",
        'single = {"candidates": "single sets"}',
        'single = {"candidates": "all"}',
        ("The published",),
        recorded=True,
    ),
    Sabotage(
        "The few lines are the library's LEEP and H-score",
        "conditional = joint / joint.sum(0)",
        "conditional = joint / joint.sum(1, keepdims=True)",
        ("The idea of a score",),
    ),
    Sabotage(
        "LogME and the linear probe see",
        "network = source(len(task.classes))",
        'network = sources["resnet, random"](len(task.classes))',
        ZOO,
    ),
    Sabotage(
        "Of the two networks with phantom weights",
        'other = zoo.loc["vgg16, phantoms"]',
        'other = zoo.loc["resnet, phantoms"]',
        ZOO,
    ),
    Sabotage(
        "On these patients, LEEP's choice between two hospitals",
        "mean = regrets[",
        'mean = regrets.assign(LEEP=2 * regrets["coin"] - regrets["LEEP"])[',  # the other hospital each time
        ("Hospitals as sources",),
    ),
    Sabotage(
        "The halving takes at most a third of the epochs",
        "key=lambda way: seen[way, epochs]",
        "key=lambda way: -seen[way, epochs]",
        (*ZOO, "Successive halving"),
    ),
    Sabotage(
        "The chosen way is the one with the lowest validation loss",
        'lowest = found.table["log loss"].min()',
        'lowest = found.table["log loss"].max()',
        (*ZOO, "One call"),
    ),
    Sabotage(
        "On three real tasks the search is not two points",
        'search.about["primary"], search.primary',
        'search.about["primary"], search.over_cases("auto_transfer", "probe, always", **where)',
        ("What the record",),
        recorded=True,
    ),
    Sabotage(
        "The search ranks better than always probing",
        'search.over_cases("auto_transfer", probe, **where)',
        'search.over_cases("auto_transfer", small, **where)',
        ("What the record",),
        recorded=True,
    ),
    Sabotage(
        "On two of four folders the search is level",
        "for task, found in four.items() if found.low",
        "for task, found in four.items() if found.value",  # without an interval
        ("What the record",),
        recorded=True,
    ),
    Sabotage(
        "Begun with two ways that had been good before",
        '("search", "average", "defaults")',
        '("search", "average", "average")',  # what the command was before
        ("What the record",),
        recorded=True,
    ),
    Sabotage(
        "By log loss the small network without a source",
        'search.scores(way, "log loss", **where) for way in',
        '-search.scores(way, "log loss", **where) for way in',
        ("What the record",),
        recorded=True,
    ),
    Sabotage(
        "With twenty validation images a class, validation says",
        'optimism = search.mean("auto_transfer", "optimism", **where)',
        'optimism = mtl.t_interval(-search.scores("auto_transfer", "optimism", **where))',
        ("What the record", "The same, recorded"),
        recorded=True,
    ),
    Sabotage(
        "On X-rays the optimism is smaller",
        "for val in (5, 100)",
        "for val in (100, 5)",
        ("What the record", "The same, recorded"),
        recorded=True,
    ),
    Sabotage(
        "With five validation images a class, other draws",
        "experiment.choices(answers, task, n) for n in",
        "experiment.choices(answers, task, 20) for n in",
        (*ZOO, "Where it fails"),
    ),
]

outcomes, test_live_claims, test_recorded_claims, test_each_cell_runs_again = broken("07_which_source", ROWS)
