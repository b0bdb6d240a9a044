"""The same network at a second hospital: with labels its test result there, and without them what has shifted.

Nothing is chosen here. The network is shown as it is and with AdaBN, which takes the statistics of batch norm from the
second hospital's images, without a label; where the classes are mixed otherwise there, that can do harm.
"""

import copy
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from ..console import say
from ..data.folder_layout import SPLITS, listed
from ..data.patients import find_patients
from ..data.reading import read_all
from ..methods.adabn import adapt_batch_norm
from ..methods.features import stage_features
from ..methods.nets import StagedNet
from ..methods.predict import predict
from ..methods.transferability import proxy_a_distance
from .judging import Judged, Recipe, judge
from .looking import Seen, as_folder, images_below, look_at

MOST_COMPARED = 400  # images of each hospital for the distance of their features


@dataclass(frozen=True)
class Elsewhere:
    """What the network answers there, ``as it is`` and with ``AdaBN`` (None where it has no batch norm).

    ``y`` is None without labels, and then ``judged`` is empty. ``distance`` is the proxy A-distance of the features of
    both hospitals' images, from 0 (alike) to 2.
    """

    root: Path
    seen: list[Seen]
    y: np.ndarray | None
    probability: dict[str, np.ndarray]
    answers: dict[str, np.ndarray]
    judged: dict[str, Judged]
    distance: float | None
    notes: list[str] = field(default_factory=list)

    @property
    def used(self) -> list[Seen]:
        return [one for one in self.seen if not one.wrong]


def find_labels(root: Path, classes: tuple[str, ...]) -> list[tuple[Path, int]] | None:
    """(file, class) of all images in folders called like ``classes``, also inside train, val and test; None where no
    folder is called so. Raises ValueError where only some are: the others would be lost."""
    folders, images, _ = listed(root)
    split_names = {name for names in SPLITS.values() for name in names}
    if folders and all(folder.name.lower() in split_names for folder in folders):
        folders = [inside for folder in folders for inside in listed(folder)[0]]
    named = {folder: unicodedata.normalize("NFC", folder.name) for folder in folders}
    known = [folder for folder in folders if named[folder] in classes]
    if not known:
        return None
    if other := [folder for folder in folders if folder not in known] + images:
        raise ValueError(
            f"{other[0]} is in none of the classes {', '.join(classes)}, and other folders of {root} are: rename it as "
            "the first folder calls its class, or move it away."
        )
    return [(file, classes.index(named[folder])) for folder in known for file in images_below(folder)[0]]


@dataclass(frozen=True)
class There:
    """The second hospital's files before any network sees them: ``y`` are the classes of the usable ``files``."""

    root: Path
    seen: list[Seen]
    files: list[Path]
    y: np.ndarray | None


def look_there(folder, classes: tuple[str, ...]) -> There:
    """Look at every file of ``folder``. Raises ValueError, one sentence, where none of them can be used."""
    root = as_folder(folder, "the second hospital's images")
    labelled = find_labels(root, classes)
    files = images_below(root)[0] if labelled is None else [file for file, _ in labelled]
    seen = look_at(root, files)
    for one in seen:
        if one.wrong:
            say(f"{one.file} {one.wrong}, and is left out.")
    keep = [k for k, one in enumerate(seen) if not one.wrong]
    if not keep:
        raise ValueError(f"{root} holds no image that can be used: give the folder of the second hospital's images.")
    y = None if labelled is None else np.array([labelled[k][1] for k in keep])
    say(f"{root.name}: {len(keep)} images of a second hospital, {'without' if y is None else 'with'} labels.")
    return There(root, seen, [files[k] for k in keep], y)


def look_elsewhere(
    there: There, model: StagedNet, recipe: Recipe, home_x, *, size: int, patients=None, seed: int = 0
) -> Elsewhere:
    """The network's answers to the images ``there``; ``home_x`` are test images of the first hospital."""
    root, y = there.root, there.y
    x = read_all(root, there.files, size, int(home_x.shape[1]), None)
    notes: list[str] = []
    who = _patients(root, there.files, patients, y is not None, notes)
    raw = {"as it is": predict(model, x, batch_size=64).numpy()}
    try:
        raw["AdaBN"] = predict(adapt_batch_norm(copy.deepcopy(model), x, batch_size=64), x, batch_size=64).numpy()
    except ValueError as error:
        notes.append(f"There is no row for AdaBN: {error}")
    probability = {name: recipe.probabilities(p) for name, p in raw.items()}
    judged: dict[str, Judged] = {}
    if y is not None:
        try:
            judged = {name: judge(recipe, y, p, who, seed=seed) for name, p in raw.items()}
        except ValueError as error:
            notes.append(f"There is no test result there: {error}")
    answers = {name: recipe.answers(p) for name, p in probability.items()}
    return Elsewhere(root, there.seen, y, probability, answers, judged, _distance(model, home_x, x, seed), notes)


def _patients(root: Path, files: list[Path], rule, labelled: bool, notes: list[str]) -> np.ndarray | None:
    if rule is None or not labelled:
        return None
    try:
        names = [file.relative_to(root).as_posix() for file in files]
        depth = 2 if len({name.count("/") for name in names}) == 1 and names[0].count("/") > 1 else 1
        return find_patients(names, depth, rule)
    except ValueError as error:
        notes.append(f"The patients of the second hospital are not known, so images are the units there: {error}")
        return None


def _distance(model: StagedNet, home_x, x, seed: int) -> float | None:
    rng = np.random.default_rng(seed)
    some = [part[np.sort(rng.permutation(len(part))[:MOST_COMPARED]).tolist()] for part in (home_x, x)]
    features = [stage_features(model, torch.as_tensor(part), batch_size=32) for part in some]
    try:
        return proxy_a_distance(*features, seed=seed)
    except ValueError:  # fewer than five images
        return None
