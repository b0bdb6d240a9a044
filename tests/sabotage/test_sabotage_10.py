"""Each claim of notebook 10 must fail when its method is broken: here each one is broken."""

from replay import Sabotage, broken

ROWS = [
    Sabotage(
        "A rule from a published list, for which we used no label",
        "return bool(",
        "return not bool(",
        ("One picture",),
    ),
    Sabotage(
        "On a random split of ten templates",
        "[number != out for out in range(5)]",
        "[np.arange(len(y)) % 5 != out for out in range(5)]",
        ("Labels that leak",),
    ),
    Sabotage(
        "The same way, with twenty other labels",
        "for seed in range(4):",
        "for seed in 4 * [0]:",
        ("One seed",),
    ),
    Sabotage(
        "The rule is above every draw of both ways",
        "balanced_accuracy_score(truth, answer)",
        "balanced_accuracy_score(truth, truth)",
        ("One seed",),
    ),
    Sabotage(
        "An 'adapter' on a fine-tuned network has its result",
        "mtl.lora(copy.deepcopy(full), rank=4)",
        "mtl.lora(copy.deepcopy(encoder), rank=4)",
        ('An "adapter"',),
    ),
    Sabotage(
        "Decoding gives the sentence back",
        'text.replace("pneumonia", "a fracture")',
        'text.replace("[[pneumonia]]", "a fracture")',
        ("A sentence becomes numbers",),
    ),
    Sabotage(
        "Attention by hand is what the block computes",
        "q @ k.mT / q.shape[-1] ** 0.5",
        "q @ k.mT / q.shape[-1]",
        ("Attention, by hand",),
    ),
    Sabotage(
        "Without a label of the task the network that saw drawn sentences",
        '"network on drawn sentences": mtl.predict(encoder, negex.test.x)',
        '"network on drawn sentences": mtl.predict(nothing(1), negex.test.x)',
        ("Without a single label",),
    ),
    Sabotage(
        "Training on drawn sentences reaches more than 0.90",
        "real.over_cases(way, None, **asked)",
        'real.over_cases("from scratch", None, **asked)',
        ("Without a single label",),
    ),
    Sabotage(
        "The ten lines, mtl.lora and the merged network",
        "x @ self.A.T @ self.B.T",
        "x @ self.A.T @ self.B.T / 4",
        ("How few weights",),
    ),
    Sabotage(
        "LoRA of rank 4 trains fewer than 3 in 100 weights",
        '"LoRA, rank 4": mtl.lora',
        '"LoRA, rank 4": lambda network: mtl.lora(network, where=None)',
        ("How few weights",),
    ),
    Sabotage(
        "With twenty labels masked words make no difference of 0.05",
        '"rule", **about["where"])',
        'about["theirs"], **about["where"])',
        ("Twenty labels",),
    ),
    Sabotage(
        "With twenty labels LoRA is within 0.02",
        'planned[f"LoRA − {other}, 20"]',
        'planned["TF-IDF"]',
        ("Twenty labels",),
    ),
    Sabotage(
        "Continued from the source, masked words",
        '("grammar and masked words, full", "grammar, full")',
        '("grammar, full", "grammar and masked words, full")',
        ("Twenty labels",),
    ),
    Sabotage(
        "On the question that the source never asked",
        'planned["historical"].interval.high',
        '-planned["historical"].interval.low',
        ("Where it fails",),
    ),
    Sabotage(
        "After training for another question the old one is answered worse",
        '"all weights": trained(copy.deepcopy(new_head), many, 1e-3, epochs=15)',
        '"all weights": copy.deepcopy(new_head)',
        ("What is forgotten",),
    ),
    Sabotage(
        "At its tuned settings LoRA keeps more",
        'planned["forgetting"].interval.low >',
        '-planned["forgetting"].interval.high >',
        ("What is forgotten",),
    ),
    Sabotage(
        "In more than one sentence of ten the piece with the most attention",
        '"block 2": second.attention(h)[:, :, 24].mean(1)',
        '"block 2": effect.clone()',
        ("Attention is no explanation",),
    ),
]

outcomes, test_live_claims, test_recorded_claims, test_each_cell_runs_again = broken("10_medical_text", ROWS)
