"""What did it look at? Maps of networks that learnt a hospital's letter in the place of the lesion, on phantoms.

    python benchmarks/explanation.py --stage tuning   # rates, on validation images
    python benchmarks/explanation.py                  # the report, seeds from 200 on, rates as committed

Resumable: each cell is a line of ``_run/explanation.jsonl``. Everything is drawn: 32 px ultrasound phantoms, new ones
for each seed, whose lesions and letters are known. A network (``CourseCNN``, 8 channels first, batch norm) learns from
1500 images of one hospital. There the letter is on nine of ten malignant images and on no benign one ("letter on
malignant"), on 0.45 of both ("letter on both": as many letters, which tell nothing), or nowhere ("no letter"). Maps are
made of 100 malignant test images, all with the letter, or all without, and explain the logit of malignant, their true
class. A map that is zero everywhere counts as one that is flat, so that no network loses or gains by it.

Primary comparison
------------------
Written down before the seeds 200 to 209 were run. *Does less of the map lie in the lesion where the letter tells the
class?* Rows: "letter on malignant" and "letter on both", the same malignant test images, all with the letter at the
corner that both networks know. Map: integrated gradients from each image's mean, positive part. Score: the mean share
of the map in the lesion. Margin: 0.05. The 95 % interval is Student's t over ten seeds, each with its own phantoms,
first weights and order. On the tuning seeds it was 0.10 against 0.32, so we expect a fall beyond the margin.

Three choices were made on the tuning seeds, and why. The map: integrated gradients alone had a larger share in the
lesion than a hill in the middle of the image has ("no letter": 0.29 to 0.33; middle 0.21, Grad-CAM 0.11 to 0.19,
occlusion 0.04 to 0.10, flat 0.07), and a share that is not there cannot fall. The opponent: a network that never saw a
letter looks at it, too, when it meets one, since it is new and bright and pushes the answer; so "no letter" is no fair
opponent on these images, and is compared on images without (1. below). The letter on 0.9 and 0 in the place of 0.9 and
0.1, which has a smaller effect and is told as "letter on some benign".

Told beside it, with its interval: AUROC at home of "letter on malignant" minus that of "no letter" (not below −0.02),
and both where the letters are swapped (0 and 0.9) and where there are none.

Secondary comparisons, "mass" being the share in the lesion; integrated gradients where no map is named; settled where
the interval lies beyond the margin and Holm's p-value, for all of these together and against that margin (Student's t),
is below 0.05:

1. "home": "letter on malignant" on images with the letter − "no letter" on images without, mass, 0.05: below.
2. "unknown letter": "no letter", images with − without the letter, mass, 0.05: within or below.
3. to 6. As the primary comparison, with Grad-CAM, occlusion, gradient and guided gradient: no direction.
7., 8. As the primary comparison, pointing game, and that with Grad-CAM, margin 0.1: below; no direction.
9. "planted": what a letter in its usual corner adds to p(malignant) of benign images, "letter on malignant" minus
   "letter on both", margin 0.1: above. This test needs no map.
10., 11. "no letter", images without: mass of integrated gradients, and of Grad-CAM, minus that of the middle of the
   image, 0.05: no direction; below.
12. to 14. The same network and images, area under the deletion curve (less is better), margin 0.02: Grad-CAM − a random
   map as smooth, Grad-CAM − the middle, integrated gradients − the random map: below; no direction; above.
15. "random weights": head and last stage random, rank correlation with the map before, guided gradient − Grad-CAM,
   margin 0.1: above.
16., 17. "no letter" carried over to 300 images of "letter on malignant", frozen − fine-tuned: AUROC with the letters
   swapped, 0.05: above; mass, 0.05: no direction.
18. The same, fine-tuned − from scratch, AUROC with the letters swapped, 0.05: above.

Rates were chosen by AUROC on validation images of the seeds 0 to 2: of "no letter" for all hospitals, so that these
differ in the letter alone; of "letter on malignant" for what is carried over. Other explanations of the same maps
("choices": an earlier layer, the log odds, the other class, a black baseline, a smaller window), other letters and the
brighter image are described and settle nothing.

Limits, written down when the results were known
------------------------------------------------
The score is a share. The letter takes 0.44 of the map, so the lesion's share must fall; of what lies outside the letter
0.20 is in the lesion, against 0.31. One small network, phantoms of 32 px and one pair of classes were tried. Grad-CAM
has 4 × 4 places of 8 px here, larger than most lesions, and occlusion's window is as large as they are: that both stay
undecided says nothing of larger images. Deletion paints holes that no network saw, and a map of scattered pixels makes
other holes than a smooth one: so integrated gradients are compared with a random map that is smoother than they are.
A letter in a corner that it never was in is no clean test, since it raises p(malignant) of all networks, also of "no
letter"; planted in its usual corner it is one. The map of "letter on malignant" comes back to 0.22 on images without
the letter, not to 0.30. Frozen features were best at the highest rate of their grid, by 0.001.
"""

import argparse
from functools import cache

import numpy as np
import torch
from record import Log, fill, header, rounded, seeded_rows, tidy, total_seconds, write

from medtl_helpers.lessons.explanation import experiment as lesson

LOG = Log("explanation")
SEEDS = {"tuning": range(3), "report": range(200, 210)}
RATES = {  # three for whatever trains
    "home": (1e-3, 5e-3, 2e-2, 5e-2),
    "frozen": (3e-3, 1e-2, 3e-2, 1e-1, 3e-1),
    "fine-tuned": (3e-4, 1e-3, 3e-3, 1e-2),
    "from scratch": (1e-3, 5e-3, 2e-2),
}
HOSPITALS = ("no letter", "letter on malignant", "letter on both")
LETTERS = [{"strength": 0.3, "mark_size": 5}, {"strength": 1.0, "mark_size": 9}]  # fainter, larger
JUDGED = ("Grad-CAM", "integrated gradients")  # where not all maps are
VALIDATION, TESTS = 3_000_000, 4_000_000  # seeds of images that no training sees


def shown(images: str, training: str, seed: int, **mark) -> lesson.Pictures:
    """Test images: as at home, with the habit swapped, all with the mark, or none."""
    own = lesson.SHARES[training]
    share = {"home": own, "swapped": lesson.SWAPPED, "none": lesson.NOWHERE}.get(images, lesson.EVERYWHERE)
    return lesson.pictures(lesson.TEST, TESTS + seed, share, brighter=training == "brighter", **mark)


@cache
def source(seed: int):
    """The network that is carried over to a second hospital."""
    return lesson.train_network("no letter", seed)


def row_of(way: str, scores: dict, **keys) -> dict:
    return {"way": way, **keys, "scores": rounded(scores)}


def tune(seed: int, way: str, lr: float) -> list[dict]:
    """AUROC on validation images of the hospital at which a network was trained with this rate."""
    if way == "home":
        model, share = lesson.train_network("no letter", seed, lr=lr), lesson.NOWHERE
    else:
        model, share = lesson.carried_over(way, source(seed), seed, lr=lr), lesson.SHARES["letter on malignant"]
    part = lesson.pictures(lesson.TEST, VALIDATION + seed, share)
    return [{"scores": rounded({"auroc": lesson.auroc_of(model, part)})}]


# --- the report: one function for each kind of cell -------------------------------------------------------------------


def judged(training: str, model, seed: int, maps, images) -> list[dict]:
    """What the ``maps`` of a network are worth, on test images of each kind of ``images``."""
    rows = []
    for kind in images:
        part = shown(kind, training, seed).malignant()
        for name in maps:
            scores = lesson.judge_maps(lesson.map_of(name, model, part, seed), model, part)
            rows.append(row_of(training, scores, kind="letter", map=name, images=kind))
    return rows


def answered(training: str, model, seed: int) -> list[dict]:
    aurocs = {images: lesson.auroc_of(model, shown(images, training, seed)) for images in ("home", "none", "swapped")}
    return [row_of(training, {"auroc": value}, kind="network", images=images) for images, value in aurocs.items()]


ALL_MAPS = (*lesson.EXPLANATIONS, *lesson.WITHOUT_NETWORK)


def hospitals(seed: int) -> list[dict]:
    """Three hospitals, all maps, all choices of these, the letter moved, random weights, another bias."""
    rows: list[dict] = []
    for training in HOSPITALS:
        model = lesson.train_network(training, seed)
        rows += answered(training, model, seed)
        rows += judged(training, model, seed, ALL_MAPS, ("letter", "none"))
        for at in ("upper left", "lower right"):
            rows.append(row_of(training, lesson.letter_moved(model, TESTS + seed, at), kind="moved", at=at))
        part = shown("letter", training, seed).malignant()
        for choice in lesson.CHOICES:
            scores = lesson.judge_maps(lesson.map_of(choice, model, part, seed), model, part)
            rows.append(row_of(training, scores, kind="choices", choice=choice))
        if training == "no letter":
            part = shown("none", training, seed)
            rows.append(row_of(training, lesson.same_maps(model, part), kind="same maps"))
            for (name, what), scores in lesson.with_random_weights(model, part.malignant(), seed).items():
                rows.append(row_of(name, scores, kind="random weights", random=what))
    return rows


def transfer(seed: int) -> list[dict]:
    """A network that never saw a letter, carried over to a hospital that has few images and marks the malignant."""
    rows = []
    for way in ("frozen", "fine-tuned", "from scratch"):
        model = lesson.carried_over(way, source(seed), seed)
        scores = {
            f"auroc, {images}": lesson.auroc_of(model, shown(images, "letter on malignant", seed))
            for images in ("home", "none", "swapped")
        }
        moved = lesson.letter_moved(model, TESTS + seed, "upper left")
        scores["rise of p(malignant)"] = moved["rise of p(malignant)"]
        for row in judged("letter on malignant", model, seed, JUDGED, ("letter",)):
            rows.append(row_of(way, scores | row["scores"], kind="transfer", map=row["map"]))
    return rows


def other_marks(seed: int) -> list[dict]:
    """The whole image a little brighter; a letter that is fainter, or larger; a letter on some benign images, too."""
    rows: list[dict] = []
    for training, images in (("brighter", "brighter"), ("letter on some benign", "letter")):
        model = lesson.train_network(training, seed)
        rows += answered(training, model, seed) + judged(training, model, seed, ALL_MAPS, (images, "none"))
    for mark in LETTERS:
        for training in HOSPITALS[1:]:
            model = lesson.train_network(training, seed, **mark)
            auroc = {"auroc": lesson.auroc_of(model, shown("home", training, seed, **mark))}
            part = shown("letter", training, seed, **mark).malignant()
            for name in JUDGED:
                scores = auroc | lesson.judge_maps(lesson.map_of(name, model, part, seed), model, part)
                rows.append(row_of(training, scores, kind="letters", map=name, **mark))
    return rows


PARTS = {"hospitals": (hospitals, 10), "transfer": (transfer, 10), "other marks": (other_marks, 5)}  # and their seeds


def cells(stage: str, parts=PARTS) -> list[dict]:
    if stage == "tuning":
        keys = [{"way": way, "lr": lr} for way, rates in RATES.items() for lr in rates]
        return [{"stage": stage, **key, "seed": seed} for key in keys for seed in SEEDS[stage]]
    return [{"stage": stage, "part": part, "seed": seed} for part in parts for seed in SEEDS[stage][: PARTS[part][1]]]


def compute(stage: str, seed: int, part: str = "", **keys) -> list[dict]:
    """The rows of one cell."""
    return tune(seed, **keys) if stage == "tuning" else PARTS[part][0](seed)


def best_rates(rows: list[dict]) -> dict[str, tuple[float, float]]:
    """way → its rate of the highest mean AUROC on validation images, and that AUROC."""
    found: dict = {}
    for row in rows:
        found.setdefault(row["way"], {})[row["lr"]] = round(float(np.mean(row["scores"]["auroc"])), 4)
    return {way: max(of_rate.items(), key=lambda pair: pair[1]) for way, of_rate in found.items()}


PRIMARY_ABOUT = {
    "lesson": "13_what_did_it_look_at",
    "comparison": "Where nine of ten malignant images have the letter, less of the map lies in the lesion, by more "
    "than 0.05, than where as many letters tell nothing",
    "ours": lesson.OURS,
    "theirs": lesson.FAIR,
    "where": {"kind": "letter", "map": lesson.MAIN, "images": "letter"},
    "score": lesson.MASS,
    "margin": 0.05,
    "written": "2067d27",
    "opponent": "no letter",
    "over": "seeds",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stage", choices=list(SEEDS), default="report")
    parser.add_argument("--only", nargs="*", default=list(PARTS), choices=list(PARTS))
    args = parser.parse_args()
    torch.set_num_threads(1)
    fill(LOG, cells(args.stage, args.only), compute)
    if args.stage == "tuning":
        for way, (lr, auroc) in best_rates(tidy(LOG.runs(), cells("tuning"))).items():
            print(f'    "{way}": {lr:g},  # {auroc}')
    else:
        summarise(LOG.runs())


def summarise(runs: list[dict]) -> None:
    """``results/explanation.json`` of all that is complete."""
    rows = [row | {"data": "twin"} for stage, seeds in SEEDS.items() for row in seeded_rows(runs, cells(stage), seeds)]
    result = header(seeds=list(SEEDS["report"]), seconds=total_seconds(runs)) | {
        "score": lesson.MASS,
        "data": "twin",
        "primary": PRIMARY_ABOUT,
        "rates": lesson.RATES,
        "rows": rows,
    }
    write("explanation", result)


if __name__ == "__main__":
    main()
