"""Each claim of notebook 05 must fail when its method is broken: here each one is broken."""

import pytest
import torch
from replay import Sabotage, run_until, broken

ROWS = [
    Sabotage(
        "Trained on the source alone",
        "strength=0.6)",
        "strength=0.0)",
        ("One picture",),
    ),
    Sabotage(
        "A softmax over one logit",
        "nn.Softmax(dim=1)",
        "nn.Sigmoid()",
        ("One picture", "Recipes", "What is wrong"),
    ),
    Sabotage(
        "Features tell source and target apart",
        "for d in (source, target)]",
        "for d in (source, source)]",
        ("One picture", "The idea"),
    ),
    Sabotage(
        "The gradient comes back times −λ",
        "return -ctx.lam * gradient",
        "return ctx.lam * gradient",
        ("Gradient",),
    ),
    Sabotage(
        "With DANN the same network is much better",
        "    target.train.x,",
        "    source.train.x,",
        ("One picture", "Train it"),
    ),
    Sabotage(
        "DANN has brought the two centres",
        "f_after = features_of(model)",
        "f_after = features_of(source_only)",
        ("One picture", "The idea", "Train it"),
    ),
    Sabotage(
        "Its domain classifier is often wrong",
        "proxy_a_distance(*f_after)",
        "proxy_a_distance(f_after[0], f_after[0])",
        ("One picture", "The idea", "Train it"),
    ),
    Sabotage(
        "Recorded: DANN beats source-only on the target",
        '"DANN", "source only", **main',
        '"source only", "source only", **main',
        ("What the record",),
        recorded=True,
    ),
    Sabotage(
        "Recorded: on textured slides DANN beats AdaBN",
        'record.paired("DANN", "AdaBN", shift="texture"',
        'record.paired("λ = 0", "AdaBN", shift="texture"',
        ("What the record",),
        recorded=True,
    ),
    Sabotage(
        "Recorded: the stronger the waves",
        "for strength in (0.3, 0.6, 0.9)",
        "for strength in (0.9, 0.6, 0.3)",
        ("From weak",),
        recorded=True,
    ),
    Sabotage(
        "Recorded: on four shifts the last epoch",
        'record.paired("DANN", other, shift=shift',
        'record.paired(other, "DANN", shift=shift',
        ("The rules",),
        recorded=True,
    ),
    Sabotage(
        "Recorded: under pure label shift",
        '"1: AdaBN − source only": record.paired("AdaBN",',
        '"1: AdaBN − source only": record.paired("DANN",',
        ("Where it fails",),
        recorded=True,
    ),
    Sabotage(
        "Recorded: with another colour DANN ends",
        'record.paired("DANN", "ceiling", **colour)',
        'record.paired("ceiling", "ceiling", **colour)',
        ("Where it fails",),
        recorded=True,
    ),
    Sabotage(
        "Recorded, worse than expected: with waves",
        '"DANN, λ 1", "DANN", **both',
        '"λ = 0", "DANN", **both',
        ("Where it fails",),
        recorded=True,
    ),
    Sabotage(
        "Recorded: on the digits DANN beats",
        'record.paired("DANN", other, kind="digits")',
        'record.paired("source only", other, kind="digits")',
        ("Something else",),
        recorded=True,
    ),
    Sabotage(
        "Recorded: DANN.fit does as well",
        'np.median(peers.row(way)["times the bare loop"])',
        "1.2",
        ("Beside",),
        recorded=True,
    ),
    Sabotage(
        "Recorded: on five other pairs",
        '"DANN", "source only", pair=name',
        '"source only", "ceiling", pair=name',
        ("Other data",),
        recorded=True,
    ),
    Sabotage(
        "Recorded: DANN brings no hospital",
        'record.paired("DANN", "source only", source=here',
        'record.mean("DANN", source=here',
        ("The real thing",),
        recorded=True,
    ),
]

outcomes, test_live_claims, test_recorded_claims = broken("05_dann", ROWS)


@pytest.mark.slow
def test_shuffled_target_labels_change_no_row_but_the_oracles(monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")
    data = 'source, target = domains.smear_domains("texture", seed=0, strength=0.6)'
    shuffle = (
        "; from dataclasses import replace; order = torch.randperm(200, generator=torch.Generator().manual_seed(1))"
        "; target = replace(target, train=mtl.Split(target.train.x, target.train.y.flip(0)), "
        "val=mtl.Split(target.val.x, target.val.y[order]))"
    )
    sections = ("One picture", "The idea", "Train it", "Which epoch")
    as_is, shuffled = (
        run_until("05_dann", Sabotage('rules["oracle', data, new, sections)) for new in (data, data + shuffle)
    )
    assert not torch.equal(as_is["target"].train.y, shuffled["target"].train.y)
    for row in ("last epoch", "source validation"):
        assert as_is["rules"][row] == shuffled["rules"][row]
    assert as_is["before"] == shuffled["before"]
    assert as_is["history"].val_accuracy == shuffled["history"].val_accuracy
