"""Each claim of notebook 05 must fail when its method is broken: here each one is broken."""

import pytest
import torch
from replay import Sabotage, broken, run_until

LIVE = ("One picture", "Train it", "Is it DANN")
ROWS = [
    Sabotage(
        "Trained on the source alone",
        'domains.smear_domains("scanner C", seed=0, strength=0.5)',
        'domains.smear_domains("scanner C", seed=0, strength=0.0)',
        ("One picture",),
    ),
    Sabotage(
        "A softmax over one logit",
        "nn.Softmax(dim=1)",
        "nn.Sigmoid()",
        ("One picture", "What is wrong"),
    ),
    Sabotage(
        "The gradient comes back times −λ",
        "return -ctx.lam * gradient",
        "return ctx.lam * gradient",
        ("Gradient",),
    ),
    Sabotage(
        "DANN is much better on the target",
        "copy.deepcopy(source_only), target.train.x",
        "copy.deepcopy(source_only), source.train.x",
        LIVE,
    ),
    Sabotage(
        "AdaBN brings the domains closer",
        "features_of(source_only, ada_bn)",
        "features_of(source_only, source_only)",
        LIVE,
    ),
    Sabotage(
        "On two scanners that chose nothing",
        'smears.about["primary"], smears.primary',
        'smears.about["primary"], smears.paired("λ = 0", "DANN", **smears.about["primary"]["where"])',
        ("What the record",),
        recorded=True,
    ),
    Sabotage(
        "The adversary has a share of its own",
        'settled["adversary"], ',
        'settled["on top of AdaBN"], ',
        ("What the record",),
        recorded=True,
    ),
    Sabotage(
        "Over ten seeds AdaBN ends",
        'smears.paired("AdaBN", "DANN", "gap"',
        'smears.paired("source only", "DANN", "gap"',
        ("What the record",),
        recorded=True,
    ),
    Sabotage(
        "Even on waves, for which it was tuned",
        'settled["waves"]',
        'settled["adversary"]',
        ("What the record", "The shift that suits"),
        recorded=True,
    ),
    Sabotage(
        "The last epoch is on average no worse",
        'smears.paired("DANN", f"DANN, {other}"',
        'smears.paired("source only", f"DANN, {other}"',
        ("What the record", "Which epoch"),
        recorded=True,
    ),
    Sabotage(
        "Against our expectation, DANN does not end below",
        'harm, balanced = settled["label shift"]',
        'harm, balanced = settled["re-sampled"]',
        ("What the record", "Where it fails"),
        recorded=True,
    ),
    Sabotage(
        "Correcting DANN's answers with BBSE",
        'f"{way}, corrected", way, score, **mixed',
        'way, f"{way}, corrected", score, **mixed',
        ("What the record", "Where it fails", "The cure under"),
        recorded=True,
    ),
    Sabotage(
        "On the hospitals, DANN has no settled gain",
        'settled["hospitals"]',
        'settled["adversary"]',
        ("What the record", "The real thing"),
        recorded=True,
    ),
    Sabotage(
        "Where only the frequencies differ",
        "label_shift_weights(here, source.val.y, there)",
        "np.ones(8)",
        ("One picture", "A cure"),
    ),
]

outcomes, test_live_claims, test_recorded_claims, test_each_cell_runs_again = broken("05_dann", ROWS)


@pytest.mark.slow
def test_shuffled_target_labels_change_no_row(monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")
    data = 'source, target = domains.smear_domains("scanner C", seed=0, strength=0.5)'
    shuffle = (
        "; from dataclasses import replace; order = torch.randperm(200, generator=torch.Generator().manual_seed(1))"
        "; target = replace(target, train=mtl.Split(target.train.x, target.train.y.flip(0)), "
        "val=mtl.Split(target.val.x, target.val.y[order]))"
    )
    as_is, shuffled = (
        run_until("05_dann", Sabotage("AdaBN brings the domains closer", data, new, LIVE))
        for new in (data, data + shuffle)
    )
    assert not torch.equal(as_is["target"].train.y, shuffled["target"].train.y)
    assert as_is["live"] == shuffled["live"] and as_is["gap"] == shuffled["gap"]
    assert as_is["history"].val_accuracy == shuffled["history"].val_accuracy
