"""Each claim of notebook 13 must fail when its method is broken: here each one is broken."""

from replay import Sabotage, broken

ROWS = [
    Sabotage(
        "Three maps, chosen for it",
        "in_order[::-1][:3], in_order[:3]",
        "in_order[:3], in_order[::-1][:3]",
        ("One picture", "The recipe as you find it"),
    ),
    Sabotage(
        "Ten lines and the course's calls draw the same maps",
        "between = (empty + (k + 0.5) / 32 * (images - empty))",
        "between = (empty + (k + 0.5) / 64 * (images - empty))",
        ("One picture", "Three ways to draw a map"),
    ),
    Sabotage(
        "Integrated gradients lie in the lesion more than a hill",
        'above, of_cam = planned["mass, middle"], planned["mass, Grad-CAM, middle"]',
        'of_cam, above = planned["mass, middle"], planned["mass, Grad-CAM, middle"]',
        ("Take the pixels away",),
    ),
    Sabotage(
        "Deletion: Grad-CAM beats a smooth",
        'for name in ("Grad-CAM, middle", "Grad-CAM, random", "random")',
        'for name in ("Grad-CAM, random", "Grad-CAM, middle", "random")',
        ("Take the pixels away",),
    ),
    Sabotage(
        "Dark pixels of the middle beat integrated gradients",
        'for name in ("dark", "grainy", "blurred")',
        'for name in ("dark", "blurred", "grainy")',
        ("Take the pixels away",),
    ),
    Sabotage(
        "Where the letter tells the class, less of the map is in the lesion",
        'record.about["primary"], record.primary',
        'record.about["primary"], record.paired("letter on both", "no letter", **record.about["primary"]["where"])',
        ("The letter",),
    ),
    Sabotage(
        "The same network, on the same images without the letter",
        'same = about["where"] | {"images": "none"}',
        'same = about["where"] | {"images": "letter"}',
        ("The letter",),
    ),
    Sabotage(
        "In ten other seeds all five maps leave the lesion",
        'for what in ("fall", "direction")',
        'for what in ("direction", "fall")',
        ("Take the pixels away", "The letter"),
    ),
    Sabotage(
        "There, more of the map is in the letter",
        'once_more["letter"].settled',
        'once_more["fall, Grad-CAM"].settled',
        ("Take the pixels away", "The letter"),
    ),
    Sabotage(
        "At its own place the letter alone",
        "torch.maximum(healthy, ",
        "torch.minimum(healthy, ",
        ("One picture", "The shortcut, found by moving it"),
    ),
    Sabotage(
        "In ten seeds, too: no map is needed",
        'planned["planted"].settled',
        'planned["unknown letter"].settled',
        ("Take the pixels away", "The shortcut, found by moving it"),
    ),
    Sabotage(
        "With a random head and a random last stage",
        'random="head, stage3")',
        'random="all")',
        ("Take the pixels away", "Does the map need what was learned?"),
    ),
    Sabotage(
        "Frozen features let in less of the shortcut",
        'for where in ("swapped", "home")',
        'for where in ("home", "swapped")',
        ("Take the pixels away", "Fine-tuned or frozen?"),
    ),
    Sabotage(
        "A network that reads brightness",
        'map="random map", images="brighter"',
        'map="middle of the image", images="brighter"',
        ("Where it fails",),
    ),
    Sabotage(
        "Two networks with the same maps",
        'score=f"sensitivity, {when}"',
        'score="sensitivity, before"',
        ("Where it fails",),
    ),
]

outcomes, test_live_claims, test_recorded_claims, test_each_cell_runs_again = broken("13_what_did_it_look_at", ROWS)
