"""Each claim of notebook 04 must fail when its method is broken: here each one is broken."""

from replay import Sabotage, broken

ROWS = [
    Sabotage(
        "A perfect answer that goes through",
        "perfect = torch.eye(8)",
        "perfect = 20 * torch.eye(8)",
        ("Softmax twice",),
    ),
    Sabotage(
        "The second softmax shrinks the gradient",
        "F.cross_entropy(z.softmax(1),",
        "F.cross_entropy(z,",
        ("Softmax twice",),
    ),
    Sabotage(
        "With the softmax once, the same epochs",
        "{AS_FOUND: True, RIGHT: False}",
        "{AS_FOUND: False, RIGHT: True}",
        ("One picture", "The recipe as found", "Softmax twice"),
    ),
    Sabotage(
        "On its own training images the network looks",
        "balanced_accuracy(model, five.train)",
        "balanced_accuracy(model, cells_there.val)",
        ("One picture", "The recipe as found", "A test set"),
    ),
    Sabotage(
        "mtl.adapt_batch_norm does for the first layer",
        "mtl.adapt_batch_norm(copy.deepcopy(network), images)",
        "mtl.adapt_batch_norm(copy.deepcopy(network), cells.train.x)",
        ("One picture", "AdaBN in four"),
    ),
    Sabotage(
        "On another device, the source's network loses",
        '("at home", "balanced accuracy")',
        '("balanced accuracy", "at home")',
        ("One picture", "What ten"),
        recorded=True,
    ),
    Sabotage(
        "AdaBN, which sees target images without labels",
        "ways.paired(experiment.ADABN, experiment.SOURCE_ONLY,",
        "ways.paired(experiment.SOURCE_ONLY, experiment.ADABN,",
        ("One picture", "What ten"),
        recorded=True,
    ),
    Sabotage(
        "On blood cells, fine-tuning the source's network",
        "smears.paired(way, experiment.TARGET_ONLY)",
        "smears.paired(experiment.TARGET_ONLY, way)",
        ("One picture", "What ten"),
        recorded=True,
    ),
    Sabotage(
        "On blood cells, augmentation wins back less",
        "smears.paired(experiment.ADABN, experiment.AUGMENTED)",
        "smears.paired(experiment.AUGMENTED, experiment.ADABN)",
        ("One picture", "What ten"),
        recorded=True,
    ),
    Sabotage(
        "On blood cells, AdaBN wins back a large part",
        "mtl.adapt_batch_norm(copy.deepcopy(source_only), cells_there.train.x)",
        "mtl.adapt_batch_norm(copy.deepcopy(source_only), cells.train.x)",
        ("One picture", "Augmentation", "Without a label", "What ten"),
    ),
    Sabotage(
        "On real X-rays, neither",
        "real.paired(way, experiment.TARGET_ONLY)",
        "real.paired(way, experiment.SOURCE_ONLY)",
        ("On real",),
        recorded=True,
    ),
    Sabotage(
        "With as many images, AdaBN from one class",
        "[cells_there.train.y == platelets][:40]",
        "[:40]",
        ("One picture", "Augmentation", "Without a label", "When AdaBN"),
    ),
    Sabotage(
        "Near the source, its network as it is",
        "shift.paired(way, experiment.TARGET_ONLY,",
        "shift.paired(experiment.TARGET_ONLY, way,",
        ("How far",),
        recorded=True,
    ),
    Sabotage(
        "The source of the same kind",
        'sources.paired(experiment.KIN, kind, "gain")',
        'sources.paired(kind, experiment.KIN, "gain")',
        ("The scores",),
        recorded=True,
    ),
    Sabotage(
        "The proxy A-distance is near its upper end",
        'sources.scores(kind, "proxy A-distance")',
        'sources.scores(kind, "gain")',
        ("The scores",),
        recorded=True,
    ),
    Sabotage(
        "Waves as a source",
        '("texture", "chest")',
        '(experiment.KIN, "chest")',
        ("The scores",),
        recorded=True,
    ),
]

outcomes, test_live_claims, test_recorded_claims = broken("04_cnn_source_to_target", ROWS)
