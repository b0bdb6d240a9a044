"""What lesson 13 and its benchmark share: hospitals that mark images, networks trained there, and what maps show of it.

``benchmarks/explanation.py`` says how the settings were chosen, and what was asked before the reported seeds ran.
"""

import copy
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from ...data.marks import draw_marked_ultrasound
from ...data.tasks import Split
from ...devices import seed_everything
from ...methods.finetune import fine_tune, probe
from ...methods.grad_cam import grad_cam
from ...methods.intervals import Interval, holm, paired_difference
from ...methods.map_scores import (
    deletion_auc,
    deletion_curve,
    highest_inside,
    map_correlation,
    mass_inside,
    randomised,
)
from ...methods.margins import BesideMargin, p_beyond
from ...methods.nets import CourseCNN
from ...methods.plain_maps import centre_map, edge_map, random_map
from ...methods.predict import predict
from ...methods.saliency import gradient_map, integrated_gradients, occlusion
from ...methods.train import fit
from ...teaching.records import Record

SIZE, TRAIN, FEW, TEST = 32, 1500, 300, 400  # pixels a side; images at home, at the second hospital, and in the test
MAPPED = 100  # malignant test images whose maps are judged
MALIGNANT, BENIGN = 0, 1
NOWHERE, EVERYWHERE = {MALIGNANT: 0.0, BENIGN: 0.0}, {MALIGNANT: 1.0, BENIGN: 1.0}
SHARES = {  # which share of the malignant and of the benign images has the mark where the network was trained
    "no letter": NOWHERE,
    "letter on malignant": {MALIGNANT: 0.9, BENIGN: 0.0},
    "letter on both": {MALIGNANT: 0.45, BENIGN: 0.45},  # as many letters, which tell nothing
    "letter on some benign": {MALIGNANT: 0.9, BENIGN: 0.1},
    "brighter": {MALIGNANT: 0.9, BENIGN: 0.0},  # the mark is no letter: the whole image is a little brighter
}
SWAPPED = {MALIGNANT: 0.0, BENIGN: 0.9}
BRIGHTER = 14  # grey levels
TRAINING = {"epochs": 12, "batch_size": 32, "schedule": lambda progress: 1 - progress, "progress": False}
RATES = {  # chosen on the validation images of seeds that are not reported; all hospitals have the same
    "home": 2e-2,
    "frozen": 3e-1,
    "fine-tuned": 3e-3,
    "from scratch": 5e-3,
}


# --- images and networks ---------------------------------------------------------------------------------------------


class Pictures(NamedTuple):
    """Phantoms, their classes, their lesions, and the places of the letters, also where there is none; bool N×S×S."""

    x: Tensor
    y: Tensor
    lesions: np.ndarray
    letters: np.ndarray

    def malignant(self) -> "Pictures":
        """The first malignant ones, of which maps are judged."""
        rows = (self.y == MALIGNANT).nonzero()[:MAPPED, 0]
        return Pictures(self.x[rows], self.y[rows], self.lesions[rows.numpy()], self.letters[rows.numpy()])


def pictures(n: int, seed: int, share: dict[int, float], *, brighter: bool = False, **mark: Any) -> Pictures:
    """``n`` phantoms, half of them malignant; a ``share`` of each class has the letter, or is ``brighter`` instead."""
    y = torch.arange(n) % 2
    x, lesions, marks = draw_marked_ultrasound(y, SIZE, share=share, seed=seed, **mark)
    plain, _, places = draw_marked_ultrasound(y, SIZE, share=EVERYWHERE, seed=seed, **mark)
    if brighter:
        plain = draw_marked_ultrasound(y, SIZE, share=NOWHERE, seed=seed)[0]
        x = (plain.int() + BRIGHTER * marks.flatten(1).any(1).int()[:, None, None, None]).clamp(max=255).byte()
    return Pictures(x, y, lesions.numpy(), places.numpy())


def train_network(training: str, seed: int, *, lr: float | None = None, **mark: Any) -> CourseCNN:
    """A small network, trained where images are marked as ``training`` says; ``mark`` changes the letter."""
    part = pictures(TRAIN, 10 * seed, SHARES[training], brighter=training == "brighter", **mark)
    seed_everything(seed)
    model = CourseCNN(1, 2, width=8, norm="batch")
    fit(model, (part.x, part.y), lr=lr or RATES["home"], seed=seed, **TRAINING)
    return model


def carried_over(way: str, source: nn.Module, seed: int, *, lr: float | None = None) -> CourseCNN:
    """``source``, trained without letters, at a second hospital that has few images and marks the malignant ones."""
    few = pictures(FEW, 10 * seed + 1, SHARES["letter on malignant"])
    seed_everything(seed)
    model = CourseCNN(1, 2, width=8, norm="batch")
    if way != "from scratch":
        model.stages.load_state_dict(source.stages.state_dict())  # type: ignore[union-attr, operator, arg-type]
    how = TRAINING | {"lr": lr or RATES[way], "seed": seed, "epochs": 40}
    train = Split(few.x, few.y)
    (probe if way == "frozen" else fine_tune)(model, train, **how)
    return model


def auroc_of(model: nn.Module, part: Pictures) -> float:
    """Of "is it malignant?"."""
    return float(roc_auc_score(part.y == MALIGNANT, predict(model, part.x)[:, MALIGNANT]))


# --- maps ------------------------------------------------------------------------------------------------------------

EXPLANATIONS = {
    "Grad-CAM": grad_cam,
    "occlusion": lambda model, x, c: occlusion(model, x, c, window=6, stride=3),
    "integrated gradients": lambda model, x, c: integrated_gradients(model, x, c, steps=16),
    "gradient": gradient_map,
    "guided gradient": lambda model, x, c: gradient_map(model, x, c, guided=True),
}
WITHOUT_NETWORK = {
    "random map": lambda x, seed: random_map(len(x), SIZE, cells=4, seed=seed),
    "edges": lambda x, seed: edge_map(x),
    "middle of the image": lambda x, seed: centre_map(len(x), SIZE),
}
DARK = "dark pixels × middle"
CHOICES = {
    "Grad-CAM, stage2": lambda model, x, c: grad_cam(model, x, c, "stage2"),
    "Grad-CAM, log odds": lambda model, x, c: grad_cam(of_log_odds(model), x, c),
    "Grad-CAM, the other class": lambda model, x, c: grad_cam(model, x, 1 - c),
    "integrated gradients, black": lambda model, x, c: integrated_gradients(model, x, c, steps=16, baseline="black"),
    "occlusion, small window": lambda model, x, c: occlusion(model, x, c, window=3, stride=2),
}
CASCADE = ("head", "head, stage3", "head, stage3, stage2", "all")


def of_log_odds(model: CourseCNN) -> CourseCNN:
    """A copy whose logits are z_c − z_other: the same answers, and other logits to explain."""
    model = copy.deepcopy(model)
    with torch.no_grad():
        for values in model.head.parameters():
            values.sub_(values.flip(0).clone())
    return model


def map_of(name: str, model: nn.Module, part: Pictures, seed: int) -> np.ndarray:
    """The map of that name, of the evidence for each image's true class."""
    if name in WITHOUT_NETWORK:
        return WITHOUT_NETWORK[name](part.x, seed)
    return (EXPLANATIONS | CHOICES)[name](model, part.x, part.y.numpy())


def dark_middle(x: Tensor) -> np.ndarray:
    """A map without a network: how much darker than its image each pixel is, times a hill in the middle; N×S×S."""
    grey = x.float().mean(1)
    return (grey.mean((1, 2), keepdim=True) - grey).relu().numpy() * centre_map(len(x), x.shape[-1])


def coarse(maps: np.ndarray, cells: int = 4) -> np.ndarray:
    """The same maps with the detail of Grad-CAM: means of ``cells`` × ``cells`` places, enlarged as Grad-CAM is."""
    places = F.adaptive_avg_pool2d(torch.from_numpy(maps)[:, None], cells)
    return F.interpolate(places, size=maps.shape[1:], mode="bilinear")[:, 0].numpy()


def share_in(maps: np.ndarray, regions: np.ndarray) -> float:
    """The mean share of the maps in their regions; a map that is zero everywhere counts as one that is flat."""
    return float(np.where(maps.max((1, 2)) > 0, mass_inside(maps, regions), regions.mean((1, 2))).mean())


def judge_maps(maps: np.ndarray, model: nn.Module, part: Pictures) -> dict[str, float]:
    """What the maps of ``part`` are worth, each the mean over images."""
    return {
        "mass in the lesion": share_in(maps, part.lesions),
        "highest pixel in the lesion": float(highest_inside(maps, part.lesions).mean()),
        "mass in the letter": share_in(maps, part.letters),
        "highest pixel in the letter": float(highest_inside(maps, part.letters).mean()),
        "deletion AUC": float(deletion_auc(deletion_curve(model, part.x, part.y.numpy(), maps)).mean()),
        "empty maps": float((maps.max((1, 2)) == 0).mean()),
    }


def with_random_weights(model: CourseCNN, part: Pictures, seed: int) -> dict[tuple[str, str], dict[str, float]]:
    """(map, what is random) → what is left of the map: its rank correlation with that of the trained network."""
    found, edges = {}, edge_map(part.x)
    for name in EXPLANATIONS:
        trained = map_of(name, model, part, seed)
        for what in ("", *CASCADE):
            names = () if what == "all" else tuple(what.split(", "))
            maps = map_of(name, randomised(model, *names, seed=seed) if what else model, part, seed)
            found[name, what or "nothing"] = {
                "rank correlation": float(map_correlation(trained, maps).mean()),
                "correlation with edges": float(map_correlation(maps, edges).mean()),
                "mass in the lesion": share_in(maps, part.lesions),
            }
    return found


def letter_moved(model: nn.Module, seed: int, at: str) -> dict[str, float]:
    """What planting a letter in a corner does to p(malignant) of benign images, and whether the maps find it there."""
    without, with_letter = (pictures(TEST, seed, share, at=at) for share in (NOWHERE, EVERYWHERE))
    before, after = (predict(model, part.x)[:, MALIGNANT].double().numpy() for part in (without, with_letter))
    benign, sick = without.y.numpy() == BENIGN, with_letter.malignant()
    found = {
        "rise of p(malignant)": float((after - before)[benign].mean()),
        "called malignant, without": float((before[benign] > 0.5).mean()),
        "called malignant, with": float((after[benign] > 0.5).mean()),
    }
    for name in ("Grad-CAM", "occlusion", "integrated gradients"):
        found[f"mass in the letter, {name}"] = share_in(map_of(name, model, sick, seed), sick.letters)
    return found


def same_maps(model: CourseCNN, part: Pictures, shift: float = 4.0) -> dict[str, float]:
    """Two networks with equal maps, to rounding, and other answers: the bias of malignant is ``shift`` lower in one."""
    other = copy.deepcopy(model)
    with torch.no_grad():
        other.head.bias[MALIGNANT] -= shift  # type: ignore[index, union-attr]
    sick = part.malignant()
    gaps = [np.abs(map_of(name, model, sick, 0) - map_of(name, other, sick, 0)).max() for name in EXPLANATIONS]
    found = {"largest difference of a map": float(max(gaps))}
    for name, net in (("before", model), ("after", other)):
        found[f"sensitivity, {name}"] = float((predict(net, sick.x).argmax(1) == MALIGNANT).float().mean())
        found[f"auroc, {name}"] = auroc_of(net, part)
    return found


# --- the record ------------------------------------------------------------------------------------------------------

MASS, POINTING = "mass in the lesion", "highest pixel in the lesion"
OURS, FAIR, PLAIN = "letter on malignant", "letter on both", "no letter"
MAIN = "integrated gradients"


def _judged(name: str, images: str = "letter") -> dict[str, str]:
    return {"kind": "letter", "map": name, "images": images}


def _beside_fair(name: str, score: str = MASS) -> tuple:
    return (OURS, _judged(name), score), (FAIR, _judged(name), score)


def _of_plain(ours: str, theirs: str, score: str) -> tuple:
    return (PLAIN, _judged(ours, "none"), score), (PLAIN, _judged(theirs, "none"), score)


def _carried(ours: str, theirs: str, score: str, **keys: str) -> tuple:
    return (ours, {"kind": "transfer"} | keys, score), (theirs, {"kind": "transfer"} | keys, score)


MOVED = {"kind": "moved", "at": "upper left"}
RANDOM = {"kind": "random weights", "random": "head, stage3"}
SECONDARY: dict[str, tuple] = {  # (way, keys, score) of ours and of theirs, margin
    "home": ((OURS, _judged(MAIN), MASS), (PLAIN, _judged(MAIN, "none"), MASS), 0.05),
    "unknown letter": ((PLAIN, _judged(MAIN), MASS), (PLAIN, _judged(MAIN, "none"), MASS), 0.05),
    **{name: (*_beside_fair(name), 0.05) for name in EXPLANATIONS if name != MAIN},
    "pointing game": (*_beside_fair(MAIN, POINTING), 0.1),
    "pointing game, Grad-CAM": (*_beside_fair("Grad-CAM", POINTING), 0.1),
    "planted": ((OURS, MOVED, "rise of p(malignant)"), (FAIR, MOVED, "rise of p(malignant)"), 0.1),
    "mass, middle": (*_of_plain(MAIN, "middle of the image", MASS), 0.05),
    "mass, Grad-CAM, middle": (*_of_plain("Grad-CAM", "middle of the image", MASS), 0.05),
    "deletion, Grad-CAM, random": (*_of_plain("Grad-CAM", "random map", "deletion AUC"), 0.02),
    "deletion, Grad-CAM, middle": (*_of_plain("Grad-CAM", "middle of the image", "deletion AUC"), 0.02),
    "deletion, random": (*_of_plain(MAIN, "random map", "deletion AUC"), 0.02),
    "random weights": (
        ("guided gradient", RANDOM, "rank correlation"),
        ("Grad-CAM", RANDOM, "rank correlation"),
        0.1,
    ),
    "frozen, swapped": (*_carried("frozen", "fine-tuned", "auroc, swapped", map=MAIN), 0.05),
    "frozen, mass": (*_carried("frozen", "fine-tuned", MASS, map=MAIN), 0.05),
    "fine-tuned, swapped": (*_carried("fine-tuned", "from scratch", "auroc, swapped", map=MAIN), 0.05),
}


def explanation_comparisons(record: Record) -> dict[str, BesideMargin]:
    """The secondary comparisons of ``benchmarks/explanation.py``, from ``Record("explanation", stage="report")``."""
    return _beside_margins(record, SECONDARY)


def _beside_margins(record: Record, asked: dict[str, tuple]) -> dict[str, BesideMargin]:
    """All of one family, corrected together by Holm's steps; the intervals are Student's t over seeds."""

    def beside(ours, theirs) -> Interval:
        return paired_difference(*(record.scores(way, score, **keys) for way, keys, score in (ours, theirs)))

    found = {name: (beside(ours, theirs), margin) for name, (ours, theirs, margin) in asked.items()}
    raw = [p_beyond(interval, margin, interval.n - 1) for interval, margin in found.values()]
    return {
        name: BesideMargin(interval, margin, p, before)
        for (name, (interval, margin)), p, before in zip(found.items(), holm(raw), raw, strict=True)
    }


# --- the second record: more seeds for the fall, and rows that were missing ------------------------------------------


def _again(ours: tuple[str, str, str], theirs: tuple[str, str, str]) -> tuple:
    """Of (way, map, score) each."""
    return tuple((way, {"map": name}, score) for way, name, score in (ours, theirs))


OUTSIDE, GRAINY, SMOOTH = "mass in the lesion, of what is outside the letter", "random pixels", "random map"
AGAIN: dict[str, tuple] = {  # as SECONDARY; margin 0: does it fall at all?
    **{f"fall, {name}": (*_again((OURS, name, MASS), (FAIR, name, MASS)), 0.05) for name in EXPLANATIONS},
    **{f"direction, {name}": (*_again((OURS, name, MASS), (FAIR, name, MASS)), 0.0) for name in EXPLANATIONS},
    "letter": (*_again((OURS, MAIN, "mass in the letter"), (FAIR, MAIN, "mass in the letter")), 0.05),
    "outside": (*_again((OURS, MAIN, OUTSIDE), (FAIR, MAIN, OUTSIDE)), 0.05),
    "dark": (*_again((PLAIN, DARK, MASS), (PLAIN, MAIN, MASS)), 0.05),
    "grainy": (*_again((PLAIN, GRAINY, "deletion AUC"), (PLAIN, SMOOTH, "deletion AUC")), 0.02),
    "blurred": (*_again((PLAIN, f"{MAIN}, coarse", "deletion AUC"), (PLAIN, SMOOTH, "deletion AUC")), 0.02),
}


def again_comparisons(record: Record) -> dict[str, BesideMargin]:
    """The comparisons of ``benchmarks/explanation_again.py``, from ``Record("explanation_again")``."""
    return _beside_margins(record, AGAIN)
