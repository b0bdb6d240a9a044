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
        "On scanner D, L2-SP and a patient small network",
        "experiment.written_down(record, L2_SP, SCRATCH)",
        "experiment.written_down(record, L2_SP, SMALL_LONGER)",
        ("What was believed",),
        recorded=True,
    ),
    Sabotage(
        "With ten times as many labels, validation chooses",
        'record.about["settings"][L2_SP][str(n)]["lam"]',
        'record.about["settings"][L2_SP]["10"]["lam"]',
        ("What was believed",),
        recorded=True,
    ),
    Sabotage(
        "LoRA trains less than 3 %",
        "mtl.merge(copy.deepcopy(low_rank))",
        "mtl.merge(mtl.lora(new_network(), where=None))",
        ("One picture", "The recipe", "Moving few weights"),
    ),
    Sabotage(
        "On scanner D, LoRA and the norms alone both beat",
        "experiment.written_down(record, way, PROBE)",
        "experiment.written_down(record, way, SMALL_LONGER)",
        ("What few weights reach",),
        recorded=True,
    ),
    Sabotage(
        "On scanner B, ten seeds do not settle",
        "record.primary, record",
        'record.paired(L2_SP, PROBE, n=10, scanner="D"), record',
        ("A second scanner",),
        recorded=True,
    ),
    Sabotage(
        "Matching the colours of scanner B, without labels",
        'gain(way, "accuracy", REPAIRED, "B").low for',
        'gain(way, "accuracy", "B", REPAIRED).low for',
        ("A second scanner",),
        recorded=True,
    ),
    Sabotage(
        "From scanner D to scanner B both networks lose more accuracy",
        'gain(way, "accuracy", "B", "D").high for',
        'gain(way, "AUROC", "B", "D").high for',
        ("A second scanner",),
        recorded=True,
    ),
    Sabotage(
        "On real X-rays VGG16's features",
        "mtl.Interval(**gain)",
        'mtl.Interval(**gain | {"low": -1.0})',
        ("X-rays",),
        recorded=True,
    ),
]

outcomes, test_live_claims, test_recorded_claims, test_each_cell_runs_again = broken("02_freezing_vs_finetuning", ROWS)
