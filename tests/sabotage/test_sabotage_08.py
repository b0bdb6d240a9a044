"""Each claim of notebook 08 must fail when its method is broken: here each one is broken."""

from replay import Sabotage, broken

ROWS = [
    Sabotage(
        "Most of the gain that would be told as TENT's",
        "mtl.tent(copy.deepcopy(network), stream, batch_size=64, lr=0)",
        "mtl.predict(network, stream)",
        ("One picture", "TENT's gain"),
    ),
    Sabotage(
        "The entropy falls at every rate",
        "mtl.tent(model, waves, lr=rate)",
        "mtl.tent(model, waves, lr=0)",
        ("One picture", "Pass after pass"),
    ),
    Sabotage(
        "Three seeds on record: after ten passes",
        "rate=rate, passes=10)",
        "rate=1e-3, passes=10)",
        ("One picture", "Pass after pass"),
    ),
    Sabotage(
        "The best of twelve settings on 60 labelled target images",
        "order[60:]].mean())",
        "order[:60]].mean())",
        ("One picture", "Pass after pass", "The best of many"),
    ),
    Sabotage(
        "These lines give the answers of mtl.tent",
        "    optimizer.step()",
        "    optimizer.zero_grad()",
        ("One picture", "TENT's gain", "TENT in thirteen lines"),
    ),
    Sabotage(
        "The lines above compute the losses",
        "/ (4 * f_s.shape[1] ** 2)",
        "/ f_s.shape[1] ** 2",
        ("One picture", "Making two domains alike"),
    ),
    Sabotage(
        "AdaBN gains more over the untouched network",
        'models["AdaBN"] = mtl.adapt_batch_norm(copy.deepcopy(network), target.train.x)',
        'models["AdaBN"] = mtl.adapt_batch_norm(copy.deepcopy(network), source.train.x)',
        ("One picture", "TENT's gain", "One protocol for all"),
    ),
    Sabotage(
        "Sorted by class, the statistics of each batch make a good network bad",
        "torch.argsort(y, stable=True)",
        "torch.arange(400)",
        ("One picture", "Where it fails"),
    ),
    Sabotage(
        "While the device drifts, statistics of each batch beat",
        'experiment.drifting(source.test.x[:400], "B", 0)',
        "source.test.x[:400]",
        ("One picture", "Where it fails"),
    ),
    Sabotage(
        "Alarms come on the sorted stream",
        '[1 / 8] * 8, window=100, statistics="own"',
        '[1 / 8] * 8, window=100, statistics="own", mix=1, agreement=0',
        ("One picture", "Pass after pass", "Where it fails", "Notice it without a label"),
    ),
    Sabotage(
        "BBSE's estimate is nearer to the true mix",
        "label_shift_weights(here, source.val.y, there)",
        "np.ones(8)",
        ("One picture", "Another mix"),
    ),
    Sabotage(
        "On two scanners TENT is within two points of AdaBN",
        'record.about["primary"], record.primary, experiment',
        'record.about["primary"], record.paired("TENT", "source only", **experiment.DEVICES), experiment',
        ("What the record says",),
        recorded=True,
    ),
    Sabotage(
        "On two scanners where AdaBN leaves little to gain",
        "behind = {way: planned[way] for",
        'behind = {way: planned["TENT − source only"] for',
        ("What the record says",),
        recorded=True,
    ),
    Sabotage(
        "On other scanners source validation gives more away",
        'record.paired(best_rule, at_home, "regret"',
        'record.paired(at_home, best_rule, "regret"',
        ("What the rules are worth",),
        recorded=True,
    ),
    Sabotage(
        "At home, where nothing had to be adapted",
        'planned["sorted, at home"]',
        'planned["batches of 4"]',
        ("What the record says", "The streams on record"),
        recorded=True,
    ),
    Sabotage(
        "On real white cells it is not settled",
        'experiment.CHOSEN["entropy and balance"], "source only"',
        '"ceiling", "source only"',
        ("The two laboratories on record",),
        recorded=True,
    ),
    Sabotage(
        "On record BBSE raises the accuracy of AdaBN under another mix",
        'record.paired(f"{way}, corrected", way, score=s, **mix)',
        'record.paired(way, f"{way}, corrected", score=s, **mix)',
        ("One picture", "Another mix"),
    ),
]

outcomes, test_live_claims, test_recorded_claims, test_each_cell_runs_again = broken("08_adapting_without_labels", ROWS)
