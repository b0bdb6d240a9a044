"""Each claim of notebook 02 must fail when its method is broken: here each one is broken."""

from replay import Sabotage, broken

SOURCE_CELLS = "pretraining.SEEN_CELLS[:3]"

ROWS = [
    Sabotage(
        "The target's classes and scanners",
        "task, shifted = experiment.tasks(n=10, seed=0)",
        "from dataclasses import replace; task, shifted = experiment.tasks(n=10, seed=0); "
        f"task = replace(task, classes={SOURCE_CELLS})",
        ("One picture", "Named"),
    ),
    Sabotage(
        "The last stage holds most",
        'mtl.freeze(network, upto="layer3")',
        'network.stages["layer4"] = network.stages["layer4"][:1]; mtl.freeze(network, upto="layer3")',
        ("One picture", "Named"),
    ),
    Sabotage(
        "requires_grad = False holds the weights",
        "model.to(mtl.device()).train()",
        "model.to(mtl.device()).eval()",
        ("One picture", "The recipe", "What is wrong"),
    ),
    Sabotage(
        "mtl.freeze holds weights, statistics",
        "mtl.freeze(really_frozen)",
        "really_frozen.stages.requires_grad_(False)",
        ("One picture", "The recipe", "What is wrong"),
    ),
    Sabotage(
        "Ten steps at rate 1e-3",
        "moved_features(new_network(), task, lr=1e-4)",
        "moved_features(new_network(), task, lr=1e-3)",
        ("One picture", "The recipe", "The second"),
    ),
    Sabotage(
        "Training on cached features gives",
        "mtl.fit_cached(cached, task.train, task.val, **settings)",
        'mtl.fit_cached(cached, task.train, task.val, **settings | {"epochs": 11})',
        ("One picture", "What is frozen"),
    ),
    Sabotage(
        "With ten labels per class, L2-SP",
        "record.paired(way, SCRATCH, n=10) for",
        "record.paired(SCRATCH, way, n=10) for",
        ("What the record",),
        recorded=True,
    ),
    Sabotage(
        "A probe on cached features takes",
        'record.row(way, n=10)["seconds"]',
        'record.row(FULL, n=10)["seconds"]',
        ("What the record",),
        recorded=True,
    ),
    Sabotage(
        "With 500 labels per class the probe is behind",
        "record.paired(way, SCRATCH, n=500) for",
        "record.paired(SCRATCH, way, n=500) for",
        ("What the record",),
        recorded=True,
    ),
    Sabotage(
        "All stages of a frozen VGG16 say more",
        '"vgg16, random, all stages")',
        "all_stages)",
        ("And a larger network",),
        recorded=True,
    ),
    Sabotage(
        "Frozen VGG16, all stages read, beats VGG16 from scratch",
        '"vgg16, from scratch")',
        '"small network, from scratch")',
        ("And a larger network",),
        recorded=True,
    ),
    Sabotage(
        "On the scanner without labels",
        'record.paired(way, SCRATCH, "shifted accuracy", n=10)',
        'record.paired(way, way, "shifted accuracy", n=10)',
        ("What the record", "A second"),
        recorded=True,
    ),
    Sabotage(
        "The probe is behind scratch on the labelled",
        "record.paired(way, SCRATCH, n=10) for",
        'record.paired(way, SCRATCH, "shifted accuracy", n=10) for',
        ("What the record", "A second"),
        recorded=True,
    ),
    Sabotage(
        "With 500 labels per class LP-FT beats scratch on both",
        'record.paired(way, SCRATCH, "shifted accuracy", n=500)',
        'record.paired(SCRATCH, way, "shifted accuracy", n=500)',
        ("What the record", "A second"),
        recorded=True,
    ),
    Sabotage(
        "With ten labels per class, trained weights rank",
        "auroc(*loaded_features, draw)",
        "auroc(*random_features, draw)",
        ("X-rays",),
    ),
    Sabotage(
        "On real X-rays VGG16's features",
        "mtl.Interval(**gain)",
        'mtl.Interval(**gain | {"low": -1.0})',
        ("All images, recorded",),
        recorded=True,
    ),
]

outcomes, test_live_claims, test_recorded_claims = broken("02_freezing_vs_finetuning", ROWS)
