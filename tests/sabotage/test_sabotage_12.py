"""Each claim of notebook 12 must fail when its method is broken: here each one is broken."""

from replay import Sabotage, broken

ROWS = [
    Sabotage(
        "The five lines give what mtl.otsu_masks gives",
        "return int(between.argmax())",
        "return int(between.argmax()) + 1",
        ("One picture",),
    ),
    Sabotage(
        "A threshold that saw no mask is far above one fixed answer",
        "by_otsu[name], test) for",
        "1 - by_otsu[name], test) for",
        ("One picture",),
    ),
    Sabotage(
        "With 0 and 255 a perfect answer gets a Dice near 2",
        "255 * stained.test.y[:1].numpy()",
        "stained.test.y[:1].numpy()",
        ("One picture", "Masks of 0 and 255"),
    ),
    Sabotage(
        "An answer that marks nothing has more than 95 in 100 pixels right",
        "empty = torch.zeros_like(lesion)",
        "empty = lesion.clone()",
        ("The share of pixels",),
    ),
    Sabotage(
        "In train mode the outline depends on the other images",
        "copy.deepcopy(drawn).train()",
        "copy.deepcopy(drawn).eval()",
        ("One picture", "A network that is still in train mode"),
    ),
    Sabotage(
        "Who only remembers outlines lesions far better",
        "patient % 4 == 0",
        "np.arange(240) // 24 % 4 == 0",
        ("The share of pixels", "Slices of one patient"),
    ),
    Sabotage(
        "These lines are the network",
        "torch.cat([skip, h], 1)",
        "torch.cat([0 * skip, h], 1)",
        ("One picture", "A network that is still in train mode", "A U-Net"),
    ),
    Sabotage(
        "Three answers have the same Dice to 0.01",
        '"one lesion missed": disc(40, 36, 16)',
        '"one lesion missed": disc(40, 36, 16) | disc(66, 70, 5)',
        ("What is minimised",),
    ),
    Sabotage(
        "On histology the plain network loses most of its Dice",
        "mtl.predict_masks(like, experiment.made_alike(there))",
        "mtl.predict_masks(plain, there)",
        (
            "One picture",
            "A network that is still in train mode",
            "Few masks",
            "From one modality to another",
        ),
    ),
    Sabotage(
        "After 300 steps random contrast is behind",
        'record.about["primary"], record.primary',
        'record.about["primary"], record.over_cases("random contrast", "plain", data="real", kind="modality")',
        ("From one modality to another",),
    ),
    Sabotage(
        "With 3, 10 and 40 masks it is not settled",
        'planned[f"scratch, {n}"].settled == 0',
        'planned["plain, 4 × as long"].settled == 0',
        ("Few masks",),
    ),
    Sabotage(
        "After 1,200 steps random contrast beats plain training",
        'for way in ("plain", "stain made alike")]\nmtl.check',
        'for way in ("stain made alike", "plain")]\nmtl.check',
        ("From one modality to another",),
    ),
    Sabotage(
        "Random contrast is less than the hoped-for 0.5 ahead",
        'short, highest = planned["plain"].interval',
        'short, highest = record.over_cases("drawn", None, data="real", kind="modality")',
        ("From one modality to another",),
    ),
    Sabotage(
        "After 1,800 steps, all images recoloured",
        'ahead["at home"].settled',
        'ahead["Otsu"].settled',
        ("From one modality to another",),
    ),
    Sabotage(
        "Drawn nuclei alone reach 0.75",
        'record.over_cases("drawn", None,',
        'record.over_cases("plain", None,',
        ("From one modality to another",),
    ),
    Sabotage(
        "From CT to T2 plain training loses",
        'phantoms.scores("plain", target="ct")',
        'phantoms.scores("plain", target="t2")',
        ("The same anatomy",),
    ),
    Sabotage(
        "In five seeds a U-Net for organs",
        '("other slices", "new patients")',
        '("new patients", "other slices")',
        ("The share of pixels", "Slices of one patient"),
    ),
    Sabotage(
        "What a 3-D network says of a slice depends on the next slice",
        "darker[:, :, 13] = -1.0",
        "darker[:, :, 23] = -1.0",
        ("The share of pixels", "Volumes"),
    ),
    Sabotage(
        "Slices with equal lesions are, byte for byte",
        'lesion="equal"',
        'lesion="clear"',
        ("The share of pixels", "A lesion of the liver's own grey"),
    ),
    Sabotage(
        "A network finds fewer small lesions than clear ones",
        'phantoms.scores("plain", score, lesion=kind)',
        'phantoms.scores("plain", score, lesion="clear")',
        ("The share of pixels", "A lesion of the liver's own grey"),
    ),
]

outcomes, test_live_claims, test_recorded_claims, test_each_cell_runs_again = broken("12_outlines_and_modalities", ROWS)
