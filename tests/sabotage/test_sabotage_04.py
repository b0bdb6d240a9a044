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
        "match_pixels does what these lines do",
        "match_pixels(cells.train.x, cells_there.train.x, covariance=True)",
        "match_pixels(cells.train.x, cells.val.x, covariance=True)",
        ("One picture", "Matching pixels"),
    ),
    Sabotage(
        "Moving the threshold changes no ranking",
        "mtl.predict(moved, chests_there.test.x)",
        "mtl.predict(moved, chests.test.x)",
        ("One picture", "The threshold, on"),
    ),
    Sabotage(
        "In a real second laboratory augmentation ranks",
        "record.primary.low",
        "-record.primary.high",
        ("First: what drawn",),
        recorded=True,
    ),
    Sabotage(
        "On drawn cells AdaBN beats augmentation",
        'name = "AdaBN minus augmented, blood cells"',
        'name = "AdaBN minus pixel matching, X-rays"',
        ("First: what drawn",),
        recorded=True,
    ),
    Sabotage(
        "Without one label of it, augmentation lifts",
        'ours = "augmented minus source only, white cells"',
        'ours = "AdaBN minus pixel matching, X-rays"',
        ("First: what drawn",),
        recorded=True,
    ),
    Sabotage(
        "Drawn X-rays say other things",
        'score, "X-rays", data)',
        'score, "X-rays", "real")',
        ("X-rays: most",),
        recorded=True,
    ),
    Sabotage(
        "On real X-rays with a simulated device",
        'moved_threshold = "threshold re-set minus source only, X-rays"',
        'moved_threshold = "AdaBN minus target only, X-rays"',
        ("First: what drawn", "X-rays: most"),
        recorded=True,
    ),
    Sabotage(
        "On real X-rays AdaBN ranks at most",
        'record, "AdaBN", "pixel matching", "AUROC"',
        'record, "pixel matching", "source only", "AUROC"',
        ("First: what drawn", "X-rays: most"),
        recorded=True,
    ),
    Sabotage(
        "On another device, the source's network loses",
        '("balanced accuracy at home", "balanced accuracy")',
        '("balanced accuracy", "balanced accuracy at home")',
        ("First: what drawn", "Drawn blood cells"),
        recorded=True,
    ),
    Sabotage(
        "On drawn cells, AdaBN is worth more than matching",
        'above = "AdaBN minus colour matching, blood cells"',
        'above = "AdaBN minus pixel matching, X-rays"',
        ("First: what drawn", "Drawn blood cells"),
        recorded=True,
    ),
    Sabotage(
        "On blood cells, AdaBN wins back a large part",
        "ada_bn = mtl.adapt_batch_norm(copy.deepcopy(source_only), images)",
        "ada_bn = mtl.adapt_batch_norm(copy.deepcopy(source_only), cells.train.x)",
        ("One picture", "Augmentation", "Without a label", "First: what drawn", "Drawn blood cells"),
    ),
    Sabotage(
        "Frozen features of drawn images",
        "frozen_lead.low",
        "-frozen_lead.high",
        ("Phantoms as",),
        recorded=True,
    ),
    Sabotage(
        "Fine-tuned from phantoms, the network reads",
        "*experiment.WRITTEN_THERE,",
        '"fine-tuned, phantoms, none", "frozen, phantoms, none",',
        ("Phantoms as",),
        recorded=True,
    ),
    Sabotage(
        "With as many images, AdaBN from one class",
        "[cells_there.train.y == platelets][:40]",
        "[:40]",
        ("One picture", "Augmentation", "Without a label", "When AdaBN"),
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

outcomes, test_live_claims, test_recorded_claims, test_each_cell_runs_again = broken("04_cnn_source_to_target", ROWS)
