"""Each claim of notebook 02 must fail when its method is broken: here each one is broken."""

from replay import Sabotage, broken

ROWS = [
    Sabotage(
        "The target's classes and scanners",
        '{"D", "B"} & set',
        '{"D", "C"} & set',
        ("One picture",),
    ),
    Sabotage(
        "The last stage holds most",
        'c["layer4"] / c["all"]',
        'c["layer1"] / c["all"]',
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
        "moved_features(random_head, lr=1e-4)",
        "moved_features(random_head)",
        ("One picture", "The recipe", "The second"),
    ),
    Sabotage(
        "Training on cached features gives",
        "mtl.fit_cached, epochs=12",
        "mtl.fit_cached, epochs=11",
        ("One picture", "What is frozen"),
    ),
    Sabotage(
        "With ten labels per class, L2-SP",
        "record.paired(method, SCRATCH, n=10) for",
        "record.paired(SCRATCH, method, n=10) for",
        ("One picture", "What the record"),
        recorded=True,
    ),
    Sabotage(
        "On the scanner without labels",
        'SCRATCH, "shifted accuracy"',
        'method, "shifted accuracy"',
        ("A second",),
        recorded=True,
    ),
    Sabotage(
        "The probe is behind scratch on the labelled",
        "record.paired(method, SCRATCH, n=10) for",
        'record.paired(method, SCRATCH, "shifted accuracy", n=10) for',
        ("What the record", "A second"),
        recorded=True,
    ),
    Sabotage(
        "With 500 labels per class the probe is behind",
        "record.paired(method, SCRATCH, n=500) for",
        "record.paired(SCRATCH, method, n=500) for",
        ("One picture", "What the record"),
        recorded=True,
    ),
    Sabotage(
        "With 500 labels per class LP-FT beats scratch on both",
        'record.paired(method, SCRATCH, "shifted accuracy", n=500)',
        'record.paired(SCRATCH, method, "shifted accuracy", n=500)',
        ("What the record", "A second"),
        recorded=True,
    ),
    Sabotage(
        "Recorded: on real X-rays VGG16's",
        "mtl.Interval(**gain)",
        'mtl.Interval(**gain | {"low": -1.0})',
        ("All images, recorded",),
        recorded=True,
    ),
    Sabotage(
        "With ten labels per class, trained weights rank",
        "auroc(*loaded_features, draw)",
        "auroc(*random_features, draw)",
        ("X-rays",),
    ),
    Sabotage(
        "A probe on cached features takes",
        "seconds[PROBE] <",
        "seconds[FULL] <",
        ("A table",),
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
]

outcomes, test_live_claims, test_recorded_claims = broken("02_freezing_vs_finetuning", ROWS)
