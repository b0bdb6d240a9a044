"""Each claim of notebook 10 must fail when its method is broken: here each one is broken."""

from replay import Sabotage, broken

ROWS = [
    Sabotage(
        "A rule from a published list, which saw no label",
        "return bool(",
        "return not bool(",
        ("One picture",),
    ),
    Sabotage(
        "On a random split of few templates counted words look perfect",
        '"other templates": (other_texts, other_y.tolist())',
        '"other templates": ask',
        ("Labels that leak",),
    ),
    Sabotage(
        "With twenty labels one way differs from itself",
        "for seed in range(4):",
        "for seed in 4 * [0]:",
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
        "On real sentences drawn ones bring more than 0.90",
        '("grammar, zero-shot", "grammar, TF-IDF", "rule")',
        '("grammar, zero-shot", "from scratch", "rule")',
        ("Without a single label",),
    ),
    Sabotage(
        "After training, a hidden word costs less",
        "mtl.pretrain_masked_words(masked, negex.train.x,",
        "mtl.pretrain_masked_words(masked, torch.randint(5, 1000, (300, 48), dtype=torch.int32),",
        ("Sentences without labels",),
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
        "With 20, 100 and 500 labels LoRA is within 0.02",
        'if name.startswith("LoRA")',
        'if name.startswith(("LoRA", "TF"))',
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
        "In the record LoRA keeps more of the old question",
        'planned["forgetting"].interval.low',
        '-planned["forgetting"].interval.high',
        ("What is forgotten",),
    ),
    Sabotage(
        "In one sentence of four or more the word with the most attention",
        '"block 2": second.attention(h)[:, :, 24].mean(1)',
        '"block 2": effect.clone()',
        ("Attention is no explanation",),
    ),
]

outcomes, test_live_claims, test_recorded_claims = broken("10_medical_text", ROWS)
