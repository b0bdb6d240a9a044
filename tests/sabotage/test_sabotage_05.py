"""Each claim of notebook 05 must fail when its method is broken: here each one is broken."""

import pytest
import torch
from replay import Sabotage, broken, run_until

ROWS = [
    Sabotage(
        "Trained on the source alone",
        'domains.smear_domains("texture", seed=0, strength=0.6)',
        'domains.smear_domains("texture", seed=0, strength=0.0)',
        ("One picture",),
    ),
    Sabotage(
        "A softmax over one logit",
        "nn.Softmax(dim=1)",
        "nn.Sigmoid()",
        ("One picture", "What is wrong"),
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
        "gap_of_a_class(f_after)",
        "gap_of_a_class(f_before)",
        ("One picture", "The idea", "Train it"),
    ),
    Sabotage(
        "DANN's own domain classifier is often wrong",
        "proxy_a_distance(*f_after)",
        "proxy_a_distance(f_after[0], f_after[0])",
        ("One picture", "The idea", "Train it"),
    ),
    Sabotage(
        "On textured slides, DANN beats source-only",
        '"DANN", "source only", **waves',
        '"source only", "source only", **waves',
        ("What the record",),
        recorded=True,
    ),
    Sabotage(
        "On textured slides DANN beats AdaBN",
        '"DANN", "AdaBN", **waves',
        '"λ = 0", "AdaBN", **waves',
        ("What the record",),
        recorded=True,
    ),
    Sabotage(
        "The stronger the waves are",
        "for strength in (0.3, 0.6, 0.9)",
        "for strength in (0.9, 0.6, 0.3)",
        ("From weak",),
        recorded=True,
    ),
    Sabotage(
        "On four shifts the last epoch",
        'smears.paired("DANN", validation, **at)',
        'smears.paired(validation, "DANN", **at)',
        ("The rules",),
        recorded=True,
    ),
    Sabotage(
        "Under pure label shift DANN loses",
        'smears.paired("AdaBN", "source only", **pure)',
        'smears.paired("DANN", "source only", **pure)',
        ("Where it fails",),
        recorded=True,
    ),
    Sabotage(
        "With another colour, DANN ends",
        'smears.paired("DANN", "ceiling", **colour)',
        'smears.paired("ceiling", "ceiling", **colour)',
        ("Where it fails",),
        recorded=True,
    ),
    Sabotage(
        "With waves and label shift DANN ends",
        '"DANN, λ 1", "DANN", **both',
        '"λ = 0", "DANN", **both',
        ("Where it fails",),
        recorded=True,
    ),
    Sabotage(
        "On the digits, DANN beats source-only",
        'digits.paired("DANN", other)',
        'digits.paired("source only", other)',
        ("Something else",),
        recorded=True,
    ),
    Sabotage(
        "On five other pairs, DANN is never clearly worse",
        '"DANN", "source only", pair=name',
        '"source only", "ceiling", pair=name',
        ("Something else",),
        recorded=True,
    ),
    Sabotage(
        "DANN brings no hospital",
        'hospitals.paired("DANN", "source only", source=here',
        'hospitals.paired("ceiling", "source only", source=here',
        ("The real thing",),
        recorded=True,
    ),
    Sabotage(
        "DANN.fit does as well as the bare loop",
        "peers.paired(ours, other)",
        "peers.paired(other, ours)",
        ("Beside",),
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
